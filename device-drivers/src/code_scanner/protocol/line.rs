//! Codes as lines: text, then CR, LF or both, or nothing but silence.

use std::collections::VecDeque;
use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::super::{ScannedCode, ScannerError};
use super::{Key, MAX_CODE_BYTES};

/// Codes that wait to be taken; more are dropped, the oldest first. A resident scans one.
const MAX_WAITING: usize = 8;

/// How a scanner ends a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScanEnd {
    /// Always with CR, LF or both: a code that just stops came in part.
    Suffix,
    /// As its settings happen to be: with CR, LF or both, or with nothing, and then silence ends it.
    SuffixOrSilence,
}

/// Puts codes together, however the bytes are cut into pieces.
pub struct LineDecoder {
    end: ScanEnd,
    /// Never longer than its room, so that it never moves and leaves a copy behind.
    line: Zeroizing<Vec<u8>>,
    broken: Option<ScannerError>,
    codes: VecDeque<Result<ScannedCode, ScannerError>>,
}

impl LineDecoder {
    /// A decoder to which nothing has come yet.
    pub fn new(end: ScanEnd) -> LineDecoder {
        let line = Zeroizing::new(Vec::with_capacity(MAX_CODE_BYTES));
        LineDecoder { end, line, broken: None, codes: VecDeque::new() }
    }

    /// Takes bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => self.finish(),
                // Tabs and the marks around and between fields (STX, ETX, EOT, FS, GS, RS, US) are dropped.
                0x02..=0x04 | b'\t' | 0x1C..=0x1F => {}
                0x00..=0x1F | 0x7F => self.broken = self.broken.or(Some(ScannerError::NotText)),
                _ if self.line.len() == MAX_CODE_BYTES => self.broken = Some(ScannerError::TooLong),
                byte => self.line.push(*byte),
            }
        }
    }

    /// Takes a key that was typed.
    pub fn push_key(&mut self, key: Key) {
        match key {
            Key::Byte(byte) => self.push(&[byte]),
            Key::Lost => self.broken = self.broken.or(Some(ScannerError::Incomplete)),
        }
    }

    /// Nothing has come for a while.
    pub fn silence(&mut self) {
        if self.is_mid_code() {
            if self.end == ScanEnd::Suffix {
                self.broken = self.broken.or(Some(ScannerError::Incomplete));
            }
            self.finish();
        }
    }

    /// The next code that is complete, or why it is none.
    pub fn next_code(&mut self) -> Option<Result<ScannedCode, ScannerError>> {
        self.codes.pop_front()
    }

    /// Whether a code has begun and not ended.
    pub fn is_mid_code(&self) -> bool {
        !self.line.is_empty() || self.broken.is_some()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.line.zeroize();
        self.broken = None;
        self.codes.clear();
    }

    fn finish(&mut self) {
        if !self.is_mid_code() {
            // The second half of CR LF, or an empty scan.
            return;
        }
        let code = match self.broken.take() {
            Some(error) => Err(error),
            None => text(&self.line).ok_or(ScannerError::NotText),
        };
        self.line.zeroize();
        if self.codes.len() == MAX_WAITING {
            self.codes.pop_front();
        }
        self.codes.push_back(code);
    }
}

impl fmt::Debug for LineDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineDecoder({:?}, {} codes, [redacted])", self.end, self.codes.len())
    }
}

/// The text of the bytes: UTF-8 or else GB 18030, as the scanner is set; `None` when they are neither.
fn text(bytes: &[u8]) -> Option<ScannedCode> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Zeroizing::new(text.to_owned()),
        Err(_) => {
            // Room for three bytes of UTF-8 for each byte: the text never moves while it grows.
            let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 3 + 16));
            let mut decoder = encoding_rs::GB18030.new_decoder_without_bom_handling();
            let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
            (result == encoding_rs::DecoderResult::InputEmpty).then_some(text)?
        }
    };
    (!text.chars().any(char::is_control)).then(|| ScannedCode::new(text))
}
