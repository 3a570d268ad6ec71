//! The JPEG that is kept of a picture: bounded in bytes, without a word about where and when it was taken.
//!
//! The picture is encoded anew from its pixels, so nothing that a camera wrote into its frames (maker, serial
//! number, time, place, preview) can pass: the file holds the JFIF header, tables and the scan, and no more.

use std::fmt;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use zeroize::Zeroizing;

use super::super::Picture;

/// Qualities that are tried from the left before the picture is made smaller; below the last, small print breaks up.
const QUALITIES: [u8; 4] = [88, 78, 68, 58];
/// How much smaller at a time.
const STEP: f32 = 0.8;
/// Times that a picture is made smaller before it is given up.
const MAX_SHRINKS: u32 = 8;
/// No picture is kept smaller than this on its shorter side, in pixels.
const MIN_SIDE: u32 = 64;

/// A JPEG file. It shows somebody's papers, so it is zeroed on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Pixels in a row, perhaps fewer than the picture had.
    pub width: u32,
    /// Rows, perhaps fewer than the picture had.
    pub height: u32,
    /// The file.
    pub jpeg: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({}x{}, {} bytes, [redacted])", self.width, self.height, self.jpeg.len())
    }
}

/// Why no JPEG was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// The limit is too small for any picture that could still be read.
    #[error("no readable picture fits into {limit} bytes")]
    TooSmall {
        /// Bytes that were allowed.
        limit: usize,
    },
}

/// The best JPEG of at most `limit` bytes: first in lower quality, then with fewer pixels.
///
/// # Errors
/// [`KeepError::TooSmall`] when even a very small picture is larger than `limit`.
pub fn keep(picture: &Picture, limit: usize) -> Result<Kept, KeepError> {
    for quality in QUALITIES {
        if let Some(kept) = encode(picture, quality).filter(|kept| kept.jpeg.len() <= limit) {
            return Ok(kept);
        }
    }
    let lowest = QUALITIES[QUALITIES.len() - 1];
    let least = MIN_SIDE.min(picture.width()).min(picture.height());
    let mut smaller = resized(picture);
    for _ in 0..MAX_SHRINKS {
        if smaller.width().min(smaller.height()) < least {
            break;
        }
        if let Some(kept) = encode(&smaller, lowest).filter(|kept| kept.jpeg.len() <= limit) {
            return Ok(kept);
        }
        smaller = resized(&smaller);
    }
    Err(KeepError::TooSmall { limit })
}

/// A JPEG in one quality (1–100, as libjpeg counts).
pub fn encode(picture: &Picture, quality: u8) -> Option<Kept> {
    let (width, height) = (picture.width(), picture.height());
    // Room from the start: what a growing vector leaves behind is not wiped.
    let mut jpeg = Zeroizing::new(Vec::with_capacity(picture.rgb().len() / 2 + 4096));
    let mut encoder = JpegEncoder::new_with_quality(&mut *jpeg, quality);
    // Fails only for sides above 65,535, which a picture cannot have.
    encoder.encode(picture.rgb(), width, height, ExtendedColorType::Rgb8).ok()?;
    Some(Kept { width, height, jpeg })
}

/// The picture a fifth smaller. Small steps blend neighbours, so print stays smooth where one large step would break it.
fn resized(picture: &Picture) -> Picture {
    let side = |side: u32| ((side as f32 * STEP) as u32).max(1);
    let mut smaller = Picture::filled(side(picture.width()), side(picture.height()), [0; 3]);
    let at = |place: u32| (place as f32 + 0.5) / STEP - 0.5;
    for y in 0..smaller.height() {
        for x in 0..smaller.width() {
            smaller.set(x, y, picture.between(at(x), at(y)));
        }
    }
    smaller
}
