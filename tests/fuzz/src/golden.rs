//! Fixed keys and true messages: those of the protocol's golden vectors, and a way to sign any payload with them, so
//! that what stands behind a signature is reached with bytes that no honest sender would sign.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use p256::ecdsa::signature::Signer;
use serde_json::Value;
use sync_protocol::{CityReceiptKey, CityReceiptPublicKey, TerminalKey};

/// The vectors of both versions of the protocol, newest first.
pub static VECTORS: LazyLock<[Value; 2]> = LazyLock::new(|| {
    let text = [
        include_str!("../../../sync-agent/protocol/vectors/golden-2.json"),
        include_str!("../../../sync-agent/protocol/vectors/golden.json"),
    ];
    text.map(|text| serde_json::from_str(text).expect("the vectors are JSON"))
});

/// A text of the newest vectors.
pub fn text(name: &str) -> &'static str {
    VECTORS[0][name].as_str().expect("the vectors hold this text")
}

/// A text in base64 of the newest vectors.
pub fn bytes(name: &str) -> Vec<u8> {
    STANDARD.decode(text(name)).expect("the vectors hold base64 here")
}

/// A part of both versions' vectors, as it travels.
pub fn json(name: &str) -> Vec<Vec<u8>> {
    let parts = VECTORS.iter().map(|vectors| &vectors[name]).filter(|part| !part.is_null());
    parts.map(|part| serde_json::to_vec(part).expect("JSON becomes JSON")).collect()
}

/// The city's receipt key.
pub fn city_key() -> CityReceiptKey {
    CityReceiptKey::from_pem(text("city_receipt_key_pem")).expect("the vectors hold the city's key")
}

/// Its public half.
pub static CITY: LazyLock<CityReceiptPublicKey> = LazyLock::new(|| city_key().public());

/// The terminal's key.
pub static TERMINAL: LazyLock<TerminalKey> = LazyLock::new(|| {
    TerminalKey::from_pem(text("terminal_key_pem")).expect("the vectors hold the terminal's key")
});

/// Any payload, signed by the city as a message of this type.
pub fn signed_by_city(typ: &str, payload: &[u8]) -> String {
    static KEY: LazyLock<ed25519_dalek::SigningKey> = LazyLock::new(|| {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(text("city_receipt_key_pem"));
        key.expect("the vectors hold the city's key")
    });
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"}}"#, CITY.kid());
    jws(&header, payload, |bytes| KEY.sign(bytes).to_bytes())
}

/// Any payload, signed by the terminal as a message of this type.
pub fn signed_by_terminal(typ: &str, payload: &[u8]) -> String {
    static KEY: LazyLock<p256::ecdsa::SigningKey> = LazyLock::new(|| {
        let key = p256::ecdsa::SigningKey::from_pkcs8_pem(text("terminal_key_pem"));
        key.expect("the vectors hold the terminal's key")
    });
    let header = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
    jws(&header, payload, |bytes| {
        let signature: p256::ecdsa::Signature = KEY.sign(bytes);
        signature.to_bytes().into()
    })
}

fn jws(header: &str, payload: &[u8], sign: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    let mut text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text
}
