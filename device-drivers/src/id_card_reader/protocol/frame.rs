//! Frames: preamble, length, body, checksum.
//!
//! The decoder goes by the length field, never by looking for the next preamble: a photo may hold one. It
//! looks for a preamble only between frames, where it skips noise and extra AA bytes.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// What every frame starts with.
pub const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
/// The largest length field of any known answer (text, photo and fingerprint).
pub const MAX_LENGTH: usize = 0x090A;
/// Bytes of preamble and length field. On four USB pipes they travel apart from the rest.
pub const HEAD: usize = 7;
/// SW1 SW2 SW3 and the checksum.
const SHORTEST_ANSWER: usize = 4;
/// CMD PARA and the checksum.
const SHORTEST_REQUEST: usize = 3;

/// XOR of all bytes: length field and body, without preamble and checksum.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, b| sum ^ b)
}

/// Puts preamble, length and checksum around a body.
pub fn encode_frame(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = body.len() + 1;
    debug_assert!(length <= MAX_LENGTH, "no frame of the protocol is longer");
    let mut frame = Zeroizing::new(Vec::with_capacity(HEAD + length));
    frame.extend_from_slice(&PREAMBLE);
    frame.extend_from_slice(&(length as u16).to_be_bytes());
    frame.extend_from_slice(body);
    let sum = checksum(&frame[PREAMBLE.len()..]);
    frame.push(sum);
    frame
}

/// Bytes that follow a head, read from bytes that end with one; `None` where no head ends them, or an impossible
/// one.
pub fn body_length(ends_with_head: &[u8]) -> Option<usize> {
    let head = ends_with_head.last_chunk::<HEAD>()?;
    let length = usize::from(u16::from_be_bytes([head[5], head[6]]));
    (head.starts_with(&PREAMBLE) && length <= MAX_LENGTH).then_some(length)
}

/// Why bytes that started like a frame are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length field is too small or larger than any known frame.
    #[error("impossible frame length")]
    Length,
    /// The checksum does not fit.
    #[error("wrong checksum")]
    Checksum,
    /// The lengths inside a read answer do not add up.
    #[error("the parts of the answer do not add up")]
    InnerLength,
}

/// A whole frame with a right checksum. May hold personal data: zeroed on drop, redacted in Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// All bytes, preamble to checksum.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What stands between the length field and the checksum.
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEAD..self.bytes.len() - 1]
    }

    /// SW3 of an answer: the reader's verdict.
    pub fn sw3(&self) -> u8 {
        self.body().get(2).copied().unwrap_or(0)
    }

    /// What follows SW3 in an answer.
    pub fn data(&self) -> &[u8] {
        self.body().get(3..).unwrap_or(&[])
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes, [redacted])", self.bytes.len())
    }
}

/// Takes bytes as they come and gives whole frames.
pub struct FrameDecoder {
    buffer: Zeroizing<Vec<u8>>,
    shortest: usize,
}

impl FrameDecoder {
    /// A decoder of the reader's answers.
    pub fn for_answers() -> FrameDecoder {
        FrameDecoder::new(SHORTEST_ANSWER)
    }

    /// A decoder of the host's requests, for the simulated reader.
    pub fn for_requests() -> FrameDecoder {
        FrameDecoder::new(SHORTEST_REQUEST)
    }

    fn new(shortest: usize) -> FrameDecoder {
        // Room for the largest frame at once, so that growing leaves no copies of a card behind.
        FrameDecoder { buffer: Zeroizing::new(Vec::with_capacity(2 * (HEAD + MAX_LENGTH))), shortest }
    }

    /// Adds bytes from the line.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > self.buffer.capacity() {
            let mut larger = Vec::with_capacity(2 * (self.buffer.len() + bytes.len()));
            larger.extend_from_slice(&self.buffer);
            self.buffer = Zeroizing::new(larger);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame or failed frame in what has come so far.
    pub fn next_frame(&mut self) -> Option<Result<Frame, FrameError>> {
        self.skip_noise();
        let length_field = self.buffer.get(PREAMBLE.len()..HEAD)?;
        let length = usize::from(u16::from_be_bytes([length_field[0], length_field[1]]));
        if length < self.shortest || length > MAX_LENGTH {
            // The field itself cannot be trusted, so what follows is searched for a preamble again.
            self.consume(PREAMBLE.len());
            return Some(Err(FrameError::Length));
        }
        let total = HEAD + length;
        let frame = self.buffer.get(..total)?;
        let sum = checksum(&frame[PREAMBLE.len()..total - 1]);
        let result = if sum == frame[total - 1] {
            Ok(Frame { bytes: Zeroizing::new(frame.to_vec()) })
        } else {
            Err(FrameError::Checksum)
        };
        self.consume(total);
        Some(result)
    }

    /// Whether a frame has begun and is not complete.
    pub fn is_mid_frame(&self) -> bool {
        self.buffer.starts_with(&PREAMBLE)
    }

    /// Forgets what has come so far: the line went quiet in the middle of a frame, or a new command is sent.
    pub fn resync(&mut self) {
        self.buffer.zeroize();
    }

    fn skip_noise(&mut self) {
        let noise = (0..self.buffer.len())
            .find(|&at| {
                let rest = &self.buffer[at..];
                PREAMBLE.starts_with(&rest[..rest.len().min(PREAMBLE.len())])
            })
            .unwrap_or(self.buffer.len());
        self.consume(noise);
    }

    fn consume(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let left = self.buffer.len() - count;
        self.buffer.copy_within(count.., 0);
        self.buffer[left..].zeroize();
        self.buffer.truncate(left);
    }
}

impl fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameDecoder({} bytes waiting, [redacted])", self.buffer.len())
    }
}
