//! Whether a frame is good enough to keep, and if not, why, in a way that a person can act on.
//!
//! The reasons are asked in an order in which the first one found is also the first to mend: without light nothing
//! else can be known, a sheet that moves is always blurred, and so on. [`Judge`] is for what lies on the mat,
//! [`FaceJudge`] for who stands before the camera.

mod face;
mod measure;

pub use face::{FaceJudge, FaceJudgement, FaceLimits, FaceLook};

use zeroize::Zeroizing;

use super::Picture;
use super::sheet::{Found, Mat, Sheet, find_in, small};
use crate::remedy::Hint;
use measure::{Area, Stillness, brightness_above, sharpness};

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
    /// A sheet whose bright pixels (90 of 100 are darker) have no channel as bright as this is dark, of 255.
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
            sharpness: 0.36,
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
    stillness: Stillness,
}

impl Judge {
    /// A judge with limits of its own, who does not know the mat yet.
    pub fn new(limits: Limits) -> Judge {
        Judge { limits, mat: None, stillness: Stillness::default() }
    }

    /// Learns how the mat looks when it is empty; without it the mat's colour is guessed in each frame.
    pub fn learn_mat(&mut self, empty: &Picture) {
        self.mat = Some(Mat::learn(empty));
    }

    /// Forgets the last frame: the next one begins anew. Between two residents this must be called.
    pub fn forget(&mut self) {
        self.stillness = Stillness::default();
    }

    /// Looks at the next frame.
    pub fn look(&mut self, picture: &Picture) -> Look {
        let (small, factor) = small(picture);
        let grey = small.luma();
        let everywhere = Area::whole(grey.width(), grey.height());
        let moved = self.stillness.moved(&grey, everywhere, self.limits.moved);
        let moving = moved.is_none_or(|share| share > self.limits.moved_share);
        let none = |judgement| Look { judgement, sheet: None, sharpness: None };
        if brightness_above(grey.grey().iter().copied(), 0.98) < self.limits.dark_frame {
            return none(Judgement::TooDark);
        }
        let Some(found) = find_in(picture, &small, factor, self.mat.as_ref()) else {
            return none(Judgement::NothingThere);
        };
        let wrong = self.wrong_before_sharpness(&found, &small, moving);
        let around = Area::around(found.sheet.corners, picture);
        let sharpness = if wrong.is_none() { sharpness(picture, around) } else { None };
        let blurred = sharpness.is_some_and(|sharpness| sharpness < self.limits.sharpness);
        let judgement = wrong.unwrap_or(if blurred { Judgement::Blurred } else { Judgement::Good });
        Look { judgement, sheet: Some(found.sheet), sharpness }
    }

    fn wrong_before_sharpness(&self, found: &Found, small: &Picture, moving: bool) -> Option<Judgement> {
        let Limits { dark_sheet, clipped, glare_share, bright_share, bend, .. } = self.limits;
        let pixels = small.rgb().chunks_exact(3).zip(&found.mask).filter(|(_, inside)| **inside);
        let inside: Zeroizing<Vec<[u8; 3]>> =
            Zeroizing::new(pixels.map(|(p, _)| [p[0], p[1], p[2]]).collect());
        // Glare is white: all three channels are clipped, not only the yellow of a stamp.
        let lost = inside.iter().filter(|pixel| pixel.iter().all(|channel| *channel >= clipped)).count();
        let lost = lost as f32 / inside.len() as f32;
        // The brightest channel: a dark red cover in good light is not in the dark.
        let light = brightness_above(inside.iter().map(|[r, g, b]| *r.max(g).max(b)), 0.90);
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
}
