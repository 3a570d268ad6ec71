//! `powercut`: tries cut points until there are enough, or one of them again. Started by `cargo xtask powercut`.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use kiosk_powercut::broken::{self, Broken, Depth, every_sync};
use kiosk_powercut::broken_sync::{BrokenSync, Says};
use kiosk_powercut::day::Part;
use kiosk_powercut::enumerate::{Cut, Effort, Figures, one_cut};
use kiosk_powercut::place::Place;
use kiosk_powercut::run::{DAY, Progress, recording, whole_day};
use kiosk_powercut::terminal::Promise;

/// Cuts the power at every point of a scripted day and opens what is left with the real store.
#[derive(Parser)]
struct Arguments {
    /// How many cut points, each a different disk image
    #[arg(long, default_value_t = 1_000_000)]
    points: u64,
    /// Seed of the first day; each further day has the next number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One cut again, as a violation prints it: PART:CUT:VARIANT
    #[arg(long)]
    only: Option<String>,
    /// With `--only`: after a sync broke, as a violation prints it
    #[arg(long = "break", requires = "only")]
    broken: Option<BrokenSync>,
    /// Instead: each sync of a day breaks once, with EIO and with a lie, and then the power is cut
    #[arg(long)]
    syncs: bool,
    /// Combinations of unsynced changes tried at each cut, at most
    #[arg(long, default_value_t = 40)]
    variants: usize,
    /// Threads [default: as many as the machine has]
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(only) = &arguments.only {
        return again(only, arguments.seed, arguments.broken);
    }
    let began = Instant::now();
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    if arguments.syncs {
        return syncs(&arguments, jobs);
    }
    let progress = Progress::towards(arguments.points);
    let mut figures = Figures::default();
    let mut seed = arguments.seed;
    while figures.judged < arguments.points && figures.violations.is_empty() {
        eprintln!("\rday {seed}                                                         ");
        let enough = arguments.points - figures.judged;
        let effort = Effort { seed, variants: arguments.variants, jobs, enough, violations: 10 };
        figures.add(whole_day(seed, DAY, effort, &progress)?);
        seed += 1;
    }
    eprintln!();
    for violation in &figures.violations {
        println!("{violation}");
    }
    println!(
        "{} cut points (different disk images, opened and judged; {} combinations looked at) at {} places of {} days, \
         {} violations, {:.0} s",
        figures.judged,
        figures.looked_at,
        figures.prefixes,
        seed - arguments.seed,
        figures.violations.len(),
        began.elapsed().as_secs_f64()
    );
    Ok(if figures.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn syncs(arguments: &Arguments, jobs: usize) -> Result<ExitCode> {
    let Arguments { seed, variants, points, .. } = *arguments;
    let effort = Effort { seed, variants, jobs, enough: points, violations: 10 };
    let mut sound = true;
    for part in [Part::Fresh, Part::Older, Part::FullOutbox, Part::FullDelivery] {
        for says in [Says::Error, Says::Done] {
            let Broken { syncs, figures } = every_sync(part, seed, says, Depth::ALL, effort)?;
            for violation in &figures.violations {
                println!("{violation}");
            }
            sound &= figures.violations.is_empty();
            let (judged, found) = (figures.judged, figures.violations.len());
            println!("{:<14} {says:?}: {syncs} syncs, {judged} cut points, {found} violations", part.name());
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn again(only: &str, seed: u64, broken: Option<BrokenSync>) -> Result<ExitCode> {
    let parts: Vec<&str> = only.split(':').collect();
    let [part, at, variant] = parts.as_slice() else { anyhow::bail!("--only wants PART:CUT:VARIANT") };
    let part = Part::named(part).context("there is no such part of the day")?;
    let cut = Cut { at: at.parse().context("the cut")?, variant: variant.parse().context("the variant")? };
    let recording = match broken {
        None => recording(part, seed, DAY, Promise::default())?,
        Some(broken) => broken::recording(part, seed, broken)?.context("there is no such sync")?,
    };
    match one_cut(&recording, seed, cut, &mut Place::new()?)? {
        Ok(survived) => {
            println!("no violation: {survived:?}");
            Ok(ExitCode::SUCCESS)
        }
        Err(violation) => {
            println!("{violation}");
            Ok(ExitCode::FAILURE)
        }
    }
}
