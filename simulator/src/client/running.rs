//! A simulator started by a test, which ends with it.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::{sleep, timeout};

use super::Client;
use crate::desk::PrinterCable;
use crate::log_file::tail;

/// Longer than the simulator's own patience with its processes.
const READY_PATIENCE: Duration = Duration::from_secs(90);
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// How to start it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the service items; the project's own when absent.
    pub catalog: Option<PathBuf>,
    /// Publish the items signed, and let the terminal take them from its city.
    pub sign_catalog: bool,
    /// Devices without waiting times, short retries.
    pub quick: bool,
    /// How the receipt printer is connected.
    pub receipt_printer: PrinterCable,
    /// Empty the state folder first.
    pub fresh: bool,
    /// Room on the disk below which no case is taken.
    pub min_free_mib: Option<u64>,
    /// A scenario to play as soon as all is up.
    pub scenario: Option<PathBuf>,
    /// `section.key=value` for `terminal.toml`.
    pub settings: Vec<String>,
    /// `process:NAME=VALUE`.
    pub environment: Vec<String>,
}

impl Default for Options {
    /// Quick, on the project's own catalog.
    fn default() -> Self {
        Self {
            catalog: None,
            sign_catalog: false,
            quick: true,
            receipt_printer: PrinterCable::default(),
            fresh: false,
            min_free_mib: None,
            scenario: None,
            settings: Vec::new(),
            environment: Vec::new(),
        }
    }
}

impl Options {
    /// The same with another value in `terminal.toml`.
    #[must_use]
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same with a variable for one process.
    #[must_use]
    pub fn env(mut self, process: &str, name: &str, value: &str) -> Self {
        self.environment.push(format!("{process}:{name}={value}"));
        self
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--port".to_owned(), "0".to_owned(), "--attached".to_owned()];
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        add("--receipt-printer", self.receipt_printer.name().to_owned());
        self.min_free_mib.into_iter().for_each(|mib| add("--min-free-mib", mib.to_string()));
        self.settings.iter().for_each(|setting| add("--set", setting.clone()));
        self.environment.iter().for_each(|variable| add("--env", variable.clone()));
        arguments.extend(self.quick.then(|| "--quick".to_owned()));
        arguments.extend(self.sign_catalog.then(|| "--sign-catalog".to_owned()));
        arguments.extend(self.fresh.then(|| "--fresh".to_owned()));
        arguments
    }
}

/// A running simulator; all of [`Client`] can be called on it. Dropping it ends it and everything it started.
pub struct Running {
    client: Client,
    child: Child,
    state: PathBuf,
}

impl Deref for Running {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Running {
    /// Starts `PROGRAMS/simulator` on a state folder and waits until its page can be used.
    pub async fn start(
        programs: impl AsRef<Path>,
        state: impl AsRef<Path>,
        options: Options,
    ) -> anyhow::Result<Self> {
        let (programs, state) = (programs.as_ref(), state.as_ref().to_owned());
        let simulator = programs.join("simulator");
        let mut command = Command::new(&simulator);
        command.arg("--state").arg(&state).arg("--programs").arg(programs).args(options.arguments());
        if let Some(catalog) = &options.catalog {
            command.arg("--catalog").arg(catalog);
        }
        if let Some(scenario) = &options.scenario {
            command.arg("--scenario").arg(scenario);
        }
        // Its input is a pipe that closes with this process, however that ends.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}; build it first", simulator.display()))?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut lines = BufReader::new(tokio::process::ChildStdout::from_std(output)?).lines();
        // Made before the wait, so that a failed start leaves nothing behind.
        let mut running = Self { client: Client::new("http://127.0.0.1:0")?, child, state };
        loop {
            let line =
                timeout(READY_PATIENCE, lines.next_line()).await.context("the simulator does not come up")?;
            let Some(line) = line? else {
                bail!("the simulator ended before it was up: {}", running.child.wait()?);
            };
            if let Some(at) = line.find("http://") {
                running.client = Client::new(line[at..].trim())?;
                return Ok(running);
            }
        }
    }

    /// The client, for tasks of their own.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The state folder.
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// The last lines of a process's log.
    pub fn log_tail(&self, process: &str, lines: usize) -> String {
        tail(&self.state.join(format!("logs/{process}.log")), lines)
    }

    /// Ends it politely and waits.
    pub async fn stop(mut self) -> anyhow::Result<ExitStatus> {
        self.ask_to_end();
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("the simulator did not end within {STOP_PATIENCE:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills it and, with it, every process it started: as near to a power cut as a process can come.
    pub fn kill_everything(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn ask_to_end(&self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // The child is not reaped yet, so the process id is its own.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.ask_to_end();
        see_off(&mut self.child, STOP_PATIENCE);
    }
}

/// Waits for a process that was asked to end, and kills it when it takes longer than this.
pub fn see_off(child: &mut Child, patience: Duration) {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}
