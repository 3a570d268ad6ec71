//! Chromium, driven through its own developer tools over two pipes: no port, no driver, no extra program.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use simulator::client::see_off;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant, SystemTime};

/// How long it may take to answer, or to show something.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, as Debian installs it.
const PROGRAM: &str = "chromium";
/// Alone on the machine: no first run, no updates, no sync, nothing fetched.
const FLAGS: [&str; 11] = [
    "--headless",
    "--kiosk",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--screen-info={1080x1920}",
    "--remote-debugging-pipe",
];
/// The browser reads its developer tools' pipe as file 3 and writes file 4.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;
/// Messages that may wait.
const DEPTH: usize = 1024;

/// Whether it is installed.
pub fn installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file())
}

/// A running Chromium with one page.
pub struct DevTools {
    /// Right before it was started.
    pub started: SystemTime,
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Value,
    asked: u64,
}

impl DevTools {
    /// Starts it at this address, with everything it keeps in this folder.
    pub fn start(address: &str, profile: &Path) -> Result<DevTools> {
        let mut command = Command::new("sh");
        command.args(["-c", PIPES, "sh", PROGRAM]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.display())).arg(address);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = SystemTime::now();
        let mut child = command.spawn()?;
        let input = child.stdin.take().context("its input is a pipe")?;
        let output = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        let (sender, messages) = sync_channel(DEPTH);
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut tools = DevTools { started, child, input, messages, session: Value::Null, asked: 0 };
        tools.attach()?;
        Ok(tools)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn attach(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let targets = self.ask("Target.getTargets", json!({}))?;
            let all = targets["targetInfos"].as_array().cloned().unwrap_or_default();
            if let Some(page) = all.iter().find(|target| target["type"] == "page") {
                let attach = json!({ "targetId": page["targetId"], "flatten": true });
                self.session = self.ask("Target.attachToTarget", attach)?["sessionId"].take();
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("Chromium opens no page");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Calls a method and waits for its answer.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.asked += 1;
        let id = self.asked;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if self.session.is_string() {
            message["sessionId"] = self.session.clone();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut answer = self.messages.recv_timeout(left).context("Chromium does not answer")?;
            if answer["id"] == id {
                return Ok(answer["result"].take());
            }
        }
    }

    /// Evaluates an expression until it gives a number other than 0. A page that is just being left gives nothing.
    pub fn number(&mut self, expression: &str) -> Result<f64> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let asked = json!({ "expression": expression, "returnByValue": true });
            let answer = self.ask("Runtime.evaluate", asked)?;
            if let Some(value) = answer["result"]["value"].as_f64().filter(|value| *value != 0.0) {
                return Ok(value);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("Chromium never gave a value for {expression}")
    }

    /// One step of a click; says when it left.
    pub fn mouse(&mut self, kind: &str, x: f64, y: f64) -> Result<SystemTime> {
        let sent = SystemTime::now();
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
        self.ask("Input.dispatchMouseEvent", event)?;
        Ok(sent)
    }
}

impl Drop for DevTools {
    fn drop(&mut self) {
        // Asked to close, it ends the processes it started, too.
        self.session = Value::Null;
        let _ = self.input.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        see_off(&mut self.child, Duration::from_secs(5));
    }
}
