//! ESC/POS receipt printer: the trait that the kiosk sees, its states and its errors.
//!
//! [`protocol`] is pure bytes, [`driver`] speaks it over a serial port, [`simulator`] prints it on a virtual
//! strip. A print counts only as far as the printer confirmed it, and nothing is ever printed twice by itself.
//! Absent: text mode and code pages (rare names are not in a printer's font: everything is a bitmap), the
//! printer's own QR commands, presenters and exit sensors (a profile per model, when one is bought).

mod bitmap;
pub mod driver;
pub mod protocol;
pub mod simulator;

pub use bitmap::{Bitmap, BitmapError};
pub use driver::SerialReceiptPrinter;

use crate::remedy::{Fault, Remedy};

/// A printer of receipts. Every call blocks, with a deadline of its own.
pub trait ReceiptPrinter: Send {
    /// Asks for the present state.
    fn status(&mut self) -> Result<PrinterStatus, PrinterError>;
    /// Prints one bitmap, cuts it off, and returns what the printer confirmed. Prints nothing when the printer
    /// is not ready, and never tries again by itself.
    fn print(&mut self, bitmap: &Bitmap) -> Result<PrintLevel, PrinterError>;
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

    /// The level as a number, 0 to 2.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Whether the printer confirmed anything at all.
    pub fn is_confirmed(self) -> bool {
        self.0 > 0
    }
}

/// The paper roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paper {
    /// Enough.
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

/// The printer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterStatus {
    /// Ready to print.
    pub online: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// The paper roll.
    pub paper: Paper,
    /// A fault, the gravest when there are several.
    pub error: Option<PrinterFault>,
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

/// Why a call to the printer failed. `started: false` means that nothing of this receipt can be on paper;
/// `started: true` that a part of it may be, and that the print was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrinterError {
    /// The port is missing, cannot be opened, or was hung up. The next call tries to open it again.
    #[error("the receipt printer is not connected (print begun: {started})")]
    Gone {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// The paper is used up.
    #[error("the receipt printer has no paper (print begun: {started})")]
    PaperEnd {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// The cover is open.
    #[error("the receipt printer's cover is open (print begun: {started})")]
    CoverOpen {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// The cutter is jammed.
    #[error("the receipt printer's cutter is jammed (print begun: {started})")]
    CutterJam {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// The print head has to cool first.
    #[error("the receipt printer's head is hot (print begun: {started})")]
    HeadHot {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// Another fault.
    #[error("the receipt printer reports a fault: {fault:?} (print begun: {started})")]
    Fault {
        /// Which.
        fault: PrinterFault,
        /// Whether a part may be on paper.
        started: bool,
    },
    /// Offline, and the printer does not say why.
    #[error("the receipt printer is offline (print begun: {started})")]
    Offline {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// The printer does not answer.
    #[error("the receipt printer did not answer (print begun: {started})")]
    NoAnswer {
        /// Whether a part may be on paper.
        started: bool,
    },
    /// Everything was sent and the printer looks well, but it did not confirm in time.
    #[error("the receipt printer did not confirm the print")]
    Unconfirmed,
    /// The bitmap cannot be printed on this printer.
    #[error("the bitmap cannot be printed: {0}")]
    Bitmap(#[from] BitmapError),
}

impl PrinterError {
    /// Whether a part of the receipt may be on paper.
    pub fn started(&self) -> bool {
        match self {
            PrinterError::Gone { started }
            | PrinterError::PaperEnd { started }
            | PrinterError::CoverOpen { started }
            | PrinterError::CutterJam { started }
            | PrinterError::HeadHot { started }
            | PrinterError::Fault { started, .. }
            | PrinterError::Offline { started }
            | PrinterError::NoAnswer { started } => *started,
            PrinterError::Unconfirmed => true,
            PrinterError::Bitmap(_) => false,
        }
    }

    /// What can be done about it. `Retry` is said only when nothing was printed.
    pub fn remedy(&self) -> Remedy {
        match self {
            PrinterError::HeadHot { started: false } => Remedy::Retry,
            PrinterError::Gone { .. } => Remedy::CallOperator(Fault::PrinterGone),
            PrinterError::PaperEnd { .. } => Remedy::CallOperator(Fault::PrinterPaperEnd),
            PrinterError::CoverOpen { .. } => Remedy::CallOperator(Fault::PrinterCoverOpen),
            PrinterError::CutterJam { .. } => Remedy::CallOperator(Fault::PrinterCutter),
            PrinterError::NoAnswer { .. } => Remedy::CallOperator(Fault::PrinterSilent),
            PrinterError::HeadHot { .. }
            | PrinterError::Fault { .. }
            | PrinterError::Offline { .. }
            | PrinterError::Unconfirmed
            | PrinterError::Bitmap(_) => Remedy::CallOperator(Fault::PrinterFault),
        }
    }
}
