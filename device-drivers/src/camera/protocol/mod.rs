//! What a camera sends, as pure bytes: frames in MJPG and YUYV, and the JPEG that is kept. No I/O, no clock.

pub mod keep;
pub mod mjpg;
pub mod stream;
pub mod yuyv;

mod scan;

#[cfg(test)]
mod tests;

pub use keep::{KeepError, Kept, keep};
pub use stream::FrameStream;

use std::fmt;

use zeroize::Zeroizing;

use super::Picture;

/// The largest frame, in bytes: 2592 × 1944 pixels of YUYV and some more.
pub const MAX_FRAME_BYTES: usize = 12 * 1024 * 1024;

/// How a frame's bytes stand for pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameFormat {
    /// `MJPG` (also `JPEG`): one baseline JPEG (ITU-T T.81) a frame, possibly without its Huffman tables.
    Mjpg,
    /// `YUYV`: 4:2:2, four bytes Y0 U Y1 V for two pixels.
    Yuyv,
}

impl FrameFormat {
    /// The four characters that Video4Linux names it by.
    pub fn four_cc(self) -> [u8; 4] {
        match self {
            FrameFormat::Mjpg => *b"MJPG",
            FrameFormat::Yuyv => *b"YUYV",
        }
    }

    /// The format of these four characters, when it is one of ours. Some devices say `JPEG` for `MJPG`.
    pub fn from_four_cc(code: [u8; 4]) -> Option<FrameFormat> {
        match &code {
            b"MJPG" | b"JPEG" => Some(FrameFormat::Mjpg),
            b"YUYV" => Some(FrameFormat::Yuyv),
            _ => None,
        }
    }
}

/// One frame as it left the camera, not decoded yet.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// How to read the bytes.
    pub format: FrameFormat,
    /// Pixels in a row, as agreed with the camera.
    pub width: u32,
    /// Rows, as agreed with the camera.
    pub height: u32,
    /// The bytes. They show somebody's papers or face, so they are zeroed on drop.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RawFrame { format, width, height, bytes } = self;
        write!(f, "RawFrame({format:?} {width}x{height}, {} bytes, [redacted])", bytes.len())
    }
}

/// Why a frame is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes stop before the picture is complete.
    #[error("the frame is cut short")]
    CutShort,
    /// The bytes break the rules of their format.
    #[error("the frame is damaged")]
    Damaged,
    /// The picture has another size than was agreed with the camera, or one that no camera of ours has.
    #[error("the frame has a size of its own: {width}x{height}")]
    Size {
        /// Pixels in a row, as the frame says.
        width: u32,
        /// Rows, as the frame says.
        height: u32,
    },
    /// A JPEG that cameras do not send: progressive, arithmetic, lossless, or with strange components.
    #[error("the frame is a kind of JPEG that is not read here")]
    Unsupported,
}

/// Decodes a frame. Memory is bounded by the size agreed with the camera, whatever the bytes claim.
///
/// # Errors
/// [`FrameError`]; nothing of a broken frame is shown.
pub fn decode(frame: &RawFrame) -> Result<Picture, FrameError> {
    match frame.format {
        FrameFormat::Mjpg => mjpg::decode(&frame.bytes, frame.width, frame.height),
        FrameFormat::Yuyv => yuyv::decode(&frame.bytes, frame.width, frame.height),
    }
}

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many pictures came out.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut stream = FrameStream::new();
    stream.push(bytes);
    let mut pictures = 0;
    while let Some(frame) = stream.next_frame() {
        pictures += usize::from(decode(&frame).is_ok());
    }
    let sizes = [(16, 16), (64, 48)];
    pictures += sizes.iter().filter(|(width, height)| mjpg::decode(bytes, *width, *height).is_ok()).count();
    pictures + sizes.iter().filter(|(width, height)| yuyv::decode(bytes, *width, *height).is_ok()).count()
}
