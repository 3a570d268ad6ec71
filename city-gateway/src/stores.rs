//! The database that the configuration names, seen from every side that the gateway needs. Whatever can be done with
//! one kind can be done with the other, because [`Stores`] is made from either in the same way.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, StoreKind};
use crate::progress::ProgressSource;
use crate::store::blobs::BlobIndex;
use crate::store::desk::DeskStore;
use crate::store::issued::IssuedDocuments;
use crate::store::keeper::KeeperCalls;
use crate::store::lives::TerminalBook;
use crate::store::numbers::QueueNumbers;
use crate::store::postgres::{Address, PoolLimits, PostgresStore};
use crate::store::registry::TerminalRegistry;
use crate::store::relay::RelayStore;
use crate::store::seat::Seat;
use crate::store::sqlite::{SqliteStore, WriterLimits};
use crate::store::{InboxStore, OpenError};

/// One store, under each of its traits.
pub(crate) struct Stores {
    pub(crate) inbox: Arc<dyn InboxStore>,
    pub(crate) blobs: Arc<dyn BlobIndex>,
    pub(crate) book: Arc<dyn TerminalBook>,
    pub(crate) desk: Arc<dyn DeskStore>,
    pub(crate) registry: Arc<dyn TerminalRegistry>,
    pub(crate) progress: Arc<dyn ProgressSource>,
    pub(crate) relay: Arc<dyn RelayStore>,
    pub(crate) issued: Arc<dyn IssuedDocuments>,
    pub(crate) calls: Arc<dyn KeeperCalls>,
    pub(crate) numbers: Arc<dyn QueueNumbers>,
    /// How busy it is, 0 to 1.
    pub(crate) pressure: Box<dyn Fn() -> f64 + Send + Sync>,
    /// Held for as long as the gateway runs; the embedded store holds its folder itself.
    pub(crate) seat: Option<Seat>,
}

impl Stores {
    /// Opens it.
    pub(crate) async fn open(config: &Config) -> Result<Self, OpenError> {
        let (waiting, batch) = (config.limits.waiting, config.limits.batch);
        match config.store.kind {
            StoreKind::Sqlite => {
                let limits = WriterLimits { waiting, batch };
                let store = Arc::new(SqliteStore::open(&config.paths.state, limits)?);
                let busy = Arc::clone(&store);
                Ok(Self::of(store, Box::new(move || busy.pressure()), None))
            }
            StoreKind::Postgres => {
                let seat = Seat::take(&config.paths.state)?;
                let (connections, wait) =
                    (config.store.connections, Duration::from_millis(config.store.wait_ms));
                let limits = PoolLimits { connections, wait, waiting, batch };
                let store = PostgresStore::open(&address(config), limits, seat.name().to_owned()).await?;
                let store = Arc::new(store);
                let busy = Arc::clone(&store);
                Ok(Self::of(store, Box::new(move || busy.pressure()), Some(seat)))
            }
        }
    }

    /// Opens it for a command that runs beside gateways, or, embedded, in place of the one gateway.
    pub(crate) async fn open_aside(config: &Config) -> Result<Self, OpenError> {
        match config.store.kind {
            StoreKind::Sqlite => Self::open(config).await,
            StoreKind::Postgres => {
                let limits = PoolLimits { connections: 2, ..PoolLimits::default() };
                let name = uuid::Uuid::new_v4().to_string();
                let store = Arc::new(PostgresStore::open(&address(config), limits, name).await?);
                Ok(Self::of(store, Box::new(|| 0.0), None))
            }
        }
    }

    fn of<S>(store: Arc<S>, pressure: Box<dyn Fn() -> f64 + Send + Sync>, seat: Option<Seat>) -> Self
    where
        S: InboxStore
            + BlobIndex
            + TerminalBook
            + DeskStore
            + TerminalRegistry
            + ProgressSource
            + RelayStore
            + IssuedDocuments
            + KeeperCalls
            + QueueNumbers
            + 'static,
    {
        Self {
            inbox: Arc::clone(&store) as _,
            blobs: Arc::clone(&store) as _,
            book: Arc::clone(&store) as _,
            desk: Arc::clone(&store) as _,
            registry: Arc::clone(&store) as _,
            progress: Arc::clone(&store) as _,
            relay: Arc::clone(&store) as _,
            issued: Arc::clone(&store) as _,
            calls: Arc::clone(&store) as _,
            numbers: store,
            pressure,
            seat,
        }
    }
}

/// Where the PostgreSQL database is.
pub(crate) fn address(config: &Config) -> Address {
    Address {
        words: config.store.address.clone().unwrap_or_default(),
        password_file: config.store.password_file.clone(),
        ca: config.store.ca.clone(),
    }
}
