//! The body of `PUT /v1/records/{case_id}`: a signed manifest beside its ciphertext.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{Manifest, ProtocolError, limits};

/// A record as it lies in the queue and travels. In JSON the ciphertext is base64 (RFC 4648, padded).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedRecord {
    /// Compact JWS of a [`Manifest`].
    pub manifest: String,
    /// age ciphertext.
    #[serde(serialize_with = "as_base64", deserialize_with = "from_base64")]
    pub ciphertext: Vec<u8>,
}

impl SealedRecord {
    /// Writes the body. Done by hand because neither part ever needs escaping, and this is the hot path.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text =
            String::with_capacity(self.manifest.len() + self.ciphertext.len().div_ceil(3) * 4 + 40);
        text.push_str("{\"manifest\":\"");
        // A JWS has no character that JSON escapes; should one appear, it must not break the JSON.
        text.extend(self.manifest.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')));
        text.push_str("\",\"ciphertext\":\"");
        STANDARD.encode_string(&self.ciphertext, &mut text);
        text.push_str("\"}");
        text.into_bytes()
    }

    /// Reads a body and refuses what is too long or no sealed record at all.
    pub fn from_json(body: &[u8]) -> Result<Self, ProtocolError> {
        if body.len() > limits::MAX_RECORD_BODY {
            return Err(ProtocolError::TooLarge { what: "record", limit: limits::MAX_RECORD_BODY });
        }
        let record: Self =
            serde_json::from_slice(body).map_err(|_| ProtocolError::BadJson("sealed record"))?;
        if record.manifest.len() > limits::MAX_MANIFEST {
            return Err(ProtocolError::TooLarge { what: "manifest", limit: limits::MAX_MANIFEST });
        }
        if record.ciphertext.len() > limits::MAX_CIPHERTEXT {
            return Err(ProtocolError::TooLarge { what: "ciphertext", limit: limits::MAX_CIPHERTEXT });
        }
        Ok(record)
    }

    /// Whether the ciphertext is the one the manifest speaks of.
    pub fn matches(&self, manifest: &Manifest) -> bool {
        self.ciphertext.len() as u64 == manifest.bytes && sha256_hex(&self.ciphertext) == manifest.sha256
    }
}

impl fmt::Debug for SealedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRecord")
            .field("manifest_bytes", &self.manifest.len())
            .field("ciphertext_bytes", &self.ciphertext.len())
            .finish()
    }
}

/// Lower-case hex SHA-256, as used everywhere in this protocol.
pub fn sha256_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    STANDARD.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("not base64"))
}
