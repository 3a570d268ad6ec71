//! The receipt: the only thing on which a terminal may believe that the city holds a record.

use serde::{Deserialize, Serialize};

use crate::jws::{self, Use};
use crate::manifest::{is_hash, is_name, is_terminal_code, is_uuid};
use crate::{CityReceiptKey, CityReceiptPublicKey, ProtocolError, limits};

const USE: Use = Use { alg: "EdDSA", typ: "kiosk-receipt+jws", what: "receipt", limit: limits::MAX_RECEIPT };

/// What the city did with a record. Both mean that it is kept and need not be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// Taken into the inbox.
    Accepted,
    /// Kept aside, because another record already has this id or this place in the queue.
    ConflictRecorded,
}

/// A signed statement about one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of this protocol.
    pub version: u16,
    /// Life of the city's store; changes when it was restored from a backup.
    pub epoch: String,
    /// Code of the terminal.
    pub terminal: String,
    /// Incarnation of the terminal's queue.
    pub incarnation: String,
    /// Position in that queue.
    pub seq: u64,
    /// UUID of the record.
    pub case_id: String,
    /// SHA-256 (hex) of the ciphertext that was kept.
    pub sha256: String,
    /// What was done with it.
    pub status: ReceiptStatus,
    /// Whether every blob that the manifest names is held too; judged by the city from the manifest. A record
    /// without blobs is complete at once, so receipts of version 1 are.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub complete: bool,
    /// Clock of the city, milliseconds since 1970.
    pub server_time_ms: i64,
}

impl Receipt {
    /// Signs the receipt.
    pub fn sign(&self, key: &CityReceiptKey) -> String {
        jws::sign(&USE, Some(&key.kid()), self, |bytes| key.sign(bytes))
    }

    /// Checks signature, type and shape.
    pub fn verify(jws: &str, key: &CityReceiptPublicKey) -> Result<Self, ProtocolError> {
        let receipt: Self =
            jws::verify(&USE, jws, Some(key.kid()), |bytes, signature| key.verify(bytes, signature))?;
        receipt.check()?;
        Ok(receipt)
    }

    /// Reads a receipt without believing it. Nothing may change state on the strength of this.
    pub fn unverified(jws: &str) -> Result<Self, ProtocolError> {
        jws::peek(&USE, jws)
    }

    /// Whether this receipt speaks of exactly this record.
    pub fn matches(&self, terminal: &str, incarnation: &str, seq: u64, case_id: &str, sha256: &str) -> bool {
        self.terminal == terminal
            && self.incarnation == incarnation
            && self.seq == seq
            && self.case_id == case_id
            && self.sha256 == sha256
    }

    fn check(&self) -> Result<(), ProtocolError> {
        let bad = |field| Err(ProtocolError::BadContent(field));
        if !is_name(&self.epoch) {
            return bad("epoch");
        }
        if !is_terminal_code(&self.terminal) {
            return bad("terminal");
        }
        if !is_name(&self.incarnation) {
            return bad("incarnation");
        }
        if !is_uuid(&self.case_id) {
            return bad("case_id");
        }
        if !is_hash(&self.sha256) {
            return bad("sha256");
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}

fn is_yes(complete: &bool) -> bool {
    *complete
}

/// Body of a 200 to `PUT /v1/records/{case_id}` and to `GET /v1/records/{case_id}/receipt`; the latter answers 404
/// when the city does not hold the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptReply {
    /// Compact JWS of a [`Receipt`].
    pub receipt: String,
}
