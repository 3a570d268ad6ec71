//! A case on its way from the city to the department that decides about it.
//!
//! What travels is the same by webhook, pull feed and message queue: a [`DeliveryNote`] that the city signed, beside
//! the case sealed to the department alone. The note says which case it is and which bytes belong to it, and holds
//! nothing that identifies a person; so whatever lies between the two ends can carry, log and repeat it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::jws::{self, Use};
use crate::manifest::{is_hash, is_terminal_code, is_uuid};
use crate::{BlobRef, CityReceiptKey, CityReceiptPublicKey, ProtocolError, limits, sha256_hex};

const USE: Use =
    Use { alg: "EdDSA", typ: "kiosk-delivery+jws", what: "delivery note", limit: limits::MAX_DELIVERY_NOTE };

/// The city's signed statement about a case that it gives to a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryNote {
    /// Version of this protocol.
    pub version: u16,
    /// Names the case for good: the same case delivered again has the same id.
    pub id: String,
    /// Code of the department that it is for. Another one has to refuse it.
    pub department: String,
    /// Code of the terminal that it came from.
    pub terminal: String,
    /// UUID of the record.
    pub case_id: String,
    /// Case number as printed on the receipt.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// SHA-256 (hex) of what the terminal sealed; the resident's receipt is about the same hash.
    pub record_sha256: String,
    /// SHA-256 (hex) of what is sealed to the department, beside this note. Sealing again gives other bytes.
    pub sealed_sha256: String,
    /// Photos and scans that belong to the case, by the hash of what the terminal sealed.
    pub blobs: Vec<BlobRef>,
    /// The id of the case that this one follows: a supplement to it, or its withdrawal. Absent of everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// When the city received the case, milliseconds since 1970.
    pub received_at_ms: i64,
    /// When this note was made, milliseconds since 1970. A note that is much older than its arrival was replayed.
    pub created_at_ms: i64,
}

impl DeliveryNote {
    /// The id of a case. Case ids are random, but a terminal could choose another one's; so the terminal, which the
    /// city knows by its key, is part of it.
    pub fn id_of(terminal: &str, case_id: &str) -> String {
        format!("{terminal}.{case_id}")
    }

    /// Signs the note.
    pub fn sign(&self, key: &CityReceiptKey) -> String {
        jws::sign(&USE, Some(&key.kid()), self, |bytes| key.sign(bytes))
    }

    /// Checks signature, type and shape.
    pub fn verify(jws: &str, key: &CityReceiptPublicKey) -> Result<Self, ProtocolError> {
        let note: Self =
            jws::verify(&USE, jws, Some(key.kid()), |bytes, signature| key.verify(bytes, signature))?;
        let bad = |field| Err(ProtocolError::BadContent(field));
        if !is_terminal_code(&note.terminal) {
            return bad("terminal");
        }
        if !is_uuid(&note.case_id) {
            return bad("case_id");
        }
        if note.id != Self::id_of(&note.terminal, &note.case_id) {
            return bad("id");
        }
        if !is_hash(&note.sealed_sha256) {
            return bad("sealed_sha256");
        }
        Ok(note)
    }
}

/// What a department gets: the note, and the case sealed to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDelivery {
    /// Compact JWS of a [`DeliveryNote`].
    pub note: String,
    /// age ciphertext of a [`crate::Submission`], in base64 (RFC 4648, padded).
    pub sealed: String,
}

impl CaseDelivery {
    /// Puts the two together.
    pub fn new(note: String, sealed: &[u8]) -> Self {
        Self { note, sealed: STANDARD.encode(sealed) }
    }

    /// Checks the note and that the sealed bytes are the ones it speaks of; returns both. Whether it is for this
    /// department, not too old, and not known already, is for the caller to see.
    pub fn verify(&self, key: &CityReceiptPublicKey) -> Result<(DeliveryNote, Vec<u8>), ProtocolError> {
        let note = DeliveryNote::verify(&self.note, key)?;
        let sealed = STANDARD.decode(&self.sealed).map_err(|_| ProtocolError::BadContent("sealed"))?;
        if sha256_hex(&sealed) != note.sealed_sha256 {
            return Err(ProtocolError::BadContent("sealed_sha256"));
        }
        Ok((note, sealed))
    }
}

impl fmt::Debug for CaseDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaseDelivery").field("note", &self.note).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(sealed: &[u8]) -> DeliveryNote {
        let case_id = "00000000-0000-4000-8000-000000000001";
        DeliveryNote {
            version: crate::PROTOCOL_VERSION,
            id: DeliveryNote::id_of("DG0001", case_id),
            department: "rsj".into(),
            terminal: "DG0001".into(),
            case_id: case_id.into(),
            case_number: "DG0001-7K3M9QXF-R".into(),
            item: "appeal".into(),
            item_version: 3,
            record_sha256: "a".repeat(64),
            sealed_sha256: sha256_hex(sealed),
            blobs: Vec::new(),
            about: None,
            received_at_ms: 5,
            created_at_ms: 7,
        }
    }

    #[test]
    fn a_delivery_is_what_the_city_signed_and_nothing_else() {
        let key = CityReceiptKey::generate();
        let good = CaseDelivery::new(note(b"sealed").sign(&key), b"sealed");
        let (read, sealed) = good.verify(&key.public()).unwrap();
        assert_eq!((read, sealed.as_slice()), (note(b"sealed"), b"sealed".as_slice()));
        assert!(good.verify(&CityReceiptKey::generate().public()).is_err());
        let other = CaseDelivery::new(good.note.clone(), b"other");
        assert_eq!(other.verify(&key.public()), Err(ProtocolError::BadContent("sealed_sha256")));
        // The id names terminal and case; one of them alone could be another's.
        let renamed = DeliveryNote { id: "DG0002.x".into(), ..note(b"sealed") }.sign(&key);
        assert_eq!(DeliveryNote::verify(&renamed, &key.public()), Err(ProtocolError::BadContent("id")));
    }

    #[test]
    fn a_receipt_is_no_delivery_note() {
        let key = CityReceiptKey::generate();
        let other = Use { typ: "kiosk-receipt+jws", ..USE };
        let text = jws::sign(&other, None, &note(b"x"), |bytes| key.sign(bytes));
        assert_eq!(DeliveryNote::verify(&text, &key.public()), Err(ProtocolError::WrongType));
    }
}
