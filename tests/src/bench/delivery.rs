//! How fast one terminal with many records waiting gets them to the city, the true processes on both ends,
//! and whether the agent's memory stays what it was.

use anyhow::{Context, Result, bail, ensure};
use axum::body::Bytes;
use kiosk_store::{DeliveryReader, Outbox};
use rusqlite::{Connection, OpenFlags};
use simulator::world::TERMINAL_CODE;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_protocol::SealedRecord;
use tokio::runtime::Runtime;

use super::bare_city::BareCity;
use super::memory::pss_mib;
use super::records::Maker;
use super::site::{Process, Site};
use super::table::{Better, Pairs, Row};

/// The agent's usual window, for the second reference.
const WINDOW: usize = 32;
/// Between two looks at the delivery log.
const LOOK: Duration = Duration::from_millis(20);
/// Longest time for all of it.
const PATIENCE: Duration = Duration::from_secs(900);

/// A queue of records that wait, put aside to be delivered more than once.
struct Waiting {
    site: Site,
    incarnation: String,
    kept: PathBuf,
    bodies: Arc<Vec<Bytes>>,
}

/// One delivery of all of them.
struct Run {
    rate: f64,
    /// MiB of the agent at 10 % and at 90 %.
    agent: [f64; 2],
    /// The same of the gateway.
    gateway: [f64; 2],
}

/// Delivers so many records so often, in turns with both references.
pub fn measure(records: usize, rounds: usize) -> Result<Vec<Row>> {
    let waiting = Waiting::make(records)?;
    let runtime = Runtime::new()?;
    let (mut one, mut many) = (Pairs::default(), Pairs::default());
    let (mut agent, mut gateway) = (Pairs::default(), Pairs::default());
    for round in 1..=rounds {
        eprintln!("  … delivery: round {round} of {rounds}, {records} records three times");
        let run = waiting.deliver()?;
        let [alone, together] =
            [1, WINDOW].map(|at_once| runtime.block_on(waiting.deliver_bare(round, at_once)));
        one.add(run.rate, alone?);
        many.add(run.rate, together?);
        agent.add(run.agent[1], run.agent[0]);
        gateway.add(run.gateway[1], run.gateway[0]);
    }
    let size = waiting.bodies.iter().map(Bytes::len).sum::<usize>() / records.max(1);
    let what = format!("cases delivered, {records} waiting");
    let reference = format!("/s bare PUT loop, 1 at a time, {size} B");
    Ok(vec![
        one.row(&what, "/s", &reference).goal(Better::Larger, 0.6),
        many.row(&what, "/s", &format!("/s bare PUTs, {WINDOW} at a time, {size} B")),
        agent.row("agent memory at 90 % of the run", "MiB", "MiB at 10 %").goal(Better::Smaller, 1.1),
        gateway.row("gateway memory at 90 % of the run", "MiB", "MiB at 10 %").goal(Better::Smaller, 1.1),
    ])
}

impl Waiting {
    fn make(records: usize) -> Result<Waiting> {
        let site = Site::make()?;
        let maker = Maker::new(&site)?;
        let state = site.world.terminal_state();
        let mut outbox = Outbox::open(&state, TERMINAL_CODE)?;
        let incarnation = outbox.incarnation().to_owned();
        let mut bodies = Vec::with_capacity(records);
        for at in 0..records {
            if at % 2000 == 0 {
                eprintln!("  … delivery: {at} of {records} records made");
            }
            let record = maker.make(&incarnation, outbox.next_slot())?;
            let sealed =
                SealedRecord { manifest: record.manifest.clone(), ciphertext: record.ciphertext.clone() };
            bodies.push(Bytes::from(sealed.to_json()));
            outbox.commit(record)?;
        }
        drop(outbox);
        let kept = site.folder().join("waiting");
        fs::rename(&state, &kept)?;
        Ok(Waiting { site, incarnation, kept, bodies: Arc::new(bodies) })
    }

    /// Lets agent and gateway do it, both with new files but the queue.
    fn deliver(&self) -> Result<Run> {
        let (state, city) = (self.site.world.terminal_state(), self.site.gateway_state());
        for old in [&state, &city] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
            fs::create_dir_all(old)?;
        }
        copy_to_disk(&self.kept, &state)?;
        let mut gateway = self.site.start_gateway()?;
        let mut agent = self.site.start_agent()?;
        let run = self.watch(&state, &mut agent, &mut gateway)?;
        drop(agent);
        drop(gateway);
        self.check(&city)?;
        Ok(run)
    }

    fn watch(&self, state: &Path, agent: &mut Process, gateway: &mut Process) -> Result<Run> {
        let total = self.bodies.len() as u64;
        let mut memory: Vec<[f64; 2]> = Vec::new();
        let mut reader = None;
        let deadline = Instant::now() + PATIENCE;
        loop {
            agent.still_runs()?;
            gateway.still_runs()?;
            if reader.is_none() {
                reader = DeliveryReader::open(state).ok().flatten();
            }
            let last = match &reader {
                Some(reader) => reader.last_acknowledged(&self.incarnation)?.unwrap_or(0),
                None => 0,
            };
            let due = [total / 10, total * 9 / 10];
            while memory.len() < due.len() && last >= due[memory.len()] {
                memory.push([pss_mib(agent.pid())?, pss_mib(gateway.pid())?]);
            }
            if last == total && acknowledged(reader.as_ref(), &self.incarnation)? == total {
                let rate = total as f64 / agent.started.elapsed().as_secs_f64();
                let at = |which: usize| [0, 1].map(|time: usize| memory[time][which]);
                return Ok(Run { rate, agent: at(0), gateway: at(1) });
            }
            if Instant::now() > deadline {
                bail!("{last} of {total} records were delivered; {}", agent.last_words());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// A fast delivery of something else would be worth nothing.
    fn check(&self, city: &Path) -> Result<()> {
        let db = Connection::open_with_flags(city.join("inbox.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let count = |query: &str| db.query_row(query, [], |row| row.get::<_, i64>(0));
        let received = count("SELECT count(*) FROM inbox")?;
        ensure!(received == self.bodies.len() as i64, "the city holds {received} records");
        let bad = count("SELECT count(*) FROM outcome WHERE state = 'dead_letter'")?;
        ensure!(bad == 0, "{bad} records were not accepted by the opener");
        Ok(())
    }

    async fn deliver_bare(&self, round: usize, at_once: usize) -> Result<f64> {
        let database = self.site.folder().join(format!("bare-{round}-{at_once}.db"));
        let city = BareCity::start(&self.site, &database).await?;
        let rate = city.deliver(&self.bodies, at_once).await;
        city.stop();
        rate
    }
}

fn acknowledged(reader: Option<&DeliveryReader>, incarnation: &str) -> Result<u64> {
    Ok(reader.context("the delivery log is open")?.counts(incarnation)?.acknowledged)
}

/// Copies and flushes, so that the copy's own writing does not disturb what is measured next.
fn copy_to_disk(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy)?;
        fs::File::open(&copy)?.sync_all()?;
    }
    Ok(())
}
