//! The printer's own QR codes (GS ( k) and stored pictures (GS ( L, GS 8 L).

use qrcode::{Color, EcLevel, QrCode};

use super::typeset::enlarged;
use crate::receipt_printer::Bitmap;

/// What was set for the next code, and what was stored.
pub(super) struct Symbols {
    module: u32,
    level: EcLevel,
    data: Vec<u8>,
    picture: Option<Bitmap>,
}

impl Default for Symbols {
    fn default() -> Symbols {
        Symbols { module: 3, level: EcLevel::L, data: Vec::new(), picture: None }
    }
}

impl Symbols {
    /// Does what is behind the head of a GS ( k; gives a picture when one is to be printed. Whatever model is asked
    /// for, model 2 is drawn; other kinds of codes are not.
    pub(super) fn code(&mut self, function: &[u8]) -> Option<Bitmap> {
        match *function {
            [0x31, 0x43, module @ 1..=16] => self.module = u32::from(module),
            [0x31, 0x45, level] => {
                self.level = match level {
                    0x31 => EcLevel::M,
                    0x32 => EcLevel::Q,
                    0x33 => EcLevel::H,
                    _ => EcLevel::L,
                }
            }
            [0x31, 0x50, 0x30, ref data @ ..] => self.data = data.to_vec(),
            [0x31, 0x51, 0x30] => return self.draw(),
            _ => {}
        }
        None
    }

    fn draw(&self) -> Option<Bitmap> {
        let code = QrCode::with_error_correction_level(&self.data, self.level).ok()?;
        let side = code.width();
        let mut picture = Bitmap::blank(side as u32, side as u32);
        for (at, color) in code.into_colors().into_iter().enumerate() {
            if color == Color::Dark {
                picture.set_black((at % side) as u32, (at / side) as u32);
            }
        }
        Some(enlarged(&picture, self.module, self.module))
    }

    /// Does what is behind the head of a GS ( L or GS 8 L; gives a picture when the stored one is to be printed.
    pub(super) fn graphics(&mut self, function: &[u8]) -> Option<Bitmap> {
        match *function {
            [0x30, 0x70, _, wide, high, _, x_low, x_high, y_low, y_high, ref data @ ..] => {
                let width = u32::from(u16::from_le_bytes([x_low, x_high]));
                let height = u32::from(u16::from_le_bytes([y_low, y_high]));
                let picture = Bitmap { width, height, rows: data.to_vec() };
                let whole = picture.rows.len() == picture.bytes_per_row() * height as usize;
                let (wide, high) = (u32::from(wide).clamp(1, 2), u32::from(high).clamp(1, 2));
                self.picture = (whole && width > 0 && height > 0).then(|| enlarged(&picture, wide, high));
                None
            }
            [0x30, 0x02 | 0x32] => self.picture.take(),
            _ => None,
        }
    }
}

/// A picture in columns (ESC *): 8 or 24 dots high, thin ones drawn twice as wide.
pub(super) fn columns(density: u8, data: &[u8]) -> Bitmap {
    let per_column = if density >= 32 { 3 } else { 1 };
    let width = (data.len() / per_column) as u32;
    let mut picture = Bitmap::blank(width, per_column as u32 * 8);
    for (x, column) in data.chunks_exact(per_column).enumerate() {
        for y in (0..picture.height).filter(|y| column[*y as usize / 8] & (0x80 >> (y % 8)) != 0) {
            picture.set_black(x as u32, y);
        }
    }
    let times_wide = if density & 1 == 0 { 2 } else { 1 };
    let times_high = if per_column == 1 { 3 } else { 1 };
    enlarged(&picture, times_wide, times_high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_picture_is_printed_once_and_a_torn_one_never() {
        let mut symbols = Symbols::default();
        let head = [0x30, 0x70, 0x30, 1, 2, 0x31, 8, 0, 2, 0];
        assert_eq!(symbols.graphics(&[&head[..], &[0x80, 0x01]].concat()), None);
        let picture = symbols.graphics(&[0x30, 0x32]).unwrap();
        assert_eq!((picture.width, picture.height), (8, 4));
        assert!(picture.is_black(0, 1) && picture.is_black(7, 2) && !picture.is_black(7, 1));
        assert_eq!(symbols.graphics(&[0x30, 0x32]), None);
        assert_eq!(symbols.graphics(&[&head[..], &[0x80]].concat()), None);
        assert_eq!(symbols.graphics(&[0x30, 0x32]), None);
    }

    #[test]
    fn columns_are_drawn_from_the_top() {
        let picture = columns(33, &[0x80, 0, 0x01, 0, 0, 0]);
        assert_eq!((picture.width, picture.height), (2, 24));
        assert!(picture.is_black(0, 0) && picture.is_black(0, 23) && !picture.is_black(1, 0));
        assert_eq!((columns(0, &[0xFF; 4]).width, columns(0, &[0xFF; 4]).height), (8, 24));
    }
}
