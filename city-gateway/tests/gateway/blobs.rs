//! Blobs over the wire: tus, receipts that become complete, cases that wait.

use serde_json::Value;
use sync_protocol::limits::{MAX_BLOB, MIN_CHUNK};
use sync_protocol::{ReceiptStatus, sha256_hex};

use crate::support::{City, described};

fn photo(seed: usize) -> Vec<u8> {
    (0..2 * MIN_CHUNK as usize + 5_000).map(|at| (at * 31 + seed) as u8).collect()
}

#[tokio::test]
async fn a_case_is_complete_when_its_photos_are_whole() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (first, second) = (photo(1), photo(2));
    let (manifest, record) = terminal.case_with_blobs(1, &[&first, &second]);
    let (incomplete, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!((receipt.status, receipt.complete), (ReceiptStatus::Accepted, false));
    assert_eq!(city.records().await[0]["status"], "incomplete");
    // The same state, the same receipt, however it is asked for.
    assert_eq!(terminal.receipt(&city, &manifest.case_id).await.unwrap().0, incomplete);
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, incomplete);

    assert_eq!(terminal.send_blob(&city, &first).await, first.len() as u64);
    assert_eq!(terminal.receipt(&city, &manifest.case_id).await.unwrap().0, incomplete);
    assert_eq!(terminal.send_blob(&city, &second).await, second.len() as u64);
    let (complete, receipt) = terminal.receipt(&city, &manifest.case_id).await.unwrap();
    assert!(receipt.complete);
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, complete);
    assert_eq!(city.all_decided().await[0]["status"], "opened");
    // A blob that is there costs one question and no byte.
    assert_eq!(terminal.send_blob(&city, &first).await, 0);
    city.restart().await;
    assert_eq!(terminal.receipt(&city, &manifest.case_id).await.unwrap().0, complete);
    assert!(terminal.receipt(&city, "00000000-0000-4000-8000-000000000099").await.is_none());
}

#[tokio::test]
async fn a_receipt_belongs_to_its_terminal() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    assert!(city.terminal("DG0002").receipt(&city, &manifest.case_id).await.is_none());
}

#[tokio::test]
async fn an_interruption_costs_at_most_one_piece() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let content = photo(3);
    let sha256 = sha256_hex(&content);
    terminal.announce(&city, &sha256, content.len() as u64).await;
    let piece = &content[..MIN_CHUNK as usize];
    let response = terminal.piece(&city, &sha256, 0, piece).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["upload-offset"].to_str().unwrap()),
        (204, "262144")
    );
    // Its answer was lost, and it is sent again.
    let again = terminal.piece(&city, &sha256, 0, piece).await;
    assert_eq!(
        (again.status().as_u16(), again.headers()["upload-offset"].to_str().unwrap()),
        (409, "262144")
    );
    city.restart().await;
    assert_eq!(terminal.blob_state(&city, &sha256).await, Some((MIN_CHUNK, content.len() as u64)));
    assert_eq!(terminal.send_blob(&city, &content).await, content.len() as u64 - MIN_CHUNK);
    assert_eq!(terminal.blob_state(&city, &sha256).await, Some((content.len() as u64, content.len() as u64)));
}

#[tokio::test]
async fn a_damaged_piece_and_a_damaged_whole_are_sent_again() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let content = photo(4);
    let sha256 = sha256_hex(&content);
    terminal.announce(&city, &sha256, content.len() as u64).await;
    let path = format!("/v1/blobs/{sha256}");
    let damaged = terminal
        .tus(&city, "PATCH", &path)
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .header("upload-checksum", sync_protocol::write_checksum(b"something else"))
        .body(content.clone());
    let damaged = described("patch", "/v1/blobs/{sha256}", damaged.send().await.unwrap()).await;
    assert_eq!(damaged.status(), 460);
    assert_eq!(terminal.blob_state(&city, &sha256).await.unwrap().0, 0);
    // Pieces that arrived as they were sent, but are not this blob.
    let mut wrong = content.clone();
    wrong[5] ^= 1;
    assert_eq!(terminal.piece(&city, &sha256, 0, &wrong).await.status(), 409);
    assert_eq!(terminal.blob_state(&city, &sha256).await.unwrap().0, 0);
    assert_eq!(terminal.send_blob(&city, &content).await, content.len() as u64);
}

#[tokio::test]
async fn requests_that_are_no_tus_are_refused_with_a_sentence() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let sha256 = sha256_hex(b"x");
    let blob = format!("/v1/blobs/{sha256}");
    let metadata = "sha256 eA==";
    let post = |length: u64| terminal.tus(&city, "POST", "/v1/blobs").header("upload-length", length);
    let patch = || terminal.tus(&city, "PATCH", &blob).header("upload-offset", 0).body("x");
    let kind = "application/offset+octet-stream";
    let cases = [
        (post(5), 400),
        (post(5).header("upload-metadata", metadata), 400),
        (post(0), 400),
        (post(MAX_BLOB + 1), 413),
        (terminal.tus(&city, "POST", "/v1/blobs"), 400),
        (terminal.client.post(city.url("/v1/blobs")), 412),
        (patch(), 415),
        (patch().header("content-type", kind), 404),
        (terminal.tus(&city, "PATCH", "/v1/blobs/..").header("content-type", kind), 404),
        (terminal.tus(&city, "POST", &blob), 405),
        (terminal.tus(&city, "DELETE", &blob), 405),
    ];
    for (number, (request, status)) in cases.into_iter().enumerate() {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "case {number}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string(), "case {number}");
    }
    assert_eq!(terminal.blob_state(&city, &sha256).await, None);
}

#[tokio::test]
async fn what_the_server_can_do_is_offered_and_methods_can_be_overridden() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let offer = terminal.tus(&city, "OPTIONS", "/v1/blobs").send().await.unwrap();
    let offer = described("options", "/v1/blobs", offer).await;
    assert_eq!(offer.headers()["tus-extension"], "creation,checksum");
    let content = photo(5);
    let sha256 = sha256_hex(&content);
    let announced = terminal.announce(&city, &sha256, content.len() as u64).await;
    assert_eq!(announced.headers()["location"].to_str().unwrap(), format!("/v1/blobs/{sha256}"));
    let request = terminal
        .tus(&city, "POST", &format!("/v1/blobs/{sha256}"))
        .header("x-http-method-override", "PATCH")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(content.clone());
    assert_eq!(request.send().await.unwrap().status(), 204);
    assert_eq!(terminal.blob_state(&city, &sha256).await.unwrap().0, content.len() as u64);
}

#[tokio::test]
async fn a_terminal_cannot_fill_the_disk_with_what_nobody_names() {
    let mut city = City::prepare();
    let mut config = city.config();
    config.blobs.limits.unnamed_mib = 1;
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let content = photo(6);
    assert_eq!(terminal.announce(&city, &sha256_hex(b"large"), 1_000_000).await.status(), 201);
    let refused = terminal.announce(&city, &sha256_hex(&content), content.len() as u64).await;
    assert_eq!(refused.status(), 429);
    // Once a case names it, it is welcome.
    let (manifest, record) = terminal.case_with_blobs(1, &[&content]);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(terminal.send_blob(&city, &content).await, content.len() as u64);
}

#[tokio::test]
async fn a_void_is_kept_and_shown() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let manifest = terminal.manifest(1, sync_protocol::RecordKind::Void, b"");
    let record =
        sync_protocol::SealedRecord { manifest: manifest.sign(&terminal.key), ciphertext: Vec::new() };
    let (_, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!((receipt.status, receipt.complete), (ReceiptStatus::Accepted, true));
    let records = city.all_decided().await;
    assert_eq!((&records[0]["kind"], &records[0]["status"]), (&"void".into(), &"dead_letter".into()));
    assert!(city.page("/city/").await.text().await.unwrap().contains("作废"));
    assert_eq!(terminal.hello(&city).await.received, [(1, 1)]);
}
