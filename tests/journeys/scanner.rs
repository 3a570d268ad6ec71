//! A code before the scanner: the receipt's asks the city at once, any other is of no use and says so, and a plug that
//! comes out closes nothing.

use super::progress::{files_with, read};
use anyhow::{Context, Result, bail, ensure};
use kiosk_core::receipt_code;
use kiosk_store::AuditLog;
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, read_qr};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const SCANNER: &str = "code-scanner";
/// What the page says where there is a scanner.
const OFFER: &str = "不用输：把凭条的二维码对准扫码口。";
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(30);
/// Generous: a busy machine is no fault of the scanner. What was measured is printed.
const USABLE_AGAIN: Duration = Duration::from_secs(10);

/// A case that the city has opened; its receipt hangs at the printer.
async fn submitted(kiosk: &Kiosk) -> Result<String> {
    let number = resident::whole_visit(kiosk, "ordinary").await?;
    kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it", Duration::from_secs(20), opened).await?;
    Ok(number)
}

async fn at_the_enquiry(kiosk: &Kiosk) -> Result<()> {
    kiosk.touch("查办件进度").await?;
    kiosk.wait_screen("enquiry").await?;
    kiosk.wait_text(OFFER).await.map(drop)
}

async fn says(kiosk: &Kiosk, text: &str) -> Result<bool> {
    Ok(kiosk.labels().await?.iter().any(|label| label.contains(text)))
}

/// Holds a code before the scanner until the screen says something. What is scanned in the moment in which the page opens
/// belongs to nobody, and is held again, as a resident would.
async fn hold(kiosk: &Kiosk, what: Value, until: &str) -> Result<()> {
    for _ in 0..5 {
        kiosk.change(SCANNER, what.clone()).await?;
        let held = Instant::now();
        while held.elapsed() < Duration::from_secs(3) {
            if says(kiosk, until).await? {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }
    bail!("{what} was held five times, and the screen never said {until:?}: {:?}", kiosk.labels().await?)
}

#[tokio::test]
async fn the_receipts_code_asks_the_city_and_nothing_of_it_is_kept() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let number = submitted(&kiosk).await?;
    at_the_enquiry(&kiosk).await?;
    hold(&kiosk, json!({ "scan_receipt": true }), "已提交，等待受理").await?;
    kiosk.wait_text(&number).await?;
    read(&kiosk).await?;

    let receipts = kiosk.receipts().await?;
    let paper = kiosk.receipt_png(receipts.last().context("a receipt")?.id).await?;
    let on_paper = receipt_code::parse(&read_qr(&paper)?).context("the paper holds what a kiosk reads")?;
    ensure!(*on_paper.case_number.expose() == number);
    let code = on_paper.verification.expose();
    let logged = files_with(&kiosk.folder().join("logs"), code)?;
    ensure!(logged.is_empty(), "logged in {logged:?}");
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    ensure!(rows.iter().any(|row| row.name == "progress_asked"), "the question is on record");
    let told = rows.iter().any(|row| row.fields.contains(code.as_str()) || row.fields.contains(&number));
    ensure!(!told, "and nothing of the code");
    Ok(())
}

#[tokio::test]
async fn another_code_is_of_no_use_and_a_torn_one_is_held_again() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    submitted(&kiosk).await?;
    at_the_enquiry(&kiosk).await?;
    hold(&kiosk, json!({ "scan_insurance": true }), "这个码在这里用不了").await?;
    kiosk.touch("知道了").await?;
    hold(&kiosk, json!({ "scan_text": "https://example.invalid/" }), "这个码在这里用不了").await?;
    hold(&kiosk, json!({ "scan_torn": true }), "没有扫完整").await?;
    // The notice still stands there; the right code needs no touch.
    hold(&kiosk, json!({ "scan_receipt": true }), "已提交，等待受理").await?;
    read(&kiosk).await
}

#[tokio::test]
async fn a_scanner_that_is_unplugged_leaves_the_keys_and_comes_back() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let number = submitted(&kiosk).await?;
    at_the_enquiry(&kiosk).await?;
    kiosk.change(SCANNER, json!({ "plugged": false })).await?;
    let gone = async || Ok((!says(&kiosk, OFFER).await?).then_some(()));
    kiosk.until("the offer to go", Duration::from_secs(10), gone).await?;
    kiosk.key(&number).await?;
    kiosk.touch("下一步").await?;
    kiosk.wait_text("请输入校验码").await?;

    kiosk.change(SCANNER, json!({ "plugged": true })).await?;
    let back = Instant::now();
    kiosk.wait_text(OFFER).await?;
    let took = back.elapsed();
    println!("from the scanner's plug to the offer on the screen: {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    hold(&kiosk, json!({ "scan_receipt": true }), "已提交，等待受理").await?;
    read(&kiosk).await
}
