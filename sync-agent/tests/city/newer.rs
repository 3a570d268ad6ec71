//! What a newer city's answers may look like: today's, with things in them that this release does not know.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use sync_protocol::CityReceiptKey;

use super::City;

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body of an answer to hello.
    HelloReply,
    /// What is signed in it.
    Hello,
    /// The body of an answer to a record.
    ReceiptReply,
    /// What is signed in it.
    Receipt,
}

/// Changes a part of each answer before it is signed or sent.
pub type Newer = Arc<dyn Fn(Part, &mut Value) + Send + Sync>;

/// The answer named `hello` or `receipt`, as a newer city words it.
pub fn reply(city: &City, newer: &Newer, name: &str, mut signed: Value) -> Response {
    let (outer, inner) = match name {
        "hello" => (Part::HelloReply, Part::Hello),
        _ => (Part::ReceiptReply, Part::Receipt),
    };
    newer(inner, &mut signed);
    let mut body = json!({ name: jws(&city.receipt_key, &format!("kiosk-{name}+jws"), &signed) });
    newer(outer, &mut body);
    super::json(&body)
}

/// A compact JWS (RFC 7515) of anything, by the city's own key (EdDSA, RFC 8037).
fn jws(key: &CityReceiptKey, typ: &str, payload: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "kid": key.kid(), "typ": typ });
    let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", coded(&header), coded(payload));
    let pem = key.to_pem();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&STANDARD.decode(der).unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
