//! Lines of text, of bounded length, as the servers of the UPS and of the voice send them.

/// Bytes of the longest line that is read; NUT's own programs take no longer one (`LARGEBUF` in its
/// common.h), and Speech Dispatcher's answers are shorter.
pub const MAX_LINE: usize = 1024;

/// Why a line is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is longer than [`MAX_LINE`]; it was thrown away up to its end.
    #[error("the line is too long")]
    TooLong,
}

/// Takes bytes as they come and gives lines, without their end (LF, or CR LF).
#[derive(Debug, Default)]
pub struct LineDecoder {
    buffer: Vec<u8>,
    /// The line under way is too long: its rest is thrown away.
    skipping: bool,
}

impl LineDecoder {
    /// An empty decoder.
    pub fn new() -> LineDecoder {
        LineDecoder::default()
    }

    /// Adds bytes from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line in what has come so far. Bytes that are no UTF-8 (a UPS may name its maker in any code)
    /// become U+FFFD.
    pub fn next_line(&mut self) -> Option<Result<String, LineError>> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            if self.buffer.len() > MAX_LINE {
                self.skipping = true;
                self.buffer.clear();
            }
            return None;
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        let line = &line[..end];
        if std::mem::take(&mut self.skipping) || line.len() > MAX_LINE {
            return Some(Err(LineError::TooLong));
        }
        Some(Ok(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()))
    }
}
