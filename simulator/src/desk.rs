//! The desk around the kiosk: the readers and the cards, the receipt printer, the cabinet with its sensor, doors and
//! lights, the UPS, the voice, the A4 printer, the code scanner, the document camera and what lies under it. All of them
//! are the drivers' own simulators at the wire; only the hands are here.
//!
//! Every device is taken by the same handle ([`device::DeskDevice`], made of its [`at_desk::Hardware`]), so that page, HTTP and scenarios have one shape for
//! all of them.

mod at_desk;
mod cabinet;
mod code_scanner;
mod device;
mod document_camera;
mod document_printer;
mod fault;
mod id_card_reader;
mod receipt_printer;
mod social_security_card;
mod speaker;
mod ups;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

pub use device::{Control, ControlKind, DeskError, DeviceView};
pub use document_camera::OWN_BYTES_MAX;
pub use document_printer::PrintOutInfo;
pub use fault::{Fault, FaultKind, Scale, Unit};
pub use receipt_printer::{PrinterCable, ReceiptInfo};

use at_desk::AtDesk;
use cabinet::Cabinet;
use code_scanner::CodeScanner;
use device::{Change, DeskDevice};
use document_camera::DocumentCamera;
use document_printer::DocumentPrinter;
use id_card_reader::IdCardReader;
use receipt_printer::ReceiptPrinter;
use social_security_card::SocialCardReader;
use speaker::Speaker;
use ups::Ups;

/// Serial speed of the devices on lines.
const BAUD: u32 = 115_200;

/// How the desk is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeskOptions {
    /// Devices take the time that they take on hardware.
    pub paced: bool,
    /// How the receipt printer is connected.
    pub receipt_printer: PrinterCable,
}

/// The desk.
pub struct Desk {
    reader: AtDesk<IdCardReader>,
    printer: Arc<AtDesk<ReceiptPrinter>>,
    cabinet: AtDesk<Cabinet>,
    ups: AtDesk<Ups>,
    speaker: AtDesk<Speaker>,
    document_printer: AtDesk<DocumentPrinter>,
    scanner: AtDesk<CodeScanner>,
    camera: AtDesk<DocumentCamera>,
    social_card_reader: AtDesk<SocialCardReader>,
}

impl Desk {
    /// Sets the devices up, their ports in this folder (which must be there).
    pub fn set_up(folder: &Path, options: DeskOptions) -> std::io::Result<Self> {
        let DeskOptions { paced, receipt_printer } = options;
        let printer = Arc::new(ReceiptPrinter::set_up(folder, paced, receipt_printer)?);
        Ok(Self {
            reader: IdCardReader::set_up(folder, paced)?,
            cabinet: Cabinet::set_up(folder, paced)?,
            ups: Ups::set_up()?,
            speaker: Speaker::set_up(folder)?,
            document_printer: DocumentPrinter::set_up(paced)?,
            scanner: CodeScanner::set_up(folder, paced, Arc::clone(&printer))?,
            camera: DocumentCamera::set_up(folder)?,
            social_card_reader: SocialCardReader::set_up(folder, paced),
            printer,
        })
    }

    /// The devices, as `[devices]` of `terminal.toml` declares them.
    pub fn declared(&self) -> Value {
        json!({
            "id_card_reader": self.reader.declared(),
            "receipt_printer": self.printer.declared(),
            "cabinet": self.cabinet.declared(),
            "ups": self.ups.declared(),
            "speaker": self.speaker.declared(),
            "document_printer": self.document_printer.declared(),
            "code_scanner": self.scanner.declared(),
            "document_camera": self.camera.declared(),
            "social_security_card_reader": self.social_card_reader.declared(),
        })
    }

    /// What the kiosk needs in its environment to find the devices.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        self.social_card_reader.environment()
    }

    fn all(&self) -> [&dyn DeskDevice; 9] {
        [
            &self.reader,
            &*self.printer,
            &self.cabinet,
            &self.ups,
            &self.speaker,
            &self.document_printer,
            &self.scanner,
            &self.camera,
            &self.social_card_reader,
        ]
    }

    fn find(&self, name: &str) -> Result<&dyn DeskDevice, DeskError> {
        let known = || self.all().map(DeskDevice::name).join(", ");
        let found = self.all().into_iter().find(|device| device.name() == name);
        found.ok_or_else(|| DeskError::NoSuchDevice { name: name.to_owned(), known: known() })
    }

    /// Every device as it is now, with all that it knows.
    pub fn devices(&self) -> Vec<DeviceView> {
        self.all().into_iter().map(DeviceView::of).collect()
    }

    /// One device.
    pub fn device(&self, name: &str) -> Result<DeviceView, DeskError> {
        self.find(name).map(DeviceView::of)
    }

    /// Whether [`Desk::change`] would understand this.
    pub fn check(&self, name: &str, wanted: &Value) -> Result<(), DeskError> {
        Change::parse(self.find(name)?, wanted).map(drop)
    }

    /// Does to a device what `wanted` says: nothing at all when any of it makes no sense. May block for a moment.
    pub fn change(&self, name: &str, wanted: &Value) -> Result<(), DeskError> {
        let device = self.find(name)?;
        Change::parse(device, wanted)?.make(device)
    }

    /// Lays a visitor's picture (a JPEG) under the document camera.
    pub fn lay_picture(&self, jpeg: Vec<u8>) -> Result<(), DeskError> {
        let device = self.camera.name();
        self.camera.lay_own(jpeg).map_err(|error| DeskError::NoPicture { device, error })
    }

    /// Hands the document camera's kiosk a frame (a JPEG) of the visitor's own camera.
    pub fn relay_frame(&self, jpeg: Vec<u8>) -> Result<(), DeskError> {
        let device = self.camera.name();
        self.camera.relay(jpeg).map_err(|error| DeskError::NoPicture { device, error })
    }

    /// What lies under the document camera, small, as PNG.
    pub fn camera_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let view = self.camera.view();
        let (colour, depth) = (png::ColorType::Rgb, png::BitDepth::Eight);
        crate::picture::encode(view.width(), view.height(), colour, depth, view.rgb())
    }

    /// The strip, oldest receipt first.
    pub fn receipts(&self) -> Vec<ReceiptInfo> {
        self.printer.receipts()
    }

    /// One receipt as PNG, as far as it has come out; `None` when it is not on the strip.
    pub fn receipt_png(&self, id: u64) -> Option<Result<Vec<u8>, png::EncodingError>> {
        self.printer.receipt_png(id)
    }

    /// A print-out of the A4 printer as the PDF that arrived; `None` when it is not in the tray.
    pub fn print_out_pdf(&self, id: i32) -> Option<Vec<u8>> {
        self.document_printer.pdf(id)
    }

    /// A sheet of a print-out as PNG, from 1; `None` when it has not come out. May block for a moment.
    pub fn print_out_png(&self, id: i32, page: u32) -> Option<std::sync::Arc<Vec<u8>>> {
        self.document_printer.png(id, page)
    }
}
