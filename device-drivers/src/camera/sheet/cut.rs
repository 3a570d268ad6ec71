//! Cutting a sheet out and straightening it.

use super::geometry::{Homography, Point};
use super::{Shape, Sheet};
use crate::camera::Picture;
use crate::camera::picture::MAX_SIDE;

/// Pixels that are left out along each edge, so that no rim of the mat stays.
const RIM: f32 = 1.0;

/// The sheet alone, its edges straight and upright; `None` when its shape is not known or it is not whole, and the
/// uncut picture is what should be kept. The caller still offers the uncut picture beside it.
pub fn straightened(picture: &Picture, sheet: &Sheet) -> Option<Picture> {
    if sheet.shape == Shape::Other || sheet.cut_off {
        return None;
    }
    let [a, b, c, d] = sheet.corners;
    let mean = |one: Point, other: Point| (one.length() + other.length()) / 2.0 - 2.0 * RIM;
    let (width, height) = (mean(b.minus(a), c.minus(d)), mean(c.minus(b), d.minus(a)));
    let usable = 8.0..=MAX_SIDE as f32;
    if !usable.contains(&width) || !usable.contains(&height) {
        return None;
    }
    let view = Homography::of_square(sheet.corners)?;
    let mut cut = Picture::filled(width.round() as u32, height.round() as u32, [0; 3]);
    let part = |at: u32, whole: f32| (at as f32 + 0.5 + RIM) / (whole + 2.0 * RIM);
    for y in 0..cut.height() {
        for x in 0..cut.width() {
            let from = view.of(Point { x: part(x, width), y: part(y, height) });
            cut.set(x, y, picture.between(from.x, from.y));
        }
    }
    Some(cut)
}
