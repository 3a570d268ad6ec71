//! The receipt printer and its paper strip.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use device_drivers::camera::Picture;
use device_drivers::code_scanner::code_in;
use device_drivers::receipt_printer::Paper;
use device_drivers::receipt_printer::protocol::ErrorCause;
use device_drivers::receipt_printer::simulator::{
    self, PrinterProfile, SimulatedPrinterHandle, SimulatedReceipt,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::BAUD;
use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, Turn};
use super::fault::{Fault, Known, Scale, Unit, bytes, millis, numbered, plain};
use crate::picture;

/// A receipt has about 600 rows.
const ON_THE_ROLL: Scale = Scale { unit: Unit::Rows, least: 1, most: 100_000, usual: 200 };

/// Something wrong with the printer. What waits for a row, a cut or a byte happens once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trouble {
    PaperEnds { rows: u32 },
    CoverOpens { rows: u32 },
    JamsAtCut,
    Unplugs { bytes: u64 },
    Error(ErrorCause),
    Noise { every: u32 },
    Delay { millis: u64 },
    Silent,
    Stuck,
}

/// Nothing is wrong.
const FINE: ErrorCause =
    ErrorCause { mechanical: false, cutter: false, unrecoverable: false, auto_recoverable: false };

/// A receipt on the strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptInfo {
    /// Counts up from 1.
    pub id: u64,
    /// When its first row came out, milliseconds since 1970.
    pub at_ms: u64,
    /// Dots across.
    pub width: u32,
    /// Rows so far.
    pub height: u32,
    /// Whether it was cut off.
    pub cut: bool,
    /// Whether it was printed without a stop.
    pub complete: bool,
    /// Whether it is still coming out.
    pub in_progress: bool,
    /// Its lines of text, as far as the printer drew them with its own characters; none on a picture.
    pub text: Vec<String>,
    /// Bytes that came out as characters: a sign of a lost command.
    pub stray_bytes: u32,
}

/// How the printer is connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PrinterCable {
    /// USB: a receipt goes as one picture.
    #[default]
    Usb,
    /// A slow serial line: a receipt goes as text, and only what the printer has no characters for as a picture.
    Serial,
}

impl PrinterCable {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            PrinterCable::Usb => "usb",
            PrinterCable::Serial => "serial",
        }
    }
}

struct Hands {
    near_end: bool,
    /// Paper was put in since the printer was last broken.
    new_roll: bool,
    paced: bool,
}

pub(super) struct ReceiptPrinter {
    port: PathBuf,
    cable: PrinterCable,
    printer: SimulatedPrinterHandle,
    hands: Mutex<Hands>,
}

impl ReceiptPrinter {
    pub(super) fn set_up(folder: &Path, paced: bool, cable: PrinterCable) -> io::Result<AtDesk<Self>> {
        let port = folder.join("receipt-printer");
        let profile = PrinterProfile::default();
        let printer = match cable {
            PrinterCable::Usb => simulator::serve_usb(&port, profile)?,
            PrinterCable::Serial => simulator::serve(&port, BAUD, profile)?,
        };
        printer.set_paced(paced);
        let hands = Mutex::new(Hands { near_end: false, new_roll: false, paced });
        Ok(AtDesk::new(Self { port, cable, printer, hands }))
    }

    pub(super) fn declared(&self) -> Value {
        match self.cable {
            PrinterCable::Usb => json!({ "transport": "usb", "device": self.port }),
            PrinterCable::Serial => json!({ "transport": "serial", "port": self.port, "baud": BAUD }),
        }
    }

    pub(super) fn receipts(&self) -> Vec<ReceiptInfo> {
        self.printer.strip().iter().map(info).collect()
    }

    pub(super) fn receipt_png(&self, id: u64) -> Option<Result<Vec<u8>, png::EncodingError>> {
        let receipt = self.printer.strip().into_iter().find(|receipt| receipt.id == id)?;
        let bitmap = &receipt.bitmap;
        // A receipt that has only just begun has no row yet, and a picture without rows is none.
        (bitmap.height > 0).then(|| picture::encode_black_on_white(bitmap.width, bitmap.height, &bitmap.rows))
    }

    /// What a scanner reads on the latest whole receipt; `None` without one.
    pub(super) fn latest_code(&self) -> Option<String> {
        let strip = self.printer.strip();
        let receipt = strip.iter().rev().find(|receipt| receipt.cut && receipt.complete)?;
        let bitmap = &receipt.bitmap;
        let dots = (0..bitmap.height).flat_map(|y| (0..bitmap.width).map(move |x| bitmap.is_black(x, y)));
        let rgb = dots.flat_map(|black| [if black { 0 } else { 255 }; 3]).collect();
        let picture = Picture::from_rgb(bitmap.width, bitmap.height, rgb)?;
        code_in(&picture.luma()).ok().flatten().map(|code| code.as_str().to_owned())
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    fn break_down(&self, trouble: Trouble) {
        match trouble {
            Trouble::PaperEnds { rows } => self.printer.end_paper_after(rows),
            Trouble::CoverOpens { rows } => self.printer.open_cover_after(rows),
            Trouble::JamsAtCut => self.printer.jam_at_cut(),
            Trouble::Unplugs { bytes } => self.printer.unplug_after(bytes),
            Trouble::Error(error) => self.printer.set_error(error),
            Trouble::Noise { every } => self.printer.set_noise(every),
            Trouble::Delay { millis } => self.printer.set_delay(Duration::from_millis(millis)),
            Trouble::Silent => self.printer.set_silent(true),
            Trouble::Stuck => self.printer.set_stuck(true),
        }
    }

    fn repair(&self) {
        self.printer.disarm();
        self.printer.set_error(FINE);
        self.printer.set_noise(0);
        self.printer.set_delay(Duration::ZERO);
        self.printer.set_silent(false);
        self.printer.set_stuck(false);
    }
}

impl Hardware for ReceiptPrinter {
    const NAME: &'static str = "receipt-printer";
    type Fault = Trouble;
    const FAULTS: &'static [Known<Trouble>] = &[
        numbered("paper-ends", ON_THE_ROLL, |n| Trouble::PaperEnds { rows: n as u32 }),
        numbered("cover-opens", ON_THE_ROLL, |n| Trouble::CoverOpens { rows: n as u32 }),
        plain("jam-at-cut", |_| Trouble::JamsAtCut),
        plain("cutter-jam", |_| Trouble::Error(ErrorCause { cutter: true, ..FINE })),
        plain("head-hot", |_| Trouble::Error(ErrorCause { auto_recoverable: true, ..FINE })),
        plain("mechanical", |_| Trouble::Error(ErrorCause { mechanical: true, ..FINE })),
        plain("unrecoverable", |_| Trouble::Error(ErrorCause { unrecoverable: true, ..FINE })),
        numbered("unplug", bytes(1, 1_000_000, 1000), |n| Trouble::Unplugs { bytes: n }),
        numbered("noise", bytes(1, 1000, 10), |n| Trouble::Noise { every: n as u32 }),
        numbered("delay", millis(1500), |n| Trouble::Delay { millis: n }),
        plain("silent", |_| Trouble::Silent),
        plain("stuck", |_| Trouble::Stuck),
    ];
    const CONTROLS: &'static [Control] = &[
        Control::switch("paper"),
        Control::switch("cover_open"),
        Control::switch("near_end"),
        Control::switch("paced"),
    ];

    fn is_plugged(&self) -> bool {
        self.printer.is_plugged()
    }

    fn plug(&self) -> io::Result<()> {
        self.printer.plug()
    }

    fn unplug(&self) -> io::Result<()> {
        self.printer.unplug();
        Ok(())
    }

    fn set_fault(&self, fault: Option<Trouble>) {
        self.repair();
        self.hands().new_roll = false;
        if let Some(trouble) = fault {
            self.break_down(trouble);
        }
    }

    /// One that has happened is over, and what it left is seen at the switches.
    fn outcome(&self, fault: Fault) -> Option<Fault> {
        let printer = self.printer.status();
        match fault.name {
            // A new roll is a full one.
            "paper-ends" if printer.paper == Paper::End || self.hands().new_roll => None,
            "cover-opens" if printer.cover_open => None,
            "unplug" if !self.printer.is_plugged() => None,
            "jam-at-cut" if printer.error.is_some() => Some(Fault { name: "cutter-jam", number: None }),
            _ => Some(fault),
        }
    }

    fn settings(&self) -> Value {
        let (hands, printer) = (self.hands(), self.printer.status());
        json!({
            "paper": printer.paper != Paper::End,
            "cover_open": printer.cover_open,
            "near_end": hands.near_end,
            "paced": hands.paced,
        })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        let Turn::Switch(on) = turn else { unreachable!("{control} is a switch") };
        match control {
            "paper" => {
                self.hands().new_roll = true;
                self.printer.set_paper(on);
            }
            "cover_open" => self.printer.set_cover_open(on),
            "near_end" => {
                self.hands().near_end = on;
                self.printer.set_near_end(on);
            }
            _ => {
                self.hands().paced = on;
                self.printer.set_paced(on);
            }
        }
        Ok(())
    }

    fn shows(&self) -> Value {
        let printing = self.printer.wait_until(Duration::ZERO, |printer| printer.is_printing());
        json!({ "printing": printing })
    }
}

fn info(receipt: &SimulatedReceipt) -> ReceiptInfo {
    ReceiptInfo {
        id: receipt.id,
        at_ms: receipt.at_ms,
        width: receipt.bitmap.width,
        height: receipt.bitmap.height,
        cut: receipt.cut,
        complete: receipt.complete,
        in_progress: receipt.in_progress,
        text: receipt.text.clone(),
        stray_bytes: receipt.stray_bytes,
    }
}
