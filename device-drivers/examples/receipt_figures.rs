//! Figures of the receipt printer, for `cargo run --release -p device-drivers --example receipt_figures`: how long a
//! receipt of forty lines takes to become bytes, and how long it keeps a serial line busy. Nothing fails here: whether a
//! figure is good is seen beside its limit.

#[path = "../tests/contract/forty_lines.rs"]
mod forty_lines;

use std::hint::black_box;
use std::time::{Duration, Instant};

use device_drivers::receipt_printer::protocol::{encode_receipt, encode_receipt_as_text};
use device_drivers::receipt_printer::simulator::{self, PrinterProfile};
use device_drivers::receipt_printer::{
    Connection, EscPosPrinter, PrintLevel, PrinterError, PrinterModel, Receipt, ReceiptPrinter,
};

/// Times that the encoding is measured.
const ROUNDS: usize = 200;
const BYTES_LIMIT: Duration = Duration::from_millis(50);
const LINE_LIMIT: Duration = Duration::from_secs(2);
/// Dots that the simulated paper moves in a second: 150 mm, 8 dots to a millimetre.
const DOTS_PER_SECOND: f64 = 1200.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in ["80mm", "58mm"] {
        let model = PrinterModel::named(name).ok_or("no such model")?;
        let (receipt, _) = forty_lines::forty_lines(&model);
        println!("{name}, 40 lines (2 with rare names) and a code, {} rows", receipt.picture().height);
        encoding(&receipt, &model);
        serial_line(&receipt, model)?;
    }
    Ok(())
}

/// How long the receipt takes to become bytes.
fn encoding(receipt: &Receipt, model: &PrinterModel) {
    let picture = measured(|| encode_receipt(receipt.picture()).len());
    println!("  as bytes, picture       {picture}, limit {BYTES_LIMIT:?}");
    if let Some(mode) = model.text {
        let text = measured(|| encode_receipt_as_text(receipt, mode).len());
        println!("  as bytes, text          {text}, limit {BYTES_LIMIT:?}");
    }
}

/// What a step that gives so many bytes takes: smallest, middle and largest of some rounds.
fn measured(step: impl Fn() -> usize) -> String {
    let mut bytes = 0;
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            bytes = black_box(step());
            begin.elapsed()
        })
        .collect();
    times.sort();
    let (least, middle, most) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
    format!("{least:.1?} {middle:.1?} {most:.1?} (min, median, max of {ROUNDS}; {bytes} bytes)")
}

/// Prints on a simulated printer behind a serial line that takes the time of one, as text and as a picture.
fn serial_line(receipt: &Receipt, model: PrinterModel) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let port = folder.path().join("printer");
    let baud = model.baud;
    let profile = PrinterProfile { dots: model.dots, ..PrinterProfile::default() };
    let printer = simulator::serve(&port, baud, profile)?;
    let mut driver = EscPosPrinter::open(&Connection::Serial { port, baud }, model)?;
    // What happens once after switching on is not counted.
    driver.probe()?;
    let picture = Receipt::from(receipt.picture().clone());
    for (what, receipt) in [("text", receipt), ("picture", &picture)] {
        let before = printer.received_bytes();
        let (level, whole) = timed(|| driver.print(receipt));
        let bytes = printer.received_bytes() - before;
        let line = Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(baud));
        let paper = Duration::from_secs_f64(f64::from(receipt.picture().height) / DOTS_PER_SECOND);
        println!(
            "  serial {baud}, {what:<7}  line busy {line:.2?} ({bytes} bytes), limit {LINE_LIMIT:?}; print() until \
             level {} {whole:.2?}, of which the paper alone needs {paper:.2?}",
            level?.get()
        );
    }
    Ok(())
}

fn timed(
    print: impl FnOnce() -> Result<PrintLevel, PrinterError>,
) -> (Result<PrintLevel, PrinterError>, Duration) {
    let begin = Instant::now();
    let level = print();
    (level, begin.elapsed())
}
