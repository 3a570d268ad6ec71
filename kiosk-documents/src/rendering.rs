//! What comes of a receipt: its picture and, where it was laid out in lines, which rows of it say what. In a file it is
//! the parts as one line of JSON, when there are any, and then the picture as PBM P4.
//!
//! ```text
//! [{"rows":64,"text":{"text":"受理回执","times_wide":2,"times_high":2,"bold":true}},{"rows":12},…]
//! P4
//! 576 1284
//! …
//! ```

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Bitmap, DocumentError, bitmap};

/// Most bytes that the parts of one receipt take in a file.
const MAX_PARTS_BYTES: usize = 128 * 1024;

/// A receipt that was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendering {
    /// The whole of it.
    pub picture: Bitmap,
    /// Its rows from top to bottom, without gap or overlap; none when it is one picture.
    pub parts: Vec<Part>,
}

/// Some rows of a receipt's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How many rows, at least one.
    pub rows: u32,
    /// What they say, when it is one line of text and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextLine>,
}

/// A line of text at the left. It may be a person's name, so it is wiped when it is dropped and `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct TextLine {
    /// The characters, without a line end.
    pub text: String,
    /// Times as wide as usual.
    pub times_wide: u8,
    /// Times as high as usual.
    pub times_high: u8,
    /// Darker.
    pub bold: bool,
}

impl fmt::Debug for TextLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextLine([redacted])")
    }
}

impl Rendering {
    /// A receipt that is one picture.
    pub(crate) fn of_picture(picture: Bitmap) -> Rendering {
        Rendering { picture, parts: Vec::new() }
    }

    /// Writes the file.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        if !self.parts.is_empty() {
            serde_json::to_writer(&mut *out, &self.parts)?;
            out.write_all(b"\n")?;
        }
        self.picture.write_pbm(out)
    }

    /// Reads a file as [`Rendering::write`] writes it. The parts are exactly the rows of the picture.
    pub fn read(file: &[u8]) -> Result<Rendering, DocumentError> {
        if file.first() != Some(&b'[') {
            return Bitmap::from_pbm(file).map(Rendering::of_picture);
        }
        let end = file.iter().take(MAX_PARTS_BYTES).position(|&byte| byte == b'\n');
        let (parts, picture) = file.split_at(end.ok_or(DocumentError::NotItsParts)?);
        // The parser's message may quote a line, so it is dropped.
        let parts: Vec<Part> = serde_json::from_slice(parts).map_err(|_| DocumentError::NotItsParts)?;
        let picture = Bitmap::from_pbm(&picture[1..])?;
        let rows: u64 = parts.iter().map(|part| u64::from(part.rows)).sum();
        let whole = rows == u64::from(picture.height) && parts.iter().all(|part| part.rows > 0);
        if whole { Ok(Rendering { picture, parts }) } else { Err(DocumentError::NotItsParts) }
    }
}

/// Largest number of bytes a file has; what a reader needs to take at most.
pub(crate) const MAX_FILE_BYTES: usize = MAX_PARTS_BYTES + bitmap::MAX_PBM_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> TextLine {
        TextLine { text: text.into(), times_wide: 1, times_high: 2, bold: true }
    }

    fn picture(height: u32) -> Bitmap {
        Bitmap { width: 8, height, rows: vec![0x0A; height as usize] }
    }

    fn file(rendering: &Rendering) -> Vec<u8> {
        let mut file = Vec::new();
        rendering.write(&mut file).unwrap();
        file
    }

    #[test]
    fn a_rendering_goes_there_and_back_with_and_without_parts() {
        let parts = vec![
            Part { rows: 3, text: Some(line("申请人 𬱖㛃 \"\\\n")) },
            Part { rows: 1, text: None },
            Part { rows: 6, text: Some(line("")) },
        ];
        for rendering in [Rendering { picture: picture(10), parts }, Rendering::of_picture(picture(2))] {
            assert_eq!(Rendering::read(&file(&rendering)).unwrap(), rendering);
        }
    }

    #[test]
    fn parts_that_are_not_the_rows_of_the_picture_are_refused() {
        let with = |rows: &[u32]| Rendering {
            picture: picture(4),
            parts: rows.iter().map(|&rows| Part { rows, text: None }).collect(),
        };
        assert!(Rendering::read(&file(&with(&[1, 3]))).is_ok());
        for rows in [&[1, 2][..], &[1, 4], &[4, 0], &[u32::MAX, 5]] {
            let read = Rendering::read(&file(&with(rows)));
            assert!(matches!(read, Err(DocumentError::NotItsParts)), "{rows:?}: {read:?}");
        }
        for bad in ["[", "[]", "[]\n", "[{\"rows\":4,\"more\":1}]\nP4\n8 4\n0000", "[3]\nP4\n8 4\n0000"] {
            assert!(Rendering::read(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_hides_the_text() {
        let shown = format!("{:?}", Part { rows: 3, text: Some(line("陈桂英")) });
        assert!(shown.contains("redacted") && !shown.contains('陈'), "{shown}");
    }
}
