//! The way on after paper ended in the middle of a receipt: what came out is waste, the receipt is printed from its
//! start, and that once.

use std::time::{Duration, Instant};

use super::{PrintLevel, PrinterError, Receipt, ReceiptPrinter};

/// Time between two looks whether the printer is ready again.
const LOOK: Duration = Duration::from_millis(200);

/// What came of a print that could be begun again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reprint {
    /// What the printer confirmed.
    pub level: PrintLevel,
    /// The receipt was begun twice: a torn piece of it lies before the whole one.
    pub again: bool,
}

/// Prints a receipt. When paper ends or the cover is opened, waits up to `patience` for the printer to be ready and
/// prints the receipt from its start, once more and no more. The driver has cleared what the printer still held, so
/// nothing of the first attempt comes out behind the torn piece.
///
/// # Errors
/// Those of [`ReceiptPrinter::print`]; `started` is true when any of the attempts may have left paper.
pub fn print_again_once(
    printer: &mut dyn ReceiptPrinter,
    receipt: &Receipt,
    patience: Duration,
) -> Result<Reprint, PrinterError> {
    let first = match printer.print(receipt) {
        Ok(level) => return Ok(Reprint { level, again: false }),
        Err(error) => error,
    };
    let mendable = matches!(first, PrinterError::PaperEnd { .. } | PrinterError::CoverOpen { .. });
    if !mendable || !becomes_ready(printer, Instant::now() + patience) {
        return Err(first);
    }
    let again = first.started();
    match printer.print(receipt) {
        Ok(level) => Ok(Reprint { level, again }),
        Err(second) => Err(if again { second.once_started() } else { second }),
    }
}

fn becomes_ready(printer: &mut dyn ReceiptPrinter, deadline: Instant) -> bool {
    loop {
        // Somebody is at the printer: that it is away or silent for a moment means nothing.
        if printer.status().is_ok_and(|status| status.obstacle(false).is_none()) {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(LOOK));
    }
}
