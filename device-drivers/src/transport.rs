//! What a driver stands on: bytes out and bytes in, each with a deadline, whatever the cable is.
//!
//! A transport knows no protocol. It opens its device at the first use and again after it was lost, so a device
//! that is unplugged and plugged in again needs no restart of the kiosk.

use std::time::Instant;

/// Why the way to a device failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineError {
    /// The device is not there, cannot be opened, or was unplugged. The next [`Transport::ready`] opens it again.
    Gone,
    /// The device did not take the bytes in time.
    Stuck,
}

/// What [`Transport::ready`] had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// The device was opened for this use: nothing is known about what it holds.
    Opened,
    /// The device was open already.
    StillOpen,
}

/// A way to one device. Every call blocks, at most until its deadline.
pub trait Transport: Send {
    /// Opens the device if needed and throws away input that nobody asked for. A device that was lost while
    /// nothing was going on is opened again once, without an error.
    fn ready(&mut self) -> Result<Ready, LineError>;

    /// Throws away what was written and has not left yet, as far as the cable allows. Where the way is a connection,
    /// it is closed: nothing that is still under way on it arrives any more, in either direction.
    fn discard_output(&mut self);

    /// Hands over the head of `bytes`, waiting until `until` for room. `Ok(0)` means that there was none.
    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError>;

    /// Reads what is there, waiting until `until` for the first byte. `Ok(0)` means that nothing came.
    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError>;

    /// Hands over all of `bytes` before `deadline`.
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.write_some(rest, deadline)? {
                0 => return Err(LineError::Stuck),
                count => rest = &rest[count..],
            }
        }
        Ok(())
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn ready(&mut self) -> Result<Ready, LineError> {
        (**self).ready()
    }

    fn discard_output(&mut self) {
        (**self).discard_output();
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        (**self).write_some(bytes, until)
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        (**self).read_some(into, until)
    }
}
