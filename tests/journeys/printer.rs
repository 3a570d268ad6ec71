//! The receipt printer: what is known of it, and when it has no paper or stands open.

use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, read_qr};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn how_far_it_confirms_is_known_before_the_first_receipt() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let book = kiosk.terminal_state().join(kiosk_app::devices::health::FILE);
    let known = async || {
        // It is replaced in one step, and not there before the first device has come.
        let Ok(text) = std::fs::read(&book) else { return Ok(None) };
        let level =
            serde_json::from_slice::<Value>(&text)?["devices"]["receipt-printer"]["print_level"].clone();
        Ok(level.as_u64())
    };
    let level = kiosk.until("the printer's level in the book", Duration::from_secs(15), known).await?;
    ensure!(level == 2, "it answers process ids: {level}");
    ensure!(kiosk.receipts().await?.is_empty(), "asking leaves nothing on paper");
    Ok(())
}

async fn at_the_check_page(kiosk: &Kiosk) -> Result<()> {
    resident::begin(kiosk, resident::APPEAL).await?;
    resident::identify(kiosk, "ordinary").await?;
    resident::answer_appeal(kiosk).await
}

async fn whole_receipts(kiosk: &Kiosk) -> Result<usize> {
    Ok(kiosk.receipts().await?.iter().filter(|receipt| receipt.cut && receipt.complete).count())
}

async fn offered_again(
    switch_off: serde_json::Value,
    words: &str,
    switch_on: serde_json::Value,
) -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_check_page(&kiosk).await?;
    kiosk.change("receipt-printer", switch_off).await?;
    let number = resident::confirm(&kiosk).await?;
    kiosk.wait_text(words).await?;
    ensure!(whole_receipts(&kiosk).await? == 0);

    // The receipt is on the screen as a QR, readable by any phone.
    let address = read_qr(&kiosk.screen_png().await?)?;
    ensure!(address.contains("/v/"), "{address}");

    kiosk.change("receipt-printer", switch_on).await?;
    kiosk.wait_text("可以打印").await?;
    ensure!(whole_receipts(&kiosk).await? == 0, "nothing is printed by itself");
    let labels = kiosk.labels().await?;
    let print = ["打印凭条", "再试一次", "再打一次"]
        .into_iter()
        .find(|words| labels.iter().any(|label| label == words));
    kiosk.touch(print.expect("printing is offered")).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    ensure!(whole_receipts(&kiosk).await? == 1);
    ensure!(resident::case_number(&kiosk).await? == number);
    Ok(())
}

#[tokio::test]
async fn paper_out_and_back() -> Result<()> {
    let words = "打印机没有纸了，凭条没有打完。办件已保存，不受影响。";
    offered_again(json!({"paper": false}), words, json!({"paper": true})).await
}

#[tokio::test]
async fn cover_open_and_closed() -> Result<()> {
    let words = "打印机的盖子开着，凭条没有打完。办件已保存，不受影响。";
    offered_again(json!({"cover_open": true}), words, json!({"cover_open": false})).await
}

#[tokio::test]
async fn a_restart_after_saving_offers_the_case_and_prints_nothing() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_check_page(&kiosk).await?;
    kiosk.change("receipt-printer", json!({"paper": false})).await?;
    let number = resident::confirm(&kiosk).await?;
    kiosk.kill("kiosk-app").await?;
    kiosk.change("receipt-printer", json!({"paper": true})).await?;
    kiosk.wait_text("刚才的办件已保存").await?;
    ensure!(whole_receipts(&kiosk).await? == 0, "never printed unasked");
    kiosk.touch("看回执").await?;
    kiosk.wait_screen("receipt").await?;
    ensure!(resident::case_number(&kiosk).await? == number);
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains("陈桂英"), "the stub knows nobody: {shown}");
    Ok(())
}
