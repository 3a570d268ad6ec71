//! Believes the receipts that the city wrote into a courier folder: by their signature, like those from the network.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, AuditEvent, AuditId, AuditLog, Delivery, OutboxReader,
};
use sync_protocol::{CityReceiptPublicKey, Receipt, ReceiptStatus, courier, limits};

use super::{CourierError, folder_error};
use crate::config::Config;
use crate::connection::receipt_key;
use crate::journal::open_delivery;
use crate::surroundings::{Machine, Surroundings};

/// Receipts noted in one transaction.
const BATCH: usize = 256;

/// What came of the receipts in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Verified and noted: these records count as delivered.
    pub receipts: u64,
    /// Not believed: damaged, not the city's, of another record, or of an earlier life of the city's store.
    pub refused: u64,
}

/// Notes what the city wrote. The agent must not run: it is the only writer of the delivery log.
pub fn take_receipts(config: &Config, from: &Path) -> Result<Taken, CourierError> {
    let city = receipt_key(&config.keys)?;
    let newest = OutboxReader::open(&config.state)?.ok_or(CourierError::NoQueue)?;
    let mut books = Books {
        delivery: open_delivery(&config.state)?,
        audit: AuditLog::open(&config.state, "agent")?,
        wall_ms: Machine::start().wall_ms(),
        taken: Taken::default(),
    };
    for life in newest.incarnations()? {
        let Some(queue) = OutboxReader::open_incarnation(&config.state, &life)? else { continue };
        books.take_life(config, &city, &queue, from)?;
    }
    Ok(books.taken)
}

struct Books {
    delivery: Delivery,
    audit: AuditLog,
    wall_ms: i64,
    taken: Taken,
}

impl Books {
    fn take_life(
        &mut self,
        config: &Config,
        city: &CityReceiptPublicKey,
        queue: &OutboxReader,
        from: &Path,
    ) -> Result<(), CourierError> {
        let mut good = Vec::new();
        for seq in 1..=queue.head()? {
            let Some(jws) = read_receipt(&from.join(courier::receipt_file(queue.incarnation(), seq)))? else {
                continue;
            };
            match self.believe(config, city, queue, seq, &jws)? {
                Some(receipt) => good.push((jws, receipt)),
                None => self.taken.refused += 1,
            }
            if good.len() == BATCH {
                self.note(std::mem::take(&mut good))?;
            }
        }
        self.note(good)
    }

    /// The receipt, when the city signed it for the record that stands in this place.
    fn believe(
        &self,
        config: &Config,
        city: &CityReceiptPublicKey,
        queue: &OutboxReader,
        seq: u64,
        jws: &str,
    ) -> Result<Option<Receipt>, CourierError> {
        let Ok(receipt) = Receipt::verify(jws, city) else { return Ok(None) };
        let Some(record) = queue.record(seq)? else { return Ok(None) };
        let life = queue.incarnation();
        let fits = receipt.matches(&config.terminal, life, seq, &record.case_id, &record.sha256);
        // A receipt of an earlier life of the city's store must not count after a restore.
        let known = self.delivery.epoch()?;
        let alive = known.is_none_or(|known| known == receipt.epoch);
        Ok((fits && alive).then_some(receipt))
    }

    fn note(&mut self, good: Vec<(String, Receipt)>) -> Result<(), CourierError> {
        let Some((_, first)) = good.first() else { return Ok(()) };
        if self.delivery.epoch()?.is_none() {
            self.delivery.set_epoch(&first.epoch)?;
        }
        let epoch = first.epoch.clone();
        let before = good.len();
        let good: Vec<_> = good.into_iter().filter(|(_, receipt)| receipt.epoch == epoch).collect();
        self.taken.refused += (before - good.len()) as u64;
        let events: Vec<_> = good.iter().map(|(_, receipt)| (self.wall_ms, event_of(receipt))).collect();
        let at_ms = self.wall_ms;
        let notes: Vec<_> = good.into_iter().map(|(jws, receipt)| note_of(jws, receipt, at_ms)).collect();
        self.delivery.record_receipts(&notes)?;
        self.taken.receipts += notes.len() as u64;
        Ok(self.audit.record_all(&events)?)
    }
}

fn event_of(receipt: &Receipt) -> AuditEvent {
    let (record, seq) = (AuditId::or_nil(&receipt.case_id), receipt.seq);
    match receipt.status {
        ReceiptStatus::Accepted => AuditEvent::RecordAcknowledged { record, seq },
        ReceiptStatus::ConflictRecorded => AuditEvent::ConflictRecorded { record, seq },
    }
}

fn note_of(jws: String, receipt: Receipt, at_ms: i64) -> Acknowledgement {
    let status = match receipt.status {
        ReceiptStatus::Accepted => AcknowledgementStatus::Accepted,
        ReceiptStatus::ConflictRecorded => AcknowledgementStatus::ConflictRecorded,
    };
    let Receipt { incarnation, seq, complete, .. } = receipt;
    Acknowledgement { incarnation, seq, receipt: jws, status, complete, at_ms }
}

/// `None` when there is none. One that is too long or no text is read as an empty one, which nobody signed.
fn read_receipt(path: &Path) -> Result<Option<String>, CourierError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(folder_error(path))?,
    };
    let mut bytes = Vec::new();
    file.take(limits::MAX_RECEIPT as u64 + 1).read_to_end(&mut bytes).map_err(folder_error(path))?;
    Ok(Some(String::from_utf8(bytes).unwrap_or_default().trim().to_owned()))
}
