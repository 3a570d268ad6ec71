//! The reader on a serial port, and the search for its rate.

use std::path::Path;
use std::time::Duration;

use super::SamReader;
use super::exchange::Failure;
use crate::id_card_reader::ReaderError;
use crate::id_card_reader::protocol::{BaudRate, Request};
use crate::serial_line::SerialLine;
use crate::transport::Transport;

/// How long a reader may take to say how it is: 21 bytes on the wire, 22 ms at 9600 baud, and its own work.
const PROBE: Duration = Duration::from_millis(300);
/// Times that a rate is tried: the reader may have heard noise at another rate just before.
const PROBES: usize = 2;

/// A card reader on a serial port.
pub type SerialIdCardReader = SamReader<SerialLine>;

impl SamReader<SerialLine> {
    /// A reader that is opened at its first use; it may be plugged in later.
    pub fn new(port: impl AsRef<Path>, baud: u32) -> SerialIdCardReader {
        SamReader::over(SerialLine::new(port.as_ref(), baud))
    }

    /// Opens the port now; fails with [`ReaderError::Gone`] when that is not possible.
    pub fn open(port: impl AsRef<Path>, baud: u32) -> Result<SerialIdCardReader, ReaderError> {
        let mut reader = SerialIdCardReader::new(port, baud);
        reader.exchanger.transport().ready().map_err(|_| ReaderError::Gone)?;
        Ok(reader)
    }

    /// Finds the rate at which the reader answers, the present one first, and goes on at it. Takes at most 3 s.
    /// When no rate is answered the present one is kept, and the call counts as one that was not answered.
    pub fn detect_baud(&mut self) -> Result<u32, ReaderError> {
        let present = self.exchanger.transport().baud();
        let found = self.search_from(present);
        if found.is_err() {
            self.exchanger.transport().set_baud(present);
        }
        found
    }

    fn search_from(&mut self, present: u32) -> Result<u32, ReaderError> {
        for baud in rates_from(present) {
            self.exchanger.transport().set_baud(baud);
            if self.answers()? {
                return Ok(baud);
            }
        }
        Err(self.exchanger.silence())
    }

    /// Whether the reader says how it is, whatever it says.
    fn answers(&mut self) -> Result<bool, ReaderError> {
        for _ in 0..PROBES {
            match self.exchanger.exchange(Request::SamStatus, PROBE) {
                Ok(_) => return Ok(true),
                Err(Failure::Gone) => return Err(ReaderError::Gone),
                Err(Failure::Silence | Failure::Truncated | Failure::Garbled) => {}
            }
        }
        Ok(false)
    }
}

/// The rates in the order of the search: a reader that was found once is mostly where it was.
fn rates_from(present: u32) -> impl Iterator<Item = u32> {
    let others =
        BaudRate::ALL.map(BaudRate::bits_per_second).into_iter().filter(move |baud| *baud != present);
    std::iter::once(present).chain(others)
}

#[cfg(test)]
mod tests {
    use super::rates_from;

    #[test]
    fn the_present_rate_comes_first_and_each_rate_once() {
        assert!(rates_from(19_200).eq([19_200, 115_200, 57_600, 38_400, 9600]));
        // A rate of the terminal's own configuration is tried too.
        assert!(rates_from(230_400).eq([230_400, 115_200, 57_600, 38_400, 19_200, 9600]));
    }
}
