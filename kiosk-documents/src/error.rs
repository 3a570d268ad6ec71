//! Why a document could not be made. Nothing here can hold what was to be printed: a typesetter's message
//! quotes its input, so it is reduced to the template's line number.

use std::io;
use std::time::Duration;

/// A document that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A field is longer than any receipt or guide has room for.
    #[error("the field {field} is longer than {limit} characters")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// What it may hold.
        limit: usize,
    },
    /// The text does not fit into a QR code.
    #[error("the text is too long for a QR code")]
    QrTooLong,
    /// A grid of characters that no printer has.
    #[error("no printer has characters of this size, or so many of them")]
    Grid,
    /// The list of fonts cannot be read.
    #[error("the list of fonts is broken: {0}")]
    FontList(String),
    /// A font without which nothing can be printed is not installed.
    #[error("the font {family} is not installed (Debian package {package})")]
    FontMissing {
        /// Family that was looked for.
        family: String,
        /// Package that brings it.
        package: String,
    },
    /// The template could not be typeset.
    #[error("the template could not be typeset (line {line:?})")]
    Template {
        /// Line of the template, where the typesetter named one.
        line: Option<usize>,
    },
    /// The pages could not be written as PDF.
    #[error("the pages could not be written as PDF")]
    Pdf,
    /// The result is not one page of the printer's width and of a height it accepts.
    #[error("the document has a shape no printer takes: {pages} pages, {width} × {height} dots")]
    Shape {
        /// Pages made.
        pages: usize,
        /// Width in dots.
        width: u32,
        /// Height in dots.
        height: u32,
    },
    /// The rendering process could not be started or talked to.
    #[error("the rendering process could not be used: {0}")]
    Process(io::ErrorKind),
    /// The rendering process ended without a document.
    #[error("the rendering process failed with exit status {0:?}")]
    Failed(Option<i32>),
    /// The rendering process was stopped because it took too long.
    #[error("the rendering process took longer than {0:?} and was stopped")]
    TimedOut(Duration),
    /// What came back is not a PDF.
    #[error("the rendering process answered with something that is not a PDF")]
    NotAPdf,
    /// What came back is not a bitmap.
    #[error("the rendering process answered with something that is not a bitmap")]
    NotABitmap,
    /// What came back with a bitmap are not its parts.
    #[error("the rendering process answered with parts that are not the rows of its bitmap")]
    NotItsParts,
}
