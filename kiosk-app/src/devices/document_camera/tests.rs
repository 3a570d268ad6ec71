//! The camera's thread on the simulator's frames: what the session and the screen are told.

use super::*;
use crate::inbox::inbox;
use async_channel::Receiver;
use device_drivers::camera::simulator::{
    CameraFault, CameraProfile, Laid, Scene, SimulatedCamera, paper, serve,
};
use kiosk_core::session::Event;

const LONG: Duration = Duration::from_secs(20);

struct Bench {
    camera: SimulatedCamera,
    hand: Hand<Order>,
    preview: Preview,
    messages: Receiver<Message>,
    _folder: tempfile::TempDir,
}

fn paper_scene() -> Scene {
    let laid = Laid { turned: 4.0, ..Laid::straight(paper(800), (1280, 720), 400.0) };
    Scene::with(1280, 720, laid)
}

fn bench(scene: Scene) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera");
    let camera = serve(&path, CameraProfile::default(), scene).unwrap();
    camera.settle();
    let (inbox, messages) = inbox();
    let preview = Preview::default();
    let device = CameraDevice::Socket { path };
    let hand = spawn(device, preview.clone(), inbox, HealthBook::forgetful()).unwrap();
    let bench = Bench { camera, hand, preview, messages, _folder: folder };
    bench.until_present(true);
    bench
}

impl Bench {
    /// The next thing that is told and is one of these.
    fn next<T>(&self, what: &str, mut pick: impl FnMut(Device) -> Option<T>) -> T {
        let deadline = Instant::now() + LONG;
        while Instant::now() < deadline {
            match self.messages.try_recv() {
                Ok(Message::Event(Event::Device(report))) => {
                    if let Some(found) = pick(report) {
                        return found;
                    }
                }
                Ok(_) => {}
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!("waited too long for {what}");
    }

    fn until_present(&self, wanted: bool) {
        self.next("the camera to come or go", |report| {
            (report == Device::CameraPresent(wanted)).then_some(())
        });
    }

    fn show(&self, ticket: u64) {
        self.preview.open(Ticket(ticket));
        self.hand.order(Order::Look).ok().unwrap();
    }

    fn picture(&self) -> Picture {
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(picture) = self.preview.take() {
                return picture;
            }
            assert!(Instant::now() < deadline, "no picture came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn sees(&self, ticket: u64, wanted: Option<Notice>) {
        let wanted = Device::CameraSees(Ticket(ticket), wanted);
        self.next(&format!("{wanted:?}"), |report| (report == wanted).then_some(()));
    }

    fn photo(&self, ticket: u64) -> Result<(Photo, Option<Notice>), Remedy> {
        self.hand.order(Order::Photo(Ticket(ticket))).ok().unwrap();
        self.next("the photo", |report| match report {
            Device::PhotoTaken { ticket: of, photo, doubt } if of == Ticket(ticket) => {
                Some(Ok((photo, doubt)))
            }
            Device::PhotoFailed(of, remedy) if of == Ticket(ticket) => Some(Err(remedy)),
            _ => None,
        })
    }
}

#[test]
fn a_paper_is_shown_judged_and_photographed_alone() {
    let bench = bench(paper_scene());
    bench.show(1);
    let picture = bench.picture();
    assert_eq!((picture.width(), picture.height()), (1280, 720));
    bench.sees(1, None);
    let (photo, doubt) = bench.photo(2).unwrap();
    assert_eq!(doubt, None);
    assert!(photo.jpeg.expose().starts_with(&[0xFF, 0xD8]) && photo.jpeg.expose().len() <= PHOTO_BYTES_MAX);
    assert_eq!(photo.sha256, sha256_hex(photo.jpeg.expose()));
    let ratio = f64::from(photo.view.height) / f64::from(photo.view.width);
    assert!((ratio - 1.414).abs() < 0.03, "the paper alone and upright: {ratio}");
    assert_eq!(photo.view.rgb.expose().len(), (photo.view.width * photo.view.height * 3) as usize);
}

#[test]
fn what_is_wrong_is_said_and_only_what_shows_nothing_is_refused() {
    let bench = bench(Scene { light: 0.02, ..paper_scene() });
    bench.show(1);
    bench.sees(1, Some(Notice::CameraCovered));
    assert_eq!(bench.photo(2).unwrap_err(), Remedy::AskCitizen(Notice::CameraCovered));
    bench.camera.show(Scene::empty(1280, 720));
    bench.sees(1, Some(Notice::MaterialMissing));
    assert_eq!(bench.photo(3).unwrap_err(), Remedy::AskCitizen(Notice::MaterialMissing));
    bench.camera.show(Scene { blur: 3, ..paper_scene() });
    bench.sees(1, Some(Notice::MaterialLayFlat));
    let (_, doubt) = bench.photo(4).unwrap();
    assert_eq!(doubt, Some(Notice::MaterialLayFlat), "taken, with a word");
}

#[test]
fn unplugged_it_answers_at_once_and_works_again_when_it_is_back() {
    let bench = bench(paper_scene());
    bench.show(1);
    bench.picture();
    bench.camera.unplug();
    bench.until_present(false);
    assert_eq!(bench.photo(2).unwrap_err(), Remedy::CallOperator(FaultCode::Camera));
    bench.camera.plug().unwrap();
    bench.until_present(true);
    bench.show(3);
    bench.picture();
    assert!(bench.photo(4).is_ok());
}

#[test]
fn when_nobody_wants_to_see_it_nothing_is_shown_and_no_photo_taken() {
    let bench = bench(paper_scene());
    bench.show(1);
    bench.picture();
    bench.preview.close();
    bench.hand.order(Order::Look).ok().unwrap();
    assert_eq!(bench.photo(2).unwrap_err(), Remedy::Retry);
    assert!(bench.preview.take().is_none());
}

#[test]
fn a_picture_that_stands_still_is_no_camera_until_it_moves_again() {
    let bench = bench(paper_scene());
    bench.show(1);
    bench.picture();
    bench.camera.set_fault(Some(CameraFault::Stuck));
    bench.until_present(false);
    let until = Instant::now() + Duration::from_millis(2_500);
    while Instant::now() < until {
        let told = self::told(&bench.messages);
        assert!(!told.contains(&Device::CameraPresent(true)), "one frame proves nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    bench.camera.set_fault(None);
    bench.until_present(true);
}

fn told(messages: &Receiver<Message>) -> Vec<Device> {
    let all = std::iter::from_fn(|| messages.try_recv().ok());
    all.filter_map(|message| match message {
        Message::Event(Event::Device(report)) => Some(report),
        _ => None,
    })
    .collect()
}

#[test]
fn words_that_flicker_are_not_said() {
    let mut verdict = Verdict::default();
    let begun = Instant::now();
    let at = |ms: u64| begun + Duration::from_millis(ms);
    let glare = Some(Notice::MaterialGlare);
    assert_eq!(verdict.hear(None, at(0)), None);
    assert_eq!(verdict.hear(None, at(300)), Some(None));
    for ms in (350..2_000).step_by(100) {
        assert_eq!(verdict.hear(glare, at(ms)), None);
        assert_eq!(verdict.hear(None, at(ms + 50)), None);
    }
    assert_eq!(verdict.hear(glare, at(3_000)), None);
    assert_eq!(verdict.hear(glare, at(3_300)), Some(glare));
    assert_eq!(verdict.hear(glare, at(3_400)), None, "once");
}
