//! Finding a paper or card on the mat, and cutting it out straight.
//!
//! The camera of a kiosk is fixed over a plain mat, so what differs from the mat is what was laid on it: threshold,
//! largest piece, rectangle, then each side once more by its own edge in the full picture. A piece whose shape is
//! known is cut out and straightened; of any other the whole picture is kept, because a wrong cut loses what it cuts.

mod cut;
mod find;
mod geometry;

#[cfg(test)]
mod tests;

pub use cut::straightened;
pub use find::find;
pub(super) use find::{Found, find_in};
pub use geometry::{Homography, Point};

use super::Picture;

/// Pixels of a row that a picture is made smaller to before the search.
const SEARCH_WIDTH: u32 = 320;

/// How much of the short side the ratio of a known shape may be off.
const SHAPE_TOLERANCE: f32 = 0.05;

/// What was found on the mat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Its corners in the picture, in pixels, clockwise; the first is the top left one as the sheet lies.
    pub corners: [Point; 4],
    /// What it is by its sides.
    pub shape: Shape,
    /// How far its edges bend away from straight lines, as a share of their length.
    pub bend: f32,
    /// Whether it reaches beyond the picture.
    pub cut_off: bool,
    /// The share of the picture that it covers.
    pub share: f32,
}

/// The shape of a sheet by the ratio of its sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// 1 : 1.414, ISO 216: A4, A5 and their like.
    Paper,
    /// 1 : 1.586, ISO/IEC 7810 ID-1: identity, bank and social-security cards.
    Card,
    /// Anything else: it is not cut out.
    Other,
}

impl Shape {
    /// The shape of a rectangle with these sides.
    pub fn of(a: f32, b: f32) -> Shape {
        let ratio = a.max(b) / a.min(b).max(1.0);
        let near = |wanted: f32| (ratio / wanted - 1.0).abs() <= SHAPE_TOLERANCE;
        if near(std::f32::consts::SQRT_2) {
            Shape::Paper
        } else if near(85.60 / 53.98) {
            Shape::Card
        } else {
            Shape::Other
        }
    }
}

/// The mat when nothing lies on it, as a small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mat(pub(super) Picture);

impl Mat {
    /// Learns the mat from a picture that shows nothing else.
    pub fn learn(empty: &Picture) -> Mat {
        Mat(small(empty).0)
    }

    /// A mat of one colour, guessed from the rim of a picture: right as long as most of the rim shows the mat.
    fn guess(small: &Picture) -> Mat {
        let (width, height) = (i64::from(small.width()), i64::from(small.height()));
        let rows = (0..width).flat_map(|x| [small.pixel(x, 0), small.pixel(x, height - 1)]);
        let columns = (0..height).flat_map(|y| [small.pixel(0, y), small.pixel(width - 1, y)]);
        let rim: Vec<[u8; 3]> = rows.chain(columns).collect();
        let colour = std::array::from_fn(|channel| {
            let mut values: Vec<u8> = rim.iter().map(|pixel| pixel[channel]).collect();
            values.sort_unstable();
            values[values.len() / 2]
        });
        Mat(Picture::filled(small.width(), small.height(), colour))
    }
}

/// A small copy to search in, and how many pixels of the picture one of it stands for.
pub(super) fn small(picture: &Picture) -> (Picture, u32) {
    let factor = (picture.width() / SEARCH_WIDTH).clamp(1, picture.width().min(picture.height()));
    (picture.shrunk(factor), factor)
}
