//! A short storm, and the proof that the oracle can find something: two parts of the system lie about deliveries, a city
//! loses and changes what it has, and each time the books do not agree.
//!
//! `ORACLE_SEED` and `ORACLE_SECONDS` choose another storm.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kiosk_oracle::weather::{Portal, Weather};
use kiosk_oracle::world::{Options, World};

/// Longest wait for something that a few seconds are enough for.
const SOON: Duration = Duration::from_secs(60);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// Neither disks to fill nor replies that get lost: for a system that lies.
fn plain(seed: u64) -> Options {
    Options { terminals: 1, disk_mib: None, gateway_points: None, keep_logs: false, ..Options::new(seed) }
}

/// Some cases were promised, nobody comes any more, and the terminal holds receipts for all of them.
async fn acknowledged(mut world: World) -> Result<World> {
    let promised = world.terminals[0].promises.clone();
    world.until("some cases", SOON, async || Ok(promised.count() > 3)).await?;
    world.terminals[0].close().await;
    let none = async || Ok(world.terminals[0].waits_for()?.is_none());
    world.until("receipts for all of them", SOON, none).await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_finalised_is_in_the_city_once_and_nothing_else() -> Result<()> {
    let seed = number("ORACLE_SEED").unwrap_or_else(|| rand::random::<u32>().into());
    let seconds = number("ORACLE_SECONDS").unwrap_or(60);
    println!("seed {seed}, {seconds} s");
    let world = World::start(Options::new(seed)).await?;
    world.storm(Duration::from_secs(seconds), |incident| println!("{incident}")).await?;
    let tally = world.tally.clone();
    let findings = world.end().await?;
    println!("{findings}");
    ensure!(findings.violations.is_empty(), "seed {seed}: {findings}");
    ensure!(tally.of("new epochs") > 0, "seed {seed}: no gateway noticed the restore");
    ensure!(
        findings.promised > 100 && findings.blobs > 10,
        "seed {seed}: hardly anything happened: {findings}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_believes_a_portal_is_noticed() -> Result<()> {
    let gullible = Some("agent::believe-unsigned=return".to_owned());
    let world = World::start(Options { agent_points: gullible, ..plain(1) }).await?;
    world.terminals[0].proxy.set(Weather::Portal(Portal::TrustedPage));
    let world = acknowledged(world).await?;
    let findings = world.end().await?;
    let lost = findings
        .violations
        .iter()
        .filter(|violation| violation.contains("acknowledged, and not in the city"));
    ensure!(lost.count() > 0, "not noticed: {findings}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_answers_before_it_commits_is_noticed() -> Result<()> {
    // Later than this test lives.
    let early = Some("gateway::receipt-before-commit=return(3600000)".to_owned());
    let world = World::start(Options { gateway_points: early, ..plain(2) }).await?;
    let world = acknowledged(world).await?;
    let findings = world.end().await?;
    let lost = findings
        .violations
        .iter()
        .filter(|violation| violation.contains("acknowledged, and not in the city"));
    ensure!(lost.count() > 0, "not noticed: {findings}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_that_loses_or_changes_what_it_has_is_noticed() -> Result<()> {
    let mut world = World::start(plain(3)).await?;
    let terminal = &world.terminals[0];
    let promised = terminal.promises.clone();
    world.until("some cases", SOON, async || Ok(promised.count() > 3)).await?;
    let still = world.calm().await?;
    ensure!(still.is_none(), "{still:?}");
    // A photo to lose.
    let refused = world.fresh_cases().await;
    ensure!(refused.is_none(), "{refused:?}");
    let blob = world.city.ask("SELECT sha256 FROM whole_blob ORDER BY 1 LIMIT 1").await?;
    let file = world.city.blobs().join("whole").join(blob.get(..2).context("a hash")?).join(&blob);
    std::fs::write(file, "something else")?;
    let change =
        "UPDATE inbox SET ciphertext = 'x' WHERE seq = 1; INSERT INTO inbox SELECT terminal, incarnation,
                  seq + 1000, 'c' || seq, kind, about, case_number, verification, item, item_version, sha256,
                  manifest_hash, received_at_ms, manifest, ciphertext FROM inbox WHERE seq = 2";
    world.city.ask(change).await?;
    let findings = kiosk_oracle::judge::judge(&world).await?;
    for expected in [
        &format!("I2: blob {blob} counts as whole and is another one"),
        "has another content than its row says",
        "which was never finalised",
        "1 rows of the inbox without their work",
    ] {
        let found = findings.violations.iter().any(|violation| violation.contains(expected));
        ensure!(found, "{expected:?} is not noticed: {findings}");
    }
    Ok(())
}

/// Called durable after the copy was made, as always: the copy that is put back does not know it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_durable_and_given_back_counts_as_delivered_after_a_restore() -> Result<()> {
    let world = World::start(plain(4)).await?;
    let five = "SELECT count(*) > 5 FROM handling WHERE state = 'opened'";
    let opened = async || Ok(world.city.ask(five).await? == "t");
    world.until("some cases to be delivered", SOON, opened).await?;
    world.city.copy_database().await?;
    let durable =
        "INSERT INTO durable SELECT terminal, incarnation, 5 FROM inbox GROUP BY terminal, incarnation";
    world.city.ask(durable).await?;
    world
        .until("content to be given back", SOON, async || Ok(world.tally.of("purges of what is durable") > 0))
        .await?;
    world.city.restore_database().await?;
    let findings = world.end().await?;
    ensure!(findings.purged > 0 && findings.violations.is_empty(), "{findings}");
    Ok(())
}
