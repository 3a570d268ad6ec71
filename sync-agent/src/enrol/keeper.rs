//! The task that keeps the terminal's certificate fresh and follows the city's authorities, beside the delivery of
//! records and never in its way. It acts on what hellos bring: one that was answered says what time it is, one that
//! TLS refused says that the city may have changed its authority.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::anchors::Stated;
use super::exchange::{self, Door, EnrolError};
use super::key::FileKey;
use super::{chain, use_up_voucher, voucher_file};
use crate::backoff::Backoff;
use crate::client::Cause;
use crate::connection::{Connection, Trust, http_client};

/// How often the city is asked for its authorities while all is well.
const ASK_ANCHORS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// What hellos brought, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    hellos: u64,
    refusals: u64,
}

/// From whoever says hello to the keeper.
pub(crate) struct Signals(watch::Sender<Brought>);

impl Signals {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Brought::default()))
    }

    /// The city answered.
    pub(crate) fn hello(&self) {
        self.0.send_modify(|brought| brought.hellos += 1);
    }

    /// TLS refused.
    pub(crate) fn refused(&self) {
        self.0.send_modify(|brought| brought.refusals += 1);
    }
}

/// The running task; ends when dropped.
pub(crate) struct Keeper(JoinHandle<()>);

impl Keeper {
    /// Starts it.
    pub(crate) fn start(connection: Arc<Connection>) -> Self {
        Self(tokio::spawn(Work::new(connection).run()))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Something that is tried again after a while when it failed.
struct Task {
    failures: u32,
    not_before: Instant,
}

impl Task {
    fn new() -> Self {
        Self { failures: 0, not_before: Instant::now() }
    }

    fn is_due(&self) -> bool {
        Instant::now() >= self.not_before
    }

    fn succeeded(&mut self, next: Duration) {
        (self.failures, self.not_before) = (0, Instant::now() + next);
    }

    fn failed(&mut self, backoff: Backoff) {
        self.failures = self.failures.saturating_add(1);
        let wait = backoff.delay_ms(self.failures, rand::random());
        self.not_before = Instant::now() + Duration::from_millis(wait);
    }
}

struct Work {
    connection: Arc<Connection>,
    backoff: Backoff,
    /// Where in the span for renewals this terminal stands.
    spread: f64,
    refusals_seen: u64,
    renewal: Task,
    recovery: Task,
    statement: Task,
    voucher: Task,
}

impl Work {
    fn new(connection: Arc<Connection>) -> Self {
        let sync = &connection.config.sync;
        let backoff = Backoff { base_ms: sync.retry_base_ms, cap_ms: sync.retry_cap_ms.saturating_mul(4) };
        let (spread, refusals_seen) = (rand::random(), 0);
        let [renewal, recovery, statement, voucher] = std::array::from_fn(|_| Task::new());
        Self { connection, backoff, spread, refusals_seen, renewal, recovery, statement, voucher }
    }

    async fn run(mut self) {
        let mut brought = self.connection.signals.0.subscribe();
        // What is not due yet is looked at again at the next tick.
        let tick = Duration::from_millis(self.connection.config.sync.tick_ms);
        loop {
            let now = *brought.borrow_and_update();
            self.look_for_voucher().await;
            if now.refusals > self.refusals_seen && self.recovery.is_due() {
                self.refusals_seen = now.refusals;
                self.recover_anchors().await;
            }
            if now.hellos > 0 {
                self.renew_when_due().await;
                self.ask_for_anchors_when_due().await;
            }
            tokio::select! {
                changed = brought.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(tick) => {}
            }
        }
    }

    async fn renew_when_due(&mut self) {
        let Some(city_ms) = self.connection.time.city_ms() else { return };
        let due_ms = self.connection.certificate().renew_at_ms(self.spread);
        if city_ms < due_ms || !self.renewal.is_due() {
            return;
        }
        match self.renew().await {
            Ok(()) => {
                tracing::info!("the terminal's certificate was renewed");
                self.renewal.succeeded(Duration::ZERO);
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "the terminal's certificate could not be renewed");
                self.renewal.failed(self.backoff);
            }
        }
    }

    async fn renew(&self) -> Result<(), EnrolError> {
        let config = &self.connection.config;
        // The same key: what waits in the queue is signed with it.
        let key = FileKey::open(&config.keys)?;
        let address = format!("{}/.well-known/est/simplereenroll", config.url);
        exchange::obtain(&self.connection.http(), &address, None, config, &key).await?;
        self.reload()
    }

    /// While the city can be verified: keeps its statement of authorities, so that the new one is known before the
    /// old one goes.
    async fn ask_for_anchors_when_due(&mut self) {
        if !self.statement.is_due() {
            return;
        }
        let connection = &self.connection;
        match Stated::ask(&connection.http(), &connection.config.url, &connection.city).await {
            Ok(stated) => {
                if let Err(error) = self.adopt(&stated) {
                    tracing::error!(error = %chain(&error), "the city's authorities could not be kept");
                    return self.statement.failed(self.backoff);
                }
                self.statement.succeeded(ASK_ANCHORS_EVERY.mul_f64(0.5 + rand::random::<f64>()));
            }
            // A city that makes no statements.
            Err(EnrolError::NoAnswer(Cause::Status(404))) => {
                self.statement.succeeded(ASK_ANCHORS_EVERY);
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "no statement of the city's authorities");
                self.statement.failed(self.backoff);
            }
        }
    }

    /// The city cannot be verified any more: asks for its authorities over a connection that is not verified, and
    /// believes nothing but the signed statement.
    async fn recover_anchors(&mut self) {
        let connection = &self.connection;
        let certificate = connection.certificate();
        let asked = async {
            let http = http_client(&connection.config, Trust::Anybody, Some(&certificate))
                .map_err(|_| EnrolError::NoAnswer(Cause::Tls))?;
            Stated::ask(&http, &connection.config.url, &connection.city).await
        };
        let adopted = match asked.await {
            Ok(stated) => self.adopt(&stated),
            Err(error) => Err(error),
        };
        match adopted {
            Ok(true) => {
                tracing::warn!("the city has other authorities than this terminal knew; they are taken over");
                self.recovery.succeeded(Duration::ZERO);
            }
            Ok(false) => {
                tracing::warn!("the city cannot be verified, and its authorities are the known ones");
                self.recovery.failed(self.backoff);
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the city cannot be verified");
                self.recovery.failed(self.backoff);
            }
        }
    }

    /// Takes over a statement; `true` when it says something new.
    fn adopt(&self, stated: &Stated) -> Result<bool, EnrolError> {
        let give_up = self.connection.time.learn(stated.city_ms);
        let new = stated.anchors != self.connection.anchors();
        if new {
            stated.keep(&self.connection.config.keys)?;
        }
        if new || give_up {
            self.reload()?;
        }
        Ok(new)
    }

    /// A voucher that somebody put there: for a terminal whose certificate was revoked, or whose key was replaced.
    async fn look_for_voucher(&mut self) {
        let config = &self.connection.config;
        let Some(voucher) = voucher_file(&config.keys).filter(|_| self.voucher.is_due()) else { return };
        let enrolled = match Door::of_enrolment(config, Arc::clone(&self.connection.time)) {
            Ok(door) => {
                door.enrol(&voucher).await.and_then(|()| self.reload()).map_err(|error| chain(&error))
            }
            Err(error) => Err(chain(&error)),
        };
        match enrolled {
            Ok(()) => {
                use_up_voucher(&config.keys, &voucher);
                self.voucher.succeeded(Duration::ZERO);
            }
            Err(error) => {
                tracing::error!(error, "the terminal could not be enrolled with the voucher that is there");
                self.voucher.failed(self.backoff);
            }
        }
    }

    fn reload(&self) -> Result<(), EnrolError> {
        self.connection.reload().map_err(|_| EnrolError::Files(std::io::ErrorKind::InvalidData.into()))
    }
}
