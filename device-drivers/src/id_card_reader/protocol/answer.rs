//! What good answers carry.

use std::fmt;

use zeroize::Zeroizing;

use super::frame::{Frame, FrameError};
use super::text_block::field;

/// Bytes of an additional address.
const ADDRESS_BYTES: usize = 70;

/// The parts of an answer to a read, still in the frame.
#[derive(Clone, Copy)]
pub struct ReadAnswer<'a> {
    /// The text block.
    pub text: &'a [u8],
    /// The photo file.
    pub photo: &'a [u8],
    /// The fingerprint file, empty when there is none.
    pub fingerprint: &'a [u8],
}

impl<'a> ReadAnswer<'a> {
    /// Splits an answer to 30 01, or to 30 10 when `with_fingerprint`. The lengths come from the frame and must
    /// add up to the whole.
    pub fn from_answer(frame: &'a Frame, with_fingerprint: bool) -> Result<ReadAnswer<'a>, FrameError> {
        let data = frame.data();
        let words = if with_fingerprint { 3 } else { 2 };
        let (lengths, files) = data.split_at_checked(2 * words).ok_or(FrameError::InnerLength)?;
        let mut sizes =
            lengths.chunks_exact(2).map(|word| usize::from(u16::from_be_bytes([word[0], word[1]])));
        let text = sizes.next().unwrap_or(0);
        let photo = sizes.next().unwrap_or(0);
        let fingerprint = sizes.next().unwrap_or(0);
        if text + photo + fingerprint != files.len() {
            return Err(FrameError::InnerLength);
        }
        let (text, rest) = files.split_at(text);
        let (photo, fingerprint) = rest.split_at(photo);
        Ok(ReadAnswer { text, photo, fingerprint })
    }
}

impl fmt::Debug for ReadAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadAnswer([redacted])")
    }
}

/// Reads the newest additional address out of an answer to 30 03.
pub fn decode_additional_address(frame: &Frame) -> Option<Zeroizing<String>> {
    let data = frame.data();
    (frame.sw3() == 0x90 && data.len() == ADDRESS_BYTES)
        .then(|| Zeroizing::new(field(data, 0, ADDRESS_BYTES)))
}

/// The security module's identifier. Names a device, not a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamId {
    /// First number.
    pub a: u16,
    /// Second number.
    pub b: u16,
    /// Date as a decimal number, YYYYMMDD.
    pub date: u32,
    /// Serial number.
    pub serial: u32,
    /// Check number.
    pub check: u32,
}

impl SamId {
    /// Reads the identifier out of an answer to 12 FF.
    pub fn from_answer(frame: &Frame) -> Option<SamId> {
        let data: &[u8; 16] = frame.data().try_into().ok()?;
        let short = |at: usize| u16::from_le_bytes([data[at], data[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        Some(SamId { a: short(0), b: short(2), date: long(4), serial: long(8), check: long(12) })
    }

    /// The 16 bytes as they travel.
    pub fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[0..2].copy_from_slice(&self.a.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.b.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.date.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.serial.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.check.to_le_bytes());
        bytes
    }
}

impl fmt::Display for SamId {
    /// `aa.bb-date-serial-check`; sources differ between 9 and 10 digits, so both are padded to 10.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SamId { a, b, date, serial, check } = self;
        write!(f, "{a:02}.{b:02}-{date}-{serial:010}-{check:010}")
    }
}
