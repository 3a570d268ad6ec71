//! The manifest: what a terminal says, in clear and signed, about a record whose content is sealed.
//!
//! It holds no personal data: only names of the record, its place in the terminal's chain, and hashes.

use serde::{Deserialize, Serialize};

use crate::jws::{self, Use};
use crate::{ProtocolError, TerminalKey, TerminalPublicKey, limits, sha256_hex};

/// `prev_hash` of the first record of an incarnation.
pub const NO_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const USE: Use =
    Use { alg: "ES256", typ: "kiosk-manifest+jws", what: "manifest", limit: limits::MAX_MANIFEST };

/// What a sealed record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A resident's finished request.
    Case,
    /// The stars given to a case.
    Rating,
    /// Stands in the place of a record whose bytes were lost at the terminal, so that the place does not block the
    /// queue: its content is empty, [`Manifest::voids`] names what stood there.
    Void,
}

/// A blob that belongs to a record, named by the hash of its sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// Lower-case hex SHA-256 of the sealed blob.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl BlobRef {
    fn is_good(&self) -> bool {
        is_hash(&self.sha256) && (1..=limits::MAX_BLOB).contains(&self.bytes)
    }
}

/// What the terminal knows about its own clock, so that the city can judge times later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEvidence {
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Monotonic clock, milliseconds since boot.
    pub monotonic_ms: u64,
    /// Identifies the boot the monotonic clock belongs to.
    pub boot_id: String,
    /// Seconds since the clock was last compared with the city's, when it ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_age_s: Option<u64>,
}

/// The signed description of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this protocol.
    pub version: u16,
    /// What is inside the seal.
    pub kind: RecordKind,
    /// Code of the terminal, six characters of `A-Z0-9`.
    pub terminal: String,
    /// Random name of this life of the terminal's queue.
    pub incarnation: String,
    /// Position in that queue, from 1 without gaps.
    pub seq: u64,
    /// UUID of this record.
    pub case_id: String,
    /// For a rating: the case it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// For a void: hash of the manifest that stood in this place, as the terminal still knows it. Since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voids: Option<String>,
    /// Case number as printed.
    pub case_number: String,
    /// Verification code as printed in the QR.
    pub verification: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Version of the catalog the resident saw.
    pub catalog_version: String,
    /// SHA-256 (hex) of the manifest before this one, [`NO_PREVIOUS`] for the first.
    pub prev_hash: String,
    /// SHA-256 (hex) of the ciphertext.
    pub sha256: String,
    /// Length of the ciphertext.
    pub bytes: u64,
    /// Blobs of this record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobRef>,
    /// What the clock was worth when the record was finalised.
    pub clock: ClockEvidence,
}

impl Manifest {
    /// Signs the manifest; the returned text is what is stored, sent and hashed.
    pub fn sign(&self, key: &TerminalKey) -> String {
        jws::sign(&USE, None, self, |bytes| key.sign(bytes))
    }

    /// Checks signature, type and shape.
    pub fn verify(jws: &str, key: &TerminalPublicKey) -> Result<Self, ProtocolError> {
        let manifest: Self = jws::verify(&USE, jws, None, |bytes, signature| key.verify(bytes, signature))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads a manifest without believing it: to find out whose key to check it with, or to show it.
    pub fn unverified(jws: &str) -> Result<Self, ProtocolError> {
        jws::peek(&USE, jws)
    }

    /// The hash that the next record names as its `prev_hash`: SHA-256 over the signed text.
    pub fn hash(jws: &str) -> String {
        sha256_hex(jws.as_bytes())
    }

    /// Whether every field has the shape both ends rely on. A terminal checks before it signs.
    pub fn check(&self) -> Result<(), ProtocolError> {
        let bad = |field| Err(ProtocolError::BadContent(field));
        if !is_terminal_code(&self.terminal) {
            return bad("terminal");
        }
        if !is_name(&self.incarnation) {
            return bad("incarnation");
        }
        if self.seq == 0 || self.seq > i64::MAX as u64 {
            return bad("seq");
        }
        if !is_uuid(&self.case_id) {
            return bad("case_id");
        }
        if self.about.as_deref().is_some_and(|about| !is_uuid(about)) {
            return bad("about");
        }
        if self.voids.as_deref().is_some_and(|hash| !is_hash(hash)) {
            return bad("voids");
        }
        if self.kind == RecordKind::Void && (self.bytes != 0 || !self.blobs.is_empty()) {
            return bad("a void has no content");
        }
        if !is_hash(&self.prev_hash) {
            return bad("prev_hash");
        }
        if !is_hash(&self.sha256) {
            return bad("sha256");
        }
        if self.bytes > limits::MAX_CIPHERTEXT as u64 {
            return bad("bytes");
        }
        if self.blobs.len() > limits::MAX_BLOBS || self.blobs.iter().any(|blob| !blob.is_good()) {
            return bad("blobs");
        }
        let texts =
            [&self.case_number, &self.verification, &self.item, &self.catalog_version, &self.clock.boot_id];
        if texts.iter().any(|text| text.len() > limits::MAX_FIELD) {
            return bad("a text field is too long");
        }
        Ok(())
    }
}

/// Six characters of `A-Z0-9`.
pub(crate) fn is_terminal_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A short name without spaces: incarnation, epoch.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= limits::MAX_FIELD
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Lower-case hex SHA-256.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Lower-case UUID in its usual form; it becomes part of a URL path, so nothing else is let through.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}
