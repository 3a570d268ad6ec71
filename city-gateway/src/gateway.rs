//! Puts the parts together, and takes them apart again.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum_server::Handle;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use service_catalog::Catalog;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::city;
use crate::config::Config;
use crate::keys::Keys;
use crate::opener::{Opener, Surroundings};
use crate::receipts::Signer;
use crate::store::InboxStore;
use crate::store::postgres::{Address, PoolLimits, PostgresStore};
use crate::store::sqlite::{SqliteStore, WriterLimits};
use crate::terminals::{self, Terminals};
use crate::tls::{self, TerminalAcceptor};

/// Time for requests under way when the gateway stops.
const GRACE: Duration = Duration::from_secs(3);

/// Time for everything else when the gateway stops.
const STOP: Duration = Duration::from_secs(8);

/// Time for the headers of a request.
const HEADERS: Duration = Duration::from_secs(10);

/// After so long a silence a terminal is asked whether it is still there, and then given the same time again.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Streams of one connection.
const STREAMS: u32 = 128;

/// A running gateway.
pub struct Gateway {
    terminals: SocketAddr,
    city: SocketAddr,
    store: Arc<dyn InboxStore>,
    handle: Handle<SocketAddr>,
    stop: watch::Sender<bool>,
    broken: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Opens the store, reads the keys and the catalog, and listens. When this returns, terminals are served.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        config.check()?;
        let keys = Keys::load(&config.paths.keys)?;
        let catalog = Arc::new(load_catalog(config));
        let store = open_store(config).await?;
        let (arrivals, broken) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (stop, stopping) = watch::channel(false);

        let terminals = Arc::new(Terminals {
            store: Arc::clone(&store),
            signer: Signer::new(keys.receipt, store.epoch().await?),
            catalog_version: catalog.version.clone(),
            limits: config.limits.clone(),
            bodies: Semaphore::new(config.limits.bodies_mib.max(16) * 1024),
            arrivals: Arc::clone(&arrivals),
            broken: Arc::clone(&broken),
        });
        let around = Surroundings {
            store: Arc::clone(&store),
            arrivals,
            broken: Arc::clone(&broken),
            stop: stopping,
            batch: config.limits.opener_batch,
        };
        let opener = Opener::new(around, keys.opener, Arc::clone(&catalog))?;

        let handle = Handle::new();
        let (terminals_at, city_at) = (bind(config.listen.terminals)?, bind(config.listen.city)?);
        let mut gateway = Self {
            terminals: terminals_at.local_addr()?,
            city: city_at.local_addr()?,
            store: Arc::clone(&store),
            handle: handle.clone(),
            stop,
            broken,
            tasks: Vec::new(),
        };
        let acceptor = TerminalAcceptor::new(tls::server_config(keys.tls)?, config.limits.connections);
        let mut server = axum_server::from_tcp(terminals_at)?.acceptor(acceptor).handle(handle.clone());
        connection_limits(server.http_builder());
        let service = terminals::router(terminals).into_make_service();
        gateway.spawn("terminals", async move { server.serve(service).await });
        let mut server = axum_server::from_tcp(city_at)?.handle(handle);
        connection_limits(server.http_builder());
        let service = city::router(store, catalog).into_make_service();
        gateway.spawn("city", async move { server.serve(service).await });
        gateway.tasks.push(tokio::spawn(opener.run()));
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

    /// The inbox.
    pub fn store(&self) -> &Arc<dyn InboxStore> {
        &self.store
    }

    /// Returns when the gateway cannot go on and has to be started anew; while all is well, never.
    pub async fn failed(&self) {
        self.broken.notified().await;
    }

    /// Lets requests finish, closes the store, and returns.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.handle.graceful_shutdown(Some(GRACE));
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

/// The database that the configuration names, or the embedded one.
async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn InboxStore>> {
    let (waiting, batch) = (config.limits.waiting, config.limits.batch);
    let store = &config.store;
    let Some(words) = store.postgres.clone() else {
        let limits = WriterLimits { waiting, batch };
        return Ok(Arc::new(SqliteStore::open(&config.paths.state, limits)?));
    };
    let address = Address { words, password_file: store.password_file.clone(), ca: store.ca.clone() };
    let (connections, wait) = (store.connections, Duration::from_millis(store.wait_ms));
    let limits = PoolLimits { connections, wait, waiting, batch };
    Ok(Arc::new(PostgresStore::open(&address, limits).await?))
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
