//! The one thread that writes. It takes whatever is waiting, does it in one transaction, and answers only after
//! the commit.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::registry::{Change, Changed};
use super::{WriterLimits, statements};
use crate::store::{Acceptance, Arrival, Conflict, DeadLetterReason, Decision, StoreError};

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Sealed bytes in one commit; more wait for the next, so that memory and the time to the reply stay bounded.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// How long emptying the write-ahead log may wait for a reader.
const TRUNCATE_PATIENCE: Duration = Duration::from_millis(100);

/// What the writer can be asked.
pub(super) enum Command {
    Accept(Box<Arrival>, Answer<Acceptance>),
    SetAside(Box<Arrival>, Conflict, Answer<Acceptance>),
    Decide(Vec<Decision>, Answer<Vec<i64>>),
    Terminals(Box<Change>, Answer<Changed>),
    Retry(DeadLetterReason, Answer<u64>),
    Progress {
        terminal: String,
        incarnation: String,
        contiguous: u64,
    },
    /// Anything else that has to be written.
    Work(Box<dyn Work>),
    /// Move the write-ahead log into the file and empty it, so that what was overwritten there is gone from here too.
    Truncate,
    Close(oneshot::Sender<()>),
}

/// One piece of writing. It may be performed more than once before it is committed once: when the commit it shared
/// with others failed, each is tried alone.
pub(super) trait Work: Send {
    fn perform(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
    fn committed(self: Box<Self>);
    fn failed(self: Box<Self>, error: &StoreError);
}

/// [`Work`] made of a function and whoever waits for its result.
pub(super) struct Job<T, F> {
    run: F,
    result: Cell<Option<T>>,
    answer: Answer<T>,
}

impl<T, F> Job<T, F> {
    pub(super) fn new(run: F, answer: Answer<T>) -> Self {
        Self { run, result: Cell::new(None), answer }
    }
}

impl<T: Send, F: Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send> Work for Job<T, F> {
    fn perform(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.result.set(Some((self.run)(transaction)?));
        Ok(())
    }

    fn committed(self: Box<Self>) {
        let Self { result, answer, .. } = *self;
        if let Some(result) = result.into_inner() {
            drop(answer.send(Ok(result)));
        }
    }

    fn failed(self: Box<Self>, error: &StoreError) {
        drop(self.answer.send(Err(error.clone())));
    }
}

/// A handle on the thread.
pub(super) struct Writer {
    commands: mpsc::Sender<Command>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn start(connection: Connection, limits: WriterLimits) -> io::Result<Self> {
        let (commands, waiting) = mpsc::channel(limits.waiting.max(1));
        let commits = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&commits);
        let batch = limits.batch.max(1);
        thread::Builder::new()
            .name("inbox-writer".into())
            .spawn(move || Loop { connection, waiting, batch, commits: counted, broken: None }.run())?;
        Ok(Self { commands, commits })
    }

    /// How often something was committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How full the list of what waits is, 0 to 1.
    pub(super) fn pressure(&self) -> f64 {
        1.0 - self.commands.capacity() as f64 / self.commands.max_capacity().max(1) as f64
    }

    /// Hands over a command, or says at once that too much is waiting.
    pub(super) fn send(&self, command: Command) -> Result<(), StoreError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// Hands over the last command, waiting for room.
    pub(super) async fn send_last(&self, command: Command) -> Result<(), StoreError> {
        self.commands.send(command).await.map_err(|_| StoreError::Closed)
    }
}

/// What a command did, known before the commit and told after it.
enum Done {
    Accepted(Acceptance),
    Decided(Vec<i64>),
    Terminals(Changed),
    Retried(u64),
    Nothing,
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Command::Accept(arrival, _) | Command::SetAside(arrival, ..) => {
                arrival.ciphertext.len() + arrival.manifest.len()
            }
            _ => 0,
        }
    }

    fn perform(&self, transaction: &Transaction<'_>) -> rusqlite::Result<Done> {
        match self {
            Command::Accept(arrival, _) => statements::accept(transaction, arrival).map(Done::Accepted),
            Command::SetAside(arrival, why, _) => {
                statements::set_aside(transaction, arrival, *why).map(Done::Accepted)
            }
            Command::Terminals(change, _) => change.perform(transaction).map(Done::Terminals),
            Command::Decide(decisions, _) => statements::decide(transaction, decisions).map(Done::Decided),
            Command::Retry(reason, _) => statements::retry(transaction, *reason).map(Done::Retried),
            Command::Progress { terminal, incarnation, contiguous } => {
                statements::progress(transaction, terminal, incarnation, *contiguous).map(|()| Done::Nothing)
            }
            Command::Work(work) => work.perform(transaction).map(|()| Done::Nothing),
            Command::Truncate | Command::Close(_) => Ok(Done::Nothing),
        }
    }

    /// Tells the caller, who may have gone away and then does not need it.
    fn committed(self, done: Done) {
        match (self, done) {
            (Command::Accept(_, answer) | Command::SetAside(_, _, answer), Done::Accepted(acceptance)) => {
                drop(answer.send(Ok(acceptance)));
            }
            (Command::Terminals(_, answer), Done::Terminals(changed)) => drop(answer.send(Ok(changed))),
            (Command::Decide(_, answer), Done::Decided(ids)) => drop(answer.send(Ok(ids))),
            (Command::Retry(_, answer), Done::Retried(count)) => drop(answer.send(Ok(count))),
            (Command::Work(work), Done::Nothing) => work.committed(),
            _ => {}
        }
    }

    fn failed(self, error: &StoreError) {
        match self {
            Command::Accept(_, answer) | Command::SetAside(_, _, answer) => {
                drop(answer.send(Err(error.clone())));
            }
            Command::Terminals(_, answer) => drop(answer.send(Err(error.clone()))),
            Command::Decide(_, answer) => drop(answer.send(Err(error.clone()))),
            Command::Retry(_, answer) => drop(answer.send(Err(error.clone()))),
            Command::Work(work) => work.failed(error),
            Command::Progress { .. } | Command::Truncate | Command::Close(_) => {}
        }
    }
}

struct Loop {
    connection: Connection,
    waiting: mpsc::Receiver<Command>,
    batch: usize,
    commits: Arc<AtomicU64>,
    /// Set after an error that only opening the file anew can cure.
    broken: Option<StoreError>,
}

impl Loop {
    fn run(mut self) {
        while let Some(first) = self.waiting.blocking_recv() {
            let (mut closing, mut truncating) = (None, false);
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(command) = next {
                if let Command::Close(answer) = command {
                    closing = Some(answer);
                    break;
                }
                truncating |= matches!(command, Command::Truncate);
                bytes += command.bytes();
                batch.push(command);
                let room = batch.len() < self.batch && bytes < BATCH_BYTES;
                next = if room { self.waiting.try_recv().ok() } else { None };
            }
            self.write(batch);
            if truncating && let Err(error) = truncate(&self.connection) {
                tracing::warn!(%error, "the write-ahead log could not be emptied; it will be when it starts over");
            }
            if let Some(answer) = closing {
                drop(self.connection);
                // Nobody may be waiting any more.
                let _ = answer.send(());
                return;
            }
        }
    }

    fn write(&mut self, batch: Vec<Command>) {
        if batch.is_empty() {
            return;
        }
        if let Some(error) = &self.broken {
            batch.into_iter().for_each(|command| command.failed(error));
            return;
        }
        match commit(&mut self.connection, &batch) {
            Ok(done) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                batch.into_iter().zip(done).for_each(|(command, done)| command.committed(done));
            }
            Err(error) => self.refuse(batch, &classify(&error)),
        }
    }

    fn refuse(&mut self, batch: Vec<Command>, error: &StoreError) {
        // Nothing of the batch was kept. One that cannot be written must not take the others with it.
        if batch.len() > 1 && matches!(error, StoreError::Database(_)) {
            batch.into_iter().for_each(|command| self.write(vec![command]));
            return;
        }
        tracing::error!(%error, commands = batch.len(), "the store could not commit");
        batch.into_iter().for_each(|command| command.failed(error));
        if matches!(error, StoreError::Broken(_)) {
            self.broken = Some(error.clone());
        }
    }
}

/// Gives up soon when somebody is reading: records that arrive must not wait for this.
fn truncate(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(TRUNCATE_PATIENCE)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(super::BUSY_PATIENCE)?;
    done
}

/// One transaction over the whole batch.
fn commit(connection: &mut Connection, batch: &[Command]) -> rusqlite::Result<Vec<Done>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = batch.iter().map(|command| command.perform(&transaction)).collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(done)
}

/// What an error of SQLite means for the caller.
pub(super) fn classify(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen,
        ) => StoreError::Broken(error.to_string()),
        _ => StoreError::Database(error.to_string()),
    }
}
