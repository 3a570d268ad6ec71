//! What becomes of records after they were accepted.

use serde_json::{Value, json};
use sync_protocol::{AgeSealer, RecordKind, SealKeyPair, SealedRecord, Sealer};

use crate::support::{City, ITEM, NAME, PHONE, Terminal, WORDS, id_number};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_good_case_is_opened_and_shown_masked() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let (rating, sealed) = terminal.rating(2, 1, 4);
    terminal.deliver(&city, &rating, &sealed).await;
    let records = city.all_decided().await;
    assert_eq!(records[0]["status"], "opened");
    assert_eq!(records[0]["summary"], "测试诉求");
    assert_eq!(
        records[0]["person"],
        json!({ "name": "欧阳＊", "number": format!("990*************{}", &id_number()[16..]), "phone": "138****1234" })
    );
    assert_eq!((text(&records[1]["kind"]), text(&records[1]["summary"])), ("rating", "★★★★☆"));
    assert_eq!(records[1]["person"], Value::Null);
}

#[tokio::test]
async fn personal_data_is_nowhere_in_clear() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    // Values where they do not belong, so that they would turn up in a reason.
    let answers = json!({ "words": [WORDS], "phone": PHONE.replace('1', "x"), WORDS: NAME });
    let (manifest, record) = terminal.case_with(2, answers.as_object().unwrap().clone());
    terminal.deliver(&city, &manifest, &record).await;
    let records = city.all_decided().await;
    assert_eq!(text(&records[1]["status"]), "dead_letter");
    let page = city.page("/city/").await.text().await.unwrap();
    let inbox = serde_json::to_string(&records).unwrap();
    city.restart().await;
    let written = city.written();
    for secret in [NAME, PHONE, WORDS, &id_number(), &PHONE.replace('1', "x")] {
        let held = written.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!held && !page.contains(secret) && !inbox.contains(secret), "{secret}");
    }
    // The mask itself is there, so the search above could have found something.
    let mask = "138****1234".as_bytes();
    assert!(written.windows(mask.len()).any(|window| window == mask));
}

/// Sends one record and returns why it became a dead letter.
async fn dead_letter(change: impl FnOnce(&Terminal, &City) -> SealedRecord) -> String {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let record = change(&terminal, &city);
    let manifest = sync_protocol::Manifest::unverified(&record.manifest).unwrap();
    // Whatever is inside: the record is accepted, with a receipt.
    terminal.deliver(&city, &manifest, &record).await;
    let records = city.all_decided().await;
    assert_eq!(records[0]["status"], "dead_letter");
    assert_eq!(records[0]["sha256"], manifest.sha256);
    text(&records[0]["reason"]).to_owned()
}

#[tokio::test]
async fn a_seal_for_somebody_else() {
    let reason = dead_letter(|terminal, _| {
        let other = AgeSealer::from_recipients(&SealKeyPair::generate().recipient).unwrap();
        let ciphertext = other.seal(&terminal.submission(1).to_plaintext()).unwrap();
        let manifest = terminal.manifest(1, RecordKind::Case, &ciphertext).sign(&terminal.key);
        SealedRecord { manifest, ciphertext }
    });
    assert!(reason.await.starts_with("cannot be opened"));
}

#[tokio::test]
async fn no_seal_at_all() {
    let reason = dead_letter(|terminal, _| {
        let ciphertext = b"just bytes".to_vec();
        let manifest = terminal.manifest(1, RecordKind::Case, &ciphertext).sign(&terminal.key);
        SealedRecord { manifest, ciphertext }
    });
    assert!(reason.await.starts_with("cannot be opened"));
}

#[tokio::test]
async fn bad_json() {
    let reason = dead_letter(|terminal, _| terminal.sealed(1, RecordKind::Case, b"{\"version\":").1).await;
    assert!(reason.starts_with("unreadable content"));
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let reason = dead_letter(|terminal, _| terminal.sealed(1, RecordKind::Case, &deep).1).await;
    assert!(reason.starts_with("unreadable content"));
}

#[tokio::test]
async fn a_rating_with_six_stars() {
    let reason = dead_letter(|terminal, _| terminal.rating(2, 1, 6).1).await;
    assert!(reason.starts_with("unreadable content"));
}

#[tokio::test]
async fn answers_that_do_not_fit() {
    let answers = json!({ "words": "x".repeat(101), "phone": PHONE });
    let reason =
        dead_letter(|terminal, _| terminal.case_with(1, answers.as_object().unwrap().clone()).1).await;
    assert!(reason.starts_with("wrong answers") && reason.contains("words"), "{reason}");
}

#[tokio::test]
async fn content_of_another_record() {
    let reason = dead_letter(|terminal, _| {
        let plaintext = terminal.submission(2).to_plaintext();
        terminal.sealed(1, RecordKind::Case, &plaintext).1
    });
    assert_eq!(reason.await, "content of another record: case_id, case_number");
}

#[tokio::test]
async fn an_unknown_item_is_tried_again_when_the_catalog_knows_it() {
    let mut city = City::prepare();
    let (file, aside) = (city.path(&format!("catalog/items/{ITEM}.toml")), city.path("aside.toml"));
    std::fs::rename(&file, &aside).unwrap();
    city.restart().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let records = city.all_decided().await;
    assert_eq!((text(&records[0]["status"]), text(&records[0]["reason"])), ("dead_letter", "unknown item"));

    std::fs::rename(&aside, &file).unwrap();
    city.restart().await;
    // A record that came later is decided later: when it is, the first one was looked at again.
    let (manifest, record) = terminal.case(2);
    terminal.deliver(&city, &manifest, &record).await;
    let records = city.all_decided().await;
    assert!(records.iter().all(|record| record["status"] == "opened"), "{records:?}");
}

#[tokio::test]
async fn an_unknown_version_of_an_item() {
    let reason = dead_letter(|terminal, _| {
        let mut submission = terminal.submission(1);
        submission.item_version = 4;
        let ciphertext = terminal.sealer.seal(&submission.to_plaintext()).unwrap();
        let mut manifest = terminal.manifest(1, RecordKind::Case, &ciphertext);
        manifest.item_version = 4;
        SealedRecord { manifest: manifest.sign(&terminal.key), ciphertext }
    });
    assert_eq!(reason.await, "unknown item");
}
