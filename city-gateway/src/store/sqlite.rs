//! The embedded store: one SQLite file, one thread that writes, one connection that reads.
//!
//! Requests that arrive while a commit is being written to disk share the next one (group commit), so many
//! terminals, or one with many records under way, pay for one flush together. Every commit is FULL: when it
//! returns, the records are on disk.
//!
//! Deliberately absent: a fall-back to memory, a second writer, a retry of a failed flush. After an I/O error
//! the store only answers that it must be opened anew, because a page that failed to be written looks clean.

mod backup;
mod blobs;
mod desk;
mod issued;
mod keeper;
mod lives;
mod migrate;
mod numbers;
mod progress;
mod read;
mod registry;
mod relay;
mod statements;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::oneshot;

use super::follow_up::NamedCase;
use super::{
    Acceptance, Arrival, Claimed, Conflict, Counts, DeadLetterReason, Decision, Found, InboxRow, InboxStore,
    OpenError, Page, Received, Reply, StoreError,
};
pub use backup::{BackupError, BackupReport, DatabaseCopy, back_up, begin_epoch, restore};
use writer::{Command, Job, Writer};

/// Name of the database inside the state folder.
pub const FILE: &str = "inbox.db";

/// Pages of write-ahead log after which the writer moves them into the database file.
const CHECKPOINT_PAGES: i64 = 4000;

/// How long a connection waits for another one's lock.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// A received prefix that grew by this much is noted, so that the next hello need not count it again.
const PROGRESS_STEP: u64 = 64;

/// The embedded store.
pub struct SqliteStore {
    writer: Writer,
    reader: Arc<Reader>,
    epoch: String,
    /// Held open until the store is closed: its lock says that this folder has a gateway. Connections that end later
    /// must not keep the next gateway out.
    lock: Mutex<Option<File>>,
}

/// The reading side, shared with blocking threads.
struct Reader {
    connection: Mutex<Connection>,
    /// Leases of the opener. In memory, because this process is the only one: a restart ends them all.
    leases: Mutex<HashMap<i64, Instant>>,
}

/// How much the writer may have waiting and put into one commit.
#[derive(Debug, Clone, Copy)]
pub struct WriterLimits {
    /// Requests that may wait; more are answered [`StoreError::Busy`].
    pub waiting: usize,
    /// Requests in one commit.
    pub batch: usize,
}

impl Default for WriterLimits {
    fn default() -> Self {
        Self { waiting: 1024, batch: 256 }
    }
}

impl SqliteStore {
    /// Opens the store in a folder, creating both when absent, and refuses to go on when a setting that
    /// durability depends on did not take.
    pub fn open(folder: &Path, limits: WriterLimits) -> Result<Self, OpenError> {
        let io = |what| move |source| OpenError::Io { what, source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io("state folder"))?;
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        // Created here, so that nobody but the gateway's account can ever read it.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(io("database file"))?;

        let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        settings(&connection)?;
        migrate::run(&mut connection)?;
        let epoch = epoch(&connection)?;
        relay::end_leases(&connection)?;

        let reading = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let reader = Reader { connection: Mutex::new(reading), leases: Mutex::default() };
        Ok(Self {
            writer: Writer::start(connection, limits).map_err(io("writer thread"))?,
            reader: Arc::new(reader),
            epoch,
            lock: Mutex::new(Some(lock)),
        })
    }

    async fn write<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        self.writer.send(command(answer))?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// Has the writer do something in a transaction.
    async fn work<T: Send + 'static>(
        &self,
        run: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(|answer| Command::Work(Box::new(Job::new(run, answer)))).await
    }

    /// How full the writer's list is, 0 to 1.
    pub(crate) fn pressure(&self) -> f64 {
        self.writer.pressure()
    }

    /// Runs a query where it may block.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader, &Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reader = Arc::clone(&self.reader);
        let task = move || {
            let connection = locked(&reader.connection);
            query(&reader, &connection).map_err(|error| writer::classify(&error))
        };
        tokio::task::spawn_blocking(task)
            .await
            .map_err(|_| StoreError::Broken("a query could not be finished".into()))?
    }
}

impl InboxStore for SqliteStore {
    fn accept(&self, arrival: Arrival) -> Reply<'_, Acceptance> {
        Box::pin(self.write(|answer| Command::Accept(Box::new(arrival), answer)))
    }

    fn set_aside(&self, arrival: Arrival, why: Conflict) -> Reply<'_, Acceptance> {
        Box::pin(self.write(move |answer| Command::SetAside(Box::new(arrival), why, answer)))
    }

    fn received<'a>(&'a self, terminal: &'a str, incarnation: &'a str) -> Reply<'a, Received> {
        Box::pin(async move {
            let (of, life) = (terminal.to_owned(), incarnation.to_owned());
            let (known, received) =
                self.read(move |_, connection| read::received(connection, &of, &life)).await?;
            if let Some(&(1, reached)) = received.ranges.first()
                && reached >= known + PROGRESS_STEP
            {
                // Only a hint: when the writer is too busy, the next hello counts a little longer.
                let _ = self.writer.send(Command::Progress {
                    terminal: terminal.into(),
                    incarnation: incarnation.into(),
                    contiguous: reached,
                });
            }
            Ok(received)
        })
    }

    fn epoch(&self) -> Reply<'_, String> {
        Box::pin(async { Ok(self.epoch.clone()) })
    }

    fn claim(&self, limit: usize, lease: Duration) -> Reply<'_, Vec<Claimed>> {
        Box::pin(self.read(move |reader, connection| {
            // Held over the query: a record decided meanwhile has already left the list when its lease ends.
            let mut leases = locked(&reader.leases);
            let now = Instant::now();
            leases.retain(|_, until| *until > now);
            let claimed = read::unopened(connection, limit, |id| leases.contains_key(&id))?;
            leases.extend(claimed.iter().map(|(id, _)| (*id, now + lease)));
            Ok(claimed.into_iter().map(|(_, record)| record).collect())
        }))
    }

    fn decide(&self, decisions: Vec<Decision>) -> Reply<'_, ()> {
        Box::pin(async move {
            let ids = self.write(|answer| Command::Decide(decisions, answer)).await?;
            let mut leases = locked(&self.reader.leases);
            for id in ids {
                leases.remove(&id);
            }
            Ok(())
        })
    }

    fn named<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<NamedCase>> {
        let case_number = case_number.to_owned();
        Box::pin(self.read(move |_, connection| desk::follow_ups::named(connection, &case_number)))
    }

    fn retry_awaited(&self) -> Reply<'_, u64> {
        Box::pin(async {
            // Almost always nothing waits, and then nothing is written.
            match self.read(|_, connection| desk::follow_ups::any_waits(connection)).await? {
                true => self.work(desk::follow_ups::retry_awaited).await,
                false => Ok(0),
            }
        })
    }

    fn retry_dead_letters(&self, reason: DeadLetterReason) -> Reply<'_, u64> {
        Box::pin(self.write(move |answer| Command::Retry(reason, answer)))
    }

    fn page(&self, page: Page, limit: usize) -> Reply<'_, Vec<InboxRow>> {
        Box::pin(self.read(move |_, connection| read::page(connection, page, limit)))
    }

    fn find<'a>(&'a self, verification: &'a str) -> Reply<'a, Option<Found>> {
        let code = verification.to_owned();
        Box::pin(self.read(move |_, connection| read::find(connection, &code)))
    }

    fn counts(&self) -> Reply<'_, Counts> {
        Box::pin(self.read(|_, connection| read::counts(connection)))
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(async {
            let (answer, wait) = oneshot::channel();
            self.writer.send_last(Command::Close(answer)).await?;
            wait.await.map_err(|_| StoreError::Closed)?;
            drop(locked(&self.lock).take());
            tracing::info!(commits = self.writer.commits(), "the store is closed");
            Ok(())
        })
    }
}

/// A panic while a lock was held leaves nothing half done here: both hold only what a query reads.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the lock that says that a folder has a gateway.
pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let what = "lock file";
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(folder.join("gateway.lock"))
        .map_err(|source| OpenError::Io { what, source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { what, source }),
    }
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    // A cached statement is compiled once, not anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Sets what durability depends on and reads it back.
fn settings(connection: &Connection) -> Result<(), OpenError> {
    switch_to_wal(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // What is deleted by rule is overwritten, not only forgotten.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    let wanted = [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("cell_size_check", "1"),
        ("secure_delete", "1"),
    ];
    for (setting, wanted) in wanted {
        let found = connection.pragma_query_value(None, setting, |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })?;
        if found != wanted {
            return Err(OpenError::Setting { setting, found, wanted });
        }
    }
    // Before 3.51.3 a race while the write-ahead log starts over can damage the file.
    if rusqlite::version_number() < 3_051_003 {
        let found = rusqlite::version().to_owned();
        return Err(OpenError::Setting { setting: "sqlite_version", found, wanted: "3.51.3 or newer" });
    }
    Ok(())
}

/// SQLite commits the switch after the row with its answer. Who does not ask for another row never hears that the sync
/// failed, reads "wal" back, and works on without it.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut switch = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = switch.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// The life of this store: made once, when the file is new.
fn epoch(connection: &Connection) -> Result<String, OpenError> {
    let fresh = uuid::Uuid::new_v4().to_string();
    connection
        .execute("INSERT INTO gateway (only_row, epoch) VALUES (1, ?1) ON CONFLICT DO NOTHING", [fresh])?;
    Ok(connection.query_row("SELECT epoch FROM gateway", [], |row| row.get(0))?)
}
