//! A receipt printer and its simulator, on every way that they can be connected.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use device_drivers::receipt_printer::simulator::{
    self, PrinterProfile, SimulatedPrinterHandle, SimulatedReceipt,
};
use device_drivers::receipt_printer::{
    Bitmap, Connection, EscPosPrinter, PrintLevel, PrinterError, PrinterModel, Receipt, ReceiptPrinter,
};

pub const DOTS: u32 = 576;
pub const BAUD: u32 = 115_200;

/// How printer and kiosk are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    Serial,
    Usb,
    Tcp,
}

pub const CABLES: [Cable; 3] = [Cable::Serial, Cable::Usb, Cable::Tcp];

pub struct Desk {
    pub printer: EscPosPrinter,
    pub simulator: SimulatedPrinterHandle,
    pub connection: Connection,
    pub dir: tempfile::TempDir,
}

impl Desk {
    /// Connected this way; bytes and rows take their time.
    pub fn paced(cable: Cable, profile: PrinterProfile, model: &str) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let (simulator, connection) = connected(cable, &dir.path().join("printer"), profile);
        let printer = EscPosPrinter::open(&connection, PrinterModel::named(model).unwrap()).unwrap();
        Desk { printer, simulator, connection, dir }
    }

    /// Connected this way; nothing takes time.
    pub fn on(cable: Cable, profile: PrinterProfile) -> Desk {
        let desk = Desk::paced(cable, profile, "80mm");
        desk.simulator.set_paced(false);
        desk
    }

    /// Prints a picture.
    pub fn print(&mut self, bitmap: &Bitmap) -> Result<PrintLevel, PrinterError> {
        self.printer.print(&Receipt::from(bitmap.clone()))
    }

    /// Prints, and does something to the printer as soon as it is at it.
    pub fn print_while(
        &mut self,
        bitmap: &Bitmap,
        happens: impl FnOnce(&SimulatedPrinterHandle),
    ) -> Result<PrintLevel, PrinterError> {
        let Desk { printer, simulator, .. } = self;
        let receipt = Receipt::from(bitmap.clone());
        std::thread::scope(|scope| {
            let printing = scope.spawn(move || printer.print(&receipt));
            assert!(simulator.wait_until(Duration::from_secs(10), |printer| printer.is_printing()));
            happens(simulator);
            printing.join().unwrap()
        })
    }
}

/// A simulated printer on this cable, and the way to it; `path` is where a tty is to be found.
pub fn connected(cable: Cable, path: &Path, profile: PrinterProfile) -> (SimulatedPrinterHandle, Connection) {
    let file = path.to_path_buf();
    match cable {
        Cable::Serial => {
            (simulator::serve(path, BAUD, profile).unwrap(), Connection::Serial { port: file, baud: BAUD })
        }
        Cable::Usb => (simulator::serve_usb(path, profile).unwrap(), Connection::Usb { device: file }),
        Cable::Tcp => {
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let simulator = simulator::serve_tcp(anywhere, profile).unwrap();
            let address = simulator.address().unwrap().to_string();
            (simulator, Connection::Tcp { address })
        }
    }
}

/// Something like a receipt: lines of text with gaps, and a square block.
pub fn receipt(height: u32) -> Bitmap {
    let mut bitmap = Bitmap::blank(DOTS, height);
    for y in (0..height).filter(|y| y % 40 < 24) {
        for x in (0..DOTS).filter(|x| (x * 7 + y * 13) % 5 == 0 && *x < 100 + (y / 40 * 97) % 476) {
            bitmap.set_black(x, y);
        }
    }
    bitmap
}

/// A wholly black picture, which takes the longest.
pub fn black(height: u32) -> Bitmap {
    let mut bitmap = Bitmap::blank(DOTS, height);
    bitmap.rows.fill(0xFF);
    bitmap
}

pub fn only(strip: Vec<SimulatedReceipt>) -> SimulatedReceipt {
    assert_eq!(strip.len(), 1, "{strip:?}");
    strip.into_iter().next().unwrap()
}

/// A whole receipt that shows exactly this picture.
pub fn assert_good(receipt: &SimulatedReceipt, bitmap: &Bitmap) {
    assert!(receipt.complete && receipt.cut && !receipt.in_progress, "{receipt:?}");
    assert!(receipt.stray_bytes == 0 && receipt.text.is_empty(), "{receipt:?}");
    assert!(receipt.bitmap == *bitmap, "the strip shows another picture: {receipt:?}");
}
