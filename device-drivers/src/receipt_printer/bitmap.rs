//! A one-bit picture, as a printer takes it.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The tallest bitmap that is printed: 2 m of paper.
const MAX_HEIGHT: u32 = 16_000;

/// A one-bit picture. Shows a receipt, so it is zeroed on drop and redacted in Debug.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Bitmap {
    /// Dots per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Rows from the top, each packed into whole bytes: the most significant bit is the left dot, 1 is black.
    pub rows: Vec<u8>,
}

/// Why a bitmap cannot be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BitmapError {
    /// Wider than the print head.
    #[error("wider than the print head")]
    TooWide,
    /// No dots at all, or taller than any receipt.
    #[error("impossible height or width")]
    Size,
    /// Width and height do not fit the number of bytes.
    #[error("size and data do not fit together")]
    Data,
}

impl Bitmap {
    /// A white bitmap.
    pub fn blank(width: u32, height: u32) -> Bitmap {
        let bytes = width.div_ceil(8) as usize * height as usize;
        Bitmap { width, height, rows: vec![0; bytes] }
    }

    /// Bytes of one row.
    pub fn bytes_per_row(&self) -> usize {
        self.width.div_ceil(8) as usize
    }

    /// One row's bytes; empty outside the picture.
    pub fn row(&self, y: u32) -> &[u8] {
        let (bytes, start) = (self.bytes_per_row(), self.bytes_per_row() * y as usize);
        self.rows.get(start..start + bytes).unwrap_or(&[])
    }

    /// Whether a dot is black; white outside the picture.
    pub fn is_black(&self, x: u32, y: u32) -> bool {
        x < self.width && self.row(y).get(x as usize / 8).is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
    }

    /// Makes a dot black; nothing happens outside the picture.
    pub fn set_black(&mut self, x: u32, y: u32) {
        if x < self.width && y < self.height {
            let at = self.bytes_per_row() * y as usize + x as usize / 8;
            if let Some(byte) = self.rows.get_mut(at) {
                *byte |= 0x80 >> (x % 8);
            }
        }
    }

    /// Whether the bitmap can be printed on a head of `dots` dots.
    pub fn check(&self, dots: u32) -> Result<(), BitmapError> {
        if self.width == 0 || self.height == 0 || self.height > MAX_HEIGHT {
            return Err(BitmapError::Size);
        }
        if self.width > dots {
            return Err(BitmapError::TooWide);
        }
        if self.rows.len() != self.bytes_per_row() * self.height as usize {
            return Err(BitmapError::Data);
        }
        Ok(())
    }
}

impl fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitmap({} × {}, [redacted])", self.width, self.height)
    }
}
