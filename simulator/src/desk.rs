//! The desk around the kiosk: cards, the reader they lie on, the receipt printer. Both devices are the drivers'
//! own simulators behind pseudo terminals; only the hands are here.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use device_drivers::id_card_reader::simulator::{
    self as reader, CardImage, SimulatedReaderHandle, WireFault,
};
use device_drivers::receipt_printer::Paper;
use device_drivers::receipt_printer::simulator::{
    self as printer, PrinterProfile, SimulatedPrinterHandle, SimulatedReceipt,
};
use serde::{Deserialize, Serialize};

use crate::cards::DeskCard;
use crate::picture;

/// Serial speed of both devices.
pub const BAUD: u32 = 115_200;
/// Bytes of a read's answer that still come when it breaks off: the length is known, the text is not whole.
const BREAKS_AFTER_BYTES: usize = 200;
/// The card is pulled while the reader is still at work on its chip, which takes 350 ms.
const PULLED_AFTER_MS: u64 = 100;
/// A slow answer, still well inside the driver's deadline of 3 s.
const DELAY_MS: u64 = 1500;

/// What can be wrong with the reader until somebody repairs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderFaultName {
    /// The answer's checksum is wrong.
    Checksum,
    /// Noise breaks into the answer.
    Garbage,
    /// The previous answer comes once more.
    Stale,
    /// The card is pulled while it is read.
    PullMidRead,
    /// The card is pulled before the answer begins.
    PullEarly,
    /// The answer comes late.
    Delay,
    /// The answer breaks off, the card stays.
    Truncated,
    /// The reader's plug comes out during the answer.
    UnplugMidRead,
    /// The chip hangs until the reader is reset.
    ChipHangs,
    /// The reader hangs until it loses its power.
    Stuck,
    /// The security module refuses the card.
    Refused,
    /// The thing on the reader is no identity card.
    NotACard,
    /// The reader says nothing.
    Silent,
}

impl ReaderFaultName {
    fn on_the_wire(self) -> WireFault {
        match self {
            Self::Checksum => WireFault::WrongChecksum,
            Self::Garbage => WireFault::GarbageInside,
            Self::Stale => WireFault::StaleAnswer,
            Self::PullMidRead => WireFault::PulledMidRead { after_bytes: BREAKS_AFTER_BYTES },
            Self::PullEarly => WireFault::PulledAfter { millis: PULLED_AFTER_MS },
            Self::Delay => WireFault::Late { millis: DELAY_MS },
            Self::Truncated => WireFault::Truncated { after_bytes: BREAKS_AFTER_BYTES },
            Self::UnplugMidRead => WireFault::Unplugged { after_bytes: BREAKS_AFTER_BYTES },
            Self::ChipHangs => WireFault::ChipHangs,
            Self::Stuck => WireFault::Stuck,
            Self::Refused => WireFault::Refused,
            Self::NotACard => WireFault::NotACard,
            Self::Silent => WireFault::Silence,
        }
    }
}

/// The devices as the page shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskStatus {
    /// The card on the reader.
    pub card: Option<String>,
    /// The reader.
    pub reader: ReaderStatus,
    /// The printer.
    pub printer: PrinterSwitches,
}

/// The reader as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderStatus {
    /// Whether it is connected.
    pub plugged: bool,
    /// What is wrong with it.
    pub fault: Option<ReaderFaultName>,
    /// Whole reads answered since the start.
    pub reads: u64,
}

/// The printer as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterSwitches {
    /// Whether there is paper.
    pub paper: bool,
    /// Whether the roll is nearly used up.
    pub near_end: bool,
    /// Whether the cover is open.
    pub cover_open: bool,
    /// Whether printing takes the time it takes on hardware.
    pub paced: bool,
    /// Whether it is connected.
    pub plugged: bool,
    /// Whether a receipt is coming out.
    pub printing: bool,
}

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
    /// Bytes that came out as characters: a sign of a lost command.
    pub stray_bytes: u32,
}

struct Hands {
    card: Option<&'static DeskCard>,
    fault: Option<ReaderFaultName>,
    near_end: bool,
    paced: bool,
}

/// The desk.
pub struct Desk {
    reader: SimulatedReaderHandle,
    printer: SimulatedPrinterHandle,
    hands: Mutex<Hands>,
}

impl Desk {
    /// Sets both devices up behind these ports.
    pub fn set_up(reader_port: &Path, printer_port: &Path, paced: bool) -> std::io::Result<Self> {
        let desk = Self {
            reader: reader::serve(reader_port, BAUD)?,
            printer: printer::serve(printer_port, BAUD, PrinterProfile::default())?,
            hands: Mutex::new(Hands { card: None, fault: None, near_end: false, paced }),
        };
        desk.set_paced(paced);
        // So that a forgotten card is noticed; other models never find it again.
        desk.reader.set_rearms_on_reset(true);
        Ok(desk)
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays a card on the reader (in place of another), or takes it off.
    pub fn lay(&self, card: Option<&'static DeskCard>) -> Result<(), String> {
        let mut hands = self.hands();
        match card {
            None => self.reader.pull(),
            Some(card) => {
                let image = CardImage::mainland(card.fields())
                    .map_err(|error| format!("the card {} cannot be made: {error}", card.id))?;
                self.reader.lay(image);
            }
        }
        hands.card = card;
        Ok(())
    }

    /// Breaks or repairs the reader.
    pub fn set_reader_fault(&self, fault: Option<ReaderFaultName>) {
        self.hands().fault = fault;
        self.reader.set_fault(fault.map(ReaderFaultName::on_the_wire));
    }

    /// Pulls or puts in the reader's plug.
    pub fn plug_reader(&self, plugged: bool) -> std::io::Result<()> {
        match (plugged, self.reader.is_plugged()) {
            (true, false) => self.reader.plug(),
            (false, true) => {
                self.reader.unplug();
                Ok(())
            }
            (true, true) | (false, false) => Ok(()),
        }
    }

    /// Pulls or puts in the printer's plug.
    pub fn plug_printer(&self, plugged: bool) -> std::io::Result<()> {
        match (plugged, self.printer.is_plugged()) {
            (true, false) => self.printer.plug(),
            (false, true) => {
                self.printer.unplug();
                Ok(())
            }
            (true, true) | (false, false) => Ok(()),
        }
    }

    /// Puts paper in or takes it out.
    pub fn set_paper(&self, present: bool) {
        self.printer.set_paper(present);
    }

    /// Lets the roll end by itself after so many rows.
    pub fn end_paper_after(&self, rows: u32) {
        self.printer.end_paper_after(rows);
    }

    /// Opens or closes the printer's cover.
    pub fn set_cover_open(&self, open: bool) {
        self.printer.set_cover_open(open);
    }

    /// Lets the roll be nearly used up.
    pub fn set_near_end(&self, near: bool) {
        self.hands().near_end = near;
        self.printer.set_near_end(near);
    }

    /// Jams or clears the cutter.
    pub fn set_cutter_jam(&self, jammed: bool) {
        self.printer.set_cutter_jam(jammed);
    }

    /// Lets the printer hang.
    pub fn set_printer_silent(&self, silent: bool) {
        self.printer.set_silent(silent);
    }

    /// Lets both devices take the time they take on hardware, or none.
    pub fn set_paced(&self, paced: bool) {
        self.hands().paced = paced;
        self.reader.set_paced(paced);
        self.printer.set_paced(paced);
    }

    /// Everything as it is now.
    pub fn status(&self) -> DeskStatus {
        let hands = self.hands();
        let printer = self.printer.status();
        DeskStatus {
            // A fault may have pulled it.
            card: hands.card.filter(|_| self.reader.has_card()).map(|card| card.id.to_owned()),
            reader: ReaderStatus {
                plugged: self.reader.is_plugged(),
                fault: hands.fault,
                reads: self.reader.reads(),
            },
            printer: PrinterSwitches {
                paper: printer.paper != Paper::End,
                near_end: hands.near_end,
                cover_open: printer.cover_open,
                paced: hands.paced,
                plugged: self.printer.is_plugged(),
                printing: self.printer.wait_until(std::time::Duration::ZERO, |printer| printer.is_printing()),
            },
        }
    }

    /// The strip, oldest receipt first.
    pub fn receipts(&self) -> Vec<ReceiptInfo> {
        self.printer.strip().iter().map(info).collect()
    }

    /// One receipt as PNG, as far as it has come out; `None` when it is not on the strip.
    pub fn receipt_png(&self, id: u64) -> Option<Result<Vec<u8>, png::EncodingError>> {
        let receipt = self.printer.strip().into_iter().find(|receipt| receipt.id == id)?;
        let bitmap = &receipt.bitmap;
        // A receipt that has only just begun has no row yet, and a picture without rows is none.
        (bitmap.height > 0).then(|| picture::encode_black_on_white(bitmap.width, bitmap.height, &bitmap.rows))
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
        stray_bytes: receipt.stray_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use device_drivers::id_card_reader::{CardText, IdCardReader, ReaderError, SerialIdCardReader};
    use device_drivers::receipt_printer::{Bitmap, Connection, EscPosPrinter, PrinterModel, ReceiptPrinter};

    #[test]
    fn a_laid_card_is_read_through_the_port_and_a_pulled_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, printer) = (folder.path().join("reader"), folder.path().join("printer"));
        let desk = Desk::set_up(&reader, &printer, false).unwrap();
        let mut driver = SerialIdCardReader::open(&reader, BAUD).unwrap();
        desk.lay(DeskCard::by_id("rare-name")).unwrap();
        let read = driver.read().unwrap();
        let CardText::Mainland(card) = &read.text else { panic!("another layout") };
        assert_eq!(card.name, "𬱖㛃");
        assert_eq!(desk.status().card.as_deref(), Some("rare-name"));
        assert_eq!(desk.status().reader.reads, 1);

        desk.set_reader_fault(Some(ReaderFaultName::PullMidRead));
        desk.lay(DeskCard::by_id("ordinary")).unwrap();
        assert_eq!(driver.read().unwrap_err(), ReaderError::CardMoved);
        assert_eq!(desk.status().card, None, "the fault has pulled it");
        desk.set_reader_fault(None);
        desk.plug_reader(false).unwrap();
        assert_eq!(driver.read().unwrap_err(), ReaderError::Gone);
        desk.plug_reader(true).unwrap();
        desk.lay(DeskCard::by_id("elder")).unwrap();
        assert_eq!(driver.read().unwrap().text.name(), "何润添");
    }

    #[test]
    fn a_print_shows_on_the_strip_and_paper_out_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, printer) = (folder.path().join("reader"), folder.path().join("printer"));
        let desk = Desk::set_up(&reader, &printer, false).unwrap();
        let connection = Connection::Serial { port: printer, baud: BAUD };
        let mut driver = EscPosPrinter::open(&connection, PrinterModel::named("80mm").unwrap()).unwrap();
        let mut picture = Bitmap::blank(576, 40);
        picture.set_black(3, 7);
        driver.print(&picture.clone().into()).unwrap();
        let receipts = desk.receipts();
        assert_eq!(receipts.len(), 1);
        assert!(receipts[0].complete && receipts[0].cut && receipts[0].height >= 40);
        assert!(desk.receipt_png(receipts[0].id).unwrap().unwrap().starts_with(b"\x89PNG"));
        assert!(desk.receipt_png(999).is_none());
        desk.set_paper(false);
        assert!(!desk.status().printer.paper);
        assert!(driver.print(&picture.into()).is_err());
        assert_eq!(desk.receipts().len(), 1);
    }
}
