//! Printed matter: Typst templates become the bitmap that the receipt printer burns, the PDF that the A4 printer takes,
//! and the QR code that the screen shows. A receipt for a slow line comes in lines: each is told apart, so that a
//! printer can draw it with its own characters.
//!
//! Deliberately absent: devices (a bitmap or PDF is handed over, never sent), the store, words of the screen (a
//! print-out's words stand beside or in its template), the clock (times arrive as text), temporary files, and errors
//! that could quote what was to be printed.
//!
//! Rendering runs in a short-lived child process, [`Renderer`] → `render-document`, because the
//! typesetter keeps strings for the life of its process.

mod bitmap;
mod certificate;
mod directions;
mod error;
mod fonts;
mod guide;
#[cfg(test)]
mod level_3_tests;
mod lines;
mod mapped_file;
mod process;
pub mod qr;
mod receipt;
mod render;
mod renderer;
mod rendering;
mod words;
mod world;
mod wrap;

pub use bitmap::Bitmap;
pub use certificate::{Certificate, CertificateRenderer, CertificateRequest, Column, MAX_CERTIFICATE_BYTES};
pub use directions::{Directions, QueueNumber, Window};
pub use error::DocumentError;
pub use guide::{Guide, GuideRenderer, GuideRequest, MAX_PDF_BYTES};
pub use receipt::{Grid, Language, Layout, RECEIPT_DOTS, Receipt, RenderRequest};
pub use render::Typesetter;
pub use renderer::Renderer;
pub use rendering::{Part, Rendering, TextLine};
