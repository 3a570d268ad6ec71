//! A page of a PDF as a picture, drawn by a library that has no part in making the PDF.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{RenderCache, RenderSettings};
use png::{BitDepth, ColorType};

use crate::picture;

/// Pixels for each point of 1/72 inch: a sheet of A4 is 893 × 1263 pixels.
const SCALE: f32 = 1.5;

/// Draws a page, from 0, in greys as PNG; copies repeat the pages. `None` when it is no PDF with pages.
pub fn draw(pdf: Vec<u8>, page: usize) -> Option<Vec<u8>> {
    let (width, height, grey) = grey(pdf, page, SCALE)?;
    picture::encode(width, height, ColorType::Grayscale, BitDepth::Eight, &grey).ok()
}

/// The same as width, height and greys, at so many pixels for each point.
pub(crate) fn grey(pdf: Vec<u8>, page: usize, scale: f32) -> Option<(u32, u32, Vec<u8>)> {
    let pdf = Pdf::new(pdf).ok()?;
    let pages = pdf.pages();
    let page = pages.get(page % pages.len().max(1))?;
    let settings =
        RenderSettings { x_scale: scale, y_scale: scale, bg_color: WHITE, ..RenderSettings::default() };
    let drawn = hayro::render(page, &RenderCache::new(), &InterpreterSettings::default(), &settings);
    let grey = drawn.data_as_u8_slice().chunks_exact(4).map(luminance).collect();
    Some((u32::from(drawn.width()), u32::from(drawn.height()), grey))
}

/// Rec. 601, in 256ths. The ground is opaque, so that the fourth channel says nothing.
fn luminance(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|at| u32::from(pixel[at]));
    ((red * 77 + green * 150 + blue * 29) / 256) as u8
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One page of 100 × 100 points, its lower left quarter black.
    pub(crate) fn quarter() -> Vec<u8> {
        let objects = [
            "<</Type /Catalog /Pages 2 0 R>>",
            "<</Type /Pages /Kids [3 0 R] /Count 1>>",
            "<</Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources <<>>>>",
            "<</Length 15>>stream\n0 0 50 50 re f \nendstream",
        ];
        let mut pdf = String::from("%PDF-1.4\n");
        let mut places = Vec::new();
        for (at, object) in objects.iter().enumerate() {
            places.push(pdf.len());
            pdf.push_str(&format!("{} 0 obj{object}endobj\n", at + 1));
        }
        let table = pdf.len();
        pdf.push_str("xref\n0 5\n0000000000 65535 f \n");
        places.iter().for_each(|place| pdf.push_str(&format!("{place:010} 00000 n \n")));
        pdf.push_str(&format!("trailer<</Size 5 /Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"));
        pdf.into_bytes()
    }

    #[test]
    fn a_page_is_drawn_in_its_place_and_nonsense_is_not() {
        let png = draw(quarter(), 0).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut grey).unwrap();
        assert_eq!((info.width, info.height), (150, 150));
        let at = |x: usize, y: usize| grey[y * 150 + x];
        assert_eq!((at(10, 140), at(10, 10), at(140, 140)), (0, 255, 255));
        assert_eq!(draw(quarter(), 7), draw(quarter(), 0), "copies repeat the pages");
        assert!(draw(b"%PDF-1.4".to_vec(), 0).is_none());
    }
}
