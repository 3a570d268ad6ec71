//! The writer of the delivery log, used by the sync agent only.

use std::path::Path;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crate::connection::{Schema, Writer, put_aside};

pub(crate) const SCHEMA: Schema = Schema {
    file: "delivery.db",
    lock: "delivery.lock",
    migrations: &[
        include_str!("../migrations/delivery-0001.sql"),
        include_str!("../migrations/delivery-0002.sql"),
    ],
};

/// What the city did with a record. Both mean that it is kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcknowledgementStatus {
    /// Taken into the inbox.
    Accepted,
    /// Kept aside as a conflict.
    ConflictRecorded,
}

impl AcknowledgementStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::ConflictRecorded => "conflict-recorded",
        }
    }
}

impl FromSql for AcknowledgementStatus {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "accepted" => Ok(Self::Accepted),
            "conflict-recorded" => Ok(Self::ConflictRecorded),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// A receipt that was verified and fits its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Incarnation of the queue.
    pub incarnation: String,
    /// Position in the queue.
    pub seq: u64,
    /// The signed receipt as it came.
    pub receipt: String,
    /// What it says.
    pub status: AcknowledgementStatus,
    /// Whether the city also holds every blob of the record.
    pub complete: bool,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
}

/// What a verified answer to hello said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Life of the queue that was spoken of.
    pub incarnation: String,
    /// This terminal's wall clock, milliseconds since 1970.
    pub now_ms: i64,
    /// How far the city's clock was ahead of it.
    pub city_ahead_ms: i64,
    /// Life of the city's store.
    pub epoch: String,
    /// Up to here every position is safe even against the loss of the city's machine.
    pub durable_seq: u64,
    /// To be said in the next hello.
    pub continuity: Option<String>,
    /// The city saw that this disk is a copy or an older image: the queue has to begin a new life.
    pub begin_incarnation: bool,
}

/// What is to be tried again, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Position in the queue.
    pub seq: u64,
    /// How often it failed.
    pub failures: u32,
    /// When it is due, milliseconds since 1970.
    pub next_attempt_ms: i64,
    /// Whether it waits apart from the rest.
    pub side_lane: bool,
    /// A short code of the last failure.
    pub last_error: String,
}

/// What the disk remembers of the counter in the machine's TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmMemory {
    /// The value it has, or was about to have.
    pub counter: u64,
    /// The run of the machine in which it was counted up last.
    pub boot_id: String,
}

/// The writer of `delivery.db`.
pub struct Delivery {
    writer: Writer,
}

impl Delivery {
    /// Opens the delivery log and makes it when it is not there.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { writer: Writer::open(state_dir, &SCHEMA)? })
    }

    /// Puts a damaged delivery log aside under another name, so that a new one can be begun: everything is then sent
    /// again, and the city answers with the same receipts. Refused while a writer has it open.
    pub fn put_aside(state_dir: &Path) -> Result<(), StoreError> {
        put_aside(state_dir, &SCHEMA)
    }

    /// Notes verified receipts, all in one transaction. A record that was sent again gets its newer receipt.
    pub fn record_receipts(&mut self, receipts: &[Acknowledgement]) -> Result<(), StoreError> {
        let rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO acknowledgement (incarnation, seq, status, at_ms, receipt, complete) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT (incarnation, seq) DO UPDATE SET status = excluded.status, at_ms = excluded.at_ms, \
                     receipt = excluded.receipt, complete = excluded.complete",
                )?;
                let mut done =
                    transaction.prepare_cached("DELETE FROM attempt WHERE incarnation = ?1 AND seq = ?2")?;
                for receipt in receipts {
                    let seq = receipt.seq as i64;
                    insert.execute(params![
                        receipt.incarnation,
                        seq,
                        receipt.status.as_str(),
                        receipt.at_ms,
                        receipt.receipt,
                        receipt.complete
                    ])?;
                    done.execute(params![receipt.incarnation, seq])?;
                }
            }
            transaction.commit()
        };
        rows().map_err(StoreError::sql(SCHEMA.file))
    }

    /// Inclusive ranges of acknowledged positions.
    pub fn acknowledged(&self, incarnation: &str) -> Result<Vec<(u64, u64)>, StoreError> {
        acknowledged(&self.writer.db, incarnation)
    }

    /// Positions whose records are acknowledged while some of their blobs are still missing at the city.
    pub fn incomplete(&self, incarnation: &str) -> Result<Vec<u64>, StoreError> {
        incomplete(&self.writer.db, incarnation)
    }

    /// Notes failed attempts, all in one transaction.
    pub fn record_attempts(&mut self, incarnation: &str, attempts: &[Attempt]) -> Result<(), StoreError> {
        let rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            for attempt in attempts {
                transaction
                    .prepare_cached(
                        "INSERT INTO attempt (incarnation, seq, failures, next_attempt_ms, side_lane, last_error) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (incarnation, seq) DO UPDATE SET \
                         failures = excluded.failures, next_attempt_ms = excluded.next_attempt_ms, \
                         side_lane = excluded.side_lane, last_error = excluded.last_error",
                    )?
                    .execute(params![
                        incarnation,
                        attempt.seq as i64,
                        attempt.failures,
                        attempt.next_attempt_ms,
                        attempt.side_lane,
                        attempt.last_error
                    ])?;
            }
            transaction.commit()
        };
        rows().map_err(StoreError::sql(SCHEMA.file))
    }

    /// Everything that is to be tried again.
    pub fn attempts(&self, incarnation: &str) -> Result<Vec<Attempt>, StoreError> {
        attempts(&self.writer.db, incarnation)
    }

    /// Life of the city's store as last heard.
    pub fn epoch(&self) -> Result<Option<String>, StoreError> {
        meta(&self.writer.db, "epoch")
    }

    /// Notes the life of the city's store.
    pub fn set_epoch(&mut self, epoch: &str) -> Result<(), StoreError> {
        self.set_meta("epoch", epoch)
    }

    /// The city's store began a new life and may have lost what was not durable: those receipts are kept as proof but
    /// no longer count, so the records are sent again; in other lives of the queue what was last called durable stays.
    /// A conflict is always forgotten: it is durable by place, and another record has its place.
    /// The new epoch is noted in the same transaction. Returns how many there were.
    pub fn forget_not_durable(
        &mut self,
        incarnation: &str,
        durable_seq: u64,
        epoch: &str,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let durable = i64::try_from(durable_seq).unwrap_or(i64::MAX);
        let rows = || -> rusqlite::Result<u64> {
            let transaction = self.writer.db.unchecked_transaction()?;
            let moved = transaction.execute(
                "INSERT INTO former_acknowledgement (incarnation, seq, status, at_ms, receipt, forgotten_ms) \
                 SELECT incarnation, seq, status, at_ms, receipt, ?3 FROM acknowledgement \
                 WHERE status = 'conflict-recorded' OR seq > iif(incarnation = ?1, ?2, ifnull(\
                   (SELECT d.seq FROM durable d WHERE d.incarnation = acknowledgement.incarnation), 0))",
                params![incarnation, durable, now_ms],
            )?;
            transaction.execute(
                "DELETE FROM acknowledgement WHERE status = 'conflict-recorded' OR seq > iif(incarnation = ?1, ?2, ifnull(\
                   (SELECT d.seq FROM durable d WHERE d.incarnation = acknowledgement.incarnation), 0))",
                params![incarnation, durable],
            )?;
            write_meta(&transaction, "epoch", epoch)?;
            transaction.commit()?;
            Ok(moved as u64)
        };
        rows().map_err(StoreError::sql(SCHEMA.file))
    }

    /// When the city last answered, verified; milliseconds since 1970 on this terminal's clock.
    pub fn last_sync_ms(&self) -> Result<Option<i64>, StoreError> {
        last_sync_ms(&self.writer.db)
    }

    /// Notes what a verified answer to hello said, all in one transaction.
    pub fn record_sync(&mut self, sync: &Sync) -> Result<(), StoreError> {
        let rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            write_meta(&transaction, "last_sync_ms", &sync.now_ms.to_string())?;
            write_meta(&transaction, CITY_SILENT, "0")?;
            write_meta(&transaction, "city_ahead_ms", &sync.city_ahead_ms.to_string())?;
            if let Some(token) = &sync.continuity {
                write_meta(&transaction, &continuity_key(&sync.incarnation), token)?;
            }
            if sync.begin_incarnation {
                write_meta(&transaction, LEAVE_INCARNATION, &sync.incarnation)?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO durable (incarnation, seq, epoch) VALUES (?1, ?2, ?3) ON CONFLICT (incarnation) \
                     DO UPDATE SET seq = excluded.seq, epoch = excluded.epoch",
                )?
                .execute(params![
                    sync.incarnation,
                    i64::try_from(sync.durable_seq).unwrap_or(i64::MAX),
                    sync.epoch
                ])?;
            transaction.commit()
        };
        rows().map_err(StoreError::sql(SCHEMA.file))
    }

    /// Notes where the TPM's counter stands, or that it is not known any more, and with `leave` that this life of the
    /// queue has to end, all in one transaction: a disk that found itself to be a copy does not forget it.
    pub fn remember_tpm(
        &mut self,
        memory: Option<&TpmMemory>,
        leave: Option<&str>,
    ) -> Result<(), StoreError> {
        let rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            match memory {
                Some(TpmMemory { counter, boot_id }) => {
                    write_meta(&transaction, TPM_COUNTER, &counter.to_string())?;
                    write_meta(&transaction, TPM_BOOT, boot_id)?;
                }
                None => {
                    transaction.execute("DELETE FROM meta WHERE key IN (?1, ?2)", [TPM_COUNTER, TPM_BOOT])?;
                }
            }
            if let Some(incarnation) = leave {
                write_meta(&transaction, LEAVE_INCARNATION, incarnation)?;
            }
            transaction.commit()
        };
        rows().map_err(StoreError::sql(SCHEMA.file))
    }

    /// Notes that the city gave no answer that could be believed.
    pub fn record_silence(&mut self) -> Result<(), StoreError> {
        self.set_meta(CITY_SILENT, "1")
    }

    fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        write_meta(&self.writer.db, key, value).map_err(StoreError::sql(SCHEMA.file))
    }
}

fn write_meta(db: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?
    .execute([key, value])
    .map(|_| ())
}

pub(crate) fn meta(db: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .map_err(StoreError::sql(SCHEMA.file))
}

/// Key under which stands the life of the queue that has to be left.
pub(crate) const LEAVE_INCARNATION: &str = "leave_incarnation";

/// Keys under which stands what is remembered of the TPM's counter.
const TPM_COUNTER: &str = "tpm_counter";
const TPM_BOOT: &str = "tpm_boot";

/// A value that cannot be read is as good as none.
pub(crate) fn tpm_memory(db: &Connection) -> Result<Option<TpmMemory>, StoreError> {
    let Some(counter) = meta(db, TPM_COUNTER)?.and_then(|text| text.parse().ok()) else { return Ok(None) };
    Ok(Some(TpmMemory { counter, boot_id: meta(db, TPM_BOOT)?.unwrap_or_default() }))
}

pub(crate) fn continuity_key(incarnation: &str) -> String {
    format!("continuity:{incarnation}")
}

pub(crate) fn incomplete(db: &Connection, incarnation: &str) -> Result<Vec<u64>, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query = db
        .prepare_cached(
            "SELECT seq FROM acknowledgement WHERE incarnation = ?1 AND complete = 0 ORDER BY seq",
        )
        .map_err(&sql)?;
    let rows = query.query_map([incarnation], |row| row.get::<_, i64>(0)).map_err(&sql)?;
    rows.map(|seq| seq.map(|seq| seq as u64)).collect::<Result<_, _>>().map_err(&sql)
}

/// Key under which stands whether the last hello had no answer.
pub(crate) const CITY_SILENT: &str = "city_silent";

pub(crate) fn last_sync_ms(db: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(meta(db, "last_sync_ms")?.and_then(|text| text.parse().ok()))
}

pub(crate) fn acknowledged(db: &Connection, incarnation: &str) -> Result<Vec<(u64, u64)>, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query = db
        .prepare_cached("SELECT seq FROM acknowledgement WHERE incarnation = ?1 ORDER BY seq")
        .map_err(&sql)?;
    let mut rows = query.query([incarnation]).map_err(&sql)?;
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    while let Some(row) = rows.next().map_err(&sql)? {
        let seq = row.get::<_, i64>(0).map_err(&sql)? as u64;
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == seq => range.1 = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    Ok(ranges)
}

pub(crate) fn attempts(db: &Connection, incarnation: &str) -> Result<Vec<Attempt>, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query = db
        .prepare_cached(
            "SELECT seq, failures, next_attempt_ms, side_lane, last_error FROM attempt WHERE incarnation = ?1 ORDER BY seq",
        )
        .map_err(&sql)?;
    let rows = query
        .query_map([incarnation], |row| {
            Ok(Attempt {
                seq: row.get::<_, i64>(0)? as u64,
                failures: row.get(1)?,
                next_attempt_ms: row.get(2)?,
                side_lane: row.get(3)?,
                last_error: row.get(4)?,
            })
        })
        .map_err(&sql)?;
    rows.collect::<Result<_, _>>().map_err(&sql)
}
