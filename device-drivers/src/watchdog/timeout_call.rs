//! The one system call that a file cannot express: telling the watchdog its timeout.

#![expect(unsafe_code, reason = "an ioctl has no type; its number says what the kernel reads and writes")]

use std::fs::File;

use rustix::ioctl::{Updater, ioctl, opcode};

/// `WDIOC_SETTIMEOUT` of `linux/watchdog.h`: `_IOWR('W', 6, int)`.
const SET_TIMEOUT: rustix::ioctl::Opcode = opcode::read_write::<i32>(b'W', 6);

/// Sets the timeout in seconds; returns the one that the driver took, which may be another.
pub(super) fn set_timeout(watchdog: &File, seconds: i32) -> rustix::io::Result<i32> {
    let mut seconds = seconds;
    // SAFETY: for this number the kernel reads and writes exactly one C int behind the pointer, and `seconds`
    // is one that lives until the call returns. On what is no watchdog the kernel refuses the number
    // (ENOTTY).
    unsafe { ioctl(watchdog, Updater::<SET_TIMEOUT, i32>::new(&mut seconds)) }?;
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_has_the_number_of_the_kernels_header() {
        assert_eq!(SET_TIMEOUT, 0xC004_5706);
    }

    #[test]
    fn what_is_no_watchdog_refuses_it() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(set_timeout(&file, 30), Err(rustix::io::Errno::NOTTY));
    }
}
