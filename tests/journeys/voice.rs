//! 语音播报: what is heard on the way, what is not, and how it is turned.

use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than a busy machine takes from a touch to a word.
const SOON: Duration = Duration::from_secs(15);

/// All that was said so far, the oldest first.
async fn said(kiosk: &Kiosk) -> Result<Vec<Value>> {
    Ok(kiosk.device("speaker").await?.shows["said"].as_array().cloned().unwrap_or_default())
}

/// Waits until the newest thing said has these words.
async fn hears(kiosk: &Kiosk, words: &str) -> Result<Value> {
    let newest = async || {
        let newest = said(kiosk).await?.pop();
        Ok(newest.filter(|said| said["text"].as_str().is_some_and(|text| text.contains(words))))
    };
    kiosk.until(&format!("{words:?} to be heard"), SOON, newest).await
}

#[tokio::test]
async fn the_senior_version_reads_each_page_and_the_standard_one_is_silent() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await?;
    kiosk.touch("长辈版").await?;
    // The number is said digit by digit.
    let first = hears(&kiosk, "一二三四五 诉求提交").await?;
    ensure!(first["language"] == "cmn-latn-pinyin" && first["number"] == 1, "nothing before: {first}");
    kiosk.touch("开始办理").await?;
    hears(&kiosk, "要用到您的一些信息").await?;
    let before = said(&kiosk).await?.into_iter().rev().nth(1).unwrap_or_default();
    ensure!(before["speaking"] == false, "the page before is broken off: {before}");
    kiosk.touch("同意").await?;
    hears(&kiosk, "请把身份证平放在读卡区").await?;
    kiosk.card(Some("ordinary")).await?;
    hears(&kiosk, "这是您本人吗").await?;
    kiosk.card(None).await?;
    kiosk.touch("是我").await?;
    // The options, in their order.
    let question = hears(&kiosk, "您想反映哪方面的事").await?["text"].as_str().unwrap_or_default().to_owned();
    ensure!(question.contains("第一，") && question.contains("第二，"), "{question}");
    kiosk.touch("下一题").await?;
    hears(&kiosk, "这一题还没有回答").await?;
    kiosk.touch("知道了").await?;
    hears(&kiosk, "您想反映哪方面的事").await?;
    kiosk.touch("请人帮忙").await?;
    hears(&kiosk, "正在通知管理员").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("结束").await?;
    hears(&kiosk, "请取走您的身份证").await?;
    let all = said(&kiosk).await?;
    ensure!(!json!(all).to_string().contains("陈桂英"), "nobody is named: {all:?}");
    Ok(())
}

#[tokio::test]
async fn again_stop_speed_volume_and_all_usual_for_the_next() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("开语音").await?;
    let usual = hears(&kiosk, "您想办什么事").await?;
    kiosk.touch("停一下").await?;
    let silent = async || Ok(said(&kiosk).await?.pop().filter(|said| said["speaking"] == false));
    kiosk.until("silence", SOON, silent).await?;
    kiosk.touch("再听一遍").await?;
    let again = async || Ok(said(&kiosk).await?.pop().filter(|said| said["number"] != usual["number"]));
    let again = kiosk.until("the same once more", SOON, again).await?;
    ensure!(again["text"] == usual["text"]);
    kiosk.touch("语速音量").await?;
    kiosk.touch("慢一点").await?;
    kiosk.wait_text("较慢").await?;
    kiosk.touch("大声一点").await?;
    kiosk.wait_text("较大声").await?;
    let changed = async || {
        let newest = said(&kiosk).await?.pop();
        Ok(newest.filter(|said| {
            said["rate"].as_i64() < Some(0) && said["volume"].as_i64() > usual["volume"].as_i64()
        }))
    };
    kiosk.until("the change to be heard", SOON, changed).await?;
    kiosk.touch("完成").await?;
    kiosk.touch(resident::APPEAL).await?;
    hears(&kiosk, "开始办理").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("home").await?;
    kiosk.touch("开语音").await?;
    let next = hears(&kiosk, "您想办什么事").await?;
    ensure!(next["rate"] == usual["rate"] && next["volume"] == usual["volume"], "{next} after {usual}");
    Ok(())
}

#[tokio::test]
async fn other_languages_have_other_voices() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("开语音").await?;
    hears(&kiosk, "您想办什么事").await?;
    kiosk.touch("繁體").await?;
    ensure!(hears(&kiosk, "你想辦乜嘢事").await?["language"] == "yue");
    kiosk.touch("English").await?;
    ensure!(hears(&kiosk, "What would you like to do").await?["language"] == "en");
    kiosk.touch("Get help").await?;
    ensure!(hears(&kiosk, "Please").await?["language"] == "en");
    Ok(())
}

/// A finger on the middle of what says this.
async fn touch_text(kiosk: &Kiosk, words: &str) -> Result<()> {
    let element = kiosk.wait_text(words).await?;
    kiosk.touch_at(element.x + element.w / 2.0, element.y + element.h / 2.0).await
}

#[tokio::test]
async fn a_touched_text_is_read_but_a_residents_own_only_into_headphones() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("开语音").await?;
    hears(&kiosk, "您想办什么事").await?;
    kiosk.touch(resident::APPEAL).await?;
    hears(&kiosk, "开始办理").await?;
    touch_text(&kiosk, "要带什么").await?;
    let read = async || Ok(said(&kiosk).await?.pop().filter(|said| said["text"] == "要带什么"));
    kiosk.until("the touched text to be heard", SOON, read).await?;
    kiosk.touch("开始办理").await?;
    kiosk.touch("同意").await?;
    kiosk.wait_screen("identify").await?;
    kiosk.card(Some("ordinary")).await?;
    hears(&kiosk, "这是您本人吗").await?;
    touch_text(&kiosk, "陈桂英").await?;
    hears(&kiosk, "请插上耳机").await?;
    kiosk.change("cabinet", json!({ "headphones": true })).await?;
    // The board is looked at four times a second, so a first touch may come too early.
    let heard = async || {
        touch_text(&kiosk, "陈桂英").await?;
        Ok(said(&kiosk).await?.pop().filter(|said| said["text"] == "陈桂英"))
    };
    kiosk.until("her name in her own ears", SOON, heard).await?;
    kiosk.change("cabinet", json!({ "headphones": false })).await?;
    let silent = async || Ok(said(&kiosk).await?.pop().filter(|said| said["speaking"] == false));
    kiosk.until("silence", SOON, silent).await?;
    // Nothing of it is in a log.
    ensure!(!kiosk.logs().contains("陈桂英"), "{}", kiosk.logs());
    Ok(())
}
