//! Every item of the catalog, walked by its data: what a resident touches is what the city reads.

use anyhow::{Context, Result, ensure};
use kiosk_store::OutboxReader;
use kiosk_tests::items::{Walker, shipped};
use kiosk_tests::workshop::{Kiosk, run};
use serde_json::{Map, Value};
use service_catalog::{Language, QuestionKind, ServiceItem, Shape};
use simulator::client::{NetworkMode, Options, PrinterCable};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const SAME_PERSON: &str = "还是您本人，不用再刷卡。都办好了，请点“结束”。";

/// The answers of the newest case, opened with the standard program and the city's key.
fn sealed_answers(kiosk: &Kiosk, place: u64) -> Result<Value> {
    let outbox = OutboxReader::open(&kiosk.terminal_state())?.context("there is an outbox")?;
    let record = outbox.record(place)?.context("it holds the case")?;
    let identity = kiosk.folder().join("gateway/keys/city-seal.key");
    let plain = run("age", &["-d", "-i", identity.to_str().context("a plain path")?], &record.ciphertext)?;
    let submission: Value = serde_json::from_slice(&plain)?;
    Ok(submission["answers"].clone())
}

/// Does this item from the home screen to its receipt, and compares what the city reads with what was touched.
async fn submit(kiosk: &Kiosk, item: &ServiceItem, language: Language, senior: bool) -> Result<()> {
    let walker = Walker::new(kiosk, language, senior).await?;
    walker.open(item).await?;
    walker.identify().await?;
    let answers: Map<String, Value> = walker.answer_until(item, "review").await?;
    walker.touch("确认提交").await?;
    kiosk.wait_screen("receipt").await?;
    let sealed = sealed_answers(kiosk, kiosk.queue().await?.head)?;
    let said = sealed.as_object().cloned().context("answers have names")?;
    let from_card = |id: &str| item.question(id).is_some_and(|question| question.prefill.is_some());
    let touched: Map<String, Value> =
        said.into_iter().filter(|(id, _)| answers.contains_key(id) || !from_card(id)).collect();
    ensure!(touched == answers, "what was touched is what was sealed");
    walker.leave().await
}

/// Every other item, so that two tests share the work.
async fn submit_all(of_two: usize) -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let items = shipped()?;
    let submitted: Vec<&ServiceItem> = items.iter().filter(|item| item.shape == Shape::Submit).collect();
    let mut done = 0;
    for (at, item) in submitted.iter().enumerate().filter(|(at, _)| at % 2 == of_two) {
        let language = Language::ALL[at % Language::ALL.len()];
        let outcome = submit(&kiosk, item, language, at % 4 < 2).await;
        outcome.with_context(|| format!("{} in {}", item.code, language.code()))?;
        done += 1;
    }
    kiosk.wait_delivered(done, SOON).await?;
    let opened = async || {
        let inbox = kiosk.inbox().await?;
        let all = inbox.len() == done as usize && inbox.iter().all(|record| record.status == "opened");
        Ok(all.then_some(()))
    };
    kiosk.until("the city to find every form right", SOON, opened).await
}

#[tokio::test]
async fn every_item_reaches_the_city_as_it_was_answered() -> Result<()> {
    submit_all(0).await
}

#[tokio::test]
async fn every_other_item_reaches_the_city_as_it_was_answered() -> Result<()> {
    submit_all(1).await
}

/// The walks above prove nothing of a kind that no item has.
#[test]
fn every_kind_of_question_is_asked_by_an_item() -> Result<()> {
    let items = shipped()?;
    let asked: Vec<QuestionKind> =
        items.iter().flat_map(|item| &item.questions).map(|question| question.kind).collect();
    for kind in [
        QuestionKind::Choice,
        QuestionKind::Choices,
        QuestionKind::Text,
        QuestionKind::Phone,
        QuestionKind::Date,
        QuestionKind::Photo,
        QuestionKind::YesNo,
        QuestionKind::Number,
        QuestionKind::Money,
        QuestionKind::Address,
    ] {
        ensure!(asked.contains(&kind), "{}", kind.word());
    }
    Ok(())
}

/// Asks where to go, without a network, and takes the slip along.
async fn ask_the_way(item: &ServiceItem, language: Language, senior: bool) -> Result<()> {
    let options = Options { receipt_printer: PrinterCable::Serial, ..Options::default() };
    let kiosk = Kiosk::start_with(options.set("waits.same_touch_ms=0")).await?;
    kiosk.network(NetworkMode::Off).await?;
    let walker = Walker::new(&kiosk, language, senior).await?;
    walker.open(item).await?;
    walker.answer_until(item, "outcome").await?;
    // The first option everywhere leads to the first outcome.
    let outcome = &item.outcomes[0];
    kiosk.wait_text(walker.word(&outcome.title)).await?;
    ensure!(kiosk.receipts().await?.is_empty(), "nothing comes out unasked");
    walker.touch("打印带走").await?;
    kiosk.wait_text(&walker.say("打印好了，请取走这张纸")).await?;

    let receipts = kiosk.receipts().await?;
    let [slip] = &receipts[..] else { anyhow::bail!("one slip: {receipts:?}") };
    ensure!(slip.cut && slip.complete && slip.stray_bytes == 0, "{slip:?}");
    let text: String = slip.text.concat().split_whitespace().collect();
    let place = outcome.place.as_ref().context("there is somewhere to go")?;
    let asked = &item.questions[0];
    let said = [&outcome.title, &outcome.bring[0], &place.window, &asked.label, &asked.options[0].label];
    for words in said.map(|words| walker.word(words)) {
        let words: String = words.split_whitespace().collect();
        ensure!(text.contains(&words), "no {words:?} in {text}");
    }
    walker.touch("另办一件").await?;
    kiosk.wait_screen("home").await?;
    kiosk.wait_text(&walker.say("还要办什么？")).await?;
    ensure!(!kiosk.labels().await?.contains(&walker.say(SAME_PERSON)), "nobody has identified");
    ensure!(kiosk.queue().await?.records.is_empty(), "nothing is kept, nothing is sent");
    Ok(())
}

#[tokio::test]
async fn whoever_asks_where_to_go_gets_it_on_paper_and_nothing_is_kept() -> Result<()> {
    let items = shipped()?;
    let guided: Vec<&ServiceItem> = items.iter().filter(|item| item.shape == Shape::WhereToGo).collect();
    ensure!(!guided.is_empty(), "an item of this shape ships");
    for (at, item) in guided.into_iter().enumerate() {
        // Traditional characters are no text of this printer's, but pictures.
        let language = [Language::ZhHans, Language::En][at % 2];
        ask_the_way(item, language, at % 2 == 0).await.with_context(|| item.code.clone())?;
    }
    Ok(())
}
