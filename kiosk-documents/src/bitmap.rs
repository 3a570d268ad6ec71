//! The one-bit picture a printer takes, and its plain file form (PBM P4), which has the same packing.

use std::fmt;
use std::io;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::DocumentError;

/// Tallest picture accepted: 400 mm of paper at 8 dots a millimetre. A limit on everything.
const MAX_HEIGHT: u32 = 3200;
/// Widest picture accepted, far above any receipt printer.
const MAX_WIDTH: u32 = 4096;

/// A one-bit picture. Rows are packed to whole bytes; the most significant bit is the left dot; 1 is black.
/// It may show a person's name, so `Debug` hides the dots and they are wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Bitmap {
    /// Width in dots.
    pub width: u32,
    /// Height in dots.
    pub height: u32,
    /// `height` rows of [`Bitmap::stride`] bytes.
    pub rows: Vec<u8>,
}

impl fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitmap({} × {})", self.width, self.height)
    }
}

impl Bitmap {
    /// Bytes in a row.
    pub fn stride(&self) -> usize {
        stride(self.width)
    }

    /// Whether the dot is black. Outside the picture is white.
    pub fn is_black(&self, x: u32, y: u32) -> bool {
        if x >= self.width || y >= self.height {
            return false;
        }
        let byte = self.rows[y as usize * self.stride() + (x / 8) as usize];
        byte & (0x80 >> (x % 8)) != 0
    }

    /// The parts, for handing to a driver that has its own type: width, height, rows.
    pub fn into_parts(mut self) -> (u32, u32, Vec<u8>) {
        (self.width, self.height, std::mem::take(&mut self.rows))
    }

    /// Cuts a picture to one bit: a dot is black when its lightness, 0 to 255, is below `threshold`.
    pub(crate) fn from_lightness(
        width: u32,
        height: u32,
        lightness: impl IntoIterator<Item = u8>,
        threshold: u8,
    ) -> Bitmap {
        let mut rows = vec![0; stride(width) * height as usize];
        let mut lightness = lightness.into_iter();
        for row in rows.chunks_exact_mut(stride(width)) {
            for (x, value) in lightness.by_ref().take(width as usize).enumerate() {
                if value < threshold {
                    row[x / 8] |= 0x80 >> (x % 8);
                }
            }
        }
        Bitmap { width, height, rows }
    }

    /// Writes the picture as PBM P4.
    pub fn write_pbm(&self, out: &mut impl io::Write) -> io::Result<()> {
        write!(out, "P4\n{} {}\n", self.width, self.height)?;
        out.write_all(&self.rows)
    }

    /// Reads a PBM P4 file as [`Bitmap::write_pbm`] writes it: no comments, exactly the bytes it announces.
    pub fn from_pbm(bytes: &[u8]) -> Result<Bitmap, DocumentError> {
        parse_pbm(bytes).ok_or(DocumentError::NotABitmap)
    }

    /// Writes the picture as PNG, for people and tests to look at.
    pub fn write_png(&self, out: impl io::Write) -> io::Result<()> {
        let mut encoder = png::Encoder::new(out, self.width, self.height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header()?;
        // PNG counts lightness, a printer counts ink.
        let light: Vec<u8> = self.rows.iter().map(|byte| !byte).collect();
        writer.write_image_data(&light)?;
        Ok(())
    }
}

fn stride(width: u32) -> usize {
    width.div_ceil(8) as usize
}

fn parse_pbm(bytes: &[u8]) -> Option<Bitmap> {
    let rest = bytes.strip_prefix(b"P4\n")?;
    let end = rest.iter().take(24).position(|&byte| byte == b'\n')?;
    let (width, height) = std::str::from_utf8(&rest[..end]).ok()?.split_once(' ')?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    if width == 0 || width > MAX_WIDTH || height == 0 || height > MAX_HEIGHT {
        return None;
    }
    let rows = &rest[end + 1..];
    (rows.len() == stride(width) * height as usize).then(|| Bitmap { width, height, rows: rows.to_vec() })
}

/// Largest number of bytes a PBM of an accepted picture has; what a reader needs to take at most.
pub(crate) const MAX_PBM_BYTES: usize = 32 + (MAX_WIDTH as usize / 8) * MAX_HEIGHT as usize;

/// Whether a typeset page is a picture this crate accepts.
pub(crate) fn acceptable(width: u32, height: u32) -> bool {
    width <= MAX_WIDTH && height > 0 && height <= MAX_HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bitmap {
        // 10 wide: two bytes a row, six unused bits.
        Bitmap { width: 10, height: 2, rows: vec![0b1000_0000, 0b0100_0000, 0, 0b1000_0000] }
    }

    #[test]
    fn dots_are_read_left_to_right() {
        let bitmap = sample();
        assert!(bitmap.is_black(0, 0) && bitmap.is_black(9, 0) && bitmap.is_black(8, 1));
        assert!(!bitmap.is_black(1, 0) && !bitmap.is_black(9, 1));
        assert!(!bitmap.is_black(10, 0) && !bitmap.is_black(0, 2));
    }

    #[test]
    fn lightness_is_cut_at_the_threshold() {
        let grey = [0, 127, 128, 255, 0, 255];
        let bitmap = Bitmap::from_lightness(3, 2, grey, 128);
        assert_eq!(bitmap.rows, [0b1100_0000, 0b0100_0000]);
    }

    #[test]
    fn pbm_goes_there_and_back() {
        let mut file = Vec::new();
        sample().write_pbm(&mut file).unwrap();
        assert_eq!(Bitmap::from_pbm(&file).unwrap(), sample());
    }

    #[test]
    fn anything_else_is_not_a_bitmap() {
        let mut whole = Vec::new();
        sample().write_pbm(&mut whole).unwrap();
        let mut long = whole.clone();
        long.push(0);
        let huge = b"P4\n8 99999999\n".to_vec();
        for bad in [
            &whole[..whole.len() - 1],
            &long,
            &huge,
            b"",
            b"P4\n",
            b"P4\n0 0\n",
            b"P1\n1 1\n1",
            b"P4\n-8 1\n0",
        ] {
            assert!(matches!(Bitmap::from_pbm(bad), Err(DocumentError::NotABitmap)));
        }
    }

    #[test]
    fn debug_hides_the_dots() {
        assert_eq!(format!("{:?}", sample()), "Bitmap(10 × 2)");
    }
}
