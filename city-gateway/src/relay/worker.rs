//! The tasks of the relay: one that routes what was opened, and one for each department to which cases are brought.
//!
//! A department that is down waits by itself: its task rests, with the others going on. A case that its department
//! refuses waits by itself too, with the department's others going on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::answers::Verdict;
use super::config::RelayConfig;
use super::departments::{Carrier, Department, Departments};
use super::figures::{RelayFigures, Told};
use super::parcel::{NotMade, Parcels};
use super::retry::Waits;
use crate::desk::random;
use crate::store::StoreError;
use crate::store::relay::{Fate, Owed, RelayStore, Routes, Settlement, UndeliveredReason};
use crate::terminals::now_ms;

/// Cases routed in one statement.
const ROUTED_AT_ONCE: usize = 256;

/// Wait after the store said no.
const BACK_OFF: Duration = Duration::from_millis(500);

/// What the tasks share.
pub(super) struct Around {
    pub(super) store: Arc<dyn RelayStore>,
    pub(super) parcels: Arc<Parcels>,
    pub(super) figures: Arc<RelayFigures>,
    pub(super) settings: RelayConfig,
    pub(super) broken: Arc<Notify>,
}

impl Around {
    fn lease(&self) -> Duration {
        Duration::from_secs(self.settings.lease_seconds)
    }

    fn look(&self) -> Duration {
        Duration::from_millis(self.settings.look_ms)
    }

    fn wait(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let ms = Duration::from_millis;
        let waits =
            Waits { first: ms(self.settings.first_wait_ms), longest: ms(self.settings.longest_wait_ms) };
        waits.after(failures, asked, u64::from_le_bytes(random::bytes()))
    }

    fn note(&self, error: &StoreError) {
        tracing::error!(%error, "the relay's store call failed");
        if matches!(error, StoreError::Broken(_)) {
            self.broken.notify_one();
        }
    }
}

/// Starts all of them.
pub(super) fn start(
    around: &Arc<Around>,
    departments: &Departments,
    opened: Arc<Notify>,
    stop: watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let mut bells = Vec::new();
    let mut tasks = Vec::new();
    for department in &departments.brought {
        let bell = Arc::<Notify>::default();
        bells.push(Arc::clone(&bell));
        let (around, department) = (Arc::clone(around), Arc::clone(department));
        let errand = Errand { around, department, bell, stop: stop.clone(), fruitless: 0 };
        tasks.push(tokio::spawn(errand.run()));
    }
    let routes = Arc::clone(&departments.routes);
    let routing = Routing { around: Arc::clone(around), routes, opened, bells, stop };
    tasks.push(tokio::spawn(routing.run()));
    tasks
}

/// Whether the gateway stops, or is gone.
fn stopping(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Says which department opened cases are for.
struct Routing {
    around: Arc<Around>,
    routes: Arc<Routes>,
    opened: Arc<Notify>,
    bells: Vec<Arc<Notify>>,
    stop: watch::Receiver<bool>,
}

impl Routing {
    async fn run(mut self) {
        while !stopping(&self.stop) {
            let routed = self.around.store.route(Arc::clone(&self.routes), ROUTED_AT_ONCE, now_ms()).await;
            let rest = match routed {
                Ok(done) => {
                    if done.unknown > 0 {
                        let cases = done.unknown;
                        tracing::warn!(
                            alarm = true,
                            cases,
                            "cases are for a department that is not configured"
                        );
                    }
                    if done.routed > 0 {
                        self.bells.iter().for_each(|bell| bell.notify_one());
                    }
                    if done.routed + done.unknown > 0 {
                        continue;
                    }
                    self.around.look()
                }
                Err(error) => {
                    self.around.note(&error);
                    BACK_OFF
                }
            };
            tokio::select! {
                () = self.opened.notified() => {}
                () = tokio::time::sleep(rest) => {}
                _ = self.stop.changed() => {}
            }
        }
    }
}

/// Brings cases to one department.
struct Errand {
    around: Arc<Around>,
    department: Arc<Department>,
    bell: Arc<Notify>,
    stop: watch::Receiver<bool>,
    /// Rounds in a row in which the department took nothing and said nothing about any case.
    fruitless: u32,
}

/// What one round came to.
#[derive(Default)]
struct Round {
    claimed: usize,
    /// Cases about which the department said something: taken or refused.
    answered: usize,
    asked: Option<Duration>,
}

impl Errand {
    async fn run(mut self) {
        while !stopping(&self.stop) {
            match self.round().await {
                Ok(Round { claimed: 0, .. }) => {
                    let look = self.around.look();
                    tokio::select! {
                        () = self.bell.notified() => {}
                        () = tokio::time::sleep(look) => {}
                        _ = self.stop.changed() => {}
                    }
                }
                Ok(Round { answered: 0, asked, .. }) => {
                    self.fruitless = self.fruitless.saturating_add(1);
                    let wait = self.around.wait(self.fruitless, asked);
                    let (department, rounds) = (&self.department.code, self.fruitless);
                    tracing::warn!(%department, rounds, ?wait, "a department takes nothing at the moment");
                    self.pause(wait).await;
                }
                Ok(_) => self.fruitless = 0,
                Err(error) => {
                    self.around.note(&error);
                    self.pause(BACK_OFF).await;
                }
            }
        }
    }

    /// However loud the bell: whoever is down is not asked more often for having more to take.
    async fn pause(&mut self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = self.stop.changed() => {}
        }
    }

    async fn round(&mut self) -> Result<Round, StoreError> {
        let (around, code) = (&self.around, &self.department.code);
        let owed = around.store.claim_owed(code, around.settings.at_once, around.lease()).await?;
        let mut round = Round { claimed: owed.len(), ..Round::default() };
        let mut under_way = JoinSet::new();
        for one in owed {
            under_way.spawn(attempt(Arc::clone(around), Arc::clone(&self.department), one));
        }
        loop {
            let ended = tokio::select! {
                ended = under_way.join_next() => ended,
                // What is under way ends with the set; its lease is given back when the store is closed.
                _ = self.stop.changed() => return Ok(round),
            };
            match ended {
                None => return Ok(round),
                Some(Ok(Ok(Attempted::Answered))) => round.answered += 1,
                Some(Ok(Ok(Attempted::NotNow(asked)))) => round.asked = round.asked.max(asked),
                Some(Ok(Err(error))) => self.around.note(&error),
                Some(Err(_)) => tracing::error!("a delivery ended in a fault; its lease ends by its time"),
            }
        }
    }
}

/// What an attempt says about the department.
enum Attempted {
    Answered,
    NotNow(Option<Duration>),
}

/// One case, once.
async fn attempt(
    around: Arc<Around>,
    department: Arc<Department>,
    owed: Owed,
) -> Result<Attempted, StoreError> {
    let until = Instant::now() + around.lease();
    let verdict = match carry(&around, &department, &owed).await {
        Ok(verdict) => verdict,
        Err(NotMade::Erased) => {
            return bury(&around, &department, owed, UndeliveredReason::Erased, None, until).await;
        }
        Err(NotMade::NotOpenable) => {
            return bury(&around, &department, owed, UndeliveredReason::NotOpenable, None, until).await;
        }
        // The lease is given back when the store is closed.
        Err(NotMade::Ended) => return Ok(Attempted::NotNow(None)),
        Err(NotMade::Store(error)) => return Err(error),
    };
    let (code, id) = (&department.code, &owed.case.case_id);
    match verdict {
        Verdict::Delivered => {
            tracing::debug!(department = %code, case = %id, attempts = owed.attempts, "delivered");
            around.figures.tell(code, Told::Delivered);
            settle(&around, &owed, Fate::Delivered(now_ms()), until).await?;
            Ok(Attempted::Answered)
        }
        Verdict::Later { asked } => {
            around.figures.tell(code, Told::NotNow);
            let after = around.wait(owed.attempts, asked);
            settle(&around, &owed, Fate::Again { after, refused: false }, until).await?;
            Ok(Attempted::NotNow(asked))
        }
        Verdict::Refused { why } if owed.refusals + 1 >= around.settings.refusals => {
            bury(&around, &department, owed, UndeliveredReason::Refused, Some(why), until).await
        }
        Verdict::Refused { why } => {
            tracing::warn!(department = %code, case = %id, why, "a department refused a case; tried again later");
            around.figures.tell(code, Told::Refused);
            let after = around.wait(owed.refusals + 1, None);
            settle(&around, &owed, Fate::Again { after, refused: true }, until).await?;
            Ok(Attempted::Answered)
        }
        Verdict::TooLarge => bury(&around, &department, owed, UndeliveredReason::TooLarge, None, until).await,
    }
}

async fn carry(around: &Around, department: &Department, owed: &Owed) -> Result<Verdict, NotMade> {
    match &department.carrier {
        Carrier::Webhook(addressee, webhook) => {
            Ok(webhook.send(&around.parcels.make(&owed.case, addressee).await?).await)
        }
        #[cfg(feature = "nats")]
        Carrier::Nats(addressee, nats) => {
            Ok(nats.send(&around.parcels.make(&owed.case, addressee).await?).await)
        }
        Carrier::Desk => Ok(Verdict::Delivered),
    }
}

/// A dead letter: kept, with its reason, until an operator releases it.
async fn bury(
    around: &Around,
    department: &Department,
    owed: Owed,
    reason: UndeliveredReason,
    detail: Option<String>,
    until: Instant,
) -> Result<Attempted, StoreError> {
    let (code, id) = (&department.code, &owed.case.case_id);
    tracing::warn!(alarm = true, department = %code, case = %id, why = reason.code(), "a case is not delivered");
    around.figures.tell(code, Told::Dead);
    settle(around, &owed, Fate::Dead { reason, detail, at_ms: now_ms() }, until).await?;
    Ok(Attempted::Answered)
}

/// What happened is written down even when the database is away for a moment; after the lease somebody else tries.
async fn settle(around: &Around, owed: &Owed, fate: Fate, until: Instant) -> Result<(), StoreError> {
    let settlement = Settlement { place: owed.case.place.clone(), lease: owed.lease.clone(), fate };
    loop {
        match around.store.settle(vec![settlement.clone()]).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Busy | StoreError::Unreachable(_)) if Instant::now() < until => {
                tokio::time::sleep(BACK_OFF).await;
            }
            Err(error) => return Err(error),
        }
    }
}
