//! Why a call to the printer failed, and what can be done about it.

use super::{BitmapError, PrinterFault};
use crate::remedy::{Fault, Remedy};

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
