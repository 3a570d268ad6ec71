//! Read-only view of the outbox, for the sync agent and the simulator.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::connection::{has_moved, open_reader};
use crate::outbox::SCHEMA;
use crate::record::{RecordKind, STUB_COLUMNS, Stub, stub_from};
use crate::{StoreError, blobs};

/// A page of records never holds more bytes than this, beyond its first record.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A record as it lies in the queue.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Position in the queue.
    pub seq: u64,
    /// UUID of the record.
    pub case_id: String,
    /// What it is.
    pub kind: RecordKind,
    /// The signed manifest.
    pub manifest: String,
    /// The sealed content.
    pub ciphertext: Vec<u8>,
    /// SHA-256 (hex) of the sealed content.
    pub sha256: String,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
}

/// A line of the queue for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Position in the queue.
    pub seq: u64,
    /// UUID of the record.
    pub case_id: String,
    /// What it is.
    pub kind: RecordKind,
    /// Case number, for a case.
    pub case_number: Option<String>,
    /// Code of the service item, for a case.
    pub item: Option<String>,
    /// SHA-256 (hex) of the sealed content.
    pub sha256: String,
    /// Length of the sealed content.
    pub bytes: u64,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
}

/// A read-only connection to `outbox.db`.
pub struct OutboxReader {
    db: Connection,
    state: PathBuf,
    incarnation: String,
}

impl OutboxReader {
    /// Opens the outbox; `None` when the kiosk has not made it yet.
    pub fn open(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        let Some(db) = open_reader(state_dir, &SCHEMA)? else { return Ok(None) };
        let incarnation = db
            .query_row("SELECT value FROM meta WHERE key = 'incarnation'", [], |row| row.get(0))
            .optional()
            .map_err(StoreError::sql(SCHEMA.file))?;
        Ok(incarnation.map(|incarnation| Self { db, state: state_dir.to_owned(), incarnation }))
    }

    /// Random name of this life of the queue.
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// Whether this is still the file in the state folder.
    pub fn is_current(&self) -> bool {
        !has_moved(&self.db)
    }

    /// Position of the last finalised record, 0 when there is none. Cheap enough to ask five times a second.
    pub fn head(&self) -> Result<u64, StoreError> {
        self.db
            .prepare_cached("SELECT ifnull(max(seq), 0) FROM record")
            .and_then(|mut query| query.query_row([], |row| row.get::<_, i64>(0)))
            .map(|head| head as u64)
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// One record.
    pub fn record(&self, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT seq, case_id, kind, manifest, ciphertext, sha256, finalised_at_ms FROM record WHERE seq = ?1",
            )
            .and_then(|mut query| query.query_row([clamp(seq)], record_from).optional())
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Records from a position on, at most `limit` and at most a few megabytes, so that memory stays flat.
    pub fn records(&self, from_seq: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached(
                "SELECT seq, case_id, kind, manifest, ciphertext, sha256, finalised_at_ms FROM record \
                 WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
            )
            .map_err(&sql)?;
        let mut rows = query.query((clamp(from_seq), limit as i64)).map_err(&sql)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(&sql)? {
            let record = record_from(row).map_err(&sql)?;
            bytes += record.ciphertext.len();
            if bytes > PAGE_BYTES && !page.is_empty() {
                break;
            }
            page.push(record);
        }
        Ok(page)
    }

    /// When the record at this position was finalised.
    pub fn finalised_at_ms(&self, seq: u64) -> Result<Option<i64>, StoreError> {
        self.db
            .prepare_cached("SELECT finalised_at_ms FROM record WHERE seq = ?1")
            .and_then(|mut query| query.query_row([clamp(seq)], |row| row.get(0)).optional())
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// The newest lines of the queue, newest first.
    pub fn list(&self, limit: usize) -> Result<Vec<QueueEntry>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached(
                "SELECT seq, case_id, kind, case_number, item, sha256, length(ciphertext), finalised_at_ms \
                 FROM record ORDER BY seq DESC LIMIT ?1",
            )
            .map_err(&sql)?;
        let rows = query.query_map([limit as i64], entry_from).map_err(&sql)?;
        rows.collect::<Result<_, _>>().map_err(&sql)
    }

    /// The newest stubs, newest first.
    pub fn stubs(&self, limit: usize) -> Result<Vec<Stub>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached(&format!("SELECT {STUB_COLUMNS} ORDER BY r.seq DESC LIMIT ?1"))
            .map_err(&sql)?;
        let rows = query.query_map([limit as i64], stub_from).map_err(&sql)?;
        rows.collect::<Result<_, _>>().map_err(&sql)
    }

    /// A sealed blob by its hash.
    pub fn blob(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        blobs::read(&self.state, sha256)
    }
}

fn record_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        seq: row.get::<_, i64>(0)? as u64,
        case_id: row.get(1)?,
        kind: row.get(2)?,
        manifest: row.get(3)?,
        ciphertext: row.get(4)?,
        sha256: row.get(5)?,
        finalised_at_ms: row.get(6)?,
    })
}

fn entry_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<QueueEntry> {
    Ok(QueueEntry {
        seq: row.get::<_, i64>(0)? as u64,
        case_id: row.get(1)?,
        kind: row.get(2)?,
        case_number: row.get(3)?,
        item: row.get(4)?,
        sha256: row.get(5)?,
        bytes: row.get::<_, i64>(6)? as u64,
        finalised_at_ms: row.get(7)?,
    })
}

fn clamp(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
