//! Nothing breaks.

use anyhow::{Result, ensure};
use kiosk_tests::workshop::{Kiosk, read_qr, run};
use kiosk_tests::{oracle, resident};
use simulator::inbox::local_client;
use std::time::Duration;

#[tokio::test]
async fn a_resident_completes_a_request_and_the_city_has_it() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    resident::answer_appeal(&kiosk).await?;
    kiosk.wait_text("陈桂英").await?;
    let number = resident::confirm(&kiosk).await?;
    ensure!(kiosk_core::case_number::is_valid(&number), "{number} has a wrong check character");
    kiosk.wait_text("凭条已打印，请取走").await?;
    kiosk.wait_text("市里已经收到这个办件").await?;

    let receipts = kiosk.receipts().await?;
    ensure!(
        receipts.len() == 1 && receipts[0].cut && receipts[0].complete,
        "one whole receipt: {receipts:?}"
    );
    let address = read_qr(&kiosk.receipt_png(receipts[0].id).await?)?;
    let page =
        local_client()?.get(&address).header("accept", "application/json").send().await?.text().await?;
    ensure!(page.contains(&number), "the printed QR leads to the case: {page}");
    ensure!(!page.contains("陈桂英"), "and to nobody's name");

    kiosk.touch("好了，继续").await?;
    kiosk.wait_screen("rating").await?;
    kiosk.touch("非常满意").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await?;

    let queue = kiosk.wait_delivered(2, Duration::from_secs(20)).await?;
    ensure!(queue.records.len() == 2, "a case and its rating");
    let opened = async || {
        let inbox = kiosk.inbox().await?;
        Ok(Some(inbox)
            .filter(|inbox| inbox.len() == 2 && inbox.iter().all(|record| record.status == "opened")))
    };
    let inbox = kiosk.until("the city to open both records", Duration::from_secs(20), opened).await?;
    let case = inbox.iter().find(|record| record.kind == "case").expect("one of the two is the case");
    ensure!(case.case_number.as_deref() == Some(number.as_str()));
    let shown = case.person.to_string() + &case.summary.to_string();
    ensure!(shown.contains('陈') && !shown.contains("桂英"), "the city's page masks: {shown}");
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty() && findings.receipts == 1, "{findings:?}");
    Ok(())
}

#[tokio::test]
async fn a_rare_name_goes_through_in_the_elders_version_and_traditional_chinese() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("长辈版").await?;
    kiosk.touch("繁體").await?;
    kiosk.touch("民生微心願").await?;
    kiosk.touch("開始辦理").await?;
    kiosk.touch("同意").await?;
    kiosk.wait_screen("identify").await?;
    kiosk.card(Some("rare-name")).await?;
    kiosk.wait_text("𬱖㛃").await?;
    kiosk.touch("是我").await?;
    kiosk.touch("輪椅、手杖、扶手").await?;
    kiosk.touch("有人來探望、陪伴").await?;
    kiosk.touch("下一題").await?;
    kiosk.touch("我自己").await?;
    kiosk.touch("下一題").await?;
    kiosk.wait_screen("question").await?;
    kiosk.key("需要一張輪椅").await?;
    kiosk.touch("下一題").await?;
    kiosk.wait_screen("question").await?;
    kiosk.key("13800000000").await?;
    kiosk.touch("下一題").await?;
    if kiosk.elements().await?.screen == "question" {
        kiosk.touch("略過這一題").await?;
    }
    kiosk.wait_screen("review").await?;
    kiosk.wait_text("𬱖㛃").await?;
    kiosk.touch("確認提交").await?;
    kiosk.wait_screen("receipt").await?;
    let queue = kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    let record = kiosk_store::OutboxReader::open(&kiosk.terminal_state())?
        .and_then(|outbox| outbox.record(queue.head).transpose())
        .expect("the outbox holds it")?;

    // The envelope opens with the standard command and the city's key, and the name is whole.
    let identity = kiosk.folder().join("gateway/keys/city-seal.key");
    let plain = run("age", &["-d", "-i", identity.to_str().expect("a text path")], &record.ciphertext)?;
    let submission: serde_json::Value = serde_json::from_slice(&plain)?;
    ensure!(submission["applicant"]["name"] == "𬱖㛃", "name in the envelope");
    ensure!(submission["answers"]["wishes"] == serde_json::json!(["mobility-aid", "visit"]));
    ensure!(submission["language"] == "zh-Hant");
    Ok(())
}

#[tokio::test]
async fn an_elder_confirms_the_pension_in_english() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("English").await?;
    kiosk.touch("Yearly pension check").await?;
    kiosk.touch("Start").await?;
    kiosk.touch("I agree").await?;
    kiosk.wait_screen("identify").await?;
    kiosk.card(Some("elder")).await?;
    kiosk.wait_text("何润添").await?;
    kiosk.touch("Yes").await?;
    kiosk.touch("In Dongguan").await?;
    kiosk.touch("Next").await?;
    kiosk.touch("Not lately").await?;
    kiosk.touch("Next").await?;
    kiosk.wait_text("Please tell us what is wrong").await?;
    kiosk.touch("Last month's payment did not arrive.").await?;
    kiosk.touch("Next").await?;
    kiosk.wait_text("Your phone number").await?;
    kiosk.key("13800000000").await?;
    kiosk.touch("Next").await?;
    kiosk.wait_text("Who else can we ask? You may skip this").await?;
    kiosk.touch("Skip").await?;
    kiosk.wait_screen("review").await?;

    // An answer is changed on the check page; the question that hung on it is asked no more.
    ensure!(changeable(&kiosk).await? == 5, "every answer can be changed");
    kiosk.touch("Submit").await?;
    kiosk.wait_text("Receipt printed. Please take it.").await?;
    kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    Ok(())
}

/// How many answers have a button that changes them, on all pages of the check page.
async fn changeable(kiosk: &Kiosk) -> Result<usize> {
    let (mut found, mut page) = (0, Vec::new());
    loop {
        let look = async || {
            let labels = kiosk.labels().await?;
            Ok((labels != page).then_some(labels))
        };
        page = kiosk.until("another page", Duration::from_secs(20), look).await?;
        found += page.iter().filter(|label| *label == "Change").count();
        if kiosk.touch_now("Down").await.is_err() {
            return Ok(found);
        }
    }
}

#[tokio::test]
async fn a_typed_number_with_a_wrong_check_digit_is_named_at_once() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.touch("改为输入身份证号码").await?;
    for key in "990001197101010019".chars() {
        kiosk.touch(&key.to_string()).await?;
    }
    kiosk.touch("确定").await?;
    kiosk.wait_text("身份证号码有一位不对").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("删除").await?;
    let right = kiosk_core::check_digit::mod_11_2("99000119710101001").expect("seventeen digits");
    kiosk.touch(&right.to_string()).await?;
    kiosk.touch("确定").await?;
    resident::answer_appeal_from_the_card(&kiosk, false).await?;
    resident::confirm(&kiosk).await?;
    kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it", Duration::from_secs(20), opened).await?;
    Ok(())
}

#[tokio::test]
async fn a_double_tap_does_not_reach_the_next_page() -> Result<()> {
    // Longer than a finger takes, so that the second tap comes within the wait on a busy machine too.
    let wait = Duration::from_secs(5);
    let same_touch = format!("waits.same_touch_ms={}", wait.as_millis());
    let kiosk = Kiosk::start_with(simulator::client::Options::default().set(&same_touch)).await?;
    kiosk.touch(resident::APPEAL).await?;
    // The guide's button lies where the finger still is.
    kiosk.touch("开始办理").await?;
    let elements = kiosk.elements().await?;
    ensure!(elements.screen == "guide" || elements.screen == "consent");
    kiosk.wait_screen("guide").await?;
    tokio::time::sleep(wait).await;
    kiosk.touch("开始办理").await?;
    kiosk.wait_screen("consent").await?;
    Ok(())
}
