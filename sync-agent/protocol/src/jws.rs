//! Compact JWS (RFC 7515) with one algorithm and one type for each use.
//!
//! The header is read strictly: an unknown member, `crit`, `none` or another algorithm is refused before any
//! signature is checked. `typ` keeps a signed hello from being taken for a signed receipt.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ProtocolError;

/// What is fixed for one kind of signed message.
pub(crate) struct Use {
    pub alg: &'static str,
    pub typ: &'static str,
    pub what: &'static str,
    pub limit: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    typ: String,
}

/// Signs `payload` and returns the message as it travels.
pub(crate) fn sign<T: Serialize>(
    usage: &Use,
    kid: Option<&str>,
    payload: &T,
    signer: impl FnOnce(&[u8]) -> [u8; 64],
) -> String {
    let header = Header { alg: usage.alg.into(), kid: kid.map(Into::into), typ: usage.typ.into() };
    let header = serde_json::to_vec(&header).expect("a struct of strings always serialises");
    let payload = serde_json::to_vec(payload).expect("message structs hold only strings, numbers and lists");
    let mut text = String::with_capacity((header.len() + payload.len() + 64) * 4 / 3 + 8);
    URL_SAFE_NO_PAD.encode_string(header, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = signer(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text
}

/// Checks a message and returns its payload. `trusted_kid` is compared when the message names a key.
pub(crate) fn verify<T: DeserializeOwned>(
    usage: &Use,
    text: &str,
    trusted_kid: Option<&str>,
    check: impl FnOnce(&[u8], &[u8; 64]) -> bool,
) -> Result<T, ProtocolError> {
    let parts = Parts::split(usage, text)?;
    let header: Header = decode_json(parts.header).ok_or(ProtocolError::NotJws)?;
    if header.alg != usage.alg {
        return Err(ProtocolError::WrongAlgorithm);
    }
    if header.typ != usage.typ {
        return Err(ProtocolError::WrongType);
    }
    if header.kid.as_deref().is_some_and(|kid| trusted_kid.is_some_and(|trusted| trusted != kid)) {
        return Err(ProtocolError::WrongKey);
    }
    let signature = URL_SAFE_NO_PAD.decode(parts.signature).map_err(|_| ProtocolError::NotJws)?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| ProtocolError::BadSignature)?;
    if !check(parts.signed.as_bytes(), &signature) {
        return Err(ProtocolError::BadSignature);
    }
    decode_json(parts.payload).ok_or(ProtocolError::BadJson(usage.what))
}

/// Reads the payload without any check of who signed it. Only for showing, and for the mutation test that proves
/// why nothing else may use it.
pub(crate) fn peek<T: DeserializeOwned>(usage: &Use, text: &str) -> Result<T, ProtocolError> {
    let parts = Parts::split(usage, text)?;
    decode_json(parts.payload).ok_or(ProtocolError::BadJson(usage.what))
}

struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(usage: &Use, text: &'a str) -> Result<Self, ProtocolError> {
        if text.len() > usage.limit {
            return Err(ProtocolError::TooLarge { what: usage.what, limit: usage.limit });
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(ProtocolError::NotJws)?;
        let (header, payload) = signed.split_once('.').ok_or(ProtocolError::NotJws)?;
        if payload.contains('.') {
            return Err(ProtocolError::NotJws);
        }
        Ok(Self { signed, header, payload, signature })
    }
}

fn decode_json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
