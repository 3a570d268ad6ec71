//! The writer of the outbox, used by the kiosk process only.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, params};

use crate::connection::{Schema, Writer};
use crate::hash::{NOTHING_BEFORE, sha256_hex};
use crate::incarnation::{BegunBecause, Life, begin, lives};
use crate::outbox_check::{Last, check_last, identify, is_older_than_receipts, verify_all};
use crate::record::{PrintState, RecordKind, STUB_COLUMNS, Stub, stub_from};
use crate::{StoreError, blobs, reserve};

pub(crate) const SCHEMA: Schema = Schema {
    file: "outbox.db",
    lock: "outbox.lock",
    migrations: &[
        include_str!("../migrations/outbox-0001.sql"),
        include_str!("../migrations/outbox-0002.sql"),
        include_str!("../migrations/outbox-0003.sql"),
        include_str!("../migrations/outbox-0004.sql"),
    ],
};

/// The next free place in the queue; a manifest is signed for exactly this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Position, from 1 without gaps.
    pub seq: u64,
    /// SHA-256 (hex) of the manifest before, 64 zeros for the first.
    pub prev_hash: String,
}

/// A sealed blob of a record.
#[derive(Clone)]
pub struct SealedBlob {
    /// SHA-256 (hex) of `bytes`.
    pub sha256: String,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

/// A record to be stored: sealed, signed, and for a case with its stub.
pub struct NewRecord {
    /// From [`Outbox::next_slot`].
    pub slot: Slot,
    /// UUID of the record.
    pub case_id: String,
    /// What it is.
    pub kind: RecordKind,
    /// The signed manifest as it will travel.
    pub manifest: String,
    /// The sealed content.
    pub ciphertext: Vec<u8>,
    /// SHA-256 (hex) of `ciphertext`.
    pub sha256: String,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
    /// Sealed blobs that belong to it.
    pub blobs: Vec<SealedBlob>,
    /// For a case: what may be known in clear.
    pub stub: Option<Stub>,
}

/// The steps of a commit, in their order; see [`Outbox::observe_commits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStep {
    /// A blob is written to its temporary file.
    BlobWritten,
    /// That file is synced.
    BlobSynced,
    /// It has its name.
    BlobNamed,
    /// The folder is synced.
    FolderSynced,
    /// All rows are written, not yet committed.
    RowsWritten,
    /// The transaction is on disk.
    Committed,
}

/// The writer of `outbox.db` and the blob folder.
pub struct Outbox {
    writer: Writer,
    state: PathBuf,
    life: Life,
    next: Slot,
    must_reopen: bool,
    /// The last record is damaged, or later ones are missing: nothing can be chained to it.
    must_repair: bool,
    reserve_bytes: u64,
    observer: Box<dyn FnMut(CommitStep) + Send>,
}

impl Outbox {
    /// Opens the outbox of a terminal, makes it when it is not there, and checks its last record.
    pub fn open(state_dir: &Path, terminal_code: &str) -> Result<Self, StoreError> {
        let writer = Writer::open(state_dir, &SCHEMA)?;
        identify(&writer, terminal_code)?;
        let life = lives(&writer.db)?.pop().ok_or(StoreError::NotFound)?;
        let (next, must_repair) = match check_last(&writer, &life)? {
            Last::Whole(next) => (next, false),
            Last::Damaged(next) => (next, true),
        };
        let must_repair = must_repair || is_older_than_receipts(state_dir, &life.name, next.seq - 1);
        Ok(Self {
            writer,
            state: state_dir.to_owned(),
            life,
            next,
            must_reopen: false,
            must_repair,
            reserve_bytes: 0,
            observer: Box::new(|_| {}),
        })
    }

    /// Closes and opens again, checking every page and every link of the chain: the way back after a failed write.
    pub fn reopen(self) -> Result<Self, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let terminal: String = self
            .writer
            .db
            .query_row("SELECT value FROM meta WHERE key = 'terminal'", [], |row| row.get(0))
            .map_err(&sql)?;
        let (state, observer, reserve_bytes) = (self.state, self.observer, self.reserve_bytes);
        drop(self.writer);
        let reopened = Self { observer, reserve_bytes, ..Self::open(&state, &terminal)? };
        reopened.verify_all()?;
        Ok(reopened)
    }

    /// Random name of this life of the queue.
    pub fn incarnation(&self) -> &str {
        &self.life.name
    }

    /// Whether the last record was found damaged, or the city acknowledged later ones than there are. Damaged places
    /// have to be closed ([`Outbox::damaged`], [`Outbox::close_with_void`]) and a new life begun before anything more
    /// is stored.
    pub fn must_repair(&self) -> bool {
        self.must_repair
    }

    /// Goes on in a new life of the queue; what waits in the old one stays to be delivered.
    pub fn begin_incarnation(&mut self, because: BegunBecause, now_ms: i64) -> Result<(), StoreError> {
        self.writing(|outbox| begin(&outbox.writer.db, because, now_ms))?;
        self.life = lives(&self.writer.db)?.pop().ok_or(StoreError::NotFound)?;
        self.next = Slot { seq: 1, prev_hash: NOTHING_BEFORE.into() };
        self.must_repair = false;
        Ok(())
    }

    /// Keeps so much room on the disk for cases that are already begun; 0 keeps none. `false` when there is no room
    /// for it, and no new case should be begun.
    pub fn keep_reserve(&mut self, bytes: u64) -> Result<bool, StoreError> {
        self.reserve_bytes = bytes;
        if bytes == 0 { Ok(true) } else { reserve::ensure(&self.state, bytes) }
    }

    /// Whether a write failed in a way after which only [`Outbox::reopen`] shows what is on disk; until then everything
    /// that would write is refused.
    pub fn must_reopen(&self) -> bool {
        self.must_reopen
    }

    /// Runs a write. After one that shakes the trust in the disk none is begun: the kernel may report the pages clean.
    pub(crate) fn writing<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.must_reopen {
            return Err(StoreError::MustReopen);
        }
        write(self).inspect_err(|error| self.must_reopen = error.shakes_trust())
    }

    pub(crate) fn db(&self) -> &rusqlite::Connection {
        &self.writer.db
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// The place the next record takes.
    pub fn next_slot(&self) -> Slot {
        self.next.clone()
    }

    /// Position of the last finalised record, 0 when there is none.
    pub fn head(&self) -> u64 {
        self.next.seq - 1
    }

    /// Stores a record. When this returns `Ok`, the record and its blobs are on disk, and only then may anything be
    /// promised to the resident. After an error of kind `Io` the store must be reopened; [`Outbox::holds`] then says
    /// whether the record made it.
    pub fn commit(&mut self, record: NewRecord) -> Result<(), StoreError> {
        if self.must_reopen {
            return Err(StoreError::MustReopen);
        }
        if self.must_repair {
            return Err(StoreError::Corrupt { file: SCHEMA.file, what: "its last record".into() });
        }
        self.check(&record)?;
        self.writing(|outbox| outbox.store_and_go_on(&record))
    }

    fn store_and_go_on(&mut self, record: &NewRecord) -> Result<(), StoreError> {
        let mut stored = self.store(record);
        // A full disk leaves nothing half written behind; with the reserve's room it is tried once more.
        if matches!(stored, Err(StoreError::DiskFull)) && reserve::release(&self.state) {
            stored = self.store(record);
        }
        self.next = Slot { seq: self.next.seq + 1, prev_hash: stored? };
        (self.observer)(CommitStep::Committed);
        Ok(())
    }

    /// Whether the record is stored.
    pub fn holds(&self, case_id: &str) -> Result<bool, StoreError> {
        self.writer
            .db
            .prepare_cached("SELECT 1 FROM record WHERE case_id = ?1 ORDER BY seq DESC LIMIT 1")
            .and_then(|mut query| query.exists([case_id]))
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// Notes how far the receipt of a case got.
    pub fn set_print_state(&mut self, case_id: &str, print: PrintState) -> Result<(), StoreError> {
        let (state, level) = print.columns();
        let changed = self.writing(|outbox| {
            outbox
                .db()
                .prepare_cached(
                    "INSERT INTO print (seq, state, level) \
                     SELECT seq, ?2, ?3 FROM record WHERE case_id = ?1 AND case_number IS NOT NULL \
                     ORDER BY seq DESC LIMIT 1 \
                     ON CONFLICT (seq) DO UPDATE SET state = excluded.state, level = excluded.level",
                )
                .and_then(|mut update| update.execute(params![case_id, state, level]))
                .map_err(StoreError::sql(SCHEMA.file))
        })?;
        if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    /// The stub of a case.
    pub fn stub(&self, case_id: &str) -> Result<Option<Stub>, StoreError> {
        self.writer
            .db
            .query_row(
                &format!("SELECT {STUB_COLUMNS} AND r.case_id = ?1 ORDER BY r.seq DESC LIMIT 1"),
                [case_id],
                stub_from,
            )
            .optional()
            .map_err(StoreError::sql(SCHEMA.file))
    }

    /// The newest case, when it is not older than `max_age_ms`. A clock that was set back in between counts by its
    /// distance, so that a case of "tomorrow" is not offered for ever.
    pub fn recent_stub(&self, now_ms: i64, max_age_ms: i64) -> Result<Option<Stub>, StoreError> {
        let newest = self
            .writer
            .db
            .query_row(&format!("SELECT {STUB_COLUMNS} ORDER BY r.seq DESC LIMIT 1"), [], stub_from)
            .optional()
            .map_err(StoreError::sql(SCHEMA.file))?;
        Ok(newest.filter(|stub| now_ms.abs_diff(stub.finalised_at_ms) <= max_age_ms.unsigned_abs()))
    }

    /// Reads every page and follows the whole chain.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        verify_all(&self.writer)
    }

    /// Calls `observer` at every step of every commit. For the tests that kill the process in between.
    pub fn observe_commits(&mut self, observer: impl FnMut(CommitStep) + Send + 'static) {
        self.observer = Box::new(observer);
    }

    /// Limits the database file, so that a full disk can be rehearsed; 0 lifts the limit.
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let pages = if pages == 0 { u32::MAX - 1 } else { pages };
        self.writer
            .db
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
            .map(|_| ())
            .map_err(StoreError::sql(SCHEMA.file))
    }

    fn check(&self, record: &NewRecord) -> Result<(), StoreError> {
        if record.slot != self.next {
            return Err(StoreError::SlotTaken);
        }
        if sha256_hex(&[&record.ciphertext]) != record.sha256 {
            return Err(StoreError::HashMismatch("ciphertext"));
        }
        if record.blobs.iter().any(|blob| sha256_hex(&[&blob.bytes]) != blob.sha256) {
            return Err(StoreError::HashMismatch("blob"));
        }
        Ok(())
    }

    fn store(&mut self, record: &NewRecord) -> Result<String, StoreError> {
        blobs::store(&self.state, &record.blobs, &mut self.observer)?;
        self.write_rows(record)
    }

    fn write_rows(&mut self, record: &NewRecord) -> Result<String, StoreError> {
        let manifest_hash = sha256_hex(&[record.manifest.as_bytes()]);
        let row = self.life.row(record.slot.seq);
        let stub = record.stub.as_ref();
        let mut rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            transaction
                .prepare_cached(
                    "INSERT INTO record (seq, case_id, kind, manifest, manifest_hash, prev_hash, sha256, \
                     finalised_at_ms, ciphertext, case_number, item, verification) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute(params![
                    row,
                    record.case_id,
                    record.kind.as_str(),
                    record.manifest,
                    manifest_hash,
                    record.slot.prev_hash,
                    record.sha256,
                    record.finalised_at_ms,
                    record.ciphertext,
                    stub.map(|stub| &stub.case_number),
                    stub.map(|stub| &stub.item),
                    stub.map(|stub| &stub.verification),
                ])?;
            for blob in &record.blobs {
                transaction
                    .prepare_cached("INSERT INTO blob (seq, sha256, bytes) VALUES (?1, ?2, ?3)")?
                    .execute(params![row, blob.sha256, blob.bytes.len() as i64])?;
            }
            // Without a row a case is not printed, which it never is yet when it is stored for a resident.
            if let Some(stub) = stub.filter(|stub| stub.print != PrintState::NotPrinted) {
                let (state, level) = stub.print.columns();
                transaction
                    .prepare_cached("INSERT INTO print (seq, state, level) VALUES (?1, ?2, ?3)")?
                    .execute(params![row, state, level])?;
            }
            (self.observer)(CommitStep::RowsWritten);
            transaction.commit()
        };
        rows().map_err(StoreError::sql(SCHEMA.file))?;
        Ok(manifest_hash)
    }
}
