//! One run: a city, its terminals, hours in which things go wrong, then calm in which everything must be delivered, and
//! the judgement.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result};
use city_gateway::simulation::{self, Caller, CityKeys};
use sync_protocol::{AgeSealer, CityReceiptKey, SealKeyPair, TerminalKey};

use crate::chance::Chance;
use crate::city::CityHouse;
use crate::faults::{Fault, Script};
use crate::kiosk::Office;
use crate::mutation::{Defect, Mutation};
use crate::network::Link;
use crate::terminal::Terminal;
use crate::world::{Event, Kit, MORNING_MS, World};

const MINUTE: u64 = 60_000;

/// Longest time in which everything must be delivered once the faults have stopped: the side lane's longest wait of an
/// hour and a half, twice, and an hour for everything else.
const DRAINED_WITHIN_MS: u64 = 240 * MINUTE;

/// Longest time in which a new case must be delivered then: twice the longest ordinary wait.
const FRESH_WITHIN_MS: u64 = 30 * MINUTE;

/// What a run came to.
pub struct Outcome {
    /// The seed it came from.
    pub seed: u64,
    /// What was wrong; nothing when all is well.
    pub violations: Vec<String>,
    /// SHA-256 of the trace.
    pub hash: String,
    /// The trace.
    pub lines: Vec<String>,
    /// Promises to residents.
    pub promises: usize,
    /// Of these, destroyed with the disk they lay on before they could be delivered.
    pub destroyed: usize,
    /// Requests made.
    pub requests: u64,
    /// Most requests of a terminal in one minute.
    pub most_in_a_minute: u64,
    /// Most times a record was sent, and most since the faults stopped.
    pub most_puts: (u64, u64),
    /// How long it took after the faults until everything was delivered, in milliseconds.
    pub drained_after_ms: u64,
    /// Kinds of faults that happened.
    pub faults: BTreeMap<&'static str, u64>,
}

/// Keys and connections for any number of runs.
pub struct Shared {
    kit: Kit,
    receipt_pem: String,
    identities: String,
}

impl Shared {
    /// Makes them. They decide nothing, so they need not come from the seed.
    pub fn make() -> Result<Self> {
        let (city_key, seal) = (CityReceiptKey::generate(), SealKeyPair::generate());
        let keys: BTreeMap<_, _> = (0..3).map(|at| (code(at), TerminalKey::generate())).collect();
        let caller = |(code, key): (&String, &TerminalKey)| Ok((code.clone(), Caller::new(code, key)?));
        let callers = keys.iter().map(caller).collect::<Result<_>>()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
        let office = Office { sealer: AgeSealer::from_recipients(&seal.recipient)?, keys };
        let (receipt_pem, city) = (city_key.to_pem().to_string(), city_key.public());
        let kit = Kit { office, callers, city_key, city, http };
        Ok(Self { kit, receipt_pem, identities: seal.identity.to_string() })
    }

    /// One run of a seed.
    pub fn run(&self, seed: u64, defect: Defect, aloud: bool) -> Result<Outcome> {
        let script = Script::draw(seed);
        let folder = folder()?;
        let now_ms = Arc::new(AtomicU64::new(0));
        simulation::begin(0, MORNING_MS, seed);
        let keys = CityKeys { receipt: self.receipt_pem.clone(), identities: self.identities.clone() };
        let city = CityHouse::build(&folder.path().join("city"), keys)?;
        let mutation = Mutation::of(defect);
        let mut world = World::new(&self.kit, seed, folder.path().to_owned(), city, now_ms, mutation);
        world.trace.aloud = aloud;
        let mut drained_after_ms = 0;
        let ran = catch_unwind(AssertUnwindSafe(|| whole_run(&mut world, &script, &mut drained_after_ms)));
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => world.truth.violated(format!("{error:#}")),
            Err(_) => world.truth.violated("something panicked"),
        }
        for violation in world.truth.violations.clone() {
            world.say("judge", violation);
        }
        Ok(outcome(seed, &script, &world, drained_after_ms))
    }
}

fn outcome(seed: u64, script: &Script, world: &World<'_>, drained_after_ms: u64) -> Outcome {
    let puts = |of: fn(&crate::truth::Finalised) -> u64| world.truth.all().map(of).max().unwrap_or(0);
    let mut faults = BTreeMap::new();
    for (_, fault) in &script.faults {
        *faults.entry(fault.kind()).or_default() += 1;
    }
    Outcome {
        seed,
        violations: world.truth.violations.clone(),
        hash: world.trace.hash(),
        lines: world.trace.lines().to_vec(),
        promises: world.truth.count(),
        destroyed: world.truth.all().filter(|record| record.destroyed).count(),
        requests: world.requests,
        most_in_a_minute: world.most_in_a_minute,
        most_puts: (puts(|record| record.puts), puts(|record| record.puts_since_calm)),
        drained_after_ms,
        faults,
    }
}

fn whole_run(world: &mut World<'_>, script: &Script, drained_after_ms: &mut u64) -> Result<()> {
    begin(world, script)?;
    world.run_until(script.lasts_ms)?;
    calm(world)?;
    let calm_since = world.now();
    wait_until_drained(world, DRAINED_WITHIN_MS, "I5: not everything was delivered in time")?;
    *drained_after_ms = world.now() - calm_since;
    let terminals = world.terminals.len();
    for at in 0..terminals {
        world.after(1, Event::Visit(at));
    }
    world.run_until(world.now() + 2)?;
    wait_until_drained(world, FRESH_WITHIN_MS, "I5: a new case was not delivered in time")?;
    // What is durable now is given back, and the city still has everything after it was put back from that copy.
    world.goes_wrong(Fault::BackUp)?;
    world.run_until(world.now() + 15 * MINUTE)?;
    world.goes_wrong(Fault::Restore { blobs_lost: true })?;
    world.run_until(world.now() + 2 * MINUTE)?;
    wait_until_drained(
        world,
        FRESH_WITHIN_MS,
        "I5: after a last restore not everything was delivered in time",
    )?;
    world.run_until(world.now() + MINUTE)?;
    world.say("judge", "looks at everything");
    let honest = !script.faults.iter().any(|(_, fault)| fault.changes_disks());
    world.judge(honest)
}

fn begin(world: &mut World<'_>, script: &Script) -> Result<()> {
    for at in 0..script.terminals {
        let folder = world.folder.join(format!("terminal-{at}"));
        let chance = Chance::new(world.chance.next(), at as u64);
        let name = format!("T{}", at + 1);
        let terminal = Terminal::new(&name, &code(at), &folder, &world.now_ms, MORNING_MS, chance);
        world.terminals.push(terminal);
        world.links.push(Link::good());
        std::fs::create_dir_all(folder.join("state"))?;
        world.kiosk_up(at)?;
        world.agent_up(at)?;
        world.after(30_000, Event::Care(at));
    }
    world.after(20_000, Event::Opener);
    for (at_ms, at) in &script.visits {
        world.at(*at_ms, Event::Visit(*at));
    }
    for (at_ms, fault) in &script.faults {
        world.at(*at_ms, Event::Fault(fault.clone()));
    }
    Ok(())
}

/// The faults stop: whatever is down is started, whatever lies is honest.
fn calm(world: &mut World<'_>) -> Result<()> {
    world.say("world", "is calm");
    world.calm = true;
    world.city_dies_at_reply = 0;
    world.goes_wrong(Fault::Budget(1000))?;
    for at in 0..world.terminals.len() {
        world.links[at] = Link::good();
        world.terminals[at].paused_until_ms = 0;
        world.terminals[at].disk_ms = 20;
        world.terminals[at].disk_full(false)?;
        world.kiosk_up(at)?;
        world.agent_up(at)?;
        // What was to be written after the standstill is written now.
        let agent = world.terminals[at].agent.as_ref().filter(|agent| agent.disk_due);
        if let Some(life) = agent.map(|agent| agent.life) {
            world.after(20, Event::Disk { terminal: at, life });
        }
    }
    Ok(())
}

fn wait_until_drained(world: &mut World<'_>, within_ms: u64, otherwise: &str) -> Result<()> {
    let end = world.now() + within_ms;
    loop {
        let mut waiting = Vec::new();
        for terminal in &world.terminals {
            if let Some(what) =
                terminal.waits_for().with_context(|| format!("looking at {}", terminal.name))?
            {
                waiting.push(format!("{} waits for {what}", terminal.name));
            }
        }
        if waiting.is_empty() {
            world.say("world", "everything was delivered");
            return Ok(());
        }
        if world.now() >= end {
            world.truth.violated(format!("{otherwise}: {}", waiting.join(", ")));
            return Ok(());
        }
        world.run_until((world.now() + MINUTE).min(end))?;
    }
}

fn code(at: usize) -> String {
    format!("DG900{}", at + 1)
}

/// In memory where there is such a place: nothing here asks what a power cut leaves.
fn folder() -> Result<tempfile::TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.context("no folder for the run")
}
