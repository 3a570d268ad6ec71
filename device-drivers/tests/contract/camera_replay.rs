//! The camera's contract on recordings ([`crate::tape`]), at the simulator's socket. Frames are few and tiny; a scene
//! of one colour makes them so.

use std::time::{Duration, Instant};

use device_drivers::camera::protocol::decode;
use device_drivers::camera::simulator::{CameraFault, CameraProfile, Scene, SimulatedCamera, serve};
use device_drivers::camera::{CameraError, FrameError, FrameFormat, FrameSource, RawFrame, SocketCamera};
use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::recording::ReplayError;

use crate::tape::{Keep, Scenario, Tape};

const SIZE: (u32, u32) = (64, 48);
/// Long enough for a frame on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// Frames and errors of before that may still come after something was changed.
const LOOKS: usize = 200;

type Hands = crate::tape::Hands<SimulatedCamera>;

fn tape() -> Tape<SocketCamera, SimulatedCamera, CameraProfile> {
    let usual = CameraProfile { rate: 20, ..CameraProfile::default() };
    let bare = CameraProfile { tables: false, padding: 100, ..usual };
    let scenario = |name, setting, play| Scenario { name, setting, play };
    Tape {
        device: "camera",
        scenarios: vec![
            scenario("seen", usual, seen),
            scenario("without-tables", bare, seen),
            scenario("cut-short", usual, cut_short),
            scenario("silent", usual, silent),
            scenario("unplugged", usual, unplugged),
            scenario("broken-off", usual, broken_off),
        ],
        driver: Box::new(|transport, _| SocketCamera::over(transport)),
    }
}

/// An empty mat of this brightness, before a sensor without noise.
fn mat(grey: u8) -> Scene {
    Scene { mat: [grey; 3], noise: 0, ..Scene::empty(SIZE.0, SIZE.1) }
}

/// Looks until that is the outcome.
fn until(camera: &mut SocketCamera, wanted: impl Fn(&Result<RawFrame, CameraError>) -> bool) {
    let mut last = None;
    for _ in 0..LOOKS {
        let outcome = camera.next_frame(Instant::now() + SOON);
        if wanted(&outcome) {
            return;
        }
        last = Some(outcome);
    }
    panic!("the last outcome was {last:?}");
}

/// The brightness in the middle of a frame that is a picture of the right size.
fn grey(outcome: &Result<RawFrame, CameraError>) -> Option<u8> {
    let frame = outcome.as_ref().ok().filter(|frame| frame.format == FrameFormat::Mjpg)?;
    let picture = decode(frame).ok().filter(|picture| (picture.width(), picture.height()) == SIZE)?;
    let luma = picture.luma();
    luma.grey().get(luma.grey().len() / 2).copied()
}

fn is_dark(outcome: &Result<RawFrame, CameraError>) -> bool {
    grey(outcome).is_some_and(|grey| (40..60).contains(&grey))
}

fn seen(camera: &mut SocketCamera, hands: &Hands) {
    until(camera, is_dark);
    hands.at(|simulator| simulator.show(mat(200)));
    until(camera, |outcome| grey(outcome).is_some_and(|grey| (190..210).contains(&grey)));
    // Let go of, and opened again.
    camera.close();
    hands.at(|simulator| simulator.show(mat(50)));
    until(camera, is_dark);
}

fn cut_short(camera: &mut SocketCamera, hands: &Hands) {
    let broken = |wanted: FrameError| {
        move |outcome: &Result<RawFrame, CameraError>| {
            outcome.as_ref().is_ok_and(|frame| decode(frame).err() == Some(wanted))
        }
    };
    hands.at(|simulator| simulator.set_fault(Some(CameraFault::CutShort { bytes: 300 })));
    until(camera, broken(FrameError::CutShort));
    let size = FrameError::Size { width: 0xFFFF, height: 0xFFFF };
    hands.at(|simulator| {
        simulator.set_fault(Some(CameraFault::ClaimsSize { width: 0xFFFF, height: 0xFFFF }));
    });
    until(camera, broken(size));
    hands.at(|simulator| simulator.set_fault(None));
    until(camera, is_dark);
}

fn silent(camera: &mut SocketCamera, hands: &Hands) {
    hands.at(|simulator| {
        simulator.set_fault(Some(CameraFault::Silent));
        simulator.settle();
    });
    let outcome = camera.next_frame(Instant::now() + Duration::from_millis(300));
    assert_eq!(outcome, Err(CameraError::NoFrame { in_a_row: 1 }));
    hands.at(|simulator| simulator.set_fault(None));
    until(camera, is_dark);
}

fn unplugged(camera: &mut SocketCamera, hands: &Hands) {
    until(camera, is_dark);
    hands.at(|simulator| simulator.unplug());
    for _ in 0..2 {
        until(camera, |outcome| *outcome == Err(CameraError::Gone));
    }
    hands.at(|simulator| simulator.plug().unwrap());
    until(camera, is_dark);
}

/// In the middle of a frame, of which nothing is given out.
fn broken_off(camera: &mut SocketCamera, hands: &Hands) {
    hands.at(|simulator| {
        simulator.set_fault(Some(CameraFault::DisconnectsAt { bytes: 400 }));
        simulator.settle();
    });
    assert_eq!(camera.next_frame(Instant::now() + SOON), Err(CameraError::Gone));
    hands.at(|simulator| simulator.set_fault(None));
    until(camera, is_dark);
}

#[test]
fn what_was_recorded_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |socket, profile| {
        let simulator = serve(socket, profile, mat(50)).unwrap();
        (simulator, Box::new(DescriptorLine::unix(socket)))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let unfinished = tape().noticed("seen", |camera| until(camera, is_dark));
    assert!(matches!(unfinished, ReplayError::Unfinished(_)), "it let go of the camera then: {unfinished}");
    let beyond = tape().noticed("seen", |camera| {
        for _ in 0..2 {
            until(camera, is_dark);
            camera.close();
        }
    });
    assert_eq!(beyond, ReplayError::Beyond, "once only, then");
}
