//! Read-only view of the delivery log, for the kiosk process and the simulator.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crate::connection::{has_moved, open_reader};
use crate::delivery::{
    Acknowledgement, Attempt, CITY_SILENT, LEAVE_INCARNATION, SCHEMA, TpmMemory, acknowledged, attempts,
    continuity_key, incomplete, last_sync_ms, meta, tpm_memory,
};

/// How many records stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Acknowledged by the city, conflicts included.
    pub acknowledged: u64,
    /// Of these, recorded as conflicts.
    pub conflicts: u64,
    /// Of these, with blobs that are still on their way.
    pub incomplete: u64,
    /// Waiting for another try.
    pub retrying: u64,
    /// Of these, in the side lane.
    pub side_lane: u64,
}

/// A read-only connection to `delivery.db`.
pub struct DeliveryReader {
    db: Connection,
}

impl DeliveryReader {
    /// Opens the delivery log; `None` when the sync agent has not made it yet.
    pub fn open(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        Ok(open_reader(state_dir, &SCHEMA)?.map(|db| Self { db }))
    }

    /// Whether this is still the file in the state folder.
    pub fn is_current(&self) -> bool {
        !has_moved(&self.db)
    }

    /// Whether the city acknowledged this record.
    pub fn is_acknowledged(&self, incarnation: &str, seq: u64) -> Result<bool, StoreError> {
        self.db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM acknowledgement WHERE incarnation = ?1 AND seq = ?2)",
            )
            .and_then(|mut query| query.query_row(params![incarnation, seq as i64], |row| row.get(0)))
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Whether the city took this record over, and did not keep it aside as a conflict.
    pub fn is_accepted(&self, incarnation: &str, seq: u64) -> Result<bool, StoreError> {
        self.db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM acknowledgement WHERE incarnation = ?1 AND seq = ?2 \
                 AND status = 'accepted')",
            )
            .and_then(|mut query| query.query_row(params![incarnation, seq as i64], |row| row.get(0)))
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// The receipt of a record.
    pub fn acknowledgement(
        &self,
        incarnation: &str,
        seq: u64,
    ) -> Result<Option<Acknowledgement>, StoreError> {
        self.db
            .query_row(
                "SELECT status, at_ms, receipt, complete FROM acknowledgement WHERE incarnation = ?1 AND seq = ?2",
                params![incarnation, seq as i64],
                |row| {
                    Ok(Acknowledgement {
                        incarnation: incarnation.to_owned(),
                        seq,
                        status: row.get(0)?,
                        at_ms: row.get(1)?,
                        receipt: row.get(2)?,
                        complete: row.get(3)?,
                    })
                },
            )
            .optional()
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Inclusive ranges of acknowledged positions.
    pub fn acknowledged(&self, incarnation: &str) -> Result<Vec<(u64, u64)>, StoreError> {
        acknowledged(&self.db, incarnation)
    }

    /// The highest acknowledged position.
    pub fn last_acknowledged(&self, incarnation: &str) -> Result<Option<u64>, StoreError> {
        self.db
            .query_row("SELECT max(seq) FROM acknowledgement WHERE incarnation = ?1", [incarnation], |row| {
                row.get::<_, Option<i64>>(0)
            })
            .map(|last| last.map(|last| last as u64))
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// How many records stand where.
    pub fn counts(&self, incarnation: &str) -> Result<DeliveryCounts, StoreError> {
        self.db
            .query_row(
                "SELECT (SELECT count(*) FROM acknowledgement WHERE incarnation = ?1), \
                 (SELECT count(*) FROM acknowledgement WHERE incarnation = ?1 AND status = 'conflict-recorded'), \
                 (SELECT count(*) FROM attempt WHERE incarnation = ?1), \
                 (SELECT count(*) FROM attempt WHERE incarnation = ?1 AND side_lane = 1), \
                 (SELECT count(*) FROM acknowledgement WHERE incarnation = ?1 AND complete = 0)",
                [incarnation],
                |row| {
                    Ok(DeliveryCounts {
                        acknowledged: row.get::<_, i64>(0)? as u64,
                        conflicts: row.get::<_, i64>(1)? as u64,
                        retrying: row.get::<_, i64>(2)? as u64,
                        side_lane: row.get::<_, i64>(3)? as u64,
                        incomplete: row.get::<_, i64>(4)? as u64,
                    })
                },
            )
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Positions whose records are acknowledged while some of their blobs are still missing at the city.
    pub fn incomplete(&self, incarnation: &str) -> Result<Vec<u64>, StoreError> {
        incomplete(&self.db, incarnation)
    }

    /// Up to here every position is safe even against the loss of the city's machine, as last heard in the life of
    /// the city's store that goes on; 0 when nothing is known.
    pub fn durable_seq(&self, incarnation: &str) -> Result<u64, StoreError> {
        self.db
            .query_row(
                "SELECT seq FROM durable WHERE incarnation = ?1 \
                 AND epoch = (SELECT value FROM meta WHERE key = 'epoch')",
                [incarnation],
                |row| row.get::<_, i64>(0),
            )
            .optional()
            .map(|seq| seq.unwrap_or(0) as u64)
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// The token of the last answer to hello that this disk has seen for this life of the queue.
    pub fn continuity(&self, incarnation: &str) -> Result<Option<String>, StoreError> {
        meta(&self.db, &continuity_key(incarnation))
    }

    /// What this disk remembers of the counter in the machine's TPM.
    pub fn tpm_memory(&self) -> Result<Option<TpmMemory>, StoreError> {
        tpm_memory(&self.db)
    }

    /// Whether the city, or the agent by the TPM's counter, saw that this disk is a copy or an older image, so that
    /// this life of the queue has to end.
    pub fn must_leave(&self, incarnation: &str) -> Result<bool, StoreError> {
        Ok(meta(&self.db, LEAVE_INCARNATION)?.as_deref() == Some(incarnation))
    }

    /// Everything that is to be tried again.
    pub fn attempts(&self, incarnation: &str) -> Result<Vec<Attempt>, StoreError> {
        attempts(&self.db, incarnation)
    }

    /// Life of the city's store as last heard.
    pub fn epoch(&self) -> Result<Option<String>, StoreError> {
        meta(&self.db, "epoch")
    }

    /// When the city last answered, verified; milliseconds since 1970 on this terminal's clock.
    pub fn last_sync_ms(&self) -> Result<Option<i64>, StoreError> {
        last_sync_ms(&self.db)
    }

    /// Whether the last hello had no answer that could be believed.
    pub fn is_city_silent(&self) -> Result<bool, StoreError> {
        Ok(meta(&self.db, CITY_SILENT)?.is_some_and(|silent| silent == "1"))
    }

    /// How far the city's clock was ahead of this terminal's then.
    pub fn city_ahead_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(meta(&self.db, "city_ahead_ms")?.and_then(|text| text.parse().ok()))
    }
}
