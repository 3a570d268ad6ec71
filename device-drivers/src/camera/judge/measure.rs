//! What can be measured in a picture: brightness, movement, how steep its edges are.

use zeroize::Zeroizing;

use super::super::picture::luma_of;
use super::super::sheet::Point;
use super::super::{Luma, Picture};

/// Pixels of the small picture whose change counts as one cell of movement.
const CELL: usize = 4;
/// Lengths of the stretch in which the steepness of an edge is measured, in pixels. The second is for pictures so far
/// out of focus that no edge is over within the first.
const STRETCHES: [usize; 2] = [8, 40];
/// Every so many rows and columns are looked at for sharpness.
const LINE_STEP: usize = 4;
/// Difference between light and dark from which a stretch counts as holding an edge, of 255.
const CONTRAST: u8 = 48;
/// Edges that must be there before sharpness is judged at all.
const FEW_EDGES: u32 = 24;
/// Steepness is counted in so many steps.
const STEPS: usize = 64;

/// A part of a picture, in pixels: from `left` up to and without `right`, and so on. Never empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Area {
    /// All of a picture of this size.
    pub(super) fn whole(width: u32, height: u32) -> Area {
        Area::shares(width, height, (0.0, 1.0), (0.0, 1.0))
    }

    /// From one share of a picture's width and height to another.
    pub(super) fn shares(width: u32, height: u32, across: (f32, f32), down: (f32, f32)) -> Area {
        let (width, height) = (width as f32, height as f32);
        Area::within(
            (width * across.0, width * across.1),
            (height * down.0, height * down.1),
            width as usize,
            height as usize,
        )
    }

    /// What lies inside of corners, and a little of what lies around.
    pub(super) fn around(corners: [Point; 4], picture: &Picture) -> Area {
        let span = |places: [f32; 4]| {
            let low = places.iter().copied().fold(f32::MAX, f32::min) - STRETCHES[0] as f32;
            let high = places.iter().copied().fold(f32::MIN, f32::max) + STRETCHES[0] as f32;
            (low, high)
        };
        let (xs, ys) = (corners.map(|p| p.x), corners.map(|p| p.y));
        Area::within(span(xs), span(ys), picture.width() as usize, picture.height() as usize)
    }

    fn within(xs: (f32, f32), ys: (f32, f32), width: usize, height: usize) -> Area {
        let ends = |(low, high): (f32, f32), size: usize| {
            let low = (low.max(0.0) as usize).min(size - 1);
            (low, (high.max(0.0) as usize).clamp(low + 1, size))
        };
        let ((left, right), (top, bottom)) = (ends(xs, width), ends(ys, height));
        Area { left, right, top, bottom }
    }

    /// The pixels of a picture of brightness that lie in this part of it.
    pub(super) fn of(self, grey: &Luma) -> impl Iterator<Item = u8> {
        let rows = grey.grey().chunks_exact(grey.width() as usize).take(self.bottom).skip(self.top);
        rows.flat_map(move |row| row[self.left..self.right].iter().copied())
    }
}

/// Remembers the last picture, as coarse cells of brightness, to see what moves.
#[derive(Default)]
pub(super) struct Stillness(Option<Zeroizing<Vec<u8>>>);

impl Stillness {
    /// The share of cells that have changed by more than `by` since the last picture; `None` for the first one.
    pub(super) fn moved(&mut self, grey: &Luma, area: Area, by: u8) -> Option<f32> {
        let now = cells(grey, area);
        let before = self.0.replace(now.clone())?;
        if before.len() != now.len() || now.is_empty() {
            return None;
        }
        let moved = before.iter().zip(now.iter()).filter(|(a, b)| a.abs_diff(**b) > by).count();
        Some(moved as f32 / now.len() as f32)
    }
}

/// The mean brightness of each square of cells.
fn cells(grey: &Luma, area: Area) -> Zeroizing<Vec<u8>> {
    let (width, height) = ((area.right - area.left) / CELL, (area.bottom - area.top) / CELL);
    let mut cells = Zeroizing::new(Vec::with_capacity(width * height));
    for y in 0..height {
        for x in 0..width {
            let row_at = |row: usize| (area.top + y * CELL + row) * grey.width() as usize;
            let rows = (0..CELL).map(|row| row_at(row) + area.left + x * CELL);
            let sum: u32 =
                rows.flat_map(|at| &grey.grey()[at..at + CELL]).map(|value| u32::from(*value)).sum();
            cells.push((sum / (CELL * CELL) as u32) as u8);
        }
    }
    cells
}

/// The brightness that this share of the pixels does not exceed.
pub(super) fn brightness_above(pixels: impl Iterator<Item = u8>, share: f32) -> u8 {
    let mut counts = [0u32; 256];
    let mut all = 0u32;
    for pixel in pixels {
        counts[usize::from(pixel)] += 1;
        all += 1;
    }
    let mut left = (all as f32 * share) as u32;
    for (value, count) in counts.iter().enumerate() {
        if *count > left {
            return value as u8;
        }
        left -= count;
    }
    255
}

/// How steep the edges in a part of a picture are, in the direction in which they are less so; `None` when there are
/// hardly any.
pub(super) fn sharpness(picture: &Picture, area: Area) -> Option<f32> {
    STRETCHES.into_iter().find_map(|stretch| steepness(picture, area, stretch))
}

fn steepness(picture: &Picture, area: Area, stretch: usize) -> Option<f32> {
    let grey = |x: usize, y: usize| {
        let at = (y * picture.width() as usize + x) * 3;
        let pixel = &picture.rgb()[at..at + 3];
        luma_of([pixel[0], pixel[1], pixel[2]])
    };
    let mut line = Zeroizing::new(Vec::with_capacity(area.right.max(area.bottom)));
    let mut across = Steepness::default();
    for y in (area.top..area.bottom).step_by(LINE_STEP) {
        line.clear();
        line.extend((area.left..area.right).map(|x| grey(x, y)));
        across.measure(&line, stretch);
    }
    let mut down = Steepness::default();
    for x in (area.left..area.right).step_by(LINE_STEP) {
        line.clear();
        line.extend((area.top..area.bottom).map(|y| grey(x, y)));
        down.measure(&line, stretch);
    }
    [across.upper(), down.upper()].into_iter().flatten().reduce(f32::min)
}

/// Counts how much of the difference in each stretch is made in one single step.
struct Steepness {
    counts: [u32; STEPS + 1],
    edges: u32,
}

impl Default for Steepness {
    fn default() -> Steepness {
        Steepness { counts: [0; STEPS + 1], edges: 0 }
    }
}

impl Steepness {
    fn measure(&mut self, line: &[u8], length: usize) {
        for stretch in line.windows(length + 1).step_by(length) {
            let (low, high) =
                stretch.iter().fold((255, 0), |(low, high): (u8, u8), v| (low.min(*v), high.max(*v)));
            if high - low < CONTRAST {
                continue;
            }
            let step = stretch.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0);
            self.counts[usize::from(step) * STEPS / usize::from(high - low)] += 1;
            self.edges += 1;
        }
    }

    /// Three of four edges are at most so steep. Not the median: lines that run along an edge see it slowly.
    fn upper(&self) -> Option<f32> {
        if self.edges < FEW_EDGES {
            return None;
        }
        let mut left = self.edges * 3 / 4;
        for (step, count) in self.counts.iter().enumerate() {
            if *count > left {
                return Some(step as f32 / STEPS as f32);
            }
            left -= count;
        }
        None
    }
}
