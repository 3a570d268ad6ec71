//! The program itself: delivers, stops cleanly on SIGTERM, and says what is wrong with its configuration.

mod city;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use city::*;
use kiosk_store::Outbox;

fn start(config: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sync-agent"))
        .arg("--config")
        .arg(config)
        .env_remove("FAILPOINTS")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ends_within(child: &mut Child, limit: Duration) -> std::process::ExitStatus {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "still running");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_delivers_stops_on_sigterm_and_survives_a_kill() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 5);
    let config = world.folder.path().join("terminal.toml");
    std::fs::write(&config, world.config_text("")).unwrap();
    let state = world.state();

    let mut agent = start(&config);
    eventually("delivered", || acknowledged(&state) == [(1, 5)]).await;
    let stopped = Command::new("kill").args(["-TERM", &agent.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(ends_within(&mut agent, Duration::from_secs(10)).success(), "a clean end");
    let log = std::io::read_to_string(agent.stderr.take().unwrap()).unwrap();
    assert!(log.contains("sync agent started") && log.contains("sync agent stopped"), "{log}");

    let mut agent = start(&config);
    finalise(&mut outbox, &world.key, 5);
    eventually("under way", || world.city.held().len() > 5).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    let mut agent = start(&config);
    eventually("delivered after a kill", || acknowledged(&state) == [(1, 10)]).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(world.city.held().len(), 10);
}

/// Resident memory of a process in KiB.
fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_memory_does_not_grow_with_the_queue() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    // 32 MB wait: an agent that took the queue into memory, or kept what it has sent, would show it.
    finalise_sized(&mut outbox, &world.key, 800, 40_000);
    let config = world.folder.path().join("terminal.toml");
    std::fs::write(&config, world.config_text("")).unwrap();
    let mut agent = start(&config);
    eventually("well under way", || world.city.held().len() >= 100).await;
    let early = resident_kib(agent.id());
    let state = world.state();
    eventually("drained", || acknowledged(&state) == [(1, 800)]).await;
    let late = resident_kib(agent.id());
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(late < early + 10 * 1024, "from {early} KiB to {late} KiB");
}

#[test]
fn it_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("terminal.toml");
    for (text, said) in [
        ("", "missing field"),
        ("[terminal]\ncode='DG0001'\n[paths]\nstate='s'\nkeys='k'\n[city]\nurl='http://x'", "https://"),
        (
            "[terminal]\ncode='DG0001'\n[paths]\nstate='s'\nkeys='k'\n[city]\nurl='https://x'",
            "city-receipt.pub.pem",
        ),
    ] {
        std::fs::write(&config, text).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_sync-agent")).arg("--config").arg(&config).output().unwrap();
        assert!(!output.status.success());
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains(said), "{log}");
    }
}
