//! Group commit: records that arrive while others are being written share the next statement, so many
//! terminals pay for one flush together. One that comes alone goes alone, at once.
//!
//! Deliberately absent: waiting for company. A statement starts as soon as a lane is free.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::accept;
use super::database::Database;
use crate::store::{Arrival, StoreError};

/// Statements under way at once: while the server flushes one, the next is put together and sent.
const LANES: u32 = 2;

/// Sealed bytes in one statement; more wait for the next, so that memory and the time to the reply stay
/// bounded.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// What became of an arrival.
pub(super) enum Kept {
    /// It is in the inbox now, for the first time.
    New,
    /// Something there is in its way: the same record, or another one.
    Known(Box<Arrival>),
}

type Answer = oneshot::Sender<Result<Kept, StoreError>>;

struct Waiting {
    arrival: Box<Arrival>,
    answer: Answer,
}

enum Command {
    Keep(Waiting),
    Close(oneshot::Sender<()>),
}

/// A handle on the task that gathers.
pub(super) struct Gather {
    commands: mpsc::Sender<Command>,
    commits: Arc<AtomicU64>,
}

impl Gather {
    /// Starts the task; `waiting` records may wait, `batch` share a statement.
    pub(super) fn start(database: Database, waiting: usize, batch: usize) -> Self {
        let (commands, queue) = mpsc::channel(waiting.max(1));
        let commits = Arc::<AtomicU64>::default();
        let lanes = Arc::new(Semaphore::new(LANES as usize));
        let task = Task { database, queue, batch: batch.max(1), lanes, commits: Arc::clone(&commits) };
        tokio::spawn(task.run());
        Self { commands, commits }
    }

    /// How often something was committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How full the list of what waits is, 0 to 1.
    pub(super) fn pressure(&self) -> f64 {
        1.0 - self.commands.capacity() as f64 / self.commands.max_capacity().max(1) as f64
    }

    /// Keeps a record with the next statement, or says at once that too many are waiting. What was handed
    /// over is written whether or not anybody still waits for the answer.
    pub(super) async fn keep(&self, arrival: Arrival) -> Result<Kept, StoreError> {
        let (answer, wait) = oneshot::channel();
        let command = Command::Keep(Waiting { arrival: Box::new(arrival), answer });
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes what waits, and takes nothing more.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let (answer, wait) = oneshot::channel();
        self.commands.send(Command::Close(answer)).await.map_err(|_| StoreError::Closed)?;
        wait.await.map_err(|_| StoreError::Closed)
    }
}

struct Task {
    database: Database,
    queue: mpsc::Receiver<Command>,
    batch: usize,
    lanes: Arc<Semaphore>,
    commits: Arc<AtomicU64>,
}

impl Task {
    async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            // First a lane, then what has come meanwhile.
            let Ok(lane) = Arc::clone(&self.lanes).acquire_owned().await else { return };
            let (records, closing) = self.gather(first);
            let (database, commits) = (self.database.clone(), Arc::clone(&self.commits));
            if records.is_empty() {
                drop(lane);
            } else {
                tokio::spawn(write(database, records, commits, lane));
            }
            if let Some(answer) = closing {
                // All lanes free: everything before is written. An answer nobody waits for is none.
                let _ended = self.lanes.acquire_many(LANES).await;
                let _ = answer.send(());
                return;
            }
        }
    }

    fn gather(&mut self, first: Command) -> (Vec<Waiting>, Option<oneshot::Sender<()>>) {
        let (mut records, mut bytes, mut next) = (Vec::new(), 0, Some(first));
        while let Some(command) = next {
            match command {
                Command::Close(answer) => return (records, Some(answer)),
                Command::Keep(waiting) => {
                    bytes += waiting.arrival.ciphertext.len() + waiting.arrival.manifest.len();
                    records.push(waiting);
                }
            }
            let room = records.len() < self.batch && bytes < BATCH_BYTES;
            next = if room { self.queue.try_recv().ok() } else { None };
        }
        (records, None)
    }
}

/// Writes a batch and tells everybody.
async fn write(
    database: Database,
    batch: Vec<Waiting>,
    commits: Arc<AtomicU64>,
    _lane: OwnedSemaphorePermit,
) {
    match keep(&database, &batch, &commits).await {
        Ok(new) => batch.into_iter().zip(new).for_each(|(waiting, new)| waiting.tell(Ok(new))),
        // Nothing of the batch was kept. One that cannot be written must not take the others with it.
        Err(StoreError::Database(_)) if batch.len() > 1 => {
            for waiting in batch {
                match keep(&database, std::slice::from_ref(&waiting), &commits).await {
                    Ok(new) => waiting.tell(Ok(new == [true])),
                    Err(error) => waiting.fail(&error),
                }
            }
        }
        Err(error) => batch.into_iter().for_each(|waiting| waiting.fail(&error)),
    }
}

async fn keep(database: &Database, batch: &[Waiting], commits: &AtomicU64) -> Result<Vec<bool>, StoreError> {
    let arrivals: Vec<&Arrival> = batch.iter().map(|waiting| &*waiting.arrival).collect();
    let kept = accept::keep(database, &arrivals).await.inspect_err(|error| {
        tracing::error!(%error, records = batch.len(), "the store could not commit");
    })?;
    commits.fetch_add(1, Ordering::Relaxed);
    Ok(kept)
}

impl Waiting {
    /// Tells the caller, who may have gone away and then does not need it.
    fn tell(self, new: Result<bool, StoreError>) {
        let Self { arrival, answer } = self;
        drop(answer.send(new.map(|new| if new { Kept::New } else { Kept::Known(arrival) })));
    }

    fn fail(self, error: &StoreError) {
        self.tell(Err(error.clone()));
    }
}
