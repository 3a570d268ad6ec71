//! 取号 and 预约: a number of a window from the city, on screen and on paper, and an appointment that needs no network.

use anyhow::{Context, Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::items::{Walker, shipped};
use kiosk_tests::workshop::Kiosk;
use service_catalog::{Language, ServiceItem};
use simulator::client::{NetworkMode, Options, PrinterCable};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn item(code: &str) -> Result<ServiceItem> {
    shipped()?.into_iter().find(|item| item.code == code).with_context(|| format!("{code} ships"))
}

/// A kiosk whose printer prints text, so that a slip can be read.
async fn kiosk() -> Result<Kiosk> {
    let options = Options { receipt_printer: PrinterCable::Serial, ..Options::default() };
    Kiosk::start_with(options.set("waits.same_touch_ms=0")).await
}

/// From home to where to go.
async fn find_the_window(kiosk: &Kiosk, item: &ServiceItem) -> Result<()> {
    let walker = Walker::new(kiosk, Language::ZhHans, false).await?;
    walker.open(item).await?;
    walker.answer_until(item, "outcome").await.map(drop)
}

async fn go(kiosk: &Kiosk) -> Result<()> {
    kiosk.touch("另办一件").await?;
    kiosk.wait_screen("home").await.map(drop)
}

/// What the newest slip says, without blanks.
async fn newest_slip(kiosk: &Kiosk, slips: usize) -> Result<String> {
    let printed = async || {
        let all = kiosk.receipts().await?;
        Ok(Some(all).filter(|all| all.len() == slips && all.iter().all(|slip| slip.complete)))
    };
    let slips = kiosk.until("the slip", SOON, printed).await?;
    let slip = slips.last().context("there is a slip")?;
    ensure!(slip.stray_bytes == 0, "{slip:?}");
    Ok(slip.text.concat().split_whitespace().collect())
}

#[tokio::test]
async fn numbers_follow_each_other_and_an_answer_that_was_lost_is_the_same_number() -> Result<()> {
    let (kiosk, item) = (kiosk().await?, item("window-number")?);
    find_the_window(&kiosk, &item).await?;
    kiosk.touch("取号").await?;
    kiosk.wait_text("B001").await?;
    kiosk.wait_text("您的号码").await?;
    let slip = newest_slip(&kiosk, 1).await?;
    for words in ["您的号码", "B001", "社保医保窗口"] {
        ensure!(slip.contains(words), "no {words} in {slip}");
    }
    go(&kiosk).await?;
    ensure!(!kiosk.labels().await?.join(" ").contains("B001"), "it went with the session");

    // The city gives the number and its answer gets lost: what is asked again is the same.
    find_the_window(&kiosk, &item).await?;
    kiosk.network(NetworkMode::LoseReplies).await?;
    kiosk.touch("取号").await?;
    // No connection, or by now no network: either way it says what to do instead.
    kiosk.wait_text("到窗口现场取号").await?;
    kiosk.network(NetworkMode::On).await?;
    let taken = async || {
        // As long as the network still seems to be away, the button cannot be touched.
        let _ = kiosk.touch_now("取号").await;
        Ok(kiosk.labels().await?.iter().any(|label| label == "B002").then_some(()))
    };
    kiosk.until("the number that was given", SOON, taken).await?;
    go(&kiosk).await?;

    // The gateway starts again and goes on where it was.
    kiosk.kill("city-gateway").await?;
    find_the_window(&kiosk, &item).await?;
    let taken = async || {
        let _ = kiosk.touch_now("取号").await;
        Ok(kiosk.labels().await?.iter().any(|label| label == "B003").then_some(()))
    };
    kiosk.until("the next number", SOON, taken).await?;
    let told = async || {
        let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
        let told =
            rows.iter().filter(|row| row.name == "queue_ticket_answered" && row.fields.contains("told"));
        ensure!(rows.iter().all(|row| !row.fields.contains("B00")), "no number is written down");
        Ok((told.count() == 3).then_some(()))
    };
    kiosk.until("the audit lines", SOON, told).await
}

#[tokio::test]
async fn without_a_network_the_button_says_why_not_and_what_to_do() -> Result<()> {
    let (kiosk, item) = (kiosk().await?, item("window-number")?);
    kiosk.network(NetworkMode::Off).await?;
    kiosk.wait_text("没有网络").await?;
    find_the_window(&kiosk, &item).await?;
    kiosk.wait_text("没有网络，取不了号。请到窗口现场取号。").await?;
    ensure!(kiosk.touch_now("取号").await.is_err(), "it cannot be touched");
    // Where to go and what to bring is told all the same.
    kiosk.touch("打印带走").await?;
    let slip = newest_slip(&kiosk, 1).await?;
    ensure!(slip.contains("社保医保窗口") && !slip.contains("您的号码"), "{slip}");
    kiosk.network(NetworkMode::On).await?;
    kiosk.touch("取号").await?;
    kiosk.wait_text("B001").await.map(drop)
}

#[tokio::test]
async fn an_appointment_needs_no_network_and_is_on_a_weekday() -> Result<()> {
    let (kiosk, item) = (Kiosk::start().await?, item("appointment")?);
    kiosk.network(NetworkMode::Off).await?;
    let walker = Walker::new(&kiosk, Language::ZhHans, true).await?;
    walker.open(&item).await?;
    walker.identify().await?;
    let answers = walker.answer_until(&item, "review").await?;
    ensure!(answers["hall"] == "莞城街道", "{answers:?}");
    let day = answers["day"].as_str().context("a day was chosen")?;
    let day = service_catalog::parse_day(day).context("of the calendar")?;
    let weekend = ["Saturday", "Sunday"].contains(&day.weekday().to_string().as_str());
    ensure!(!weekend, "{day} is no day on which a hall is open");
    walker.touch("确认提交").await?;
    kiosk.wait_screen("receipt").await?;
    walker.leave().await?;
    kiosk.network(NetworkMode::On).await?;
    kiosk.wait_delivered(1, SOON).await?;
    let opened = async || {
        let inbox = kiosk.inbox().await?;
        Ok(inbox.iter().any(|record| record.status == "opened").then_some(()))
    };
    kiosk.until("the city to find the form right", SOON, opened).await
}
