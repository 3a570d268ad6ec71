//! What terminals may do, and what they may not.

use std::sync::Arc;

use serde_json::Value;
use sync_protocol::{HelloReply, ReceiptStatus, RecordKind, SealedRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{City, ca, case_id, hello_request};

#[tokio::test]
async fn a_case_gets_a_receipt_and_the_same_case_the_same_receipt() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let (first, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(receipt.status, ReceiptStatus::Accepted);
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, first);
    // Also after a restart: a receipt is made from what is stored, not from when it is asked for.
    city.restart().await;
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, first);
    assert_eq!(city.records().await.len(), 1);
}

#[tokio::test]
async fn a_response_is_http2_and_json() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let response = terminal.put(&city, &manifest.case_id, &record).await;
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn hello_says_what_is_held() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    assert!(terminal.hello(&city).await.received.is_empty());
    for seq in [1, 2, 4] {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let answer = terminal.hello(&city).await;
    assert_eq!(answer.received, [(1, 2), (4, 4)]);
    assert_eq!((answer.terminal.as_str(), answer.send_allowance), ("DG0001", 32));
    // No backup is known of, so nothing may be thrown away yet.
    assert_eq!(answer.durable_seq, 0);
    let (manifest, record) = terminal.case(1);
    let (_, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(receipt.epoch, answer.epoch);
}

#[tokio::test]
async fn a_contradiction_is_kept_aside_and_gets_a_receipt() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    // Sealed again, so another ciphertext under the same id.
    let (other_manifest, other) = terminal.case(1);
    let (_, receipt) = terminal.deliver(&city, &other_manifest, &other).await;
    assert_eq!(receipt.status, ReceiptStatus::ConflictRecorded);
    let (_, again) = terminal.deliver(&city, &other_manifest, &other).await;
    assert_eq!(again, receipt);
    let records = city.all_decided().await;
    let statuses: Vec<_> = records.iter().map(|record| record["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["opened", "quarantined"]);
    assert_eq!(records[0]["sha256"], manifest.sha256);
    assert_eq!(records[1]["sha256"], other_manifest.sha256);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_copies_leave_one_record() {
    let city = Arc::new(City::start().await);
    let terminal = Arc::new(city.terminal("DG0001"));
    let (manifest, record) = terminal.case(1);
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (city, terminal) = (Arc::clone(&city), Arc::clone(&terminal));
        let (manifest, record) = (manifest.clone(), record.clone());
        racing.spawn(async move { terminal.deliver(&city, &manifest, &record).await.0 });
    }
    let mut receipts = racing.join_all().await;
    receipts.dedup();
    assert_eq!(receipts.len(), 1);
    assert_eq!(city.records().await.len(), 1);
}

#[tokio::test]
async fn no_certificate_no_connection() {
    let city = City::start().await;
    assert!(city.client(None).get(city.url("/v1/hello")).send().await.is_err());
    let stranger = city.terminal_named("DG0001", "spiffe://city/terminal/DG0001", &ca());
    assert!(stranger.client.get(city.url("/v1/hello")).send().await.is_err());
}

#[tokio::test]
async fn a_certificate_has_to_name_one_terminal() {
    let city = City::start().await;
    for name in
        ["spiffe://city/terminal/dg0001", "spiffe://city/operator/DG0001", "spiffe://city/terminal/DG00012"]
    {
        let odd = city.certified("DG0001", name);
        assert!(odd.client.get(city.url("/v1/hello")).send().await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn one_terminal_cannot_speak_for_another() {
    let city = City::start().await;
    let (first, second) = (city.terminal("DG0001"), city.terminal("DG0002"));
    // Its own signature under the other's name; the other's signature; the other's record passed on.
    let mut pretender = city.terminal("DG0001");
    pretender.code = "DG0002".into();
    let (manifest, record) = pretender.case(1);
    assert_eq!(pretender.put(&city, &manifest.case_id, &record).await.status(), 403);
    let (manifest, record) = second.case(1);
    assert_eq!(first.put(&city, &manifest.case_id, &record).await.status(), 403);
    let hello = first.client.post(city.url("/v1/hello")).json(&hello_request("DG0002")).send().await.unwrap();
    assert_eq!(hello.status(), 403);
    assert!(hello.json::<HelloReply>().await.is_err());
    assert!(city.records().await.is_empty());
}

#[tokio::test]
async fn what_is_no_record_is_refused_in_json() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let mut damaged = record.clone();
    damaged.ciphertext[20] ^= 1;
    let mut unsigned = record.clone();
    unsigned.manifest.truncate(unsigned.manifest.len() - 4);
    unsigned.manifest.push_str("AAAA");
    let put = |path: String, body: Vec<u8>| terminal.client.put(city.url(&path)).body(body).send();
    let here = format!("/v1/records/{}", manifest.case_id);
    let elsewhere = format!("/v1/records/{}", case_id(2));
    let cases = [
        (put(here.clone(), b"<html>".to_vec()).await, 400),
        (put(here.clone(), b"{}".to_vec()).await, 400),
        (put(here.clone(), damaged.to_json()).await, 400),
        (put(elsewhere, record.to_json()).await, 400),
        (put(here.clone(), unsigned.to_json()).await, 403),
        (put("/v1/nothing".into(), Vec::new()).await, 404),
        (put("/v1/hello".into(), Vec::new()).await, 405),
        (terminal.client.post(city.url("/v1/hello")).body("no").send().await, 400),
        (terminal.client.post(city.url("/v1/hello")).body(vec![b' '; 70_000]).send().await, 413),
    ];
    for (number, (response, status)) in cases.into_iter().enumerate() {
        let response = response.unwrap();
        assert_eq!(response.status(), status, "case {number}");
        assert_eq!(response.headers()["content-type"], "application/json", "case {number}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string(), "case {number}");
    }
    assert!(city.records().await.is_empty());
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let mut city = City::prepare();
    let mut config = city.config();
    config.limits.request_seconds = 1;
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let mut stream = terminal.connect(&city).await;
    let head = format!(
        "PUT /v1/records/{} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n{{",
        case_id(1)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after"), "{answer}");
}

#[tokio::test]
async fn who_sends_everything_before_reading_sees_why_it_was_refused() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let body = vec![7; 400_000];
    let head = format!(
        "PATCH /v1/blobs/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        "0".repeat(64),
        body.len()
    );
    let mut stream = terminal.connect(&city).await;
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 412"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn addresses_that_cannot_be_read_are_refused_in_json() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    for path in ["/v1/records/%FF/receipt", "/v1/records/x/receipt?sha256=a&sha256=b", "/v1/blobs/%FF"] {
        let request = terminal.client.get(city.url(path)).header("tus-resumable", "1.0.0");
        let response = request.send().await.unwrap();
        assert!(response.status().is_client_error(), "{path}");
        let answer: serde_json::Value = response.json().await.unwrap();
        assert!(answer["error"].is_string(), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_at_once_is_asked_to_come_again() {
    let mut city = City::prepare();
    let mut config = city.config();
    config.limits.bodies_mib = 16;
    // Longer than this test: on a busy machine the two below must not give their room back before it is asked for.
    config.limits.request_seconds = 60;
    city.restart_with(config).await;
    let city = Arc::new(city);
    let terminal = Arc::new(city.terminal("DG0001"));
    // Two bodies announce most of what is allowed and do not come.
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = terminal.connect(&city).await;
        let head =
            format!("PUT /v1/records/{} HTTP/1.1\r\nhost: a\r\ncontent-length: 8300000\r\n\r\n", case_id(9));
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let (manifest, record) = terminal.case(1);
    let ciphertext = vec![7; 600_000];
    let mut large = terminal.manifest(1, RecordKind::Case, &ciphertext);
    large.case_id = manifest.case_id.clone();
    let large = SealedRecord { manifest: large.sign(&terminal.key), ciphertext };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let refused = loop {
        let response = terminal.put(&city, &manifest.case_id, &large).await;
        if response.status() == 503 {
            break response;
        }
        assert!(tokio::time::Instant::now() < deadline, "the limit was never reached");
    };
    // One second, and up to half as long again.
    assert!(["1", "2"].contains(&refused.headers()["retry-after"].to_str().unwrap()));
    drop(held);
    // And when there is room again, the same terminal is served.
    loop {
        if terminal.put(&city, &manifest.case_id, &record).await.status() == 200 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the gateway did not recover");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_with_many_records_under_way_is_served() {
    const RECORDS: u64 = 300;
    let city = Arc::new(City::start().await);
    let terminal = Arc::new(city.terminal("DG0001"));
    let records: Vec<_> = (1..=RECORDS).map(|seq| terminal.case(seq)).collect();
    let under_way = Arc::new(tokio::sync::Semaphore::new(32));
    let mut sending = tokio::task::JoinSet::new();
    for (manifest, record) in records {
        let place = Arc::clone(&under_way).acquire_owned().await.unwrap();
        let (city, terminal) = (Arc::clone(&city), Arc::clone(&terminal));
        sending.spawn(async move {
            terminal.deliver(&city, &manifest, &record).await;
            drop(place);
        });
    }
    sending.join_all().await;
    assert_eq!(terminal.hello(&city).await.received, [(1, RECORDS)]);
    assert_eq!(city.records().await.len() as u64, RECORDS);
}
