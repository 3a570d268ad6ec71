//! What keeps the outbox able to take cases without anybody's help: damaged records are closed by signed voids, a disk
//! that turns out to be a copy goes on under a new name, room is given back when the city holds its content for good.

use kiosk_store::{
    AuditEvent, AuditId, AuditLog, BegunBecause, Damaged, DeliveryReader, IncarnationBegunReason, Mended,
    Outbox, StoreError,
};
use std::path::Path;
use std::time::{Duration, Instant};

use super::records::Records;
use super::wall_ms;

/// What the city holds for good stays on the terminal this long all the same, for questions about a receipt.
const RETENTION_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Time between two looks for rows that can be given back.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// Room for the cases that are already begun when the disk fills: several of the largest.
const RESERVE_BYTES: u64 = 32 * 1024 * 1024;

/// The regular care of one outbox.
pub(super) struct Upkeep {
    next_purge: Instant,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Upkeep { next_purge: Instant::now() + PURGE_EVERY }
    }

    /// Done between two commands. `false` when there is no room for the reserve.
    pub(super) fn look(
        &mut self,
        state: &Path,
        outbox: &mut Outbox,
        audit: &mut Vec<AuditEvent>,
    ) -> Result<bool, StoreError> {
        if is_a_copy(state, outbox) {
            leave(outbox, audit)?;
        }
        if Instant::now() >= self.next_purge {
            self.next_purge = Instant::now() + PURGE_EVERY;
            let purged = outbox.purge(wall_ms() - RETENTION_MS, wall_ms())?;
            if purged > 0 {
                tracing::info!(purged, "records that the city holds for good gave their room back");
            }
        }
        outbox.keep_reserve(RESERVE_BYTES)
    }
}

/// Done once after an outbox was opened: what can no longer be delivered must not stand in the way of the rest.
pub(super) fn mend(
    records: &Records,
    outbox: &mut Outbox,
    book: Option<&AuditLog>,
    audit: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    for mended in outbox.mend(book, wall_ms(), |damaged| records.void(damaged))? {
        audit.push(match mended {
            Mended::Voided(Damaged { seq, case_id, .. }) => {
                tracing::error!(seq, "a record is damaged on the disk: its place is closed by a void");
                AuditEvent::RecordVoided { record: AuditId::or_nil(&case_id), seq }
            }
            Mended::Missing(case_id) => {
                tracing::error!(record = %case_id, "a record that was stored is no longer on the disk");
                AuditEvent::RecordMissing { record: AuditId::or_nil(&case_id) }
            }
            Mended::BlobLost(case_id) => {
                tracing::error!(record = %case_id, "an attachment is gone or damaged; its record is delivered without it");
                AuditEvent::BlobLost { record: AuditId::or_nil(&case_id) }
            }
            Mended::NewLife => {
                tracing::error!("nothing can be chained to the last record: the queue goes on in a new life");
                AuditEvent::IncarnationBegun { reason: IncarnationBegunReason::Repaired }
            }
        });
    }
    match outbox.sweep() {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "what a power cut left in the blob folder gave its room back"),
        Err(error) if outbox.must_reopen() => return Err(error),
        // It costs room and nothing else.
        Err(error) => tracing::warn!(%error, "the blob folder cannot be swept"),
    }
    Ok(())
}

/// Whether the city said that another disk is this queue too, or the TPM's counter did. The agent put it into
/// `delivery.db`.
fn is_a_copy(state: &Path, outbox: &Outbox) -> bool {
    let delivery = DeliveryReader::open(state).ok().flatten();
    delivery.is_some_and(|delivery| delivery.must_leave(outbox.incarnation()).unwrap_or(false))
}

/// Goes on under a new name, which the city does not take for the other disk's.
fn leave(outbox: &mut Outbox, audit: &mut Vec<AuditEvent>) -> Result<(), StoreError> {
    let before = outbox.incarnation().to_owned();
    outbox.begin_incarnation(BegunBecause::CopiedDisk, wall_ms())?;
    if outbox.incarnation() != before {
        tracing::error!("this disk is a copy: the queue goes on in a new life");
        audit.push(AuditEvent::IncarnationBegun { reason: IncarnationBegunReason::CopiedDisk });
    }
    Ok(())
}
