//! A paper that the city issued, as somebody has it: a PDF, or a picture of it. Finds the code on it, and in a PDF the
//! words. Everything is read by libraries that have no part in making the paper.
//!
//! Deliberately absent: any judgement.

use std::io::Cursor;

use device_drivers::camera::picture::Picture;
use device_drivers::camera::protocol::{FrameError, mjpg};
use device_drivers::code_scanner::camera::code_in;
use hayro::hayro_interpret::font::Glyph;
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, GlyphDrawMode, Image, InterpreterCache, InterpreterSettings, Paint,
    PathDrawMode, SoftMask, interpret_page,
};
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::kurbo::{Affine, BezPath, Rect};

use crate::pdf_page;

/// Pixels for each point at which a page is looked at: a module of the code is then some five pixels wide, or more.
const SCALES: [f32; 3] = [3.0, 2.0, 4.0];
/// Most pages that are looked at.
const PAGES: usize = 20;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paper {
    /// Text of the first code on it.
    pub code: Option<String>,
    /// Its words in the order in which they are drawn, without spaces; nothing of a picture.
    pub words: Option<String>,
}

/// Why a file could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// Neither PDF nor PNG nor JPEG.
    #[error("it is neither a PDF nor a picture in PNG or JPEG")]
    Unknown,
    /// One of them, but damaged or of a kind that is not read.
    #[error("it is damaged, or of a kind that is not read here")]
    Unreadable,
}

/// Reads one.
///
/// # Errors
/// [`PaperError`]; a paper without a code is none.
pub fn read(file: &[u8]) -> Result<Paper, PaperError> {
    match file {
        [b'%', b'P', b'D', b'F', ..] => of_pdf(file.to_vec()).ok_or(PaperError::Unreadable),
        [0x89, b'P', b'N', b'G', ..] => of_picture(png(file).ok_or(PaperError::Unreadable)?),
        [0xFF, 0xD8, ..] => of_picture(jpeg(file).ok_or(PaperError::Unreadable)?),
        _ => Err(PaperError::Unknown),
    }
}

fn of_pdf(file: Vec<u8>) -> Option<Paper> {
    let words = words(file.clone())?;
    let pages = Pdf::new(file.clone()).ok()?.pages().len().min(PAGES);
    let tries = SCALES.iter().flat_map(|scale| (0..pages).rev().map(move |page| (*scale, page)));
    let mut found = tries.filter_map(|(scale, page)| {
        let (width, height, grey) = pdf_page::grey(file.clone(), page, scale)?;
        let rgb = grey.iter().flat_map(|grey| [*grey; 3]).collect();
        code_on(&Picture::from_rgb(width, height, rgb)?)
    });
    Some(Paper { code: found.next(), words: Some(words) })
}

fn of_picture(picture: Picture) -> Result<Paper, PaperError> {
    // A photo has more pixels than a code needs, and noise in the rest.
    let shrunk = [2, 3, 4].into_iter().filter(|factor| picture.width() / factor > 400);
    let code = code_on(&picture)
        .or_else(|| shrunk.map(|factor| picture.shrunk(factor)).find_map(|small| code_on(&small)));
    Ok(Paper { code, words: None })
}

fn code_on(picture: &Picture) -> Option<String> {
    code_in(&picture.luma()).ok().flatten().map(|code| code.as_str().to_owned())
}

fn png(file: &[u8]) -> Option<Picture> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    let samples = info.color_type.samples();
    let rgb = bytes[..info.buffer_size()].chunks_exact(samples).flat_map(|pixel| match pixel {
        [grey] | [grey, _] => [*grey; 3],
        [red, green, blue, ..] => [*red, *green, *blue],
        [] => [0; 3],
    });
    Picture::from_rgb(info.width, info.height, rgb.collect())
}

fn jpeg(file: &[u8]) -> Option<Picture> {
    // The camera's decoder wants to be told the size, and says it when it was told another.
    let Err(FrameError::Size { width, height }) = mjpg::decode(file, 0, 0) else { return None };
    mjpg::decode(file, width, height).ok()
}

fn words(file: Vec<u8>) -> Option<String> {
    let pdf = Pdf::new(file).ok()?;
    let mut reader = Words(String::new());
    for page in pdf.pages().iter().take(PAGES) {
        let cache = InterpreterCache::new();
        let anywhere = Rect::new(0.0, 0.0, 1.0, 1.0);
        let settings = InterpreterSettings::default();
        let mut context = Context::new(Affine::IDENTITY, anywhere, &cache, pdf.xref(), settings);
        interpret_page(page, &mut context, &mut reader);
    }
    Some(reader.0)
}

/// Takes the characters that a page draws, and leaves out how.
struct Words(String);

impl<'a> Device<'a> for Words {
    fn draw_glyph(&mut self, glyph: &Glyph<'a>, _: Affine, _: Affine, _: &Paint<'a>, _: &GlyphDrawMode) {
        match glyph.as_unicode() {
            Some(BfString::Char(character)) if !character.is_whitespace() => self.0.push(character),
            Some(BfString::String(text)) => self.0.extend(text.chars().filter(|c| !c.is_whitespace())),
            Some(BfString::Char(_)) | None => {}
        }
    }

    fn set_soft_mask(&mut self, _: Option<SoftMask<'a>>) {}
    fn set_blend_mode(&mut self, _: BlendMode) {}
    fn draw_path(&mut self, _: &BezPath, _: Affine, _: &Paint<'a>, _: &PathDrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: Affine) {}
    fn pop_clip_path(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_paper_is_told_apart() {
        assert_eq!(read(b"nothing"), Err(PaperError::Unknown));
        assert_eq!(read(b"%PDF-1.4"), Err(PaperError::Unreadable));
        assert_eq!(read(b"\x89PNG\r\n\x1a\n"), Err(PaperError::Unreadable));
        assert_eq!(read(&[0xFF, 0xD8, 0xFF, 0xD9]), Err(PaperError::Unreadable));
    }

    #[test]
    fn the_code_in_a_picture_is_found() {
        let address = format!("https://city.example/d/{}", "A2B4".repeat(110));
        let code = kiosk_documents::qr::modules(&address).unwrap();
        let (side, dots) = (code.size_with_quiet_zone(), 4);
        let grey: Vec<u8> = (0..side * dots * side * dots)
            .map(|at| {
                let module = |place: usize| (place / dots).wrapping_sub(kiosk_documents::qr::QUIET_ZONE);
                let (x, y) = (module(at % (side * dots)), module(at / (side * dots)));
                if code.is_dark(x, y) { 0 } else { 255 }
            })
            .collect();
        let pixels = (side * dots) as u32;
        let (colour, depth) = (png::ColorType::Grayscale, png::BitDepth::Eight);
        let png = crate::picture::encode(pixels, pixels, colour, depth, &grey).unwrap();
        assert_eq!(read(&png).unwrap(), Paper { code: Some(address), words: None });
    }

    #[test]
    fn a_page_without_a_code_has_none() {
        let paper = read(&pdf_page::tests::quarter()).unwrap();
        assert_eq!(paper, Paper { code: None, words: Some(String::new()) });
        let png = pdf_page::draw(pdf_page::tests::quarter(), 0).unwrap();
        assert_eq!(read(&png).unwrap(), Paper { code: None, words: None });
    }
}
