//! A small city for the tests of the agent: real mutual TLS with certificates made for the occasion, real HTTP/2, a
//! store in memory, and a bad mood on demand.
#![allow(dead_code, reason = "each test file uses its part")]

mod authority;
pub mod blobs;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use authority::{Authority, server_tls};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use rcgen::{KeyPair, SanType};
use sync_protocol::ranges::RangeSet;
use sync_protocol::*;

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
    /// Hello is good, receipts never end.
    Floods,
    /// Keeps records aside.
    Conflicts,
    /// Refuses this position with 403, takes the rest.
    Refuses(u64),
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
    pub not_http2: u32,
    pub last_hello: Option<HelloRequest>,
    pub commands: Vec<Command>,
    pub blobs: BTreeMap<String, blobs::Blob>,
    /// What hello calls the catalog.
    pub catalog_version: String,
    /// The signed catalog that is handed out.
    pub repository: PathBuf,
}

#[derive(Clone)]
pub struct City {
    pub inner: Arc<Mutex<Inner>>,
    terminal: TerminalPublicKey,
    receipt_key: Arc<CityReceiptKey>,
    other_key: Arc<CityReceiptKey>,
    pub address: SocketAddr,
}

/// A terminal's folder with keys, and the city it belongs to.
pub struct World {
    pub folder: tempfile::TempDir,
    pub city: City,
    pub key: TerminalKey,
    handle: axum_server::Handle<SocketAddr>,
}

impl World {
    pub async fn new() -> Self {
        Self::with_authority(false).await
    }

    /// With `foreign`, the city's certificate comes from an authority the terminal does not know.
    pub async fn with_authority(foreign: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let key = TerminalKey::generate();
        let receipt_key = CityReceiptKey::generate();
        let (city_ca, foreign_ca, terminal_ca) = (Authority::new(), Authority::new(), Authority::new());
        std::fs::write(keys.join("city-ca.pem"), &city_ca.pem).unwrap();
        std::fs::write(keys.join("city-receipt.pub.pem"), receipt_key.public().to_pem()).unwrap();
        std::fs::write(keys.join("terminal.key.pem"), key.to_pem().as_str()).unwrap();
        let terminal = SanType::URI(format!("spiffe://city/terminal/{TERMINAL}").try_into().unwrap());
        let certificate = terminal_ca.issue(&key.to_pem(), terminal);
        std::fs::write(keys.join("terminal.cert.pem"), certificate).unwrap();
        let server_key = KeyPair::generate().unwrap().serialize_pem();
        let issuer = if foreign { &foreign_ca } else { &city_ca };
        let server_certificate = issuer.issue(&server_key, SanType::DnsName("localhost".try_into().unwrap()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let city = City {
            inner: Arc::new(Mutex::new(Inner::new())),
            terminal: key.public(),
            receipt_key: Arc::new(receipt_key),
            other_key: Arc::new(CityReceiptKey::generate()),
            address: listener.local_addr().unwrap(),
        };
        let tls = server_tls(&server_certificate, &server_key, &terminal_ca.pem);
        let handle = axum_server::Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
        let router = Router::new()
            .route("/v1/hello", post(hello))
            .route("/v1/records/{case_id}", put(record))
            .merge(blobs::routes())
            .route("/v1/catalog/{*path}", get(catalog_file))
            .layer(DefaultBodyLimit::max(limits::MAX_RECORD_BODY))
            .with_state(city.clone());
        tokio::spawn(server.serve(router.into_make_service()));
        Self { folder, city, key, handle }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// `terminal.toml` with short waits, and `more` lines in its `[sync]` section.
    pub fn config_text(&self, more: &str) -> String {
        format!(
            "[terminal]\ncode = \"{TERMINAL}\"\n[paths]\nstate = \"state\"\nkeys = \"keys\"\n[city]\n\
             url = \"https://localhost:{}\"\n[sync]\nretry_base_ms = 20\nretry_cap_ms = 200\ntick_ms = 500\n\
             poll_ms = 50\nhello_every_ms = 1000\n{more}\n",
            self.city.address.port()
        )
    }

    pub fn config(&self, more: &str) -> sync_agent::Config {
        sync_agent::Config::parse(&self.config_text(more), self.folder.path()).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
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
            not_http2: 0,
            last_hello: None,
            commands: Vec::new(),
            blobs: BTreeMap::new(),
            catalog_version: "c".into(),
            repository: PathBuf::from("/nowhere"),
        }
    }
}

impl City {
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
    json(&HelloReply { hello: answer.sign(&city.receipt_key) })
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
    if mood == Mood::Refuses(manifest.seq) {
        return StatusCode::FORBIDDEN.into_response();
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
        Mood::Floods => json(&ReceiptReply { receipt: "A".repeat(4_000_000) }),
        Mood::Conflicts => {
            receipt.status = ReceiptStatus::ConflictRecorded;
            json(&ReceiptReply { receipt: receipt.sign(&city.receipt_key) })
        }
        _ => json(&ReceiptReply { receipt: receipt.sign(&city.receipt_key) }),
    }
}

/// Answers that do not look at the request at all.
fn strange_answer(mood: Mood) -> Option<Response> {
    const PAGE: &str = "<html><body>请先登录无线网络</body></html>";
    Some(match mood {
        Mood::Portal => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response(),
        Mood::PortalAsJson => ([(header::CONTENT_TYPE, "application/json")], PAGE).into_response(),
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

/// An agent at work in this test; stopped when dropped, or cleanly with [`Working::stop`].
pub struct Working {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Working {
    pub fn start(config: sync_agent::Config) -> Self {
        let agent = sync_agent::Agent::new(config).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(agent.run(async {
            let _ = stopped.await;
        }));
        Self { stop: Some(stop), task }
    }

    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(10), &mut self.task).await.expect("stops in time").unwrap();
    }
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
