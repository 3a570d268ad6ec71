//! The receipt printer on a slow serial line: what it has characters for comes as text, the rest as a picture.

use anyhow::{Context, Result, ensure};
use kiosk_core::{calendar, verification_code};
use kiosk_documents::{Grid, Language, Layout, Receipt, Renderer, Rendering};
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, programs, read_qr};
use serde_json::json;
use simulator::client::{Options, PrinterCable};
use simulator::world::PLACE;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

const NAME: &str = "𬱖㛃";
/// The characters of the usual printer.
const GRID: Grid = Grid { columns: 48, cell_width: 12, cell_height: 24 };

#[tokio::test]
async fn a_receipt_comes_as_text_with_the_rare_name_and_the_code_drawn() -> Result<()> {
    let options = Options { receipt_printer: PrinterCable::Serial, ..Options::default() };
    let kiosk = Kiosk::start_with(options.set("waits.same_touch_ms=0")).await?;
    // Bytes and rows take their time, as on a real line.
    kiosk.change("receipt-printer", json!({ "paced": true })).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "rare-name").await?;
    resident::answer_appeal(&kiosk).await?;
    let number = resident::confirm(&kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;

    let receipts = kiosk.receipts().await?;
    let [receipt] = &receipts[..] else { anyhow::bail!("one receipt: {receipts:?}") };
    ensure!(receipt.cut && receipt.complete && receipt.stray_bytes == 0, "{receipt:?}");
    let png = kiosk.receipt_png(receipt.id).await?;
    // For people to look at.
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("receipt-in-lines.png"), &png)?;
    let address = read_qr(&png)?;
    let expected = expected(&kiosk, &number, &address).await?;

    // Every line that the printer has characters for is text, and no other.
    let lines = expected.parts.iter().flat_map(|part| &part.text).map(|line| line.text.clone());
    let (drawn, text): (Vec<String>, Vec<String>) = lines.partition(|line| line.contains(NAME));
    ensure!(drawn.len() == 1 && receipt.text == text, "{drawn:?} {text:#?} {receipt:#?}");
    ensure!(text.iter().any(|line| line == &number), "{text:#?}");

    // The name and the code are dot by dot what was drawn for them, each in its place.
    let strip = black_on_white(&png)?;
    ensure!(receipt.height == expected.picture.height, "{} rows", receipt.height);
    let pictures = rows(&expected, |line| line.is_none_or(|line| line.contains(NAME)));
    for y in pictures.into_iter().flatten() {
        let row = y as usize * expected.picture.stride()..(y as usize + 1) * expected.picture.stride();
        ensure!(strip[row.clone()] == expected.picture.rows[row], "row {y} is another one");
    }
    Ok(())
}

/// The receipt, rendered once more from what the resident can read on the screen.
async fn expected(kiosk: &Kiosk, number: &str, address: &str) -> Result<Rendering> {
    let queue = kiosk.whole_queue().await?;
    let case = queue.records.iter().find(|record| record.case_number.as_deref() == Some(number));
    let finalised_at_ms = case.context("the case is in the queue")?.finalised_at_ms;
    // Behind the # is the case number, for a scanner.
    let path = address.split('#').next().unwrap_or_default();
    let (_, verification) = path.rsplit_once('/').context("the code ends the address")?;
    let receipt = Receipt {
        language: Language::ZhHans,
        demo: true,
        place: PLACE.into(),
        terminal: "DG0001".into(),
        case_number: number.into(),
        item_title: resident::APPEAL.into(),
        applicant_name: Some(NAME.into()),
        finalised_at: calendar::minute_in_china(finalised_at_ms),
        verification: verification_code::grouped(verification),
        verification_url: address.into(),
        about: None,
        remarks: Vec::new(),
        reprint: false,
    };
    Ok(Renderer::new(programs()?.join("render-document"), Layout::Lines(GRID)).render(&receipt)?)
}

/// The rows of the parts that `wanted` picks by their text.
fn rows(rendering: &Rendering, wanted: impl Fn(Option<&str>) -> bool) -> Vec<Range<u32>> {
    let mut next = 0;
    let all = rendering.parts.iter().map(|part| {
        let rows = next..next + part.rows;
        next = rows.end;
        (rows, part.text.as_ref().map(|line| line.text.as_str()))
    });
    all.filter(|(_, text)| wanted(*text)).map(|(rows, _)| rows).collect()
}

/// The dots of a receipt's PNG, packed as printers have them.
fn black_on_white(png: &[u8]) -> Result<Vec<u8>> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info()?;
    let mut white = vec![0; reader.output_buffer_size().context("a size")?];
    reader.next_frame(&mut white)?;
    Ok(white.iter().map(|byte| !byte).collect())
}
