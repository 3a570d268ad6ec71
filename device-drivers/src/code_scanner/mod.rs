//! Code scanner: QR codes and barcodes that residents hold before it, whatever the scanner is plugged into.
//!
//! [`protocol`] is pure bytes (lines of a serial scanner, key events of a scanner that types), [`driver`] reads them,
//! [`camera`] finds codes in the pictures of a camera instead, [`rules`] says what kind of code one is,
//! [`simulator`] is scanned with. Absent: what a code means. Most codes of Chinese offices are tokens that only
//! their office can read, so they are handed on as they are.
//!
//! A code may be somebody's health-insurance credential and is as good as money for some minutes: it lives in
//! [`ScannedCode`], which zeroes itself and prints as `[redacted]`.

pub mod camera;
pub mod driver;
pub mod protocol;
pub mod rules;
pub mod simulator;

mod grab;

pub use camera::code_in;
pub use driver::{KeyboardCodeScanner, SerialCodeScanner};
pub use protocol::{MAX_CODE_BYTES, ScanEnd};
pub use rules::{Characters, CodeRule, CodeRules};

use std::fmt;
use std::time::Instant;

use zeroize::Zeroizing;

use crate::remedy::{Fault, Hint, Remedy};

/// A scanner of codes.
pub trait CodeScanner: Send {
    /// The next code that was scanned, waiting for it until `until`; `None` when none came. A code that comes again
    /// within 2.5 s is the same scan and is not given twice.
    ///
    /// # Errors
    /// [`ScannerError`]; what came of a broken scan is gone, the next one is whole again.
    fn next_code(&mut self, until: Instant) -> Result<Option<ScannedCode>, ScannerError>;

    /// Forgets everything that was scanned before now. To be called before a resident is asked to scan, so that a
    /// code of the one before never counts.
    ///
    /// # Errors
    /// [`ScannerError::Gone`].
    fn clear(&mut self) -> Result<(), ScannerError>;
}

/// The text of a code.
#[derive(Clone, PartialEq, Eq)]
pub struct ScannedCode(Zeroizing<String>);

impl ScannedCode {
    /// Takes a code's text over.
    pub fn new(text: impl Into<Zeroizing<String>>) -> ScannedCode {
        ScannedCode(text.into())
    }

    /// The text, to be handed on and not to be logged.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScannedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScannedCode([redacted])")
    }
}

/// Why a scan failed. Carries nothing of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScannerError {
    /// The scanner is missing, cannot be opened, or was unplugged. The next call tries to open it again.
    #[error("the code scanner is not connected")]
    Gone,
    /// The code is longer than any that is used here.
    #[error("the scanned code is longer than {MAX_CODE_BYTES} bytes")]
    TooLong,
    /// The code holds bytes that are no text.
    #[error("the scanned code is no text")]
    NotText,
    /// Part of the code got lost on the way.
    #[error("the scanned code came in part")]
    Incomplete,
}

impl ScannerError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ScannerError::Gone => Remedy::CallOperator(Fault::ScannerGone),
            ScannerError::Incomplete => Remedy::AskCitizen(Hint::ScanAgain),
            ScannerError::TooLong | ScannerError::NotText => Remedy::AskCitizen(Hint::ScanAnotherCode),
        }
    }
}
