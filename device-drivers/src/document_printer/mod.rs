//! A4 page printer: the trait that the kiosk sees, its states and its errors.
//!
//! [`protocol`] is pure bytes (IPP messages, RFC 8010 and 8011), [`driver`] speaks them over HTTP straight to an IPP
//! Everywhere printer (PWG 5100.14), [`simulator`] is such a printer. A print-out counts as printed only when the
//! printer says that its job is completed; what does not end in time is taken back, so that nobody finds a stranger's
//! pages in the tray later. Absent: queues of a print server, printers without IPP, other formats than PDF, TLS (a
//! kiosk's printer hangs on its own cable, or on USB behind `ipp-usb`), and media other than A4.

pub mod driver;
mod http_line;
pub mod protocol;
pub mod simulator;

use std::time::Duration;

pub use driver::{AddressError, Deadlines, IppDocumentPrinter};
pub use protocol::{JobState, Obstacle};

use crate::remedy::{Fault, Remedy};

/// The longest print-out, in bytes. A receipt of ten pages is some hundred kilobytes.
pub const MAX_PDF_BYTES: usize = 32 * 1024 * 1024;

/// A printer of A4 pages. Every call blocks, with a deadline of its own.
pub trait DocumentPrinter: Send {
    /// Asks for the present state.
    fn status(&mut self) -> Result<DocumentPrinterStatus, DocumentPrinterError>;
    /// Prints one print-out and waits until the printer says that it is done, for at most `patience` from the moment
    /// the printer holds it. `watch` is told how far the job is about twice a second and may have it taken back.
    /// Prints nothing when the printer is not ready, and never tries again by itself.
    fn print(
        &mut self,
        print_out: &PrintOut<'_>,
        patience: Duration,
        watch: &mut dyn FnMut(JobProgress) -> Go,
    ) -> Result<Printed, DocumentPrinterError>;
}

/// What is to be printed. The bytes stay the caller's.
#[derive(Clone, Copy)]
pub struct PrintOut<'a> {
    /// A PDF with A4 pages.
    pub pdf: &'a [u8],
    /// How many copies, from 1.
    pub copies: u8,
    /// Which sides of the paper; a printer that cannot turn paper prints one side.
    pub sides: Sides,
}

impl<'a> PrintOut<'a> {
    /// One copy, one side.
    pub fn once(pdf: &'a [u8]) -> PrintOut<'a> {
        PrintOut { pdf, copies: 1, sides: Sides::One }
    }
}

impl std::fmt::Debug for PrintOut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrintOut([redacted] × {}, {:?})", self.copies, self.sides)
    }
}

/// Which sides of the paper are printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sides {
    /// One side.
    One,
    /// Both, turned over the long edge like a book.
    Both,
}

/// Whether a print goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Go {
    /// Go on.
    On,
    /// Take the job back.
    Withdraw,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobProgress {
    /// Where the job stands.
    pub state: JobState,
    /// Sides of paper that came out, if the printer counts them.
    pub impressions: Option<u32>,
    /// What keeps the printer from going on. It goes on by itself when that is put right.
    pub obstacle: Option<Obstacle>,
}

/// A print-out that came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Sides of paper that came out, if the printer counts them.
    pub impressions: Option<u32>,
}

/// The printer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentPrinterStatus {
    /// What keeps it from printing.
    pub obstacle: Option<Obstacle>,
    /// What an operator should see to before it keeps the printer from printing: little toner, an empty second tray.
    pub attention: Option<Obstacle>,
    /// Whether it takes a job now.
    pub accepting: bool,
    /// Whether it can print on both sides.
    pub two_sided: bool,
}

/// Why a call to the printer failed, and what may be on paper or come out later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{failure} (print begun: {started}, left in the printer: {left_behind})")]
pub struct DocumentPrinterError {
    /// What went wrong.
    pub failure: Failure,
    /// Whether a part of the print-out may be on paper.
    pub started: bool,
    /// Whether the job could not be taken back, and may come out later by itself. The next print sees to it first.
    pub left_behind: bool,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The printer cannot be reached. The next call tries again.
    #[error("the document printer cannot be reached")]
    Gone,
    /// The connection broke in the middle: the printer was switched off, or its plug was pulled.
    #[error("the connection to the document printer broke")]
    Cut,
    /// The printer was reached and did not answer in time.
    #[error("the document printer did not answer")]
    NoAnswer,
    /// The printer's answer cannot be understood.
    #[error("the document printer's answer was damaged")]
    Garbled,
    /// The printer is at another job.
    #[error("the document printer is busy")]
    Busy,
    /// Something keeps the printer from printing.
    #[error("the document printer cannot print: {0:?}")]
    Obstacle(Obstacle),
    /// The job did not end in time, and the printer names no reason.
    #[error("the document printer did not finish in time")]
    Unfinished,
    /// The printer gave the job up.
    #[error("the document printer gave the job up")]
    Aborted,
    /// Somebody took the job back at the printer.
    #[error("the job was cancelled at the document printer")]
    Cancelled,
    /// The caller took the job back.
    #[error("the job was taken back")]
    Withdrawn,
    /// The printer completed the job with errors (`job-completed-with-errors`), or forgot it.
    #[error("the document printer did not confirm the print-out")]
    Unconfirmed,
    /// The printer refuses a request, with this IPP status code (RFC 8011 appendix B).
    #[error("the document printer refuses: status {0:04X}")]
    Refused(u16),
    /// The printer refuses at the level of HTTP, with this status.
    #[error("the document printer refuses: HTTP {0}")]
    Http(u16),
    /// The printer does not take PDF.
    #[error("the document printer does not take PDF")]
    NoPdf,
    /// The printer cannot make so many copies.
    #[error("the document printer cannot make so many copies")]
    Copies,
    /// What was to be printed is no PDF, or too long.
    #[error("no PDF of at most 32 MiB, or no copy of it")]
    BadPrintOut,
}

impl DocumentPrinterError {
    /// Nothing was handed over.
    pub(crate) fn before(failure: Failure) -> DocumentPrinterError {
        DocumentPrinterError { failure, started: false, left_behind: false }
    }

    /// What can be done about it. `Retry` is said only when nothing was printed and nothing is left in the printer.
    pub fn remedy(&self) -> Remedy {
        let untouched = !self.started && !self.left_behind;
        let fault = match self.failure {
            Failure::Busy | Failure::Withdrawn if untouched => return Remedy::Retry,
            Failure::Gone | Failure::Cut => Fault::DocumentPrinterGone,
            Failure::NoAnswer => Fault::DocumentPrinterSilent,
            Failure::Obstacle(obstacle) => match obstacle {
                Obstacle::PaperEnd => Fault::DocumentPrinterPaperEnd,
                Obstacle::Jam => Fault::DocumentPrinterJam,
                Obstacle::CoverOpen => Fault::DocumentPrinterCoverOpen,
                Obstacle::OutputFull => Fault::DocumentPrinterOutputFull,
                Obstacle::TonerEmpty => Fault::DocumentPrinterToner,
                Obstacle::Paused | Obstacle::Fault => Fault::DocumentPrinterFault,
            },
            Failure::Garbled
            | Failure::Busy
            | Failure::Withdrawn
            | Failure::Unfinished
            | Failure::Aborted
            | Failure::Cancelled
            | Failure::Unconfirmed
            | Failure::Refused(_)
            | Failure::Http(_)
            | Failure::NoPdf
            | Failure::Copies
            | Failure::BadPrintOut => Fault::DocumentPrinterFault,
        };
        Remedy::CallOperator(fault)
    }
}
