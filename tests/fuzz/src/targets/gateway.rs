//! Requests of terminals at the gateway: path, headers and body, through the true routes to the true embedded store.

use std::cell::RefCell;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use city_gateway::simulation::{self, Caller, City, CityKeys};
use city_gateway::{Budget, Config};
use sync_protocol::{
    HelloAnswer, HelloReply, Receipt, ReceiptReply, SealedRecord, sha256_hex, write_checksum,
};
use tokio::runtime::Runtime;

use crate::golden::{self, CITY, TERMINAL};
use crate::{Target, scratch};

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "gateway-request",
        decodes: "requests of a terminal: hello, records, receipts, questions, blobs (tus), catalog: the routes",
        inputs: 1500,
        seeds,
        run,
    }]
}

/// Longest answer that any of this may bring.
const LONGEST_ANSWER: usize = 2 * 1024 * 1024;

/// A city in memory, with one item in its catalog.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) city: City,
    pub(super) caller: Caller,
    seconds: u64,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) fn build() -> Self {
        let folder = scratch::folder();
        let items = folder.path().join("catalog/items");
        std::fs::create_dir_all(&items).expect("a folder can be made");
        let item = include_str!("../../../../city-gateway/tests/gateway/item.toml");
        std::fs::write(items.join("test-appeal.toml"), item).expect("a file can be written");
        let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
             [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n";
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, text).expect("a file can be written");
        let mut config = Config::load(&file).expect("a good configuration");
        let budget = Budget { records_per_second: 1000, mib_per_second: 64, blob_mib_per_second: 64 };
        (config.limits.city, config.limits.terminal) = (budget.clone(), budget);
        simulation::begin(0, 1_795_300_000_000, 1);
        let keys = CityKeys {
            receipt: golden::city_key().to_pem().to_string(),
            identities: golden::text("city_seal_identity").to_owned(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime can be made");
        let city = runtime.block_on(City::start(&config, &keys)).expect("the gateway starts");
        let caller = Caller::new("DG0001", &TERMINAL).expect("a code of a terminal");
        Self { runtime, city, caller, seconds: 0, _folder: folder }
    }

    /// A second later, so that no budget is used up: status and body of the answer.
    pub(super) fn answer(&mut self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.seconds += 1;
        let ms = self.seconds * 1000;
        simulation::it_is(ms, 1_795_300_000_000 + ms as i64);
        self.runtime.block_on(async {
            let response: Response<Body> = self.city.answer(&self.caller, request).await;
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), LONGEST_ANSWER).await.expect("an answer has a limit");
            (status, body.to_vec())
        })
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let record = SealedRecord {
        manifest: golden::text("manifest_jws").into(),
        ciphertext: golden::bytes("ciphertext"),
    };
    let case = golden::VECTORS[0]["manifest"]["case_id"].as_str().expect("a manifest has an id");
    let query = format!(
        r#"{{"version":2,"ticket":"1f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d","within_ms":50,"question":"{}"}}"#,
        golden::text("question_sealed")
    );
    let (piece, hash) = (b"a sealed photo", sha256_hex(b"a sealed photo"));
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &hash);
    let head = |text: String, body: &[u8]| [format!("{text}\n\n").as_bytes(), body].concat();
    let tus = "tus-resumable: 1.0.0";
    vec![
        head("POST /v1/hello".into(), &golden::json("hello_request")[0]),
        head(format!("PUT /v1/records/{case}\ncontent-type: application/json"), &record.to_json()),
        head(format!("GET /v1/records/{case}/receipt?sha256={hash}"), b""),
        head("POST /v1/query".into(), query.as_bytes()),
        head(
            format!(
                "POST /v1/blobs\n{tus}\nupload-length: 14\nupload-metadata: sha256 {encoded},filename eA=="
            ),
            b"",
        ),
        head(format!("HEAD /v1/blobs/{hash}\n{tus}"), b""),
        head(
            format!(
                "PATCH /v1/blobs/{hash}\n{tus}\nupload-offset: 0\nupload-checksum: {}\n\
                 content-type: application/offset+octet-stream\ncontent-length: 14",
                write_checksum(piece)
            ),
            piece,
        ),
        head(format!("POST /v1/blobs/{hash}\nx-http-method-override: HEAD\n{tus}"), b""),
        head("GET /v1/catalog/metadata/timestamp.json".into(), b""),
        head("GET /v1/openapi.json".into(), b""),
        head("OPTIONS /v1/blobs".into(), b""),
    ]
}

/// Method and path in the first line, headers in the next ones, an empty line, the body. `None` when no HTTP library
/// would hand it on.
fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let head = as_text(head);
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).ok()?).uri(path);
    let headers = request.headers_mut()?;
    for (name, value) in lines.take(64).filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    request.body(Body::from(body.to_vec())).ok()
}

fn run(bytes: &[u8]) {
    thread_local! {
        static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    }
    let Some(request) = request(bytes) else { return };
    WORLD.with_borrow_mut(|world| {
        let world = world.get_or_insert_with(World::build);
        let (status, body) = world.answer(request);
        assert_ne!(status, 500, "the gateway found a fault in itself");
        if status != 200 {
            return;
        }
        if let Ok(reply) = serde_json::from_slice::<ReceiptReply>(&body) {
            let receipt = Receipt::verify(&reply.receipt, &CITY).expect("a receipt is one");
            let held = world.city.book().record(&receipt.terminal, &receipt.case_id, Some(&receipt.sha256));
            let held = world.runtime.block_on(held).expect("the store answers");
            assert!(held.is_some(), "a receipt for what is not held");
        }
        if let Ok(reply) = serde_json::from_slice::<HelloReply>(&body) {
            HelloAnswer::verify(&reply.hello, &CITY).expect("an answer to hello is one");
        }
    });
}
