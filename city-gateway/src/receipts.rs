//! Receipts and answers to hello, signed with the city's key.
//!
//! Deliberately absent: a way to sign a receipt for a record that is not kept. The signer takes the store's
//! [`Acceptance`], and only a commit makes one.

use sync_protocol::{
    CityReceiptKey, Command, EarlierAnswer, HelloAnswer, Manifest, PROTOCOL_VERSION, Receipt, ReceiptStatus,
};

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

    /// A receipt for what the store did. The same record in the same state gets the same receipt, byte for byte, in
    /// the version its terminal wrote. `complete` says that all its blobs are whole.
    pub(crate) fn receipt(&self, manifest: &Manifest, acceptance: &Acceptance, complete: Complete) -> String {
        let status = match acceptance.kept {
            Kept::Inbox | Kept::InboxOtherManifest => ReceiptStatus::Accepted,
            Kept::Quarantine(_) => ReceiptStatus::ConflictRecorded,
        };
        let receipt = Receipt {
            version: manifest.version.min(PROTOCOL_VERSION),
            epoch: self.epoch.clone(),
            terminal: manifest.terminal.clone(),
            incarnation: manifest.incarnation.clone(),
            seq: manifest.seq,
            case_id: manifest.case_id.clone(),
            sha256: manifest.sha256.clone(),
            status,
            complete: complete == Complete::Yes,
            server_time_ms: acceptance.received_at_ms,
        };
        receipt.sign(&self.key)
    }

    /// The answer to hello.
    pub(crate) fn hello(&self, terminal: &str, received: Received, facts: HelloFacts<'_>) -> String {
        let answer = HelloAnswer {
            version: facts.version.min(PROTOCOL_VERSION),
            terminal: terminal.to_owned(),
            server_time_ms: facts.now_ms,
            epoch: self.epoch.clone(),
            received: received.ranges,
            durable_seq: received.durable_seq,
            catalog_version: facts.catalog_version.to_owned(),
            send_allowance: facts.send_allowance,
            retry_after_s: facts.retry_after_s,
            nonce: facts.nonce,
            continuity: facts.continuity,
            earlier: facts.earlier,
            commands: facts.commands,
        };
        answer.sign(&self.key)
    }
}

/// What an answer to hello says beside the ranges.
pub(crate) struct HelloFacts<'a> {
    pub(crate) now_ms: i64,
    pub(crate) catalog_version: &'a str,
    pub(crate) send_allowance: u32,
    pub(crate) retry_after_s: u32,
    /// Version of the question.
    pub(crate) version: u16,
    pub(crate) nonce: Option<String>,
    pub(crate) continuity: Option<String>,
    pub(crate) earlier: Vec<EarlierAnswer>,
    pub(crate) commands: Vec<Command>,
}

/// Whether every blob that a manifest names is held whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complete {
    Yes,
    No,
}
