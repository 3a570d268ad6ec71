//! The devices in the whole kiosk, at the pace of real ones: a card that is laid, a receipt that begins, and what the
//! devices cost while nobody is there. Each beside what the line itself needs.

use anyhow::{Context, Result, ensure};
use device_drivers::id_card_reader::simulator::{self as reader_simulator, CardImage};
use device_drivers::id_card_reader::{IdCardReader, SerialIdCardReader};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use simulator::cards::DeskCard;
use simulator::client::{Options, PrinterCable};
use std::fs;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

use super::receipts;
use super::table::{Better, Row, Samples, ms};

/// What the kiosk may add to the reader's own time.
const CARD_SLACK_MS: f64 = 150.0;
/// From the commit to the printer's first row.
const FIRST_ROW_MS: f64 = 100.0;
/// Of one core, by all devices' threads together.
const IDLE_PERCENT: f64 = 2.0;
/// Threads of the kiosk that belong to devices, as the kernel shows their names (15 characters).
const THREADS: [&str; 11] = [
    "id-card-reader",
    "receipt-printer",
    "document-printe",
    "document-camera",
    "cabinet",
    "ups",
    "speaker",
    "code-scanner",
    "social-security",
    "hot-plug",
    "device-health",
];
/// Ticks in a second (`USER_HZ`), the same on every Linux that Rust knows.
const TICKS: f64 = 100.0;
const BAUD: u32 = 115_200;
const CARD: &str = "ordinary";

/// Lets so many residents come, and waits so long for the idle figure.
pub fn measure(visits: usize, idle: Duration) -> Result<Vec<Row>> {
    let wire = wire_time(visits)?;
    eprintln!("  … devices: receipts on a slow line");
    let mut rows = receipts::measure(visits)?;
    rows.extend(in_the_kiosk(visits, idle, wire)?);
    Ok(rows)
}

/// The figures of the whole kiosk. `wire` is what the reader's own line needs, in milliseconds.
fn in_the_kiosk(visits: usize, idle: Duration, wire: f64) -> Result<Vec<Row>> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let kiosk = start(PrinterCable::Usb).await?;
        let (person, usb) = all_visits(&kiosk, visits).await?;
        eprintln!("  … devices: idle for {} s", idle.as_secs());
        let (devices, process) = idle_percent(&kiosk, idle).await?;
        drop(kiosk);
        let kiosk = start(PrinterCable::Serial).await?;
        let (_, serial) = all_visits(&kiosk, visits).await?;
        let name = "ms driver alone on the same line";
        let beside = |row: Row, measured: f64| row.beside(name, wire, measured / wire);
        let limit = (wire + CARD_SLACK_MS).round();
        let first_row =
            |what: &str, measured| Row::new(what, "ms", measured).limit(Better::Smaller, FIRST_ROW_MS);
        Ok(vec![
            beside(Row::new("card laid to person on screen, median", "ms", person.median()), person.median()),
            beside(Row::new("the same, p99", "ms", person.p99()), person.p99()).limit(Better::Smaller, limit),
            first_row("commit to the receipt's first row, USB, median", usb.median()),
            first_row("the same, p99", usb.p99()),
            first_row("commit to the receipt's first row, serial line, median", serial.median()),
            first_row("the same, p99", serial.p99()),
            Row::new("devices' threads while nobody is there", "% of a core", devices)
                .beside("% the whole kiosk", process, devices / process.max(0.01))
                .limit(Better::Smaller, IDLE_PERCENT),
        ])
    })
}

/// A kiosk whose devices take their time.
async fn start(receipt_printer: PrinterCable) -> Result<Kiosk> {
    let options = Options { quick: false, receipt_printer, ..Options::default() };
    Kiosk::start_with(options.set("waits.same_touch_ms=0")).await
}

/// Milliseconds from card to person, and from commit to first row.
async fn all_visits(kiosk: &Kiosk, visits: usize) -> Result<(Samples, Samples)> {
    let (mut person, mut row) = (Samples::default(), Samples::default());
    for visit in 0..=visits {
        eprintln!("  … devices: visit {visit} of {visits}");
        let (shown, begun) = one_visit(kiosk).await?;
        // The first warms caches.
        if visit > 0 {
            person.add(shown);
            row.add(begun);
        }
    }
    Ok((person, row))
}

/// Milliseconds that find, select and read take a driver that does nothing else: the median.
fn wire_time(rounds: usize) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let port = folder.path().join("reader");
    let reader = reader_simulator::serve(&port, BAUD)?;
    let card = DeskCard::by_id(CARD).context("the desk has this card")?;
    let mut driver = SerialIdCardReader::open(&port, BAUD)?;
    let mut times = Samples::default();
    for _ in 0..=rounds {
        reader.lay(CardImage::mainland(card.fields())?);
        let begun = Instant::now();
        driver.read()?;
        times.add_ms(begun.elapsed());
        reader.pull();
    }
    Ok(times.median())
}

/// Milliseconds from the laid card to the person on the screen, and from the commit to the receipt's first row.
async fn one_visit(kiosk: &Kiosk) -> Result<(f64, f64)> {
    let newest =
        async || anyhow::Ok(kiosk.receipts().await?.last().map_or((0, 0), |last| (last.id, last.at_ms)));
    let (before, _) = newest().await?;
    resident::begin(kiosk, resident::APPEAL).await?;
    let laid = Instant::now();
    kiosk.card(Some(CARD)).await?;
    while kiosk.elements().await?.screen != "confirm-person" {
        ensure!(laid.elapsed() < Duration::from_secs(10), "the card was not read");
    }
    let shown = ms(laid.elapsed());
    kiosk.card(None).await?;
    kiosk.touch("是我").await?;
    kiosk.wait_screen("question").await?;
    resident::answer_appeal(kiosk).await?;
    let number = resident::confirm(kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    resident::leave(kiosk).await?;
    let queue = kiosk.whole_queue().await?;
    let case = queue.records.iter().find(|record| record.case_number.as_deref() == Some(number.as_str()));
    let committed = case.context("the case is in the queue")?.finalised_at_ms;
    let (id, begun) = newest().await?;
    ensure!(id == before + 1, "one receipt for one case");
    Ok((shown, begun as f64 - committed as f64))
}

/// Per cent of a core that the devices' threads took, and the whole kiosk.
async fn idle_percent(kiosk: &Kiosk, idle: Duration) -> Result<(f64, f64)> {
    let pid = kiosk.process("kiosk-app").await?.pid.context("the kiosk runs")?;
    let before = ticks(pid)?;
    tokio::time::sleep(idle).await;
    let after = ticks(pid)?;
    let percent = |before: f64, after: f64| (after - before) / TICKS / idle.as_secs_f64() * 100.0;
    Ok((percent(before.0, after.0), percent(before.1, after.1)))
}

/// Ticks of the devices' threads, and of all threads.
fn ticks(pid: i32) -> Result<(f64, f64)> {
    let (mut devices, mut all) = (0.0, 0.0);
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = fs::read_to_string(task?.path().join("stat"))?;
        // The name stands in brackets and may itself contain any.
        let (head, fields) = stat.rsplit_once(") ").context("a thread's stat")?;
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let field = |at: usize| fields.split(' ').nth(at).and_then(|text| text.parse::<f64>().ok());
        let used = field(11).context("utime")? + field(12).context("stime")?;
        all += used;
        if THREADS.contains(&name) {
            devices += used;
        }
    }
    Ok((devices, all))
}
