//! One terminal: its folder and keys, the true agent and the feeder at work in it, and the network before it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use kiosk_store::{DeliveryReader, OutboxReader};
use sync_protocol::TerminalKey;
use tokio::process::Command;

use crate::books::{Promises, Tally};
use crate::city::City;
use crate::program::{self, Program, Word};
use crate::proxy::Proxy;
use crate::small_disk::SmallDisk;

/// Short waits, so that a minute holds what a day holds in the field; the side lane is as patient in its proportion.
const SYNC: &str = "[sync]\nretry_base_ms = 20\nretry_cap_ms = 600\ntick_ms = 200\npoll_ms = 50\nhello_every_ms = 700\n\
                    side_lane_ms = 2000\nconnect_timeout_ms = 1500\nrequest_timeout_ms = 5000\nwindow = 8\n";

/// A terminal.
pub struct Terminal {
    /// Its code.
    pub code: String,
    /// The network before it.
    pub proxy: Proxy,
    /// What it promised.
    pub promises: Promises,
    /// Its disk, where that can be filled.
    pub disk: Option<SmallDisk>,
    state: PathBuf,
    config: PathBuf,
    logs: PathBuf,
    /// The delivering program.
    pub agent: Program,
    /// The program that stands for the kiosk; gone in the quiet at the end.
    pub feeder: Option<Program>,
}

/// What a terminal is made of.
pub struct Making<'a> {
    /// Its code.
    pub code: String,
    /// The folder of everything.
    pub folder: &'a Path,
    /// MiB of a disk of its own, or none.
    pub disk_mib: Option<u64>,
    /// Fail points of its agent.
    pub fail_points: Option<String>,
    /// Counts what happens.
    pub tally: Tally,
}

impl Terminal {
    /// Makes its folder, keys and certificate, and starts both programs.
    pub fn start(making: Making<'_>, city: &City, proxy: Proxy) -> Result<Self> {
        let Making { code, folder, disk_mib, fail_points, tally } = making;
        let place = folder.join(&code);
        std::fs::create_dir_all(place.join("keys"))?;
        let disk = disk_mib.map(|mib| SmallDisk::mount(&place.join("disk"), mib)).transpose()?;
        let state = disk.as_ref().map_or(place.join("state"), |disk| disk.folder().join("state"));
        let key = TerminalKey::generate().to_pem();
        let keys = [
            ("terminal.key.pem", key.to_string()),
            ("terminal.cert.pem", city.terminals.terminal(&code, &key)?),
            ("city-ca.pem", city.servers.certificate()),
            ("city-seal.pub", city.recipient.clone()),
            ("city-receipt.pub.pem", city.receipts.to_pem()),
        ];
        for (name, text) in keys {
            std::fs::write(place.join("keys").join(name), text)?;
        }
        let config = place.join("terminal.toml");
        let text = format!(
            "[terminal]\ncode = \"{code}\"\n[paths]\nstate = \"{}\"\nkeys = \"keys\"\n\
             [city]\nurl = \"https://localhost:{}\"\n{SYNC}",
            state.display(),
            proxy.address.port()
        );
        std::fs::write(&config, text)?;
        let logs = folder.join("logs");
        let promises = Promises::default();
        let feeder = feed(&code, &logs, &config, promises.clone(), tally.clone())?;
        let agent = deliver(&code, &logs, &config, fail_points, tally)?;
        Ok(Self { code, proxy, promises, disk, state, config, logs, agent, feeder: Some(feeder) })
    }

    /// Nobody comes to this kiosk any more.
    pub async fn close(&mut self) {
        if let Some(feeder) = self.feeder.take() {
            feeder.stop().await;
        }
    }

    /// One more case, now that nobody else comes.
    pub async fn one_case(&self) -> Result<()> {
        ensure!(self.feeder.is_none(), "the feeder of {} still runs", self.code);
        let before = self.promises.count();
        let mut command = Command::new(program::file("oracle-feeder")?);
        command.arg("--config").arg(&self.config).arg("--one").stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await?;
        let said = String::from_utf8(output.stdout)?;
        said.lines().for_each(|line| self.promises.hear(line));
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(self.promises.count() == before + 1, "{} takes no fresh case: {said}{complaint}", self.code);
        Ok(())
    }

    /// Its files.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The feeder's and the agent's logs.
    pub fn log_files(&self) -> [PathBuf; 2] {
        ["agent", "feeder"].map(|name| self.logs.join(format!("{name}-{}.log", self.code)))
    }

    /// Whether it holds receipts for all it finalised, and the city all its blobs; otherwise what it still waits for.
    pub fn waits_for(&self) -> Result<Option<String>> {
        let Some(newest) = OutboxReader::open(&self.state)? else { return Ok(None) };
        let delivery = DeliveryReader::open(&self.state)?.context("no delivery log")?;
        let mut waiting = Vec::new();
        for name in newest.incarnations()? {
            let life = OutboxReader::open_incarnation(&self.state, &name)?.context("a life")?;
            let (head, incomplete) = (life.head()?, delivery.incomplete(&name)?.len());
            let acknowledged: u64 =
                delivery.acknowledged(&name)?.into_iter().map(|(first, last)| last - first + 1).sum();
            if acknowledged < head || incomplete > 0 {
                let lacking = head - acknowledged.min(head);
                waiting.push(format!("{}: {lacking} of {head} records, blobs of {incomplete}", self.code));
            }
        }
        Ok(Some(waiting.join("; ")).filter(|waiting| !waiting.is_empty()))
    }
}

fn feed(code: &str, logs: &Path, config: &Path, promises: Promises, tally: Tally) -> Result<Program> {
    let (file, config) = (program::file("oracle-feeder")?, config.to_owned());
    let command = move || {
        let mut command = Command::new(&file);
        command.arg("--config").arg(&config);
        command
    };
    Program::keep(&format!("feeder-{code}"), logs, command, move |word| {
        let Word::Said(line) = word else { return };
        promises.hear(line);
        match line.split(' ').next() {
            Some("full") => tally.count("commit refused by a full disk"),
            Some("purged") => tally.count("purges of what is durable"),
            Some("told") => tally.count("new lives because of a copied disk"),
            Some("voided") => tally.count("voids"),
            _ => {}
        }
    })
}

fn deliver(
    code: &str,
    logs: &Path,
    config: &Path,
    fail_points: Option<String>,
    tally: Tally,
) -> Result<Program> {
    let (file, config) = (program::file("sync-agent")?, config.to_owned());
    let command = move || {
        let mut command = Command::new(&file);
        command.arg("--config").arg(&config).env("RUST_LOG", "info,sync_agent=debug");
        command.env_remove("FAILPOINTS");
        if let Some(points) = &fail_points {
            command.env("FAILPOINTS", points);
        }
        command
    };
    Program::keep(&format!("agent-{code}"), logs, command, move |word| {
        if matches!(word, Word::Logged(line) if line.contains("the disk is full")) {
            tally.count("receipt not noted on a full disk");
        }
    })
}
