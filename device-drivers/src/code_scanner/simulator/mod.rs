//! A simulated code scanner behind a pseudo terminal: on a serial line it sends lines, and as a keyboard the very
//! events that the kernel gives for one.

mod device;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use device::{ScannerFault, ScannerKind, ScannerProfile, SimulatedScanner};

use crate::wire::Wire;

/// Rate of the serial line; events of a keyboard are sent as they come.
const BAUD: u32 = 115_200;

/// Starts a simulated scanner; when this returns, `link` can be opened.
///
/// # Errors
/// When no pseudo terminal can be made there.
pub fn serve(link: impl AsRef<Path>, profile: ScannerProfile) -> io::Result<SimulatedScannerHandle> {
    let wire = Wire::start("code-scanner-sim", link.as_ref(), BAUD, SimulatedScanner::new(profile))?;
    wire.set_paced(profile.kind == ScannerKind::Serial);
    Ok(SimulatedScannerHandle { wire })
}

/// The hands at a running simulated scanner. Dropping it unplugs the scanner.
pub struct SimulatedScannerHandle {
    wire: Wire<SimulatedScanner>,
}

impl SimulatedScannerHandle {
    /// Holds a code before the scanner; its bytes are sent as the scanner's settings are.
    pub fn scan(&self, code: &[u8]) {
        self.wire.with(|scanner| scanner.scan(code, None));
    }

    /// Holds a code before the scanner, and something goes wrong with it.
    pub fn scan_with(&self, code: &[u8], fault: ScannerFault) {
        self.wire.with(|scanner| scanner.scan(code, Some(fault)));
    }

    /// Waits until everything that was scanned has been sent; false when `timeout` passed first.
    pub fn wait_until_sent(&self, timeout: Duration) -> bool {
        self.wire.wait_until(timeout, SimulatedScanner::has_sent_all)
    }

    /// Whether the scanner is plugged in.
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Pulls the plug; when this returns, the port is gone.
    pub fn unplug(&self) {
        self.wire.unplug();
    }

    /// Plugs in again; when this returns, the port can be opened.
    ///
    /// # Errors
    /// When no pseudo terminal can be made there.
    pub fn plug(&self) -> io::Result<()> {
        self.wire.plug()
    }
}
