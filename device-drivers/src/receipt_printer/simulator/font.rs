//! The simulated printer's characters: Noto Sans Mono CJK, where Debian's package `fonts-noto-cjk` is installed, as
//! crisp dots. Without it every character is a frame. Real printers have a bitmap font of 12 × 24 and 24 × 24 dots;
//! its shapes differ from maker to maker.

use std::sync::OnceLock;

use ab_glyph::{Font, FontVec, Glyph, PxScale, point};

use crate::receipt_printer::Bitmap;

/// Where the package puts the font's collection.
const COLLECTION: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
/// Its member with simplified shapes and characters of one width and half of it.
const MONO_SC: u32 = 7;
/// From the top of a character's square to the line that it stands on, in parts of the square.
const ASCENT: f32 = 0.88;
/// How much of a dot a stroke must cover to make it black.
const INK: f32 = 0.38;

/// Dots of a character from top to bottom; a Chinese character is as wide, an ASCII character half.
pub(super) const HEIGHT: u32 = 24;

/// The characters as dots.
pub(super) struct PrinterFont {
    outlines: Option<FontVec>,
}

impl PrinterFont {
    /// The font of this machine; read once, at the first character that is printed.
    pub(super) fn of_this_machine() -> &'static PrinterFont {
        static FONT: OnceLock<PrinterFont> = OnceLock::new();
        FONT.get_or_init(|| {
            let bytes = std::fs::read(COLLECTION).ok();
            let outlines = bytes.and_then(|bytes| FontVec::try_from_vec_and_index(bytes, MONO_SC).ok());
            if outlines.is_none() {
                tracing::warn!("the simulated printer has no font and draws frames");
            }
            PrinterFont { outlines }
        })
    }

    /// One character in its cell; a frame when the font does not have it.
    pub(super) fn cell(&self, character: char, width: u32) -> Bitmap {
        let mut cell = Bitmap::blank(width, HEIGHT);
        if character == ' ' || character == '\u{3000}' {
            return cell;
        }
        let drawn = self.outlines.as_ref().and_then(|font| draw(font, character, &mut cell));
        if drawn.is_none() {
            frame(&mut cell);
        }
        cell
    }
}

fn draw(font: &FontVec, character: char, cell: &mut Bitmap) -> Option<()> {
    let id = font.glyph_id(character);
    // Glyph 0 is the one for what a font does not have.
    if id.0 == 0 {
        return None;
    }
    let square = HEIGHT as f32;
    let scale = PxScale::from(font.height_unscaled() / font.units_per_em()? * square);
    let advance = font.h_advance_unscaled(id) / font.units_per_em()? * square;
    // Characters of another width than their cell's stand in its middle.
    let left = (cell.width as f32 - advance) / 2.0;
    let glyph = Glyph { id, scale, position: point(left, ASCENT * square) };
    let outlined = font.outline_glyph(glyph)?;
    let (x0, y0) = (outlined.px_bounds().min.x, outlined.px_bounds().min.y);
    outlined.draw(|x, y, covered| {
        let (x, y) = (x0 + x as f32, y0 + y as f32);
        if covered >= INK && x >= 0.0 && y >= 0.0 {
            cell.set_black(x as u32, y as u32);
        }
    });
    Some(())
}

fn frame(cell: &mut Bitmap) {
    let (right, bottom) = (cell.width - 2, cell.height - 3);
    for x in 1..=right {
        cell.set_black(x, 2);
        cell.set_black(x, bottom);
    }
    for y in 2..=bottom {
        cell.set_black(1, y);
        cell.set_black(right, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_no_font_has_is_a_frame_and_a_space_is_white() {
        let none = PrinterFont { outlines: None };
        let shown = none.cell('东', 24);
        assert!(shown.is_black(1, 2) && shown.is_black(22, 21) && !shown.is_black(12, 12));
        let white = none.cell(' ', 12);
        assert!(white.rows.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn characters_of_the_machine_s_font_differ_and_stay_in_their_cells() {
        let font = PrinterFont::of_this_machine();
        assert!(font.outlines.is_some(), "the package fonts-noto-cjk is installed");
        let (east, city, letter) = (font.cell('东', 24), font.cell('市', 24), font.cell('A', 12));
        assert!(east != city);
        let ink = |cell: &Bitmap| cell.rows.iter().map(|byte| byte.count_ones()).sum::<u32>();
        for cell in [&east, &city, &letter] {
            assert!((30..300).contains(&ink(cell)), "{} black dots", ink(cell));
        }
        // A private character is in no font.
        assert!(font.cell('\u{F8FF}', 24) == PrinterFont { outlines: None }.cell('x', 24));
    }
}
