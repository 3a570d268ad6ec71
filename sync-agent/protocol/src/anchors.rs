//! Which authorities certify the city's servers, said by the city itself and signed with its receipt key.
//!
//! A terminal that was offline while the city changed its authority cannot verify the city's TLS any more. It then
//! asks for this statement over a connection it does not trust, with a number it made up for the occasion; the
//! signature and that number are what it believes, nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::jws::{self, Use};
use crate::manifest::is_name;
use crate::{CityReceiptKey, CityReceiptPublicKey, ProtocolError, limits};

const USE: Use = Use {
    alg: "EdDSA",
    typ: "kiosk-anchors+jws",
    what: "statement of anchors",
    limit: limits::MAX_ANCHOR_STATEMENT,
};

/// The authorities that certify the city's servers now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorStatement {
    /// Version of this protocol.
    pub version: u16,
    /// The number the terminal asked with: proof that this statement is not an old one.
    pub nonce: String,
    /// Clock of the city, milliseconds since 1970.
    pub server_time_ms: i64,
    /// CA certificates, DER in base64; all of them are trusted, no others.
    pub anchors: Vec<String>,
}

impl AnchorStatement {
    /// A statement that lists these certificates (DER).
    pub fn new<T: AsRef<[u8]>>(nonce: &str, server_time_ms: i64, anchors: &[T]) -> Self {
        Self {
            version: crate::PROTOCOL_VERSION,
            nonce: nonce.to_owned(),
            server_time_ms,
            anchors: anchors.iter().map(|anchor| STANDARD.encode(anchor)).collect(),
        }
    }

    /// Signs the statement.
    pub fn sign(&self, key: &CityReceiptKey) -> String {
        jws::sign(&USE, Some(&key.kid()), self, |bytes| key.sign(bytes))
    }

    /// Checks signature, type and shape of a statement that was kept earlier.
    pub fn verify(jws: &str, key: &CityReceiptPublicKey) -> Result<Self, ProtocolError> {
        let statement: Self =
            jws::verify(&USE, jws, Some(key.kid()), |bytes, signature| key.verify(bytes, signature))?;
        if !is_name(&statement.nonce) {
            return Err(ProtocolError::BadContent("nonce"));
        }
        let count = statement.anchors.len();
        if count == 0 || count > limits::MAX_ANCHORS || statement.certificates().len() != count {
            return Err(ProtocolError::BadContent("anchors"));
        }
        Ok(statement)
    }

    /// The same for a statement that answers a question: it must carry the question's number.
    pub fn verify_answer(jws: &str, key: &CityReceiptPublicKey, nonce: &str) -> Result<Self, ProtocolError> {
        let statement = Self::verify(jws, key)?;
        if statement.nonce == nonce { Ok(statement) } else { Err(ProtocolError::BadContent("nonce")) }
    }

    /// The certificates as DER.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.anchors.iter().filter_map(|anchor| STANDARD.decode(anchor).ok()).collect()
    }
}

/// Body of a 200 to `GET /v1/anchors?nonce=…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorReply {
    /// Compact JWS of an [`AnchorStatement`].
    pub anchors: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_believed_by_its_key_for_its_question_only() {
        let (key, other) = (CityReceiptKey::generate(), CityReceiptKey::generate());
        let statement = AnchorStatement::new("n-1", 5, &[b"der".as_slice()]);
        let jws = statement.sign(&key);
        assert_eq!(AnchorStatement::verify_answer(&jws, &key.public(), "n-1").unwrap(), statement);
        assert_eq!(statement.certificates(), [b"der"]);
        assert_eq!(
            AnchorStatement::verify_answer(&jws, &key.public(), "n-2"),
            Err(ProtocolError::BadContent("nonce"))
        );
        assert_eq!(AnchorStatement::verify(&jws, &other.public()), Err(ProtocolError::WrongKey));
    }

    #[test]
    fn neither_nothing_nor_a_flood_nor_nonsense_is_a_list() {
        let key = CityReceiptKey::generate();
        let many = vec![b"der".as_slice(); limits::MAX_ANCHORS + 1];
        for anchors in [&many[..0], &many] {
            let jws = AnchorStatement::new("n", 5, anchors).sign(&key);
            assert_eq!(
                AnchorStatement::verify(&jws, &key.public()),
                Err(ProtocolError::BadContent("anchors"))
            );
        }
        let mut nonsense = AnchorStatement::new("n", 5, &[b"der"]);
        nonsense.anchors[0] = "***".into();
        assert!(AnchorStatement::verify(&nonsense.sign(&key), &key.public()).is_err());
    }

    #[test]
    fn another_signed_message_is_no_statement() {
        let key = CityReceiptKey::generate();
        let hello = crate::HelloAnswer {
            version: 1,
            terminal: "DG0001".into(),
            server_time_ms: 1,
            epoch: "e".into(),
            received: Vec::new(),
            durable_seq: 0,
            catalog_version: String::new(),
            send_allowance: 1,
            retry_after_s: 0,
            nonce: None,
            continuity: None,
            earlier: Vec::new(),
            commands: Vec::new(),
        };
        let jws = hello.sign(&key);
        assert_eq!(AnchorStatement::verify(&jws, &key.public()), Err(ProtocolError::WrongType));
    }
}
