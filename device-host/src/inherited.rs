//! Descriptors that came from the kiosk by accident: the screen, a printer, a database.
#![allow(
    unsafe_code,
    reason = "closes descriptors by number; this file is listed in xtask/src/tidy/sources.rs"
)]

use std::io;
use std::os::fd::RawFd;

/// The last of the three that are handed over on purpose.
const LAST_STANDARD: RawFd = 2;

/// Closes all but standard input, output and error. Must be the first thing that the program does.
pub fn close() -> io::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    // All of them first: the listing has a descriptor of its own, which must not be closed below it.
    let open: Vec<RawFd> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > LAST_STANDARD) {
        // SAFETY: nothing in this program has opened anything yet, so nobody owns this number. That of the listing is
        // closed already, and closing it again does nothing, as this is the only thread.
        unsafe { rustix::io::close(descriptor) };
    }
    Ok(())
}
