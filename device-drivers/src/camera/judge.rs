//! Whether a frame is good enough to keep, and if not, why, in a way that a person can act on.
//!
//! The reasons are asked in an order in which the first one found is also the first to mend: without light nothing
//! else can be known, a sheet that moves is always blurred, and so on.

use zeroize::Zeroizing;

use super::picture::luma_of;
use super::sheet::{Found, Mat, Sheet, find_in, small};
use super::{Luma, Picture};
use crate::remedy::Hint;

/// Pixels of the small picture whose change counts as one cell of movement.
const CELL: usize = 4;
/// Length of the stretch in which the steepness of an edge is measured, in pixels.
const STRETCH: usize = 8;
/// Every so many rows and columns are looked at for sharpness.
const LINE_STEP: usize = 4;
/// Difference between light and dark from which a stretch counts as holding an edge, of 255.
const CONTRAST: u8 = 48;
/// Edges that must be there before sharpness is judged at all.
const FEW_EDGES: u32 = 24;
/// Steepness is counted in so many steps.
const STEPS: usize = 64;

/// What is wrong with a frame, or that nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// Sharp, whole, still and well lit: keep it.
    Good,
    /// Hardly any light comes in: the lens is covered or the lamp is out.
    TooDark,
    /// The sheet is so bright that its print is gone.
    TooBright,
    /// The mat is empty.
    NothingThere,
    /// Something moves, or it is not known yet that it does not (first frame).
    Moving,
    /// The sheet reaches beyond the picture.
    CutOff,
    /// A lamp is mirrored in the sheet.
    Glare,
    /// Edges bend: it is curled, folded, or held in the hand.
    NotFlat,
    /// It lies still and is out of focus all the same.
    Blurred,
}

impl Judgement {
    /// What the resident is asked to do; `None` when the frame is good.
    pub fn hint(self) -> Option<Hint> {
        match self {
            Judgement::Good => None,
            Judgement::TooDark => Some(Hint::UncoverCamera),
            Judgement::NothingThere => Some(Hint::LayMaterial),
            Judgement::Moving => Some(Hint::HoldMaterialStill),
            Judgement::CutOff => Some(Hint::MoveMaterialInside),
            Judgement::TooBright | Judgement::Glare => Some(Hint::TurnMaterialFromLight),
            Judgement::NotFlat | Judgement::Blurred => Some(Hint::LayMaterialFlat),
        }
    }
}

/// From where on something is wrong. The defaults were found with drawn scenes only; a camera on a real mat may
/// want others, so they are configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A frame whose bright pixels (98 of 100 are darker) are darker than this is dark, of 255.
    pub dark_frame: u8,
    /// A sheet whose bright pixels (90 of 100 are darker) are darker than this is dark, of 255.
    pub dark_sheet: u8,
    /// Brightness at which print is lost, of 255.
    pub clipped: u8,
    /// Share of the sheet that may be clipped before it is glare.
    pub glare_share: f32,
    /// Share of the sheet that is clipped when all of it is too bright.
    pub bright_share: f32,
    /// Change of a cell between two frames that is movement, of 255.
    pub moved: u8,
    /// Share of cells that may have moved.
    pub moved_share: f32,
    /// Bend of edges, as a share of their length.
    pub bend: f32,
    /// Steepness of edges: 1 when light turns to dark from one pixel to the next, 1/8 when it takes 8 pixels.
    pub sharpness: f32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            dark_frame: 24,
            dark_sheet: 75,
            clipped: 250,
            glare_share: 0.006,
            bright_share: 0.35,
            moved: 14,
            moved_share: 0.004,
            bend: 0.012,
            sharpness: 0.34,
        }
    }
}

/// What was seen in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The first thing that is wrong.
    pub judgement: Judgement,
    /// The sheet, when there is one: to be outlined in the preview and cut out of the picture that is kept.
    pub sheet: Option<Sheet>,
    /// Steepness of the sheet's edges and print from 0 to 1, when it was measured.
    pub sharpness: Option<f32>,
}

/// Judges frame after frame of one camera. It keeps a small copy of the last frame until [`Judge::forget`].
#[derive(Default)]
pub struct Judge {
    limits: Limits,
    mat: Option<Mat>,
    before: Option<Zeroizing<Vec<u8>>>,
}

impl Judge {
    /// A judge with limits of its own, who does not know the mat yet.
    pub fn new(limits: Limits) -> Judge {
        Judge { limits, mat: None, before: None }
    }

    /// Learns how the mat looks when it is empty; without it the mat's colour is guessed in each frame.
    pub fn learn_mat(&mut self, empty: &Picture) {
        self.mat = Some(Mat::learn(empty));
    }

    /// Forgets the last frame: the next one begins anew. Between two residents this must be called.
    pub fn forget(&mut self) {
        self.before = None;
    }

    /// Looks at the next frame.
    pub fn look(&mut self, picture: &Picture) -> Look {
        let (small, factor) = small(picture);
        let grey = small.luma();
        let cells = cells(&grey);
        let moving = self.before.replace(cells.clone()).is_none_or(|before| self.has_moved(&before, &cells));
        let none = |judgement| Look { judgement, sheet: None, sharpness: None };
        if brightness_above(grey.grey().iter().copied(), 0.98) < self.limits.dark_frame {
            return none(Judgement::TooDark);
        }
        let Some(found) = find_in(picture, &small, factor, self.mat.as_ref()) else {
            return none(Judgement::NothingThere);
        };
        let wrong = self.wrong_before_sharpness(&found, &small, moving);
        let sharpness = if wrong.is_none() { sharpness(picture, &found.sheet) } else { None };
        let blurred = sharpness.is_some_and(|sharpness| sharpness < self.limits.sharpness);
        let judgement = wrong.unwrap_or(if blurred { Judgement::Blurred } else { Judgement::Good });
        Look { judgement, sheet: Some(found.sheet), sharpness }
    }

    fn wrong_before_sharpness(&self, found: &Found, small: &Picture, moving: bool) -> Option<Judgement> {
        let Limits { dark_sheet, clipped, glare_share, bright_share, bend, .. } = self.limits;
        let pixels = small.rgb().chunks_exact(3).zip(&found.mask).filter(|(_, inside)| **inside);
        let inside: Vec<[u8; 3]> = pixels.map(|(p, _)| [p[0], p[1], p[2]]).collect();
        // Glare is white: all three channels are clipped, not only the yellow of a stamp.
        let lost = inside.iter().filter(|pixel| pixel.iter().all(|channel| *channel >= clipped)).count();
        let lost = lost as f32 / inside.len() as f32;
        let light = brightness_above(inside.iter().map(|pixel| luma_of(*pixel)), 0.90);
        let reasons = [
            (light < dark_sheet, Judgement::TooDark),
            (lost > bright_share, Judgement::TooBright),
            (moving, Judgement::Moving),
            (found.sheet.cut_off, Judgement::CutOff),
            (lost > glare_share, Judgement::Glare),
            (found.sheet.bend > bend, Judgement::NotFlat),
        ];
        reasons.into_iter().find(|(wrong, _)| *wrong).map(|(_, judgement)| judgement)
    }

    fn has_moved(&self, before: &[u8], now: &[u8]) -> bool {
        if before.len() != now.len() {
            return true;
        }
        let moved = before.iter().zip(now).filter(|(a, b)| a.abs_diff(**b) > self.limits.moved).count();
        moved as f32 > self.limits.moved_share * now.len() as f32
    }
}

/// The mean brightness of each square of cells.
fn cells(grey: &Luma) -> Zeroizing<Vec<u8>> {
    let (width, height) = (grey.width() as usize / CELL, grey.height() as usize / CELL);
    let mut cells = Zeroizing::new(Vec::with_capacity(width * height));
    for y in 0..height {
        for x in 0..width {
            let rows = (0..CELL).map(|row| (y * CELL + row) * grey.width() as usize + x * CELL);
            let sum: u32 =
                rows.flat_map(|at| &grey.grey()[at..at + CELL]).map(|value| u32::from(*value)).sum();
            cells.push((sum / (CELL * CELL) as u32) as u8);
        }
    }
    cells
}

/// The brightness that this share of the pixels does not exceed.
fn brightness_above(pixels: impl Iterator<Item = u8>, share: f32) -> u8 {
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

/// How steep the edges on a sheet are, in the direction in which they are less so; `None` when it has none.
fn sharpness(picture: &Picture, sheet: &Sheet) -> Option<f32> {
    let (xs, ys) = (sheet.corners.map(|p| p.x), sheet.corners.map(|p| p.y));
    let span = |places: [f32; 4], end: u32| {
        let low = places.iter().copied().fold(f32::MAX, f32::min) - STRETCH as f32;
        let high = places.iter().copied().fold(f32::MIN, f32::max) + STRETCH as f32;
        (low.max(0.0) as usize, (high.max(0.0) as usize).min(end as usize - 1))
    };
    let ((left, right), (top, bottom)) = (span(xs, picture.width()), span(ys, picture.height()));
    let grey = |x: usize, y: usize| {
        let at = (y * picture.width() as usize + x) * 3;
        let pixel = &picture.rgb()[at..at + 3];
        luma_of([pixel[0], pixel[1], pixel[2]])
    };
    let mut across = Steepness::default();
    let mut line = Vec::with_capacity(right.max(bottom) + 1);
    for y in (top..=bottom).step_by(LINE_STEP) {
        line.clear();
        line.extend((left..=right).map(|x| grey(x, y)));
        across.measure(&line);
    }
    let mut down = Steepness::default();
    for x in (left..=right).step_by(LINE_STEP) {
        line.clear();
        line.extend((top..=bottom).map(|y| grey(x, y)));
        down.measure(&line);
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
    fn measure(&mut self, line: &[u8]) {
        for stretch in line.windows(STRETCH + 1).step_by(STRETCH) {
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
