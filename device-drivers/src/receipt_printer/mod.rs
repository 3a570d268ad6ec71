//! ESC/POS receipt printer: the trait that the kiosk sees, its states and its errors.
//!
//! [`protocol`] is pure bytes, the driver speaks it over a serial line, USB or TCP, [`simulator`] prints it on
//! a virtual strip. A print counts only as far as the printer confirmed it. Nothing is printed twice by itself.
//! Absent: rendering (a receipt comes as a picture), the printer's own QR and bar codes (a picture is the same on every
//! model), code pages other than GB 18030.

mod bitmap;
mod connection;
mod driver;
mod error;
mod model;
pub mod protocol;
mod receipt;
pub mod simulator;

pub use bitmap::{Bitmap, BitmapError};
pub use connection::{Connection, LineSpeed};
pub use driver::EscPosPrinter;
pub use error::PrinterError;
pub use model::{Characters, ExitSensor, ModelError, PrinterModel, TextMode};
pub use receipt::{Align, Part, PartsError, Receipt, TextLine};

/// A printer of receipts. Every call blocks, with a deadline of its own.
pub trait ReceiptPrinter: Send {
    /// Asks for the present state.
    fn status(&mut self) -> Result<PrinterStatus, PrinterError>;
    /// Prints one receipt, cuts it off, and returns what the printer confirmed. Prints nothing when the printer
    /// is not ready, and never tries again by itself.
    fn print(&mut self, receipt: &Receipt) -> Result<PrintLevel, PrinterError>;
    /// Looks what has become of the last receipt: the level that it has reached by now. With a sensor at the
    /// printer's mouth this goes on from [`PrintLevel::OUT`] to [`PrintLevel::TAKEN`]; without one, and before any
    /// print, it stays what it was.
    fn follow(&mut self) -> Result<PrintLevel, PrinterError>;
}

/// How far a print is known to have come. Never more than the printer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrintLevel(u8);

impl PrintLevel {
    /// The bytes were sent; the printer confirms nothing.
    pub const SENT: PrintLevel = PrintLevel(0);
    /// The printer worked off everything (`GS r` answered).
    pub const PROCESSED: PrintLevel = PrintLevel(1);
    /// Printing has completed (process id answered) and no fault was reported meanwhile.
    pub const COMPLETED: PrintLevel = PrintLevel(2);
    /// The sensor at the mouth saw the receipt.
    pub const OUT: PrintLevel = PrintLevel(3);
    /// The sensor at the mouth saw the receipt, and then that it was gone.
    pub const TAKEN: PrintLevel = PrintLevel(4);

    /// The level as a number, 0 to 4.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Whether the printer confirmed anything at all.
    pub fn is_confirmed(self) -> bool {
        self.0 > 0
    }
}

/// The paper roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Paper {
    /// Enough.
    #[default]
    Present,
    /// Little is left; printing still works.
    NearEnd,
    /// None.
    End,
}

/// A fault that the printer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrinterFault {
    /// The cutter is jammed.
    Cutter,
    /// Another mechanical fault that an operator can clear.
    Mechanical,
    /// A fault that only repair ends.
    Unrecoverable,
    /// The print head is hot; the printer goes on by itself when it has cooled.
    HeadHot,
}

/// The printer's state: everything that DLE EOT 1 to 4 and the automatic status can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrinterStatus {
    /// Ready to print.
    pub online: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// The paper roll.
    pub paper: Paper,
    /// A fault, the gravest when there are several.
    pub error: Option<PrinterFault>,
    /// Paper is being fed with the button.
    pub feeding: bool,
    /// The feed button is pressed.
    pub feed_button: bool,
    /// Waiting for somebody to bring it online, as after a cover was closed.
    pub waiting_recovery: bool,
    /// Pin 3 of the drawer connector is high; means nothing where no drawer is connected.
    pub drawer_pin_high: bool,
}

impl PrinterStatus {
    /// Why nothing can be printed in this state, if so. `started` says whether a print had begun.
    pub fn obstacle(&self, started: bool) -> Option<PrinterError> {
        if self.cover_open {
            return Some(PrinterError::CoverOpen { started });
        }
        if self.paper == Paper::End {
            return Some(PrinterError::PaperEnd { started });
        }
        match self.error {
            Some(PrinterFault::Cutter) => Some(PrinterError::CutterJam { started }),
            Some(PrinterFault::HeadHot) => Some(PrinterError::HeadHot { started }),
            Some(fault) => Some(PrinterError::Fault { fault, started }),
            None if !self.online => Some(PrinterError::Offline { started }),
            None => None,
        }
    }
}
