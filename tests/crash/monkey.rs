//! A monkey's afternoon. `MONKEY_TOUCHES` (default 20,000) and `MONKEY_SEED` set how long and which;
//! `cargo xtask monkey` plays a million.

use anyhow::{Result, ensure};
use kiosk_tests::monkey::{Plan, play};

/// Pages that an afternoon without them has not tried.
const PAGES: [&str; 8] =
    ["home", "guide", "consent", "identify", "confirm-person", "question", "enquiry", "leaving"];

#[tokio::test]
async fn a_monkey_always_leaves_a_home_screen_and_nobodys_name() -> Result<()> {
    let touches = std::env::var("MONKEY_TOUCHES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let seed =
        std::env::var("MONKEY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    let findings = play(Plan { seed, touches }).await?;
    println!("seed {seed}: {findings:#?}");
    ensure!(findings.violations.is_empty(), "seed {seed}: {}", findings.violations.join("\n"));
    for page in PAGES {
        ensure!(
            findings.pages.contains_key(page),
            "seed {seed}: it never came to {page}: {:?}",
            findings.pages
        );
    }
    // A case is luck: three were seen in twenty thousand touches. Journeys hand cases in; here they are counted.
    ensure!(findings.persons_seen > 0 && findings.homes > 0, "seed {seed}: {findings:?}");
    Ok(())
}
