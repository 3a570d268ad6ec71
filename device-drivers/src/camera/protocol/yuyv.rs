//! YUYV frames: 4:2:2, four bytes Y0 U Y1 V for two pixels, rows without padding.
//!
//! Colours are BT.601 with luma 16–235 and chroma 16–240, the default of `V4L2_PIX_FMT_YUYV` for cameras that do not
//! say otherwise (Linux media documentation, "Colorspaces"); a camera with the full range comes out a little
//! contrastier, which harms neither judging nor reading.

use super::super::Picture;
use super::super::picture::MAX_SIDE;
use super::FrameError;

/// Decodes one frame of the agreed size.
///
/// # Errors
/// [`FrameError::Size`] for a size that cannot be (odd width, nothing, too large), [`FrameError::CutShort`] for too
/// few bytes, [`FrameError::Damaged`] for too many.
pub fn decode(bytes: &[u8], width: u32, height: u32) -> Result<Picture, FrameError> {
    let side = 1..=MAX_SIDE;
    if !side.contains(&width) || !side.contains(&height) || !width.is_multiple_of(2) {
        return Err(FrameError::Size { width, height });
    }
    let wanted = width as usize * height as usize * 2;
    if bytes.len() < wanted {
        return Err(FrameError::CutShort);
    }
    if bytes.len() > wanted {
        return Err(FrameError::Damaged);
    }
    let mut picture = Picture::filled(width, height, [0; 3]);
    for (four, two) in bytes.chunks_exact(4).zip(picture.rgb_mut().chunks_exact_mut(6)) {
        let (u, v) = (i32::from(four[1]) - 128, i32::from(four[3]) - 128);
        for (luma, pixel) in [four[0], four[2]].into_iter().zip(two.chunks_exact_mut(3)) {
            let y = 298 * (i32::from(luma) - 16) + 128;
            pixel[0] = ((y + 409 * v) >> 8).clamp(0, 255) as u8;
            pixel[1] = ((y - 100 * u - 208 * v) >> 8).clamp(0, 255) as u8;
            pixel[2] = ((y + 516 * u) >> 8).clamp(0, 255) as u8;
        }
    }
    Ok(picture)
}

/// The frame that a camera would send of this picture; a last odd column is left out.
pub fn encode(picture: &Picture) -> Vec<u8> {
    let row = picture.width() as usize * 3;
    let even = row - row % 6;
    let mut bytes = Vec::with_capacity(picture.rgb().len() / 3 * 2);
    for line in picture.rgb().chunks_exact(row) {
        for two in line[..even].chunks_exact(6) {
            let [r, g, b] = [0, 1, 2].map(|channel| i32::from(two[channel]) + i32::from(two[channel + 3]));
            let u = ((-38 * r - 74 * g + 112 * b + 256) >> 9) + 128;
            let v = ((112 * r - 94 * g - 18 * b + 256) >> 9) + 128;
            bytes.extend([luma(&two[..3]), u as u8, luma(&two[3..]), v as u8]);
        }
    }
    bytes
}

fn luma(pixel: &[u8]) -> u8 {
    let [r, g, b] = [0, 1, 2].map(|channel| i32::from(pixel[channel]));
    (((66 * r + 129 * g + 25 * b + 128) >> 8) + 16) as u8
}
