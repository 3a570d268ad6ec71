//! Receipts and answers to hello, signed with the city's key.
//!
//! Deliberately absent: a way to sign a receipt for a record that is not kept. The signer takes the store's
//! [`Acceptance`], and only a commit makes one.

use sync_protocol::{CityReceiptKey, HelloAnswer, Manifest, PROTOCOL_VERSION, Receipt, ReceiptStatus};

use crate::store::{Acceptance, Kept, Received};

/// Signs for the city.
pub(crate) struct Signer {
    key: CityReceiptKey,
    epoch: String,
}

impl Signer {
    pub(crate) fn new(key: CityReceiptKey, epoch: String) -> Self {
        Self { key, epoch }
    }

    /// A receipt for what the store did. The same record gets the same receipt, byte for byte.
    pub(crate) fn receipt(&self, manifest: &Manifest, acceptance: &Acceptance) -> String {
        let status = match acceptance.kept {
            Kept::Inbox | Kept::InboxOtherManifest => ReceiptStatus::Accepted,
            Kept::Quarantine(_) => ReceiptStatus::ConflictRecorded,
        };
        let receipt = Receipt {
            version: PROTOCOL_VERSION,
            epoch: self.epoch.clone(),
            terminal: manifest.terminal.clone(),
            incarnation: manifest.incarnation.clone(),
            seq: manifest.seq,
            case_id: manifest.case_id.clone(),
            sha256: manifest.sha256.clone(),
            status,
            complete: true,
            server_time_ms: acceptance.received_at_ms,
        };
        receipt.sign(&self.key)
    }

    /// The answer to hello.
    pub(crate) fn hello(&self, terminal: &str, received: Received, facts: HelloFacts<'_>) -> String {
        let answer = HelloAnswer {
            version: PROTOCOL_VERSION,
            terminal: terminal.to_owned(),
            server_time_ms: facts.now_ms,
            epoch: self.epoch.clone(),
            received: received.ranges,
            durable_seq: received.durable_seq,
            catalog_version: facts.catalog_version.to_owned(),
            send_allowance: facts.send_allowance,
            retry_after_s: 0,
            nonce: None,
            continuity: None,
            earlier: Vec::new(),
            commands: Vec::new(),
        };
        answer.sign(&self.key)
    }
}

/// What an answer to hello says beside the ranges.
pub(crate) struct HelloFacts<'a> {
    pub(crate) now_ms: i64,
    pub(crate) catalog_version: &'a str,
    pub(crate) send_allowance: u32,
}
