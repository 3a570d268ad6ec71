//! A copy of the database for the day the machine is lost, and the way back.
//!
//! A copy is one moment of the database, taken while the gateway goes on. A store that was put back from a copy gets
//! a new epoch before it serves anybody: terminals then send again what they were told was received and is not known
//! to be durable. The tokens by which disks are recognised are forgotten with it, because the terminals' are newer.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{FILE, blobs, connect, lives, lock, migrate, settings};
use crate::store::{OpenError, Place};

/// Why a copy could not be made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be opened as it has to be.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What SQLite says.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The copy is not whole.
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    /// There is a database already.
    #[error("{0} is there already; move it away first, so that nothing is overwritten")]
    InTheWay(PathBuf),
    /// Another process writes to the database all the time.
    #[error("the database could not be copied in one go; try again")]
    Busy,
}

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Life of the store that was copied.
    pub epoch: String,
    /// How far each queue is in it, without a gap and with all blobs.
    pub marks: Vec<Place>,
}

/// A copy under way. It counts when [`DatabaseCopy::seal`] returned.
pub struct DatabaseCopy {
    connection: Connection,
    under_way: PathBuf,
    place: PathBuf,
}

/// Copies the database of a state folder, whether or not a gateway runs on it.
pub fn back_up(state: &Path, folder: &Path) -> Result<DatabaseCopy, BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
    let place = folder.join(FILE);
    let under_way = folder.join(format!("{FILE}.under-way"));
    clear(&under_way)?;
    // Opened for writing, because a database that nobody has open can only be read together with its log that way;
    // nothing is written.
    let from = connect(&state.join(FILE), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    from.pragma_update(None, "query_only", true)?;
    File::create(&under_way)
        .and_then(|file| file.set_permissions(fs::Permissions::from_mode(0o600)))
        .map_err(at(&under_way))?;
    let mut connection = connect(&under_way, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy(&from, &mut connection)?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(DatabaseCopy { connection, under_way, place })
}

/// In one go: a writer beside it would make a copy in steps begin again and again.
fn copy(from: &Connection, to: &mut Connection) -> Result<(), BackupError> {
    let backup = Backup::new(from, to)?;
    for _ in 0..100 {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    Err(BackupError::Busy)
}

impl DatabaseCopy {
    /// Whole blobs after a hash, in order.
    pub fn whole_after(&self, sha256: &str, limit: usize) -> Result<Vec<(String, u64)>, BackupError> {
        Ok(blobs::whole_after(&self.connection, sha256, limit)?)
    }

    /// Takes a blob out that could not be copied, so that a store put back from here asks for it.
    pub fn without_blob(&self, sha256: &str) -> Result<(), BackupError> {
        forget_blob(&self.connection, sha256)?;
        Ok(())
    }

    /// Checks the copy, writes it down to the disk, and puts it in the place of the one before.
    pub fn seal(self) -> Result<BackupReport, BackupError> {
        let Self { connection, under_way, place } = self;
        check(&connection)?;
        let epoch = connection.query_row("SELECT epoch FROM gateway", [], |row| row.get(0))?;
        let marks = marks(&connection)?;
        connection.close().map_err(|(_, error)| error)?;
        let folder = place.parent().unwrap_or(Path::new("/")).to_owned();
        File::open(&under_way)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&under_way, &place))
            .and_then(|()| File::open(&folder)?.sync_all())
            .map_err(at(&place))?;
        Ok(BackupReport { epoch, marks })
    }
}

/// Puts a copy back into a state folder that has no database; returns the new epoch. Blobs that `has_blob` does not
/// find do not count as whole any more.
pub fn restore(
    folder: &Path,
    state: &Path,
    mut has_blob: impl FnMut(&str, u64) -> bool,
) -> Result<String, BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(at(state))?;
    let _lock = lock(state)?;
    let place = state.join(FILE);
    for file in [place.clone(), state.join(format!("{FILE}-wal"))] {
        if file.exists() {
            return Err(BackupError::InTheWay(file));
        }
    }
    let under_way = state.join(format!("{FILE}.restoring"));
    clear(&under_way)?;
    fs::copy(folder.join(FILE), &under_way).map_err(at(&folder.join(FILE)))?;
    fs::set_permissions(&under_way, fs::Permissions::from_mode(0o600)).map_err(at(&under_way))?;
    let mut connection = connect(&under_way, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check(&connection)?;
    settings(&connection)?;
    migrate::run(&mut connection)?;

    let mut after = String::new();
    loop {
        let whole = blobs::whole_after(&connection, &after, 1000)?;
        let Some((last, _)) = whole.last() else { break };
        after.clone_from(last);
        for (sha256, _) in whole.iter().filter(|(sha256, bytes)| !has_blob(sha256, *bytes)) {
            forget_blob(&connection, sha256)?;
        }
    }
    // Pieces are not part of a copy; their blobs begin again.
    connection.execute_batch("DELETE FROM blob_piece; DELETE FROM blob_upload;")?;
    // What is in the copy outlives the machine, because the copy does.
    for mark in marks(&connection)? {
        let transaction = connection.transaction()?;
        lives::note_durable(&transaction, &mark.terminal, &mark.incarnation, mark.seq)?;
        transaction.commit()?;
    }
    let epoch = new_epoch(&connection)?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.close().map_err(|(_, error)| error)?;
    File::open(&under_way)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&under_way, &place))
        .and_then(|()| File::open(state)?.sync_all())
        .map_err(at(&place))?;
    Ok(epoch)
}

/// Gives the database of a state folder a new epoch, when it was put back in some other way.
pub fn begin_epoch(state: &Path) -> Result<String, BackupError> {
    let _lock = lock(state)?;
    let mut connection = connect(&state.join(FILE), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    settings(&connection)?;
    migrate::run(&mut connection)?;
    new_epoch(&connection)
}

fn new_epoch(connection: &Connection) -> Result<String, BackupError> {
    let fresh = uuid::Uuid::new_v4().to_string();
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("UPDATE gateway SET epoch = ?1", [&fresh])?;
    transaction.execute("DELETE FROM queue_life", [])?;
    transaction.commit()?;
    Ok(fresh)
}

fn marks(connection: &Connection) -> Result<Vec<Place>, BackupError> {
    let mut marks = Vec::new();
    for (terminal, incarnation) in lives::queues(connection)? {
        let seq = lives::whole_prefix(connection, &terminal, &incarnation, None)?;
        if seq > 0 {
            marks.push(Place { terminal, incarnation, seq });
        }
    }
    Ok(marks)
}

/// A blob whose bytes are not there does not count; records that were not opened yet wait for it again.
fn forget_blob(connection: &Connection, sha256: &str) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    blobs::forget(&transaction, sha256, 0)?;
    // Nothing that names it is durable any more.
    transaction.execute(
        "DELETE FROM durable WHERE (terminal, incarnation) IN (
             SELECT r.terminal, r.incarnation FROM named_blob n JOIN (
                 SELECT id, terminal, incarnation FROM inbox
                 UNION ALL SELECT id, terminal, incarnation FROM quarantine) r ON r.id = n.record
             WHERE n.sha256 = ?1)",
        [sha256],
    )?;
    transaction.commit()
}

fn check(connection: &Connection) -> Result<(), BackupError> {
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(BackupError::Damaged(found)) }
}

fn clear(file: &Path) -> Result<(), BackupError> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(BackupError::Io { path: file.into(), source })
        }
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}
