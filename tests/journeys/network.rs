//! The way to the city, when it lies, breaks or forgets.

use anyhow::{Result, ensure};
use kiosk_tests::workshop::Kiosk;
use kiosk_tests::{oracle, resident};
use simulator::client::NetworkMode;
use std::time::Duration;

/// Makes a case while the network does this; nothing may count as delivered until it is healed.
async fn delivered_only_when_true(mode: NetworkMode) -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.network(mode).await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    // Long enough for many tries: quick retries are at most a second apart.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let queue = kiosk.queue().await?;
    ensure!(queue.waiting == 1, "{mode:?}: delivered without a receipt: {queue:?}\n{}", kiosk.logs());
    kiosk.network(NetworkMode::On).await?;
    kiosk.wait_delivered(1, Duration::from_secs(30)).await?;
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty() && findings.received == 1, "{mode:?}: {findings:?}");
    Ok(())
}

#[tokio::test]
async fn no_network_at_all() -> Result<()> {
    delivered_only_when_true(NetworkMode::Off).await
}

#[tokio::test]
async fn a_captive_portal_answers_200_with_a_page() -> Result<()> {
    delivered_only_when_true(NetworkMode::CaptivePortal).await
}

#[tokio::test]
async fn the_gateway_answers_500() -> Result<()> {
    delivered_only_when_true(NetworkMode::Error500).await
}

#[tokio::test]
async fn somebody_elses_certificate() -> Result<()> {
    delivered_only_when_true(NetworkMode::WrongCertificate).await
}

#[tokio::test]
async fn replies_are_lost_after_the_commit() -> Result<()> {
    delivered_only_when_true(NetworkMode::LoseReplies).await
}

#[tokio::test]
async fn a_slow_line_delivers_all_the_same() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.network(NetworkMode::Slow).await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    kiosk.wait_delivered(1, Duration::from_secs(60)).await?;
    Ok(())
}
