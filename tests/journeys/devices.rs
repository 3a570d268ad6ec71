//! What happens around a resident: people come and go, doors open, the mains fail, cards are forgotten, plugs come out.

use anyhow::{Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use serde_json::json;
use simulator::client::Options;
use std::time::{Duration, Instant};

/// Generous: a busy machine is no fault of the devices. What was measured is printed.
const USABLE_AGAIN: Duration = Duration::from_secs(10);

fn options() -> Options {
    Options::default().set("waits.same_touch_ms=0")
}

/// At the first question, the resident's name in the session.
async fn at_a_form(options: Options) -> Result<Kiosk> {
    let kiosk = Kiosk::start_with(options).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    Ok(kiosk)
}

/// How often the kiosk has noted this event.
fn audited(kiosk: &Kiosk, event: &str) -> Result<usize> {
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    Ok(rows.iter().filter(|row| row.name == event).count())
}

async fn nothing_of_the_resident(kiosk: &Kiosk) -> Result<()> {
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains("陈桂英") && !shown.contains("噪音太大"), "{shown}");
    Ok(())
}

/// Waits until the voice has begun to say this, and nothing of a resident with it.
async fn said(kiosk: &Kiosk, language: &str, text: &str) -> Result<()> {
    let last = async || {
        let said = kiosk.device("speaker").await?.shows["said"].as_array().cloned().unwrap_or_default();
        let heard = said.iter().any(|each| each["text"] == text && each["language"] == language);
        Ok(heard.then_some(()))
    };
    kiosk.until(text, Duration::from_secs(10), last).await
}

#[tokio::test]
async fn the_farewell_is_read_out_in_the_language_of_the_screen_and_a_touch_ends_it() -> Result<()> {
    let kiosk = at_a_form(options().set("waits.farewell_s=60")).await?;
    kiosk.touch("繁體").await?;
    kiosk.touch("結束").await?;
    kiosk.wait_screen("leaving").await?;
    said(&kiosk, "yue", "請取回你嘅身份證。").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await?;
    let silent = async || {
        let said = kiosk.device("speaker").await?.shows["said"].as_array().cloned().unwrap_or_default();
        Ok(said.iter().all(|each| each["speaking"] == false).then_some(()))
    };
    kiosk.until("the voice to end", Duration::from_secs(10), silent).await
}

/// A silent voice costs nothing but the voice, and is heard again when it is back.
#[tokio::test]
async fn a_voice_that_is_unplugged_or_hangs_holds_nobody_up() -> Result<()> {
    let kiosk = Kiosk::start_with(options().set("waits.farewell_s=1")).await?;
    for broken in [json!({ "plugged": false }), json!({ "plugged": true, "fault": "silent" })] {
        kiosk.change("speaker", broken).await?;
        resident::begin(&kiosk, resident::APPEAL).await?;
        resident::identify(&kiosk, "ordinary").await?;
        kiosk.touch("结束").await?;
        kiosk.wait_screen_within("home", Duration::from_secs(10)).await?;
    }
    kiosk.change("speaker", json!({ "fault": null })).await?;
    let back = Instant::now();
    loop {
        resident::begin(&kiosk, resident::APPEAL).await?;
        resident::identify(&kiosk, "ordinary").await?;
        kiosk.touch("结束").await?;
        if said(&kiosk, "cmn-latn-pinyin", "请取走您的身份证。").await.is_ok() {
            break;
        }
        ensure!(back.elapsed() < Duration::from_secs(60), "it stays silent");
    }
    Ok(())
}

#[tokio::test]
async fn when_nobody_is_seen_the_warning_comes_early() -> Result<()> {
    let kiosk = at_a_form(options().set("waits.idle_s=3600").set("waits.unseen_s=1")).await?;
    kiosk.change("cabinet", json!({ "near": false })).await?;
    kiosk.wait_text("您还在吗？").await?;
    // Somebody who is there after all goes on where she was.
    kiosk.change("cabinet", json!({ "near": true })).await?;
    let gone = async || Ok((!kiosk.labels().await?.iter().any(|label| label == "您还在吗？")).then_some(()));
    kiosk.until("the warning to go", Duration::from_secs(10), gone).await?;
    kiosk.wait_text("您想反映哪方面的事？").await.map(drop)
}

#[tokio::test]
async fn a_door_that_opens_ends_the_session_and_wipes_it() -> Result<()> {
    let kiosk = at_a_form(options().set("waits.farewell_s=1")).await?;
    kiosk.touch("噪音太大").await?;
    kiosk.change("cabinet", json!({ "door_2_open": true })).await?;
    kiosk.wait_screen("home").await?;
    nothing_of_the_resident(&kiosk).await?;
    let opened = async || Ok((audited(&kiosk, "cabinet_opened")? > 0).then_some(()));
    kiosk.until("the door on record", Duration::from_secs(10), opened).await
}

#[tokio::test]
async fn on_battery_what_was_begun_is_finished_and_nothing_new_begins() -> Result<()> {
    let kiosk = at_a_form(options()).await?;
    kiosk.change("ups", json!({ "power": "battery" })).await?;
    resident::answer_appeal(&kiosk).await?;
    resident::confirm(&kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    resident::leave(&kiosk).await?;

    kiosk.wait_text("停电了，正在用备用电池：暂时不接新的办件。办事指南照常可以看。").await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await?;
    let start = kiosk.elements().await?.elements.into_iter().find(|element| element.label == "开始办理");
    if start.is_some_and(|button| button.enabled) {
        kiosk.touch("开始办理").await?;
        kiosk.wait_text("停电了，暂时不接新的办件").await?;
        kiosk.touch("知道了").await?;
    }
    ensure!(kiosk.elements().await?.screen == "guide", "no session starts");

    kiosk.change("ups", json!({ "power": "mains" })).await?;
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await.map(drop)
}

#[tokio::test]
async fn a_low_battery_ends_the_session_and_says_so() -> Result<()> {
    let kiosk = at_a_form(options()).await?;
    kiosk.change("ups", json!({ "power": "low-battery" })).await?;
    kiosk.wait_text("停电了，本机快要关机").await?;
    nothing_of_the_resident(&kiosk).await
}

#[tokio::test]
async fn a_forgotten_card_keeps_the_farewell_and_is_on_record() -> Result<()> {
    let kiosk = Kiosk::start_with(options().set("waits.farewell_s=2")).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.card(Some("ordinary")).await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("leaving").await?;
    let began = Instant::now();
    said(&kiosk, "cmn-latn-pinyin", "请取走您的身份证。").await?;
    kiosk.wait_text("身份证还在，请取走").await?;
    said(&kiosk, "cmn-latn-pinyin", "您的身份证还在机器上，请取走身份证。").await?;
    kiosk.wait_screen_within("home", Duration::from_secs(40)).await?;
    ensure!(began.elapsed() > Duration::from_secs(4), "it stayed longer than once: {:?}", began.elapsed());
    let forgotten = async || Ok((audited(&kiosk, "card_forgotten")? == 1).then_some(()));
    kiosk.until("the forgotten card on record", Duration::from_secs(10), forgotten).await?;

    // It is not the next resident's, however often she tries; hers is read as soon as she has laid it.
    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.wait_text("读卡区上已经有一张身份证").await?;
    nothing_of_the_resident(&kiosk).await?;
    kiosk.touch("知道了").await?;
    kiosk.wait_text("读卡区上已经有一张身份证").await?;
    nothing_of_the_resident(&kiosk).await?;
    kiosk.card(Some("elder")).await?;
    kiosk.wait_screen("confirm-person").await?;
    nothing_of_the_resident(&kiosk).await?;
    kiosk.card(None).await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen_within("home", Duration::from_secs(40)).await?;

    // The next one takes hers along.
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "elder").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen_within("home", Duration::from_secs(40)).await?;
    ensure!(audited(&kiosk, "card_forgotten")? == 1, "a card that was taken is not on record");
    Ok(())
}

/// From the plug's return until a card is read.
#[tokio::test]
async fn a_reader_unplugged_in_the_middle_of_reading_is_usable_again() -> Result<()> {
    let kiosk = Kiosk::start_with(options()).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.change("id-card-reader", json!({ "fault": "unplug-mid-read", "card": "ordinary" })).await?;
    let unplugged =
        async || Ok((kiosk.device("id-card-reader").await?.now["plugged"] == false).then_some(()));
    kiosk.until("the plug to come out", Duration::from_secs(10), unplugged).await?;
    nothing_of_the_resident(&kiosk).await?;
    kiosk.wait_text("读卡器现在不能用").await?;
    kiosk.card(None).await?;
    kiosk.change("id-card-reader", json!({ "fault": null, "plugged": true })).await?;
    let back = Instant::now();
    kiosk.card(Some("ordinary")).await?;
    kiosk.wait_screen("confirm-person").await?;
    let took = back.elapsed();
    println!("from the reader's plug to a person on the screen: {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    Ok(())
}

#[tokio::test]
async fn a_printer_unplugged_in_the_middle_of_printing_is_usable_again() -> Result<()> {
    let kiosk = at_a_form(options()).await?;
    resident::answer_appeal(&kiosk).await?;
    kiosk.change("receipt-printer", json!({ "fault": { "name": "unplug", "number": 700 } })).await?;
    resident::confirm(&kiosk).await?;
    let unplugged =
        async || Ok((kiosk.device("receipt-printer").await?.now["plugged"] == false).then_some(()));
    kiosk.until("the plug to come out", Duration::from_secs(20), unplugged).await?;
    kiosk.wait_text("办件已保存，不受影响").await?;
    ensure!(kiosk.receipts().await?.iter().all(|receipt| !receipt.complete), "nothing whole came out");

    kiosk.change("receipt-printer", json!({ "plugged": true })).await?;
    let back = Instant::now();
    kiosk.wait_text("可以打印").await?;
    let took = back.elapsed();
    println!("from the printer's plug to \"can print\": {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    let labels = kiosk.labels().await?;
    let print = ["打印凭条", "再试一次", "再打一次"]
        .into_iter()
        .find(|words| labels.iter().any(|label| label == words));
    kiosk.touch(print.expect("printing is offered")).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    let whole = kiosk.receipts().await?.iter().filter(|receipt| receipt.cut && receipt.complete).count();
    ensure!(whole == 1, "once and no more: {whole}");
    Ok(())
}

/// A night's power cut, as somebody recorded it at the page.
const POWER_CUT: &str = r#"
{"at_ms":0,"post":"/api/devices/ups","body":{"power":"battery","fault":null,"plugged":true}}
{"at_ms":4000,"post":"/api/devices/ups","body":{"power":"low-battery"}}
{"at_ms":8000,"post":"/api/devices/ups","body":{"power":"mains"}}
"#;

#[tokio::test]
async fn a_recorded_power_cut_is_played_from_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("power-cut.jsonl");
    std::fs::write(&file, POWER_CUT)?;
    let kiosk = Kiosk::start_with(Options { scenario: Some(file), ..options() }).await?;
    let told = async || Ok((audited(&kiosk, "power_changed")? == 3).then_some(()));
    kiosk.until("three changes on record", Duration::from_secs(40), told).await?;
    let gone = async || {
        let labels = kiosk.labels().await?;
        Ok((!labels.iter().any(|label| label.contains("停电"))).then_some(()))
    };
    kiosk.until("nothing of it on the screen", Duration::from_secs(20), gone).await
}

/// The board comes back with lights as the session wants them, whatever happened to it.
#[tokio::test]
async fn the_lights_point_the_way_also_after_the_board_was_away() -> Result<()> {
    let kiosk = Kiosk::start_with(options()).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    let card_light = async |wanted: &str| {
        let look =
            async || Ok((kiosk.device("cabinet").await?.shows["lights"]["card"] == wanted).then_some(()));
        kiosk.until(&format!("the card light to be {wanted}"), Duration::from_secs(20), look).await
    };
    card_light("slow").await?;
    kiosk.change("cabinet", json!({ "plugged": false, "restart": true })).await?;
    card_light("off").await?;
    kiosk.change("cabinet", json!({ "plugged": true })).await?;
    card_light("slow").await?;
    // A board that says nothing for a while stops nobody.
    kiosk.change("cabinet", json!({ "fault": "silent" })).await?;
    resident::identify(&kiosk, "ordinary").await?;
    kiosk.change("cabinet", json!({ "fault": null })).await?;
    card_light("off").await
}
