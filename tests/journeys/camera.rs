//! The document camera: photos that go with a case, and a camera that is dark, stands still, or comes and goes.

use anyhow::{Context, Result, ensure};
use kiosk_store::OutboxReader;
use kiosk_tests::workshop::{Kiosk, run};
use kiosk_tests::{oracle, resident};
use serde_json::{Value, json};
use simulator::client::Options;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use sync_protocol::sha256_hex;

/// Generous: a busy machine is no fault of the camera. What was measured is printed.
const USABLE_AGAIN: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(30);
/// The question's picture, once there is one.
const LIVE: &str = "高拍仪的画面";
const AWAY: &str = "高拍仪现在不能用";

/// At the question about photos, with a form under the camera.
async fn at_the_question() -> Result<Kiosk> {
    let kiosk = Kiosk::start_with(Options::default().set("waits.same_touch_ms=0")).await?;
    under(&kiosk, "form").await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    resident::answer_until_photos(&kiosk, true).await?;
    Ok(kiosk)
}

async fn under(kiosk: &Kiosk, picture: &str) -> Result<()> {
    kiosk.change("document-camera", json!({ "picture": picture })).await
}

/// The window let go of every picture before its pixels were overwritten.
fn nothing_was_held(kiosk: &Kiosk) -> Result<()> {
    let log = kiosk.log_tail("kiosk-app", 500);
    ensure!(!log.contains("still held a picture"), "{log}");
    Ok(())
}

#[tokio::test]
async fn an_appeal_with_two_photos_is_whole_in_the_city_and_clear_nowhere() -> Result<()> {
    let kiosk = at_the_question().await?;
    resident::photo(&kiosk).await?;
    under(&kiosk, "card").await?;
    // Taken, looked at, and taken again.
    kiosk.wait_text(resident::CAMERA_READY).await?;
    kiosk.touch("拍照").await?;
    kiosk.touch("重拍").await?;
    resident::photo(&kiosk).await?;
    kiosk.touch("下一题").await?;
    resident::answer_after_photos(&kiosk).await?;
    kiosk.wait_text("2 张照片").await?;
    resident::confirm(&kiosk).await?;
    kiosk.wait_text("市里已经收到这个办件").await?;
    resident::leave(&kiosk).await?;
    let queue = kiosk.wait_delivered(1, SOON).await?;
    // A case that lacks a blob is not opened.
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it with its photos", SOON, opened).await?;

    let outbox = OutboxReader::open(&kiosk.terminal_state())?.context("there is an outbox")?;
    let record = outbox.record(queue.head)?.context("it holds the case")?;
    let identity = kiosk.folder().join("gateway/keys/city-seal.key");
    let open = |sealed: &[u8]| run("age", &["-d", "-i", identity.to_str().expect("a text path")], sealed);
    let submission: Value = serde_json::from_slice(&open(&record.ciphertext)?)?;
    let named = submission["answers"]["photos"].as_array().context("the answer names photos")?;
    ensure!(named.len() == 2, "{named:?}");
    let whole = kiosk.folder().join("gateway/state/blobs/whole");
    let mut photos = Vec::new();
    for blob in outbox.blobs_of(queue.head)? {
        photos.push(open(&std::fs::read(whole.join(&blob.sha256[..2]).join(&blob.sha256))?)?);
    }
    let found: BTreeSet<String> = photos.iter().map(|photo| named_as(photo)).collect();
    ensure!(found == named.iter().map(Value::to_string).collect(), "{found:?} is not {named:?}");
    ensure!(photos.iter().all(|photo| photo.starts_with(&[0xFF, 0xD8]) && photo.len() < 512 * 1024));

    // From the middle of each photo's scan.
    let marks: Vec<&[u8]> = photos.iter().map(|photo| &photo[photo.len() / 2..][..32]).collect();
    let mut holding = Vec::new();
    files_with(kiosk.folder(), &marks, &mut holding)?;
    ensure!(holding.is_empty(), "a photo lies open in {holding:?}");
    std::fs::write(kiosk.folder().join("planted"), &photos[0])?;
    files_with(kiosk.folder(), &marks, &mut holding)?;
    ensure!(holding.len() == 1, "the search can find one: {holding:?}");
    std::fs::remove_file(kiosk.folder().join("planted"))?;
    nothing_was_held(&kiosk)?;
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty(), "{findings:?}");
    Ok(())
}

/// What the answers call a photo.
fn named_as(photo: &[u8]) -> String {
    json!({ "sha256": sha256_hex(photo), "bytes": photo.len() }).to_string()
}

fn files_with(folder: &Path, marks: &[&[u8]], found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            files_with(&path, marks, found)?;
        } else if kind.is_file() {
            let bytes = std::fs::read(&path)?;
            if marks.iter().any(|mark| bytes.windows(mark.len()).any(|part| part == *mark)) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_camera_unplugged_in_the_middle_of_the_preview_is_said_and_usable_again() -> Result<()> {
    let kiosk = at_the_question().await?;
    kiosk.wait_text(LIVE).await?;
    kiosk.change("document-camera", json!({ "plugged": false })).await?;
    kiosk.wait_text(AWAY).await?;
    kiosk.wait_text("这一题可以不附照片").await?;
    kiosk.change("document-camera", json!({ "plugged": true })).await?;
    let back = Instant::now();
    kiosk.wait_text(LIVE).await?;
    let took = back.elapsed();
    println!("from the camera's plug to its picture on the screen: {took:?}");
    ensure!(took < USABLE_AGAIN, "{took:?}");
    resident::photo(&kiosk).await?;
    kiosk.change("document-camera", json!({ "plugged": false })).await?;
    kiosk.wait_text("拍好的照片还在").await?;
    kiosk.touch("删去").await?;
    kiosk.touch("跳过这一题").await?;
    resident::answer_after_photos(&kiosk).await?;
    resident::confirm(&kiosk).await?;
    kiosk.wait_delivered(1, SOON).await?;
    nothing_was_held(&kiosk)
}

#[tokio::test]
async fn a_dark_camera_is_said_and_takes_no_photo_until_there_is_light() -> Result<()> {
    let kiosk = at_the_question().await?;
    kiosk.change("document-camera", json!({ "fault": "dark" })).await?;
    kiosk.wait_text("画面太暗").await?;
    kiosk.touch("拍照").await?;
    kiosk.touch("知道了").await?;
    kiosk.change("document-camera", json!({ "fault": "blurred" })).await?;
    kiosk.wait_text("材料没有放平").await?;
    // A photo that may not be good is taken, with a word.
    kiosk.touch("拍照").await?;
    kiosk.wait_text("可以重拍，也可以就用这张。").await?;
    kiosk.touch("重拍").await?;
    kiosk.change("document-camera", json!({ "fault": null, "picture": null })).await?;
    kiosk.wait_text("还没有看到材料").await?;
    under(&kiosk, "form").await?;
    resident::photo(&kiosk).await
}

#[tokio::test]
async fn a_picture_that_stands_still_is_no_camera() -> Result<()> {
    let kiosk = at_the_question().await?;
    kiosk.wait_text(LIVE).await?;
    kiosk.change("document-camera", json!({ "fault": "frozen" })).await?;
    kiosk.wait_text(AWAY).await?;
    kiosk.change("document-camera", json!({ "fault": null })).await?;
    kiosk.wait_text(LIVE).await?;
    resident::photo(&kiosk).await
}

#[tokio::test]
async fn who_leaves_in_the_middle_leaves_no_photo() -> Result<()> {
    let kiosk = at_the_question().await?;
    resident::photo(&kiosk).await?;
    kiosk.wait_text("第 1 张照片").await?;
    kiosk.wait_text(LIVE).await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "elder").await?;
    resident::answer_until_photos(&kiosk, true).await?;
    let labels = kiosk.labels().await?;
    ensure!(!labels.iter().any(|label| label == "第 1 张照片"), "{labels:?}");
    nothing_was_held(&kiosk)
}
