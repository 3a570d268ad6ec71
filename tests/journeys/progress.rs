//! 办件进度: the resident asks, the city answers, and what is in between can read neither.

use anyhow::{Context, Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::resident;
use kiosk_tests::worker::Worker;
use kiosk_tests::workshop::Kiosk;
use simulator::client::{NetworkMode, Options};
use std::path::Path;
use std::time::Duration;

/// Who decides about an appeal, as the catalog says.
const DEPARTMENT: &str = "东莞市 12345 政务服务便民热线";
const NOTE: &str = "路灯已经修好，如果再坏请随时告诉我们。";

/// What stands on the receipt.
pub struct Receipt {
    pub number: String,
    pub code: String,
}

/// A case that the city holds and has opened.
pub async fn submitted(kiosk: &Kiosk) -> Result<Receipt> {
    resident::begin(kiosk, resident::APPEAL).await?;
    resident::identify(kiosk, "ordinary").await?;
    resident::answer_appeal(kiosk).await?;
    let number = resident::confirm(kiosk).await?;
    let shown = kiosk.wait_text("校验码 ").await?.label;
    let code = shown.trim_start_matches("校验码 ").to_owned();
    resident::leave(kiosk).await?;
    kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it", Duration::from_secs(20), opened).await?;
    Ok(Receipt { number, code })
}

/// From home to "look up" with the keys on the screen: the chip for the beginning, then letter by letter.
pub async fn ask(kiosk: &Kiosk, receipt: &Receipt) -> Result<()> {
    kiosk.wait_screen("home").await?;
    kiosk.touch("查办件进度").await?;
    kiosk.wait_screen("enquiry").await?;
    kiosk.touch("开头是 DG0001 的，点这里").await?;
    kiosk.wait_text("DG0001").await?;
    for key in receipt.number.replace('-', "").chars().skip(6) {
        kiosk.touch(&key.to_string()).await?;
    }
    kiosk.touch("下一步").await?;
    kiosk.wait_text("请输入校验码").await?;
    for key in receipt.code.replace(' ', "").chars() {
        kiosk.touch(&key.to_string()).await?;
    }
    kiosk.touch("查询").await
}

/// From the progress to home.
pub async fn read(kiosk: &Kiosk) -> Result<()> {
    kiosk.touch("看好了").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.wait_text("请取走凭条").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await.map(drop)
}

/// Files under the folder in which these bytes stand.
pub fn files_with(folder: &Path, text: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            found.extend(files_with(&path, text)?);
        } else if kind.is_file()
            && std::fs::read(&path)?.windows(text.len()).any(|part| part == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_resident_follows_a_case_to_its_end() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let receipt = submitted(&kiosk).await?;
    ask(&kiosk, &receipt).await?;
    kiosk.wait_text("已提交，等待受理").await?;
    kiosk.wait_text(resident::APPEAL).await?;
    read(&kiosk).await?;

    let mut worker = Worker::hire(&kiosk, DEPARTMENT).await?;
    worker.step(&receipt.number, "accepted", "complete", "").await?;
    ask(&kiosk, &receipt).await?;
    kiosk.wait_text("已受理，正在办理").await?;
    worker.step(&receipt.number, "closed", "done", NOTE).await?;
    // "Another case", typed as somebody types it on a real keyboard.
    kiosk.touch("查另一个办件").await?;
    kiosk.wait_screen("enquiry").await?;
    kiosk.key(&format!("{}\n", receipt.number.to_lowercase())).await?;
    kiosk.wait_text("请输入校验码").await?;
    kiosk.key(&format!("{}\n", receipt.code.to_lowercase())).await?;
    kiosk.wait_text("已办结").await?;
    kiosk.wait_text("已经办好").await?;
    kiosk.wait_text(NOTE).await?;
    for earlier in ["已提交", "已受理"] {
        kiosk.wait_text(earlier).await?;
    }
    read(&kiosk).await?;
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains(&receipt.number) && !shown.contains(NOTE), "wiped: {shown}");

    let found = files_with(&kiosk.folder().join("terminal"), NOTE)?;
    ensure!(found.is_empty(), "an answer was kept in {found:?}");
    ensure!(files_with(&kiosk.folder().join("logs"), &receipt.code.replace(' ', ""))?.is_empty(), "logged");
    ensure!(!files_with(&kiosk.folder().join("gateway"), NOTE)?.is_empty(), "the search finds something");
    let told = async || {
        let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
        let named = |name: &str| rows.iter().filter(|row| row.name == name).count();
        let told = rows.iter().filter(|row| row.name == "progress_answered" && row.fields.contains("told"));
        Ok((named("progress_asked") == 3 && told.count() == 3).then_some(()))
    };
    kiosk.until("three questions and three answers in the audit log", Duration::from_secs(10), told).await?;
    Ok(())
}

#[tokio::test]
async fn a_real_keyboard_types_every_key_however_quickly() -> Result<()> {
    let kiosk = Kiosk::start_with(Options::default()).await?;
    kiosk.touch("查办件进度").await?;
    kiosk.wait_screen("enquiry").await?;
    // On the screen, the same key at once is one touch of a finger that trembles.
    kiosk.key("DG0001AACC").await?;
    kiosk.wait_text("DG0001-AACC").await.map(drop)
}

#[tokio::test]
async fn a_wrong_code_and_a_wrong_number_are_told_apart_from_a_slip() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let receipt = submitted(&kiosk).await?;
    let wrong = Receipt { number: receipt.number.clone(), code: "AAAA BBBB CCCC DDDD".into() };
    ask(&kiosk, &wrong).await?;
    kiosk.wait_text("没有查到这个办件").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("全部清除").await?;
    let mut slip = receipt.number.replace('-', "");
    let last = slip.pop().context("a number has characters")?;
    slip.push(if last == 'A' { 'C' } else { 'A' });
    kiosk.key(&slip).await?;
    kiosk.touch("下一步").await?;
    kiosk.wait_text("办件编号有一位不对").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("删除").await?;
    kiosk.touch(&last.to_string()).await?;
    kiosk.touch("下一步").await?;
    kiosk.wait_text("请输入校验码").await?;
    kiosk.touch("全部清除").await?;
    kiosk.key(&receipt.code).await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("已提交，等待受理").await?;
    Ok(())
}

#[tokio::test]
async fn without_the_city_it_says_so_and_what_was_typed_is_asked_again_with_one_touch() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let receipt = submitted(&kiosk).await?;
    kiosk.network(NetworkMode::Off).await?;
    kiosk.touch("查办件进度").await?;
    kiosk.wait_screen("enquiry").await?;
    // Said before anybody types.
    kiosk.wait_text("现在没有网络，可能查不了。").await?;
    kiosk.key(&format!("{}\n", receipt.number)).await?;
    kiosk.wait_text("请输入校验码").await?;
    kiosk.key(&receipt.code).await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("现在连不上市里，查不了").await?;
    kiosk.touch("知道了").await?;

    kiosk.network(NetworkMode::CaptivePortal).await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("现在连不上市里，查不了").await?;
    kiosk.touch("知道了").await?;
    kiosk.network(NetworkMode::On).await?;
    kiosk.stop_process("sync-agent").await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("现在连不上市里，查不了").await?;
    kiosk.touch("知道了").await?;

    kiosk.start_process("sync-agent").await?;
    kiosk.wait_text("网络正常").await?;
    kiosk.touch("查询").await?;
    kiosk.wait_text("已提交，等待受理").await?;
    Ok(())
}
