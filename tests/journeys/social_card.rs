//! The social-security card: beside the ID card, in a reader that sees a card being taken.

use anyhow::{Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use serde_json::{Value, json};
use simulator::client::Options;
use std::time::{Duration, Instant};

const READER: &str = "social-security-card-reader";
/// 养老待遇资格认证, for people of fifty and more; its form needs no address.
const PENSION: &str = "养老待遇资格认证";
/// 民生微心愿, for everybody.
const WISH: &str = "民生微心愿";
/// Generous: a busy machine is no fault of the devices. What was measured is printed.
const USABLE_AGAIN: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(20);

async fn start(options: Options) -> Result<Kiosk> {
    let kiosk = Kiosk::start_with(options.set("waits.same_touch_ms=0")).await?;
    reader_is_there(&kiosk).await?;
    Ok(kiosk)
}

/// A card that is in when the kiosk finds the reader is nobody's: nobody saw it being put in.
async fn reader_is_there(kiosk: &Kiosk) -> Result<()> {
    let file = kiosk.terminal_state().join("devices.json");
    let works = async || {
        let book: Value =
            serde_json::from_slice(&std::fs::read(&file).unwrap_or_default()).unwrap_or_default();
        let page = &book["devices"][READER];
        Ok((page.is_object() && page["trouble"].is_null()).then_some(()))
    };
    kiosk.until("the social-security card's reader", SOON, works).await
}

async fn insert(kiosk: &Kiosk, card: Option<&str>) -> Result<()> {
    kiosk.change(READER, json!({ "inserted": card })).await
}

fn audited(kiosk: &Kiosk, event: &str) -> Result<usize> {
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    Ok(rows.iter().filter(|row| row.name == event).count())
}

async fn said(kiosk: &Kiosk, text: &str) -> Result<()> {
    let heard = async || {
        let said = kiosk.device("speaker").await?.shows["said"].as_array().cloned().unwrap_or_default();
        Ok(said.iter().any(|each| each["text"] == text).then_some(()))
    };
    kiosk.until(text, SOON, heard).await
}

/// At "is this you?", of this person.
async fn is_known(kiosk: &Kiosk, name: &str) -> Result<()> {
    kiosk.wait_screen("confirm-person").await?;
    kiosk.wait_text(name).await.map(drop)
}

/// She has it in her hand as she walks up, and chooses when it is in already.
#[tokio::test]
async fn a_resident_identifies_by_social_security_card_and_takes_it_along() -> Result<()> {
    let kiosk = start(Options::default().set("waits.farewell_s=60")).await?;
    let by_scenario =
        format!(r#"{{"at_ms":0,"post":"/api/devices/{READER}","body":{{"inserted":"elder"}}}}"#);
    kiosk.play(&by_scenario).await?;
    let inserted = async || Ok((kiosk.device(READER).await?.now["inserted"] == "elder").then_some(()));
    kiosk.until("the card to be in", SOON, inserted).await?;
    resident::agree(&kiosk, PENSION).await?;
    is_known(&kiosk, "何润添").await?;
    let labels = kiosk.labels().await?.join(" ");
    ensure!(!labels.contains("样本路"), "this card says no address: {labels}");
    kiosk.touch("是我").await?;
    kiosk.touch("东莞").await?;
    kiosk.touch("下一题").await?;
    kiosk.touch("每个月都按时收到").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("您的电话号码").await?;
    kiosk.key("13800000000").await?;
    kiosk.touch("下一题").await?;
    kiosk.touch("跳过这一题").await?;
    kiosk.wait_screen("review").await?;
    let number = resident::confirm(&kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    kiosk.touch("好了，继续").await?;
    kiosk.touch("不评价").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.wait_text("请取走社保卡").await?;
    said(&kiosk, "请取走您的社保卡和凭条。").await?;
    insert(&kiosk, None).await?;
    let taken =
        async || Ok((!kiosk.labels().await?.iter().any(|label| label == "请取走社保卡")).then_some(()));
    kiosk.until("the reader to see it taken", SOON, taken).await?;
    kiosk.wait_text("请取走凭条").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await?;
    ensure!(audited(&kiosk, "card_read")? == 1 && audited(&kiosk, "card_forgotten")? == 0);

    let opened = async || {
        let case = kiosk.inbox().await?.into_iter().find(|record| record.kind == "case");
        Ok(case.filter(|case| case.status == "opened"))
    };
    let case = kiosk.until("the city to open the case", SOON, opened).await?;
    ensure!(case.case_number.as_deref() == Some(number.as_str()));
    ensure!(case.person.to_string().contains('何'), "{}", case.person);
    Ok(())
}

#[tokio::test]
async fn a_forgotten_card_is_on_record_and_nobody_elses() -> Result<()> {
    let kiosk = start(Options::default().set("waits.farewell_s=2")).await?;
    resident::begin(&kiosk, PENSION).await?;
    kiosk.wait_text("社保卡插进去").await?;
    insert(&kiosk, Some("ordinary")).await?;
    is_known(&kiosk, "陈桂英").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_text("请取走社保卡").await?;
    said(&kiosk, "请取走您的社保卡。").await?;
    said(&kiosk, "您的社保卡还在机器里，请取走社保卡。").await?;
    kiosk.wait_screen_within("home", Duration::from_secs(40)).await?;
    let forgotten = async || Ok((audited(&kiosk, "card_forgotten")? == 1).then_some(()));
    kiosk.until("the forgotten card on record", SOON, forgotten).await?;

    resident::begin(&kiosk, PENSION).await?;
    for _ in 0..2 {
        kiosk.wait_text("插口里已经有一张卡").await?;
        let shown = kiosk.labels().await?.join(" ");
        ensure!(!shown.contains("陈桂英"), "{shown}");
        kiosk.touch("知道了").await?;
    }
    // The next one's own card is read as soon as it is in.
    insert(&kiosk, Some("elder")).await?;
    is_known(&kiosk, "何润添").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("leaving").await?;
    insert(&kiosk, None).await?;
    kiosk.wait_screen_within("home", Duration::from_secs(40)).await?;
    ensure!(audited(&kiosk, "card_forgotten")? == 1, "a card that was taken is not on record");
    Ok(())
}

#[tokio::test]
async fn a_card_that_cannot_be_used_says_why_and_the_next_one_needs_no_touch() -> Result<()> {
    let kiosk = start(Options::default()).await?;
    resident::begin(&kiosk, PENSION).await?;
    kiosk.change(READER, json!({ "fault": "pull-mid-read" })).await?;
    insert(&kiosk, Some("ordinary")).await?;
    kiosk.wait_text("社保卡没有读完").await?;
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains("陈桂英"), "never a half-read person: {shown}");
    kiosk.change(READER, json!({ "fault": null, "inserted": "wrong-way" })).await?;
    kiosk.wait_text("没有读到社保卡").await?;
    insert(&kiosk, Some("another-card")).await?;
    kiosk.wait_text("这张卡不是社保卡").await?;
    insert(&kiosk, Some("expired")).await?;
    kiosk.wait_text("社保卡已经过期").await?;
    kiosk.touch("知道了").await?;
    insert(&kiosk, Some("locked")).await?;
    kiosk.wait_text("这张社保卡不能在本机读取").await?;
    // The ID card does as well, and the notice goes by itself.
    kiosk.card(Some("elder")).await?;
    is_known(&kiosk, "何润添").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_text("身份证还在，请取走").await?;
    kiosk.wait_text("请取走社保卡").await?;
    said(&kiosk, "请取走您的身份证和社保卡。").await
}

/// Only one way of identifying goes with its reader. From the plug's return until a card is read.
#[tokio::test]
async fn a_reader_unplugged_closes_its_own_way_and_is_usable_again() -> Result<()> {
    let kiosk = start(Options::default()).await?;
    resident::begin(&kiosk, WISH).await?;
    kiosk.wait_text("社保卡插进去").await?;
    kiosk.change(READER, json!({ "plugged": false })).await?;
    kiosk.wait_text("社保卡读卡器现在不能用").await?;
    kiosk.wait_text("身份证放在这里").await?;
    kiosk.change(READER, json!({ "plugged": true })).await?;
    let back = Instant::now();
    insert(&kiosk, Some("rare-name")).await?;
    is_known(&kiosk, "沈䶮").await?;
    let took = back.elapsed();
    println!("from the reader's plug to a person on the screen: {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    // "Not me": the same card would only say the same again.
    kiosk.touch("不是我").await?;
    kiosk.wait_text("插口里已经有一张卡").await?;
    insert(&kiosk, None).await?;
    kiosk.touch("知道了").await?;
    // The other way round.
    kiosk.change("id-card-reader", json!({ "plugged": false })).await?;
    kiosk.wait_text("身份证读卡器现在不能用").await?;
    insert(&kiosk, Some("ordinary")).await?;
    is_known(&kiosk, "陈桂英").await
}
