//! Document camera and face camera: the trait that a source of frames has, and what is made of the frames.
//!
//! [`driver`] brings frames from Video4Linux or from the simulator's socket, [`protocol`] is pure bytes (MJPG, YUYV,
//! the stream, the JPEG that is kept), [`Camera`] turns frames into pictures, [`judge`] says whether one is good
//! enough and why not, [`sheet`] finds the paper and cuts it out, [`simulator`] draws scenes and sends them as a
//! camera would. Absent: finding and recognising faces, reading text, liveness, colour calibration, exposure control
//! (the camera's own automatic is left on).

pub mod driver;
pub mod judge;
pub mod picture;
pub mod protocol;
pub mod sheet;
pub mod simulator;

mod frames;

pub use driver::{SocketCamera, V4l2Camera};
pub use frames::Camera;
pub use judge::{FaceJudge, FaceJudgement, FaceLimits, FaceLook, Judge, Judgement, Limits, Look};
pub use picture::{Luma, Picture};
pub use protocol::{FrameError, FrameFormat, KeepError, Kept, RawFrame, keep};
pub use sheet::{Mat, Shape, Sheet, find, straightened};

use std::time::Instant;

use crate::remedy::{Fault, Remedy};

/// Failures of one kind in a row from which the camera counts as broken.
pub const BROKEN_AFTER: u32 = 3;

/// Something that sends frames. Every call blocks, at most until its deadline.
pub trait FrameSource: Send {
    /// The newest frame. Frames that came and were not asked for are dropped, so that a preview never lags behind.
    ///
    /// # Errors
    /// [`CameraError::Gone`] and [`CameraError::Refused`] when there is no camera to ask, [`CameraError::NoFrame`]
    /// when none came before `deadline`. The next call opens the camera again.
    fn next_frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError>;

    /// Lets go of the camera until the next frame is asked for. Frames that were taken before are never given out.
    fn close(&mut self);
}

/// Why there is no picture. Carries nothing of what the camera saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// The camera is missing, cannot be opened, or was unplugged. The next call tries to open it again.
    #[error("the camera is not connected")]
    Gone,
    /// The camera has neither MJPG nor YUYV, or not the size that is configured.
    #[error("the camera refuses the format or size that is configured")]
    Refused,
    /// No frame before the deadline.
    #[error("the camera sent no frame ({in_a_row} in a row)")]
    NoFrame {
        /// Calls in a row without a frame, this one included.
        in_a_row: u32,
    },
    /// Frames came, and none of them was a picture.
    #[error("the camera's frame is no picture: {error} ({in_a_row} in a row)")]
    Damaged {
        /// What was wrong with the last one.
        error: FrameError,
        /// Damaged frames in a row.
        in_a_row: u32,
    },
    /// The same frame comes again and again, byte for byte, which no sensor does.
    #[error("the camera's picture stands still")]
    Stuck,
}

impl CameraError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            CameraError::Gone => Remedy::CallOperator(Fault::CameraGone),
            CameraError::Refused | CameraError::Stuck => Remedy::CallOperator(Fault::CameraFault),
            CameraError::NoFrame { in_a_row } if *in_a_row < BROKEN_AFTER => Remedy::Retry,
            CameraError::NoFrame { .. } => Remedy::CallOperator(Fault::CameraSilent),
            // A few damaged frames are an ordinary thing on USB; a camera that sends nothing else is broken.
            CameraError::Damaged { in_a_row, .. } if *in_a_row < BROKEN_AFTER * DAMAGED_FRAMES => {
                Remedy::Retry
            }
            CameraError::Damaged { .. } => Remedy::CallOperator(Fault::CameraFault),
        }
    }
}

/// Damaged frames that one call goes past before it says so.
const DAMAGED_FRAMES: u32 = 4;
