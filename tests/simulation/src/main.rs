//! `simulate`: one run of a seed with its trace, or a hunt through many. Started by `cargo xtask simulate`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use kiosk_simulation::mutation::Defect;
use kiosk_simulation::run::{Outcome, Shared};

/// Runs the agents and the city under every fault that a seed draws, and judges what they did.
#[derive(Parser)]
struct Arguments {
    /// The one run to print
    #[arg(conflicts_with = "runs")]
    seed: Option<u64>,
    /// How many runs to hunt through
    #[arg(long, default_value_t = 10_000)]
    runs: u64,
    /// Seed of the first
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Threads [default: as many as the machine has]
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let shared = Shared::make()?;
    match arguments.seed {
        Some(seed) => one(&shared, seed),
        None => hunt(&shared, &arguments),
    }
}

fn one(shared: &Shared, seed: u64) -> Result<ExitCode> {
    let outcome = shared.run(seed, Defect::None, true)?;
    println!("trace {}", outcome.hash);
    println!("{}", figures(&outcome));
    Ok(verdict(outcome.violations.is_empty()))
}

fn figures(outcome: &Outcome) -> String {
    format!(
        "{} promises ({} destroyed with their disks), {} requests, at most {} a minute; a record was sent at most {} \
         times, {} after the faults; delivered {} s after them; {} violations",
        outcome.promises,
        outcome.destroyed,
        outcome.requests,
        outcome.most_in_a_minute,
        outcome.most_puts.0,
        outcome.most_puts.1,
        outcome.drained_after_ms / 1000,
        outcome.violations.len()
    )
}

fn hunt(shared: &Shared, arguments: &Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let (next, stop, sums) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Sums::default()));
    let work = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.runs {
                return Ok(());
            }
            let outcome = shared.run(arguments.from + number, Defect::None, false)?;
            let mut sums = sums.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sums.add(&outcome);
            if sums.runs.is_multiple_of(50) {
                eprint!("\r{} of {} runs", sums.runs, arguments.runs);
            }
            if sums.failed.len() >= 5 {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a thread ended")))
    })?;
    let sums = sums.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    eprintln!();
    for (seed, violations) in &sums.failed {
        println!("seed {seed}: {}", violations.join("; "));
        println!("    again, with its trace: cargo xtask simulate {seed}");
    }
    println!("{sums}, {:.0} s", began.elapsed().as_secs_f64());
    Ok(verdict(sums.failed.is_empty()))
}

#[derive(Default)]
struct Sums {
    runs: u64,
    promises: usize,
    destroyed: usize,
    requests: u64,
    longest_drain_ms: u64,
    most_in_a_minute: u64,
    most_puts: (u64, u64),
    faults: BTreeMap<&'static str, u64>,
    failed: Vec<(u64, Vec<String>)>,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.promises += outcome.promises;
        self.destroyed += outcome.destroyed;
        self.requests += outcome.requests;
        self.longest_drain_ms = self.longest_drain_ms.max(outcome.drained_after_ms);
        self.most_in_a_minute = self.most_in_a_minute.max(outcome.most_in_a_minute);
        let (all, calm) = outcome.most_puts;
        self.most_puts = (self.most_puts.0.max(all), self.most_puts.1.max(calm));
        for (kind, count) in &outcome.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        if !outcome.violations.is_empty() {
            self.failed.push((outcome.seed, outcome.violations.clone()));
        }
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (kind, count) in &self.faults {
            writeln!(f, "    {count:>8}  {kind}")?;
        }
        write!(
            f,
            "{} runs, {} promises ({} destroyed with their disks), {} requests, at most {} a minute; a record was sent \
             at most {} times, {} after the faults; everything delivered at most {} s after them; {} runs failed",
            self.runs,
            self.promises,
            self.destroyed,
            self.requests,
            self.most_in_a_minute,
            self.most_puts.0,
            self.most_puts.1,
            self.longest_drain_ms / 1000,
            self.failed.len()
        )
    }
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
