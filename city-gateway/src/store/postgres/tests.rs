//! The contract on PostgreSQL, on a server that the tests start; several gateways on one database, and loss
//! of the server, in modules of their own.

mod alone;
mod blobs;
mod lives;
mod losses;
mod relay;
mod secured;
mod several;

use std::sync::Arc;

use super::*;
use crate::store::StoreError;
use crate::store::blobs::BlobIndex;
use crate::store::contract::Bed;
use crate::store::desk::DeskStore;
use crate::store::lives::TerminalBook;
use crate::store::registry::TerminalRegistry;
use crate::test_cluster::Cluster;

/// A database of a test's own on the server of the test run.
pub(crate) struct Fresh {
    pub(crate) words: String,
}

impl Fresh {
    /// An empty database.
    pub(crate) fn new() -> Self {
        Self { words: Cluster::shared().database().unwrap() }
    }

    /// Name of the database.
    pub(crate) fn name(&self) -> &str {
        self.words.rsplit('=').next().unwrap()
    }

    /// Asks the database itself.
    pub(crate) fn psql(&self, sql: &str) -> String {
        Cluster::shared().psql(self.name(), sql).unwrap()
    }

    /// A gateway process's store on it.
    pub(crate) async fn store(&self, limits: PoolLimits) -> Result<PostgresStore, OpenError> {
        open(&self.words, limits).await
    }

    /// A connection beside the store's.
    pub(crate) async fn beside(&self) -> deadpool_postgres::ClientWrapper {
        connect::Connector::new(&address(&self.words)).unwrap().open().await.unwrap()
    }
}

/// For tests that race on a busy machine: whoever waits for a connection gets one.
fn patient() -> PoolLimits {
    PoolLimits { wait: Duration::from_secs(30), ..PoolLimits::default() }
}

fn address(words: &str) -> Address {
    Address { words: words.into(), password_file: None, ca: None }
}

async fn open(words: &str, limits: PoolLimits) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(&address(words), limits, uuid::Uuid::new_v4().to_string()).await
}

impl Bed for Fresh {
    async fn open(&self) -> Arc<dyn InboxStore> {
        Arc::new(self.store(patient()).await.unwrap())
    }
}

crate::store::contract::contract_suite!(Fresh::new());

impl crate::store::blobs_contract::Bed for Fresh {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn BlobIndex>) {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::blobs_contract::blob_contract_suite!(Fresh::new());

impl crate::store::lives_contract::Bed for Fresh {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn BlobIndex>, Arc<dyn TerminalBook>) {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, Arc::clone(&store) as _, store)
    }
}

crate::store::lives_contract::lives_contract_suite!(Fresh::new());

impl crate::store::desk::contract::DeskBed for Fresh {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn DeskStore>) {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::desk::contract::desk_contract_suite!(Fresh::new());

impl crate::store::registry_contract::RegistryBed for Fresh {
    async fn open_registry(&self) -> Arc<dyn TerminalRegistry> {
        Arc::new(self.store(patient()).await.unwrap())
    }
}

crate::store::registry_contract::registry_contract_suite!(Fresh::new());

impl crate::store::relay_contract::RelayBed for Fresh {
    async fn open(&self) -> crate::store::relay_contract::Sides {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, Arc::clone(&store) as _, store)
    }
}

crate::store::relay_contract::relay_contract_suite!(Fresh::new());

impl crate::store::issued_contract::IssuedBed for Fresh {
    async fn open(&self) -> crate::store::issued_contract::Sides {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::issued_contract::issued_contract_suite!(Fresh::new());

crate::store::follow_up_contract::follow_up_contract_suite!(Fresh::new());

impl crate::store::desk::aside_contract::AsideBed for Fresh {
    async fn open(&self) -> crate::store::desk::aside_contract::Sides {
        crate::store::desk::aside_contract::Sides::of(Arc::new(self.store(patient()).await.unwrap()))
    }
}

crate::store::desk::aside_contract::aside_contract_suite!(Fresh::new());

impl crate::store::keeper_contract::KeeperBed for Fresh {
    async fn open(&self) -> (Arc<dyn crate::store::keeper::KeeperCalls>, Arc<dyn DeskStore>) {
        let store = Arc::new(self.store(patient()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::keeper_contract::keeper_contract_suite!(Fresh::new());

impl crate::store::numbers_contract::NumbersBed for Fresh {
    async fn open(&self) -> Arc<dyn crate::store::numbers::QueueNumbers> {
        Arc::new(self.store(patient()).await.unwrap())
    }
}

crate::store::numbers_contract::numbers_contract_suite!(Fresh::new());
