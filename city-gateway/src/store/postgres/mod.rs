//! The store for a city: one PostgreSQL database, shared by as many gateway processes as are needed.
//!
//! The processes know nothing of each other. What is new is decided by the database's keys, what is being
//! opened by leases in its rows, what a page is by a counter in it. A process that loses its connection
//! answers that the database cannot be reached, and goes on by itself when it can.
//!
//! To build another store of the gateway on this: a file in `migrations/postgres/` and its line in
//! `migrate.rs`; a module here whose functions take [`database::Database`] and call its `query`; the trait
//! implemented on [`PostgresStore`], whose `database` is shared. In tests, `tests::Fresh` is a database of
//! the test's own.
//!
//! Deliberately absent: a check before an insert, a number from a sequence as a cursor, a lease in memory, a
//! read from a standby.

mod accept;
mod blobs;
mod connect;
mod database;
mod desk;
mod errors;
mod gather;
mod issued;
mod keeper;
mod life;
mod lives;
mod migrate;
mod numbers;
mod pages;
mod places;
mod progress;
mod read;
mod registry;
mod relay;
#[cfg(test)]
pub(crate) mod tests;
mod work;

use std::time::Duration;

pub use connect::Address;
use database::Database;
use gather::{Gather, Kept as Gathered};

use super::follow_up::NamedCase;
use super::{
    Acceptance, Arrival, Claimed, Conflict, Counts, DeadLetterReason, Decision, Found, InboxRow, InboxStore,
    Kept, OpenError, Page, Received, Reply,
};

/// A received prefix that grew by this much is noted, so that the next hello need not count it again.
const PROGRESS_STEP: u64 = 64;

/// How much one process may have under way at the database.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Connections.
    pub connections: usize,
    /// Longest wait for one of them; then [`super::StoreError::Busy`].
    pub wait: Duration,
    /// Records that may wait to be kept; more are answered [`super::StoreError::Busy`].
    pub waiting: usize,
    /// Records in one commit.
    pub batch: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { connections: 16, wait: Duration::from_secs(2), waiting: 1024, batch: 256 }
    }
}

/// The store in PostgreSQL.
pub struct PostgresStore {
    database: Database,
    gather: Gather,
    /// What the opener of this process has claimed.
    leases: work::Leases,
}

impl PostgresStore {
    /// Opens the store, making its tables when they are absent, and refuses to go on when a setting that
    /// durability depends on is not as it must be. A gateway that comes back under the same name ends the leases it
    /// held before.
    pub async fn open(address: &Address, limits: PoolLimits, gateway: String) -> Result<Self, OpenError> {
        let database = Database::open(address, limits.connections, limits.wait).await?;
        let leases = work::Leases::of(gateway);
        if let Err(error) = leases.release_all(&database).await {
            tracing::warn!(%error, "leases from before end by their time");
        }
        if let Err(error) = relay::end_leases(&database, leases.gateway()).await {
            tracing::warn!(%error, "the relay's leases from before end by their time");
        }
        let gather = Gather::start(database.clone(), limits.waiting, limits.batch);
        Ok(Self { database, gather, leases })
    }

    /// Begins a new life of a database that was put back in a way it cannot notice by itself; returns its epoch.
    /// Gateways that run notice at the next hello, and start anew.
    pub async fn begin_epoch(address: &Address) -> Result<String, OpenError> {
        let mut client = connect::Connector::new(address)?.open().await?;
        migrate::run(&mut client).await?;
        Ok(life::begin_by_hand(&mut client).await?)
    }

    /// How full the list of records that wait to be kept is, 0 to 1.
    pub(crate) fn pressure(&self) -> f64 {
        self.gather.pressure()
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        OpenError::Postgres(errors::describe(&error))
    }
}

impl InboxStore for PostgresStore {
    fn accept(&self, arrival: Arrival) -> Reply<'_, Acceptance> {
        Box::pin(async move {
            // Found out here, so that it fails alone.
            accept::fits(&arrival)?;
            let received_at_ms = arrival.received_at_ms;
            match self.gather.keep(arrival).await? {
                Gathered::New => Ok(Acceptance { kept: Kept::Inbox, again: false, received_at_ms }),
                Gathered::Known(arrival) => accept::compared(&self.database, &arrival).await,
            }
        })
    }

    fn set_aside(&self, arrival: Arrival, why: Conflict) -> Reply<'_, Acceptance> {
        Box::pin(async move {
            accept::fits(&arrival)?;
            accept::set_aside(&self.database, &arrival, why).await
        })
    }

    fn received<'a>(&'a self, terminal: &'a str, incarnation: &'a str) -> Reply<'a, Received> {
        Box::pin(async move {
            let (known, received) = read::received(&self.database, terminal, incarnation).await?;
            if let Some(&(1, reached)) = received.ranges.first()
                && reached >= known + PROGRESS_STEP
            {
                // Only a hint: when it cannot be noted, the next hello counts a little longer.
                let _ = read::progress(&self.database, terminal, incarnation, reached).await;
            }
            Ok(received)
        })
    }

    fn epoch(&self) -> Reply<'_, String> {
        Box::pin(async { Ok(self.database.epoch().to_owned()) })
    }

    fn claim(&self, limit: usize, lease: Duration) -> Reply<'_, Vec<Claimed>> {
        Box::pin(self.leases.claim(&self.database, limit, lease))
    }

    fn decide(&self, decisions: Vec<Decision>) -> Reply<'_, ()> {
        Box::pin(work::decide(&self.database, decisions))
    }

    fn named<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<NamedCase>> {
        Box::pin(desk::follow_ups::named(&self.database, case_number))
    }

    fn retry_awaited(&self) -> Reply<'_, u64> {
        Box::pin(desk::follow_ups::retry_awaited(&self.database))
    }

    fn retry_dead_letters(&self, reason: DeadLetterReason) -> Reply<'_, u64> {
        Box::pin(work::retry(&self.database, reason))
    }

    fn page(&self, page: Page, limit: usize) -> Reply<'_, Vec<InboxRow>> {
        Box::pin(pages::page(&self.database, page, limit))
    }

    fn find<'a>(&'a self, verification: &'a str) -> Reply<'a, Option<Found>> {
        Box::pin(read::find(&self.database, verification))
    }

    fn counts(&self) -> Reply<'_, Counts> {
        Box::pin(read::counts(&self.database))
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(async {
            self.gather.close().await?;
            if let Err(error) = self.leases.release_all(&self.database).await {
                tracing::warn!(%error, "leases end by their time");
            }
            if let Err(error) = relay::end_leases(&self.database, self.leases.gateway()).await {
                tracing::warn!(%error, "the relay's leases end by their time");
            }
            self.database.close();
            tracing::info!(commits = self.gather.commits(), "the store is closed");
            Ok(())
        })
    }
}
