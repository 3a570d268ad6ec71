//! Lets a monkey play with the whole kiosk. Ends with an error at the first broken promise, and says which seed shows it.

use anyhow::{Result, bail};
use clap::Parser;
use kiosk_tests::monkey::{Plan, play};

/// A monkey at the kiosk
#[derive(Parser)]
struct Arguments {
    /// Touches in all
    #[arg(long, default_value_t = 1_000_000)]
    touches: u64,
    /// What everything is drawn from; the day's own when absent
    #[arg(long)]
    seed: Option<u64>,
    /// Touches of one kiosk, before another one is started with the next seed
    #[arg(long, default_value_t = 20_000)]
    game: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut seed = arguments.seed.unwrap_or_else(rand::random);
    let mut left = arguments.touches;
    while left > 0 {
        let touches = left.min(arguments.game);
        println!("seed {seed}, {touches} touches");
        let findings = play(Plan { seed, touches }).await?;
        println!("  {findings:?}");
        if !findings.violations.is_empty() {
            bail!("seed {seed}: {}", findings.violations.join("\n"));
        }
        left -= touches;
        seed = seed.wrapping_add(1);
    }
    Ok(())
}
