//! A line of characters before it is printed: cells side by side, in the styles that were chosen.

use std::collections::VecDeque;

use super::font::{HEIGHT, PrinterFont};
use crate::receipt_printer::Bitmap;

/// Line spacing after power-on, in rows: 1/6 inch.
pub(super) const DEFAULT_SPACING: u32 = 34;

/// How characters look and where lines stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Bytes from 81 on are GB 18030.
    pub(super) chinese: bool,
    pub(super) times_wide: u32,
    pub(super) times_high: u32,
    pub(super) bold: bool,
    /// Rows of the line under characters.
    pub(super) underline: u32,
    pub(super) invert: bool,
    /// 0 left, 1 centre, 2 right.
    pub(super) align: u8,
    /// Rows from a line to the next.
    pub(super) spacing: u32,
    /// Dots to the right of an ASCII character.
    pub(super) right_space: u32,
    /// Dots to both sides of a Chinese character.
    pub(super) chinese_space: (u32, u32),
    /// Dots left free at the left.
    pub(super) margin: u32,
    /// Dots that are printed on; what the head has when absent.
    pub(super) area: Option<u32>,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            chinese: false,
            times_wide: 1,
            times_high: 1,
            bold: false,
            underline: 0,
            invert: false,
            align: 0,
            spacing: DEFAULT_SPACING,
            right_space: 0,
            chinese_space: (0, 0),
            margin: 0,
            area: None,
        }
    }
}

/// The line that is being filled.
pub(super) struct Typesetter {
    dots: u32,
    pub(super) style: Style,
    line: Line,
}

/// What is in a line.
#[derive(Default)]
pub(super) struct Line {
    cells: Vec<(u32, Bitmap)>,
    /// Dots used so far.
    used: u32,
    /// Its characters.
    pub(super) text: String,
    /// Bytes that were no character of the font.
    pub(super) stray: u32,
}

impl Typesetter {
    pub(super) fn new(dots: u32) -> Typesetter {
        Typesetter { dots, style: Style::default(), line: Line::default() }
    }

    /// Forgets the line and every style.
    pub(super) fn reset(&mut self) {
        *self = Typesetter::new(self.dots);
    }

    /// Forgets the line.
    pub(super) fn clear_line(&mut self) {
        self.line = Line::default();
    }

    pub(super) fn has_line(&self) -> bool {
        !self.line.cells.is_empty()
    }

    /// Dots between the margins.
    fn width(&self) -> u32 {
        let most = self.dots.saturating_sub(self.style.margin);
        self.style.area.map_or(most, |area| area.min(most))
    }

    /// Adds one character; false when it does not fit any more. `bytes` is how many stood for it.
    pub(super) fn put(&mut self, character: Option<char>, bytes: usize) -> bool {
        let style = self.style;
        let half = bytes == 1;
        let (before, after) = if half { (0, style.right_space) } else { style.chinese_space };
        let width = if half { HEIGHT / 2 } else { HEIGHT };
        let taken = (before + width + after) * style.times_wide;
        if self.line.used > 0 && self.line.used + taken > self.width() {
            return false;
        }
        let mut cell = PrinterFont::of_this_machine().cell(character.unwrap_or('\u{FFFD}'), width);
        if style.bold {
            embolden(&mut cell);
        }
        let mut cell = enlarged(&cell, style.times_wide, style.times_high);
        decorate(&mut cell, style.underline, style.invert);
        self.line.cells.push((self.line.used + before * style.times_wide, cell));
        self.line.used += taken;
        match character {
            Some(character) => self.line.text.push(character),
            None => self.line.stray += bytes as u32,
        }
        true
    }

    /// Adds a picture to the line, as wide as it is. What begins beyond the paper is not kept.
    pub(super) fn put_picture(&mut self, picture: Bitmap) {
        if self.line.used >= self.dots {
            return;
        }
        let width = picture.width;
        self.line.cells.push((self.line.used, picture));
        self.line.used += width;
    }

    /// The next character stands so many dots from the left.
    pub(super) fn move_to(&mut self, dots: u32) {
        self.line.used = dots.min(self.width());
    }

    /// The next character stands so many dots further right, or left.
    pub(super) fn move_by(&mut self, dots: i16) {
        self.move_to(self.line.used.saturating_add_signed(i32::from(dots)));
    }

    /// Takes the line out, as rows for the head; none when nothing is in it.
    pub(super) fn take(&mut self) -> Option<(Line, VecDeque<Vec<u8>>)> {
        let line = std::mem::take(&mut self.line);
        let height = line.cells.iter().map(|(_, cell)| cell.height).max()?;
        let mut whole = Bitmap::blank(line.used.max(1), height);
        for (left, cell) in &line.cells {
            // Characters of different heights stand on the same base.
            let top = height - cell.height;
            for (x, y) in black_dots(cell) {
                whole.set_black(left + x, top + y);
            }
        }
        let rows = self.place(&whole);
        Some((line, rows))
    }

    /// The rows of a picture, moved to where lines stand.
    pub(super) fn place(&self, picture: &Bitmap) -> VecDeque<Vec<u8>> {
        (0..picture.height).map(|y| self.place_row(picture.row(y), picture.width)).collect()
    }

    /// One row of `width` dots, moved to where lines stand.
    pub(super) fn place_row(&self, row: &[u8], width: u32) -> Vec<u8> {
        let free = self.width().saturating_sub(width);
        let left = self.style.margin
            + match self.style.align {
                0 => 0,
                1 => free / 2,
                _ => free,
            };
        if left == 0 {
            return row.to_vec();
        }
        let source = Bitmap { width, height: 1, rows: row.to_vec() };
        let mut placed = Bitmap::blank(self.dots, 1);
        for (x, _) in black_dots(&source) {
            placed.set_black(left + x, 0);
        }
        placed.rows.clone()
    }
}

fn black_dots(picture: &Bitmap) -> impl Iterator<Item = (u32, u32)> + '_ {
    let all = (0..picture.height).flat_map(move |y| (0..picture.width).map(move |x| (x, y)));
    all.filter(move |(x, y)| picture.is_black(*x, *y))
}

/// Every dot once more, to its right.
fn embolden(cell: &mut Bitmap) {
    let dots: Vec<(u32, u32)> = black_dots(cell).collect();
    for (x, y) in dots {
        cell.set_black(x + 1, y);
    }
}

/// Every dot as a block of dots.
pub(super) fn enlarged(cell: &Bitmap, times_wide: u32, times_high: u32) -> Bitmap {
    let mut large = Bitmap::blank(cell.width * times_wide, cell.height * times_high);
    for (x, y) in black_dots(cell) {
        for dy in 0..times_high {
            for dx in 0..times_wide {
                large.set_black(x * times_wide + dx, y * times_high + dy);
            }
        }
    }
    large
}

fn decorate(cell: &mut Bitmap, underline: u32, invert: bool) {
    for y in cell.height.saturating_sub(underline)..cell.height {
        for x in 0..cell.width {
            cell.set_black(x, y);
        }
    }
    if invert {
        let mut inverted = Bitmap::blank(cell.width, cell.height);
        let all = (0..cell.height).flat_map(|y| (0..cell.width).map(move |x| (x, y)));
        for (x, y) in all.filter(|(x, y)| !cell.is_black(*x, *y)) {
            inverted.set_black(x, y);
        }
        *cell = inverted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(rows: &VecDeque<Vec<u8>>, dots: u32) -> Vec<u32> {
        (0..dots)
            .filter(|x| {
                rows.iter()
                    .any(|row| row.get(*x as usize / 8).is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0))
            })
            .collect()
    }

    #[test]
    fn a_line_holds_what_the_paper_is_wide() {
        let mut typesetter = Typesetter::new(576);
        for _ in 0..48 {
            assert!(typesetter.put(Some('x'), 1));
        }
        assert!(!typesetter.put(Some('x'), 1));
        typesetter.clear_line();
        typesetter.style.times_wide = 2;
        for _ in 0..12 {
            assert!(typesetter.put(Some('东'), 2));
        }
        assert!(!typesetter.put(Some('莞'), 2));
    }

    #[test]
    fn lines_stand_left_in_the_middle_and_right() {
        for (align, from, to) in [(0, 0, 24), (1, 276, 300), (2, 552, 576)] {
            let mut typesetter = Typesetter::new(576);
            typesetter.style.align = align;
            assert!(typesetter.put(Some('东'), 2));
            let (line, rows) = typesetter.take().unwrap();
            assert_eq!((line.text.as_str(), line.stray, rows.len()), ("东", 0, 24));
            let black = columns(&rows, 576);
            assert!(black.iter().all(|x| (from..to).contains(x)) && black.len() > 10, "{align}: {black:?}");
        }
    }

    #[test]
    fn inverted_and_larger_characters_fill_their_cells() {
        let mut typesetter = Typesetter::new(576);
        (typesetter.style.times_wide, typesetter.style.times_high, typesetter.style.invert) = (2, 3, true);
        assert!(typesetter.put(Some(' '), 1));
        let (_, rows) = typesetter.take().unwrap();
        assert_eq!((rows.len(), columns(&rows, 576)), (72, (0..24).collect()));
    }
}
