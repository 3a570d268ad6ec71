//! Read-only view of the outbox, for the sync agent and the simulator.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::connection::{has_moved, open_reader};
use crate::hash::sha256_hex;
use crate::incarnation::{Life, lives, newest};
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

/// A sealed blob as it lies in the blob folder. It is read piece by piece, because it may be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// SHA-256 (hex) of the sealed bytes.
    pub sha256: String,
    /// How many there are.
    pub bytes: u64,
    /// The file.
    pub path: PathBuf,
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

/// A read-only connection to one life of the queue in `outbox.db`.
pub struct OutboxReader {
    db: Connection,
    state: PathBuf,
    life: Life,
}

/// A record as it travels: a place that was closed is read as its void, a row whose content was given back not at all.
const RECORD: &str = "SELECT r.seq, ifnull(v.case_id, r.case_id), iif(v.seq IS NULL, r.kind, 'void'), \
     ifnull(v.manifest, r.manifest), iif(v.seq IS NULL, r.ciphertext, x''), r.sha256, r.finalised_at_ms \
     FROM record r LEFT JOIN void v ON v.seq = r.seq \
     WHERE NOT EXISTS (SELECT 1 FROM purged p WHERE p.seq = r.seq)";

impl OutboxReader {
    /// Opens the life of the queue that goes on; `None` when the kiosk has not made the outbox yet.
    pub fn open(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        Self::open_where(state_dir, |life| life.last_row.is_none())
    }

    /// Opens the life of this name.
    pub fn open_incarnation(state_dir: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        Self::open_where(state_dir, |life| life.name == name)
    }

    fn open_where(state: &Path, wanted: impl Fn(&Life) -> bool) -> Result<Option<Self>, StoreError> {
        let Some(db) = open_reader(state, &SCHEMA)? else { return Ok(None) };
        let found = lives(&db)?.into_iter().find(wanted);
        Ok(found.map(|life| Self { db, state: state.to_owned(), life }))
    }

    /// Names of all lives of the queue, oldest first.
    pub fn incarnations(&self) -> Result<Vec<String>, StoreError> {
        Ok(lives(&self.db)?.into_iter().map(|life| life.name).collect())
    }

    /// Random name of this life of the queue.
    pub fn incarnation(&self) -> &str {
        &self.life.name
    }

    /// Whether this is still the file in the state folder, and this life as long as it was.
    pub fn is_current(&self) -> bool {
        let goes_on = || newest(&self.db).is_ok_and(|name| name.as_deref() == Some(&*self.life.name));
        !has_moved(&self.db) && (self.life.last_row.is_some() || goes_on())
    }

    /// Position of the last finalised record, 0 when there is none. Cheap enough to ask five times a second.
    pub fn head(&self) -> Result<u64, StoreError> {
        self.db
            .prepare_cached("SELECT max(seq) FROM record WHERE seq BETWEEN ?1 AND ?2")
            .and_then(|mut query| query.query_row(self.rows(), |row| row.get::<_, Option<i64>>(0)))
            .map(|row| row.map_or(0, |row| self.life.seq(row)))
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// One record.
    pub fn record(&self, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        if self.life.row(seq) > self.rows().1 {
            return Ok(None);
        }
        self.db
            .prepare_cached(&format!("{RECORD} AND r.seq = ?1"))
            .and_then(|mut query| {
                query.query_row([self.life.row(seq)], |row| self.record_from(row)).optional()
            })
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Ids and hashes under which the city may know a record whose content was given back because the city held it for
    /// good: its own, and those of the void that closed its place; none for all other records.
    pub fn given_back(&self, seq: u64) -> Result<Vec<(String, String)>, StoreError> {
        if self.life.row(seq) > self.rows().1 {
            return Ok(Vec::new());
        }
        self.db
            .prepare_cached(
                "SELECT r.case_id, r.sha256 FROM record r JOIN purged USING (seq) WHERE r.seq = ?1 \
                 UNION ALL SELECT v.case_id, ?2 FROM void v JOIN purged USING (seq) WHERE v.seq = ?1",
            )
            .and_then(|mut query| {
                let rows = query
                    .query_map((self.life.row(seq), sha256_hex(&[])), |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Records from a position on, at most `limit` and at most a few megabytes, so that memory stays flat.
    pub fn records(&self, from_seq: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached(&format!("{RECORD} AND r.seq BETWEEN ?1 AND ?2 ORDER BY r.seq LIMIT ?3"))
            .map_err(&sql)?;
        let range = (self.life.row(from_seq.max(1)), self.rows().1, limit as i64);
        let mut rows = query.query(range).map_err(&sql)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(&sql)? {
            let record = self.record_from(row).map_err(&sql)?;
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
            .and_then(|mut query| query.query_row([self.life.row(seq)], |row| row.get(0)).optional())
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// The newest lines of the queue, newest first.
    pub fn list(&self, limit: usize) -> Result<Vec<QueueEntry>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached(
                "SELECT seq, case_id, kind, case_number, item, sha256, length(ciphertext), finalised_at_ms \
                 FROM record WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq DESC LIMIT ?3",
            )
            .map_err(&sql)?;
        let (first, last) = self.rows();
        let rows =
            query.query_map((first, last, limit as i64), |row| entry_from(&self.life, row)).map_err(&sql)?;
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

    /// The blobs of a record, in the order of their hashes.
    pub fn blobs_of(&self, seq: u64) -> Result<Vec<StoredBlob>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let mut query = self
            .db
            .prepare_cached("SELECT sha256, bytes FROM blob WHERE seq = ?1 ORDER BY sha256")
            .map_err(&sql)?;
        let rows = query
            .query_map([self.life.row(seq)], |row| {
                let sha256: String = row.get(0)?;
                let path = blobs::path_in(&self.state, &sha256);
                Ok(StoredBlob { sha256, bytes: row.get::<_, i64>(1)? as u64, path })
            })
            .map_err(&sql)?;
        rows.collect::<Result<_, _>>().map_err(&sql)
    }

    /// Hash of the manifest at this position, which the record after it names.
    pub fn manifest_hash(&self, seq: u64) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT manifest_hash FROM record WHERE seq = ?1")
            .and_then(|mut query| query.query_row([self.life.row(seq)], |row| row.get(0)).optional())
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Sealed bytes of the records from `first` to `last`, without their blobs.
    pub fn bytes_between(&self, first: u64, last: u64) -> Result<u64, StoreError> {
        self.db
            .prepare_cached(
                "SELECT ifnull(sum(length(ciphertext)), 0) FROM record WHERE seq BETWEEN ?1 AND ?2",
            )
            .and_then(|mut query| {
                query.query_row([self.life.row(first), self.life.row(last)], |row| row.get::<_, i64>(0))
            })
            .map(|bytes| bytes as u64)
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// First and last row of this life.
    fn rows(&self) -> (i64, i64) {
        (self.life.row(1), self.life.last_row.map_or(i64::MAX, |row| row as i64))
    }

    fn record_from(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredRecord> {
        let (kind, ciphertext): (RecordKind, Vec<u8>) = (row.get(2)?, row.get(4)?);
        Ok(StoredRecord {
            seq: self.life.seq(row.get(0)?),
            case_id: row.get(1)?,
            kind,
            manifest: row.get(3)?,
            sha256: if kind == RecordKind::Void { sha256_hex(&[]) } else { row.get(5)? },
            ciphertext,
            finalised_at_ms: row.get(6)?,
        })
    }

    /// A sealed blob by its hash.
    pub fn blob(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        blobs::read(&self.state, sha256)
    }
}

fn entry_from(life: &Life, row: &rusqlite::Row<'_>) -> rusqlite::Result<QueueEntry> {
    Ok(QueueEntry {
        seq: life.seq(row.get(0)?),
        case_id: row.get(1)?,
        kind: row.get(2)?,
        case_number: row.get(3)?,
        item: row.get(4)?,
        sha256: row.get(5)?,
        bytes: row.get::<_, i64>(6)? as u64,
        finalised_at_ms: row.get(7)?,
    })
}
