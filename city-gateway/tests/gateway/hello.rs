//! Hello, version 2: the nonce, tokens that tell copies apart, books, and terminals of version 1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sync_protocol::{Command, EarlierQueue, HelloReply, HelloRequest, Ledger};

use crate::support::{City, hello_request};

fn says(token: Option<String>, at: u64) -> HelloRequest {
    let mut hello = hello_request("DG0001");
    hello.continuity = token;
    hello.nonce = Some(format!("nonce-{at}"));
    hello.clock.monotonic_ms = at;
    hello
}

#[tokio::test]
async fn the_nonce_comes_back_and_tokens_go_on() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let first = terminal.say(&city, &says(None, 1)).await;
    assert_eq!(first.nonce.as_deref(), Some("nonce-1"));
    let token = first.continuity.unwrap();
    // The answer was lost.
    assert_eq!(terminal.say(&city, &says(None, 2)).await.continuity.unwrap(), token);
    let second = terminal.say(&city, &says(Some(token.clone()), 3)).await.continuity.unwrap();
    assert_ne!(second, token);
    city.restart().await;
    let third = terminal.say(&city, &says(Some(second), 4)).await;
    assert!(third.commands.is_empty());

    let copy = terminal.say(&city, &says(Some(token), 5)).await;
    assert_eq!((copy.commands, copy.continuity), (vec![Command::BeginIncarnation], None));
    let original = terminal.say(&city, &says(third.continuity, 6)).await;
    assert_eq!(original.commands, [Command::BeginIncarnation]);
    let mut reborn = says(None, 7);
    reborn.incarnation = "life-2".into();
    reborn.earlier = vec![EarlierQueue { incarnation: "life-1".into(), finalised_seq: 1 }];
    let reborn = terminal.say(&city, &reborn).await;
    assert!(reborn.commands.is_empty() && reborn.continuity.is_some());
    assert_eq!(reborn.earlier[0].incarnation, "life-1");
}

#[tokio::test]
async fn earlier_lives_are_answered_for() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    for seq in [1, 3] {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let mut hello = says(None, 1);
    hello.incarnation = "life-2".into();
    hello.finalised_seq = 0;
    hello.earlier = ["life-1", "life-0"]
        .map(|incarnation| EarlierQueue { incarnation: incarnation.into(), finalised_seq: 3 })
        .into();
    let answer = terminal.say(&city, &hello).await;
    assert!(answer.received.is_empty());
    assert_eq!(answer.earlier[0].received, [(1, 1), (3, 3)]);
    assert!(answer.earlier[1].received.is_empty());
}

#[tokio::test]
async fn books_are_shown_beside_the_citys() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let mut hello = says(None, 1);
    hello.ledger = Some(Ledger { issued: 3, acknowledged: 1, waiting: 2, side_lane: 1, ..Ledger::default() });
    hello.oldest_unacked_age_s = Some(77);
    terminal.say(&city, &hello).await;
    let shown: Value = city.page("/city/terminals.json").await.json().await.unwrap();
    let shown = &shown["terminals"][0];
    assert_eq!((&shown["terminal"], &shown["received"]), (&json!("DG0001"), &json!(1)));
    assert_eq!(shown["ledger"]["waiting"], 2);

    let metrics = city.page("/metrics").await;
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let metrics = metrics.text().await.unwrap();
    for line in [
        "gateway_records_total{result=\"kept\"} 1\n",
        "fleet_records{state=\"issued\"} 3\n",
        "fleet_records{state=\"side_lane\"} 1\n",
        "fleet_oldest_unacked_age_seconds_max 77\n",
        "gateway_request_seconds_count{asked=\"record\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert!(!metrics.contains("DG0001"));
}

/// The bytes a terminal of version 1 sends, and whether it understands what comes back: it knows none of the new
/// members and is not judged by what it cannot say.
#[tokio::test]
async fn a_terminal_of_version_1_is_understood_and_understands() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let hello = json!({
        "version": 1, "terminal": "DG0001", "incarnation": "life-1", "finalised_seq": 5, "agent_version": "0.1.0",
        "clock": { "wall_ms": 1_795_300_000_000_i64, "monotonic_ms": 5, "boot_id": "boot" },
    });
    for finalised in [5, 3, 9] {
        let mut hello = hello.clone();
        hello["finalised_seq"] = finalised.into();
        let answer = terminal.client.post(city.url("/v1/hello")).json(&hello).send().await.unwrap();
        let reply: HelloReply = answer.json().await.unwrap();
        let answer = payload(&reply.hello);
        let known = [
            "version",
            "terminal",
            "server_time_ms",
            "epoch",
            "received",
            "durable_seq",
            "catalog_version",
            "send_allowance",
            "retry_after_s",
        ];
        let members: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, known);
        assert_eq!(answer["version"], 1);
    }
    let (mut manifest, mut record) = terminal.case(1);
    manifest.version = 1;
    record.manifest = manifest.sign(&terminal.key);
    let (receipt, _) = terminal.deliver(&city, &manifest, &record).await;
    let receipt = payload(&receipt);
    assert_eq!(receipt["version"], 1);
    assert!(receipt.get("complete").is_none());
}

fn payload(jws: &str) -> Value {
    let payload = jws.split('.').nth(1).unwrap().replace('-', "+").replace('_', "/");
    let padded = format!("{payload}{}", "=".repeat((4 - payload.len() % 4) % 4));
    serde_json::from_slice(&STANDARD.decode(padded).unwrap()).unwrap()
}
