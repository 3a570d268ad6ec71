//! The host's end of a serial cable: open by path, drop old input, write and read with deadlines.
//!
//! It knows no protocol. A line that was hung up is opened again by path at the next use, so a device that is
//! unplugged and plugged in again needs no restart of the kiosk.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serialport::{ClearBuffer, DataBits, FlowControl, Parity, SerialPort, StopBits, TTYPort};
use zeroize::Zeroize;

use crate::transport::{LineError, Ready, Transport};

/// Bytes handed to the kernel at once. The port blocks in `write`, so a chunk must be short enough that even a
/// peer that takes bytes at 9600 baud lets it through well inside any deadline.
const WRITE_CHUNK: usize = 128;

/// Reads of left-over input before a command is sent all the same.
const MAX_DISCARDS: usize = 64;

/// One serial port, opened on demand.
pub struct SerialLine {
    path: PathBuf,
    baud: u32,
    port: Option<TTYPort>,
}

impl SerialLine {
    /// The port at `path`, with 8 data bits, no parity, 1 stop bit and no flow control.
    pub fn new(path: &Path, baud: u32) -> SerialLine {
        SerialLine { path: path.to_path_buf(), baud, port: None }
    }

    /// Bits per second.
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// Goes on at another rate.
    pub fn set_baud(&mut self, baud: u32) {
        self.baud = baud;
        // A port that does not take the rate is opened anew with it, and says then that it cannot.
        if self.port.as_mut().is_some_and(|port| port.set_baud_rate(baud).is_err()) {
            self.hang_up();
        }
    }

    fn open(&self) -> Result<TTYPort, LineError> {
        // Exclusive use keeps probing programs off a real port. A pseudo terminal outlives the process that has
        // it open, and so would the exclusive mark of a killed kiosk: its restart could never open the port.
        let target = std::fs::canonicalize(&self.path).map_err(|e| self.cannot_open(&e.to_string()))?;
        let exclusive = !target.starts_with("/dev/pts");
        serialport::new(self.path.to_string_lossy(), self.baud)
            .data_bits(DataBits::Eight)
            .parity(Parity::None)
            .stop_bits(StopBits::One)
            .flow_control(FlowControl::None)
            .exclusive(exclusive)
            .open_native()
            .map_err(|e| self.cannot_open(&e.to_string()))
    }

    fn cannot_open(&self, reason: &str) -> LineError {
        tracing::debug!(port = %self.path.display(), reason, "serial port cannot be opened");
        LineError::Gone
    }

    /// Throws away what has come in and was not read.
    pub(crate) fn discard_input(&mut self) -> Result<(), LineError> {
        let port = self.port.as_mut().ok_or(LineError::Gone)?;
        if port.clear(ClearBuffer::Input).is_err() {
            return Err(self.hang_up());
        }
        // Flushing does not reach bytes that are still on their way up from the hardware: read those off.
        let mut scrap = [0u8; 256];
        let mut result = Ok(());
        // Bounded: a device that never stops sending must not hold the caller here.
        for _ in 0..MAX_DISCARDS {
            match self.read_some(&mut scrap, Instant::now()) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
        }
        scrap.zeroize();
        result
    }

    fn hang_up(&mut self) -> LineError {
        tracing::debug!(port = %self.path.display(), "serial port was hung up");
        self.port = None;
        LineError::Gone
    }
}

impl Transport for SerialLine {
    fn ready(&mut self) -> Result<Ready, LineError> {
        if self.port.is_some() && self.discard_input().is_ok() {
            return Ok(Ready::StillOpen);
        }
        self.port = Some(self.open()?);
        self.discard_input()?;
        Ok(Ready::Opened)
    }

    fn discard_output(&mut self) {
        if let Some(port) = &self.port {
            let _ = port.clear(ClearBuffer::Output);
        }
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        let chunk = &bytes[..bytes.len().min(WRITE_CHUNK)];
        loop {
            let port = self.port.as_mut().ok_or(LineError::Gone)?;
            let left = until.saturating_duration_since(Instant::now());
            match port.set_timeout(left).map_err(io::Error::from).and_then(|()| port.write(chunk)) {
                Ok(0) => return Err(self.hang_up()),
                Ok(count) => return Ok(count),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if would_wait(&e) => {
                    if Instant::now() >= until {
                        return Ok(0);
                    }
                }
                Err(_) => return Err(self.hang_up()),
            }
        }
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        loop {
            let port = self.port.as_mut().ok_or(LineError::Gone)?;
            let left = until.saturating_duration_since(Instant::now());
            match port.set_timeout(left).map_err(io::Error::from).and_then(|()| port.read(into)) {
                // A hung-up terminal reads as its end.
                Ok(0) => return Err(self.hang_up()),
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if would_wait(&e) => {
                    if left == Duration::ZERO || Instant::now() >= until {
                        return Ok(0);
                    }
                }
                Err(_) => return Err(self.hang_up()),
            }
        }
    }
}

fn would_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
