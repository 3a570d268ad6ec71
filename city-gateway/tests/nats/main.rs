//! Cases to a department by a real `nats-server` with JetStream: before there is a stream, across a kill of the server,
//! sent twice, and too large.
//!
//! Needs Debian's `nats-server`.

#[path = "../gateway/department.rs"]
#[allow(dead_code)]
mod department;
#[path = "../gateway/support.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use city_gateway::relay::Way;
use department::{Department, hasty, judged, until};
use futures_util::StreamExt;
use serde_json::{Value, json};
use support::{City, case_id};
use sync_protocol::{CaseDelivery, DeliveryNote};

/// The department of the item in `item.toml`.
const DEPARTMENT: &str = "测试办";

const SUBJECT: &str = "kiosk.cases";

/// A server in a folder of its own, at a port that it keeps.
struct Server {
    folder: PathBuf,
    port: u16,
    max_payload: &'static str,
    child: Child,
}

impl Server {
    fn start(folder: &Path, max_payload: &'static str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        // A free port, which the server asks for by itself and writes down; it has to keep it when it is started anew.
        let child = Self::run(folder, "-1", max_payload);
        let deadline = Instant::now() + Duration::from_secs(30);
        let port = loop {
            let said = std::fs::read_to_string(folder.join(format!("nats-server_{}.ports", child.id())));
            let said: Value = said.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            if let Some(address) = said["nats"][0].as_str() {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
            assert!(Instant::now() < deadline, "nats-server does not say its port");
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { folder: folder.into(), port, max_payload, child }
    }

    fn run(folder: &Path, port: &str, max_payload: &str) -> Child {
        let config = folder.join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: {max_payload}\nports_file_dir: \"{at}\"\n\
             jetstream {{ store_dir: \"{at}/store\" }}\n",
            at = folder.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("nats-server");
        command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("Debian's nats-server is installed")
    }

    /// kill -9, and the same again.
    fn again(&mut self) {
        self.kill();
        self.child = Self::run(&self.folder, &self.port.to_string(), self.max_payload);
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
        options.connect(format!("nats://127.0.0.1:{}", self.port)).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only when it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks JetStream's own interface, as `nats` the program does; again while the server is starting.
async fn ask(client: &async_nats::Client, subject: &str, body: Value) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match client.request(subject.to_owned(), body.to_string().into()).await {
            Ok(answer) => return serde_json::from_slice(&answer.payload).unwrap(),
            Err(error) => assert!(Instant::now() < deadline, "{subject}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn make_stream(client: &async_nats::Client) {
    let wanted = json!({
        "name": "CASES", "subjects": [SUBJECT], "storage": "file", "retention": "limits", "discard": "new",
        "num_replicas": 1, "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msg_size": -1,
        "duplicate_window": 120_000_000_000_u64,
    });
    let made = ask(client, "$JS.API.STREAM.CREATE.CASES", wanted).await;
    assert!(made["error"].is_null(), "{made}");
}

async fn stored(client: &async_nats::Client) -> u64 {
    let told = ask(client, "$JS.API.STREAM.INFO.CASES", json!({})).await;
    told["state"]["messages"].as_u64().unwrap_or(0)
}

async fn start(city: &mut City, server: &Server, department: &Department) {
    let mut config = city.config();
    let address = format!("nats://127.0.0.1:{}", server.port);
    let way = Way::Nats { server: address, subject: SUBJECT.into(), ca: None, credentials: None };
    config.relay = hasty(vec![department.by(city, "csb", DEPARTMENT, way)]);
    city.restart_with(config).await;
}

async fn figures(city: &City) -> String {
    city.page("/metrics").await.text().await.unwrap()
}

/// Deliveries that the department put off.
async fn tried(city: &City) -> u64 {
    let text = figures(city).await;
    let figure =
        text.lines().find(|line| line.starts_with("relay_attempts_total") && line.contains("not_now"));
    figure.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

async fn nothing_is_owed(city: &City) {
    city.all_decided().await;
    until("nothing is owed", async || !figures(city).await.contains("relay_cases{")).await;
}

async fn deliver(city: &City, seqs: std::ops::RangeInclusive<u64>) {
    let terminal = city.terminal("DG0001");
    for seq in seqs {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(city, &manifest, &record).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_has_each_case_whatever_happens_to_its_server() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let mut server = Server::start(&city.path("nats"), "16MB");
    start(&mut city, &server, &department).await;
    deliver(&city, 1..=3).await;
    // Nobody stores them yet: they stay owed.
    until("tried more than once", async || tried(&city).await > 3).await;
    let client = server.client().await;
    make_stream(&client).await;
    nothing_is_owed(&city).await;
    assert_eq!(stored(&client).await, 3);

    // The server is killed, cases go on arriving, and it comes back with what it had.
    server.kill();
    deliver(&city, 4..=8).await;
    server.again();
    nothing_is_owed(&city).await;
    let client = server.client().await;
    assert_eq!(stored(&client).await, 8);

    let mut seen = BTreeSet::new();
    for seq in 1..=8_u64 {
        let told = ask(&client, "$JS.API.STREAM.MSG.GET.CASES", json!({ "seq": seq })).await;
        let decoded = |name: &str| {
            use base64::Engine;
            let text = told["message"][name].as_str().unwrap();
            base64::engine::general_purpose::STANDARD.decode(text).unwrap()
        };
        let delivery: CaseDelivery = serde_json::from_slice(&decoded("data")).unwrap();
        let (note, submission) = tokio::task::block_in_place(|| judged(&city, &department.seal, &delivery));
        let id = note["id"].as_str().unwrap().to_owned();
        assert_eq!(submission["case_id"], note["case_id"]);
        let headers = String::from_utf8(decoded("hdrs")).unwrap();
        assert!(headers.contains(&format!("Nats-Msg-Id: {id}\r\n")), "{headers}");
        seen.insert(id);
    }
    assert_eq!(seen, (1..=8).map(|seq| DeliveryNote::id_of("DG0001", &case_id(seq))).collect());

    // Sent again under the same id, the stream keeps one.
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", DeliveryNote::id_of("DG0001", &case_id(8)).as_str());
    let again = client.request_with_headers(SUBJECT, headers, "again".into()).await.unwrap();
    let again: Value = serde_json::from_slice(&again.payload).unwrap();
    assert_eq!(again["duplicate"], true, "{again}");
    assert_eq!(stored(&client).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_answers_without_storing_is_not_believed() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let server = Server::start(&city.path("nats"), "16MB");
    let client = server.client().await;
    let mut subscribed = client.subscribe(SUBJECT).await.unwrap();
    client.flush().await.unwrap();
    let answering = client.clone();
    tokio::spawn(async move {
        while let Some(message) = subscribed.next().await {
            answering.publish(message.reply.unwrap(), "+OK".into()).await.unwrap();
        }
    });
    start(&mut city, &server, &department).await;
    deliver(&city, 1..=1).await;
    until("it was tried", async || tried(&city).await > 0).await;
    assert!(figures(&city).await.contains("relay_cases{department=\"csb\",state=\"routed\"} 1\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_waits_for_an_operator() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let server = Server::start(&city.path("nats"), "2KB");
    make_stream(&server.client().await).await;
    start(&mut city, &server, &department).await;
    deliver(&city, 1..=1).await;
    until("a dead letter", async || figures(&city).await.contains("state=\"dead_letter\"} 1\n")).await;
}
