//! Blobs in a bucket of a server for S3, with the true program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::clients;
use crate::support::City;
use sync_protocol::limits::MIN_CHUNK;
use sync_protocol::sha256_hex;

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits until it says a line with these words.
fn start(mut command: Command, words: &str) -> (Running, String) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains(words));
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (Running(child), line.unwrap_or_else(|| panic!("never said {words:?}")))
}

fn gateway(city: &mut City) -> Running {
    let mut command = Command::new("sh");
    // Its log is on its standard error.
    command.args(["-c", "exec \"$0\" --config \"$1\" 2>&1"]).arg(env!("CARGO_BIN_EXE_city-gateway"));
    command.arg(city.path("gateway.toml"));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("NO_PROXY", "*");
    let (running, line) = start(command, "the gateway is ready");
    let address = line.split_whitespace().find_map(|word| word.strip_prefix("terminals="));
    city.outside = Some(address.unwrap().parse().unwrap());
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_blobs_over_a_kill() {
    let mut command = Command::new(clients::python_for_s3());
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/s3.py"));
    let (_server, endpoint) = start(command, "http://");
    let mut city = City::prepare();
    let config = format!(
        "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
         [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
         [blobs.s3]\nbucket = \"blobs\"\nregion = \"us-east-1\"\nendpoint = \"{endpoint}\"\nprefix = \"city\"\n"
    );
    std::fs::write(city.path("gateway.toml"), config).unwrap();
    let terminal = city.terminal("DG0001");
    let photo: Vec<u8> = (0..700_000).map(|at| (at % 241) as u8).collect();
    let sha256 = sha256_hex(&photo);
    let (manifest, record) = terminal.case_with_blobs(1, &[&photo]);

    let running = gateway(&mut city);
    assert!(!terminal.deliver(&city, &manifest, &record).await.1.complete);
    terminal.announce(&city, &sha256, photo.len() as u64).await;
    let first = &photo[..MIN_CHUNK as usize];
    assert_eq!(terminal.piece(&city, &sha256, 0, first).await.status(), 204);
    drop(running);
    let _running = gateway(&mut city);
    assert_eq!(terminal.send_blob(&city, &photo).await, photo.len() as u64 - MIN_CHUNK);
    assert!(terminal.receipt(&city, &manifest.case_id).await.unwrap().1.complete);
    assert_eq!(terminal.send_blob(&city, &photo).await, 0);
}
