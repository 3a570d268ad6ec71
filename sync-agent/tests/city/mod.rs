//! A small city for the tests of the agent: real mutual TLS with certificates made for the occasion, real HTTP/2, a
//! store in memory, and a bad mood on demand.
#![allow(dead_code, reason = "each test file uses its part")]

mod authority;
pub mod blobs;
pub mod names;
pub mod newer;
pub mod road;
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use sync_protocol::ranges::RangeSet;
use sync_protocol::*;
pub use world::*;

pub const TERMINAL: &str = "DG0001";

/// How the city, or whoever sits between, answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Good,
    /// Keeps the record, never answers.
    LosesReplies,
    /// A portal's page, honestly labelled.
    Portal,
    /// A portal's page that claims to be JSON.
    PortalAsJson,
    /// Everything fails with this status.
    Status(u16),
    /// 503 with `Retry-After: 1`.
    Busy,
    /// Leads elsewhere.
    Redirects,
    /// Hello is good, receipts are signed with another key.
    Forges,
    /// Hello is good, receipts are about another record.
    MixesUp,
    /// Hello is good, receipts are far too long.
    Floods,
    /// No answer ever ends.
    Endless,
    /// Hello is good, receipts never end.
    EndlessReceipts,
    /// Hello is good, receipts have more headers than anybody needs.
    EndlessHeaders,
    /// Keeps records aside.
    Conflicts,
    /// Refuses this position with this status, takes the rest.
    Refuses(u64, u16),
}

pub struct Inner {
    pub mood: Mood,
    pub epoch: String,
    pub durable_seq: u64,
    pub allowance: u32,
    /// (incarnation, seq) → (case id, hash of the content).
    pub held: BTreeMap<(String, u64), (String, String)>,
    pub manifests: BTreeMap<String, Manifest>,
    pub puts: BTreeMap<u64, u32>,
    pub hellos: u32,
    pub under_way: usize,
    pub most_under_way: usize,
    /// No record is answered before so many were under way at once.
    pub waits_for: usize,
    pub not_http2: u32,
    pub last_hello: Option<HelloRequest>,
    pub commands: Vec<Command>,
    pub blobs: BTreeMap<String, blobs::Blob>,
    /// What hello calls the catalog.
    pub catalog_version: String,
    /// The signed catalog that is handed out.
    pub repository: PathBuf,
    /// Makes the answers those of a newer city.
    pub newer: Option<newer::Newer>,
    /// Everything about blobs is answered with this status and nothing else.
    pub blob_answer: Option<u16>,
}

#[derive(Clone)]
pub struct City {
    pub inner: Arc<Mutex<Inner>>,
    terminal: TerminalPublicKey,
    receipt_key: Arc<CityReceiptKey>,
    other_key: Arc<CityReceiptKey>,
    pub address: SocketAddr,
}

impl Inner {
    fn new() -> Self {
        Self {
            mood: Mood::Good,
            epoch: "e-1".into(),
            durable_seq: 0,
            allowance: 32,
            held: BTreeMap::new(),
            manifests: BTreeMap::new(),
            puts: BTreeMap::new(),
            hellos: 0,
            under_way: 0,
            most_under_way: 0,
            waits_for: 0,
            not_http2: 0,
            last_hello: None,
            commands: Vec::new(),
            blobs: BTreeMap::new(),
            catalog_version: "c".into(),
            repository: PathBuf::from("/nowhere"),
            newer: None,
            blob_answer: None,
        }
    }
}

impl City {
    /// One that holds nothing yet, and takes records of whoever has this key.
    fn new(terminal: TerminalPublicKey, receipt_key: Arc<CityReceiptKey>, address: SocketAddr) -> Self {
        let inner = Arc::new(Mutex::new(Inner::new()));
        Self { inner, terminal, receipt_key, other_key: Arc::new(CityReceiptKey::generate()), address }
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/v1/hello", post(hello))
            .route("/v1/records/{case_id}", put(record))
            .merge(blobs::routes(self))
            .route("/v1/catalog/{*path}", get(catalog_file))
            .layer(DefaultBodyLimit::max(limits::MAX_RECORD_BODY))
            .with_state(self.clone())
    }

    pub fn set(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = mood;
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.inner.lock().unwrap())
    }

    pub fn held(&self) -> Vec<u64> {
        self.with(|inner| inner.held.keys().map(|(_, seq)| *seq).collect())
    }

    /// The same, signed.
    pub fn signed_receipt(&self, manifest: &Manifest) -> String {
        self.receipt(manifest).sign(&self.receipt_key)
    }

    /// What the city says of a record it holds.
    pub fn receipt(&self, manifest: &Manifest) -> Receipt {
        self.with(|inner| Receipt {
            version: PROTOCOL_VERSION,
            epoch: inner.epoch.clone(),
            terminal: manifest.terminal.clone(),
            incarnation: manifest.incarnation.clone(),
            seq: manifest.seq,
            case_id: manifest.case_id.clone(),
            sha256: manifest.sha256.clone(),
            status: ReceiptStatus::Accepted,
            complete: manifest
                .blobs
                .iter()
                .all(|blob| inner.blobs.get(&blob.sha256).is_some_and(blobs::Blob::is_whole)),
            server_time_ms: 1_795_300_000_000,
        })
    }

    pub fn public(&self) -> CityReceiptPublicKey {
        self.receipt_key.public()
    }
}

async fn hello(State(city): State<City>, version: Version, body: Bytes) -> Response {
    let request: HelloRequest = serde_json::from_slice(&body).unwrap();
    let mood = city.with(|inner| {
        inner.hellos += 1;
        inner.not_http2 += u32::from(version != Version::HTTP_2);
        inner.last_hello = Some(request.clone());
        inner.mood
    });
    if let Some(strange) = strange_answer(mood) {
        return strange;
    }
    let answer = city.with(|inner| {
        let ours = inner.held.keys().filter(|(incarnation, _)| *incarnation == request.incarnation);
        HelloAnswer {
            version: PROTOCOL_VERSION,
            terminal: request.terminal.clone(),
            server_time_ms: 1_795_300_000_000,
            epoch: inner.epoch.clone(),
            received: ours.map(|(_, seq)| *seq).collect::<RangeSet>().to_vec(),
            durable_seq: inner.durable_seq,
            catalog_version: inner.catalog_version.clone(),
            send_allowance: inner.allowance,
            retry_after_s: 0,
            nonce: request.nonce.clone(),
            continuity: Some(format!("token-{}", inner.hellos)),
            earlier: Vec::new(),
            commands: inner.commands.clone(),
        }
    });
    match city.with(|inner| inner.newer.clone()) {
        Some(newer) => newer::reply(&city, &newer, "hello", serde_json::to_value(answer).unwrap()),
        None => json(&HelloReply { hello: answer.sign(&city.receipt_key) }),
    }
}

async fn catalog_file(State(city): State<City>, UrlPath(path): UrlPath<String>) -> Response {
    if let Some(strange) = strange_answer(city.with(|inner| inner.mood)) {
        return strange;
    }
    match std::fs::read(city.with(|inner| inner.repository.join(path))) {
        Ok(bytes) => bytes.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn record(State(city): State<City>, body: Bytes) -> Response {
    let mood = city.with(|inner| {
        inner.under_way += 1;
        inner.most_under_way = inner.most_under_way.max(inner.under_way);
        inner.mood
    });
    while city.with(|inner| inner.most_under_way < inner.waits_for) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = take(&city, mood, &body).await;
    city.with(|inner| inner.under_way -= 1);
    answer
}

async fn take(city: &City, mood: Mood, body: &[u8]) -> Response {
    let sealed = SealedRecord::from_json(body).unwrap();
    let manifest = Manifest::verify(&sealed.manifest, &city.terminal).unwrap();
    assert!(sealed.matches(&manifest));
    city.with(|inner| *inner.puts.entry(manifest.seq).or_default() += 1);
    if let Some(strange) = strange_answer(mood) {
        return strange;
    }
    if let Mood::Refuses(seq, status) = mood
        && seq == manifest.seq
    {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let name = (manifest.incarnation.clone(), manifest.seq);
    city.with(|inner| {
        inner.held.insert(name, (manifest.case_id.clone(), manifest.sha256.clone()));
        inner.manifests.insert(manifest.case_id.clone(), manifest.clone());
    });
    if mood == Mood::LosesReplies {
        // Longer than the agent waits; the connection stays open.
        std::future::pending::<()>().await;
    }
    let mut receipt = city.receipt(&manifest);
    match mood {
        Mood::Forges => json(&ReceiptReply { receipt: receipt.sign(&city.other_key) }),
        Mood::MixesUp => {
            receipt.seq += 1;
            json(&ReceiptReply { receipt: receipt.sign(&city.receipt_key) })
        }
        Mood::EndlessReceipts => endless(),
        Mood::EndlessHeaders => {
            let mut response = receipt_reply(city, &receipt);
            let more =
                (0..5000).map(|at| (HeaderName::try_from(format!("x-{at}")).unwrap(), HeaderValue::from(at)));
            response.headers_mut().extend(more);
            response
        }
        Mood::Floods => json(&ReceiptReply { receipt: "A".repeat(4_000_000) }),
        Mood::Conflicts => {
            receipt.status = ReceiptStatus::ConflictRecorded;
            json(&ReceiptReply { receipt: receipt.sign(&city.receipt_key) })
        }
        _ => receipt_reply(city, &receipt),
    }
}

fn receipt_reply(city: &City, receipt: &Receipt) -> Response {
    match city.with(|inner| inner.newer.clone()) {
        Some(newer) => newer::reply(city, &newer, "receipt", serde_json::to_value(receipt).unwrap()),
        None => json(&ReceiptReply { receipt: receipt.sign(&city.receipt_key) }),
    }
}

/// Answers that do not look at the request at all.
fn strange_answer(mood: Mood) -> Option<Response> {
    const PAGE: &str = "<html><body>请先登录无线网络</body></html>";
    Some(match mood {
        Mood::Portal => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response(),
        Mood::PortalAsJson => ([(header::CONTENT_TYPE, "application/json")], PAGE).into_response(),
        Mood::Endless => endless(),
        Mood::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Busy => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from_static("1"))])
                .into_response()
        }
        Mood::Redirects => {
            (StatusCode::FOUND, [(header::LOCATION, HeaderValue::from_static("https://portal.example/"))])
                .into_response()
        }
        _ => return None,
    })
}

/// JSON that begins well and goes on for ever, as fast as it is taken.
fn endless() -> Response {
    const MORE: Bytes = Bytes::from_static(&[b'A'; 65_536]);
    let begin = Bytes::from_static(b"{\"receipt\":\"");
    let chunks = futures_util::stream::iter(std::iter::once(begin).chain(std::iter::repeat(MORE)));
    let body = Body::from_stream(futures_util::StreamExt::map(chunks, Ok::<_, std::io::Error>));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn json<T: serde::Serialize>(value: &T) -> Response {
    axum::Json(serde_json::to_value(value).unwrap()).into_response()
}

/// Fills an outbox with signed records as the kiosk would.
pub fn finalise(outbox: &mut kiosk_store::Outbox, key: &TerminalKey, records: u64) {
    finalise_sized(outbox, key, records, 500);
}

/// The same with contents of about this many bytes.
pub fn finalise_sized(outbox: &mut kiosk_store::Outbox, key: &TerminalKey, records: u64, bytes: usize) {
    for _ in 0..records {
        finalise_with(outbox, key, bytes, Vec::new());
    }
}

/// Records with ids from this number on, for another life of the queue.
pub fn finalise_numbered(outbox: &mut kiosk_store::Outbox, key: &TerminalKey, number: u64, records: u64) {
    for at in 0..records {
        finalise_one(outbox, key, number + at, 100, Vec::new());
    }
}

/// One record with these sealed blobs.
pub fn finalise_with(outbox: &mut kiosk_store::Outbox, key: &TerminalKey, bytes: usize, blobs: Vec<Vec<u8>>) {
    let number = outbox.next_slot().seq;
    finalise_one(outbox, key, number, bytes, blobs);
}

fn finalise_one(
    outbox: &mut kiosk_store::Outbox,
    key: &TerminalKey,
    number: u64,
    bytes: usize,
    blobs: Vec<Vec<u8>>,
) {
    let slot = outbox.next_slot();
    let ciphertext = format!("sealed content {} ", slot.seq).repeat(bytes / 18 + 1).into_bytes();
    let case_id = format!("00000000-0000-4000-8000-{number:012x}");
    let blobs: Vec<kiosk_store::SealedBlob> = blobs
        .into_iter()
        .map(|bytes| kiosk_store::SealedBlob { sha256: sha256_hex(&bytes), bytes })
        .collect();
    let named = |blob: &kiosk_store::SealedBlob| BlobRef {
        sha256: blob.sha256.clone(),
        bytes: blob.bytes.len() as u64,
    };
    let manifest = Manifest {
        version: PROTOCOL_VERSION,
        kind: RecordKind::Case,
        terminal: TERMINAL.into(),
        incarnation: outbox.incarnation().into(),
        seq: slot.seq,
        case_id: case_id.clone(),
        about: None,
        voids: None,
        case_number: format!("{TERMINAL}-{}", slot.seq),
        verification: "V".into(),
        item: "hotline-12345".into(),
        item_version: 1,
        catalog_version: "c".into(),
        prev_hash: slot.prev_hash.clone(),
        sha256: sha256_hex(&ciphertext),
        bytes: ciphertext.len() as u64,
        blobs: blobs.iter().map(named).collect(),
        clock: ClockEvidence { wall_ms: 0, monotonic_ms: 0, boot_id: "b".into(), last_sync_age_s: None },
    };
    manifest.check().unwrap();
    let record = kiosk_store::NewRecord {
        slot,
        case_id,
        kind: kiosk_store::RecordKind::Case,
        manifest: manifest.sign(key),
        sha256: manifest.sha256.clone(),
        ciphertext,
        finalised_at_ms: 1_795_300_000_000,
        blobs,
        stub: None,
    };
    outbox.commit(record).unwrap();
}

/// Waits until something holds; fails after a generous deadline, naming what was awaited.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Positions the terminal holds for acknowledged.
pub fn acknowledged(state: &Path) -> Vec<(u64, u64)> {
    let Some(outbox) = kiosk_store::OutboxReader::open(state).unwrap() else { return Vec::new() };
    let Some(delivery) = kiosk_store::DeliveryReader::open(state).unwrap() else { return Vec::new() };
    delivery.acknowledged(outbox.incarnation()).unwrap()
}

/// Rows of the agent's audit chain as `name fields`.
pub fn audited(state: &Path) -> Vec<String> {
    let rows = kiosk_store::AuditLog::read(state, "agent", 1, 10_000).unwrap();
    rows.iter().map(|row| format!("{} {}", row.name, row.fields)).collect()
}
