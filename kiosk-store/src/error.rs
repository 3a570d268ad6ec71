//! What can go wrong with a store, and what is to be done about it.

use rusqlite::ErrorCode;

/// A failure of a store. No variant carries stored content.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another part of this one, already writes this file.
    #[error("{0} already has a writer")]
    AnotherWriter(&'static str),
    /// No room left on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// The database or the chain of its rows is damaged.
    #[error("{file} is damaged: {what}")]
    Corrupt {
        /// Which file.
        file: &'static str,
        /// What was noticed.
        what: String,
    },
    /// The disk or the operating system failed; nothing may be assumed about the last write.
    #[error("{doing} failed: {kind:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The file is in use for a moment.
    #[error("the database is busy")]
    Busy,
    /// SQLite answered something else.
    #[error("SQLite refused: {code:?} ({extended})")]
    Database {
        /// SQLite's class of error.
        code: ErrorCode,
        /// SQLite's extended number.
        extended: i32,
    },
    /// A setting on which durability depends did not hold.
    #[error("the setting {name} is {found:?} instead of {wanted:?}")]
    Setting {
        /// Name of the pragma.
        name: &'static str,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// Linked against an SQLite with the WAL-reset race.
    #[error("SQLite {0} is too old")]
    OldSqlite(&'static str),
    /// Written by a later release.
    #[error("{file} has schema {found}, this release knows up to {known}")]
    LaterSchema {
        /// Which file.
        file: &'static str,
        /// Version found.
        found: i64,
        /// Latest version known.
        known: i64,
    },
    /// The outbox belongs to another terminal.
    #[error("the outbox belongs to another terminal")]
    OtherTerminal,
    /// The slot given is no longer the next one.
    #[error("the record was prepared for another place in the queue")]
    SlotTaken,
    /// A hash given does not fit its bytes.
    #[error("the {0} does not fit its hash")]
    HashMismatch(&'static str),
    /// An earlier write failed; the store must be reopened, which checks what really is on disk.
    #[error("the store must be reopened after a failed write")]
    MustReopen,
    /// The audit event is declared for the chain of another process.
    #[error("the audit event {0} belongs to the chain of another process")]
    OtherChain(&'static str),
    /// No such row.
    #[error("no such record")]
    NotFound,
}

/// The classes a session distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Nothing is lost or damaged; the same may work a moment later.
    Retry,
    /// No room: submissions close until there is.
    DiskFull,
    /// Damaged data or a wrong file: needs a person.
    Corrupt,
    /// The disk failed: reopen, which verifies.
    Io,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreRemedy {
    /// Try again.
    Retry,
    /// Close submissions until there is room; information still works.
    CloseUntilRoom,
    /// Close the store, open it again and look whether the record is there.
    Reopen,
    /// Close submissions and call the operator: the file is to be kept aside as evidence, never repaired in place.
    CallOperator,
}

impl StoreError {
    /// The class of this error.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Busy | Self::AnotherWriter(_) | Self::SlotTaken | Self::NotFound => StoreErrorKind::Retry,
            Self::DiskFull => StoreErrorKind::DiskFull,
            Self::Corrupt { .. } | Self::OtherTerminal | Self::LaterSchema { .. } => StoreErrorKind::Corrupt,
            Self::HashMismatch(_) | Self::OtherChain(_) => StoreErrorKind::Corrupt,
            Self::Io { .. }
            | Self::Database { .. }
            | Self::Setting { .. }
            | Self::OldSqlite(_)
            | Self::MustReopen => StoreErrorKind::Io,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> StoreRemedy {
        match self {
            Self::Setting { .. } | Self::OldSqlite(_) => StoreRemedy::CallOperator,
            _ => match self.kind() {
                StoreErrorKind::Retry => StoreRemedy::Retry,
                StoreErrorKind::DiskFull => StoreRemedy::CloseUntilRoom,
                StoreErrorKind::Corrupt => StoreRemedy::CallOperator,
                StoreErrorKind::Io => StoreRemedy::Reopen,
            },
        }
    }

    /// Whether an earlier promise of the disk can no longer be trusted.
    pub(crate) fn shakes_trust(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Io { .. } => true,
            // Refused by the schema, before anything was written.
            Self::Database { code, .. } => *code != ErrorCode::ConstraintViolation,
            _ => false,
        }
    }

    pub(crate) fn io(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io { doing, kind },
        }
    }

    pub(crate) fn sql(file: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |error| match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            rusqlite::Error::SqliteFailure(cause, _) => match cause.code {
                ErrorCode::DiskFull => Self::DiskFull,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    Self::Corrupt { file, what: "SQLite cannot read it".into() }
                }
                code => Self::Database { code, extended: cause.extended_code },
            },
            // A column of another type than the schema's: someone else wrote it.
            _ => Self::Corrupt { file, what: "a row is not of the expected shape".into() },
        }
    }
}
