//! The program itself: configuration, log, SIGTERM, kill -9.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::desk::DEPARTMENT;
use crate::operators::{Browser, CHOSEN, Operator};
use crate::support::{City, NAME, PHONE, WORDS, case_id, id_number};

/// A running program and everything it logs.
pub struct Program {
    pub child: Child,
    log: mpsc::Receiver<String>,
    seen: Vec<String>,
    pub terminals: SocketAddr,
    pub city: SocketAddr,
}

impl Program {
    fn start(city: &City) -> Self {
        let config = city.path("gateway.toml");
        let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
                    [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
                    [enrolment]\ntrust_unlisted = true\n";
        std::fs::write(&config, text).unwrap();
        Self::with(&config, "city_gateway=trace,info")
    }

    /// Starts it with this configuration, and waits until it serves.
    pub fn with(config: &Path, log: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_city-gateway"))
            .arg("--config")
            .arg(config)
            .env("RUST_LOG", log)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, log) = mpsc::sync_channel(10_000);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let mut program = Self { child, log, seen: Vec::new(), terminals: anywhere, city: anywhere };
        let ready = program.wait_for("the gateway is ready");
        let address = |name: &str| -> SocketAddr {
            let word = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
            word.unwrap().parse().unwrap()
        };
        (program.terminals, program.city) = (address("terminals="), address("city="));
        program
    }

    fn wait_for(&mut self, words: &str) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("never said {words:?}: {:?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits until it has ended by itself; the rest of the log is read.
    fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Ok(line) = self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push(line);
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only when it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_or_told_to_stop_it_keeps_what_it_gave_receipts_for() {
    let mut city = City::prepare();
    let terminal = city.terminal("DG0001");
    let mut program = Program::start(&city);
    city.outside = Some(program.terminals);
    for seq in 1..=5 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    drop(program);

    let program = Program::start(&city);
    city.outside = Some(program.terminals);
    assert_eq!(terminal.hello(&city).await.received, [(1, 5)]);
    // Something to warn about, so that the log has reason to be careless.
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let answers = serde_json::json!({ "words": NAME, "phone": WORDS });
    let (manifest, record) = terminal.case_with(6, answers.as_object().unwrap().clone());
    terminal.deliver(&city, &manifest, &record).await;
    let mut program = program;
    program.wait_for("dead letter");

    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (code, log) = program.ended();
    assert_eq!(code, Some(0), "{log:?}");
    let log = log.join("\n");
    assert!(log.contains("the store is closed"), "{log}");
    for secret in [NAME, PHONE, WORDS, &id_number(), "DG0001-V1"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    // The folder is free again, and everything is in it.
    city.restart().await;
    let records = city.all_decided().await;
    let count = |status: &str| records.iter().filter(|record| record["status"] == status).count();
    assert_eq!((count("opened"), count("dead_letter"), count("quarantined")), (5, 1, 1));
}

/// Calls the program a second time, as an operator does; what it printed, or what it complained of.
fn operator(city: &City, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_city-gateway"));
    let output = command.args(words).arg("--config").arg(city.path("gateway.toml")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_issue_vouchers_and_revoke_while_it_runs() {
    let mut city = City::prepare();
    let terminal = city.terminal("DG0001");
    let program = Program::start(&city);
    city.outside = Some(program.terminals);
    terminal.hello(&city).await;
    let voucher = operator(&city, &["voucher", "issue", "DG0002", "--valid-hours", "24"]).unwrap();
    // Alone on its line, for a script to take.
    assert_eq!((voucher.len(), voucher.matches('-').count(), voucher.ends_with('\n')), (30, 4, true));
    assert!(operator(&city, &["terminal", "list"]).unwrap().starts_with("DG0001 active since "));
    assert_eq!(operator(&city, &["terminal", "revoke", "DG0001"]).unwrap(), "DG0001 revoked\n");
    assert_eq!(terminal.hello(&city).await.catalog_version, "");
    assert_eq!(operator(&city, &["terminal", "reinstate", "DG0001"]).unwrap(), "DG0001 active\n");
    let events = operator(&city, &["terminal", "events"]).unwrap();
    let words: Vec<_> = events.lines().map(|line| line.split(' ').nth(3).unwrap()).collect();
    assert_eq!(words, ["first_sight", "voucher_issued", "revoked", "reinstated"]);
    assert!(operator(&city, &["terminal", "revoke", "DG0404"]).unwrap_err().contains("there is no terminal"));
    assert!(operator(&city, &["voucher", "issue", "x"]).unwrap_err().contains("six characters"));
    // Nobody but the gateway's own account may ask.
    let mode = std::fs::metadata(city.path("state/operator.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    drop(program);
    let refused = operator(&city, &["voucher", "issue", "DG0002"]).unwrap_err();
    assert!(refused.contains("no gateway answers"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_knows_nothing_of_what_operators_see_and_type() {
    let mut city = City::prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let program = Program::start(&city);
    city.outside = Some(program.terminals);
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let mut browser = Browser::with(city.browser_client(), format!("http://{}", program.city));
    let given = wang.password.clone();
    browser.enter(&mut wang).await;
    let wrong = browser.clone().try_sign_in("wang", NAME, "000000").await;
    assert_eq!(wrong.status, 401);
    let path = format!("/desk/case/DG0001/{}", case_id(1));
    let deadline = Instant::now() + Duration::from_secs(30);
    while browser.get(&path).await.status != 200 {
        assert!(Instant::now() < deadline, "the case was never opened");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let fields = [("reason", "decide"), ("reference", "")];
    let opened = browser.submit(&path, &format!("{path}/unmask"), &fields).await;
    assert!(opened.html.contains(WORDS));
    let cookie = browser.cookie.clone().unwrap();

    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (code, log) = program.ended();
    let log = log.join("\n");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("an operator was not signed in") && log.contains("the audit chain"), "{log}");
    for secret in [NAME, PHONE, WORDS, &id_number(), &given, CHOSEN, cookie.split_once('=').unwrap().1] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn what_it_cannot_start_with_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
                [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n";
    std::fs::write(&config, text).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_city-gateway")).arg("--config").arg(&config).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("gateway.cert.pem"));
}
