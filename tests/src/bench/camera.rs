//! The document camera: what a frame of its preview costs one core, beside the bare decoder on the same bytes, and how many
//! of them a second reach the screen of the whole kiosk.

use anyhow::{Context, Result, ensure};
use device_drivers::camera::protocol::{decode, keep::encode, yuyv};
use device_drivers::camera::simulator::{Laid, Scene, card, drawn, paper};
use device_drivers::camera::{FrameFormat, Judge, Picture, RawFrame, find, keep, straightened};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use serde_json::{Value, json};
use simulator::client::Options;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

use super::table::{Better, Pairs, Row, Samples};

/// Fifteen frames a second leave so long for each.
const FRAME_MS: f64 = 66.0;
const FRAMES_PER_SECOND: f64 = 15.0;
const SIZE: (u32, u32) = (1280, 720);
/// As cameras send it, and as photos are kept.
const QUALITY: u8 = 85;
const PHOTO_BYTES: usize = 512 * 1024;

/// So many frames of each kind, and so long a look at the screen.
pub fn measure(rounds: usize, look: Duration) -> Result<Vec<Row>> {
    let lie = |picture: Picture, width: f32, turned: f32| {
        drawn(&Scene::with(SIZE.0, SIZE.1, Laid { turned, ..Laid::straight(picture, SIZE, width) }))
    };
    let papers = [("paper", lie(paper(800), 400.0, 4.0)), ("card", lie(card(900), 340.0, -7.0))];
    let mut rows = Vec::new();
    for (name, picture) in &papers {
        rows.push(preview(name, picture, FrameFormat::Mjpg, rounds)?);
        rows.push(preview(name, picture, FrameFormat::Yuyv, rounds)?);
    }
    rows.push(photo(&papers[0].1, rounds)?);
    eprintln!("  … camera: the preview in the whole kiosk, {} s", look.as_secs());
    let shown =
        Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(on_screen(look))?;
    rows.push(
        Row::new("the camera's pictures on the screen", "/s", shown)
            .without("30 a second are sent, 20 are asked for")
            .limit(Better::Larger, FRAMES_PER_SECOND),
    );
    Ok(rows)
}

/// Decode, find and judge, in turns with the bare decoder on the same picture as a JPEG.
fn preview(name: &str, picture: &Picture, format: FrameFormat, rounds: usize) -> Result<Row> {
    let jpeg = encode(picture, QUALITY).context("a picture is encoded")?.jpeg;
    let bytes = match format {
        FrameFormat::Mjpg => jpeg.clone(),
        FrameFormat::Yuyv => yuyv::encode(picture).into(),
    };
    let frame = RawFrame { format, width: SIZE.0, height: SIZE.1, bytes };
    let mut judge = Judge::default();
    let mut pairs = Pairs::default();
    for round in 0..=rounds {
        let ours = timed(|| Ok(judge.look(&decode(&frame)?)))?;
        let bare = timed(|| Ok(JpegDecoder::new(ZCursor::new(jpeg.as_slice())).decode()?))?;
        // The first warms caches.
        if round > 0 {
            pairs.add(ours, bare);
        }
    }
    let what = format!("preview frame 1280x720 {format:?}, {name}: decode, find, judge");
    Ok(pairs.row(&what, "ms", "ms bare JPEG decoder").limit(Better::Smaller, FRAME_MS))
}

/// What happens to a picture that is kept.
fn photo(picture: &Picture, rounds: usize) -> Result<Row> {
    let mut times = Samples::default();
    for _ in 0..rounds {
        times.add(timed(|| {
            let sheet = find(picture, None).context("a paper is found")?;
            let cut = straightened(picture, &sheet).context("it is cut out")?;
            Ok(keep(&cut, PHOTO_BYTES)?)
        })?);
    }
    Ok(Row::new("a photo of it: find, cut out, straighten, JPEG", "ms", times.median())
        .without("once a touch, not once a frame"))
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let begun = Instant::now();
    black_box(work()?);
    Ok(super::table::ms(begun.elapsed()))
}

/// Pictures a second that the whole kiosk shows, with nothing else on the screen that moves.
async fn on_screen(look: Duration) -> Result<f64> {
    let kiosk = Kiosk::start_with(Options::default().set("waits.same_touch_ms=0")).await?;
    kiosk.change("document-camera", json!({ "picture": "form" })).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    resident::answer_until_photos(&kiosk, true).await?;
    kiosk.wait_text(resident::CAMERA_READY).await?;
    let frames = async || -> Result<u64> {
        let screen: Value = kiosk.get("/api/screen").await?;
        screen["frames"].as_u64().context("frames are counted")
    };
    let (before, begun) = (frames().await?, Instant::now());
    tokio::time::sleep(look).await;
    let (shown, took) = (frames().await? - before, begun.elapsed());
    ensure!(kiosk.elements().await?.screen == "question", "the preview was there all the time");
    Ok(shown as f64 / took.as_secs_f64())
}
