//! What keeps the outbox able to take cases without anybody's help: damaged records are closed by signed voids, a disk
//! that turns out to be a copy goes on under a new name, room is given back when the city holds its content for good.

use kiosk_store::{
    AuditEvent, AuditId, BegunBecause, DeliveryReader, IncarnationBegunReason, Outbox, StoreError,
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
            begin(outbox, BegunBecause::CopiedDisk, IncarnationBegunReason::CopiedDisk, audit)?;
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

/// Done once after an outbox was opened: no damaged record may stand in the way of the others.
pub(super) fn mend(
    records: &Records,
    outbox: &mut Outbox,
    audit: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let nothing_can_follow = outbox.must_repair();
    for damaged in outbox.damaged()? {
        tracing::error!(seq = damaged.seq, "a record is damaged on the disk: its place is closed by a void");
        outbox.close_with_void(&records.void(&damaged))?;
        audit.push(AuditEvent::RecordVoided { record: AuditId::or_nil(&damaged.case_id), seq: damaged.seq });
    }
    if nothing_can_follow {
        begin(outbox, BegunBecause::Repaired, IncarnationBegunReason::Repaired, audit)?;
    }
    Ok(())
}

/// Whether the city said that another disk is this queue too, or the TPM's counter did. The agent put it into
/// `delivery.db`.
fn is_a_copy(state: &Path, outbox: &Outbox) -> bool {
    let delivery = DeliveryReader::open(state).ok().flatten();
    delivery.is_some_and(|delivery| delivery.must_leave(outbox.incarnation()).unwrap_or(false))
}

fn begin(
    outbox: &mut Outbox,
    because: BegunBecause,
    reason: IncarnationBegunReason,
    audit: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let before = outbox.incarnation().to_owned();
    outbox.begin_incarnation(because, wall_ms())?;
    if outbox.incarnation() != before {
        tracing::error!(?because, "the queue goes on in a new life");
        audit.push(AuditEvent::IncarnationBegun { reason });
    }
    Ok(())
}
