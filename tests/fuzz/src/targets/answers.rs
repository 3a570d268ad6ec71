//! What the agent hears over the network: from the city, or from whatever else answers in its place.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Response as Answer};
use kiosk_store::StoredBlob;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sync_agent::client::{Cause, CityClient, RecordName, Refused};
use sync_agent::surroundings::{Later, Surroundings, read_part};
use sync_agent::throttle::Throttle;
use sync_protocol::{HelloRequest, SealedRecord, sha256_hex};
use tokio::runtime::Runtime;

use crate::golden::{self, CITY};
use crate::{Target, scratch};

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "agent-answers",
        decodes: "answers to the agent: hello, put, receipt, query, blobs (status, headers, body): CityClient",
        inputs: 4000,
        seeds,
        run,
    }]
}

/// Between the answers of one input.
const NEXT: &[u8] = b"\n%%\n";

/// Bytes of the blob that is sent: a whole piece and a bit.
const BLOB_BYTES: usize = 300_000;

/// More requests than a blob of two pieces can need, with three standstills for each.
const MOST_REQUESTS: u32 = 32;

/// A network on which an input answers.
struct Answers {
    left: Mutex<Vec<Vec<u8>>>,
    asked: AtomicU32,
}

impl Surroundings for Answers {
    fn now_ms(&self) -> u64 {
        1
    }

    fn wall_ms(&self) -> i64 {
        1_795_300_000_000
    }

    fn since_boot_ms(&self) -> Option<u64> {
        Some(1)
    }

    fn boot_id(&self) -> String {
        "boot".into()
    }

    fn random(&self) -> u64 {
        7
    }

    fn sleep_until(&self, _: u64) -> Later<()> {
        Box::pin(async {})
    }

    fn spawn(&self, _: Later<()>) {}

    fn send(&self, _: RequestBuilder) -> Later<Result<Response, Refused>> {
        assert!(self.asked.fetch_add(1, Ordering::Relaxed) < MOST_REQUESTS, "asked without end");
        let mut left = self.left.lock().expect("nobody panics with it");
        let answer = if left.is_empty() { None } else { Some(left.remove(0)) };
        let answer = answer.and_then(|bytes| response(&bytes)).ok_or_else(|| Refused::from(Cause::Broken));
        Box::pin(async { answer })
    }

    fn read(&self, path: PathBuf, range: Range<u64>) -> Later<io::Result<Vec<u8>>> {
        let read = read_part(&path, range);
        Box::pin(async { read })
    }
}

/// Status in the first line, headers in the next ones, an empty line, the body.
fn response(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let head = as_text(head);
    let mut lines = head.lines();
    let mut answer = Answer::new(body.to_vec());
    *answer.status_mut() = lines.next()?.trim().parse().ok()?;
    for (name, value) in lines.take(64).filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    Some(Response::from(answer))
}

struct World {
    runtime: Runtime,
    http: Client,
    config: sync_agent::Config,
    blob: StoredBlob,
    _folder: tempfile::TempDir,
}

impl World {
    fn build() -> Self {
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("ring speaks TLS")
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        let http = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .build()
            .expect("a client can be made");
        let folder = scratch::folder();
        let text = "[terminal]\ncode = \"DG0001\"\n[paths]\nstate = \"s\"\nkeys = \"k\"\n[city]\nurl = \"https://city.test\"\n";
        let config = sync_agent::Config::parse(text, folder.path()).expect("a good configuration");
        let (path, bytes) = (folder.path().join("blob"), vec![7; BLOB_BYTES]);
        std::fs::write(&path, &bytes).expect("a file can be written");
        let blob = StoredBlob { sha256: sha256_hex(&bytes), bytes: BLOB_BYTES as u64, path };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Self { runtime: runtime.expect("a runtime can be made"), http, config, blob, _folder: folder }
    }
}

static REQUEST: LazyLock<HelloRequest> = LazyLock::new(|| {
    HelloRequest::from_json(&golden::json("hello_request")[0]).expect("the vectors hold a hello")
});

static NAME: LazyLock<RecordName> = LazyLock::new(|| {
    let manifest = &golden::VECTORS[0]["manifest"];
    let text = |name: &str| manifest[name].as_str().expect("a manifest has it").to_owned();
    RecordName {
        incarnation: text("incarnation"),
        seq: 1,
        case_id: text("case_id"),
        sha256: Some(text("sha256")),
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let answer = |call: u8, body: Value| {
        let head = "200\ncontent-type: application/json\n\n";
        [&[call][..], head.as_bytes(), body.to_string().as_bytes()].concat()
    };
    let tus = |answers: &[&str]| [&b"4"[..], answers.join("\n%%\n").as_bytes()].concat();
    let later = "503\nretry-after: 18446744073709551615\n\n";
    vec![
        answer(b'0', json!({"hello": golden::text("hello_jws")})),
        answer(b'1', json!({"receipt": golden::text("receipt_jws")})),
        answer(b'2', json!({"receipt": golden::text("incomplete_receipt_jws")})),
        answer(b'3', json!({"ticket": "t-1", "answer": golden::text("answer_sealed")})),
        [&b"1"[..], later.as_bytes()].concat(),
        tus(&[
            "404\n\n",
            "201\nlocation: /v1/blobs/x\n\n",
            "204\nupload-offset: 262144\n\n",
            "204\nupload-offset: 300000\n\n",
        ]),
        tus(&[
            "200\nupload-offset: 262144\nupload-length: 300000\n\n",
            "409\n\n",
            "200\nupload-offset: 0\nupload-length: 300000\n\n",
        ]),
        tus(&["200\nupload-offset: 300000\nupload-length: 300000\n\n"]),
    ]
}

fn run(bytes: &[u8]) {
    thread_local! {
        static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    }
    let Some((&call, answers)) = bytes.split_first() else { return };
    let mut left = Vec::new();
    let mut rest = answers;
    while let Some(at) = rest.windows(NEXT.len()).position(|part| part == NEXT) {
        left.push(rest[..at].to_vec());
        rest = &rest[at + NEXT.len()..];
    }
    left.push(rest.to_vec());
    WORLD.with_borrow_mut(|world| {
        let world = world.get_or_insert_with(World::build);
        let around = Arc::new(Answers { left: Mutex::new(left), asked: AtomicU32::new(0) });
        let client = CityClient::over(around, world.http.clone(), &world.config, CITY.clone());
        ask(world, &client, call);
    });
}

fn ask(world: &World, client: &CityClient, call: u8) {
    match call % 8 {
        0 => {
            if let Ok(answer) = wait(world, client.hello(&REQUEST)) {
                assert!(answer.terminal == REQUEST.terminal && answer.nonce == REQUEST.nonce);
            }
        }
        1 | 2 => {
            let record = SealedRecord { manifest: golden::text("manifest_jws").into(), ciphertext: vec![1] };
            let answered = if call % 8 == 1 {
                wait(world, client.put(&NAME, &record))
            } else {
                wait(world, client.receipt(&NAME))
            };
            if let Ok(good) = answered {
                let signed = ["receipt_jws", "incomplete_receipt_jws"].map(golden::text);
                assert!(
                    signed.contains(&good.jws.as_str()),
                    "a receipt that the city did not sign was believed"
                );
            }
        }
        3 => {
            let question = golden::text("question_sealed").to_owned();
            drop(wait(world, client.query("t-1", question, Duration::from_secs(5))));
        }
        _ => {
            let blobs = std::slice::from_ref(&world.blob);
            let _ = wait(world, client.send_blobs(blobs, &Throttle::new(Vec::new())));
        }
    }
}

/// What an answer came to; a refusal always says what it means for the record.
fn wait<T>(world: &World, asked: impl Future<Output = Result<T, Refused>>) -> Result<T, Refused> {
    world.runtime.block_on(asked).inspect_err(|refused| {
        assert!(!refused.cause.code().is_empty());
        let _ = refused.failure();
    })
}
