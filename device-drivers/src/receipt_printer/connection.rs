//! The ways to a printer: a serial line, a USB printer's device file, a TCP port.
//!
//! The protocol is the same on all three. They differ in how fast bytes travel, in who waits when the printer's
//! buffer is full, and in how bytes that were not printed are taken back.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::descriptor_line::DescriptorLine;
use crate::serial_line::SerialLine;
use crate::transport::Transport;

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

/// How fast bytes reach a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineSpeed {
    /// A serial line. The picture of a whole receipt takes too long on it, so text goes as text.
    Serial {
        /// Bits per second.
        baud: u32,
    },
    /// USB or network: a picture takes no time worth saving.
    Fast,
}

impl Connection {
    /// The way to the printer; opened at its first use.
    pub fn transport(&self) -> Box<dyn Transport> {
        match self {
            Connection::Serial { port, baud } => Box::new(SerialLine::new(port, *baud)),
            Connection::Usb { device } => Box::new(DescriptorLine::usb(device)),
            Connection::Tcp { address } => Box::new(DescriptorLine::tcp(address)),
        }
    }

    /// How fast that way is.
    pub fn speed(&self) -> LineSpeed {
        match self {
            Connection::Serial { baud, .. } => LineSpeed::Serial { baud: *baud },
            Connection::Usb { .. } | Connection::Tcp { .. } => LineSpeed::Fast,
        }
    }
}

impl LineSpeed {
    /// Time that so many bytes take at least, or, where nobody knows, surely.
    pub fn time_of(self, bytes: usize) -> Duration {
        match self {
            // Start bit, eight bits, stop bit.
            LineSpeed::Serial { baud } => {
                Duration::from_micros(bytes as u64 * 10_000_000 / u64::from(baud.max(1)))
            }
            LineSpeed::Fast => FAST_BYTE * bytes as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_from_a_configuration() {
        let read = |table: &str| toml::from_str::<Connection>(table);
        let serial = read("transport = \"serial\"\nport = \"/dev/ttyS0\"\nbaud = 9600").unwrap();
        assert_eq!(serial, Connection::Serial { port: "/dev/ttyS0".into(), baud: 9600 });
        assert_eq!(serial.speed().time_of(960), Duration::from_secs(1));
        let usb = read("transport = \"usb\"\ndevice = \"/dev/usb/lp0\"").unwrap();
        assert_eq!(usb.speed(), LineSpeed::Fast);
        let tcp = read("transport = \"tcp\"\naddress = \"192.0.2.7:9100\"").unwrap();
        assert_eq!(tcp, Connection::Tcp { address: "192.0.2.7:9100".to_owned() });
        for wrong in [
            "transport = \"bluetooth\"",
            "transport = \"usb\"",
            "transport = \"usb\"\ndevice = \"/dev/usb/lp0\"\nbaud = 9600",
            "port = \"/dev/ttyS0\"\nbaud = 9600",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
