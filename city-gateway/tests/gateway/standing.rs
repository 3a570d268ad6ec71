//! What a terminal that is not on the list may still do, beyond the records it hands in: blobs, hello, questions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sync_protocol::{
    HelloRequest, Ledger, PROTOCOL_VERSION, QueryRequest, Question, QuestionBody, ReceiptStatus, SealKeyPair,
    Sealer, sha256_hex,
};

use crate::support::{City, Terminal, case_id, described, hello_request};

/// A city that believes its list only.
async fn strict_city() -> City {
    let mut city = City::prepare();
    city.restart_with(city.strict()).await;
    city
}

/// Asks whether the city can be reached, and returns the status of the answer.
async fn question(city: &City, terminal: &Terminal) -> u16 {
    let question = Question {
        ticket: "t-1".into(),
        terminal: terminal.code.clone(),
        reply_to: SealKeyPair::generate().recipient.trim().to_owned(),
        body: QuestionBody::Reach,
    };
    let sealed = terminal.sealer.seal(&question.to_plaintext()).unwrap();
    let request = QueryRequest {
        version: PROTOCOL_VERSION,
        ticket: question.ticket,
        within_ms: 20_000,
        question: STANDARD.encode(sealed),
    };
    let response = terminal.client.post(city.url("/v1/query")).json(&request).send().await.unwrap();
    described("post", "/v1/query", response).await.status().as_u16()
}

fn says(token: Option<String>, at: u64) -> HelloRequest {
    let mut hello = hello_request("DG0001");
    hello.continuity = token;
    hello.clock.monotonic_ms = at;
    hello.ledger = Some(Ledger { issued: at, waiting: at, ..Ledger::default() });
    hello
}

#[tokio::test]
async fn a_revoked_terminals_photos_are_kept_beside_its_case() {
    let mut city = strict_city().await;
    let terminal = city.enrolled("DG0001").await;
    let photo: Vec<u8> = (0..700_000).map(|at| (at * 7) as u8).collect();
    let (manifest, record) = terminal.case_with_blobs(1, &[&photo]);
    city.revoke("DG0001").await;
    // A photo that no record names is nothing to keep for it.
    let early = terminal.announce(&city, &sha256_hex(&photo), photo.len() as u64).await;
    assert_eq!(early.status(), 429);

    let (_, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!((receipt.status, receipt.complete), (ReceiptStatus::ConflictRecorded, false));
    assert_eq!(terminal.send_blob(&city, &photo).await, photo.len() as u64);
    let (complete, receipt) = terminal.receipt(&city, &manifest.case_id).await.unwrap();
    assert_eq!((receipt.status, receipt.complete), (ReceiptStatus::ConflictRecorded, true));
    city.restart_with(city.strict()).await;
    assert_eq!(terminal.receipt(&city, &manifest.case_id).await.unwrap().0, complete);
    assert_eq!(terminal.send_blob(&city, &photo).await, 0);
    let records = city.records().await;
    assert_eq!((records.len(), &records[0]["status"]), (1, &"quarantined".into()));
}

#[tokio::test]
async fn questions_are_answered_to_those_on_the_list_only() {
    let city = strict_city().await;
    let (known, unlisted) = (city.enrolled("DG0001").await, city.terminal("DG0001"));
    assert_eq!((question(&city, &known).await, question(&city, &unlisted).await), (200, 403));
    city.revoke("DG0001").await;
    assert_eq!(question(&city, &known).await, 403);
}

/// Somebody with a certificate nobody listed speaks in the name of a terminal that works.
#[tokio::test]
async fn what_is_not_on_the_list_changes_nothing_for_the_terminal_of_its_name() {
    let city = strict_city().await;
    let (known, unlisted) = (city.enrolled("DG0001").await, city.terminal("DG0001"));
    let token = known.say(&city, &says(None, 1)).await.continuity;
    assert!(token.is_some());
    for at in 2..5 {
        for said in [None, Some("made-up".to_owned()), token.clone()] {
            let answer = unlisted.say(&city, &says(said, at)).await;
            assert!(answer.commands.is_empty() && answer.continuity.is_none());
            assert_eq!(answer.catalog_version, "");
        }
    }
    let shown: serde_json::Value = city.page("/city/terminals.json").await.json().await.unwrap();
    assert_eq!(shown["terminals"][0]["ledger"]["issued"], 1);
    let answer = known.say(&city, &says(token, 9)).await;
    assert!(answer.commands.is_empty() && answer.continuity.is_some());
}

#[tokio::test]
async fn a_stolen_certificate_does_not_eat_up_the_terminals_share() {
    let mut city = City::prepare();
    let mut config = city.strict();
    config.limits.terminal.records_per_second = 1;
    city.restart_with(config).await;
    let (known, unlisted) = (city.enrolled("DG0001").await, city.terminal("DG0001"));
    let mut refused = false;
    for seq in 1..200 {
        let (_, record) = unlisted.case(seq);
        refused |= unlisted.put(&city, &case_id(seq), &record).await.status() == 429;
        if refused {
            break;
        }
    }
    assert!(refused, "its own share has an end");
    let (manifest, record) = known.case(500);
    let (_, receipt) = known.deliver(&city, &manifest, &record).await;
    assert_eq!(receipt.status, ReceiptStatus::Accepted);
}
