//! Terminals of other releases: what the earlier ones stored is kept for ever, what a later one adds is passed over, and
//! what cannot be understood is refused in words, without a trace, so that it can come again after the gateway's update.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use sync_protocol::{
    AgeOpener, Answer, AnswerBody, HelloReply, Manifest, Opener, QueryReply, Receipt, ReceiptReply,
    ReceiptStatus, RecordKind, SealKeyPair, Sealer, TerminalKey, sha256_hex,
};

use crate::support::{City, Terminal, case_id, described, hello_request};

/// Versions that no release writes yet, or none ever wrote.
const UNKNOWN: [u16; 4] = [0, 3, 4, 65_535];

/// Things of every kind that a later release may add.
fn with_more(mut message: Value) -> Value {
    for (name, value) in [
        ("x_text", json!("新的")),
        ("x_number", json!(-1.5)),
        ("x_nothing", Value::Null),
        ("x_list", json!([1, [2, { "three": [] }]])),
        ("x_object", json!({ "version": 9, "seq": 1 })),
    ] {
        message[name] = value;
    }
    message
}

/// A compact JWS (RFC 7515, ES256) of anything, by a terminal's own key.
fn signed(key: &TerminalKey, payload: &Value) -> String {
    let header = json!({ "alg": "ES256", "typ": "kiosk-manifest+jws" });
    let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", coded(&header), coded(payload));
    let pem = key.to_pem();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let (der, random) = (STANDARD.decode(der).unwrap(), SystemRandom::new());
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).unwrap();
    let signature = pair.sign(&random, text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn put(city: &City, terminal: &Terminal, case_id: &str, body: &Value) -> reqwest::Response {
    let request = terminal.client.put(city.url(&format!("/v1/records/{case_id}"))).json(body);
    described("put", "/v1/records/{case_id}", request.send().await.unwrap()).await
}

async fn receipt_of(city: &City, answer: reqwest::Response) -> Receipt {
    assert_eq!(answer.status(), 200);
    let reply: ReceiptReply = answer.json().await.unwrap();
    Receipt::verify(&reply.receipt, &city.receipt_key).unwrap()
}

/// 400, and a sentence that says why.
async fn refused(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 400);
    let said: Value = answer.json().await.unwrap();
    said["error"].as_str().unwrap().to_owned()
}

/// The very bytes that the released versions stored: both still lie in the queues of terminals in the field.
#[tokio::test]
async fn the_golden_records_of_every_version_are_kept() {
    for (golden, version) in [
        (include_str!("../../../sync-agent/protocol/vectors/golden.json"), 1),
        (include_str!("../../../sync-agent/protocol/vectors/golden-2.json"), 2),
    ] {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let text = |name: &str| golden[name].as_str().unwrap();
        let city = City::start().await;
        let terminal = city.golden_terminal("DG0001", text("terminal_key_pem"));
        let kept = |name: &'static str| (&golden[name], golden[format!("{name}_jws")].as_str());
        for (manifest, jws) in [kept("manifest"), kept("void")] {
            // Version 1 knew no voids.
            let Some(jws) = jws else { continue };
            let ciphertext = if manifest["kind"] == "void" { "" } else { text("ciphertext") };
            let body = json!({ "manifest": jws, "ciphertext": ciphertext });
            let case_id = manifest["case_id"].as_str().unwrap();
            let receipt = receipt_of(&city, put(&city, &terminal, case_id, &body).await).await;
            assert_eq!((receipt.case_id.as_str(), receipt.status), (case_id, ReceiptStatus::Accepted));
            assert_eq!(
                (receipt.sha256.as_str(), receipt.version),
                (manifest["sha256"].as_str().unwrap(), version)
            );
        }
        if golden["hello_request"].is_object() {
            let said =
                terminal.client.post(city.url("/v1/hello")).json(&golden["hello_request"]).send().await;
            assert_eq!(said.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn what_a_later_terminal_adds_to_hello_is_passed_over() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let mut hello = with_more(serde_json::to_value(hello_request("DG0001")).unwrap());
    hello["clock"] = with_more(hello["clock"].take());
    hello["ledger"] = with_more(json!({
        "issued": 1, "acknowledged": 0, "waiting": 1, "side_lane": 0, "voided": 0, "waiting_bytes": 9
    }));
    hello["earlier"] = json!([with_more(json!({ "incarnation": "life-0", "finalised_seq": 4 }))]);
    let answer = terminal.client.post(city.url("/v1/hello")).json(&hello).send().await.unwrap();
    let reply: HelloReply = described("post", "/v1/hello", answer).await.json().await.unwrap();
    let answer = sync_protocol::HelloAnswer::verify(&reply.hello, &city.receipt_key).unwrap();
    assert_eq!((answer.version, answer.earlier.len()), (2, 1));
}

#[tokio::test]
async fn a_hello_of_an_unknown_version_is_refused_and_leaves_no_trace() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let mut says = hello_request("DG0001");
    says.continuity = terminal.say(&city, &says).await.continuity;
    for version in UNKNOWN {
        let mut hello = serde_json::to_value(&says).unwrap();
        hello["version"] = version.into();
        // What a copy would say: had it been heard, the next hello would be told to begin anew.
        hello["continuity"] = json!("of-another-life");
        hello["finalised_seq"] = 77.into();
        let answer = terminal.client.post(city.url("/v1/hello")).json(&hello).send().await.unwrap();
        let why = refused(described("post", "/v1/hello", answer).await).await;
        assert!(why.contains("version"), "{why}");
        let ordinary = terminal.say(&city, &says).await;
        assert!(ordinary.commands.is_empty() && ordinary.received == [(1, 1)], "after version {version}");
    }
}

#[tokio::test]
async fn what_a_later_terminal_adds_to_a_record_is_kept_with_it() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let submission = with_more(serde_json::to_value(terminal.submission(1)).unwrap());
    let (manifest, record) = terminal.sealed(1, RecordKind::Case, submission.to_string().as_bytes());
    let mut told = with_more(serde_json::to_value(&manifest).unwrap());
    told["clock"] = with_more(told["clock"].take());
    let jws = signed(&terminal.key, &told);
    let body = json!({ "manifest": jws, "ciphertext": STANDARD.encode(&record.ciphertext) });
    let receipt = receipt_of(&city, put(&city, &terminal, &case_id(1), &with_more(body.clone())).await).await;
    assert_eq!((receipt.sha256, receipt.status), (manifest.sha256, ReceiptStatus::Accepted));
    let records = city.all_decided().await;
    assert_eq!(records[0]["status"], "opened", "{records:?}");
    // The next one names it by the hash of the bytes as they came.
    let (mut next, mut sealed) = terminal.case(2);
    next.prev_hash = Manifest::hash(&jws);
    sealed.manifest = next.sign(&terminal.key);
    terminal.deliver(&city, &next, &sealed).await;
    assert_eq!(terminal.hello(&city).await.received, [(1, 2)]);
}

#[tokio::test]
async fn a_record_that_cannot_be_understood_is_refused_and_its_place_stays_free() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let told = serde_json::to_value(&manifest).unwrap();
    let changed = |name: &str, value: Value| {
        let mut told = told.clone();
        told[name] = value;
        told
    };
    let mut unknown: Vec<Value> = UNKNOWN.map(|version| changed("version", version.into())).into();
    unknown.push(changed("version", json!("three")));
    unknown.push(changed("kind", json!("withdrawal")));
    unknown.push(changed("kind", json!({ "supplement": { "to": 1 } })));
    for told in unknown {
        let body = json!({
            "manifest": signed(&terminal.key, &told), "ciphertext": STANDARD.encode(&record.ciphertext)
        });
        let why = refused(put(&city, &terminal, &case_id(1), &body).await).await;
        assert!(!why.is_empty() && !why.contains("life-1"), "{why}");
        assert!(city.records().await.is_empty(), "{told}");
        assert!(terminal.receipt(&city, &case_id(1)).await.is_none());
    }
    // Others flow meanwhile, and so does this one, once it can be understood.
    let (other, sealed) = terminal.case(2);
    terminal.deliver(&city, &other, &sealed).await;
    assert_eq!(terminal.hello(&city).await.received, [(2, 2)]);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(terminal.hello(&city).await.received, [(1, 2)]);
}

/// Behind the seal nothing is refused: the terminal has its receipt, and the city keeps what it cannot read yet.
#[tokio::test]
async fn sealed_content_of_a_later_version_is_kept_as_a_dead_letter() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    for (seq, version) in UNKNOWN.into_iter().enumerate() {
        let mut submission = serde_json::to_value(terminal.submission(seq as u64 + 1)).unwrap();
        submission["version"] = version.into();
        let plaintext = submission.to_string();
        let (manifest, record) = terminal.sealed(seq as u64 + 1, RecordKind::Case, plaintext.as_bytes());
        terminal.deliver(&city, &manifest, &record).await;
    }
    let records = city.all_decided().await;
    assert_eq!(records.len(), UNKNOWN.len());
    assert!(records.iter().all(|record| record["status"] == "dead_letter"), "{records:?}");
}

#[tokio::test]
async fn a_question_of_a_later_terminal_is_answered_or_refused_in_words() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let session = SealKeyPair::generate();
    let ticket = "0b7c0d1e-0000-4000-8000-000000000001";
    let ask = async |version: u16, body: Value| {
        let question = with_more(json!({
            "ticket": ticket, "terminal": "DG0001", "reply_to": session.recipient.trim(), "body": body
        }));
        let sealed = terminal.sealer.seal(question.to_string().as_bytes()).unwrap();
        let request = with_more(json!({
            "version": version, "ticket": ticket, "within_ms": 20_000, "question": STANDARD.encode(sealed)
        }));
        let answer = terminal.client.post(city.url("/v1/query")).json(&request).send().await.unwrap();
        described("post", "/v1/query", answer).await
    };
    for version in UNKNOWN {
        refused(ask(version, json!({ "kind": "reach" })).await).await;
    }
    for (body, expected, what) in [
        (json!({ "kind": "reach", "x": 1 }), AnswerBody::Reached, "with more"),
        (json!({ "kind": "queue_length", "window": 3 }), AnswerBody::NotKnown, "of a new kind"),
        (json!({ "kind": "queue_length" }), AnswerBody::NotKnown, "of a new kind, bare"),
    ] {
        let reply: QueryReply = ask(2, body).await.json().await.unwrap();
        let opener = AgeOpener::from_identities(&session.identity).unwrap();
        let opened = opener.open(&STANDARD.decode(reply.answer).unwrap()).unwrap();
        assert!(Answer::from_plaintext(&opened).unwrap().body == expected, "{what}");
    }
}

/// A record signed by a later release, then by today's: the same receipt, and no manifest is thrown away.
#[tokio::test]
async fn the_same_record_with_more_in_its_manifest_gets_the_same_receipt() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let told = with_more(serde_json::to_value(&manifest).unwrap());
    let body = json!({
        "manifest": signed(&terminal.key, &told), "ciphertext": STANDARD.encode(&record.ciphertext)
    });
    let first = receipt_of(&city, put(&city, &terminal, &case_id(1), &body).await).await;
    let (_, again) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(again.status, ReceiptStatus::Accepted);
    assert_eq!(
        (&again.sha256, again.server_time_ms),
        (&sha256_hex(&record.ciphertext), first.server_time_ms)
    );
    let records = city.all_decided().await;
    let with = |status: &str| records.iter().filter(|record| record["status"] == status).count();
    assert_eq!((records.len(), with("opened"), with("quarantined")), (2, 1, 1), "{records:?}");
}
