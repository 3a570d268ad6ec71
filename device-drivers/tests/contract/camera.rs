//! The camera's contract: the true driver, decoder and judge on the simulator's bytes, with every fault.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use device_drivers::camera::simulator::{
    CameraFault, CameraProfile, Laid, Scene, SimulatedCamera, card, paper, serve,
};
use device_drivers::camera::{
    Camera, CameraError, FrameError, FrameFormat, FrameSource, Judge, Judgement, Look, Picture, RawFrame,
    Shape, SocketCamera, V4l2Camera, keep, straightened,
};
use device_drivers::{Fault, Remedy};

const SIZE: (u32, u32) = (640, 360);

struct Desk {
    camera: Camera<SocketCamera>,
    simulator: SimulatedCamera,
    dir: tempfile::TempDir,
}

fn desk_of(profile: CameraProfile, scene: Scene) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("camera");
    let simulator = serve(&path, profile, scene).unwrap();
    Desk { camera: Camera::new(SocketCamera::new(&path)), simulator, dir }
}

fn desk() -> Desk {
    desk_of(CameraProfile::default(), with_paper())
}

fn with_paper() -> Scene {
    Scene::with(SIZE.0, SIZE.1, Laid { turned: 5.0, ..Laid::straight(paper(600), SIZE, 220.0) })
}

impl Desk {
    fn path(&self) -> PathBuf {
        self.dir.path().join("camera")
    }

    /// Looks until the judgement is the wanted one; the look that was it. Frames of before may still be on the way.
    fn until(&mut self, wanted: Judgement) -> (Picture, Look) {
        let (mut judge, mut last) = (Judge::default(), None);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let Ok(picture) = self.camera.picture() else { continue };
            let look = judge.look(&picture);
            if look.judgement == wanted {
                return (picture, look);
            }
            last = Some(look);
        }
        panic!("never {wanted:?}: {last:?}");
    }

    /// Asks until there is the wanted error.
    fn error(&mut self, wanted: impl Fn(&CameraError) -> bool) -> CameraError {
        let mut last = None;
        for _ in 0..400 {
            last = match self.camera.picture() {
                Err(error) if wanted(&error) => return error,
                other => Some(other),
            };
        }
        panic!("the last answer was {last:?}");
    }
}

#[test]
fn a_paper_is_seen_judged_cut_out_and_kept_in_every_format() {
    for format in [FrameFormat::Mjpg, FrameFormat::Yuyv] {
        for (tables, padding) in [(true, 0), (false, 0), (true, 1000)] {
            let profile = CameraProfile { format, tables, padding, ..CameraProfile::default() };
            let mut desk = desk_of(profile, with_paper());
            let (picture, look) = desk.until(Judgement::Good);
            let sheet = look.sheet.unwrap();
            assert_eq!(sheet.shape, Shape::Paper);
            let cut = straightened(&picture, &sheet).unwrap();
            let kept = keep(&cut, 60_000).unwrap();
            assert!(kept.jpeg.len() <= 60_000 && kept.width > 200);
        }
    }
}

#[test]
fn scenes_change_and_so_does_the_judgement() {
    let mut desk = desk();
    desk.until(Judgement::Good);
    for (scene, judgement) in [
        (Scene { light: 0.02, ..with_paper() }, Judgement::TooDark),
        (Scene { blur: 4, ..with_paper() }, Judgement::Blurred),
        (Scene { moves: 10.0, ..with_paper() }, Judgement::Moving),
        (Scene::empty(SIZE.0, SIZE.1), Judgement::NothingThere),
        (Scene::with(SIZE.0, SIZE.1, Laid::straight(card(600), SIZE, 240.0)), Judgement::Good),
    ] {
        desk.simulator.show(scene);
        desk.until(judgement);
    }
}

#[test]
fn frames_come_at_the_rate_of_the_camera_and_are_never_old() {
    let mut desk = desk();
    desk.camera.picture().unwrap();
    let start = Instant::now();
    for _ in 0..30 {
        desk.camera.picture().unwrap();
    }
    let took = start.elapsed();
    assert!(took > Duration::from_millis(900), "30 frames in {took:?} is more than the camera sends");
    // The preview stops, another paper is laid, and the preview goes on.
    desk.until(Judgement::Good);
    desk.simulator.show(Scene::empty(SIZE.0, SIZE.1));
    let (_held, never) = std::sync::mpsc::sync_channel::<()>(1);
    assert!(never.recv_timeout(Duration::from_millis(1200)).is_err(), "nobody looks for a while");
    let picture = desk.camera.picture().unwrap();
    assert_eq!(
        Judge::default().look(&picture).judgement,
        Judgement::NothingThere,
        "no frame of before the pause"
    );
}

#[test]
fn a_silent_camera_is_noticed() {
    let mut desk = desk();
    desk.camera.picture().unwrap();
    desk.simulator.set_fault(Some(CameraFault::Silent));
    let first = desk.error(|error| matches!(error, CameraError::NoFrame { in_a_row: 1 }));
    assert_eq!(first.remedy(), Remedy::Retry);
    let third = desk.error(|error| matches!(error, CameraError::NoFrame { in_a_row: 3 }));
    assert_eq!(third.remedy(), Remedy::CallOperator(Fault::CameraSilent));
    desk.simulator.set_fault(None);
    desk.until(Judgement::Good);
}

#[test]
fn a_stuck_camera_is_noticed() {
    let mut desk = desk();
    desk.camera.picture().unwrap();
    desk.simulator.set_fault(Some(CameraFault::Stuck));
    let error = desk.error(|error| *error == CameraError::Stuck);
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::CameraFault));
    desk.simulator.set_fault(None);
    desk.until(Judgement::Good);
}

#[test]
fn broken_frames_give_no_picture_and_good_ones_follow() {
    let mut desk = desk();
    let cases = [
        (CameraFault::CutShort { bytes: 0 }, FrameError::CutShort),
        (CameraFault::CutShort { bytes: 300 }, FrameError::CutShort),
        (CameraFault::CutShort { bytes: 5000 }, FrameError::CutShort),
        (CameraFault::Hole { bytes: 512 }, FrameError::CutShort),
        (CameraFault::Damaged, FrameError::Damaged),
        (
            CameraFault::ClaimsSize { width: 0xFFFF, height: 0xFFFF },
            FrameError::Size { width: 0xFFFF, height: 0xFFFF },
        ),
        (CameraFault::ClaimsSize { width: 0, height: 0 }, FrameError::Size { width: 0, height: 0 }),
    ];
    for (fault, wanted) in cases {
        desk.simulator.set_fault(Some(fault));
        let error =
            desk.error(|error| matches!(error, CameraError::Damaged { error, .. } if *error == wanted));
        assert_eq!(error.remedy(), Remedy::Retry, "{fault:?}");
        let lasting = desk.error(|error| matches!(error, CameraError::Damaged { in_a_row: 12.., .. }));
        assert_eq!(lasting.remedy(), Remedy::CallOperator(Fault::CameraFault), "{fault:?}");
        desk.simulator.set_fault(None);
        desk.until(Judgement::Good);
    }
}

#[test]
fn a_frame_of_another_camera_is_relayed_once() {
    let mut desk = desk();
    desk.until(Judgement::Good);
    let picture = paper(320);
    let bytes = keep(&picture, usize::MAX).unwrap().jpeg;
    let (width, height) = (picture.width(), picture.height());
    desk.simulator.relay(RawFrame { format: FrameFormat::Mjpg, width, height, bytes });
    let seen = (0..30).find_map(|_| desk.camera.picture().ok().filter(|seen| seen.width() == width));
    assert_eq!(seen.unwrap().height(), height);
    assert_eq!(desk.camera.picture(), Err(CameraError::NoFrame { in_a_row: 1 }));
    desk.simulator.show(with_paper());
    desk.until(Judgement::Good);
}

#[test]
fn noise_on_the_road_is_passed_over() {
    let mut desk = desk();
    desk.simulator.set_fault(Some(CameraFault::Noise));
    desk.error(|error| matches!(error, CameraError::NoFrame { .. }));
    desk.simulator.set_fault(None);
    desk.until(Judgement::Good);
}

#[test]
fn an_unplugged_camera_is_gone_at_once_and_comes_back() {
    let mut desk = desk();
    desk.until(Judgement::Good);
    desk.simulator.unplug();
    assert!(!desk.path().exists());
    let start = Instant::now();
    for _ in 0..2 {
        let error = desk.error(|error| *error == CameraError::Gone);
        assert_eq!(error.remedy(), Remedy::CallOperator(Fault::CameraGone));
    }
    assert!(start.elapsed() < Duration::from_secs(1), "noticed by the hang-up, not by a deadline");
    desk.simulator.plug().unwrap();
    let start = Instant::now();
    desk.camera.picture().unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "usable within two seconds of coming back");
}

#[test]
fn a_camera_unplugged_in_the_middle_of_a_frame_gives_nothing_of_it() {
    for bytes in [0, 3, 15, 16, 17, 4000] {
        let mut desk = desk();
        desk.simulator.set_fault(Some(CameraFault::DisconnectsAt { bytes }));
        assert_eq!(desk.error(|error| *error == CameraError::Gone), CameraError::Gone);
        desk.simulator.set_fault(None);
        // Its last connection may still be breaking off.
        let _ = desk.camera.picture();
        desk.until(Judgement::Good);
    }
}

#[test]
fn what_is_no_camera_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    std::fs::write(&file, b"").unwrap();
    let deadline = || Instant::now() + Duration::from_millis(200);
    for path in [file.as_path(), dir.path(), std::path::Path::new("/dev/null"), &dir.path().join("nothing")] {
        let source: &mut dyn FrameSource = &mut SocketCamera::new(path);
        assert_eq!(source.next_frame(deadline()), Err(CameraError::Gone), "{path:?}");
        let source: &mut dyn FrameSource = &mut V4l2Camera::new(path, 1280, 720);
        assert_eq!(source.next_frame(deadline()), Err(CameraError::Gone), "{path:?}");
    }
}
