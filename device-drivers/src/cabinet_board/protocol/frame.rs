//! Frames: preamble, length, version, sequence, kind, payload, CRC. The same both ways.
//!
//! ```text
//! 55 AA | length | version | sequence | kind | payload (0 to 32) | CRC low, CRC high
//! ```
//! `length` counts version to the end of the payload (3 to 35). The CRC is CRC-16/MODBUS (MODBUS over Serial Line V1.02,
//! 6.2.2: polynomial A001 reflected, start FFFF) over `length` to the end of the payload, low byte first. The longest
//! frame has 40 bytes, which the receive buffer of the smallest Arduino (64) holds whole.

/// What every frame starts with.
pub const PREAMBLE: [u8; 2] = [0x55, 0xAA];
/// The version of the protocol that is spoken here.
pub const VERSION: u8 = 1;
/// Bytes of the longest payload.
pub const MAX_PAYLOAD: usize = 32;
/// Version, sequence and kind.
const FIXED: usize = 3;
/// Preamble and length.
const HEAD: usize = 3;
const CRC: usize = 2;

/// CRC-16/MODBUS. Of the digits `123456789` it is 4B37.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

/// Why bytes that started like a frame are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is none that a frame can have.
    #[error("impossible frame length")]
    Length,
    /// The CRC does not fit.
    #[error("wrong checksum")]
    Checksum,
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The version of the protocol that its sender speaks. Where it stands never changes in any version.
    pub version: u8,
    /// A number that an answer repeats, so that a late answer is not taken for the present one.
    pub sequence: u8,
    /// What the payload means.
    pub kind: u8,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The bytes on the line.
    pub fn encode(&self) -> Vec<u8> {
        debug_assert!(self.payload.len() <= MAX_PAYLOAD, "no message of the protocol is longer");
        let mut bytes = PREAMBLE.to_vec();
        bytes.extend([(FIXED + self.payload.len()) as u8, self.version, self.sequence, self.kind]);
        bytes.extend(&self.payload);
        let crc = crc16(&bytes[PREAMBLE.len()..]);
        bytes.extend(crc.to_le_bytes());
        bytes
    }
}

/// Takes bytes as they come and gives whole frames.
///
/// Noise between frames is skipped without a word. What starts like a frame and is none is told, and searched
/// for a frame again from behind its preamble: noise that looks like a preamble must not swallow a frame that
/// follows it.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
}

impl FrameDecoder {
    /// An empty decoder.
    pub fn new() -> FrameDecoder {
        FrameDecoder::default()
    }

    /// Adds bytes from the line.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame or failed frame in what has come so far.
    pub fn next_frame(&mut self) -> Option<Result<Frame, FrameError>> {
        self.skip_noise();
        let length = usize::from(*self.buffer.get(PREAMBLE.len())?);
        if !(FIXED..=FIXED + MAX_PAYLOAD).contains(&length) {
            self.buffer.drain(..PREAMBLE.len());
            return Some(Err(FrameError::Length));
        }
        let frame = self.buffer.get(..HEAD + length + CRC)?;
        let (body, crc) = frame[PREAMBLE.len()..].split_at(1 + length);
        if crc16(body).to_le_bytes() != crc {
            self.buffer.drain(..PREAMBLE.len());
            return Some(Err(FrameError::Checksum));
        }
        let frame = Frame { version: body[1], sequence: body[2], kind: body[3], payload: body[4..].to_vec() };
        self.buffer.drain(..HEAD + length + CRC);
        Some(Ok(frame))
    }

    /// Forgets what has come so far: the line went quiet inside a frame, or something new is asked.
    pub fn resync(&mut self) {
        self.buffer.clear();
    }

    fn skip_noise(&mut self) {
        let noise = (0..self.buffer.len()).find(|&at| {
            let rest = &self.buffer[at..];
            PREAMBLE.starts_with(&rest[..rest.len().min(PREAMBLE.len())])
        });
        self.buffer.drain(..noise.unwrap_or(self.buffer.len()));
    }
}
