//! The simulator's own program, with shell scripts in place of the kiosk's processes.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use simulator::client::{Client, NetworkMode, Refused};

const PROGRAMS: [&str; 4] = ["city-gateway", "sync-agent", "kiosk-app", "render-document"];

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Programs that do nothing for ten minutes.
    fn new() -> Result<Self> {
        let place = Self { folder: tempfile::tempdir()? };
        std::fs::create_dir(place.path("programs"))?;
        std::fs::create_dir(place.path("catalog"))?;
        PROGRAMS.iter().try_for_each(|name| place.script(name, "exec sleep 600"))?;
        Ok(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path("programs").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
        Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
    }

    fn command(&self, state: &str, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
        command.arg("--state").arg(self.path(state)).args(["--port", &port.to_string(), "--quick"]);
        command.arg("--programs").arg(self.path("programs")).arg("--catalog").arg(self.path("catalog"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Ends the simulator with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The address that a simulator has noted in its lock file.
fn address(state: &Path) -> Result<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let lock = std::fs::read_to_string(state.join("simulator.lock")).unwrap_or_default();
        if let Some(address) = lock.lines().find(|line| line.starts_with("http://")) {
            return Ok(address.to_owned());
        }
        anyhow::ensure!(Instant::now() < deadline, "no simulator has come up");
        std::thread::sleep(Duration::from_millis(10));
    }
}

async fn pid_of(client: &Client, process: &str) -> Result<i32> {
    client
        .until("the process", Duration::from_secs(20), async || Ok(client.process(process).await?.pid))
        .await
}

fn is_alive(pid: i32) -> bool {
    // A zombie has ended; who reaps it is not our concern.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_second_one_is_refused_and_children_die_with_the_first() -> Result<()> {
    let place = Place::new()?;
    let mut first = Guard(place.command("state", 0).spawn()?);
    let address = address(&place.path("state"))?;
    let client = Client::new(&address)?;
    let gateway = pid_of(&client, "city-gateway").await?;

    let same_folder = place.command("state", 0).output()?;
    assert_eq!(same_folder.status.code(), Some(3));
    let said = text(&same_folder);
    assert!(said.contains("已有一个演示在运行") && said.contains("already running"), "{said}");
    assert!(said.contains(&address), "{said}");

    let port = address.trim_end_matches('/').rsplit(':').next().context("a port")?.parse()?;
    let same_port = place.command("other", port).output()?;
    assert_eq!(same_port.status.code(), Some(3));
    assert!(
        text(&same_port).contains(&format!("A simulator is already running: {address}")),
        "{same_port:?}"
    );

    let squatter = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = place.command("other", squatter.local_addr()?.port()).output()?;
    assert_eq!(taken.status.code(), Some(3));
    assert!(text(&taken).contains("is used by another program"), "{taken:?}");

    assert!(is_alive(gateway));
    first.0.kill()?;
    first.0.wait()?;
    until("the gateway's end", || !is_alive(gateway)).await;
    // Its lock is gone with it.
    let again = Guard(place.command("state", 0).spawn()?);
    until("the lock to be taken over", || {
        let lock = std::fs::read_to_string(place.path("state/simulator.lock")).unwrap_or_default();
        lock.contains(&format!("pid {}\n", again.0.id()))
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_everything_and_only_the_address_is_on_standard_output() -> Result<()> {
    let place = Place::new()?;
    let mut command = place.command("state", 0);
    command.arg("--attached").stdin(Stdio::piped());
    let mut simulator = Guard(command.spawn()?);
    let client = Client::new(&address(&place.path("state"))?)?;
    let gateway = pid_of(&client, "city-gateway").await?;
    // The end of its input is the end of the test that started it.
    drop(simulator.0.stdin.take());
    assert!(simulator.0.wait()?.success());
    assert!(!is_alive(gateway));
    let mut output = String::new();
    simulator.0.stdout.take().context("a pipe")?.read_to_string(&mut output)?;
    assert_eq!(output, "", "it never came up, so it gave no address");
    Ok(())
}

#[tokio::test]
async fn the_controls_answer_with_sentences() -> Result<()> {
    let place = Place::new()?;
    let _simulator = Guard(place.command("state", 0).spawn()?);
    let client = Client::new(&address(&place.path("state"))?)?;
    let gateway = pid_of(&client, "city-gateway").await?;

    client.network(NetworkMode::LoseReplies).await?;
    client.card(Some("expired")).await?;
    client.change("receipt-printer", json!({"paper": false})).await?;
    client.change("id-card-reader", json!({"fault": "garbage", "plugged": false})).await?;
    let state = client.state().await?;
    assert_eq!(state.network.mode, NetworkMode::LoseReplies);
    assert!(!state.screen.connected);
    let reader = client.device("id-card-reader").await?.now;
    assert_eq!((&reader["card"], &reader["plugged"]), (&json!("expired"), &json!(false)));
    assert_eq!(client.device("receipt-printer").await?.now["paper"], false);
    client.change("id-card-reader", json!({"plugged": true})).await?;
    let reader = client.device("id-card-reader").await?.now;
    assert_eq!(reader["fault"]["name"], "garbage", "what is not named stays");

    client.kill("city-gateway").await?;
    let look = async || Ok(client.process("city-gateway").await?.pid.filter(|pid| *pid != gateway));
    client.until("the next gateway", Duration::from_secs(10), look).await?;
    assert_eq!(client.process("city-gateway").await?.restarts, 1);
    client.stop_process("city-gateway").await?;
    assert!(!client.process("city-gateway").await?.running);

    let refusals = [
        ("/api/network", json!({"mode": "sideways"}), 400),
        ("/api/devices/toaster", json!({}), 404),
        ("/api/devices/id-card-reader", json!({"card": "stranger"}), 400),
        ("/api/devices/cabinet", json!({"fault": {"name": "delay", "number": 0}}), 400),
        ("/api/devices/code-scanner", json!({"scan_text": ""}), 400),
        ("/api/devices/code-scanner", json!({"scan_receipt": true}), 409),
        ("/api/scenario", json!({"at_ms": 0}), 400),
        ("/api/touch", json!({"label": "确认"}), 503),
        ("/api/touch", json!({"x": 1}), 400),
        ("/api/process/nobody/kill", json!({}), 404),
        ("/api/process/city-gateway/kill", json!({}), 409),
        ("/api/process/city-gateway/tickle", json!({}), 404),
        ("/api/nothing", json!({}), 404),
    ];
    for (path, body, status) in refusals {
        let error = client.post(path, body).await.unwrap_err();
        let refused = error.downcast_ref::<Refused>().context("a refusal")?;
        assert_eq!(refused.status, status, "{path}");
        assert!(refused.body["error"].as_str().is_some_and(|sentence| sentence.len() > 10), "{refused}");
    }
    let inbox = client.get::<Value>("/api/inbox").await.unwrap_err().to_string();
    assert!(inbox.contains("the gateway does not answer"), "{inbox}");
    assert_eq!(client.queue().await?.head, 0, "no queue yet is an empty queue");
    Ok(())
}

#[tokio::test]
async fn what_was_done_is_recorded_and_played_again() -> Result<()> {
    let place = Place::new()?;
    let _simulator = Guard(place.command("state", 0).spawn()?);
    let client = Client::new(&address(&place.path("state"))?)?;
    pid_of(&client, "city-gateway").await?;
    client.change("cabinet", json!({"door_1_open": true})).await?;
    client.record(true).await?;
    client.change("ups", json!({"power": "battery"})).await?;
    client.network(NetworkMode::Slow).await?;
    assert!(client.change("ups", json!({"power": "sun"})).await.is_err());
    client.record(false).await?;
    let recorded = client.recorded().await?;
    // The whole desk, and the two things that were done.
    let state = client.state().await?;
    let lines = state.devices.len() + 1 + 2;
    assert_eq!((recorded.lines().count(), state.scenario.recorded), (lines, Some(lines)), "{recorded}");

    // Another desk, which the recording makes the same.
    client.change("ups", json!({"power": "low-battery", "fault": "silent"})).await?;
    client.change("cabinet", json!({"door_1_open": false, "near": false})).await?;
    client.network(NetworkMode::Off).await?;
    client.play(&recorded).await?;
    let ended = async || Ok(client.state().await?.scenario.playing.is_none().then_some(()));
    client.until("the scenario's end", Duration::from_secs(10), ended).await?;
    let state = client.state().await?;
    assert_eq!((state.scenario.trouble, state.network.mode), (None, NetworkMode::Slow));
    let (ups, cabinet) = (client.device("ups").await?.now, client.device("cabinet").await?.now);
    assert_eq!((&ups["power"], &ups["fault"]), (&json!("battery"), &Value::Null));
    assert_eq!((&cabinet["door_1_open"], &cabinet["near"]), (&json!(true), &json!(true)));
    Ok(())
}

#[tokio::test]
async fn a_bad_scenario_is_refused_by_its_line_and_plays_nothing() -> Result<()> {
    let place = Place::new()?;
    let _simulator = Guard(place.command("state", 0).spawn()?);
    let client = Client::new(&address(&place.path("state"))?)?;
    pid_of(&client, "city-gateway").await?;
    let good = r#"{"at_ms":100,"post":"/api/devices/ups","body":{"power":"battery"}}"#;
    for (second, words) in [
        ("power off", "line 2: not a line such as"),
        (
            r#"{"at_ms":1,"post":"/api/network","body":{"mode":"on"}}"#,
            "line 2: 1 ms is before the line above",
        ),
        (r#"{"at_ms":600001,"post":"/api/network","body":{"mode":"on"}}"#, "line 2: 600001 ms is after"),
        (r#"{"at_ms":200,"post":"/api/key","body":{"text":"1"}}"#, "line 2: \"/api/key\" is nothing that"),
        (r#"{"at_ms":200,"post":"/api/devices/ups","body":{"fault":"x"}}"#, "line 2: the ups knows no fault"),
        (r#"{"at_ms":200,"post":"/api/process/nobody/kill","body":{}}"#, "line 2: no process is called"),
    ] {
        let error = client.play(&format!("{good}\n{second}\n")).await.unwrap_err();
        let refused = error.downcast_ref::<Refused>().context("a refusal")?;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"].as_str().context("a sentence")?.contains(words), "{refused}");
    }
    let many = format!("{good}\n").repeat(1001);
    assert!(client.play(&many).await.unwrap_err().to_string().contains("line 1001: a scenario has at most"));
    assert!(client.play("\n\n").await.unwrap_err().to_string().contains("no line"));
    assert_eq!(client.device("ups").await?.now["power"], "mains");

    // One at a time; one that is ended does no more.
    let late = r#"{"at_ms":600000,"post":"/api/devices/ups","body":{"power":"battery"}}"#;
    client.play(late).await?;
    let second = client.play(good).await.unwrap_err();
    assert_eq!(second.downcast_ref::<Refused>().context("a refusal")?.status, 409);
    client.end_playing().await?;
    assert_eq!(client.state().await?.scenario.playing, None);

    // What only shows while playing ends it, and says so.
    client.stop_process("city-gateway").await?;
    client.play(r#"{"at_ms":0,"post":"/api/process/city-gateway/kill","body":{}}"#).await?;
    let trouble = async || Ok(client.state().await?.scenario.trouble);
    let trouble = client.until("its trouble", Duration::from_secs(10), trouble).await?;
    assert_eq!(trouble, "line 1: city-gateway is not running");
    Ok(())
}

#[test]
fn a_scenario_that_is_none_is_said_at_the_start() -> Result<()> {
    let place = Place::new()?;
    let file = place.path("bad.jsonl");
    std::fs::write(&file, "{\"at_ms\":0}\n")?;
    let refused = place.command("state", 0).arg("--scenario").arg(&file).output()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("bad.jsonl: line 1: not a line such as"), "{}", text(&refused));
    Ok(())
}

#[tokio::test]
async fn pages_from_elsewhere_are_not_answered() -> Result<()> {
    let place = Place::new()?;
    let _simulator = Guard(place.command("state", 0).spawn()?);
    let address = address(&place.path("state"))?;
    // Makes the TLS provider known that every client of reqwest asks for.
    Client::new(&address)?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let page = http.get(&address).send().await?;
    assert!(page.headers()["content-type"].to_str()?.starts_with("text/html"));
    assert!(page.text().await?.contains("莞家政务自助终端"));
    let state = format!("{address}api/state");
    assert_eq!(http.get(&state).send().await?.status(), 200);
    assert_eq!(http.get(&state).header("origin", "http://evil.example").send().await?.status(), 403);
    assert_eq!(http.get(&state).header("host", "evil.example").send().await?.status(), 403);
    Ok(())
}

#[test]
fn what_cannot_start_is_said() -> Result<()> {
    let place = Place::new()?;
    place.script("city-gateway", "echo the database is missing; exit 4")?;
    let failing = place.command("state", 0).output()?;
    assert_eq!(failing.status.code(), Some(1));
    let said = text(&failing);
    assert!(said.contains("city-gateway keeps ending (exit code 4)"), "{said}");
    assert!(said.contains("the database is missing"), "{said}");

    std::fs::remove_file(place.path("programs/kiosk-app"))?;
    let missing = place.command("state", 0).output()?;
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing).contains("The program kiosk-app is missing"), "{}", text(&missing));
    Ok(())
}
