//! `oracle-feeder`: commits cases with the kiosk's own store, and says after each commit what it promised.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use kiosk_oracle::feeder::Feeder;

/// Stands for the kiosk: fills the outbox of one terminal.
#[derive(Parser)]
struct Arguments {
    /// The terminal's configuration
    #[arg(long)]
    config: PathBuf,
    /// Commit one case and end
    #[arg(long)]
    one: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut feeder = Feeder::open(&arguments.config)?;
    if arguments.one {
        return feeder.one();
    }
    loop {
        feeder.round()?;
    }
}
