//! The gateway against what others wrote: tuspy and tus-js-client upload, are interrupted by a restart, resume, and
//! what they sent is whole; Schemathesis probes all that is described; and, with the feature `s3`, a server for S3
//! (moto) keeps blobs. What they need is made ready in the build folder by the first test that runs.

#[path = "../gateway/blob_terminal.rs"]
#[allow(dead_code)]
mod blob_terminal;
#[cfg(feature = "s3")]
mod bucket;
mod clients;
mod prober;
#[path = "../gateway/support.rs"]
#[allow(dead_code)]
mod support;

use std::process::Command;

use support::{City, Terminal};
use sync_protocol::sha256_hex;

fn content(seed: usize) -> Vec<u8> {
    (0..700_000).map(|at| ((at * 13 + seed) % 251) as u8).collect()
}

/// Runs a client until it ends, beside the gateway.
async fn run(mut command: Command, city: &City, terminal: &Terminal, file: &str, step: &str) {
    let (certificate, authority) = (city.path("client.pem"), city.path("server-ca.pem"));
    std::fs::write(&certificate, &terminal.identity).unwrap();
    std::fs::write(&authority, city.server_ca.pem()).unwrap();
    command
        .env("TUS_URL", city.url("/v1/blobs"))
        .env("TUS_CERTIFICATE", &certificate)
        .env("REQUESTS_CA_BUNDLE", &authority)
        .env("TUS_AUTHORITY", &authority)
        .env("TUS_FILE", city.path(file))
        .env("TUS_SHA256", sha256_hex(&std::fs::read(city.path(file)).unwrap()))
        .env("TUS_STEP", step)
        .env("NO_PROXY", "*");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{step}: {said}");
}

async fn conforms(client: impl Fn() -> Command, seed: usize) {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let content = content(seed);
    let (sha256, length) = (sha256_hex(&content), content.len() as u64);
    std::fs::write(city.path("photo"), &content).unwrap();
    run(client(), &city, &terminal, "photo", "begin").await;
    assert_eq!(terminal.blob_state(&city, &sha256).await, Some((262_144, length)));
    city.restart().await;
    run(client(), &city, &terminal, "photo", "resume").await;
    assert_eq!(terminal.blob_state(&city, &sha256).await, Some((length, length)));
    let whole = city.path(&format!("state/blobs/whole/{}/{sha256}", &sha256[..2]));
    assert_eq!(std::fs::read(whole).unwrap(), content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tuspy_uploads_and_resumes() {
    let client = || {
        let mut command = Command::new(clients::python());
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/tus.py"));
        command
    };
    conforms(client, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tus_js_client_uploads_and_resumes() {
    let client = || {
        let mut command = Command::new("node");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/tus.cjs"));
        command.env("NODE_PATH", clients::node_modules());
        command
    };
    conforms(client, 2).await;
}
