//! The face camera's frames: whether light, focus and stillness are good enough to compare a face.
//!
//! No face is looked for here, and none is recognised: what is judged is the middle of the picture, where the page asks
//! the resident to hold the face.

use super::super::Picture;
use super::super::sheet::small;
use super::measure::{Area, Stillness, brightness_above, sharpness};
use crate::remedy::Hint;

/// Where the face is asked to be, as shares of the picture's width and height.
const ACROSS: (f32, f32) = (0.35, 0.65);
const DOWN: (f32, f32) = (0.20, 0.75);

/// What is wrong with a frame of the face camera, or that nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaceJudgement {
    /// Sharp, still and well lit: keep it.
    Good,
    /// Hardly any light comes in: the lens is covered or the lamp is out.
    TooDark,
    /// The face is dark before a bright background.
    Backlit,
    /// The face is so bright that nothing of it is left.
    TooBright,
    /// The face moves, or it is not known yet that it does not (first frame).
    Moving,
    /// It is still and out of focus all the same: too near, or the lens is dirty.
    Blurred,
}

impl FaceJudgement {
    /// What the resident is asked to do; `None` when the frame is good.
    pub fn hint(self) -> Option<Hint> {
        match self {
            FaceJudgement::Good => None,
            FaceJudgement::TooDark => Some(Hint::UncoverCamera),
            FaceJudgement::Backlit | FaceJudgement::TooBright => Some(Hint::TurnFaceToLight),
            FaceJudgement::Moving | FaceJudgement::Blurred => Some(Hint::HoldFaceStill),
        }
    }
}

/// From where on something is wrong. As with [`Limits`](super::Limits), found with drawn scenes only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceLimits {
    /// A frame whose bright pixels (98 of 100 are darker) are darker than this is dark, of 255.
    pub dark_frame: u8,
    /// A face whose middle brightness is less than this is dark, of 255.
    pub dark_face: u8,
    /// Brightness at which a face is lost, of 255.
    pub clipped: u8,
    /// Share of the face that may be clipped.
    pub bright_share: f32,
    /// Change of a cell between two frames that is movement, of 255.
    pub moved: u8,
    /// Share of cells that may have moved: a living face is never quite still.
    pub moved_share: f32,
    /// Steepness of edges, as in [`Limits`](super::Limits). Less than a paper's: a face has few sharp edges.
    pub sharpness: f32,
}

impl Default for FaceLimits {
    fn default() -> FaceLimits {
        FaceLimits {
            dark_frame: 24,
            dark_face: 50,
            clipped: 250,
            bright_share: 0.2,
            moved: 14,
            moved_share: 0.06,
            sharpness: 0.22,
        }
    }
}

/// What was seen in a frame of the face camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceLook {
    /// The first thing that is wrong.
    pub judgement: FaceJudgement,
    /// Steepness of edges from 0 to 1, when it was measured.
    pub sharpness: Option<f32>,
}

/// Judges frame after frame of the face camera. It keeps a small copy of the last face until [`FaceJudge::forget`].
#[derive(Default)]
pub struct FaceJudge {
    limits: FaceLimits,
    stillness: Stillness,
}

impl FaceJudge {
    /// A judge with limits of its own.
    pub fn new(limits: FaceLimits) -> FaceJudge {
        FaceJudge { limits, stillness: Stillness::default() }
    }

    /// Forgets the last frame: the next one begins anew. Between two residents this must be called.
    pub fn forget(&mut self) {
        self.stillness = Stillness::default();
    }

    /// Looks at the next frame.
    pub fn look(&mut self, picture: &Picture) -> FaceLook {
        let FaceLimits { dark_frame, dark_face, clipped, bright_share, moved, moved_share, .. } = self.limits;
        let grey = small(picture).0.luma();
        let face = Area::shares(grey.width(), grey.height(), ACROSS, DOWN);
        let moving = self.stillness.moved(&grey, face, moved).is_none_or(|share| share > moved_share);
        let reasons = [
            (brightness_above(grey.grey().iter().copied(), 0.98) < dark_frame, FaceJudgement::TooDark),
            (brightness_above(face.of(&grey), 0.5) < dark_face, FaceJudgement::Backlit),
            (brightness_above(face.of(&grey), 1.0 - bright_share) >= clipped, FaceJudgement::TooBright),
            (moving, FaceJudgement::Moving),
        ];
        if let Some((_, judgement)) = reasons.into_iter().find(|(wrong, _)| *wrong) {
            return FaceLook { judgement, sharpness: None };
        }
        let face = Area::shares(picture.width(), picture.height(), ACROSS, DOWN);
        let sharpness = sharpness(picture, face);
        let blurred = sharpness.is_some_and(|sharpness| sharpness < self.limits.sharpness);
        let judgement = if blurred { FaceJudgement::Blurred } else { FaceJudgement::Good };
        FaceLook { judgement, sharpness }
    }
}
