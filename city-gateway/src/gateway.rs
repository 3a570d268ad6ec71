//! Puts the parts together, and takes them apart again.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use service_catalog::Catalog;
use sync_protocol::DocumentKey;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::blobs::bytes::{BlobBytes, clear_unfinished};
use crate::blobs::{Blobs, sweep};
use crate::budgets::Budgets;
use crate::calls::Calls;
use crate::catalog_files::CatalogFiles;
use crate::city::{self, Feed, Figures};
use crate::config::{Config, StoreKind};
use crate::courier::Courier;
use crate::desk::{self, CaseDesk, Transport};
use crate::durable_notes;
use crate::enrol::{self, AllowList, Enrolment, TerminalVerifier, operator};
use crate::fetch::{Fetcher, Issuer};
use crate::keys::{Keys, TlsKeys};
use crate::metrics::Metrics;
use crate::numbers::Numbers;
use crate::opener::{Opener, Surroundings};
use crate::query::Questions;
use crate::receipts::Signer;
use crate::registers;
use crate::relay;
use crate::store::InboxStore;
use crate::store::desk::DeskStore;
use crate::store::issued::IssuedDocuments;
use crate::store::registry::TerminalRegistry;
use crate::store::seat::Seat;
use crate::stores::Stores;
use crate::telemetry::Telemetry;
use crate::terminals::{self, Terminals};
use crate::tls::{self, Capped, TerminalAcceptor};
use crate::verification::Verification;

/// Time for requests under way when the gateway stops.
const GRACE: Duration = Duration::from_secs(3);

/// Time for everything else when the gateway stops.
const STOP: Duration = Duration::from_secs(8);

/// Time for the headers of a request.
const HEADERS: Duration = Duration::from_secs(10);

/// After so long a silence a terminal is asked whether it is still there, and then given the same time again.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// KiB of hellos and questions in memory.
const SMALL_BODIES_KIB: usize = 32 * 1024;

/// Connections there may be to the operators' pages and the public one.
const CITY_CONNECTIONS: usize = 512;

/// Connections there may be to the door where departments fetch.
const DEPARTMENT_CONNECTIONS: usize = 64;

/// In a folder that several gateways share, a file that was not written to for so long is nobody's.
const UNFINISHED: Duration = Duration::from_secs(24 * 60 * 60);

/// Streams of one connection.
const STREAMS: u32 = 128;

/// A running gateway.
pub struct Gateway {
    terminals: SocketAddr,
    city: SocketAddr,
    enrolment: Option<SocketAddr>,
    departments: Option<SocketAddr>,
    registry: Arc<dyn TerminalRegistry>,
    store: Arc<dyn InboxStore>,
    desk: Arc<CaseDesk>,
    operators: Arc<dyn DeskStore>,
    handle: Handle<SocketAddr>,
    stop: watch::Sender<bool>,
    broken: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
    door: Option<JoinHandle<()>>,
    _seat: Option<Seat>,
}

impl Gateway {
    /// Opens the store, reads the keys and the catalog, and listens. When this returns, terminals are served.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        config.check()?;
        let keys = Keys::load(&config.paths.keys)?;
        let catalog = Arc::new(load_catalog(config));
        let Stores {
            inbox: store,
            blobs: index,
            book,
            desk: operators,
            registry,
            progress,
            relay: owed,
            issued,
            calls,
            numbers,
            pressure,
            seat,
        } = Stores::open(config).await?;
        let allow_list = Arc::new(AllowList::new(Arc::clone(&registry), &config.enrolment));
        let enrolment =
            Arc::new(Enrolment::load(config, Arc::clone(&registry), Arc::clone(&allow_list), &keys.tls)?);
        let (arrivals, broken) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let opened = Arc::<Notify>::default();
        let (stop, stopping) = watch::channel(false);

        let epoch = store.epoch().await?;
        if config.blobs.s3.is_none() {
            let idle = if config.store.kind == StoreKind::Postgres { UNFINISHED } else { Duration::ZERO };
            clear_unfinished(&config.blobs.folder_in(&config.paths.state), idle)?;
        }
        let bytes = BlobBytes::open(&config.blobs, &config.paths.state)?;
        let blob_limits = config.blobs.limits.clone();
        let blobs = Arc::new(Blobs::new(Arc::clone(&index), bytes, blob_limits, Arc::clone(&arrivals)));
        let metrics = Arc::<Metrics>::default();
        let mut figures = Figures {
            metrics: Arc::clone(&metrics),
            inbox: Arc::clone(&store),
            blobs: index,
            book: Arc::clone(&book),
            relay: None,
        };
        let public_keys = keys.documents.public;
        let fetcher = fetcher(config, keys.documents.key, &catalog, &issued, &metrics)?;
        let questions = Questions::new(
            keys.questions,
            progress,
            Calls::new(Arc::clone(&calls)),
            Numbers::new(Arc::clone(&numbers), &catalog),
            config.limits.questions,
        )?
        .fetching(fetcher);
        let terminals = Arc::new(Terminals {
            store: Arc::clone(&store),
            allow_list: Arc::clone(&allow_list),
            blob_bodies: Semaphore::new(config.limits.blob_bodies_mib.max(8) * 1024),
            small_bodies: Semaphore::new(SMALL_BODIES_KIB),
            blobs: Arc::clone(&blobs),
            book: Arc::clone(&book),
            questions,
            budgets: Budgets::new(&config.limits.city, &config.limits.terminal),
            metrics,
            pressure,
            signer: Signer::new(keys.receipt, epoch.clone()),
            catalog_version: catalog.version.clone(),
            catalog_files: config.paths.catalog_repository.clone().map(CatalogFiles::new),
            limits: config.limits.clone(),
            bodies: Semaphore::new(config.limits.bodies_mib.max(16) * 1024),
            arrivals: Arc::clone(&arrivals),
            broken: Arc::clone(&broken),
        });
        let around = Surroundings {
            store: Arc::clone(&store),
            arrivals: Arc::clone(&arrivals),
            opened: Arc::clone(&opened),
            broken: Arc::clone(&broken),
            stop: stopping.clone(),
            batch: config.limits.opener_batch,
        };
        let opener = Opener::new(around, keys.opener, Arc::clone(&catalog))?;
        let relay = relay::start(relay::Parts {
            config,
            store: Arc::clone(&owed),
            catalog: &catalog,
            resealer: opener.resealer(),
            epoch: epoch.clone(),
            opened: Arc::clone(&opened),
            broken: Arc::clone(&broken),
            stop: stopping.clone(),
        })
        .await?;
        let feed = match (config.city.open_feed, config.listen.city.ip().is_loopback()) {
            (true, _) => Feed::Open,
            (false, true) => Feed::Figures,
            (false, false) => Feed::Nothing,
        };
        let city_tls = config.city.tls.as_ref().map(tls::city_config).transpose()?;
        let parts = desk::Parts {
            store: Arc::clone(&operators),
            relay: owed,
            opened,
            catalog: Arc::clone(&catalog),
            default_department: config.city.default_department.clone(),
            revealer: opener.revealer(),
            arrivals,
            clock: Arc::new(terminals::now_ms),
            book: Arc::clone(&book),
            calls,
            numbers,
            open_calls: feed == Feed::Open,
            transport: if city_tls.is_some() { Transport::Tls } else { Transport::Plain },
        };
        let clock = Arc::clone(&parts.clock);
        let (desk, desk_pages) = desk::desk(parts);

        let handle = Handle::new();
        let (terminals_at, city_at) = (bind(config.listen.terminals)?, bind(config.listen.city)?);
        let mut gateway = Self {
            terminals: terminals_at.local_addr()?,
            city: city_at.local_addr()?,
            enrolment: None,
            departments: None,
            registry: Arc::clone(&registry),
            store: Arc::clone(&store),
            desk,
            operators: Arc::clone(&operators),
            handle: handle.clone(),
            stop,
            broken,
            tasks: Vec::new(),
            door: None,
            _seat: seat,
        };
        if let Some(address) = config.listen.enrolment {
            gateway.open_enrolment(address, &keys.tls, Arc::clone(&enrolment), config.limits.connections)?;
        }
        if let Some(relay) = relay {
            figures.relay = Some(relay.figures);
            gateway.tasks.extend(relay.tasks);
            if let Some((address, routes)) = relay.door {
                gateway.departments = Some(gateway.open_door(
                    "departments",
                    address,
                    &keys.tls,
                    routes,
                    DEPARTMENT_CONNECTIONS,
                )?);
            }
        }
        let authorities = Arc::clone(&keys.tls.terminal_ca);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = TerminalVerifier::new(authorities, provider)?;
        let courier = Arc::new(Courier::new(Arc::clone(&terminals), verifier));
        let registrar = operator::Registrar { registry, allow_list, courier, documents: Arc::clone(&issued) };
        match operator::Door::open(&config.paths.state, registrar) {
            Ok(door) => gateway.door = Some(tokio::spawn(door.serve())),
            // Records are kept all the same.
            Err(error) => tracing::error!(%error, "the operators' door cannot be opened"),
        }
        let acceptor = TerminalAcceptor::new(tls::server_config(keys.tls)?, &config.limits);
        let mut server = axum_server::from_tcp(terminals_at)?.acceptor(acceptor).handle(handle.clone());
        connection_limits(server.http_builder());
        let renewal = enrol::terminal_routes(enrolment).with_state(());
        let service = terminals::router(terminals, renewal).into_make_service();
        gateway.spawn("terminals", async move { server.serve(service).await });
        let sent = figures.clone();
        let verification = Verification::new(
            public_keys,
            issued,
            Arc::clone(&catalog),
            Arc::new(terminals::now_ms),
            config.documents.demo,
        );
        let pages = city::router(store, catalog, figures, feed, verification).merge(desk_pages);
        let service = pages.into_make_service_with_connect_info::<SocketAddr>();
        let mut server = axum_server::from_tcp(city_at)?.handle(handle);
        connection_limits(server.http_builder());
        match city_tls {
            Some(config) => {
                let server = server.acceptor(Capped::new(tls::open_acceptor(config), CITY_CONNECTIONS));
                gateway.spawn("city", async move { server.serve(service).await });
            }
            None => {
                let server = server.acceptor(Capped::new(NoDelayAcceptor::new(), CITY_CONNECTIONS));
                gateway.spawn("city", async move { server.serve(service).await });
            }
        }
        if let Some(collector) = config.telemetry.collector()? {
            let every = Duration::from_secs(config.telemetry.every_seconds);
            let telemetry = Telemetry::new(collector, every, sent);
            gateway.tasks.push(tokio::spawn(telemetry.run(stopping.clone())));
        }
        let rules = config.retention.clone();
        gateway.tasks.push(tokio::spawn(desk::retention_task(operators, rules, clock, stopping.clone())));
        gateway.tasks.push(tokio::spawn(opener.run()));
        gateway.tasks.push(tokio::spawn(sweep::run(blobs, stopping.clone())));
        if config.store.kind == StoreKind::Sqlite {
            let state = config.paths.state.clone();
            gateway.tasks.push(tokio::spawn(durable_notes::run(state, book, epoch, stopping)));
        }
        Ok(gateway)
    }

    /// Where terminals are served.
    pub fn terminals(&self) -> SocketAddr {
        self.terminals
    }

    /// Where the city's pages are.
    pub fn city(&self) -> SocketAddr {
        self.city
    }

    /// Where terminals enrol, when they can.
    pub fn enrolment(&self) -> Option<SocketAddr> {
        self.enrolment
    }

    /// Where departments fetch their cases, when they can.
    pub fn departments(&self) -> Option<SocketAddr> {
        self.departments
    }

    /// The allow-list.
    pub fn registry(&self) -> &Arc<dyn TerminalRegistry> {
        &self.registry
    }

    /// The inbox.
    pub fn store(&self) -> &Arc<dyn InboxStore> {
        &self.store
    }

    /// Where cases are decided.
    pub fn desk(&self) -> &Arc<CaseDesk> {
        &self.desk
    }

    /// The operators' side of the store, with the audit chain.
    pub fn desk_store(&self) -> &Arc<dyn DeskStore> {
        &self.operators
    }

    /// Returns when the gateway cannot go on and has to be started anew; while all is well, never.
    pub async fn failed(&self) {
        self.broken.notified().await;
    }

    /// Lets requests finish, closes the store, and returns.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.handle.graceful_shutdown(Some(GRACE));
        if let Some(door) = self.door {
            door.abort();
            // Ended on purpose.
            let _ = door.await;
        }
        // Fails only when the opener has already ended.
        let _ = self.stop.send(true);
        let ended = async {
            for task in self.tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a part of the gateway did not end well");
                }
            }
            self.store.close().await
        };
        tokio::time::timeout(STOP, ended).await.context("the gateway took too long to stop")??;
        Ok(())
    }

    fn open_enrolment(
        &mut self,
        address: SocketAddr,
        keys: &TlsKeys,
        enrolment: Arc<Enrolment>,
        connections: usize,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(enrolment.can_issue(), "listen.enrolment is set, but there is no issuing key");
        let routes = enrol::enrolment_routes(enrolment);
        self.enrolment = Some(self.open_door("enrolment", address, keys, routes, connections)?);
        Ok(())
    }

    /// A door with the gateway's certificate that asks for none; returns where it is.
    fn open_door(
        &mut self,
        part: &'static str,
        address: SocketAddr,
        keys: &TlsKeys,
        routes: Router,
        connections: usize,
    ) -> anyhow::Result<SocketAddr> {
        let listener = bind(address)?;
        let opened = listener.local_addr()?;
        let acceptor = Capped::new(tls::open_acceptor(enrol::tls_config(keys)?), connections);
        let mut server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(self.handle.clone());
        connection_limits(server.http_builder());
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        self.spawn(part, async move { server.serve(service).await });
        Ok(opened)
    }

    fn spawn(
        &mut self,
        part: &'static str,
        serve: impl Future<Output = std::io::Result<()>> + Send + 'static,
    ) {
        let broken = Arc::clone(&self.broken);
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(part, %error, "a listener ended");
                broken.notify_one();
            }
        }));
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn connection_limits(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_concurrent_streams(STREAMS);
}

/// What answers a fetch, where there are registers.
fn fetcher(
    config: &Config,
    key: Option<DocumentKey>,
    catalog: &Arc<Catalog>,
    issued: &Arc<dyn IssuedDocuments>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Fetcher>> {
    if config.registers.is_empty() {
        return Ok(None);
    }
    let key = key.context("there are registers, but no key for documents: `city-gateway key documents`")?;
    let issuer = Issuer::new(key, &config.documents).context("documents.address is not set")?;
    let registers = registers::load(&config.registers)?;
    let (catalog, issued, metrics) = (Arc::clone(catalog), Arc::clone(issued), Arc::clone(metrics));
    Ok(Some(Fetcher::new(catalog, registers, issuer, issued, metrics, Arc::new(terminals::now_ms))))
}

/// A broken item is reported and left out; records of it become dead letters, and are tried again when it is
/// whole.
fn load_catalog(config: &Config) -> Catalog {
    let catalog = Catalog::load(&config.paths.catalog);
    for rejected in &catalog.rejected {
        let (file, line, reason) = (&rejected.file, rejected.line, &rejected.reason);
        tracing::error!(alarm = true, %file, line, %reason, "a service item is left out");
    }
    tracing::info!(version = %catalog.version, items = catalog.items.len(), "catalog");
    catalog
}
