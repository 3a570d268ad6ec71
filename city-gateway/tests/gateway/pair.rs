//! Two gateway processes on one database behind a proxy, as a city runs them. Either is killed and started anew, while
//! terminals deliver: what has a receipt is there once, and all of it is opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use city_gateway::test_cluster::Cluster;
use sync_protocol::{Manifest, ReceiptReply, SealedRecord};
use tokio::net::{TcpListener, TcpStream};

use crate::program::Program;
use crate::support::{City, Terminal};

const TERMINALS: u64 = 4;

/// Kills, of either gateway in turn.
const KILLS: usize = 6;

/// Receipts between two kills.
const BETWEEN: u64 = 40;

/// Passes connections on to a gateway that takes them, one after the other in turn.
struct Proxy {
    address: SocketAddr,
    behind: Arc<Mutex<Vec<Option<SocketAddr>>>>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::new(Mutex::new(vec![None, None]));
        let all = Arc::clone(&behind);
        tokio::spawn(async move {
            let turn = AtomicUsize::default();
            while let Ok((mut from, _)) = listener.accept().await {
                let first = turn.fetch_add(1, Ordering::Relaxed);
                let there: Vec<Option<SocketAddr>> = all.lock().unwrap().clone();
                tokio::spawn(async move {
                    for at in 0..there.len() {
                        let Some(gateway) = there[(first + at) % there.len()] else { continue };
                        let Ok(mut to) = TcpStream::connect(gateway).await else { continue };
                        // However it ends, the terminal sees a connection that ended.
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                        return;
                    }
                });
            }
        });
        Self { address, behind }
    }

    fn set(&self, at: usize, gateway: Option<SocketAddr>) {
        self.behind.lock().unwrap()[at] = gateway;
    }
}

fn configuration(city: &City, database: &str, name: &str) -> PathBuf {
    let path = city.path(&format!("{name}.toml"));
    let text = format!(
        "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
         [paths]\nstate = \"{name}\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
         [store]\nkind = \"postgres\"\naddress = \"{database}\"\n\
         [blobs]\nfolder = \"blobs\"\n\
         [enrolment]\ntrust_unlisted = true\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A terminal that sends a record until it has its receipt, over whatever connection works.
struct Sender {
    terminal: Terminal,
    url: String,
}

impl Sender {
    /// Returns the receipt as it came.
    async fn insist(&self, manifest: &Manifest, record: &SealedRecord) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let request = self.terminal.client.put(format!("{}/v1/records/{}", self.url, manifest.case_id));
            let sent = request.header("content-type", "application/json").body(record.to_json()).send().await;
            if let Ok(answer) = sent
                && answer.status() == 200
                && let Ok(reply) = answer.json::<ReceiptReply>().await
            {
                return reply.receipt;
            }
            assert!(Instant::now() < deadline, "{} has no receipt", manifest.case_id);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_of_two_gateways_may_be_killed_at_any_moment() {
    let city = City::prepare();
    let database = Cluster::shared().database().unwrap();
    let configurations = [configuration(&city, &database, "one"), configuration(&city, &database, "other")];
    let proxy = Proxy::start().await;
    let mut programs: Vec<Option<Program>> = vec![None, None];
    for at in 0..2 {
        let program = tokio::task::block_in_place(|| Program::with(&configurations[at], "info"));
        proxy.set(at, Some(program.terminals));
        programs[at] = Some(program);
    }

    let received = Arc::<AtomicU64>::default();
    let stop = Arc::new(std::sync::atomic::AtomicBool::default());
    let mut terminals = tokio::task::JoinSet::new();
    for number in 1..=TERMINALS {
        let terminal = city.terminal(&format!("DG000{number}"));
        let sender = Sender { terminal, url: format!("https://localhost:{}", proxy.address.port()) };
        let (received, stop) = (Arc::clone(&received), Arc::clone(&stop));
        terminals.spawn(async move {
            let mut delivered = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let (manifest, record) = sender.terminal.case(delivered.len() as u64 + 1);
                let receipt = sender.insist(&manifest, &record).await;
                received.fetch_add(1, Ordering::Relaxed);
                delivered.push((manifest, record, receipt));
            }
            (sender, delivered)
        });
    }
    for kill in 0..KILLS {
        let before = received.load(Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(60);
        while received.load(Ordering::Relaxed) < before + BETWEEN {
            assert!(Instant::now() < deadline, "nothing is delivered any more after {kill} kills");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let at = kill % 2;
        // SIGKILL; the proxy finds out by itself.
        drop(programs[at].take());
        let program = tokio::task::block_in_place(|| Program::with(&configurations[at], "info"));
        proxy.set(at, Some(program.terminals));
        programs[at] = Some(program);
    }
    stop.store(true, Ordering::Relaxed);

    let mut all = 0;
    while let Some(ended) = terminals.join_next().await {
        let (sender, delivered) = ended.unwrap();
        all += delivered.len();
        // Whoever is asked again gives the same receipt, byte for byte.
        for (manifest, record, receipt) in delivered.iter().step_by(7) {
            assert_eq!(sender.insist(manifest, record).await, *receipt);
        }
    }
    let name = database.rsplit('=').next().unwrap();
    let ask = |sql: &str| tokio::task::block_in_place(|| Cluster::shared().psql(name, sql)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while ask("SELECT count(*) FROM handling WHERE state <> 'opened'") != "0" {
        assert!(
            Instant::now() < deadline,
            "not drained: {}",
            ask("SELECT state, count(*) FROM handling GROUP BY 1")
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let counts = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM handling),
                         (SELECT count(*) FROM relay_outbox), (SELECT count(*) FROM quarantine)";
    assert_eq!(ask(counts), format!("{all}|{all}|{all}|0"));
    assert!(all as u64 >= KILLS as u64 * BETWEEN);
    // Each queue without a gap, and each place once.
    let gaps = "SELECT count(*) FROM (SELECT max(seq) - count(*) AS lacking FROM inbox GROUP BY terminal, incarnation) q
                WHERE lacking <> 0";
    assert_eq!(ask(gaps), "0");
}
