//! The one thread that changes the catalog's folder. It has a connection of its own, so that a long download delays
//! no record, and a slow disk or a dying USB stick holds up nobody else.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot, watch};

use super::disk::Disk;
use super::error::{CatalogError, Trouble};
use super::keeper::{CatalogKeeper, Outcome};
use super::plan::{LookPlan, Waits};
use super::source::Source;
use super::time::Clocks;
use crate::backoff::Backoff;
use crate::client::CityClient;
use crate::clock::Clock;
use crate::{AgentError, Config};

/// Longest time one look may take; what was fetched by then is kept for the next.
const LONGEST_LOOK: Duration = Duration::from_secs(2 * 60 * 60);

/// Wishes for a look at once that may wait; one look answers them all.
const WISHES: usize = 8;

/// What a verified hello said, as far as the catalog is concerned.
#[derive(Clone, Debug)]
pub(crate) struct CitySaid {
    /// The city's clock, milliseconds since 1970.
    pub(crate) city_ms: i64,
    /// When it was heard, on the agent's monotonic clock.
    pub(crate) heard_ms: u64,
    /// What the city calls its catalog.
    pub(crate) name: String,
    /// Whether it asks this terminal to look.
    pub(crate) look: bool,
}

/// What a look at a repository came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It was read and understood, newer or not.
    Read,
    /// It was read and must not be taken over.
    Refused,
    /// It could not be read.
    Unreachable,
}

/// Where the outcome of a look that was wished for goes.
type Wish = oneshot::Sender<Looked>;

/// The way to the thread. Dropping it ends the thread, in the middle of a download if need be.
pub(crate) struct CatalogThread {
    said: Option<watch::Sender<Option<CitySaid>>>,
    wishes: mpsc::Sender<Wish>,
    number: watch::Receiver<Option<u64>>,
    thread: Option<JoinHandle<()>>,
}

impl CatalogThread {
    /// Starts the thread. Without a root of trust, or without a folder, there is none: the catalog stays as it was
    /// put there.
    pub(crate) fn start(
        config: &Config,
        clock: &Clock,
        client: &CityClient,
    ) -> Result<Option<Self>, AgentError> {
        let root = config.keys.join("catalog-root.json");
        let Some(folder) = config.catalog.folder.as_ref().filter(|_| root.exists()) else { return Ok(None) };
        let keeper = match CatalogKeeper::open(folder, &root, Disk::default()) {
            Ok(keeper) => keeper,
            // Records are delivered all the same; the kiosk shows the catalog that is there.
            Err(error) => {
                tracing::error!(%error, "nobody looks after the signed catalog");
                return Ok(None);
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AgentError::Thread(error.kind()))?;
        let (said, hears) = watch::channel(None);
        let (wishes, wished) = mpsc::channel(WISHES);
        let (tell_number, number) = watch::channel(keeper.number());
        let worker = Worker {
            keeper,
            wished,
            waiting: Vec::new(),
            tell_number,
            client: client.clone(),
            clock: clock.clone(),
            plan: LookPlan::new(waits(config)),
            heard_ms: None,
            usb: config.catalog.usb.clone(),
            usb_seen: None,
            tick: Duration::from_millis(config.sync.tick_ms),
        };
        let thread = std::thread::Builder::new()
            .name("catalog".into())
            .spawn(move || runtime.block_on(worker.run(hears)))
            .map_err(|error| AgentError::Thread(error.kind()))?;
        Ok(Some(Self { said: Some(said), wishes, number, thread: Some(thread) }))
    }

    /// Number of the signed catalog in use.
    pub(crate) fn number(&self) -> Option<u64> {
        *self.number.borrow()
    }

    /// Wishes for a look at the city's catalog at once; nothing when too many wait for one.
    pub(crate) fn look_now(&self) -> Option<oneshot::Receiver<Looked>> {
        let (tell, told) = oneshot::channel();
        self.wishes.try_send(tell).ok().map(|()| told)
    }

    /// Passes on what the city said.
    pub(crate) fn city_said(&self, said: CitySaid) {
        if let Some(way) = &self.said {
            way.send_replace(Some(said));
        }
    }
}

impl Drop for CatalogThread {
    fn drop(&mut self) {
        self.said = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn waits(config: &Config) -> Waits {
    Waits {
        refresh_ms: config.catalog.refresh_s.saturating_mul(1000),
        spread_ms: config.catalog.spread_s.saturating_mul(1000),
        backoff: Backoff { base_ms: config.sync.retry_base_ms, cap_ms: config.sync.retry_cap_ms },
    }
}

struct Worker {
    keeper: CatalogKeeper,
    wished: mpsc::Receiver<Wish>,
    /// Who waits for the next look.
    waiting: Vec<Wish>,
    tell_number: watch::Sender<Option<u64>>,
    client: CityClient,
    clock: Clock,
    plan: LookPlan,
    /// When the city was heard last, on the monotonic clock.
    heard_ms: Option<u64>,
    usb: Option<PathBuf>,
    /// The timestamp file of the USB folder that was looked at last.
    usb_seen: Option<(SystemTime, u64)>,
    tick: Duration,
}

impl Worker {
    async fn run(mut self, mut hears: watch::Receiver<Option<CitySaid>>) {
        tracing::info!(number = self.keeper.number(), "the catalog is looked after");
        let mut ended = hears.clone();
        // Ends at once when the agent ends, whatever is under way: every step leaves a whole catalog.
        let end = async move { while ended.changed().await.is_ok() {} };
        let work = async {
            loop {
                self.round(&mut hears).await;
                tokio::select! {
                    () = tokio::time::sleep(self.tick) => {}
                    _ = hears.changed() => {}
                    Some(wish) = self.wished.recv() => self.waiting.push(wish),
                }
            }
        };
        tokio::select! {
            () = end => {}
            _ = work => {}
        }
    }

    async fn round(&mut self, hears: &mut watch::Receiver<Option<CitySaid>>) {
        let said = hears.borrow_and_update().clone();
        if let Some(said) = said.filter(|said| self.heard_ms.replace(said.heard_ms) != Some(said.heard_ms)) {
            self.hear(&said);
        }
        self.look_at_usb().await;
        while let Ok(wish) = self.wished.try_recv() {
            self.waiting.push(wish);
        }
        if !self.waiting.is_empty() || self.plan.is_due(self.clock.now_ms()) {
            let looked = self.look_at_city().await;
            let now_ms = self.clock.now_ms();
            match looked {
                Looked::Read => self.plan.went_well(now_ms, rand::random()),
                Looked::Refused | Looked::Unreachable => self.plan.failed(now_ms, rand::random()),
            }
            for wish in self.waiting.drain(..) {
                // Whoever wished may have gone.
                let _ = wish.send(looked);
            }
        }
        self.keeper.grow_older(self.clocks());
        self.tell_number.send_replace(self.keeper.number());
    }

    fn hear(&mut self, said: &CitySaid) {
        if let Err(error) = self.keeper.city_said(said.city_ms, said.heard_ms) {
            tracing::warn!(%error, "the city's time could not be noted");
        }
        self.plan.heard(&said.name, self.clock.now_ms(), rand::random());
        if said.look {
            self.plan.asked_by_city(self.clock.now_ms(), rand::random());
        }
    }

    async fn look_at_city(&mut self) -> Looked {
        match self.client.for_catalog() {
            Ok(client) => self.look(Source::city(client), "the city").await,
            Err(error) => {
                tracing::warn!(%error, "no connection for the catalog can be made");
                Looked::Unreachable
            }
        }
    }

    /// A USB folder is looked at once for each timestamp file that appears in it.
    async fn look_at_usb(&mut self) {
        let Some(folder) = self.usb.clone() else { return };
        let found = std::fs::metadata(folder.join("metadata/timestamp.json")).ok();
        let found = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        if found.is_some() && found != self.usb_seen {
            self.look(Source::folder(&folder), "the USB folder").await;
        }
        self.usb_seen = found;
    }

    async fn look(&mut self, source: Source, at: &'static str) -> Looked {
        let clocks = self.clocks();
        let looked = tokio::time::timeout(LONGEST_LOOK, self.keeper.update(&source, clocks)).await;
        match looked {
            Ok(Ok(outcome)) => {
                match outcome {
                    Outcome::Switched(number) => tracing::info!(number, at, "another catalog is in use"),
                    Outcome::SignedAnew => tracing::info!(at, "the catalog was signed anew"),
                    Outcome::Unchanged => tracing::debug!(at, "the catalog in use is the newest"),
                }
                Looked::Read
            }
            Ok(Err(CatalogError::Unreachable(Trouble::NotOffered))) => {
                tracing::debug!(at, "no signed catalog is offered");
                Looked::Read
            }
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                match error {
                    CatalogError::Older { .. } | CatalogError::Rollback(_) => {
                        tracing::info!(%error, at, "an older catalog is ignored");
                    }
                    _ => tracing::warn!(%error, cause, at, "no catalog could be taken over"),
                }
                if matches!(error, CatalogError::Unreachable(_)) {
                    Looked::Unreachable
                } else {
                    Looked::Refused
                }
            }
            Err(_) => {
                tracing::warn!(at, "fetching the catalog took too long and goes on later");
                Looked::Unreachable
            }
        }
    }

    fn clocks(&self) -> Clocks {
        Clocks { monotonic_ms: self.clock.now_ms(), wall_ms: self.clock.wall_ms() }
    }
}
