//! Descriptors that came from the kiosk by accident: the screen, a printer, a database.
#![allow(
    unsafe_code,
    reason = "closes descriptors by number; this file is listed in xtask/src/tidy/sources.rs"
)]

use std::io;
use std::os::fd::RawFd;

/// The last of the three that are handed over on purpose.
const LAST_STANDARD: RawFd = 2;
/// What this process has open: a link for each descriptor.
const OPEN: &str = "/proc/self/fd";

/// Closes all but standard input, output and error. Must be the first thing that the program does.
pub fn close() -> io::Result<()> {
    // All of them first: the listing has a descriptor of its own, which is gone when the loop begins.
    let listed: Vec<RawFd> = std::fs::read_dir(OPEN)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > LAST_STANDARD)
        .collect();
    for descriptor in listed {
        if std::fs::symlink_metadata(format!("{OPEN}/{descriptor}")).is_ok() {
            // SAFETY: it is open, and nothing in this program has opened anything yet, so nobody owns it.
            unsafe { rustix::io::close(descriptor) };
        }
    }
    Ok(())
}
