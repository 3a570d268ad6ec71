//! The stored vectors: what this and an older release signed or sealed must still be read, and signing must still give
//! the same bytes (both algorithms are deterministic).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sync_protocol::{
    AgeOpener, AgeSealer, Answer, CityReceiptKey, CityReceiptPublicKey, Command, HelloAnswer, HelloRequest,
    Manifest, Opener, Question, Receipt, SealedRecord, Sealer, Submission, TerminalKey, TerminalPublicKey,
    sha256_hex,
};

/// What the first release wrote, and what this one writes.
fn releases() -> [Value; 2] {
    [include_str!("../vectors/golden.json"), include_str!("../vectors/golden-2.json")]
        .map(|text| serde_json::from_str(text).unwrap())
}

fn version_2() -> Value {
    let [_, second] = releases();
    second
}

fn text(vectors: &Value, name: &str) -> String {
    vectors[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn a_stored_manifest_is_read_and_signed_to_the_same_bytes() {
    for v in releases() {
        let key = TerminalKey::from_pem(&text(&v, "terminal_key_pem")).unwrap();
        let public =
            TerminalPublicKey::from_sec1(&STANDARD.decode(text(&v, "terminal_public_sec1")).unwrap())
                .unwrap();
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
        assert_eq!(
            serde_json::to_vec(&record).unwrap(),
            body,
            "the hand-written body is what serde would write"
        );
    }
}

#[test]
fn stored_receipts_and_hellos_are_read_and_signed_to_the_same_bytes() {
    for v in releases() {
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
}

#[test]
fn a_stored_seal_opens_to_the_submission() {
    for v in releases() {
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
}

#[test]
fn what_version_2_added_is_read_as_it_was_written() {
    let v = version_2();
    let key = TerminalKey::from_pem(&text(&v, "terminal_key_pem")).unwrap();
    let void = Manifest::verify(&text(&v, "void_jws"), &key.public()).unwrap();
    assert_eq!(serde_json::to_value(&void).unwrap(), v["void"]);
    assert_eq!(void.sign(&key), text(&v, "void_jws"));
    assert_eq!(void.prev_hash, text(&v, "manifest_hash"));
    let city = CityReceiptPublicKey::from_pem(&text(&v, "city_receipt_public_pem")).unwrap();
    let receipt = Receipt::verify(&text(&v, "incomplete_receipt_jws"), &city).unwrap();
    assert!(!receipt.complete);
    assert_eq!(serde_json::to_value(&receipt).unwrap(), v["incomplete_receipt"]);
    let request = serde_json::to_vec(&v["hello_request"]).unwrap();
    let request = HelloRequest::from_json(&request).unwrap();
    assert_eq!(serde_json::to_value(&request).unwrap(), v["hello_request"]);
}

#[test]
fn stored_questions_and_answers_open() {
    let v = version_2();
    let open = |key: &str, sealed: &str| {
        let opener = AgeOpener::from_identities(&text(&v, key)).unwrap();
        opener.open(&STANDARD.decode(text(&v, sealed)).unwrap()).unwrap()
    };
    let question = Question::from_plaintext(&open("city_seal_identity", "question_sealed")).unwrap();
    assert_eq!(serde_json::to_value(&question).unwrap(), v["question"]);
    let answer = Answer::from_plaintext(&open("session_identity", "answer_sealed")).unwrap();
    assert_eq!(serde_json::to_value(&answer).unwrap(), v["answer"]);
}

/// A command of the next release is heard and skipped.
#[test]
fn an_unknown_command_is_no_reason_to_refuse_an_answer() {
    let mut answer = version_2()["hello"].clone();
    answer["commands"] = serde_json::json!(["begin_incarnation", "dance"]);
    let answer: HelloAnswer = serde_json::from_value(answer).unwrap();
    assert_eq!(answer.commands, [Command::BeginIncarnation, Command::Unknown]);
}
