//! A test that cannot fail proves nothing: with the order of commit and receipt turned round, or with
//! an acknowledgement believed without its signature, the oracle must find violations.

use super::day::Day;
use anyhow::{Result, ensure};
use kiosk_tests::resident;
use simulator::client::NetworkMode;
use std::time::Duration;

#[tokio::test]
async fn a_receipt_before_the_commit_is_noticed() -> Result<()> {
    let early = ("kiosk-app", "FAILPOINTS", "kiosk::receipt-before-commit=return");
    let day = Day::start(1, &[early]).await?;
    let kiosk = day.kiosk();
    resident::begin(kiosk, resident::APPEAL).await?;
    resident::identify(kiosk, "ordinary").await?;
    resident::answer_appeal(kiosk).await?;
    kiosk.touch("确认提交").await?;
    // As soon as paper comes out, before the late commit.
    let cut = async || Ok(kiosk.receipts().await?.into_iter().find(|receipt| receipt.cut));
    kiosk.until("a receipt", Duration::from_secs(15), cut).await?;
    kiosk.kill("kiosk-app").await?;
    kiosk.wait_screen("home").await?;
    let findings = day.end().await?;
    ensure!(!findings.violations.is_empty(), "the oracle did not notice: {findings:?}");
    Ok(())
}

#[tokio::test]
async fn an_acknowledgement_without_a_signature_is_noticed() -> Result<()> {
    let gullible = ("sync-agent", "FAILPOINTS", "agent::believe-unsigned=return");
    let day = Day::start(2, &[gullible]).await?;
    let kiosk = day.kiosk();
    kiosk.network(NetworkMode::CaptivePortal).await?;
    resident::whole_visit(kiosk, "ordinary").await?;
    let believed =
        async || Ok(Some(kiosk.queue().await?).filter(|queue| queue.head == 1 && queue.waiting == 0));
    kiosk.until("the portal's page to be believed", Duration::from_secs(20), believed).await?;
    let findings = day.end().await?;
    ensure!(!findings.violations.is_empty(), "the oracle did not notice: {findings:?}");
    Ok(())
}
