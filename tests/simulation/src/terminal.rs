//! A terminal of a run: one folder with the true outbox and delivery log, the kiosk's half that fills the outbox and
//! takes care of it as kiosk-app does, and the true agent as a process that can be killed at any moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::{Context, Result};
use kiosk_store::{DeliveryReader, Outbox, OutboxReader};
use sync_agent::client::CityClient;
use sync_agent::surroundings::Surroundings;
use sync_agent::{Agent, Config, JournalWork};
use sync_protocol::CityReceiptPublicKey;
use sync_protocol::ranges::RangeSet;

use crate::chance::Chance;
use crate::process::{Around, Call, Clocks, Process, Tasks};

/// The waits of the agents: the program's own, but for a look at the outbox every few seconds instead of five times a
/// second, and a side lane of an hour instead of a day, so that a run has fewer idle steps.
const SYNC: &str = "[sync]\npoll_ms = 4000\nside_lane_ms = 3600000\n";

/// The agent of a terminal, running.
pub struct AgentProcess {
    process: Arc<Process>,
    tasks: Tasks,
    /// What the journal's thread would do.
    pub journal: JournalWork,
    /// Number of this process, so that events of an earlier one find nobody.
    pub life: u64,
    /// Whether the disk is already going to write.
    pub disk_due: bool,
}

/// See the module.
pub struct Terminal {
    /// As it is called in the trace.
    pub name: String,
    /// Its code; a copied disk has the same.
    pub code: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The kiosk's half, when that process runs.
    pub outbox: Option<Outbox>,
    /// The agent, when it runs.
    pub agent: Option<AgentProcess>,
    /// Its clocks.
    pub clocks: Clocks,
    /// Nothing runs before this time: both processes are stopped and will go on as if nothing had been.
    pub paused_until_ms: u64,
    /// How long its disk takes to write, at most.
    pub disk_ms: u64,
    /// No room on the disk.
    pub disk_is_full: bool,
    /// What this terminal's own chance is.
    pub chance: Chance,
}

impl Terminal {
    /// A terminal that is switched off.
    pub fn new(
        name: &str,
        code: &str,
        folder: &Path,
        now_ms: &Arc<AtomicU64>,
        wall_ms: i64,
        mut chance: Chance,
    ) -> Self {
        let boot = (chance.uuid(), now_ms.load(Ordering::Relaxed));
        let wall_offset_ms = Arc::new(AtomicI64::new(wall_ms));
        let clocks = Clocks { now_ms: Arc::clone(now_ms), wall_offset_ms, boot };
        Self {
            name: name.into(),
            code: code.into(),
            folder: folder.to_owned(),
            outbox: None,
            agent: None,
            clocks,
            paused_until_ms: 0,
            disk_ms: 20,
            disk_is_full: false,
            chance,
        }
    }

    /// Where the databases lie.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Starts the agent when it does not run.
    pub fn start_agent(
        &mut self,
        http: &reqwest::Client,
        city: &CityReceiptPublicKey,
        life: u64,
    ) -> Result<()> {
        if self.agent.is_some() {
            return Ok(());
        }
        let code = &self.code;
        let text = format!(
            "[terminal]\ncode = \"{code}\"\n[paths]\nstate = \"state\"\nkeys = \"keys\"\n\
             [city]\nurl = \"https://city\"\n{SYNC}"
        );
        let config = Config::parse(&text, &self.folder)?;
        let process = Process::new(self.clocks.clone(), Chance::new(self.chance.next(), life));
        let around: Arc<dyn Surroundings> = Arc::new(Around(Arc::clone(&process)));
        let client = CityClient::over(Arc::clone(&around), http.clone(), &config, city.clone());
        let (agent, journal) =
            Agent::standing_on(around, client, config).context("the agent does not start")?;
        let mut tasks = Tasks::default();
        tasks.add(Box::pin(agent.deliver(std::future::pending())));
        self.agent = Some(AgentProcess { process, tasks, journal, life, disk_due: false });
        Ok(())
    }

    /// Kills the agent: what was in its memory is gone.
    pub fn kill_agent(&mut self) {
        self.agent = None;
    }

    /// Starts the machine anew, switched off until the processes are started.
    pub fn reboot(&mut self) {
        self.kill_agent();
        self.outbox = None;
        self.clocks.boot = (self.chance.uuid(), self.clocks.now());
    }

    /// Lets the agent do what it can do now; returns what it asked.
    pub fn run(&mut self) -> Result<Vec<Call>> {
        let now = self.clocks.now();
        let Some(agent) = self.agent.as_mut().filter(|_| now >= self.paused_until_ms) else {
            return Ok(Vec::new());
        };
        anyhow::ensure!(agent.tasks.run(&agent.process), "the agent ended by itself");
        Ok(agent.process.calls())
    }

    /// When something wants to go on by itself.
    pub fn next_ms(&self) -> Option<u64> {
        let at = self.agent.as_ref()?.process.next_timer_ms()?;
        Some(at.max(self.paused_until_ms))
    }

    /// What is still to be delivered, in words: places without a receipt and records without all blobs, in each life of
    /// the queue. `None` when all is done.
    pub fn waits_for(&self) -> Result<Option<String>> {
        let state = self.state();
        let (Some(queue), Some(log)) = (OutboxReader::open(&state)?, DeliveryReader::open(&state)?) else {
            return Ok(Some("its stores".into()));
        };
        if self.outbox.is_none() || log.must_leave(queue.incarnation())? {
            return Ok(Some("its kiosk".into()));
        }
        for (at, name) in queue.incarnations()?.iter().enumerate() {
            let Some(life) = OutboxReader::open_incarnation(&state, name)? else {
                return Ok(Some(format!("life {at} of its queue")));
            };
            let acknowledged = RangeSet::from(log.acknowledged(name)?);
            let places: Vec<_> = acknowledged.missing_ranges(life.head()?).collect();
            let incomplete = log.incomplete(name)?;
            if !places.is_empty() || !incomplete.is_empty() {
                return Ok(Some(format!("in life {at} receipts for {places:?}, blobs of {incomplete:?}")));
            }
        }
        Ok(None)
    }
}

/// Copies a state folder as it lies there; nobody may have it open.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
