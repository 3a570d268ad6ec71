//! A simulated receipt printer behind a pseudo terminal or a TCP port: it decodes what is sent and shows the
//! paper strip.
//!
//! The rules of a real printer hold. DLE EOT is answered at once, even offline and even inside a picture; GS r
//! and the process id wait behind the print data and are not answered while offline; automatic status comes on
//! every change. When paper ends or the cover opens, printing stops at that row and the buffered rest is lost or,
//! as in other printers, kept. On a serial line bytes beyond the receive buffer are lost; on USB and network
//! the host has to wait. Text is drawn in a font of this machine. Not drawn: bar codes, codes other than QR, font B,
//! page mode, upside-down and rotated characters.

mod commands;
mod device;
mod font;
mod length;
mod sensors;
mod strip;
mod symbol;
mod trouble;
mod typeset;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub use device::{ProcessIdSupport, SimulatedPrinter};
pub use strip::SimulatedReceipt;

use crate::receipt_printer::PrinterStatus;
use crate::receipt_printer::protocol::ErrorCause;
use crate::wire::{Outlet, Wire};

/// Bits per second of USB and network as the wire counts them, ten for a byte: about what a printer takes.
const FAST_BAUD: u32 = 10_000_000;

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
    /// Whether what is buffered outlives a paper end and comes out by itself when there is paper again.
    pub keeps_buffer: bool,
    /// Bytes that wait to be worked off.
    pub receive_buffer: usize,
    /// Whether a sensor at the mouth sees cut receipts (DLE EOT 20).
    pub exit_sensor: bool,
}

impl Default for PrinterProfile {
    /// An 80 mm printer that confirms with process ids.
    fn default() -> PrinterProfile {
        PrinterProfile {
            dots: 576,
            process_id: ProcessIdSupport::Answers,
            queued_status: true,
            clears_any_time: true,
            keeps_buffer: false,
            receive_buffer: 64 * 1024,
            exit_sensor: false,
        }
    }
}

const THREAD: &str = "receipt-printer-sim";

/// Starts a simulated printer; when this returns, `link` can be opened as its serial port.
pub fn serve(
    link: impl AsRef<Path>,
    baud: u32,
    profile: PrinterProfile,
) -> io::Result<SimulatedPrinterHandle> {
    let wire = Wire::start(THREAD, link.as_ref(), baud, SimulatedPrinter::new(profile, false))?;
    Ok(SimulatedPrinterHandle { wire })
}

/// Starts a simulated USB printer; when this returns, `link` can be opened as its `/dev/usb/lp*`. The file is a pseudo
/// terminal in raw mode, which reads, writes, waits and is unplugged like that device file.
pub fn serve_usb(link: impl AsRef<Path>, profile: PrinterProfile) -> io::Result<SimulatedPrinterHandle> {
    let wire = Wire::start(THREAD, link.as_ref(), FAST_BAUD, SimulatedPrinter::new(profile, true))?;
    Ok(SimulatedPrinterHandle { wire })
}

/// Starts a simulated network printer; when this returns, `address` can be connected to. Port 0 is a free one,
/// see [`SimulatedPrinterHandle::address`].
pub fn serve_tcp(address: SocketAddr, profile: PrinterProfile) -> io::Result<SimulatedPrinterHandle> {
    let printer = SimulatedPrinter::new(profile, true);
    let wire = Wire::start_at(THREAD, Outlet::Tcp(address), FAST_BAUD, printer)?;
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

    /// Lets the roll end after so many more rows of dots; puts such a roll in when there is none.
    pub fn end_paper_after(&self, rows: u32) {
        self.wire.with(|printer| printer.end_paper_after(rows));
    }

    /// Lets the near-end sensor report little paper.
    pub fn set_near_end(&self, near: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.near_end = near));
    }

    /// Opens or closes the cover.
    pub fn set_cover_open(&self, open: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.cover_open = open));
    }

    /// Opens the cover by itself after so many more rows of dots.
    pub fn open_cover_after(&self, rows: u32) {
        self.wire.with(|printer| printer.open_cover_after(rows));
    }

    /// Jams or clears the cutter.
    pub fn set_cutter_jam(&self, jammed: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.error.cutter = jammed));
    }

    /// Lets the cutter jam at the next cut: everything is on paper then, and nothing is cut off.
    pub fn jam_at_cut(&self) {
        self.wire.with(SimulatedPrinter::jam_at_cut);
    }

    /// Heats or cools the print head; a hot head pauses printing.
    pub fn set_head_hot(&self, hot: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.error.auto_recoverable = hot));
    }

    /// Breaks or repairs the printer in every way that it can report.
    pub fn set_error(&self, error: ErrorCause) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.error = error));
    }

    /// Presses or lets go the feed button; printing pauses meanwhile.
    pub fn set_feed_button(&self, pressed: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.feed_button = pressed));
    }

    /// Lets the printer wait for somebody to bring it online.
    pub fn set_waiting_recovery(&self, waiting: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.waiting_recovery = waiting));
    }

    /// Sets the level of the drawer connector's pin 3.
    pub fn set_drawer_pin_high(&self, high: bool) {
        self.wire.with(|printer| printer.feel(|sensors| sensors.drawer_pin_high = high));
    }

    /// Takes the receipt out of the mouth; false when none is there, or no sensor.
    pub fn take_receipt(&self) -> bool {
        self.wire.with(|printer| std::mem::take(&mut printer.sensors.mouth))
    }

    /// Lets the printer hear nothing and say nothing while true, as one that hangs.
    pub fn set_silent(&self, silent: bool) {
        self.wire.with(|printer| printer.trouble.silent = silent);
    }

    /// Lets the printer take no more bytes and do nothing while true, as one that holds its host with a handshake.
    pub fn set_stuck(&self, stuck: bool) {
        self.wire.with(|printer| printer.trouble.stuck = stuck);
    }

    /// Puts a byte of noise before every so many bytes that the printer says; 0 ends it.
    pub fn set_noise(&self, every: u32) {
        self.wire.with(|printer| printer.trouble.set_noise(every));
    }

    /// Lets everything that the printer says leave it so much later.
    pub fn set_delay(&self, delay: Duration) {
        self.wire.with(|printer| printer.trouble.set_delay(delay));
    }

    /// Pulls the plug behind the host's byte number `bytes`, counted from now.
    pub fn unplug_after(&self, bytes: u64) {
        self.wire.with(|printer| printer.trouble.drop_after(bytes));
    }

    /// Bytes that have come in since the start.
    pub fn received_bytes(&self) -> u64 {
        self.wire.with(|printer| printer.received_bytes())
    }

    /// Times that the host had the buffer cleared since the start.
    pub fn cleared(&self) -> u32 {
        self.wire.with(|printer| printer.cleared())
    }

    /// Where a network printer listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.wire.address()
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
