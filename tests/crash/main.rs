//! The crash test: a scripted day, a flapping network, and kill -9 at random moments. What was printed
//! must be in the city exactly once, and the city must hold nothing else.
//!
//! `CRASH_KILLS` (default 200) and `CRASH_SEED` set how long and which.

mod day;
mod monkey;
mod mutations;

use anyhow::{Result, ensure};
use day::Day;

#[tokio::test]
async fn every_printed_receipt_is_in_the_city_once() -> Result<()> {
    let kills = std::env::var("CRASH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let seed =
        std::env::var("CRASH_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}, {kills} kills");
    let mut day = Day::start(seed, &[]).await?;
    day.kill_while_residents_come(kills).await?;
    let findings = day.end().await?;
    println!(
        "{} receipts, {} finalised, {} received",
        findings.receipts, findings.finalised, findings.received
    );
    ensure!(findings.violations.is_empty(), "seed {seed}: {:#?}", findings.violations);
    ensure!(findings.receipts > 0 && findings.finalised > 0, "seed {seed}: nobody got through the day");
    Ok(())
}
