//! The ways to a printer, behind one trait: a serial line, a USB printer's device file, a TCP port.
//!
//! The protocol is the same on all three. They differ in how fast bytes travel, in who waits when the printer's
//! buffer is full, and in how bytes that were not printed are taken back.

mod descriptor;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::serial_line::{LineError, Ready, SerialLine};
use descriptor::{Address, DescriptorLine};

/// Time of one byte on USB and network: a twentieth of what USB at full speed carries, so that a deadline made of
/// it suits a slow print server too.
const FAST_BYTE: Duration = Duration::from_micros(10);

/// How a printer is connected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "transport", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Connection {
    /// A serial line, 8 data bits, no parity, 1 stop bit, no handshake.
    Serial {
        /// The tty.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// The device file of the kernel's USB printer class, `/dev/usb/lp*`.
    Usb {
        /// The file.
        device: PathBuf,
    },
    /// Raw printing over TCP, usually port 9100.
    Tcp {
        /// Host and port, as `192.0.2.7:9100`. A name is looked up at each connecting, which may take long.
        address: String,
    },
}

impl Connection {
    /// The way to the printer; opened at its first use.
    pub(crate) fn transport(&self) -> Box<dyn Transport> {
        match self {
            Connection::Serial { port, baud } => Box::new(SerialLine::new(port, *baud)),
            Connection::Usb { device } => Box::new(DescriptorLine::new(Address::Usb(device.clone()))),
            Connection::Tcp { address } => Box::new(DescriptorLine::new(Address::Tcp(address.clone()))),
        }
    }

    /// Whether a picture of a whole receipt takes too long on this way, so that text should go as text.
    pub fn is_slow(&self) -> bool {
        matches!(self, Connection::Serial { .. })
    }
}

/// A way to a printer. Every call blocks, until its deadline at most.
pub(crate) trait Transport: Send {
    /// Opens the way if needed and throws away what has come in and was not read. A way that was broken off while
    /// nothing was going on is opened again once, without an error.
    fn ready(&mut self) -> Result<Ready, LineError>;
    /// Hands over the head of `bytes`, waiting until `until` for room. `Ok(0)` means that there was none.
    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError>;
    /// Reads what is there, waiting until `until` for the first byte. `Ok(0)` means that nothing came.
    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError>;
    /// Throws away what was handed over and has not left yet.
    fn discard_output(&mut self);
    /// Time that so many bytes take at least, or, where nobody knows, surely.
    fn line_time(&self, bytes: usize) -> Duration;

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

impl Transport for SerialLine {
    fn ready(&mut self) -> Result<Ready, LineError> {
        SerialLine::ready(self)
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        SerialLine::write_some(self, bytes, until)
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        SerialLine::read_some(self, into, until)
    }

    fn discard_output(&mut self) {
        SerialLine::discard_output(self);
    }

    fn line_time(&self, bytes: usize) -> Duration {
        // Start bit, eight bits, stop bit.
        Duration::from_micros(bytes as u64 * 10_000_000 / u64::from(self.baud().max(1)))
    }
}

impl Transport for DescriptorLine {
    fn ready(&mut self) -> Result<Ready, LineError> {
        DescriptorLine::ready(self)
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        DescriptorLine::write_some(self, bytes, until)
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        DescriptorLine::read_some(self, into, until)
    }

    fn discard_output(&mut self) {
        self.close();
    }

    fn line_time(&self, bytes: usize) -> Duration {
        FAST_BYTE * bytes as u32
    }
}
