//! One run: the city, its terminals, a storm, and the quiet after it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::books::Tally;
use crate::city::{self, City};
use crate::deck::Deck;
use crate::impostor::Impostor;
use crate::incidents::Incident;
use crate::judge::{self, Findings};
use crate::proxy::{Forecast, Proxy};
use crate::terminal::{Making, Terminal};
use crate::weather::Weather;

/// Longest time from the end of all faults until nothing waits any more. Most of it is for a machine that has other
/// things to do; an opener's lease that nobody gave back needs two minutes.
const QUIET: Duration = Duration::from_secs(240);

/// A storm in which one of these did not happen yet goes on.
const FAULTS: [&str; 16] = [
    "agent killed",
    "feeder killed",
    "gateway killed",
    "database killed",
    "everything killed at once",
    "database restored from an older copy",
    "agent paused",
    "gateway paused",
    "terminal's disk full",
    "city's disk full",
    "connection refused",
    "held back in silence",
    "answered by somebody else",
    "reset on the way up",
    "reset on the way down",
    "reply lost",
];

/// So much longer at most.
const LONGER: Duration = Duration::from_secs(180);

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Chooses the faults.
    pub seed: u64,
    /// How many terminals.
    pub terminals: usize,
    /// MiB of the disks that are filled; without it, no disk is.
    pub disk_mib: Option<u64>,
    /// Fail points of the agents.
    pub agent_points: Option<String>,
    /// Fail points of the gateways.
    pub gateway_points: Option<String>,
    /// Whether the logs of a run with violations stay for somebody to read.
    pub keep_logs: bool,
}

impl Options {
    /// Four terminals, disks that can be filled, and now and then a gateway that commits and does not answer.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            terminals: 4,
            disk_mib: Some(256),
            agent_points: None,
            gateway_points: Some("gateway::drop-reply=2%return".into()),
            keep_logs: true,
        }
    }
}

/// City and terminals at work.
pub struct World {
    /// The city.
    pub city: City,
    /// The terminals.
    pub terminals: Vec<Terminal>,
    /// What happened so far.
    pub tally: Tally,
    options: Options,
    folder: Option<TempDir>,
}

impl World {
    /// Makes and starts everything; the weather is clear.
    pub async fn start(options: Options) -> Result<Self> {
        // Fails only when an earlier run of this process installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new().prefix("oracle-").tempdir()?;
        std::fs::create_dir(folder.path().join("logs"))?;
        let points = options.gateway_points.clone();
        let city = City::start(folder.path(), options.disk_mib, points).await?;
        let (impostor, tally) = (Impostor::new(&city.servers)?, Tally::default());
        let mut terminals = Vec::new();
        for number in 1..=options.terminals {
            let seed = options.seed.wrapping_mul(1_000_003) ^ ((number as u64) << 40);
            let proxy = Proxy::start(city.behind.clone(), impostor.clone(), tally.clone(), seed).await?;
            let making = Making {
                code: format!("DG{number:04}"),
                folder: folder.path(),
                // Some have a disk that can be filled, some the machine's.
                disk_mib: options.disk_mib.filter(|_| number % 2 == 1),
                fail_points: options.agent_points.clone(),
                tally: tally.clone(),
            };
            terminals.push(Terminal::start(making, &city, proxy)?);
        }
        Ok(Self { city, terminals, tally, options, folder: Some(folder) })
    }

    /// The folder of everything but the database.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new("."), TempDir::path)
    }

    /// Faults of every kind for so long, and until each kind really happened.
    pub async fn storm(&self, lasting: Duration, progress: impl Fn(&str)) -> Result<()> {
        self.until("a gateway to serve", QUIET, async || Ok(self.city.behind.there() > 0)).await?;
        let (over, stop) = watch::channel(false);
        let mut weathers = JoinSet::new();
        for (at, terminal) in self.terminals.iter().enumerate() {
            let random = StdRng::seed_from_u64(self.options.seed.rotate_left(20) ^ (at as u64 + 1));
            weathers.spawn(changing_weather(terminal.proxy.forecast(), stop.clone(), random));
        }
        let happened = self.incidents(lasting, &progress).await;
        over.send_replace(true);
        weathers.join_all().await;
        happened
    }

    async fn incidents(&self, lasting: Duration, progress: &impl Fn(&str)) -> Result<()> {
        let mut random = StdRng::seed_from_u64(self.options.seed);
        let mut deck = Deck::of(&Incident::ALL);
        // The first copy is old when it is put back.
        Incident::Copy.happen(self, &mut random).await.context("the first copy")?;
        let began = Instant::now();
        loop {
            let missing: Vec<_> = FAULTS.iter().filter(|fault| self.tally.of(fault) == 0).collect();
            if began.elapsed() >= lasting && (missing.is_empty() || began.elapsed() >= lasting + LONGER) {
                ensure!(missing.is_empty(), "a storm that lacks {missing:?} proves nothing: {}", self.tally);
                return Ok(());
            }
            sleep(Duration::from_millis(random.random_range(300..2_000))).await;
            let Some(incident) = deck.draw(&mut random) else { return Ok(()) };
            progress(incident.name());
            incident.happen(self, &mut random).await.with_context(|| incident.name())?;
        }
    }

    /// Everything heals and nobody comes any more; returns when nothing waits, or says what still does.
    pub async fn calm(&mut self) -> Result<Option<String>> {
        for terminal in &mut self.terminals {
            terminal.proxy.set(Weather::Clear);
            terminal.agent.resume();
            if let Some(disk) = &terminal.disk {
                disk.empty()?;
            }
            terminal.close().await;
        }
        for gateway in &self.city.gateways {
            gateway.resume();
        }
        if let Some(disk) = &self.city.disk {
            disk.empty()?;
        }
        Ok(self.drained().await.err().map(|error| format!("{error:#}")))
    }

    /// Waits until every terminal has receipts for everything, and the city has opened everything.
    pub async fn drained(&self) -> Result<()> {
        let mut waiting = String::new();
        let deadline = Instant::now() + QUIET;
        while Instant::now() < deadline {
            match self.waits_for().await {
                Ok(None) => return Ok(()),
                Ok(Some(still)) => waiting = still,
                // A database that is just starting, a file that is just being made.
                Err(error) => waiting = format!("{error:#}"),
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("I5: not drained {} s after the faults: {waiting}", QUIET.as_secs())
    }

    async fn waits_for(&self) -> Result<Option<String>> {
        for terminal in &self.terminals {
            if let Some(waiting) = terminal.waits_for()? {
                return Ok(Some(waiting));
            }
        }
        let closed = "SELECT count(*) FROM handling WHERE state NOT IN ('opened', 'dead_letter')";
        let closed = self.city.ask(closed).await?;
        Ok(Some(format!("{closed} records are not opened")).filter(|_| closed != "0"))
    }

    /// A fresh case of every terminal passes; `Some` says why not.
    pub async fn fresh_cases(&self) -> Option<String> {
        for terminal in &self.terminals {
            if let Err(error) = terminal.one_case().await {
                return Some(format!("I5: {error:#}"));
            }
        }
        self.drained().await.err().map(|error| format!("with a fresh case, {error:#}"))
    }

    /// Waits until something holds.
    pub async fn until(
        &self,
        what: &str,
        longest: Duration,
        holds: impl AsyncFn() -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + longest;
        while !holds().await.unwrap_or(false) {
            if Instant::now() > deadline {
                bail!("waited {} s for {what}", longest.as_secs());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Heals everything, waits, sends a fresh case from everywhere, and judges.
    pub async fn end(mut self) -> Result<Findings> {
        let mut waits = self.calm().await?;
        if waits.is_none() {
            waits = self.fresh_cases().await;
        }
        let findings = judge::judge(&self).await;
        let panics: Vec<String> = self
            .terminals
            .iter()
            .flat_map(|terminal| terminal.agent.panics())
            .chain(self.city.gateways.iter().flat_map(|gateway| gateway.panics()))
            .collect();
        city::noticed(&self.city, &self.tally)?;
        let mut findings = findings?;
        findings.violations.extend(waits);
        findings.violations.extend(panics);
        findings.happened = self.tally.to_string();
        if self.options.keep_logs && !findings.violations.is_empty() {
            // Somebody will want to read the logs.
            let kept = self.folder.take().map(TempDir::keep);
            findings.kept = kept.map(|folder| folder.join("logs"));
        }
        self.stop().await;
        Ok(findings)
    }

    async fn stop(mut self) {
        for terminal in self.terminals.drain(..) {
            let Terminal { agent, feeder, disk, proxy, .. } = terminal;
            agent.stop().await;
            if let Some(feeder) = feeder {
                feeder.stop().await;
            }
            drop((proxy, disk));
        }
        for gateway in self.city.gateways.drain(..) {
            gateway.stop().await;
        }
    }
}

/// Spells of every kind, with clear ones between them so that something arrives.
async fn changing_weather(forecast: Forecast, over: watch::Receiver<bool>, mut random: StdRng) {
    let mut deck = Deck::of(&Weather::ALL);
    while !*over.borrow() {
        forecast.set(Weather::Clear);
        sleep(Duration::from_millis(random.random_range(200..2_000))).await;
        let Some(weather) = deck.draw(&mut random) else { return };
        forecast.set(weather);
        sleep(Duration::from_millis(random.random_range(200..3_000))).await;
    }
    forecast.set(Weather::Clear);
}
