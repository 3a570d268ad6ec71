//! From frames to pictures: broken frames are passed over, a camera that is silent, broken or stuck is noticed.

use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use super::protocol::decode;
use super::{CameraError, DAMAGED_FRAMES, FrameSource, Picture, RawFrame};

/// How long a frame may take. A camera in a dark room may go down to 5 frames a second; at its start it takes longer.
const FRAME_DEADLINE: Duration = Duration::from_millis(1500);
/// Equal frames in a row, and for how long, before the picture counts as stuck. A sensor's noise makes each frame
/// different, but a frame may well be handed over twice.
const STUCK_FRAMES: u32 = 8;
const STUCK_FOR: Duration = Duration::from_secs(1);
/// After a pause of this length the camera is opened afresh: its buffers hold what lay under it when the pause began,
/// which may have been another resident's paper.
const PAUSE: Duration = Duration::from_secs(1);

/// A camera that gives pictures.
pub struct Camera<S> {
    source: S,
    silent: u32,
    damaged: u32,
    same: Option<Same>,
    last: Option<Instant>,
}

/// A run of equal frames. Holds a hash, never a frame.
struct Same {
    hash: u64,
    count: u32,
    since: Instant,
}

impl<S: FrameSource> Camera<S> {
    /// A camera over any source of frames.
    pub fn new(source: S) -> Camera<S> {
        Camera { source, silent: 0, damaged: 0, same: None, last: None }
    }

    /// The newest picture.
    ///
    /// # Errors
    /// [`CameraError`]; each answers what can be done.
    pub fn picture(&mut self) -> Result<Picture, CameraError> {
        let mut broken = None;
        for _ in 0..DAMAGED_FRAMES {
            let frame = self.frame()?;
            match decode(&frame) {
                Ok(picture) => {
                    self.damaged = 0;
                    return Ok(picture);
                }
                Err(error) => {
                    self.damaged = self.damaged.saturating_add(1);
                    tracing::debug!(%error, in_a_row = self.damaged, "a frame of the camera is no picture");
                    broken = Some(error);
                }
            }
        }
        let error = broken.unwrap_or(super::FrameError::Damaged);
        Err(CameraError::Damaged { error, in_a_row: self.damaged })
    }

    /// The source, to configure it or to look at it.
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Lets go of the camera until the next picture is asked for.
    pub fn close(&mut self) {
        self.source.close();
        self.same = None;
        self.last = None;
    }

    fn frame(&mut self) -> Result<RawFrame, CameraError> {
        if self.last.is_some_and(|last| last.elapsed() > PAUSE) {
            self.close();
        }
        let outcome = self.judged_frame();
        self.last = Some(Instant::now());
        outcome
    }

    fn judged_frame(&mut self) -> Result<RawFrame, CameraError> {
        match self.source.next_frame(Instant::now() + FRAME_DEADLINE) {
            Ok(frame) => {
                self.silent = 0;
                if self.stands_still(&frame) { Err(CameraError::Stuck) } else { Ok(frame) }
            }
            Err(CameraError::NoFrame { .. }) => {
                self.silent = self.silent.saturating_add(1);
                Err(CameraError::NoFrame { in_a_row: self.silent })
            }
            Err(error) => {
                self.same = None;
                Err(error)
            }
        }
    }

    fn stands_still(&mut self, frame: &RawFrame) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(&frame.bytes);
        let (hash, now) = (hasher.finish(), Instant::now());
        let same = self.same.take().filter(|same| same.hash == hash);
        let same =
            same.map_or(Same { hash, count: 1, since: now }, |same| Same { count: same.count + 1, ..same });
        let stuck = same.count >= STUCK_FRAMES && now - same.since >= STUCK_FOR;
        self.same = Some(same);
        stuck
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::camera::{FrameError, FrameFormat};
    use crate::remedy::{Fault, Remedy};

    /// Gives what is written down, then nothing.
    struct Script {
        answers: Vec<Result<RawFrame, CameraError>>,
        closed: u32,
    }

    impl FrameSource for Script {
        fn next_frame(&mut self, _deadline: Instant) -> Result<RawFrame, CameraError> {
            if self.answers.is_empty() {
                Err(CameraError::NoFrame { in_a_row: 1 })
            } else {
                self.answers.remove(0)
            }
        }

        fn close(&mut self) {
            self.closed += 1;
        }
    }

    fn camera(answers: impl IntoIterator<Item = Result<RawFrame, CameraError>>) -> Camera<Script> {
        Camera::new(Script { answers: answers.into_iter().collect(), closed: 0 })
    }

    fn frame(byte: u8, bytes: usize) -> Result<RawFrame, CameraError> {
        let bytes = Zeroizing::new(vec![byte; bytes]);
        Ok(RawFrame { format: FrameFormat::Yuyv, width: 2, height: 2, bytes })
    }

    fn good() -> Result<RawFrame, CameraError> {
        frame(128, 8)
    }

    fn short() -> Result<RawFrame, CameraError> {
        frame(128, 7)
    }

    #[test]
    fn a_few_damaged_frames_are_not_even_noticed() {
        let mut camera = camera([short(), short(), short(), good(), short(), good()]);
        assert!(camera.picture().is_ok() && camera.picture().is_ok());
        assert!(camera.source_mut().answers.is_empty());
    }

    #[test]
    fn damaged_frames_alone_are_a_broken_camera_in_the_end() {
        let mut camera = camera((0..12).map(|_| short()));
        for (in_a_row, remedy) in
            [(4, Remedy::Retry), (8, Remedy::Retry), (12, Remedy::CallOperator(Fault::CameraFault))]
        {
            let error = camera.picture().unwrap_err();
            assert_eq!(error, CameraError::Damaged { error: FrameError::CutShort, in_a_row });
            assert_eq!(error.remedy(), remedy);
        }
    }

    #[test]
    fn equal_frames_are_stuck_only_after_a_while() {
        let mut camera = camera((0..40).map(|_| good()));
        for _ in 0..40 {
            assert!(camera.picture().is_ok(), "a frame may be handed over again and again within a second");
        }
        let long_ago = Instant::now().checked_sub(STUCK_FOR).unwrap();
        camera.same.as_mut().unwrap().since = long_ago;
        camera.source_mut().answers = vec![good(), frame(7, 8), good()];
        assert_eq!(camera.picture(), Err(CameraError::Stuck));
        assert!(camera.picture().is_ok(), "another frame: it lives");
        assert!(camera.picture().is_ok());
    }

    #[test]
    fn after_a_pause_the_camera_is_opened_afresh() {
        let mut camera = camera([good(), good(), good()]);
        camera.picture().unwrap();
        camera.picture().unwrap();
        assert_eq!(camera.source_mut().closed, 0);
        camera.last = Instant::now().checked_sub(PAUSE + Duration::from_millis(1));
        camera.picture().unwrap();
        assert_eq!(camera.source_mut().closed, 1);
    }
}
