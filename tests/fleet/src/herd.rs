//! A fleet comes back after an outage: every terminal holds a few cases, none has reached the city for hours, and now
//! the network is there again. Shown is how the city bears it: how even the load is, what each case costs, and whether
//! memory stays what it was.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::city::{City, Size, project};
use crate::outage::Outage;
use crate::process;
use crate::records::Maker;
use crate::terminal::{Passed, Surroundings, Terminal};
use crate::wire::Wire;

/// Terminals that meet the city for the first time at once.
const MEETING: usize = 32;

/// Seconds over which the peak is taken.
pub const PEAK_S: usize = 10;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many terminals.
    pub terminals: usize,
    /// How many cases each of them holds.
    pub cases: u64,
    /// The longest wait of a terminal between two tries, which is also how long the return takes.
    pub cap: Duration,
    /// Connections are closed when idle for so long.
    pub idle: Duration,
    /// How much the city is given.
    pub size: Size,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many terminals.
    pub terminals: usize,
    /// Records delivered, each with a verified receipt.
    pub delivered: u64,
    /// Receipts in each second since the network was back.
    pub by_second: Vec<u64>,
    /// Memory of the gateway in each second, MiB.
    pub gateway_mib: Vec<f64>,
    /// Open files of the gateway in each second: almost all are connections.
    pub gateway_files: Vec<usize>,
    /// CPU time for each case, milliseconds: gateway, PostgreSQL.
    pub cpu_ms_per_case: [f64; 2],
    /// Handshakes of the return: with certificates, and resumed.
    pub handshakes: [u64; 2],
    /// What the terminals went through, together.
    pub passed: Passed,
}

impl Report {
    /// Seconds until the last case was delivered.
    pub fn window_s(&self) -> usize {
        self.by_second.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1)
    }

    /// Cases in a second, over the whole window.
    pub fn mean(&self) -> f64 {
        self.delivered as f64 / self.window_s().max(1) as f64
    }

    /// Cases in a second, in the busiest [`PEAK_S`] seconds.
    pub fn peak(&self) -> f64 {
        let window = &self.by_second[..self.window_s()];
        let span = PEAK_S.min(window.len()).max(1);
        let busiest = window.windows(span).map(|seconds| seconds.iter().sum::<u64>()).max().unwrap_or(0);
        busiest as f64 / span as f64
    }
}

/// Runs it once.
pub async fn run(options: Options, say: impl Fn(&str)) -> Result<Report> {
    let mut city = City::start(options.size)?;
    let outage = Outage::with_cap(u64::try_from(options.cap.as_millis())?);
    let wire = Wire::new(city.terminals, city.keys.authorities.clone())?;
    let mut terminals = prepare(&options, &city, &wire, &outage, &say)?;
    let receipt = city.keys.receipt.clone();
    let around = |wire, begun_ms| Surroundings {
        wire,
        city: receipt.clone(),
        begun: Instant::now(),
        begun_ms,
        idle: options.idle,
    };
    let before = around(wire, 0);
    meet(&mut terminals, &before, &say).await?;
    for terminal in &mut terminals {
        terminal.endure(&outage);
    }
    let first = before.wire.handshakes();
    city.settle().await?;
    let cpu = city.cpu()?;
    let shared = Arc::new(around(before.wire, outage.lasts_ms));
    let mut report = come_back(terminals, &shared, &options, &mut city, &say).await?;
    city.settle().await?;
    let after = city.cpu()?;
    city.still_runs()?;
    city.check(report.delivered)?;
    let cases = report.delivered.max(1) as f64;
    report.cpu_ms_per_case = [0, 1].map(|at: usize| (after[at] - cpu[at]).as_secs_f64() * 1000.0 / cases);
    let last = shared.wire.handshakes();
    report.handshakes = [0, 1].map(|kind: usize| last[kind] - first[kind]);
    Ok(report)
}

/// Makes certificates and records, on every core.
fn prepare(
    options: &Options,
    city: &City,
    wire: &Wire,
    outage: &Outage,
    say: &impl Fn(&str),
) -> Result<Vec<Terminal>> {
    let maker = Maker::new(&project().join("assets/catalog"), &city.keys.recipient)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, made) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(options.terminals)));
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= options.terminals {
                return Ok(());
            }
            let terminal = Terminal::make(number, &city.keys, &maker, wire, outage.settings, options.cases)?;
            made.lock().unwrap_or_else(PoisonError::into_inner).push(terminal);
        }
    };
    say(&format!("{} terminals are made, with {} cases each", options.terminals, options.cases));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a terminal could not be made"),
        })
    })?;
    Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// All of them have been here before.
async fn meet(terminals: &mut [Terminal], around: &Surroundings, say: &impl Fn(&str)) -> Result<()> {
    say("each meets the city once, as on any day before");
    let mut waiting = terminals.iter_mut();
    let mut meeting: FuturesUnordered<_> =
        waiting.by_ref().take(MEETING).map(|terminal| terminal.meet(around)).collect();
    let mut met = 0;
    while let Some(result) = meeting.next().await {
        result?;
        met += 1;
        if met % 10_000 == 0 {
            say(&format!("{met} have met it"));
        }
        meeting.extend(waiting.next().map(|terminal| terminal.meet(around)));
    }
    Ok(())
}

/// The network is back.
async fn come_back(
    terminals: Vec<Terminal>,
    around: &Arc<Surroundings>,
    options: &Options,
    city: &mut City,
    say: &impl Fn(&str),
) -> Result<Report> {
    let total = terminals.len() as u64 * options.cases;
    let mut report = Report { terminals: terminals.len(), ..Report::default() };
    let delivered = Arc::new(AtomicU64::new(0));
    let mut under_way = JoinSet::new();
    for terminal in terminals {
        let (around, delivered) = (Arc::clone(around), Arc::clone(&delivered));
        under_way.spawn(terminal.deliver(around, move || {
            delivered.fetch_add(1, Ordering::Relaxed);
        }));
    }
    say("the network is back");
    let (mut second, mut counted) = (interval(Duration::from_secs(1)), 0);
    second.tick().await;
    // Everybody has tried within the cap; three times as long is for whoever was refused.
    let deadline = Instant::now() + options.cap * 3 + Duration::from_secs(120);
    while !under_way.is_empty() {
        tokio::select! {
            ended = under_way.join_next() => {
                let passed = ended.context("there is one")???;
                report.passed.hellos += passed.hellos;
                report.passed.hellos_failed += passed.hellos_failed;
                report.passed.records_failed += passed.records_failed;
            }
            _ = second.tick() => {
                let now = delivered.load(Ordering::Relaxed);
                report.by_second.push(now - counted);
                counted = now;
                city.still_runs()?;
                report.gateway_mib.push(process::resident_mib(city.gateway_pid())?);
                report.gateway_files.push(process::open_files(city.gateway_pid())?);
                if report.by_second.len().is_multiple_of(30) {
                    say(&line(&report, now, total));
                }
                ensure!(Instant::now() < deadline, "{now} of {total} cases were delivered; {}", city.last_words());
            }
        }
    }
    report.delivered = delivered.load(Ordering::Relaxed);
    report.by_second.push(report.delivered - counted);
    ensure!(report.delivered == total, "{} of {total} cases were delivered", report.delivered);
    Ok(report)
}

fn line(report: &Report, now: u64, total: u64) -> String {
    let last: u64 = report.by_second.iter().rev().take(PEAK_S).sum();
    let memory = report.gateway_mib.last().copied().unwrap_or(0.0);
    let files = report.gateway_files.last().copied().unwrap_or(0);
    format!(
        "{:>4} s: {now} of {total}, {:.0} a second, gateway {memory:.0} MiB, {files} files",
        report.by_second.len(),
        last as f64 / PEAK_S as f64
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_with_the_last_case_and_the_peak_is_taken_over_ten_seconds() {
        let mut by_second = vec![10; 40];
        by_second[20] = 60;
        by_second.extend([0; 30]);
        let report = Report { delivered: 450, by_second, ..Report::default() };
        assert_eq!(report.window_s(), 40);
        assert_eq!((report.mean(), report.peak()), (11.25, 15.0));
    }
}
