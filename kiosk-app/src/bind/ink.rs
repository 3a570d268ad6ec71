//! What the pen draws on its square, as it is drawn: the finger sees its line before the stroke is anything to the session.
//!
//! The line is drawn here, pixel by pixel, into pictures that are lent to the window in turn; whatever is not shown any
//! more is overwritten, as with photos.

use super::pictures::erase_later;
use kiosk_core::private::Private;
use kiosk_core::session::PenPoint;
use slint::{Image, Rgba8Pixel, SharedPixelBuffer};
use std::collections::VecDeque;

type Buffer = SharedPixelBuffer<Rgba8Pixel>;

/// Pictures that the ink goes through: shown, still held from the frame before, and free.
const RING: usize = 3;
/// Thousandths of the square's side: half of the line's width. A line of 3 mm on a square of 100 mm.
const HALF_WIDTH: f32 = 15.0;
/// A square is at most so many pixels wide: all of a large panel's height.
const SIDE_PX_MAX: u32 = 2_160;
/// Until a finger has come down nobody has said how large the square is; the window scales what is drawn.
const SIDE_PX_UNKNOWN: u32 = 400;
/// More points than a stroke keeps; a finger that rests while it lies on the glass adds none.
const POINTS_MAX: usize = 4_096;
/// Thousandths of the side in one side.
const SIDE: f32 = 1_000.0;

/// The square and what is drawn on it.
#[derive(Default)]
pub(super) struct Ink {
    side_px: u32,
    /// The stroke that is being drawn.
    unfinished: Option<Private<Vec<PenPoint>>>,
    /// The strokes that the session holds, as they were last drawn.
    drawn: Vec<Private<Vec<PenPoint>>>,
    /// A stroke was finished, and the session has not said yet whether it holds it.
    handed_over: bool,
    ring: VecDeque<Buffer>,
}

impl Ink {
    /// The pen comes down, on a square of so many pixels.
    pub(super) fn down(&mut self, (x, y): (f32, f32), side_px: f32) -> Option<Image> {
        let side_px = (side_px.round().max(1.0) as u32).min(SIDE_PX_MAX);
        if side_px != self.side_px {
            erase_later(self.ring.drain(..).collect());
            self.side_px = side_px;
        }
        let mut points = Vec::with_capacity(POINTS_MAX);
        points.push(point(x, y));
        self.unfinished = Some(Private::new(points));
        let first = [point(x, y)];
        if self.ring.is_empty() { self.drawn_anew(&[]) } else { Some(self.line(&first)) }
    }

    /// The pen moves.
    pub(super) fn moved(&mut self, x: f32, y: f32) -> Option<Image> {
        let points = self.unfinished.as_mut()?.expose_mut();
        let (last, next) = (*points.last()?, point(x, y));
        if last == next || points.len() == POINTS_MAX {
            return None;
        }
        points.push(next);
        Some(self.line(&[last, next]))
    }

    /// The pen leaves: the stroke, for the session.
    pub(super) fn up(&mut self) -> Option<Private<Vec<PenPoint>>> {
        self.handed_over = true;
        self.unfinished.take()
    }

    /// The touch was taken away: it was no stroke.
    pub(super) fn cancel(&mut self) {
        self.handed_over = true;
        self.unfinished = None;
    }

    /// The session holds these strokes now. A picture when that is not what is seen already.
    pub(super) fn show(&mut self, strokes: &[Private<Vec<PenPoint>>]) -> Option<Image> {
        if !std::mem::take(&mut self.handed_over) && self.drawn == strokes {
            return None;
        }
        if self.side_px == 0 {
            self.side_px = SIDE_PX_UNKNOWN;
        }
        self.drawn = strokes.to_vec();
        self.drawn_anew(strokes)
    }

    /// Nothing is drawn here any more. The window must have let go of its picture.
    pub(super) fn forget(&mut self) {
        erase_later(self.ring.drain(..).collect());
        *self = Ink::default();
    }

    fn drawn_anew(&mut self, strokes: &[Private<Vec<PenPoint>>]) -> Option<Image> {
        let mut buffer = self.free();
        buffer.make_mut_slice().fill(Rgba8Pixel::default());
        for stroke in strokes.iter().chain(&self.unfinished) {
            draw(&mut buffer, stroke.expose());
        }
        self.ring.push_back(buffer.clone());
        Some(Image::from_rgba8_premultiplied(buffer))
    }

    /// The newest picture with one more piece of line.
    fn line(&mut self, points: &[PenPoint]) -> Image {
        let newest = self.ring.back().cloned();
        let mut buffer = self.free();
        match newest {
            Some(newest) => buffer.make_mut_slice().copy_from_slice(newest.as_slice()),
            None => buffer.make_mut_slice().fill(Rgba8Pixel::default()),
        }
        draw(&mut buffer, points);
        self.ring.push_back(buffer.clone());
        Image::from_rgba8_premultiplied(buffer)
    }

    fn free(&mut self) -> Buffer {
        let free = if self.ring.len() < RING { None } else { self.ring.pop_front() };
        free.unwrap_or_else(|| Buffer::new(self.side_px, self.side_px))
    }
}

/// A place on the square, from parts of its side; a finger that leaves it stays at its edge.
fn point(x: f32, y: f32) -> PenPoint {
    let thousandths = |part: f32| (part * SIDE).clamp(0.0, SIDE - 1.0) as u16;
    PenPoint { x: thousandths(x), y: thousandths(y) }
}

fn draw(buffer: &mut Buffer, points: &[PenPoint]) {
    if let [only] = points {
        piece(buffer, *only, *only);
    }
    for pair in points.windows(2) {
        piece(buffer, pair[0], pair[1]);
    }
}

/// A piece of line with round ends: each pixel is as dark as much of it the line covers. The window gives it its colour.
fn piece(buffer: &mut Buffer, from: PenPoint, to: PenPoint) {
    let side = buffer.width();
    let scale = side as f32 / SIDE;
    let at = |point: PenPoint| (f32::from(point.x) * scale, f32::from(point.y) * scale);
    let ((ax, ay), (bx, by)) = (at(from), at(to));
    let radius = HALF_WIDTH * scale;
    let edge = |low: f32, high: f32| {
        let first = (low - radius - 1.0).max(0.0) as u32;
        let last = (high + radius + 1.0).max(0.0) as u32;
        first..(last + 1).min(side)
    };
    let (dx, dy) = (bx - ax, by - ay);
    let length_squared = dx * dx + dy * dy;
    let columns = edge(ax.min(bx), ax.max(bx));
    let pixels = buffer.make_mut_slice();
    for y in edge(ay.min(by), ay.max(by)) {
        for x in columns.clone() {
            let (px, py) = (x as f32 + 0.5 - ax, y as f32 + 0.5 - ay);
            let along = if length_squared > 0.0 {
                ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let distance = (px - along * dx).hypot(py - along * dy);
            let covered = ((radius + 0.5 - distance).clamp(0.0, 1.0) * 255.0) as u8;
            let pixel = &mut pixels[(y * side + x) as usize];
            pixel.a = pixel.a.max(covered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpha(image: &Image, x: u32, y: u32) -> u8 {
        let buffer = image.to_rgba8_premultiplied().expect("a picture of pixels");
        buffer.as_slice()[(y * buffer.width() + x) as usize].a
    }

    #[test]
    fn the_line_is_seen_while_the_finger_moves_and_the_stroke_is_the_same_line() {
        let mut ink = Ink::default();
        let touched = ink.down((0.1, 0.5), 200.0).expect("a dot");
        assert!(alpha(&touched, 20, 100) > 200 && alpha(&touched, 100, 100) == 0);
        let drawn = ink.moved(0.9, 0.5).expect("a line");
        assert!(alpha(&drawn, 100, 100) > 200 && alpha(&drawn, 100, 50) == 0);
        assert!(ink.moved(0.9, 0.5).is_none(), "a finger that rests draws nothing");
        let stroke = ink.up().expect("a stroke");
        assert_eq!(*stroke.expose(), [PenPoint { x: 100, y: 500 }, PenPoint { x: 900, y: 500 }]);
        let kept = ink.show(&[stroke]).expect("it is drawn anew");
        assert!(alpha(&kept, 100, 100) > 200);
        let cleared = ink.show(&[]).expect("a blank square");
        assert_eq!(alpha(&cleared, 100, 100), 0);
    }

    #[test]
    fn a_stroke_that_the_session_does_not_hold_is_not_seen() {
        let mut ink = Ink::default();
        ink.down((0.5, 0.5), 100.0);
        ink.up();
        let shown = ink.show(&[]).expect("what was drawn is taken away");
        assert_eq!(alpha(&shown, 50, 50), 0);
        assert!(ink.show(&[]).is_none(), "and there is nothing more to do");
        ink.down((0.5, 0.5), 100.0);
        ink.cancel();
        assert!(ink.up().is_none() && ink.show(&[]).is_some());
    }

    #[test]
    fn a_finger_beyond_the_square_stays_at_its_edge() {
        let mut ink = Ink::default();
        ink.down((-3.0, 0.5), 100.0);
        ink.moved(7.0, 9.0);
        let stroke = ink.up().expect("a stroke");
        assert_eq!(*stroke.expose(), [PenPoint { x: 0, y: 500 }, PenPoint { x: 999, y: 999 }]);
    }

    #[test]
    fn a_picture_never_changes_under_the_window_that_shows_it() {
        let mut ink = Ink::default();
        let first = ink.down((0.1, 0.1), 100.0).expect("a dot");
        for step in 2..9 {
            ink.moved(step as f32 / 10.0, 0.1);
        }
        assert_eq!(alpha(&first, 80, 10), 0);
    }
}
