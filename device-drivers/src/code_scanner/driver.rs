//! The scanner at its cable: a serial port or another transport, or an input device of Linux.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::grab::grab;
use super::protocol::{KeyDecoder, LineDecoder, ScanEnd};
use super::{CodeScanner, ScannedCode, ScannerError};
use crate::serial_line::SerialLine;
use crate::transport::{LineError, Transport};
use crate::wire::timespec_until;

/// Silence that ends a code, or shows that its rest was lost, where nobody says otherwise. Scanners pause for less than
/// 50 ms inside one.
const SILENCE: Duration = Duration::from_millis(100);
/// For so long the same code counts as the same scan: a phone that is held on reads again and again.
const SAME_SCAN: Duration = Duration::from_millis(2500);
/// Bytes read at once.
const READ_BYTES: usize = 1024;
/// Reads of old input before it is given up to throw more away.
const MAX_DISCARDS: usize = 64;

/// Where bytes come from.
trait ByteSource {
    /// Reads what is there, waiting until `until` for the first byte; 0 when none came by then.
    fn read(&mut self, into: &mut [u8], until: Instant) -> Result<usize, ScannerError>;
    /// Throws away what has come.
    fn discard(&mut self) -> Result<(), ScannerError>;
}

/// What both kinds of scanners keep between calls.
struct Scans {
    line: LineDecoder,
    /// Only for scanners that type.
    keys: Option<KeyDecoder>,
    silence: Duration,
    last_byte: Instant,
    last_code: Option<(ScannedCode, Instant)>,
}

impl Scans {
    fn new(end: ScanEnd, keys: Option<KeyDecoder>) -> Scans {
        let line = LineDecoder::new(end);
        Scans { line, keys, silence: SILENCE, last_byte: Instant::now(), last_code: None }
    }

    fn clear(&mut self) {
        self.line.clear();
        self.keys = self.keys.take().map(|_| KeyDecoder::new());
        self.last_code = None;
    }

    fn take(&mut self, bytes: &[u8]) {
        self.last_byte = Instant::now();
        match &mut self.keys {
            None => self.line.push(bytes),
            Some(keys) => {
                keys.push(bytes);
                while let Some(key) = keys.next_key() {
                    self.line.push_key(key);
                }
            }
        }
    }

    /// The next code that is not the last one over again.
    fn fresh_code(&mut self) -> Option<Result<ScannedCode, ScannerError>> {
        loop {
            let code = match self.line.next_code()? {
                Ok(code) => code,
                Err(error) => return Some(Err(error)),
            };
            let now = Instant::now();
            let again =
                self.last_code.as_ref().is_some_and(|(last, at)| *last == code && now - *at < SAME_SCAN);
            self.last_code = Some((code.clone(), now));
            if !again {
                return Some(Ok(code));
            }
        }
    }

    fn next_code(
        &mut self,
        source: &mut dyn ByteSource,
        until: Instant,
    ) -> Result<Option<ScannedCode>, ScannerError> {
        let mut buffer = Zeroizing::new([0; READ_BYTES]);
        loop {
            if let Some(code) = self.fresh_code() {
                return code.map(Some);
            }
            let quiet_at = self.last_byte + self.silence;
            let ends_code = self.line.is_mid_code() && quiet_at <= until;
            let wait = if ends_code { quiet_at } else { until };
            let count = source.read(&mut buffer[..], wait).inspect_err(|_| self.clear())?;
            // Nothing until then: no clock is asked again, so that a recording, in which nothing is waited for, plays
            // back with the same silences.
            match count {
                0 if ends_code => self.line.silence(),
                0 => return Ok(None),
                count => self.take(&buffer[..count]),
            }
        }
    }
}

/// A scanner on a serial port (also a USB one: CDC-ACM), the kind to prefer.
pub struct SerialCodeScanner {
    port: SerialSource,
    scans: Scans,
}

struct SerialSource {
    line: Box<dyn Transport>,
    open: bool,
}

impl SerialCodeScanner {
    /// A scanner that is opened at its first use. `baud` does not matter over USB.
    pub fn new(port: impl AsRef<Path>, baud: u32, end: ScanEnd) -> SerialCodeScanner {
        SerialCodeScanner::over(SerialLine::new(port.as_ref(), baud), end)
    }

    /// A scanner behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static, end: ScanEnd) -> SerialCodeScanner {
        let port = SerialSource { line: Box::new(transport), open: false };
        SerialCodeScanner { port, scans: Scans::new(end, None) }
    }

    /// What counts as silence, 100 ms when nobody says otherwise: longer for a scanner that stops inside a code.
    pub fn set_silence(&mut self, silence: Duration) {
        self.scans.silence = silence;
    }
}

impl CodeScanner for SerialCodeScanner {
    fn next_code(&mut self, until: Instant) -> Result<Option<ScannedCode>, ScannerError> {
        self.scans.next_code(&mut self.port, until)
    }

    fn clear(&mut self) -> Result<(), ScannerError> {
        self.scans.clear();
        self.port.discard()
    }
}

impl ByteSource for SerialSource {
    fn read(&mut self, into: &mut [u8], until: Instant) -> Result<usize, ScannerError> {
        if !self.open {
            self.discard()?;
        }
        self.line.read_some(into, until).map_err(|_: LineError| {
            self.open = false;
            ScannerError::Gone
        })
    }

    fn discard(&mut self) -> Result<(), ScannerError> {
        self.open = self.line.ready().is_ok();
        if self.open { Ok(()) } else { Err(ScannerError::Gone) }
    }
}

/// A scanner that types like a keyboard, behind an input device of Linux (`/dev/input/by-id/…-event-kbd`).
///
/// The device is taken for this process alone, so that codes are typed into no other program. The scanner's layout
/// must be US English.
pub struct KeyboardCodeScanner {
    device: InputSource,
    scans: Scans,
}

struct InputSource {
    path: PathBuf,
    open: Option<OwnedFd>,
}

impl KeyboardCodeScanner {
    /// A scanner that is opened at its first use.
    pub fn new(device: impl AsRef<Path>, end: ScanEnd) -> KeyboardCodeScanner {
        let device = InputSource { path: device.as_ref().to_path_buf(), open: None };
        KeyboardCodeScanner { device, scans: Scans::new(end, Some(KeyDecoder::new())) }
    }

    /// What counts as silence, 100 ms when nobody says otherwise: longer for a scanner that stops inside a code.
    pub fn set_silence(&mut self, silence: Duration) {
        self.scans.silence = silence;
    }
}

impl CodeScanner for KeyboardCodeScanner {
    fn next_code(&mut self, until: Instant) -> Result<Option<ScannedCode>, ScannerError> {
        self.scans.next_code(&mut self.device, until)
    }

    fn clear(&mut self) -> Result<(), ScannerError> {
        self.scans.clear();
        self.device.discard()
    }
}

impl InputSource {
    fn opened(&mut self) -> Result<&OwnedFd, ScannerError> {
        if self.open.is_none() {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
            let device = rustix::fs::open(&self.path, flags, Mode::empty()).map_err(|error| {
                tracing::debug!(device = %self.path.display(), %error, "the code scanner cannot be opened");
                ScannerError::Gone
            })?;
            match grab(&device) {
                Ok(()) => {}
                // No input device, so it types into nothing else: the simulator's terminal.
                Err(rustix::io::Errno::NOTTY) => tracing::debug!("the code scanner is no input device"),
                Err(error) => {
                    tracing::warn!(%error, "another program has the code scanner: it cannot be used");
                    return Err(ScannerError::Gone);
                }
            }
            self.open = Some(device);
        }
        self.open.as_ref().ok_or(ScannerError::Gone)
    }

    fn gone(&mut self) -> ScannerError {
        self.open = None;
        ScannerError::Gone
    }
}

impl ByteSource for InputSource {
    fn read(&mut self, into: &mut [u8], until: Instant) -> Result<usize, ScannerError> {
        loop {
            let device = self.opened()?;
            match rustix::io::read(device, &mut *into) {
                Ok(0) => return Err(self.gone()),
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => return Err(self.gone()),
            }
            if Instant::now() >= until {
                return Ok(0);
            }
            let mut fds = [PollFd::new(device, PollFlags::IN)];
            // An interrupted wait is a short one.
            let _ = poll(&mut fds, Some(&timespec_until(until)));
        }
    }

    fn discard(&mut self) -> Result<(), ScannerError> {
        let mut scrap = Zeroizing::new([0; READ_BYTES]);
        for _ in 0..MAX_DISCARDS {
            if self.read(&mut scrap[..], Instant::now())? == 0 {
                break;
            }
        }
        Ok(())
    }
}
