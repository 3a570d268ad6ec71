//! Frames one after another on a socket: how the simulator's camera reaches the kiosk.
//!
//! A frame is 16 bytes of header and the bytes that a camera would have put into its buffer. Numbers are big-endian.
//!
//! | at | bytes | meaning |
//! |---|---|---|
//! | 0 | 4 | `KCF1` |
//! | 4 | 4 | format: `MJPG` or `YUYV` |
//! | 8 | 2 | width in pixels |
//! | 10 | 2 | height in pixels |
//! | 12 | 4 | number of bytes that follow, at most [`MAX_FRAME_BYTES`] |

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::{FrameFormat, MAX_FRAME_BYTES, RawFrame};

const MAGIC: [u8; 4] = *b"KCF1";
const HEADER_BYTES: usize = 16;

/// Puts frames together from a stream, however it is cut into pieces. Bytes that belong to no frame are skipped.
#[derive(Default)]
pub struct FrameStream {
    bytes: Zeroizing<Vec<u8>>,
    /// Bytes at the front that were used up.
    used: usize,
    skipped: u64,
}

impl FrameStream {
    /// A stream of which nothing has come yet.
    pub fn new() -> FrameStream {
        FrameStream::default()
    }

    /// Takes bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) {
        let left = self.bytes.len() - self.used;
        if self.bytes.len() + bytes.len() > self.bytes.capacity() {
            // Moved by hand: what a growing vector leaves behind is not wiped.
            let mut fresh = Zeroizing::new(Vec::with_capacity((left + bytes.len()).next_power_of_two()));
            fresh.extend_from_slice(&self.bytes[self.used..]);
            self.bytes = fresh;
            self.used = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame; `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Option<RawFrame> {
        loop {
            let noise = self.noise();
            self.used += noise;
            self.skipped += noise as u64;
            let rest = &self.bytes[self.used..];
            let header: [u8; HEADER_BYTES] = rest.get(..HEADER_BYTES)?.try_into().ok()?;
            let Some((format, width, height, length)) = fields(&header) else {
                self.used += 1;
                self.skipped += 1;
                continue;
            };
            let bytes = Zeroizing::new(rest.get(HEADER_BYTES..HEADER_BYTES + length)?.to_vec());
            let end = self.used + HEADER_BYTES + length;
            self.bytes[self.used..end].zeroize();
            self.used = end;
            return Some(RawFrame { format, width, height, bytes });
        }
    }

    /// Bytes up to where a header stands, or may stand when the stream goes on.
    fn noise(&self) -> usize {
        let rest = &self.bytes[self.used..];
        let begins = |at: &usize| {
            let shown = (rest.len() - at).min(MAGIC.len());
            rest[*at..at + shown] == MAGIC[..shown]
        };
        (0..rest.len()).find(begins).unwrap_or(rest.len())
    }

    /// Bytes that belonged to no frame, over the life of the stream.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether a frame has begun and not ended.
    pub fn is_mid_frame(&self) -> bool {
        self.used < self.bytes.len()
    }
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameStream({} bytes, [redacted])", self.bytes.len() - self.used)
    }
}

fn fields(header: &[u8; HEADER_BYTES]) -> Option<(FrameFormat, u32, u32, usize)> {
    let [_, _, _, _, f0, f1, f2, f3, w1, w0, h1, h0, l3, l2, l1, l0] = *header;
    let format = FrameFormat::from_four_cc([f0, f1, f2, f3])?;
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
    (length <= MAX_FRAME_BYTES).then_some((format, u32::from(width), u32::from(height), length))
}

/// A frame as it stands in the stream. Sides above 65,535 and bytes above 4 GiB do not occur: they are cut off.
pub fn encode(frame: &RawFrame) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + frame.bytes.len()));
    bytes.extend(MAGIC);
    bytes.extend(frame.format.four_cc());
    bytes.extend((frame.width as u16).to_be_bytes());
    bytes.extend((frame.height as u16).to_be_bytes());
    bytes.extend((frame.bytes.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&frame.bytes);
    bytes
}
