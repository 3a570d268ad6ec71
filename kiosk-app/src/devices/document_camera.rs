//! The document camera: shows what lies under it while the session wants to see it, says what is wrong with the picture,
//! and takes a photo of the paper. At no other time is it looked through, but for one frame when it comes, which shows
//! that it works.

use super::advice::notice_of;
use super::declared::CameraDevice;
use super::health::{HealthBook, Trouble};
use super::preview::Preview;
use super::station::{self, Hand, Station};
use crate::inbox::{Inbox, Message};
use device_drivers::camera::{
    Camera, CameraError, FrameSource, Judge, Judgement, Look, Picture, RawFrame, SocketCamera, V4l2Camera,
    keep, straightened,
};
use kiosk_core::photo::{Photo, PhotoView};
use kiosk_core::private::Private;
use kiosk_core::remedy::{FaultCode, Notice, Remedy};
use kiosk_core::session::{Device, Ticket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_protocol::sha256_hex;

/// Its name in health and logs.
pub const NAME: &str = "document-camera";
/// Time between two pictures of a preview: twenty a second, so that a busy machine still shows fifteen.
const PREVIEW: Duration = Duration::from_millis(50);
/// Time between two looks whether an idle camera is still there.
const PRESENCE: Duration = Duration::from_secs(2);
/// A judgement counts when it has stood for so long: words that flicker cannot be read.
const STEADY: Duration = Duration::from_millis(300);
/// A photo waits so long for a picture that is good, then what there is has to do.
const GOOD_WITHIN: Duration = Duration::from_millis(1_500);
/// A camera whose picture stood still is watched for so long before it is believed again.
const WATCHED: Duration = Duration::from_millis(1_300);
/// The largest file of a photo: small print stays legible, and a slow link carries it in a minute.
const PHOTO_BYTES_MAX: usize = 512 * 1024;
/// The longest side of what the screen shows, in pixels: of the live picture, and of a photo.
const SHOWN_MAX: u32 = 1_280;
const VIEW_MAX: u32 = 800;

/// What the session asks of the camera. Whether a preview is wanted stands in [`Preview`]; these wake the thread.
pub enum Order {
    /// A preview begins or ends.
    Look,
    /// Take a photo; answer with this ticket.
    Photo(Ticket),
}

/// Starts the camera's thread.
pub fn spawn(
    device: CameraDevice,
    preview: Preview,
    inbox: Inbox,
    health: HealthBook,
) -> std::io::Result<Hand<Order>> {
    let node = device.node().to_owned();
    let camera = Camera::new(Source::of(device));
    let desk = CameraDesk {
        node,
        camera,
        judge: Judge::default(),
        preview,
        inbox,
        here: false,
        stood_still: false,
        shown: None,
        verdict: Verdict::default(),
        turned: Instant::now(),
    };
    station::spawn(NAME, desk, health)
}

/// Where frames come from.
enum Source {
    V4l2(V4l2Camera),
    Socket(SocketCamera),
}

impl Source {
    fn of(device: CameraDevice) -> Source {
        match device {
            CameraDevice::V4l2 { device, width, height } => {
                Source::V4l2(V4l2Camera::new(device, width, height))
            }
            CameraDevice::Socket { path } => Source::Socket(SocketCamera::new(path)),
        }
    }
}

impl FrameSource for Source {
    fn next_frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        match self {
            Source::V4l2(camera) => camera.next_frame(deadline),
            Source::Socket(camera) => camera.next_frame(deadline),
        }
    }

    fn close(&mut self) {
        match self {
            Source::V4l2(camera) => camera.close(),
            Source::Socket(camera) => camera.close(),
        }
    }
}

/// What the last pictures were judged to be, until it has stood long enough to be said.
#[derive(Default)]
struct Verdict {
    found: Option<(Option<Notice>, Instant)>,
    said: Option<Option<Notice>>,
}

impl Verdict {
    /// Adds a judgement. Gives what is to be said, when it is something else than before.
    fn hear(&mut self, wrong: Option<Notice>, now: Instant) -> Option<Option<Notice>> {
        let since = match self.found {
            Some((found, since)) if found == wrong => since,
            _ => now,
        };
        self.found = Some((wrong, since));
        let steady = now.saturating_duration_since(since) >= STEADY;
        (steady && self.said.replace(wrong) != Some(wrong)).then_some(wrong)
    }
}

struct CameraDesk {
    node: PathBuf,
    camera: Camera<Source>,
    judge: Judge,
    preview: Preview,
    inbox: Inbox,
    here: bool,
    /// It was lost because it sent the same picture for ever: one frame proves nothing then.
    stood_still: bool,
    /// The preview that is being shown.
    shown: Option<Ticket>,
    verdict: Verdict,
    /// When the last turn began.
    turned: Instant,
}

impl Station for CameraDesk {
    type Order = Order;

    /// A node can be there while nothing comes out of it, so one picture is taken and thrown away.
    fn open(&mut self) -> Result<(), Trouble> {
        let until = Instant::now() + if self.stood_still { WATCHED } else { Duration::ZERO };
        loop {
            self.camera.picture().map_err(trouble_of)?;
            if Instant::now() >= until {
                break;
            }
        }
        (self.here, self.stood_still) = (true, false);
        if self.preview.wanted().is_none() {
            self.rest();
        }
        Ok(())
    }

    fn close(&mut self) {
        self.here = false;
        self.rest();
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        self.turned = Instant::now();
        let Some(ticket) = self.preview.wanted() else {
            self.rest();
            return if self.node.exists() { Ok(()) } else { Err(device_drivers::Fault::CameraGone.into()) };
        };
        if self.shown != Some(ticket) {
            // Another resident, or another page: nothing of what was seen before counts.
            self.judge.forget();
            (self.shown, self.verdict) = (Some(ticket), Verdict::default());
        }
        match self.look() {
            Ok((picture, look)) => {
                self.show(ticket, picture, look.judgement);
                Ok(())
            }
            Err(error) => self.lost_by(error),
        }
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Look => Ok(()),
            Order::Photo(ticket) if self.here => self.photo(ticket),
            // Who asked is told at once, not after the next try to open it.
            Order::Photo(ticket) => {
                self.fail(ticket, Remedy::CallOperator(FaultCode::Camera));
                Ok(())
            }
        }
    }

    fn pause(&self) -> Duration {
        match self.preview.wanted() {
            Some(_) => PREVIEW.saturating_sub(self.turned.elapsed()),
            None => PRESENCE,
        }
    }

    fn report(&mut self, here: bool) {
        self.inbox.device(Device::CameraPresent(here));
    }
}

impl CameraDesk {
    /// Lets go of the camera and forgets what it saw.
    fn rest(&mut self) {
        if self.shown.take().is_some() || !self.here {
            self.judge.forget();
            self.verdict = Verdict::default();
        }
        self.camera.close();
    }

    fn look(&mut self) -> Result<(Picture, Look), CameraError> {
        let picture = self.camera.picture()?;
        let look = self.judge.look(&picture);
        Ok((picture, look))
    }

    fn show(&mut self, ticket: Ticket, picture: Picture, judgement: Judgement) {
        if let Some(wrong) = self.verdict.hear(judgement.hint().map(notice_of), Instant::now()) {
            self.inbox.device(Device::CameraSees(ticket, wrong));
        }
        if self.preview.put(ticket, at_most(picture, SHOWN_MAX)) {
            self.inbox.put(Message::PreviewMoved);
        }
    }

    /// Waits a moment for a picture without fault. Of a dark or an empty one nobody has anything; any other is taken,
    /// with a word about what may be wrong: a crumpled paper stays crumpled.
    fn photo(&mut self, ticket: Ticket) -> Result<(), Trouble> {
        let begun = Instant::now();
        loop {
            if self.preview.wanted().is_none() {
                // Nobody waits for it any more.
                self.fail(ticket, Remedy::Retry);
                return Ok(());
            }
            let (picture, look) = match self.look() {
                Ok(seen) => seen,
                Err(error) => return self.photo_failed(ticket, error),
            };
            let doubt = look.judgement.hint().map(notice_of);
            if doubt.is_some() && begun.elapsed() < GOOD_WITHIN {
                continue;
            }
            match (look.judgement, doubt) {
                (Judgement::TooDark | Judgement::NothingThere, Some(notice)) => {
                    self.fail(ticket, Remedy::AskCitizen(notice));
                }
                _ => match photo_of(picture, &look) {
                    Some(photo) => self.inbox.device(Device::PhotoTaken { ticket, photo, doubt }),
                    None => self.fail(ticket, Remedy::Retry),
                },
            }
            return Ok(());
        }
    }

    fn photo_failed(&mut self, ticket: Ticket, error: CameraError) -> Result<(), Trouble> {
        let outcome = self.lost_by(error);
        let remedy = match outcome {
            Ok(()) => Remedy::Retry,
            Err(_) => Remedy::CallOperator(FaultCode::Camera),
        };
        self.fail(ticket, remedy);
        outcome
    }

    fn fail(&self, ticket: Ticket, remedy: Remedy) {
        self.inbox.device(Device::PhotoFailed(ticket, remedy));
    }

    /// A frame that came late, or damaged once, loses no camera.
    fn lost_by(&mut self, error: CameraError) -> Result<(), Trouble> {
        self.stood_still |= error == CameraError::Stuck;
        match error.remedy() {
            device_drivers::Remedy::CallOperator(fault) => Err(fault.into()),
            device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => Ok(()),
        }
    }
}

/// A camera that does not send at once when it is opened counts as away.
fn trouble_of(error: CameraError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::CameraSilent.into()
        }
    }
}

/// The paper alone and straight, or all of the picture when its shape is not known, as a file and as a view of it.
fn photo_of(picture: Picture, look: &Look) -> Option<Photo> {
    let cut = look.sheet.and_then(|sheet| straightened(&picture, &sheet)).unwrap_or(picture);
    let mut kept = keep(&cut, PHOTO_BYTES_MAX).ok()?;
    let sha256 = sha256_hex(&kept.jpeg);
    // Moved, so that the only copy is the one that erases itself.
    let jpeg = Arc::new(Private::new(std::mem::take(&mut *kept.jpeg)));
    let view = at_most(cut, VIEW_MAX);
    let view =
        PhotoView { width: view.width(), height: view.height(), rgb: Private::new(view.rgb().to_vec()) };
    Some(Photo { sha256, jpeg, view: Arc::new(view) })
}

/// The picture, divided until its longest side is at most so long.
fn at_most(picture: Picture, longest: u32) -> Picture {
    match picture.width().max(picture.height()).div_ceil(longest) {
        0 | 1 => picture,
        factor => picture.shrunk(factor),
    }
}

#[cfg(test)]
mod tests;
