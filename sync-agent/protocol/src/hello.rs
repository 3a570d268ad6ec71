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
        Ok(answer)
    }
}

/// Body of a 200 to `POST /v1/hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloReply {
    /// Compact JWS of a [`HelloAnswer`].
    pub hello: String,
}
