//! Cards and the reader, when they do not do what they should.

use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use serde_json::json;

async fn at_the_reader() -> Result<Kiosk> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    Ok(kiosk)
}

/// Lays a card with this fault, reads the notice, and then the same card without it.
async fn says_and_goes_on(fault: &str, words: &str) -> Result<()> {
    let kiosk = at_the_reader().await?;
    kiosk.change("id-card-reader", json!({ "fault": fault })).await?;
    kiosk.card(Some("ordinary")).await?;
    kiosk.wait_text(words).await?;
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains("陈桂英"), "never a half-read person: {shown}");
    kiosk.card(None).await?;
    kiosk.change("id-card-reader", json!({ "fault": null })).await?;
    kiosk.touch("知道了").await?;
    resident::identify(&kiosk, "ordinary").await
}

#[tokio::test]
async fn a_card_pulled_while_it_is_read() -> Result<()> {
    says_and_goes_on("pull-mid-read", "身份证动了，没有读完").await
}

#[tokio::test]
async fn a_card_that_the_reader_refuses() -> Result<()> {
    says_and_goes_on("refused", "请改为输入身份证号码，或者到人工窗口办理。").await
}

#[tokio::test]
async fn something_that_is_no_identity_card() -> Result<()> {
    says_and_goes_on("not-a-card", "请放居民身份证、港澳台居民居住证或外国人永久居留身份证。").await
}

#[tokio::test]
async fn a_wrong_checksum() -> Result<()> {
    says_and_goes_on("checksum", "没有读清身份证").await
}

#[tokio::test]
async fn garbage_in_the_answer() -> Result<()> {
    says_and_goes_on("garbage", "没有读清身份证").await
}

/// Left-over bytes are the driver's business: the resident notices nothing.
#[tokio::test]
async fn stale_bytes_are_read_over() -> Result<()> {
    let kiosk = at_the_reader().await?;
    kiosk.change("id-card-reader", json!({ "fault": "stale" })).await?;
    resident::identify(&kiosk, "ordinary").await
}

#[tokio::test]
async fn a_reader_unplugged_and_plugged_in_again() -> Result<()> {
    let kiosk = at_the_reader().await?;
    kiosk.change("id-card-reader", json!({ "plugged": false })).await?;
    kiosk.wait_text("读卡器现在不能用").await?;
    kiosk.change("id-card-reader", json!({ "plugged": true })).await?;
    kiosk.wait_text("可以读卡").await?;
    resident::identify(&kiosk, "ordinary").await
}

#[tokio::test]
async fn an_expired_card_is_said_before_the_form() -> Result<()> {
    let kiosk = at_the_reader().await?;
    kiosk.card(Some("expired")).await?;
    kiosk.wait_text("身份证已经过期").await?;
    kiosk.touch("接着办理").await?;
    kiosk.wait_screen("confirm-person").await?;
    kiosk.card(None).await?;
    kiosk.touch("结束").await?;
    kiosk.touch("完成").await?;

    resident::begin(&kiosk, "养老待遇资格认证").await?;
    kiosk.card(Some("expired")).await?;
    kiosk.wait_text("身份证已经过期").await?;
    let labels = kiosk.labels().await?;
    ensure!(!labels.iter().any(|label| label == "接着办理"), "this item does not go on with it");
    Ok(())
}

#[tokio::test]
async fn someone_too_young_hears_it_before_the_form() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, "养老待遇资格认证").await?;
    kiosk.card(Some("rare-name")).await?;
    kiosk.wait_text("您现在不能办理这个事项").await?;
    Ok(())
}
