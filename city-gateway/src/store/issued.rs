//! What the gateway needs from a database about documents that the city issued: that it did, and whether it still stands
//! by them.
//!
//! Deliberately absent: for whom, and what one says. Whoever checks a document brings it.

use super::Reply;
use super::desk::AuditEntry;

/// Documents that ended before the cut and are taken away with one that is issued: the table stays as large as what is
/// still of use.
pub(crate) const TAKEN_AWAY: i64 = 20;

/// A document, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedDocument {
    /// Its number, as printed.
    pub number: String,
    /// Code of the service item.
    pub item: String,
    /// SHA-256 (hex) of its stamp.
    pub stamp_sha256: String,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// When it ends.
    pub ends_at_ms: i64,
    /// When the city took it back.
    pub revoked_at_ms: Option<i64>,
}

/// The list of issued documents.
pub trait IssuedDocuments: Send + Sync {
    /// Notes a document, with its audit line; `false`, and nothing is noted, when the number is taken. Some of those
    /// that ended before the cut are forgotten.
    fn issue(&self, document: IssuedDocument, ended_before_ms: i64, audit: AuditEntry) -> Reply<'_, bool>;

    /// Adds the audit line of a look-up that led to no document.
    fn note(&self, audit: AuditEntry) -> Reply<'_, ()>;

    /// The document with this number.
    fn issued<'a>(&'a self, number: &'a str) -> Reply<'a, Option<IssuedDocument>>;

    /// Takes a document back, with its audit line; `false`, and nothing is noted, when there is none or it was taken back
    /// before.
    fn revoke_document<'a>(&'a self, number: &'a str, at_ms: i64, audit: AuditEntry) -> Reply<'a, bool>;
}
