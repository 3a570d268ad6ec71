//! The stored vectors: what an older release signed or sealed must still be read, and signing must still give the
//! same bytes (both algorithms are deterministic).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sync_protocol::{
    AgeOpener, AgeSealer, CityReceiptKey, CityReceiptPublicKey, HelloAnswer, Manifest, Opener, Receipt,
    SealedRecord, Sealer, Submission, TerminalKey, TerminalPublicKey, sha256_hex,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/golden.json")).unwrap()
}

fn text(vectors: &Value, name: &str) -> String {
    vectors[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn a_stored_manifest_is_read_and_signed_to_the_same_bytes() {
    let v = vectors();
    let key = TerminalKey::from_pem(&text(&v, "terminal_key_pem")).unwrap();
    let public =
        TerminalPublicKey::from_sec1(&STANDARD.decode(text(&v, "terminal_public_sec1")).unwrap()).unwrap();
    assert_eq!(key.public(), public);
    let jws = text(&v, "manifest_jws");
    let manifest = Manifest::verify(&jws, &public).unwrap();
    assert_eq!(serde_json::to_value(&manifest).unwrap(), v["manifest"]);
    assert_eq!(manifest.sign(&key), jws);
    assert_eq!(Manifest::hash(&jws), text(&v, "manifest_hash"));
    let ciphertext = STANDARD.decode(text(&v, "ciphertext")).unwrap();
    let record = SealedRecord { manifest: jws, ciphertext };
    assert!(record.matches(&manifest));
    let body = record.to_json();
    assert_eq!(SealedRecord::from_json(&body).unwrap(), record);
    assert_eq!(serde_json::to_vec(&record).unwrap(), body, "the hand-written body is what serde would write");
}

#[test]
fn stored_receipts_and_hellos_are_read_and_signed_to_the_same_bytes() {
    let v = vectors();
    let key = CityReceiptKey::from_pem(&text(&v, "city_receipt_key_pem")).unwrap();
    let public = CityReceiptPublicKey::from_pem(&text(&v, "city_receipt_public_pem")).unwrap();
    assert_eq!(key.public(), public);
    assert_eq!(public.kid(), text(&v, "city_receipt_kid"));
    let receipt = Receipt::verify(&text(&v, "receipt_jws"), &public).unwrap();
    assert_eq!(serde_json::to_value(&receipt).unwrap(), v["receipt"]);
    assert_eq!(receipt.sign(&key), text(&v, "receipt_jws"));
    let hello = HelloAnswer::verify(&text(&v, "hello_jws"), &public).unwrap();
    assert_eq!(serde_json::to_value(&hello).unwrap(), v["hello"]);
    assert_eq!(hello.sign(&key), text(&v, "hello_jws"));
}

#[test]
fn a_stored_seal_opens_to_the_submission() {
    let v = vectors();
    let opener = AgeOpener::from_identities(&text(&v, "city_seal_identity")).unwrap();
    let ciphertext = STANDARD.decode(text(&v, "ciphertext")).unwrap();
    assert!(ciphertext.starts_with(b"age-encryption.org/v1\n"), "the standard tool must know the file");
    assert_eq!(sha256_hex(&ciphertext), v["manifest"]["sha256"]);
    let submission = Submission::from_plaintext(&opener.open(&ciphertext).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(&submission).unwrap(), v["submission"]);
    let sealer = AgeSealer::from_recipients(&text(&v, "city_seal_recipient")).unwrap();
    let again = sealer.seal(&submission.to_plaintext()).unwrap();
    assert_ne!(again, ciphertext, "every seal is fresh");
    assert_eq!(Submission::from_plaintext(&opener.open(&again).unwrap()).unwrap(), submission);
}
