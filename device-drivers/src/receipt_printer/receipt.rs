//! What is printed: a receipt as one picture, and, where its author knows them, the lines of text in it.

use std::fmt;
use std::ops::Range;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Bitmap, BitmapError};

/// A receipt. The picture is the whole of it. Parts say which rows of the picture are a line of text, so that
/// a driver on a slow line can send the text and leave the printer's own characters to draw it; a part without
/// text, or one whose text the printer cannot show, goes as its rows of the picture.
#[derive(Clone)]
pub struct Receipt {
    picture: Bitmap,
    parts: Vec<Part>,
}

/// Some rows of a receipt's picture.
#[derive(Clone)]
pub struct Part {
    /// The rows.
    pub rows: Range<u32>,
    /// What the rows say, when it is one line of text and nothing else.
    pub text: Option<TextLine>,
}

/// A line of text. Shows what a resident may read, so it is zeroed on drop and redacted in Debug.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TextLine {
    /// The characters, without a line end.
    pub text: String,
    /// Where the line stands.
    #[zeroize(skip)]
    pub align: Align,
    /// Times as wide as usual, 1 to 8.
    pub times_wide: u8,
    /// Times as high as usual, 1 to 8.
    pub times_high: u8,
    /// Printed twice over, darker.
    pub bold: bool,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right.
    Right,
}

/// Why parts do not fit their picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parts of the receipt are not its rows from top to bottom")]
pub struct PartsError;

impl TextLine {
    /// A line of ordinary characters at the left.
    pub fn plain(text: impl Into<String>) -> TextLine {
        TextLine { text: text.into(), align: Align::Left, times_wide: 1, times_high: 1, bold: false }
    }
}

impl Receipt {
    /// A receipt whose parts are known. They must cover the picture's rows from top to bottom, without gap or overlap.
    pub fn with_parts(picture: Bitmap, parts: Vec<Part>) -> Result<Receipt, PartsError> {
        let mut next = 0;
        for part in &parts {
            if part.rows.start != next || part.rows.end <= next {
                return Err(PartsError);
            }
            next = part.rows.end;
        }
        if next != picture.height {
            return Err(PartsError);
        }
        Ok(Receipt { picture, parts })
    }

    /// The whole receipt.
    pub fn picture(&self) -> &Bitmap {
        &self.picture
    }

    /// Its parts from top to bottom; none when only the picture is known.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether the receipt can be printed on a head of `dots` dots.
    pub(crate) fn check(&self, dots: u32) -> Result<(), BitmapError> {
        self.picture.check(dots)
    }
}

impl From<Bitmap> for Receipt {
    /// A receipt of which only the picture is known.
    fn from(picture: Bitmap) -> Receipt {
        Receipt { picture, parts: Vec::new() }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({:?}, {} parts)", self.picture, self.parts.len())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text.is_some() { "text" } else { "picture" };
        write!(f, "Part({:?}, {kind} [redacted])", self.rows)
    }
}

impl fmt::Debug for TextLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextLine([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts from each of these rows up to the next.
    fn parts(edges: &[u32]) -> Vec<Part> {
        edges.windows(2).map(|edge| part(edge[0]..edge[1])).collect()
    }

    fn part(rows: Range<u32>) -> Part {
        Part { rows, text: Some(TextLine::plain("张三")) }
    }

    #[test]
    fn parts_cover_the_picture() {
        let whole = |parts| Receipt::with_parts(Bitmap::blank(576, 60), parts);
        assert!(whole(parts(&[0, 30, 60])).is_ok());
        for wrong in [
            parts(&[]),
            parts(&[0, 30]),
            parts(&[0, 30, 30, 60]),
            parts(&[0, 61]),
            vec![part(0..30), part(31..60)],
            vec![part(0..30), part(20..60)],
        ] {
            let shown = format!("{wrong:?}");
            assert_eq!(whole(wrong).err(), Some(PartsError), "{shown}");
        }
    }

    #[test]
    fn nothing_of_a_receipt_is_shown_in_debug() {
        let receipt = Receipt::with_parts(Bitmap::blank(8, 30), parts(&[0, 30])).unwrap();
        let shown = format!("{receipt:?} {:?} {:?}", receipt.parts(), receipt.parts()[0].text);
        assert!(!shown.contains('张') && shown.contains("[redacted]"), "{shown}");
    }
}
