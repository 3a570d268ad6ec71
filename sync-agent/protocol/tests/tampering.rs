//! What a wrong key, a wrong algorithm, a changed byte, a swapped type or an oversized message gets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sync_protocol::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../vectors/golden.json")).unwrap()
}

fn manifest() -> Manifest {
    serde_json::from_value(golden()["manifest"].clone()).unwrap()
}

fn receipt() -> Receipt {
    serde_json::from_value(golden()["receipt"].clone()).unwrap()
}

fn with_header(jws: &str, header: Value) -> String {
    let (_, rest) = jws.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn every_changed_character_is_noticed() {
    let key = CityReceiptKey::generate();
    let jws = receipt().sign(&key);
    for at in 0..jws.len() {
        let mut bytes = jws.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(Receipt::verify(&changed, &key.public()).is_err(), "changed at {at}");
    }
    for cut in 0..jws.len() {
        assert!(Receipt::verify(&jws[..cut], &key.public()).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_wrong_key_is_refused() {
    let (ours, other) = (CityReceiptKey::generate(), CityReceiptKey::generate());
    let jws = receipt().sign(&other);
    assert_eq!(Receipt::verify(&jws, &ours.public()), Err(ProtocolError::WrongKey));
    // The same without a key name, or under our name: then the signature itself must fail.
    let anonymous = with_header(&jws, json!({"alg": "EdDSA", "typ": "kiosk-receipt+jws"}));
    assert_eq!(Receipt::verify(&anonymous, &ours.public()), Err(ProtocolError::BadSignature));
    let claimed = with_header(&jws, json!({"alg": "EdDSA", "kid": ours.kid(), "typ": "kiosk-receipt+jws"}));
    assert_eq!(Receipt::verify(&claimed, &ours.public()), Err(ProtocolError::BadSignature));
    let (ours, other) = (TerminalKey::generate(), TerminalKey::generate());
    assert_eq!(Manifest::verify(&manifest().sign(&other), &ours.public()), Err(ProtocolError::BadSignature));
}

#[test]
fn another_algorithm_none_or_an_unknown_header_is_refused() {
    let key = CityReceiptKey::generate();
    let jws = receipt().sign(&key);
    for alg in ["none", "HS256", "ES256", "eddsa", ""] {
        let changed = with_header(&jws, json!({"alg": alg, "kid": key.kid(), "typ": "kiosk-receipt+jws"}));
        assert_eq!(Receipt::verify(&changed, &key.public()), Err(ProtocolError::WrongAlgorithm), "{alg}");
    }
    let critical = json!({"alg": "EdDSA", "typ": "kiosk-receipt+jws", "crit": ["exp"]});
    assert_eq!(Receipt::verify(&with_header(&jws, critical), &key.public()), Err(ProtocolError::NotJws));
    let terminal = TerminalKey::generate();
    let changed =
        with_header(&manifest().sign(&terminal), json!({"alg": "EdDSA", "typ": "kiosk-manifest+jws"}));
    assert_eq!(Manifest::verify(&changed, &terminal.public()), Err(ProtocolError::WrongAlgorithm));
}

#[test]
fn a_signed_hello_is_no_receipt_and_the_other_way_round() {
    let key = CityReceiptKey::generate();
    let hello: HelloAnswer = serde_json::from_value(golden()["hello"].clone()).unwrap();
    assert_eq!(Receipt::verify(&hello.sign(&key), &key.public()), Err(ProtocolError::WrongType));
    assert_eq!(HelloAnswer::verify(&receipt().sign(&key), &key.public()), Err(ProtocolError::WrongType));
}

#[test]
fn a_receipt_matches_only_its_record() {
    let r = receipt();
    assert!(r.matches(&r.terminal, &r.incarnation, r.seq, &r.case_id, &r.sha256));
    assert!(!r.matches("DG0002", &r.incarnation, r.seq, &r.case_id, &r.sha256));
    assert!(!r.matches(&r.terminal, "other", r.seq, &r.case_id, &r.sha256));
    assert!(!r.matches(&r.terminal, &r.incarnation, r.seq + 1, &r.case_id, &r.sha256));
    assert!(!r.matches(&r.terminal, &r.incarnation, r.seq, "x", &r.sha256));
    assert!(!r.matches(&r.terminal, &r.incarnation, r.seq, &r.case_id, NO_PREVIOUS));
}

#[test]
fn a_manifest_of_a_wrong_shape_is_refused_though_signed() {
    let key = TerminalKey::generate();
    type Spoil = fn(&mut Manifest);
    let spoils: [(&str, Spoil); 9] = [
        ("terminal", |m| m.terminal = "dg0001".into()),
        ("incarnation", |m| m.incarnation = "../etc".into()),
        ("seq", |m| m.seq = 0),
        ("case_id", |m| m.case_id = "../../secrets".into()),
        ("about", |m| m.about = Some("somebody".into())),
        ("prev_hash", |m| m.prev_hash = "00".into()),
        ("sha256", |m| m.sha256 = m.sha256.to_uppercase()),
        ("bytes", |m| m.bytes = limits::MAX_CIPHERTEXT as u64 + 1),
        ("a text field is too long", |m| m.item = "x".repeat(limits::MAX_FIELD + 1)),
    ];
    for (field, spoil) in spoils {
        let mut m = manifest();
        spoil(&mut m);
        let refused = Manifest::verify(&m.sign(&key), &key.public());
        assert_eq!(refused, Err(ProtocolError::BadContent(field)));
    }
}

#[test]
fn a_later_release_may_add_fields() {
    #[derive(serde::Serialize)]
    struct Later {
        #[serde(flatten)]
        receipt: Receipt,
        new_member: u8,
    }
    let value = serde_json::to_value(Later { receipt: receipt(), new_member: 1 }).unwrap();
    let read: Receipt = serde_json::from_value(value).unwrap();
    assert_eq!(read, receipt());
}

#[test]
fn sizes_are_limited() {
    let key = TerminalKey::generate();
    let long = "A".repeat(limits::MAX_MANIFEST + 1);
    let too_large = ProtocolError::TooLarge { what: "manifest", limit: limits::MAX_MANIFEST };
    assert_eq!(Manifest::verify(&long, &key.public()), Err(too_large.clone()));
    let record = SealedRecord { manifest: long, ciphertext: vec![1] };
    assert_eq!(SealedRecord::from_json(&record.to_json()), Err(too_large));
    let full = SealedRecord { manifest: "a.b.c".into(), ciphertext: vec![7; limits::MAX_CIPHERTEXT] };
    assert_eq!(SealedRecord::from_json(&full.to_json()).as_ref(), Ok(&full));
    let over = SealedRecord { manifest: "a.b.c".into(), ciphertext: vec![7; limits::MAX_CIPHERTEXT + 1] };
    assert!(matches!(SealedRecord::from_json(&over.to_json()), Err(ProtocolError::TooLarge { .. })));
    let keys = SealKeyPair::generate();
    let sealer = AgeSealer::from_recipients(&keys.recipient).unwrap();
    let opener = AgeOpener::from_identities(&keys.identity).unwrap();
    assert!(matches!(sealer.seal(&vec![0; limits::MAX_CIPHERTEXT]), Err(SealError::TooLarge(_))));
    assert_eq!(opener.open(&full_length()), Err(SealError::TooLarge(limits::MAX_CIPHERTEXT)));
    let largest = sealer.seal(&vec![0; limits::MAX_CIPHERTEXT - 64 * 1024]).unwrap();
    assert!(largest.len() <= limits::MAX_CIPHERTEXT);
}

fn full_length() -> Vec<u8> {
    vec![0; limits::MAX_CIPHERTEXT + 1]
}

#[test]
fn a_changed_or_foreign_seal_does_not_open() {
    let (ours, other) = (SealKeyPair::generate(), SealKeyPair::generate());
    let sealer = AgeSealer::from_recipients(&format!("# city\n\n{}", ours.recipient)).unwrap();
    let ciphertext = sealer.seal("内容".as_bytes()).unwrap();
    let opener = AgeOpener::from_identities(&ours.identity).unwrap();
    assert_eq!(opener.open(&ciphertext).unwrap().as_slice(), "内容".as_bytes());
    let stranger = AgeOpener::from_identities(&other.identity).unwrap();
    assert_eq!(stranger.open(&ciphertext), Err(SealError::OtherKey));
    for at in 0..ciphertext.len() {
        let mut changed = ciphertext.clone();
        changed[at] ^= 0x20;
        assert!(opener.open(&changed).is_err(), "changed at {at}");
    }
    assert_eq!(opener.open(b"<html>"), Err(SealError::Damaged));
    assert_eq!(AgeSealer::from_recipients("# nobody\n").err(), Some(SealError::NoKey));
    assert_eq!(AgeSealer::from_recipients("# x\nage1nonsense").err(), Some(SealError::BadKey(2)));
    // A secret key given in place of a recipient must not end up in an error text.
    let error = AgeSealer::from_recipients(&ours.identity).err().unwrap();
    assert!(!error.to_string().contains("SECRET"));
}

#[test]
fn nothing_private_shows_in_debug() {
    let submission: Submission = serde_json::from_value(golden()["submission"].clone()).unwrap();
    let shown = format!("{submission:?}");
    for private in ["990001", "𬱖", "路灯", "13800000000", "示例"] {
        assert!(!shown.contains(private), "{shown}");
    }
    let key = TerminalKey::generate();
    assert_eq!(format!("{key:?}"), "TerminalKey(private)");
    assert_eq!(format!("{:?}", CityReceiptKey::generate()), "CityReceiptKey(private)");
}

#[test]
fn keys_survive_their_text_form() {
    let terminal = TerminalKey::generate();
    assert_eq!(TerminalKey::from_pem(&terminal.to_pem()).unwrap().public(), terminal.public());
    let city = CityReceiptKey::generate();
    assert_eq!(CityReceiptKey::from_pem(&city.to_pem()).unwrap().public(), city.public());
    assert_eq!(CityReceiptPublicKey::from_pem(&city.public().to_pem()).unwrap(), city.public());
    assert!(TerminalKey::from_pem(&city.to_pem()).is_err());
    assert!(CityReceiptKey::from_pem(&terminal.to_pem()).is_err());
    assert!(TerminalPublicKey::from_spki_der(&[1, 2, 3]).is_err());
    assert!(TerminalPublicKey::from_sec1(&[4; 65]).is_err());
}
