//! Why a catalog was not taken over. The one in use stays in use, whatever the reason.

use std::io;

use crate::client::Cause;

/// Why a repository could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no catalog at all.
    #[error("it offers no catalog")]
    NotOffered,
    /// The city did not answer as it should.
    #[error("the city's answer: {}", .0.code())]
    City(Cause),
    /// A file cannot be read.
    #[error("a file cannot be read: {0}")]
    File(io::ErrorKind),
    /// A file is longer than any file of a catalog.
    #[error("a file is longer than a catalog's file may be")]
    TooLarge,
}

/// Why a catalog was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The root of trust cannot be used.
    #[error("keys/catalog-root.json cannot be used")]
    Root,
    /// The catalog's folder could not be read or written.
    #[error("the catalog's folder cannot be written")]
    Disk(#[from] io::Error),
    /// The repository could not be read.
    #[error("the repository cannot be read")]
    Unreachable(#[source] Trouble),
    /// Something in it is older than what was seen before.
    #[error("it is older than what was here before: {what} {offered} after {known}")]
    Older {
        /// Which part.
        what: &'static str,
        /// Version seen before.
        known: u64,
        /// Version offered.
        offered: u64,
    },
    /// The library found something older.
    #[error("it is older than what was here before")]
    Rollback(#[source] Box<tough::error::Error>),
    /// It expired before a moment that has certainly passed.
    #[error("its {role} expired {days} days ago")]
    Expired {
        /// Which role.
        role: &'static str,
        /// Whole days since then, at least.
        days: i64,
    },
    /// Another catalog with the same number was here before.
    #[error("another catalog with the number {0} was here before")]
    Contradiction(u64),
    /// A signature, a hash or the form is wrong.
    #[error("it is not signed as it should be, or damaged")]
    NotTrusted(#[source] Box<tough::error::Error>),
    /// A file has a name that is not used here.
    #[error("a file in it has a name that is not allowed")]
    Name,
    /// More or larger than a catalog may be.
    #[error("it is larger than a catalog may be")]
    TooLarge,
}

impl CatalogError {
    /// A short code for the status file.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Disk(_) => "disk",
            Self::Unreachable(Trouble::NotOffered) => "not-offered",
            Self::Unreachable(_) => "unreachable",
            Self::Older { .. } | Self::Rollback(_) => "older",
            Self::Expired { .. } => "expired",
            Self::Contradiction(_) => "contradiction",
            Self::NotTrusted(_) => "not-trusted",
            Self::Name => "bad-name",
            Self::TooLarge => "too-large",
        }
    }
}

impl From<tough::error::Error> for CatalogError {
    fn from(error: tough::error::Error) -> Self {
        use tough::error::Error;
        match error {
            Error::OlderMetadata { .. }
            | Error::OlderSnapshotInTimestamp { .. }
            | Error::SnapshotRoleRollback { .. }
            | Error::SnapshotRoleMissing { .. } => Self::Rollback(Box::new(error)),
            _ => Self::NotTrusted(Box::new(error)),
        }
    }
}
