//! `oracle`: one long storm, then the quiet, then the judge. Started by `cargo xtask oracle`.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use kiosk_oracle::world::{Options, World};

/// Terminals, two gateways and PostgreSQL under faults of every kind; afterwards the books are compared.
#[derive(Parser)]
struct Arguments {
    /// Chooses the faults; a random one when absent
    seed: Option<u64>,
    /// How long the faults last
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// How many terminals
    #[arg(long, default_value_t = 4)]
    terminals: usize,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { seed, minutes, terminals } = Arguments::parse();
    let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
    println!("seed {seed}, {minutes} minutes, {terminals} terminals");
    // What a small disk holds grows with the time, until what is durable is given back.
    let disk_mib = Some(256 + 32 * minutes.min(30));
    let world = World::start(Options { terminals, disk_mib, ..Options::new(seed) }).await?;
    let began = Instant::now();
    let progress = |incident: &str| {
        let promised: usize = world.terminals.iter().map(|terminal| terminal.promises.count()).sum();
        eprint!("\r{:5} s  {promised:6} cases promised  {incident:<40}", began.elapsed().as_secs());
        // Only what is seen while it runs.
        let _ = std::io::stderr().flush();
    };
    world.storm(Duration::from_secs(60 * minutes), progress).await?;
    eprintln!("\nquiet");
    let findings = world.end().await?;
    println!("{findings}");
    Ok(if findings.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
