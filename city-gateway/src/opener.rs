//! The opener: takes received records one batch after another, opens and judges them, and writes down what became
//! of each. It runs beside the acceptance of records and never in its way.
//!
//! Deliberately absent: any way to lose a record. What it cannot open or does not like becomes a dead letter, and
//! what it does not finish goes back on the list when its lease ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use service_catalog::Catalog;
use sync_protocol::{AgeSealer, Opener as Seal, Submission};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::follow_up::{self, Judgement};
use crate::judge::{self, Judge};
use crate::store::{Claimed, DeadLetterReason, Decision, InboxStore, Outcome, Place, StoreError};
use crate::terminals::now_ms;

/// How long a batch may take before its records are handed out again.
const LEASE: Duration = Duration::from_secs(120);

/// How often it looks without being rung: another gateway process may have accepted something.
const LOOK: Duration = Duration::from_secs(2);

/// Wait after the store said no.
const BACK_OFF: Duration = Duration::from_millis(500);

/// How much nicer than the rest of the gateway the judging thread is: opening can wait, receipts cannot.
const NICE: i32 = 10;

/// Contents that operators may be waiting for at once.
const REVEALS: usize = 4;

/// Contents that may wait to be sealed to a department at once.
const RESEALS: usize = 4;

/// What the judging thread is asked.
enum Job {
    Judge(Vec<Claimed>, oneshot::Sender<Vec<(Place, Judgement)>>),
    /// Open one case for an operator; the permit is its place in the queue.
    Reveal(Box<Claimed>, oneshot::Sender<Result<Submission, RevealError>>, OwnedSemaphorePermit),
    /// Open one case and close it again for a department; the permit is its place in the queue.
    Reseal(Box<Claimed>, Arc<AgeSealer>, oneshot::Sender<Result<Vec<u8>, RevealError>>, OwnedSemaphorePermit),
}

/// Why the content of a case cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RevealError {
    /// Too many operators are waiting.
    #[error("too many contents are being opened")]
    Busy,
    /// Not with the city's key, or not what it should be.
    #[error("the content cannot be opened")]
    NotOpenable,
    /// The gateway is stopping.
    #[error("the opener has ended")]
    Ended,
}

/// Asks the opener for the content of one case. Holds no key.
#[derive(Clone)]
pub(crate) struct Revealer {
    jobs: mpsc::SyncSender<Job>,
    places: Arc<Semaphore>,
}

impl Revealer {
    /// Opens one case. Whoever calls this has written down who asked, and why.
    pub(crate) async fn reveal(&self, record: Claimed) -> Result<Submission, RevealError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| RevealError::Busy)?;
        let (answer, wait) = oneshot::channel();
        let job = Job::Reveal(Box::new(record), answer, place);
        self.jobs.try_send(job).map_err(|_| RevealError::Ended)?;
        wait.await.map_err(|_| RevealError::Ended)?
    }
}

/// Has cases sealed to departments. Holds no key that opens anything, and never sees what is inside.
#[derive(Clone)]
pub(crate) struct Resealer {
    jobs: mpsc::SyncSender<Job>,
    places: Arc<Semaphore>,
}

impl Resealer {
    /// Seals one case anew. Waits for its turn: operators and arrivals are served in between.
    pub(crate) async fn reseal(
        &self,
        record: Claimed,
        sealer: Arc<AgeSealer>,
    ) -> Result<Vec<u8>, RevealError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| RevealError::Ended)?;
        let (answer, wait) = oneshot::channel();
        let job = Job::Reseal(Box::new(record), sealer, answer, place);
        self.jobs.try_send(job).map_err(|_| RevealError::Ended)?;
        wait.await.map_err(|_| RevealError::Ended)?
    }
}

/// The opener's task.
pub(crate) struct Opener {
    store: Arc<dyn InboxStore>,
    jobs: mpsc::SyncSender<Job>,
    batch: usize,
    arrivals: Arc<Notify>,
    opened: Arc<Notify>,
    broken: Arc<Notify>,
    stop: watch::Receiver<bool>,
}

/// What the opener shares with the rest of the gateway.
pub(crate) struct Surroundings {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) arrivals: Arc<Notify>,
    /// Rung when something was opened.
    pub(crate) opened: Arc<Notify>,
    pub(crate) broken: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) batch: usize,
}

impl Opener {
    /// Starts the thread that holds the city's key.
    pub(crate) fn new<S>(around: Surroundings, seal: S, catalog: Arc<Catalog>) -> std::io::Result<Self>
    where
        S: Seal + Send + 'static,
    {
        // One batch is judged at a time, and each content to reveal or reseal has a permit, so there is always room.
        let (jobs, waiting) = mpsc::sync_channel::<Job>(1 + REVEALS + RESEALS);
        thread::Builder::new()
            .name("opener".into())
            .spawn(move || work(Judge::new(seal, catalog), &waiting))?;
        let Surroundings { store, arrivals, opened, broken, stop, batch } = around;
        Ok(Self { store, jobs, batch: batch.max(1), arrivals, opened, broken, stop })
    }

    /// A way to have cases sealed to departments.
    pub(crate) fn resealer(&self) -> Resealer {
        Resealer { jobs: self.jobs.clone(), places: Arc::new(Semaphore::new(RESEALS)) }
    }

    /// A way to ask for the content of single cases.
    pub(crate) fn revealer(&self) -> Revealer {
        Revealer { jobs: self.jobs.clone(), places: Arc::new(Semaphore::new(REVEALS)) }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self) {
        // The catalog may have learnt an item since, and the city may have got a key.
        for reason in
            [DeadLetterReason::UnknownItem, DeadLetterReason::NotOpenable, DeadLetterReason::NoSuchCase]
        {
            match self.store.retry_dead_letters(reason).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, reason = reason.label(), "dead letters are tried again"),
                Err(error) => self.note(&error),
            }
        }
        while !*self.stop.borrow() {
            match self.round().await {
                Ok(true) => {}
                Ok(false) => self.rest(LOOK).await,
                Err(error) => {
                    self.note(&error);
                    self.rest(BACK_OFF).await;
                }
            }
        }
    }

    /// One batch; `false` when there is nothing to do.
    async fn round(&self) -> Result<bool, StoreError> {
        let claimed = self.store.claim(self.batch, LEASE).await?;
        if claimed.is_empty() {
            // Perhaps a case was opened that something was waiting for.
            return Ok(self.store.retry_awaited().await? > 0);
        }
        let (answer, wait) = oneshot::channel();
        self.jobs.try_send(Job::Judge(claimed, answer)).map_err(|_| StoreError::Closed)?;
        let judged = wait.await.map_err(|_| StoreError::Closed)?;
        let decided_at_ms = now_ms();
        let (mut decisions, mut following) = (Vec::new(), Vec::new());
        for (place, judgement) in judged {
            match judgement {
                Judgement::Decided(outcome) => decisions.push(Decision { place, outcome, decided_at_ms }),
                Judgement::Follows(one) => following.push((place, one)),
            }
        }
        // Cases first: what follows one may have come with it.
        self.decide(decisions).await?;
        let mut decisions = Vec::with_capacity(following.len());
        for (place, one) in &following {
            let outcome = self.patiently(|| follow_up::resolve(&*self.store, one)).await?;
            decisions.push(Decision { place: place.clone(), outcome, decided_at_ms });
        }
        self.decide(decisions).await?;
        self.opened.notify_one();
        Ok(true)
    }

    async fn decide(&self, decisions: Vec<Decision>) -> Result<(), StoreError> {
        if decisions.is_empty() {
            return Ok(());
        }
        for decision in &decisions {
            let (place, outcome) = (&decision.place, &decision.outcome);
            match outcome {
                // Nobody has to look: it waits for its case.
                Outcome::DeadLetter { reason: DeadLetterReason::NoSuchCase, .. } => {
                    tracing::info!(terminal = %place.terminal, seq = place.seq, "a record waits for the case it follows");
                }
                Outcome::DeadLetter { reason, .. } => {
                    let why = reason.label();
                    tracing::warn!(alarm = true, terminal = %place.terminal, seq = place.seq, why, "dead letter");
                }
                Outcome::Opened { .. } | Outcome::Follows { .. } => {}
            }
        }
        self.patiently(|| self.store.decide(decisions.clone())).await
    }

    /// What was judged is not thrown away because the database is away for a moment; the lease may be long.
    async fn patiently<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match call().await {
                Err(StoreError::Busy | StoreError::Unreachable(_)) if !*self.stop.borrow() => {
                    tokio::time::sleep(BACK_OFF).await;
                }
                ended => return ended,
            }
        }
    }

    async fn rest(&mut self, longest: Duration) {
        tokio::select! {
            () = self.arrivals.notified() => {}
            () = tokio::time::sleep(longest) => {}
            _ = self.stop.changed() => {}
        }
    }

    fn note(&self, error: &StoreError) {
        tracing::error!(%error, "the opener's store call failed");
        if matches!(error, StoreError::Broken(_)) {
            self.broken.notify_one();
        }
    }
}

/// The judging thread: the only place that holds the key.
fn work<S: Seal>(mut judge: Judge<S>, waiting: &mpsc::Receiver<Job>) {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "the opener runs at full priority");
    }
    while let Ok(job) = waiting.recv() {
        // Nobody waits any more when the gateway is stopping; the lease ends with it.
        match job {
            Job::Judge(claimed, answer) => {
                let mut decide = |record: Claimed| {
                    let judged = catch_unwind(AssertUnwindSafe(|| judge.judge(&record)));
                    (record.place, judged.unwrap_or_else(|_| judge::fault()))
                };
                drop(answer.send(claimed.into_iter().map(&mut decide).collect()));
            }
            Job::Reveal(record, answer, place) => {
                let revealed = catch_unwind(AssertUnwindSafe(|| judge.reveal(&record)));
                let revealed = revealed.ok().flatten().ok_or(RevealError::NotOpenable);
                drop(answer.send(revealed));
                drop(place);
            }
            Job::Reseal(record, sealer, answer, place) => {
                let sealed = catch_unwind(AssertUnwindSafe(|| judge.reseal(&record, &sealer)));
                let sealed = sealed.ok().flatten().ok_or(RevealError::NotOpenable);
                drop(answer.send(sealed));
                drop(place);
            }
        }
    }
}
