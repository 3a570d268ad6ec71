//! Copies what the city does not have into a folder. Reads the queue only, so it works beside the kiosk and the agent,
//! and on the disk of a terminal that will never start again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kiosk_store::{DeliveryReader, OutboxReader, StoredBlob, StoredRecord};
use sync_protocol::courier::{self, Consignment};
use sync_protocol::ranges::RangeSet;
use sync_protocol::{PROTOCOL_VERSION, SealedRecord, sha256_hex};

use super::{CourierError, write_whole};
use crate::AgentError;
use crate::config::Config;
use crate::enrol::files::CERTIFICATE;

/// Records read from the queue at once.
const PAGE: usize = 64;

/// What an export did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records that lie in the folder now and that the city may not have.
    pub records: u64,
    /// Blobs of theirs.
    pub blobs: u64,
    /// Records or blobs whose bytes cannot be read; the terminal closes such places itself once it runs.
    pub unreadable: u64,
}

/// Copies every record that has no verified receipt, and every one whose blobs the city misses, with its blobs.
pub fn export(config: &Config, to: &Path) -> Result<Exported, CourierError> {
    refuse_another_terminal(config, to)?;
    let chain = fs::read_to_string(config.keys.join(CERTIFICATE));
    let certificates = chain.map_err(|_| AgentError::Key(CERTIFICATE))?;
    let newest = OutboxReader::open(&config.state)?.ok_or(CourierError::NoQueue)?;
    // A log that cannot be read costs nothing but room on the stick: the city knows what it has.
    let log = DeliveryReader::open(&config.state).ok().flatten();
    let mut done = Exported::default();
    for life in newest.incarnations()? {
        let Some(queue) = OutboxReader::open_incarnation(&config.state, &life)? else { continue };
        export_life(&queue, log.as_ref(), to, &mut done)?;
    }
    let made_at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let terminal = config.terminal.clone();
    let consignment = Consignment { version: PROTOCOL_VERSION, terminal, certificates, made_at_ms };
    write_whole(&to.join(courier::CONSIGNMENT), &consignment.to_json())?;
    Ok(done)
}

fn refuse_another_terminal(config: &Config, to: &Path) -> Result<(), CourierError> {
    let there = fs::read(to.join(courier::CONSIGNMENT)).ok();
    match there.and_then(|bytes| Consignment::from_json(&bytes).ok()) {
        Some(there) if there.terminal != config.terminal => Err(CourierError::OtherTerminal(there.terminal)),
        _ => Ok(()),
    }
}

fn export_life(
    queue: &OutboxReader,
    log: Option<&DeliveryReader>,
    to: &Path,
    done: &mut Exported,
) -> Result<(), CourierError> {
    let life = queue.incarnation();
    let acknowledged =
        log.and_then(|log| log.acknowledged(life).ok()).map_or_else(RangeSet::new, RangeSet::from);
    let incomplete: BTreeSet<u64> =
        log.and_then(|log| log.incomplete(life).ok()).into_iter().flatten().collect();
    let missing = acknowledged.missing_ranges(queue.head()?);
    for (first, last) in missing.chain(incomplete.iter().map(|&seq| (seq, seq))) {
        let mut next = first;
        while next <= last {
            let room = usize::try_from(last - next + 1).unwrap_or(PAGE).min(PAGE);
            let (page, after) = page_from(queue, next, room, last, done);
            for record in page {
                export_record(queue, record, to, done)?;
            }
            next = after;
        }
    }
    Ok(())
}

/// Records from `next` on, and where to go on. A page with a damaged row is read record by record around it.
fn page_from(
    queue: &OutboxReader,
    next: u64,
    room: usize,
    last: u64,
    done: &mut Exported,
) -> (Vec<StoredRecord>, u64) {
    if let Ok(page) = queue.records(next, room) {
        let page: Vec<_> = page.into_iter().take_while(|record| record.seq <= last).collect();
        // Rows that were given back leave gaps, and an empty page means that nothing more follows.
        let after = page.last().map_or(last, |record| record.seq) + 1;
        return (page, after);
    }
    match queue.record(next) {
        Ok(record) => (record.into_iter().collect(), next + 1),
        Err(_) => {
            done.unreadable += 1;
            (Vec::new(), next + 1)
        }
    }
}

fn export_record(
    queue: &OutboxReader,
    record: StoredRecord,
    to: &Path,
    done: &mut Exported,
) -> Result<(), CourierError> {
    let seq = record.seq;
    let file = to.join(courier::record_file(queue.incarnation(), seq));
    let body = SealedRecord { manifest: record.manifest, ciphertext: record.ciphertext }.to_json();
    if fs::read(&file).ok().as_ref() != Some(&body) {
        write_whole(&file, &body)?;
    }
    done.records += 1;
    let Ok(blobs) = queue.blobs_of(seq) else {
        done.unreadable += 1;
        return Ok(());
    };
    for blob in blobs {
        export_blob(&blob, to, done)?;
    }
    Ok(())
}

fn export_blob(blob: &StoredBlob, to: &Path, done: &mut Exported) -> Result<(), CourierError> {
    let file = to.join(courier::blob_file(&blob.sha256));
    let is_it = |bytes: &Vec<u8>| sha256_hex(bytes) == blob.sha256;
    if !fs::read(&file).ok().as_ref().is_some_and(is_it) {
        let Some(bytes) = fs::read(&blob.path).ok().filter(is_it) else {
            done.unreadable += 1;
            return Ok(());
        };
        write_whole(&file, &bytes)?;
    }
    done.blobs += 1;
    Ok(())
}
