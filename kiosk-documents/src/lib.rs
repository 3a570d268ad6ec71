//! Printed matter: one Typst template becomes the bitmap that the receipt printer burns, another the PDF that the A4
//! printer takes; and the QR code that the screen shows.
//!
//! Deliberately absent: devices (a bitmap or PDF is handed over, never sent), the store, words of the screen
//! (a print-out's words stand in its template), the clock (times arrive as text), temporary files, and
//! errors that could quote what was to be printed.
//!
//! Rendering runs in a short-lived child process, [`Renderer`] → `render-document`, because the
//! typesetter keeps strings for the life of its process.

mod bitmap;
mod error;
mod fonts;
mod guide;
pub mod qr;
mod receipt;
mod render;
mod renderer;
mod world;

pub use bitmap::Bitmap;
pub use error::DocumentError;
pub use guide::{Guide, MAX_PDF_BYTES, render_guide};
pub use receipt::{Language, RECEIPT_DOTS, Receipt, RenderRequest};
pub use render::render_receipt;
pub use renderer::Renderer;
