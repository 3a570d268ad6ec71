//! From frames to pictures: broken frames are passed over, a camera that is silent, broken or stuck is noticed.

use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use super::protocol::decode;
use super::{CameraError, DAMAGED_FRAMES, FrameError, FrameSource, Picture, RawFrame};

/// How long a frame may take. A camera in a dark room may go down to 5 frames a second; at its start it takes longer.
const FRAME_DEADLINE: Duration = Duration::from_millis(1500);
/// Equal frames in a row, and for how long, before the picture counts as stuck. A sensor's noise makes each frame
/// different, but a frame may well be handed over twice.
const STUCK_FRAMES: u32 = 8;
const STUCK_FOR: Duration = Duration::from_secs(1);
/// The largest difference in brightness in a picture that shows nothing at all, of 255.
const FLAT: u8 = 16;
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

    /// The newest picture, within 1.5 seconds.
    ///
    /// # Errors
    /// [`CameraError`]; each answers what can be done.
    pub fn picture(&mut self) -> Result<Picture, CameraError> {
        if self.last.is_some_and(|last| last.elapsed() > PAUSE) {
            self.close();
        }
        let outcome = self.picture_before(Instant::now() + FRAME_DEADLINE);
        self.last = Some(Instant::now());
        outcome
    }

    fn picture_before(&mut self, deadline: Instant) -> Result<Picture, CameraError> {
        let mut broken = None;
        for _ in 0..DAMAGED_FRAMES {
            let frame = match (self.frame(deadline), broken) {
                (Ok(frame), _) => frame,
                // What came in this time was damaged: that says more than that no more came.
                (Err(CameraError::NoFrame { .. }), Some(error)) => return Err(self.damaged(error)),
                (Err(error), _) => return Err(error),
            };
            match decode(&frame) {
                Ok(picture) => {
                    self.damaged = 0;
                    let stuck = self.stands_still(&frame) && shows_something(&picture);
                    return if stuck { Err(CameraError::Stuck) } else { Ok(picture) };
                }
                Err(error) => {
                    self.damaged = self.damaged.saturating_add(1);
                    tracing::debug!(%error, in_a_row = self.damaged, "a frame of the camera is no picture");
                    broken = Some(error);
                }
            }
        }
        Err(self.damaged(broken.unwrap_or(FrameError::Damaged)))
    }

    fn damaged(&self, error: FrameError) -> CameraError {
        CameraError::Damaged { error, in_a_row: self.damaged }
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

    fn frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        match self.source.next_frame(deadline) {
            Ok(frame) => {
                self.silent = 0;
                Ok(frame)
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

/// Whether there is anything to be stuck on. A covered sensor may be black to the last bit, frame after frame, and a
/// dazzled one white: that is for the judge to say.
fn shows_something(picture: &Picture) -> bool {
    let luma = picture.luma();
    let (low, high) = luma.grey().iter().fold((255, 0), |(low, high), v| (low.min(*v), high.max(*v)));
    high - low > FLAT
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::camera::FrameFormat;
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

    fn frame(bytes: &[u8]) -> Result<RawFrame, CameraError> {
        let bytes = Zeroizing::new(bytes.to_vec());
        Ok(RawFrame { format: FrameFormat::Yuyv, width: 2, height: 2, bytes })
    }

    fn good() -> Result<RawFrame, CameraError> {
        frame(&[40, 128, 200, 128, 40, 128, 200, 128])
    }

    fn short() -> Result<RawFrame, CameraError> {
        frame(&[128; 7])
    }

    fn black() -> Result<RawFrame, CameraError> {
        frame(&[16, 128, 16, 128, 16, 128, 16, 128])
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
        camera.source_mut().answers = vec![good(), black(), good()];
        assert_eq!(camera.picture(), Err(CameraError::Stuck));
        assert!(camera.picture().is_ok(), "another frame: it lives");
        assert!(camera.picture().is_ok());
    }

    #[test]
    fn a_covered_camera_is_black_and_not_stuck() {
        let mut camera = camera((0..20).map(|_| black()));
        for _ in 0..19 {
            camera.picture().unwrap();
        }
        camera.same.as_mut().unwrap().since = Instant::now().checked_sub(STUCK_FOR).unwrap();
        assert!(camera.picture().is_ok(), "the judge says that it is dark");
    }

    #[test]
    fn silence_after_a_damaged_frame_is_damage_and_alone_is_silence() {
        let mut camera = camera([short(), Err(CameraError::NoFrame { in_a_row: 1 })]);
        assert_eq!(camera.picture(), Err(CameraError::Damaged { error: FrameError::CutShort, in_a_row: 1 }));
        assert_eq!(camera.picture(), Err(CameraError::NoFrame { in_a_row: 2 }));
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
