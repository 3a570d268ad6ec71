//! 补正与撤回: what follows a case, from the receipt in a resident's hand to the desk and back.

use crate::progress::{Receipt, ask, read, submitted};
use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::worker::Worker;
use kiosk_tests::workshop::Kiosk;
use serde_json::json;
use simulator::client::{NetworkMode, Options};
use std::time::Duration;

/// Who decides about an appeal, as the catalog says.
const DEPARTMENT: &str = "东莞市 12345 政务服务便民热线";
const NOTE: &str = "请补拍噪音来源的位置图。";
const SOON: Duration = Duration::from_secs(30);

async fn kiosk() -> Result<Kiosk> {
    Kiosk::start_with(Options::default().set("waits.same_touch_ms=0")).await
}

/// From the guide of the follow-up to its first question.
async fn begin(kiosk: &Kiosk) -> Result<()> {
    kiosk.wait_screen("guide").await?;
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await?;
    kiosk.touch("同意").await?;
    kiosk.wait_screen("question").await.map(drop)
}

/// Withdraws for the first reason, from the guide to the receipt, and home.
async fn withdraw(kiosk: &Kiosk, receipt: &Receipt) -> Result<()> {
    begin(kiosk).await?;
    kiosk.wait_text("为什么要撤回？").await?;
    kiosk.touch("事情已经解决了").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("还想说什么？可以不写").await?;
    kiosk.touch("跳过这一题").await?;
    kiosk.wait_screen("review").await?;
    kiosk.wait_text("不能恢复").await?;
    kiosk.wait_text(&receipt.number).await?;
    kiosk.touch("确定撤回").await?;
    kiosk.wait_screen("receipt").await?;
    kiosk.wait_text("您的撤回已保存").await?;
    kiosk.wait_text(&format!("原来的办件 {}", receipt.number)).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    resident::leave(kiosk).await
}

/// The number and the code are typed, with nobody there to ask.
async fn ask_in_vain(kiosk: &Kiosk, receipt: &Receipt) -> Result<()> {
    kiosk.touch("查办件进度").await?;
    kiosk.wait_screen("enquiry").await?;
    kiosk.key(&format!("{}\n", receipt.number)).await?;
    kiosk.wait_text("请输入校验码").await?;
    kiosk.key(&receipt.code).await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("现在连不上市里，查不了").await?;
    kiosk.touch("补材料，或者撤回").await?;
    kiosk.wait_screen("follow-up").await.map(drop)
}

/// Asks until the page says this, and reads it.
async fn is_told(kiosk: &Kiosk, receipt: &Receipt, words: &str) -> Result<()> {
    let tries = async || {
        ask(kiosk, receipt).await?;
        kiosk.wait_screen("progress").await?;
        let said = kiosk.labels().await?.iter().any(|label| label.contains(words));
        if !said {
            read(kiosk).await?;
        }
        Ok(said.then_some(()))
    };
    kiosk.until(words, SOON, tries).await
}

#[tokio::test]
async fn what_the_city_asks_for_is_photographed_and_is_at_the_desk() -> Result<()> {
    let kiosk = kiosk().await?;
    kiosk.change("document-camera", json!({ "picture": "form" })).await?;
    let receipt = submitted(&kiosk).await?;
    let mut worker = Worker::hire(&kiosk, DEPARTMENT).await?;
    worker.step(&receipt.number, "supplement_requested", "missing_material", NOTE).await?;

    ask(&kiosk, &receipt).await?;
    kiosk.wait_text("需要您补材料").await?;
    kiosk.wait_text(NOTE).await?;
    kiosk.touch("补材料").await?;
    begin(&kiosk).await?;
    kiosk.wait_text("拍要补的材料，可以不拍").await?;
    resident::photo(&kiosk).await?;
    kiosk.change("document-camera", json!({ "picture": "card" })).await?;
    resident::photo(&kiosk).await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("还有材料要拍吗？可以不拍").await?;
    kiosk.touch("跳过这一题").await?;
    kiosk.wait_text("想说明什么？可以不写").await?;
    kiosk.touch("材料已经补齐，请接着办理。").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("您的电话号码，可以不填").await?;
    kiosk.touch("跳过这一题").await?;
    kiosk.wait_screen("review").await?;
    kiosk.wait_text("2 张照片").await?;
    kiosk.wait_text(&receipt.number).await?;
    kiosk.touch("确认提交").await?;
    kiosk.wait_screen("receipt").await?;
    kiosk.wait_text("您补的材料已保存").await?;
    kiosk.wait_text("市里已经收到这个办件").await?;
    resident::leave(&kiosk).await?;
    // A shared machine: nothing of it stands there for the next.
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains(&receipt.number), "wiped: {shown}");

    is_told(&kiosk, &receipt, "您补的材料市里已经收到").await?;
    kiosk.wait_text("已提交，等待受理").await?;
    read(&kiosk).await?;
    let page = worker.page(&receipt.number).await?;
    for words in ["申请人补正", "2 张照片", "待预审"] {
        ensure!(page.contains(words), "the desk does not say {words}: {page}");
    }
    worker.step(&receipt.number, "accepted", "supplemented", "").await?;
    is_told(&kiosk, &receipt, "已受理，正在办理").await
}

#[tokio::test]
async fn a_case_is_withdrawn_at_once() -> Result<()> {
    let kiosk = kiosk().await?;
    let receipt = submitted(&kiosk).await?;
    ask(&kiosk, &receipt).await?;
    kiosk.wait_text("已提交，等待受理").await?;
    kiosk.touch("撤回这件").await?;
    withdraw(&kiosk, &receipt).await?;
    is_told(&kiosk, &receipt, "已撤回").await?;
    let labels = kiosk.labels().await?;
    ensure!(!labels.iter().any(|label| label == "撤回这件"), "nothing is left to withdraw: {labels:?}");
    read(&kiosk).await?;
    let worker = Worker::hire(&kiosk, DEPARTMENT).await?;
    let page = worker.page(&receipt.number).await?;
    ensure!(page.contains("申请人撤回") && page.contains("不能再处理"), "{page}");
    Ok(())
}

#[tokio::test]
async fn a_withdrawal_without_the_network_is_delivered_later() -> Result<()> {
    let kiosk = kiosk().await?;
    let receipt = submitted(&kiosk).await?;
    kiosk.network(NetworkMode::Off).await?;
    ask_in_vain(&kiosk, &receipt).await?;
    kiosk.touch("撤回这件").await?;
    withdraw(&kiosk, &receipt).await?;
    let queue = kiosk.queue().await?;
    ensure!(queue.waiting == 1, "it waits here: {queue:?}");
    kiosk.network(NetworkMode::On).await?;
    kiosk.wait_delivered(2, SOON).await?;
    kiosk.wait_text("网络正常").await?;
    is_told(&kiosk, &receipt, "已撤回").await
}

#[tokio::test]
async fn a_wrong_code_withdraws_nothing() -> Result<()> {
    let kiosk = kiosk().await?;
    let receipt = submitted(&kiosk).await?;
    // The city knows nobody with this code.
    let wrong = Receipt { number: receipt.number.clone(), code: "AAAA BBBB CCCC DDDD".into() };
    ask(&kiosk, &wrong).await?;
    kiosk.wait_text("没有查到这个办件").await?;
    let labels = kiosk.labels().await?;
    ensure!(!labels.iter().any(|label| label == "补材料，或者撤回"), "{labels:?}");
    kiosk.touch("知道了").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("home").await?;

    // Without the city nobody can tell, and the city tells when it comes.
    kiosk.network(NetworkMode::Off).await?;
    ask_in_vain(&kiosk, &wrong).await?;
    kiosk.touch("撤回这件").await?;
    withdraw(&kiosk, &wrong).await?;
    kiosk.network(NetworkMode::On).await?;
    kiosk.wait_delivered(2, SOON).await?;
    let kept = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "dead_letter"));
    kiosk.until("the city to keep it aside", SOON, kept).await?;
    kiosk.wait_text("网络正常").await?;
    ask(&kiosk, &receipt).await?;
    kiosk.wait_text("已提交，等待受理").await?;
    Ok(())
}
