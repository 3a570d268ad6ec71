//! The gateway for the deterministic simulation: the true routes over the true embedded store, blobs included, with the
//! opener's judge beside them; asked by a function call instead of a socket, with clocks and chance that the simulation
//! sets for its thread.
//!
//! Deliberately absent: any decision. What answers is what the program serves, put together here without listeners and
//! without tasks that run by themselves; the simulation says when each of these has its turn.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use rcgen::{CertificateParams, KeyPair, SanType};
use service_catalog::Catalog;
use sync_protocol::{AgeOpener, CityReceiptKey, TerminalKey};
use tokio::sync::{Notify, Semaphore};
use tower::Service;

use crate::blobs::Blobs;
use crate::blobs::bytes::{BlobBytes, clear_unfinished};
use crate::budgets::Budgets;
use crate::calls::Calls;
use crate::clock::{now_ms, simulated};
use crate::config::{Config, Enrolment};
use crate::enrol::{AllowList, NAME, TerminalCertificate};
use crate::follow_up::{self, Judgement};
use crate::judge::Judge;
use crate::numbers::Numbers;
use crate::operations::{Operation, copy_store};
use crate::query::Questions;
use crate::receipts::Signer;
use crate::store::lives::TerminalBook;
use crate::store::sqlite::{FILE, SqliteStore, WriterLimits};
use crate::store::{Claimed, Decision, InboxStore, Outcome, StoreError};
use crate::terminals::{self, Terminals};
use crate::tls::Peer;
use crate::{durable_notes, metrics::Metrics};

/// Records that the opener takes at a time.
const BATCH: usize = 64;

/// Sets the clocks and the seed of the random numbers of gateways on this thread: milliseconds since the simulation
/// began, and since 1970.
pub fn begin(since_start_ms: u64, wall_ms: i64, seed: u64) {
    simulated::set(since_start_ms, wall_ms, Some(seed));
}

/// Sets the clocks again.
pub fn it_is(since_start_ms: u64, wall_ms: i64) {
    simulated::set(since_start_ms, wall_ms, None);
}

/// Who asks, as the TLS handshake would have found out.
pub struct Caller(TerminalCertificate);

impl Caller {
    /// A terminal with a certificate of its own making: it is the handshake that asks for an authority.
    pub fn new(code: &str, key: &TerminalKey) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.subject_alt_names = vec![SanType::URI(format!("{NAME}{code}").try_into()?)];
        let certificate = params.self_signed(&KeyPair::from_pem(&key.to_pem())?)?;
        let read = TerminalCertificate::read(certificate.der());
        Ok(Self(read.context("this is no code of a terminal")?))
    }
}

/// The keys of a city.
pub struct CityKeys {
    /// PEM of the key that signs receipts.
    pub receipt: String,
    /// What opens records, as in `city-seal.key`.
    pub identities: String,
}

/// A gateway process.
pub struct City {
    config: Config,
    router: Router,
    store: Arc<SqliteStore>,
    blobs: Arc<Blobs>,
    judge: Judge<AgeOpener>,
    epoch: String,
}

impl City {
    /// Starts a gateway on its folders.
    pub async fn start(config: &Config, keys: &CityKeys) -> anyhow::Result<Self> {
        let limits = WriterLimits { waiting: config.limits.waiting, batch: config.limits.batch };
        let store = Arc::new(SqliteStore::open(&config.paths.state, limits)?);
        let epoch = store.epoch().await?;
        let catalog = Arc::new(Catalog::load(&config.paths.catalog));
        clear_unfinished(&config.blobs.folder_in(&config.paths.state), std::time::Duration::ZERO)?;
        let bytes = BlobBytes::open(&config.blobs, &config.paths.state)?;
        let (arrivals, broken) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let index = Arc::clone(&store);
        let blobs = Blobs::new(index, bytes, config.blobs.limits.clone(), Arc::clone(&arrivals));
        let blobs = Arc::new(blobs);
        let opener = || AgeOpener::from_identities(&keys.identities);
        let busy = Arc::clone(&store);
        let listed = Enrolment { trust_unlisted: true, ..Enrolment::default() };
        let state = Arc::new(Terminals {
            store: Arc::clone(&store) as _,
            allow_list: Arc::new(AllowList::new(Arc::clone(&store) as _, &listed)),
            blob_bodies: Semaphore::new(config.limits.blob_bodies_mib.max(8) * 1024),
            small_bodies: Semaphore::new(32 * 1024),
            blobs: Arc::clone(&blobs),
            book: Arc::clone(&store) as _,
            questions: Questions::new(
                opener()?,
                Arc::clone(&store) as _,
                Calls::new(Arc::clone(&store) as _),
                Numbers::new(Arc::clone(&store) as _, &catalog),
                config.limits.questions,
            )?,
            budgets: Budgets::new(&config.limits.city, &config.limits.terminal),
            metrics: Arc::<Metrics>::default(),
            pressure: Box::new(move || busy.pressure()),
            signer: Signer::new(CityReceiptKey::from_pem(&keys.receipt)?, epoch.clone()),
            catalog_version: catalog.version.clone(),
            catalog_files: None,
            limits: config.limits.clone(),
            bodies: Semaphore::new(config.limits.bodies_mib.max(16) * 1024),
            arrivals,
            broken,
        });
        let judge = Judge::new(opener()?, catalog);
        Ok(Self {
            config: config.clone(),
            router: terminals::router(state, Router::new()),
            store,
            blobs,
            judge,
            epoch,
        })
    }

    /// Answers one request of a terminal.
    pub async fn answer(&self, caller: &Caller, mut request: Request<Body>) -> Response {
        let place =
            Arc::new(Semaphore::new(1)).acquire_owned().await.expect("a semaphore of its own is open");
        let peer = Arc::new(Peer { certificate: caller.0.clone(), _place: place });
        request.extensions_mut().insert(peer);
        let asked = self.router.clone().call(request).await;
        asked.unwrap_or_else(|never| match never {})
    }

    /// One round of the opener; gives back what it judged, and how.
    pub async fn open_records(&mut self) -> Result<Vec<(Claimed, Outcome)>, StoreError> {
        let claimed = self.store.claim(BATCH, std::time::Duration::ZERO).await?;
        let mut judged = Vec::with_capacity(claimed.len());
        for record in claimed {
            let outcome = match self.judge.judge(&record) {
                Judgement::Decided(outcome) => outcome,
                Judgement::Follows(one) => follow_up::resolve(&*self.store, &one).await?,
            };
            judged.push((record, outcome));
        }
        let decision = |(record, outcome): &(Claimed, Outcome)| Decision {
            place: record.place.clone(),
            outcome: outcome.clone(),
            decided_at_ms: now_ms(),
        };
        self.store.decide(judged.iter().map(decision).collect()).await?;
        Ok(judged)
    }

    /// One round of the sweep of blobs.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        Ok(self.blobs.sweep(now_ms()).await?)
    }

    /// Copies the store and tells the gateway so, as `city-gateway backup` does.
    pub async fn back_up(&self, to: &Path) -> anyhow::Result<()> {
        let (_, note) = copy_store(&self.config, to).await?;
        note.leave(&self.config.paths.state)?;
        durable_notes::take(&self.config.paths.state, &*self.store, &self.epoch).await
    }

    /// The store, to look at.
    pub fn inbox(&self) -> &dyn InboxStore {
        &*self.store
    }

    /// The book of terminals, to look at.
    pub fn book(&self) -> &dyn TerminalBook {
        &*self.store
    }

    /// Life of the store.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The bytes of a whole blob.
    pub async fn blob(&self, sha256: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let found = self.blobs.bytes.get(&BlobBytes::whole_key(sha256)).await?;
        Ok(found.map(|bytes| bytes.to_vec()))
    }

    /// Ends the process. What was answered is on disk, so a kill leaves the same.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

/// Throws the database away and puts a copy back, as an operator does with `city-gateway restore`.
pub async fn restore(config: &Config, from: &Path) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let file = config.paths.state.join(format!("{FILE}{end}"));
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Operation::Restore { from: from.to_owned() }.run(config).await.map(|_| ())
}
