//! The terminal's queue as it lies on disk: what the kiosk finished and what the city has acknowledged. Read through
//! read-only connections, because another process writes each file.

use std::path::PathBuf;
use std::sync::Mutex;

use kiosk_store::{DeliveryReader, OutboxReader, PrintState, RecordKind, StoreError};
use serde::{Deserialize, Serialize};

/// Records listed when nobody says how many.
pub const USUAL_LIMIT: usize = 200;
/// Most records of one answer.
const MOST: usize = 100_000;

/// The queue at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Random name of this life of the queue; empty before the kiosk has made it.
    pub incarnation: String,
    /// Position of the last finalised record.
    pub head: u64,
    /// Records the city has acknowledged.
    pub acknowledged: u64,
    /// Records it has not.
    pub waiting: u64,
    /// When the city last answered, milliseconds since 1970.
    pub last_sync_ms: Option<i64>,
    /// The newest records, newest first.
    pub records: Vec<QueueRecord>,
}

/// One record of the queue. Nothing in it is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRecord {
    /// Position in the queue.
    pub seq: u64,
    /// UUID.
    pub case_id: String,
    /// Case number, for a case.
    pub case_number: Option<String>,
    /// `case` or `rating`.
    pub kind: String,
    /// Code of the service item, for a case.
    pub item: Option<String>,
    /// SHA-256 (hex) of the sealed content.
    pub sha256: String,
    /// Length of the sealed content.
    pub bytes: u64,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
    /// `queued` or `delivered`.
    pub state: String,
    /// How far the receipt got, for a case.
    pub print: Option<String>,
    /// How often sending failed since the last success.
    pub failures: u32,
    /// A short code of the last failure.
    pub last_error: Option<String>,
}

#[derive(Default)]
struct Readers {
    outbox: Option<OutboxReader>,
    delivery: Option<DeliveryReader>,
}

/// Reads the queue of one state folder.
pub struct QueueView {
    state: PathBuf,
    readers: Mutex<Readers>,
}

impl QueueView {
    /// A view of the databases in this folder, which need not exist yet.
    pub fn new(state: PathBuf) -> Self {
        Self { state, readers: Mutex::default() }
    }

    /// Reads at most `limit` records, newest first. Blocks on the disk.
    pub fn read(&self, limit: Option<usize>) -> Result<Queue, StoreError> {
        let mut readers = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = readers.read(&self.state, limit.unwrap_or(USUAL_LIMIT).min(MOST));
        if read.is_err() {
            // A connection that failed once is not trusted again.
            *readers = Readers::default();
        }
        read
    }
}

impl Readers {
    fn read(&mut self, state: &std::path::Path, limit: usize) -> Result<Queue, StoreError> {
        if !self.outbox.as_ref().is_some_and(OutboxReader::is_current) {
            self.outbox = OutboxReader::open(state)?;
        }
        if !self.delivery.as_ref().is_some_and(DeliveryReader::is_current) {
            self.delivery = DeliveryReader::open(state)?;
        }
        let Some(outbox) = &self.outbox else { return Ok(Queue::default()) };
        let incarnation = outbox.incarnation();
        let entries = outbox.list(limit)?;
        let stubs = outbox.stubs(limit)?;
        // Read after the queue: whatever is acknowledged was in it.
        let (mut ranges, mut attempts, mut last_sync_ms) = (Vec::new(), Vec::new(), None);
        if let Some(delivery) = &self.delivery {
            ranges = delivery.acknowledged(incarnation)?;
            attempts = delivery.attempts(incarnation)?;
            last_sync_ms = delivery.last_sync_ms()?;
        }
        let head = outbox.head()?;
        let acknowledged = ranges
            .iter()
            .filter(|(first, _)| *first <= head)
            .map(|(first, last)| last.min(&head) - first + 1)
            .sum();
        let records = entries.into_iter().map(|entry| {
            let delivered = ranges.iter().any(|(first, last)| (*first..=*last).contains(&entry.seq));
            let stub = stubs.iter().find(|stub| stub.case_id == entry.case_id);
            let attempt = attempts.iter().find(|attempt| attempt.seq == entry.seq && !delivered);
            QueueRecord {
                seq: entry.seq,
                case_id: entry.case_id,
                case_number: entry.case_number,
                kind: match entry.kind {
                    RecordKind::Case => "case",
                    RecordKind::Rating => "rating",
                    RecordKind::Void => "void",
                }
                .to_owned(),
                item: entry.item,
                sha256: entry.sha256,
                bytes: entry.bytes,
                finalised_at_ms: entry.finalised_at_ms,
                state: if delivered { "delivered" } else { "queued" }.to_owned(),
                print: stub.map(|stub| word(stub.print).to_owned()),
                failures: attempt.map_or(0, |attempt| attempt.failures),
                last_error: attempt.map(|attempt| attempt.last_error.clone()),
            }
        });
        Ok(Queue {
            incarnation: incarnation.to_owned(),
            head,
            acknowledged,
            waiting: head.saturating_sub(acknowledged),
            last_sync_ms,
            records: records.collect(),
        })
    }
}

fn word(print: PrintState) -> &'static str {
    match print {
        PrintState::NotPrinted => "not_printed",
        PrintState::Printing => "printing",
        PrintState::Confirmed(_) => "confirmed",
        PrintState::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_store::{NewRecord, Outbox, Stub};

    #[test]
    fn an_empty_folder_is_an_empty_queue_and_a_new_record_shows() {
        let folder = tempfile::tempdir().unwrap();
        let view = QueueView::new(folder.path().to_owned());
        assert_eq!(view.read(None).unwrap(), Queue::default());

        let mut outbox = Outbox::open(folder.path(), "DG0001").unwrap();
        let slot = outbox.next_slot();
        let case_id = "6f2d0d2e-8f0c-4a55-9d3a-0a1b2c3d4e5f".to_owned();
        let ciphertext = b"sealed".to_vec();
        let stub = Stub {
            case_id: case_id.clone(),
            case_number: "DG0001-TEST".into(),
            item: "12345-request".into(),
            verification: "V1".into(),
            finalised_at_ms: 1000,
            print: PrintState::NotPrinted,
        };
        let record = NewRecord {
            slot,
            case_id: case_id.clone(),
            kind: RecordKind::Case,
            manifest: "a.b.c".into(),
            sha256: sync_protocol::sha256_hex(&ciphertext),
            ciphertext,
            finalised_at_ms: 1000,
            blobs: Vec::new(),
            stub: Some(stub),
        };
        outbox.commit(record).unwrap();
        outbox.set_print_state(&case_id, PrintState::Confirmed(2)).unwrap();
        let queue = view.read(None).unwrap();
        assert_eq!((queue.head, queue.acknowledged, queue.waiting), (1, 0, 1));
        let shown = &queue.records[0];
        assert_eq!((shown.seq, shown.state.as_str()), (1, "queued"));
        assert_eq!(shown.print.as_deref(), Some("confirmed"));
        assert_eq!(shown.case_number.as_deref(), Some("DG0001-TEST"));
    }
}
