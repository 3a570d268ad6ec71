//! The receipt printer: its state, how far it confirms a print, a test page.

use std::path::PathBuf;

use clap::Subcommand;
use device_drivers::receipt_printer::{
    Bitmap, Connection, EscPosPrinter, LineSpeed, Paper, PrintLevel, PrinterError, PrinterFault,
    PrinterModel, PrinterStatus, ReceiptPrinter,
};
use device_drivers::transport::Transport;
use qrcode::{Color, QrCode};

use crate::answer::{Failure, Outcome, fact, yes};
use crate::private_file;
use crate::tape::Tape;

/// The kind's name in recordings.
const KIND: &str = "receipt-printer";
/// The longest table of models that is read.
const TABLE_BYTES_MAX: u64 = 1 << 20;
/// Rows of the test page.
const PAGE_ROWS: u32 = 320;
/// Dots of one module of its QR code.
const MODULE: u32 = 6;

#[derive(clap::Args)]
pub struct ReceiptPrinterKind {
    #[command(flatten)]
    way: Way,
    /// Bits per second of the serial line; the model's where nothing is said
    #[arg(long)]
    baud: Option<u32>,
    /// Model by its name: 80mm, 58mm, 80mm-gb18030, 80mm-180dpi, 80mm-exit-sensor, or one of --models
    #[arg(long, default_value = "80mm")]
    model: String,
    /// A table of more models, of the shape of models.toml
    #[arg(long, value_name = "FILE")]
    models: Option<PathBuf>,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct Way {
    /// Serial port, better by /dev/serial/by-id/
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Device file of a USB printer, as /dev/usb/lp0
    #[arg(long, value_name = "PATH")]
    usb: Option<PathBuf>,
    /// Address of a network printer, as 192.0.2.7:9100
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// The printer's state, every bit of it
    Status,
    /// How far the printer can confirm a print; may feed and cut a little paper
    Probe,
    /// Print and cut a test page
    TestPage,
}

impl From<PrinterError> for Failure {
    fn from(error: PrinterError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl ReceiptPrinterKind {
    pub fn run(self) -> Outcome {
        let model = self.model()?;
        let way = self.way.connection(self.baud.unwrap_or(model.baud));
        // What is played back needs no time.
        let speed = way.as_ref().map_or(LineSpeed::Fast, Connection::speed);
        let device: Option<Box<dyn Transport>> = way.as_ref().map(Connection::transport);
        let (transport, reel) = self.tape.thread(KIND, device)?;
        let dots = model.dots;
        let outcome = self.verb.ask(&mut EscPosPrinter::over(transport, speed, model), dots);
        reel.finish(outcome)
    }

    fn model(&self) -> Result<PrinterModel, Failure> {
        let mut models = PrinterModel::built_in();
        if let Some(path) = &self.models {
            let bytes = private_file::read(path, TABLE_BYTES_MAX)?;
            let unusable = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
            let table = std::str::from_utf8(&bytes).map_err(|error| unusable(&error))?;
            models.extend(PrinterModel::parse(table).map_err(|error| unusable(&error))?);
        }
        let model = models.into_iter().find(|model| model.name == self.model);
        model.ok_or_else(|| Failure::usage(format!("there is no printer model {:?}", self.model)))
    }
}

impl Way {
    fn connection(&self, baud: u32) -> Option<Connection> {
        if let Some(port) = &self.port {
            return Some(Connection::Serial { port: port.clone(), baud });
        }
        if let Some(device) = &self.usb {
            return Some(Connection::Usb { device: device.clone() });
        }
        self.tcp.as_ref().map(|address| Connection::Tcp { address: address.clone() })
    }
}

impl Verb {
    fn ask(&self, printer: &mut EscPosPrinter, dots: u32) -> Outcome {
        match self {
            Verb::Status => {
                let status = printer.status()?;
                tell(&status);
                if let Some(obstacle) = status.obstacle(false) {
                    return Err(obstacle.into());
                }
            }
            Verb::Probe => fact("print-level", level(printer.probe()?)),
            Verb::TestPage => fact("print-level", level(printer.print(&test_page(dots).into())?)),
        }
        Ok(())
    }
}

fn tell(status: &PrinterStatus) {
    let paper = match status.paper {
        Paper::Present => "present",
        Paper::NearEnd => "near-end",
        Paper::End => "end",
    };
    let error = match status.error {
        None => "-",
        Some(PrinterFault::Cutter) => "cutter",
        Some(PrinterFault::Mechanical) => "mechanical",
        Some(PrinterFault::Unrecoverable) => "unrecoverable",
        Some(PrinterFault::HeadHot) => "head-hot",
    };
    fact("online", yes(status.online));
    fact("paper", paper);
    fact("cover-open", yes(status.cover_open));
    fact("error", error);
    fact("feeding", yes(status.feeding));
    fact("feed-button", yes(status.feed_button));
    fact("waiting-recovery", yes(status.waiting_recovery));
    fact("drawer-pin-high", yes(status.drawer_pin_high));
}

fn level(level: PrintLevel) -> String {
    let words = ["sent", "worked off", "printed", "seen at the mouth", "taken"];
    format!("{} {}", level.get(), words.get(usize::from(level.get())).unwrap_or(&"?"))
}

/// A frame as wide as the head, dots at every distance from solid to eight apart, and a QR code: what is not printed
/// well shows here.
fn test_page(dots: u32) -> Bitmap {
    let mut page = Bitmap::blank(dots, PAGE_ROWS);
    for y in 0..PAGE_ROWS {
        for x in 0..dots {
            let rim = x.min(y).min(dots - 1 - x).min(PAGE_ROWS - 1 - y);
            let step = x * 8 / dots + 1;
            let bar = (24..88).contains(&y) && rim >= 24 && x % step == 0 && y % step == 0;
            if rim < 4 || bar {
                page.set_black(x, y);
            }
        }
    }
    let code = QrCode::new(b"devctl receipt-printer test-page").expect("a short text fits into a QR code");
    let (colours, side) = (code.to_colors(), code.width() as u32);
    let left = (dots - side * MODULE) / 2;
    for at in (0..side * side).filter(|at| colours[*at as usize] == Color::Dark) {
        let (column, row) = (left + at % side * MODULE, 112 + at / side * MODULE);
        for dot in 0..MODULE * MODULE {
            page.set_black(column + dot % MODULE, row + dot / MODULE);
        }
    }
    page
}
