//! A receipt of forty lines on its way to a printer on a slow line: until it is bytes, by the true rendering processes,
//! and how long it keeps a line of 115200 busy that takes the time of one.

use anyhow::{Context, Result, ensure};
use device_drivers::receipt_printer::protocol::{encode_receipt, encode_receipt_as_text};
use device_drivers::receipt_printer::simulator::{self as printer_simulator, SimulatedPrinterHandle};
use device_drivers::receipt_printer::{
    Connection, EscPosPrinter, LineSpeed, PrintLevel, PrinterModel, Receipt as DriverReceipt, ReceiptPrinter,
};
use kiosk_app::devices::receipt_printer::layout;
use kiosk_documents::{Language, Layout, Receipt, Renderer};
use kiosk_tests::workshop;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use super::memory::pss_mib;
use super::site::PATIENCE;
use super::table::{Better, Row, Samples, ms};

/// From the wish to print to bytes that can be sent.
const BYTES_MS: f64 = 50.0;
/// From the first byte to the last.
const LINE_MS: f64 = 2_000.0;
const MODEL: &str = "80mm";
const LINES: usize = 40;
/// What a waiting process does no more: it has slept at so many looks, one after the other.
const ASLEEP_LOOKS: usize = 5;
const LOOK: Duration = Duration::from_millis(20);

/// Prints so often.
pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let model = PrinterModel::named(MODEL).context("there is such a model")?;
    let speed = LineSpeed::Serial { baud: model.baud };
    let in_lines = layout::of(speed, &model);
    let usual = forty_lines("陈桂英");
    let ahead = to_bytes(in_lines, &model, &usual, rounds)?;
    let rare = to_bytes(in_lines, &model, &forty_lines("𬱖㛃"), rounds)?;
    let picture = to_bytes(Layout::Picture, &model, &usual, rounds)?;
    let mut rows = vec![
        ahead.row("receipt of 40 lines to bytes, process waiting").limit(Better::Smaller, BYTES_MS),
        rare.row("the same with a rare name").limit(Better::Smaller, BYTES_MS),
        picture.row("the same as one picture").limit(Better::Smaller, BYTES_MS),
        Row::new("memory of the process that waits (PSS)", "MiB", ahead.waiting_mib),
    ];
    rows.extend(on_the_line(&model, &usual)?);
    Ok(rows)
}

/// A receipt of forty lines of text, a code, and a few rules.
fn forty_lines(name: &str) -> Receipt {
    Receipt {
        language: Language::ZhHans,
        demo: true,
        place: "莞城街道示例社区党群服务中心".into(),
        terminal: "DG0001".into(),
        case_number: "DG0001-7K3M9Q2F-4".into(),
        item_title: "12345 诉求提交".into(),
        applicant_name: Some(name.into()),
        about: None,
        finalised_at: "2026-11-22 14:05".into(),
        verification: "7K3M 9Q2F 4X8D WACE".into(),
        verification_url: "https://city.example.invalid/v/7K3M9Q2F4X8DWACE".into(),
        remarks: vec!["办事材料清单".repeat(10); 8],
        reprint: false,
    }
}

/// What one kind of receipt takes, in milliseconds.
struct Taken {
    ahead: Samples,
    fresh: Samples,
    waiting_mib: f64,
}

impl Taken {
    fn row(&self, what: &str) -> Row {
        let (ahead, fresh) = (self.ahead.median(), self.fresh.median());
        Row::new(format!("{what}, median"), "ms", ahead).beside("ms by a fresh process", fresh, ahead / fresh)
    }
}

/// Renders and encodes, by processes that wait and by fresh ones in turns.
fn to_bytes(layout: Layout, model: &PrinterModel, receipt: &Receipt, rounds: usize) -> Result<Taken> {
    let program = workshop::programs()?.join("render-document");
    let mut renderer = Renderer::new(program, layout);
    let mut taken = Taken { ahead: Samples::default(), fresh: Samples::default(), waiting_mib: 0.0 };
    let once = |renderer: &mut Renderer| -> Result<f64> {
        let begun = Instant::now();
        let rendered = layout::for_driver(renderer.render(receipt)?);
        let bytes = match model.text {
            Some(mode) if !rendered.parts().is_empty() => encode_receipt_as_text(&rendered, mode),
            _ => encode_receipt(rendered.picture()),
        };
        black_box(&bytes);
        Ok(ms(begun.elapsed()))
    };
    // The first one brings the fonts from the disk.
    once(&mut renderer)?;
    for _ in 0..rounds {
        taken.fresh.add(once(&mut renderer)?);
        renderer.get_ready();
        taken.waiting_mib = memory_when_asleep(renderer.waiting_process().context("one waits")?)?;
        taken.ahead.add(once(&mut renderer)?);
    }
    Ok(taken)
}

/// MiB of a process that has done what it does ahead.
fn memory_when_asleep(process: u32) -> Result<f64> {
    let deadline = Instant::now() + PATIENCE;
    let mut asleep = 0;
    while asleep < ASLEEP_LOOKS {
        ensure!(Instant::now() < deadline, "the rendering process does not get ready");
        std::thread::sleep(LOOK);
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the process runs")?;
        let sleeps = stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('S'));
        asleep = if sleeps { asleep + 1 } else { 0 };
    }
    pss_mib(process)
}

/// Prints on a simulated printer behind a serial line that takes the time of one, in lines and as one picture.
fn on_the_line(model: &PrinterModel, receipt: &Receipt) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let port = folder.path().join("printer");
    let baud = model.baud;
    let simulator = printer_simulator::serve(&port, baud, printer_simulator::PrinterProfile::default())?;
    let mut printer = EscPosPrinter::open(&Connection::Serial { port, baud }, model.clone())?;
    // What happens once after switching on is not counted.
    printer.probe()?;
    let program = workshop::programs()?.join("render-document");
    let speed = LineSpeed::Serial { baud };
    let mut rows = Vec::new();
    for (what, form) in
        [("receipt of 40 lines", layout::of(speed, model)), ("the same as one picture", Layout::Picture)]
    {
        let rendered = layout::for_driver(Renderer::new(program.clone(), form).render(receipt)?);
        let lines = rendered.parts().iter().filter(|part| part.text.is_some()).count();
        ensure!(form == Layout::Picture || lines == LINES, "{lines} lines of text");
        let (busy, bytes) = busy(&simulator, &mut printer, &rendered)?;
        let alone = ms(speed.time_of(bytes as usize));
        let row = Row::new(format!("{what}, first byte to last at {baud}"), "ms", busy);
        let row = row.beside(&format!("ms the line alone, {bytes} bytes"), alone, busy / alone);
        rows.push(if form == Layout::Picture { row } else { row.limit(Better::Smaller, LINE_MS) });
    }
    Ok(rows)
}

/// Milliseconds from the first byte of a print that reached the printer to the last, and how many came.
fn busy(
    simulator: &SimulatedPrinterHandle,
    printer: &mut EscPosPrinter,
    receipt: &DriverReceipt,
) -> Result<(f64, u64)> {
    let before = simulator.received_bytes();
    std::thread::scope(|scope| {
        let printing = scope.spawn(|| printer.print(receipt));
        let (mut seen, mut first, mut last) = (before, None, Instant::now());
        while !printing.is_finished() {
            let received = simulator.received_bytes();
            if received != seen {
                (seen, last) = (received, Instant::now());
                first.get_or_insert(last);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let printed = printing.join().map_err(|_| anyhow::anyhow!("the driver panicked"))?;
        ensure!(printed == Ok(PrintLevel::COMPLETED), "{printed:?}");
        Ok((ms(last - first.context("bytes came")?), seen - before))
    })
}
