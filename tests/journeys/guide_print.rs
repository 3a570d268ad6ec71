//! 打印办事指南 on A4: what comes out, what goes wrong in the middle, and what is not printed again.

use anyhow::{Context, Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, run};
use serde_json::json;
use simulator::client::PrintOutInfo;
use std::time::{Duration, Instant};

const PRINTER: &str = "document-printer";
const PRINT: &str = "打印这份指南";
const PRINTED: &str = "打印好了，请到 A4 打印机取走。";
const JAMMED: &str = "要打印，请工作人员取出 A4 打印机里卡住的纸";
/// From the break of the line to words on the screen: the driver gives the printer up after five seconds.
const TOLD: Duration = Duration::from_secs(12);
/// Generous: a busy machine is no fault of the printer. What was measured is printed.
const USABLE_AGAIN: Duration = Duration::from_secs(10);

async fn at_the_guide(kiosk: &Kiosk) -> Result<()> {
    kiosk.wait_screen("home").await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await.map(drop)
}

/// The print-out's text without spaces and line breaks, as another program reads it.
async fn text_of(kiosk: &Kiosk, out: &PrintOutInfo) -> Result<String> {
    let text = run("pdftotext", &["-", "-"], &kiosk.print_out_pdf(out.id).await?)?;
    Ok(String::from_utf8(text)?.split_whitespace().collect())
}

fn holds(text: &str, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(text.contains(word), "no {word:?} in {text}");
    }
    Ok(())
}

/// How often the kiosk has noted this event.
fn audited(kiosk: &Kiosk, event: &str) -> Result<usize> {
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    Ok(rows.iter().filter(|row| row.name == event).count())
}

async fn until_audited(kiosk: &Kiosk, event: &str, count: usize) -> Result<()> {
    let noted = async || Ok((audited(kiosk, event)? == count).then_some(()));
    kiosk.until(&format!("{event} {count} times on record"), Duration::from_secs(15), noted).await
}

/// Waits until the button with this label is there and cannot be touched.
async fn wait_disabled(kiosk: &Kiosk, label: &str) -> Result<()> {
    let look = async || {
        let elements = kiosk.elements().await?.elements;
        Ok(elements.iter().any(|element| element.label == label && !element.enabled).then_some(()))
    };
    kiosk.until(&format!("{label:?} that cannot be touched"), Duration::from_secs(15), look).await
}

#[tokio::test]
async fn one_touch_prints_the_guide_and_nobody_identifies() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_guide(&kiosk).await?;
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(PRINTED).await?;
    let outs = kiosk.wait_print_outs(1).await?;
    ensure!(outs.len() == 1 && outs[0].pages == 1, "one page: {outs:?}");
    let text = text_of(&kiosk, &outs[0]).await?;
    holds(
        &text,
        &[
            "办事指南",
            "12345诉求提交",
            "生活中遇到烦心事",
            "要带什么",
            "事情发生的日期和地点",
            "要多久",
            "由谁办理",
            "免费",
            "莞城街道示例社区党群服务中心",
            "DG0001",
            "打印日期",
            "演示",
        ],
    )?;
    // The page as the simulator's page shows it: it was drawn, and something stands on it.
    let png = kiosk.print_out_png(outs[0].id, 1).await?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
    let mut grey = vec![0; reader.output_buffer_size().context("a page of a sane size")?];
    let info = reader.next_frame(&mut grey)?;
    let dark = grey.iter().filter(|shade| **shade < 128).count();
    ensure!(info.width > 800 && info.height > 1200 && dark > 10_000, "{info:?} with {dark} dark pixels");
    ensure!(kiosk.print_out_png(outs[0].id, 2).await.is_err(), "there is no second page");
    until_audited(&kiosk, "guide_printed", 1).await?;
    ensure!(audited(&kiosk, "guide_print_asked")? == 1 && audited(&kiosk, "guide_not_printed")? == 0);

    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await.map(drop)
}

#[tokio::test]
async fn the_print_out_speaks_the_language_of_the_screen() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_guide(&kiosk).await?;
    kiosk.touch("English").await?;
    kiosk.touch("Print guide").await?;
    kiosk.wait_text("Printed. Please take it").await?;
    kiosk.touch("繁體").await?;
    kiosk.touch("列印這份指南").await?;
    let outs = kiosk.wait_print_outs(2).await?;
    ensure!(outs.iter().all(|out| out.pages == 1), "a guide of the catalog is a page: {outs:?}");
    holds(&text_of(&kiosk, &outs[0]).await?, &["Guide", "Whattobring", "Freeofcharge", "DEMO"])?;
    holds(&text_of(&kiosk, &outs[1]).await?, &["辦事指南", "12345訴求提交", "要帶甚麼", "示範"])
}

#[tokio::test]
async fn without_paper_the_button_says_so_before_it_is_touched() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.change(PRINTER, json!({ "paper": false })).await?;
    at_the_guide(&kiosk).await?;
    wait_disabled(&kiosk, "打印机没有纸").await?;
    kiosk.wait_text("要打印，请工作人员给 A4 打印机加纸；也可以用手机拍下这一页。").await?;
    kiosk.change(PRINTER, json!({ "paper": true, "cover_open": true })).await?;
    wait_disabled(&kiosk, "打印机盖子开着").await?;
    kiosk.change(PRINTER, json!({ "cover_open": false, "fault": "toner-empty" })).await?;
    wait_disabled(&kiosk, "打印机没有墨粉").await?;
    kiosk.change(PRINTER, json!({ "fault": "output-full" })).await?;
    wait_disabled(&kiosk, "出纸口满了").await?;
    kiosk.change(PRINTER, json!({ "fault": "silent" })).await?;
    wait_disabled(&kiosk, "打印机不能用").await?;
    kiosk.change(PRINTER, json!({ "fault": null })).await?;
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(PRINTED).await.map(drop)
}

#[tokio::test]
async fn a_jam_in_the_middle_is_said_and_stops_nobody() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.change(PRINTER, json!({ "fault": "jam-at-page" })).await?;
    at_the_guide(&kiosk).await?;
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(JAMMED).await?;
    wait_disabled(&kiosk, "打印机卡纸了").await?;
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await?;
    kiosk.touch("上一步").await?;
    kiosk.wait_text(JAMMED).await?;
    until_audited(&kiosk, "guide_not_printed", 1).await?;

    // Somebody takes the paper out: nothing is printed by itself, and the next touch prints.
    kiosk.change(PRINTER, json!({ "fault": null })).await?;
    kiosk.wait_text("没有打好。可以再打一次").await?;
    ensure!(kiosk.print_outs().await?.is_empty(), "the job was taken back");
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(PRINTED).await?;
    ensure!(kiosk.wait_print_outs(1).await?.len() == 1, "once and no more");
    Ok(())
}

#[tokio::test]
async fn what_a_resident_leaves_is_not_printed_for_the_next() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.change(PRINTER, json!({ "fault": "jam-at-page" })).await?;
    at_the_guide(&kiosk).await?;
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(JAMMED).await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("home").await?;
    until_audited(&kiosk, "guide_not_printed", 1).await?;
    kiosk.change(PRINTER, json!({ "fault": null })).await?;
    kiosk.touch("民生微心愿").await?;
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(PRINTED).await?;
    let outs = kiosk.wait_print_outs(1).await?;
    ensure!(outs.len() == 1 && kiosk.print_outs().await?.len() == 1, "{outs:?}");
    holds(&text_of(&kiosk, &outs[0]).await?, &["民生微心愿"])
}

#[tokio::test]
async fn a_printer_unplugged_in_the_middle_is_told_and_usable_again() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.change(PRINTER, json!({ "paced": true })).await?;
    at_the_guide(&kiosk).await?;
    kiosk.touch(PRINT).await?;
    let printing = async || Ok((kiosk.device(PRINTER).await?.shows["printing"] == true).then_some(()));
    kiosk.until("the printer to work", Duration::from_secs(20), printing).await?;
    kiosk.change(PRINTER, json!({ "plugged": false, "paced": false })).await?;
    let pulled = Instant::now();

    // Nothing waits for it: the resident goes on and comes back.
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen_within("consent", Duration::from_secs(3)).await?;
    kiosk.touch("上一步").await?;
    kiosk.wait_text("要打印，请工作人员看看 A4 打印机").await?;
    wait_disabled(&kiosk, "打印机不能用").await?;
    let told = pulled.elapsed();
    println!("from the A4 printer's plug to words: {told:?}");
    ensure!(told < TOLD, "{told:?}");
    until_audited(&kiosk, "guide_not_printed", 1).await?;

    kiosk.change(PRINTER, json!({ "plugged": true })).await?;
    let back = Instant::now();
    let ready = async || {
        let elements = kiosk.elements().await?.elements;
        Ok(elements.iter().any(|element| element.label == PRINT && element.enabled).then_some(()))
    };
    kiosk.until("the button to be there again", Duration::from_secs(20), ready).await?;
    let took = back.elapsed();
    println!("from the A4 printer's plug to a button that prints: {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    ensure!(kiosk.print_outs().await?.is_empty(), "nothing came out by itself");
    kiosk.touch(PRINT).await?;
    kiosk.wait_text(PRINTED).await?;
    ensure!(kiosk.wait_print_outs(1).await?.len() == 1, "once and no more");
    Ok(())
}
