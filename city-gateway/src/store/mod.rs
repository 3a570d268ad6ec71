//! What the gateway needs from a database: the [`InboxStore`] trait and the things that pass through it.
//!
//! The trait suits an embedded SQLite file with one writer as well as a PostgreSQL database shared by several
//! gateway processes: a record is named by its [`Place`] (terminal first, so tables can be partitioned by it),
//! work for the opener is claimed under a lease, and every call is one transaction.
//!
//! Deliberately absent: any method that changes or removes a received record, and any check-then-insert. A store
//! keeps what it is given; it never judges it.

pub mod blobs;
#[cfg(test)]
pub mod blobs_contract;
mod conflict;
#[cfg(test)]
pub mod contract;
pub mod desk;
pub mod follow_up;
#[cfg(test)]
pub mod follow_up_contract;
pub mod issued;
#[cfg(test)]
pub mod issued_contract;
pub mod keeper;
#[cfg(test)]
pub mod keeper_contract;
pub mod lives;
#[cfg(test)]
pub mod lives_contract;
pub mod numbers;
#[cfg(test)]
pub mod numbers_contract;
pub mod postgres;
pub mod registry;
#[cfg(test)]
pub mod registry_contract;
pub mod relay;
#[cfg(test)]
pub mod relay_contract;
pub(crate) mod seat;
pub mod sqlite;
mod vocabulary;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use follow_up::NamedCase;

pub use vocabulary::{
    Acceptance, Arrival, Claimed, Conflict, Counts, DeadLetterReason, Decision, Found, InboxRow, Kept, Kind,
    MaskedPerson, Outcome, Page, Place, Received, Status,
};

/// What a store's methods return: a boxed future, so that the store can be chosen when the gateway starts.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The city's inbox.
pub trait InboxStore: Send + Sync {
    /// Keeps one record, in one transaction. When this answers, it is on disk. The same record again gets the
    /// same answer; a record whose id or place is taken by another goes to quarantine.
    fn accept(&self, arrival: Arrival) -> Reply<'_, Acceptance>;

    /// Keeps one record in quarantine for this reason, like [`InboxStore::accept`] in everything else. One that the
    /// inbox already holds stays there, and is answered so.
    fn set_aside(&self, arrival: Arrival, why: Conflict) -> Reply<'_, Acceptance>;

    /// What is held of one life of a terminal's queue, quarantine included.
    fn received<'a>(&'a self, terminal: &'a str, incarnation: &'a str) -> Reply<'a, Received>;

    /// Life of this store, made when it was created.
    fn epoch(&self) -> Reply<'_, String>;

    /// Hands out records that were not opened yet, oldest first. None of them is handed out again, to anyone,
    /// before the lease ends or the gateway process that took it restarts.
    fn claim(&self, limit: usize, lease: Duration) -> Reply<'_, Vec<Claimed>>;

    /// Records what the opener found. A record that already has an outcome keeps it. What follows a case is put beside
    /// it, makes its step, and is owed to the department of the case.
    fn decide(&self, decisions: Vec<Decision>) -> Reply<'_, ()>;

    /// The opened cases of which a receipt bears this number: their own, or that of a record that followed them. At
    /// most [`follow_up::MOST_NAMED`].
    fn named<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<NamedCase>>;

    /// Puts back on the opener's list what follows a case that was not there and has been opened since; returns how
    /// many.
    fn retry_awaited(&self) -> Reply<'_, u64>;

    /// Puts dead letters with this reason back on the opener's list; returns how many.
    fn retry_dead_letters(&self, reason: DeadLetterReason) -> Reply<'_, u64>;

    /// A part of the inbox, quarantine included.
    fn page(&self, page: Page, limit: usize) -> Reply<'_, Vec<InboxRow>>;

    /// The case with this verification code, whether in the inbox or in quarantine.
    fn find<'a>(&'a self, verification: &'a str) -> Reply<'a, Option<Found>>;

    /// How many records are in which state.
    fn counts(&self) -> Reply<'_, Counts>;

    /// Finishes what was begun and closes the database.
    fn close(&self) -> Reply<'_, ()>;
}

/// Why a store did not do what it was asked. Never carries content of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting; ask again shortly.
    #[error("too many requests are waiting for the store")]
    Busy,
    /// No room on the disk.
    #[error("no room on the disk")]
    Full,
    /// The database cannot be trusted until it was opened anew: an I/O error or a damaged file.
    #[error("the store must be opened anew: {0}")]
    Broken(String),
    /// The database does not answer at the moment. Nothing has to be opened anew: ask again shortly.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else the database says.
    #[error("database: {0}")]
    Database(String),
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder could not be made or read.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process holds this folder.
    #[error("another gateway already runs on this state folder")]
    InUse,
    /// A setting that durability depends on did not take.
    #[error("{setting} is {found}, but must be {wanted}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// What was read back.
        found: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Written by a newer gateway.
    #[error("the database has version {found}, this gateway knows {known}")]
    TooNew {
        /// Version in the file.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// Anything else SQLite says.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// PostgreSQL, or the way to it, does not work or is not safe.
    #[error("PostgreSQL: {0}")]
    Postgres(String),
}
