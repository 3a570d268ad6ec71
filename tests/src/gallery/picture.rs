//! A picture of a screen, and how it becomes a file.

use anyhow::{Context, Result};
use std::path::Path;

/// One picture, rows of RGBA bytes.
pub struct Picture {
    /// `senior-en-guide`, for the file's name.
    pub name: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Writes it as PNG.
    pub fn write_png(&self, file: &Path) -> Result<()> {
        let file = std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.rgba)?;
        Ok(())
    }
}
