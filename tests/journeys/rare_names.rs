//! Names with rare characters (tests/vectors/rare_names.json) from the chip to the city: the same bytes everywhere, and
//! on paper a glyph of their own.

use anyhow::{Context, Result, ensure};
use kiosk_core::{calendar, verification_code};
use kiosk_documents::{Language, Layout, Receipt, Renderer};
use kiosk_store::OutboxReader;
use kiosk_tests::workshop::{Kiosk, programs, project, read_qr, run};
use kiosk_tests::{oracle, resident};
use serde_json::{Value, json};
use simulator::world::PLACE;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
/// A noncharacter: no font may have it, so it prints as the box.
const NO_FONT_HAS: char = '\u{10FFFE}';
/// Together they have every character of the vectors, and each fits on a chip.
const WHOLE_WAY: [&str; 2] = ["䶮㛃𠅤𣲘𫘦𬀩𬙊𠮷", "𬭎𬱖堃·昇犇"];

fn vectors() -> Result<Value> {
    let text = std::fs::read_to_string(project().join("tests/vectors/rare_names.json"))?;
    Ok(serde_json::from_str(&text)?)
}

async fn lay(kiosk: &Kiosk, name: &str) -> Result<()> {
    kiosk.change("id-card-reader", json!({ "name": name })).await
}

#[tokio::test]
async fn every_name_of_the_vectors_is_on_the_screen_as_it_is_on_the_chip() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    let vectors = vectors()?;
    let names = vectors["names"].as_array().context("the vectors have names")?;
    let mut shown = 0;
    for vector in names.iter().filter(|vector| vector["fits"] != false) {
        let name = vector["name"].as_str().context("a name")?;
        lay(&kiosk, name).await?;
        let shown_as = kiosk.wait_text(name).await?.label;
        ensure!(shown_as == name, "{name:?} is shown as {shown_as:?}");
        kiosk.card(None).await?;
        kiosk.touch("不是我").await?;
        kiosk.wait_screen("identify").await?;
        shown += 1;
    }
    ensure!(shown >= 17, "only {shown} names were shown");
    Ok(())
}

#[tokio::test]
async fn a_rare_name_is_the_same_in_queue_receipt_and_city() -> Result<()> {
    let vectors = vectors()?;
    for entry in vectors["characters"].as_array().context("the vectors have characters")? {
        let character = entry["char"].as_str().context("a character")?;
        ensure!(WHOLE_WAY.concat().contains(character), "{character} goes nowhere");
    }
    let kiosk = Kiosk::start().await?;
    for (at, name) in WHOLE_WAY.into_iter().enumerate() {
        resident::begin(&kiosk, resident::APPEAL).await?;
        lay(&kiosk, name).await?;
        kiosk.wait_screen("confirm-person").await?;
        kiosk.card(None).await?;
        kiosk.touch("是我").await?;
        resident::answer_appeal(&kiosk).await?;
        kiosk.wait_text(name).await?;
        let number = resident::confirm(&kiosk).await?;
        kiosk.wait_text("凭条已打印，请取走").await?;
        resident::leave(&kiosk).await?;
        kiosk.wait_delivered(at as u64 + 1, SOON).await?;
        is_sealed_as_it_is(&kiosk, name, &number)?;
        is_printed_with_glyphs(&kiosk, name, &number).await?;
        is_known_to_the_city(&kiosk, name, &number).await?;
    }
    // The city holds the very bytes that the terminal sealed.
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty() && findings.receipts == WHOLE_WAY.len(), "{findings:?}");
    Ok(())
}

/// The envelope in the queue, opened by the standard program with the city's key.
fn is_sealed_as_it_is(kiosk: &Kiosk, name: &str, number: &str) -> Result<()> {
    let outbox = OutboxReader::open(&kiosk.terminal_state())?.context("there is an outbox")?;
    let records = (1..).map_while(|seq| outbox.record(seq).transpose());
    for record in records {
        let record = record?;
        let identity = kiosk.folder().join("gateway/keys/city-seal.key");
        let identity = identity.to_str().context("a text path")?;
        let plain: Value = serde_json::from_slice(&run("age", &["-d", "-i", identity], &record.ciphertext)?)?;
        let sealed = plain["applicant"]["name"].as_str().unwrap_or_default();
        if sealed.as_bytes() == name.as_bytes() {
            return Ok(());
        }
    }
    anyhow::bail!("no record of the queue has {name} as it is, not even that of {number}")
}

/// Dot by dot what was laid out for this name, and with a box in place of any one character it would be another picture.
async fn is_printed_with_glyphs(kiosk: &Kiosk, name: &str, number: &str) -> Result<()> {
    let receipts = kiosk.receipts().await?;
    let receipt = receipts.last().context("a receipt came out")?;
    let png = kiosk.receipt_png(receipt.id).await?;
    let strip = dots(&png)?;
    let address = read_qr(&png)?;
    let (_, code) = address
        .split('#')
        .next()
        .unwrap_or_default()
        .rsplit_once('/')
        .context("the code ends the address")?;
    let queue = kiosk.whole_queue().await?;
    let case = queue.records.iter().find(|record| record.case_number.as_deref() == Some(number));
    let mut expected = Receipt {
        language: Language::ZhHans,
        demo: true,
        place: PLACE.into(),
        terminal: "DG0001".into(),
        case_number: number.into(),
        item_title: resident::APPEAL.into(),
        applicant_name: Some(name.into()),
        finalised_at: calendar::minute_in_china(case.context("the case is in the queue")?.finalised_at_ms),
        verification: verification_code::grouped(code),
        verification_url: address.clone(),
        about: None,
        remarks: Vec::new(),
        reprint: false,
    };
    let mut renderer = Renderer::new(programs()?.join("render-document"), Layout::Picture);
    let rendering = renderer.render(&expected)?;
    let drawn = &rendering.picture.rows;
    ensure!(strip.starts_with(drawn) || drawn.starts_with(&strip), "the strip is not what was laid out");
    for at in 0..name.chars().count() {
        let boxed = name.chars().enumerate().map(|(place, c)| if place == at { NO_FONT_HAS } else { c });
        expected.applicant_name = Some(boxed.collect());
        let with_a_box = renderer.render(&expected)?;
        ensure!(with_a_box.picture.rows != *drawn, "character {at} of {name} prints as the box");
    }
    Ok(())
}

/// The dots of a receipt's PNG, packed as printers have them.
fn dots(png: &[u8]) -> Result<Vec<u8>> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
    let mut white = vec![0; reader.output_buffer_size().context("a size")?];
    reader.next_frame(&mut white)?;
    Ok(white.iter().map(|byte| !byte).collect())
}

/// Opened there, and on its pages masked by characters, never by bytes.
async fn is_known_to_the_city(kiosk: &Kiosk, name: &str, number: &str) -> Result<()> {
    let opened = async || {
        let inbox = kiosk.inbox().await?;
        Ok(inbox
            .into_iter()
            .find(|record| record.case_number.as_deref() == Some(number) && record.status == "opened"))
    };
    let case = kiosk.until("the city to open it", SOON, opened).await?;
    let shown = case.person.to_string();
    let first = name.chars().next().context("a name is not empty")?;
    ensure!(shown.contains(first) && !shown.contains(name) && !shown.contains('\u{FFFD}'), "{shown}");
    Ok(())
}
