//! Frames: length, kind, ticket, body.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of all that follows, big-endian: 5 to 5 + [`BODY_BYTES_MAX`] |
//! | 1 | kind of the message |
//! | 4 | ticket, big-endian: an answer carries that of its request |
//! | the rest | body |

use std::fmt;

use zeroize::Zeroizing;

use super::ProtocolError;

/// The longest body, in bytes: a portrait of 512 × 512 pixels fits.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// The length field.
const LENGTH: usize = 4;
/// Kind and ticket.
const HEAD: usize = 5;

/// Puts length, kind and ticket before a body.
pub fn encode_frame(kind: u8, ticket: u32, body: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = HEAD + body.iter().map(|part| part.len()).sum::<usize>();
    debug_assert!(length <= HEAD + BODY_BYTES_MAX, "whoever builds a message has looked at its size");
    let mut frame = Zeroizing::new(Vec::with_capacity(LENGTH + length));
    frame.extend_from_slice(&(length as u32).to_be_bytes());
    frame.push(kind);
    frame.extend_from_slice(&ticket.to_be_bytes());
    for part in body {
        frame.extend_from_slice(part);
    }
    frame
}

/// A whole frame. May hold personal data: zeroed on drop, redacted in Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    kind: u8,
    ticket: u32,
    body: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// Which message this is.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// Which request this is, or answers.
    pub fn ticket(&self) -> u32 {
        self.ticket
    }

    /// What follows the ticket.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without a copy.
    pub fn into_body(self) -> Zeroizing<Vec<u8>> {
        self.body
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:02X}, {} bytes, [redacted])", self.kind, self.body.len())
    }
}

/// Takes bytes as they come and gives whole frames. Holds at most one unfinished frame and what was pushed last, when
/// the frames are taken out after each push.
#[derive(Default)]
pub struct FrameDecoder {
    buffer: Zeroizing<Vec<u8>>,
    broken: bool,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> FrameDecoder {
        FrameDecoder::default()
    }

    /// Adds bytes from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if self.buffer.len() + bytes.len() > self.buffer.capacity() {
            // A vector that grows by itself leaves a copy of its bytes behind; this one is wiped.
            let mut larger = Vec::with_capacity(2 * (self.buffer.len() + bytes.len()));
            larger.extend_from_slice(&self.buffer);
            self.buffer = Zeroizing::new(larger);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame in what has come so far. There is no preamble to search for, so an impossible length is the end
    /// of the stream: it is reported again at each call.
    pub fn next_frame(&mut self) -> Option<Result<Frame, ProtocolError>> {
        if self.broken {
            return Some(Err(ProtocolError::Length));
        }
        let (length, rest) = self.buffer.split_first_chunk::<LENGTH>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if !(HEAD..=HEAD + BODY_BYTES_MAX).contains(&length) {
            self.broken = true;
            self.buffer = Zeroizing::default();
            return Some(Err(ProtocolError::Length));
        }
        let (head, body) = rest.get(..length)?.split_first_chunk::<HEAD>()?;
        let [kind, ticket @ ..] = *head;
        let frame = Frame { kind, ticket: u32::from_be_bytes(ticket), body: Zeroizing::new(body.to_vec()) };
        // What is left moves into a buffer of its own, so that the one which held the frame is wiped now.
        self.buffer = Zeroizing::new(self.buffer[LENGTH + length..].to_vec());
        Some(Ok(frame))
    }
}

impl fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameDecoder({} bytes waiting)", self.buffer.len())
    }
}
