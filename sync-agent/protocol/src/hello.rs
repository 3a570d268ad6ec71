//! Hello: the terminal says how far it is, the city answers what it has. Ranges, not a cursor, so a gap or a
//! restored backup shows by itself.

use serde::{Deserialize, Serialize};

use crate::jws::{self, Use};
use crate::manifest::{ClockEvidence, is_name, is_terminal_code};
use crate::{CityReceiptKey, CityReceiptPublicKey, ProtocolError, limits};

const USE: Use = Use { alg: "EdDSA", typ: "kiosk-hello+jws", what: "hello", limit: limits::MAX_HELLO };

/// Body of `POST /v1/hello`. Unsigned: the client certificate says who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloRequest {
    /// Version of this protocol.
    pub version: u16,
    /// Code of the terminal.
    pub terminal: String,
    /// Incarnation of its queue.
    pub incarnation: String,
    /// Highest finalised position in the queue, 0 when it is empty.
    pub finalised_seq: u64,
    /// Age of the oldest record without a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_unacked_age_s: Option<u64>,
    /// Version of the sync agent.
    pub agent_version: String,
    /// What the terminal's clock is worth.
    pub clock: ClockEvidence,
    /// Random, repeated in the answer, so that an old answer cannot set the terminal's clock. Since version 2, like
    /// everything below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Hash of the manifest at `finalised_seq`: tells apart two disks that both say they are this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_hash: Option<String>,
    /// The token of the last answer this disk has seen. A copy of the disk, or a disk restored from an older image,
    /// has an older one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<String>,
    /// Value of the TPM's monotonic counter, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm_counter: Option<u64>,
    /// Earlier lives of the queue on this disk of which not everything is durable yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierQueue>,
    /// What the terminal counts; the city compares it with what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Version of the catalog that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_version: Option<String>,
    /// How full the disk of the state folder is, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_used_percent: Option<u8>,
}

/// An earlier life of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierQueue {
    /// Its random name.
    pub incarnation: String,
    /// Its last finalised position.
    pub finalised_seq: u64,
}

/// The terminal's books, over all lives of its queue: `issued = acknowledged + waiting`, and `side_lane` and `voided`
/// are part of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Records finalised.
    pub issued: u64,
    /// Of these, with a verified receipt.
    pub acknowledged: u64,
    /// Of these, without one.
    pub waiting: u64,
    /// Of the waiting, those that wait apart from the rest.
    pub side_lane: u64,
    /// Places closed by a void.
    pub voided: u64,
    /// Sealed bytes, blobs included, that were not sent yet.
    pub waiting_bytes: u64,
}

/// What the city has of this terminal, and how fast it may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloAnswer {
    /// Version of this protocol.
    pub version: u16,
    /// Code of the terminal that asked.
    pub terminal: String,
    /// Clock of the city, milliseconds since 1970.
    pub server_time_ms: i64,
    /// Life of the city's store; changes when it was restored from a backup.
    pub epoch: String,
    /// Inclusive ranges of positions the city has of this incarnation.
    pub received: Vec<(u64, u64)>,
    /// Up to here every position is safe even against the loss of the city's machine.
    pub durable_seq: u64,
    /// Version of the catalog the city offers.
    pub catalog_version: String,
    /// How many records may be under way at once.
    pub send_allowance: u32,
    /// How long to wait before the first record, in seconds.
    pub retry_after_s: u32,
    /// The question's. Since version 2, like everything below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// To be put on disk and said in the next hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<String>,
    /// The same as above for each earlier life that was asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierAnswer>,
    /// What the terminal is asked to do. Unknown ones are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "commands")]
    pub commands: Vec<Command>,
}

/// What the city has of an earlier life of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierAnswer {
    /// Its random name.
    pub incarnation: String,
    /// Inclusive ranges of positions the city has.
    pub received: Vec<(u64, u64)>,
    /// Up to here every position is safe even against the loss of the city's machine.
    pub durable_seq: u64,
}

/// Something the city asks a terminal to do, in words that are safe to hear twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// This disk is a copy, or an older image, of one that the city knows: go on in a new life of the queue. What
    /// waits in the old one is still delivered.
    BeginIncarnation,
    /// Look for a newer catalog.
    FetchCatalog,
    /// Ask for a new certificate.
    RenewCertificate,
    /// From a newer city.
    #[serde(other)]
    Unknown,
}

/// A newer city may say more than a word; what is not known here, whatever its shape, must not hide the rest.
fn commands<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Command>, D::Error> {
    let said = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(said.into_iter().map(|one| serde_json::from_value(one).unwrap_or(Command::Unknown)).collect())
}

impl HelloRequest {
    /// Reads a body and refuses what is too long or no hello.
    pub fn from_json(body: &[u8]) -> Result<Self, ProtocolError> {
        if body.len() > limits::MAX_HELLO_REQUEST {
            return Err(ProtocolError::TooLarge { what: "hello", limit: limits::MAX_HELLO_REQUEST });
        }
        let hello: Self = serde_json::from_slice(body).map_err(|_| ProtocolError::BadJson("hello"))?;
        let names = hello.earlier.iter().map(|queue| &queue.incarnation).chain([&hello.incarnation]);
        let tokens = [&hello.nonce, &hello.continuity].into_iter().flatten();
        if hello.earlier.len() > limits::MAX_EARLIER || !names.chain(tokens).all(|name| is_name(name)) {
            return Err(ProtocolError::BadContent("a name in the hello"));
        }
        Ok(hello)
    }
}

impl HelloAnswer {
    /// Signs the answer.
    pub fn sign(&self, key: &CityReceiptKey) -> String {
        jws::sign(&USE, Some(&key.kid()), self, |bytes| key.sign(bytes))
    }

    /// Checks signature, type and shape.
    pub fn verify(jws: &str, key: &CityReceiptPublicKey) -> Result<Self, ProtocolError> {
        let answer: Self =
            jws::verify(&USE, jws, Some(key.kid()), |bytes, signature| key.verify(bytes, signature))?;
        if !is_name(&answer.epoch) {
            return Err(ProtocolError::BadContent("epoch"));
        }
        if !is_terminal_code(&answer.terminal) {
            return Err(ProtocolError::BadContent("terminal"));
        }
        if answer.earlier.len() > limits::MAX_EARLIER {
            return Err(ProtocolError::BadContent("earlier"));
        }
        if answer.continuity.as_deref().is_some_and(|token| !is_name(token)) {
            return Err(ProtocolError::BadContent("continuity"));
        }
        Ok(answer)
    }
}

/// Body of a 200 to `POST /v1/hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloReply {
    /// Compact JWS of a [`HelloAnswer`].
    pub hello: String,
}
