//! A simulated receipt printer behind a pseudo terminal: it decodes what is sent and shows the paper strip.
//!
//! The rules of a real printer hold. DLE EOT is answered at once, even offline and even inside a picture; GS r
//! and the process id wait behind the print data and are not answered while offline; automatic status comes on
//! every change. When paper ends or the cover opens, printing stops at that row and the buffered rest is lost.

mod commands;
mod device;
mod strip;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use device::{ProcessIdSupport, SimulatedPrinter};
pub use strip::SimulatedReceipt;

use crate::receipt_printer::PrinterStatus;
use crate::wire::Wire;

/// What kind of printer is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterProfile {
    /// Dots of the print head.
    pub dots: u32,
    /// What the printer makes of GS ( H.
    pub process_id: ProcessIdSupport,
    /// Whether GS r is answered.
    pub queued_status: bool,
    /// Whether DLE ENQ 2 clears the buffer at any time, or only in an error state as on some printers.
    pub clears_any_time: bool,
}

impl Default for PrinterProfile {
    /// An 80 mm printer that confirms with process ids.
    fn default() -> PrinterProfile {
        PrinterProfile {
            dots: 576,
            process_id: ProcessIdSupport::Answers,
            queued_status: true,
            clears_any_time: true,
        }
    }
}

/// Starts a simulated printer; when this returns, `link` can be opened as its serial port.
pub fn serve(
    link: impl AsRef<Path>,
    baud: u32,
    profile: PrinterProfile,
) -> io::Result<SimulatedPrinterHandle> {
    let wire = Wire::start("receipt-printer-sim", link.as_ref(), baud, SimulatedPrinter::new(profile))?;
    Ok(SimulatedPrinterHandle { wire })
}

/// The hands at a running simulated printer. Dropping it unplugs the printer.
pub struct SimulatedPrinterHandle {
    wire: Wire<SimulatedPrinter>,
}

impl SimulatedPrinterHandle {
    /// Puts a full roll in, or takes the paper out.
    pub fn set_paper(&self, present: bool) {
        self.wire.with(|printer| printer.set_paper(present));
    }

    /// Lets the roll end after so many more rows of dots.
    pub fn end_paper_after(&self, rows: u32) {
        self.wire.with(|printer| printer.end_paper_after(rows));
    }

    /// Lets the near-end sensor report little paper.
    pub fn set_near_end(&self, near: bool) {
        self.wire.with(|printer| printer.set_near_end(near));
    }

    /// Opens or closes the cover.
    pub fn set_cover_open(&self, open: bool) {
        self.wire.with(|printer| printer.set_cover_open(open));
    }

    /// Opens the cover by itself after so many more rows of dots.
    pub fn open_cover_after(&self, rows: u32) {
        self.wire.with(|printer| printer.open_cover_after(rows));
    }

    /// Jams or clears the cutter.
    pub fn set_cutter_jam(&self, jammed: bool) {
        self.wire.with(|printer| printer.set_cutter_jam(jammed));
    }

    /// Heats or cools the print head; a hot head pauses printing.
    pub fn set_head_hot(&self, hot: bool) {
        self.wire.with(|printer| printer.set_head_hot(hot));
    }

    /// Lets the printer hear nothing and say nothing while true, as one that hangs.
    pub fn set_silent(&self, silent: bool) {
        self.wire.with(|printer| printer.set_silent(silent));
    }

    /// The printer's state.
    pub fn status(&self) -> PrinterStatus {
        self.wire.with(|printer| printer.status())
    }

    /// The receipts on the strip, oldest first, the one being printed last.
    pub fn strip(&self) -> Vec<SimulatedReceipt> {
        self.wire.with(|printer| printer.strip())
    }

    /// Tears the whole strip off and throws it away.
    pub fn clear_strip(&self) {
        self.wire.with(SimulatedPrinter::clear_strip);
    }

    /// Whether bytes and rows take the time they take on hardware; true at the start.
    pub fn set_paced(&self, paced: bool) {
        self.wire.with(|printer| printer.set_paced(paced));
        self.wire.set_paced(paced);
    }

    /// Pulls the plug; when this returns, the port is gone.
    pub fn unplug(&self) {
        self.wire.unplug();
    }

    /// Plugs in again; when this returns, the port can be opened.
    pub fn plug(&self) -> io::Result<()> {
        self.wire.plug()
    }

    /// Whether the printer is plugged in.
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Waits until the printer satisfies `condition`; false when `timeout` passed first.
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&SimulatedPrinter) -> bool) -> bool {
        self.wire.wait_until(timeout, condition)
    }
}
