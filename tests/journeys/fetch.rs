//! What a department's register keeps, through the whole machine: from the card to paper, and what is said when the city,
//! the department or the record is not there.

use anyhow::{Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::items::{Walker, shipped};
use kiosk_tests::workshop::{Kiosk, run};
use kiosk_tests::{oracle, resident};
use service_catalog::{Language, ServiceItem, Shape};
use simulator::client::{NetworkMode, PrintOutInfo};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const CERTIFICATE: &str = "社保参保证明";
/// Somebody of working age, whose name no common font has.
const CARD: &str = "rare-name";
const PRINTED: &str = "打印好了，请到 A4 打印机取走。";

/// The print-out's text without spaces and line breaks, as another program reads it.
async fn text_of(kiosk: &Kiosk, out: &PrintOutInfo) -> Result<String> {
    let text = run("pdftotext", &["-", "-"], &kiosk.print_out_pdf(out.id).await?)?;
    Ok(String::from_utf8(text)?.split_whitespace().collect())
}

/// Fetches this item and takes it along on paper.
async fn fetch(kiosk: &Kiosk, item: &ServiceItem, language: Language, senior: bool) -> Result<()> {
    let before = kiosk.print_outs().await?.len();
    let walker = Walker::new(kiosk, language, senior).await?;
    walker.open(item).await?;
    walker.identify_with(CARD).await?;
    walker.answer_until(item, "fetched").await?;
    let fetch = item.fetch.as_ref().expect("it fetches");
    kiosk.wait_text(walker.word(&fetch.title)).await?;
    walker.touch("打印带走").await?;
    kiosk.wait_text(&walker.say(PRINTED)).await?;
    let outs = kiosk.wait_print_outs(before + 1).await?;
    let text = text_of(kiosk, outs.last().expect("it came out")).await?;
    let says = |words: &str| {
        let words: String = words.split_whitespace().collect();
        ensure!(text.contains(&words), "no {words:?} in {text}");
        Ok(())
    };
    says(walker.word(&fetch.title))?;
    fetch.facts.iter().try_for_each(|fact| says(walker.word(&fact.label)))?;
    walker.touch("看好了").await?;
    kiosk.wait_text(&walker.say("请取走打印件")).await?;
    walker.touch("完成").await
}

#[tokio::test]
async fn every_item_that_fetches_is_shown_and_printed() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let items = shipped()?;
    let fetched: Vec<&ServiceItem> = items.iter().filter(|item| item.shape == Shape::Fetch).collect();
    ensure!(fetched.len() >= 5, "the items of this shape ship");
    for (at, item) in fetched.into_iter().enumerate() {
        let language = Language::ALL[at % Language::ALL.len()];
        let done = fetch(&kiosk, item, language, at % 2 == 1).await;
        done.map_err(|error| error.context(item.code.clone()))?;
    }
    ensure!(kiosk.queue().await?.records.is_empty(), "what is fetched is no case");
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    let told = rows.iter().filter(|row| row.name == "fetch_answered").count();
    ensure!(told >= 5, "{told} answers on record");
    Ok(())
}

#[tokio::test]
async fn the_same_person_needs_her_card_once() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, CERTIFICATE).await?;
    kiosk.card(Some("elder")).await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.touch("是我").await?;
    kiosk.wait_screen("fetched").await?;
    kiosk.touch("另办一件").await?;
    kiosk.wait_text("还要办什么？").await?;
    // Nothing of her stands there.
    let shown = kiosk.labels().await?.concat();
    ensure!(!shown.contains("990001"), "{shown}");
    resident::agree(&kiosk, resident::APPEAL).await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.touch("是我").await?;
    kiosk.wait_screen("question").await?;
    kiosk.touch("结束").await?;
    // It still lies there, which its reader sees.
    kiosk.wait_text("身份证还在，请取走").await?;
    Ok(())
}

#[tokio::test]
async fn without_a_network_the_request_is_left_as_a_case() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.wait_screen("home").await?;
    kiosk.network(NetworkMode::Off).await?;
    resident::begin(&kiosk, CERTIFICATE).await?;
    kiosk.card(Some("elder")).await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.card(None).await?;
    kiosk.touch("是我").await?;
    kiosk.wait_text("现在查不到").await?;
    kiosk.touch("再查一次").await?;
    kiosk.wait_screen("unfetched").await?;
    kiosk.touch("先登记").await?;
    kiosk.wait_screen("review").await?;
    resident::confirm(&kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    resident::leave(&kiosk).await?;
    kiosk.network(NetworkMode::On).await?;
    kiosk.wait_delivered(1, SOON).await?;
    let opened = async || {
        let inbox = kiosk.inbox().await?;
        Ok((inbox.len() == 1 && inbox[0].status == "opened").then_some(()))
    };
    kiosk.until("the city to find the request right", SOON, opened).await?;
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty(), "{findings:?}");
    Ok(())
}
