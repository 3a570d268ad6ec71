//! Taking an input device for one process alone (`EVIOCGRAB`): a foreign call, and nothing else.
#![allow(unsafe_code)]

use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::ioctl::{IntegerSetter, Opcode, opcode};

const EVIOCGRAB: Opcode = opcode::write::<i32>(b'E', 0x90);
// The kernel's own number (linux/input.h).
const _: () = assert!(EVIOCGRAB == 0x4004_4590);

/// From now until it is closed, what is typed on the device comes to this process alone.
pub(super) fn grab(device: impl AsFd) -> Result<()> {
    // SAFETY: the call takes its number by value (not zero: grab) and touches no memory.
    unsafe { rustix::ioctl::ioctl(device, IntegerSetter::<EVIOCGRAB>::new_usize(1)) }
}
