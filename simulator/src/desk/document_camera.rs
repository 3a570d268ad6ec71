//! The document camera, and what lies under it: one of the simulator's made-up papers, a picture that the visitor brings,
//! or what the visitor's own camera sees.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use device_drivers::camera::protocol::{decode, mjpg};
use device_drivers::camera::simulator::{
    CameraFault, CameraProfile, Glare, Laid, Scene, SimulatedCamera, card, drawn, paper, serve,
};
use device_drivers::camera::{FrameFormat, Picture, RawFrame};
use serde_json::{Value, json};

use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, bytes, numbered, plain};

/// Size of its frames, in pixels.
const SIZE: (u32, u32) = (1280, 720);
/// The largest picture of a visitor, in pixels and bytes: the page makes it smaller before it sends it.
const OWN_MAX: u32 = 2000;
/// The largest JPEG that a visitor may send.
pub const OWN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Of the picture that shows what lies there.
const VIEW_SHRINK: u32 = 4;

/// What can lie under it. `own` is what the visitor has brought, `webcam` what the visitor's camera sees.
const PICTURES: [&str; 6] = ["form", "card", "crooked", "glare", "own", "webcam"];
const OWN: &str = PICTURES[4];
const WEBCAM: &str = PICTURES[5];

#[derive(Debug, Clone, Copy)]
pub(super) enum Broken {
    /// The lens is covered, or the lamp is out.
    Dark,
    /// Out of focus.
    Blurred,
    /// On the way to the kiosk.
    Wire(CameraFault),
}

struct Hands {
    picture: Option<&'static str>,
    own: Option<Picture>,
    fault: Option<Broken>,
    plugged: bool,
    /// What the camera shows, unless it hands on the visitor's own: drawn anew only when it is something else.
    shown: Option<Scene>,
}

pub(super) struct DocumentCamera {
    path: PathBuf,
    camera: SimulatedCamera,
    hands: Mutex<Hands>,
    drawing: Mutex<()>,
}

impl DocumentCamera {
    pub(super) fn set_up(folder: &Path) -> io::Result<AtDesk<Self>> {
        let path = folder.join("document-camera");
        let hands = Hands { picture: None, own: None, fault: None, plugged: true, shown: None };
        let camera = serve(&path, CameraProfile::default(), scene(&hands))?;
        Ok(AtDesk::new(Self { path, camera, hands: Mutex::new(hands), drawing: Mutex::new(()) }))
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "transport": "socket", "path": self.path })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    /// Changes what lies there or what is wrong with it. Drawing takes a moment, in which nobody else waits for the hands.
    fn show(&self, change: impl FnOnce(&mut Hands)) {
        let _one_after_the_other = held(&self.drawing);
        let (drawn_anew, fault) = {
            let mut hands = self.hands();
            change(&mut hands);
            // What the visitor's own camera sees comes by itself.
            let wanted = (hands.picture != Some(WEBCAM)).then(|| scene(&hands));
            let drawn_anew = wanted.clone().filter(|wanted| hands.shown.as_ref() != Some(wanted));
            hands.shown = wanted;
            (drawn_anew, hands.fault)
        };
        if let Some(scene) = drawn_anew {
            self.camera.show(scene);
        }
        self.camera.set_fault(match fault {
            Some(Broken::Wire(fault)) => Some(fault),
            Some(Broken::Dark | Broken::Blurred) | None => None,
        });
    }

    /// Lays a visitor's picture under the camera, as a paper of its size.
    pub(super) fn lay_own(&self, jpeg: Vec<u8>) -> io::Result<()> {
        let frame = frame_of(jpeg)?;
        let picture = decode(&frame).map_err(io::Error::other)?;
        self.show(|hands| (hands.own, hands.picture) = (Some(picture), Some(OWN)));
        Ok(())
    }

    /// Hands on what the visitor's camera sees, a frame at a time.
    pub(super) fn relay(&self, jpeg: Vec<u8>) -> io::Result<()> {
        let frame = frame_of(jpeg)?;
        if self.hands().picture != Some(WEBCAM) {
            self.show(|hands| hands.picture = Some(WEBCAM));
        }
        self.camera.relay(frame);
        Ok(())
    }

    /// What lies there, as rows of RGB: width, height, bytes.
    pub(super) fn view(&self) -> Picture {
        let scene = scene(&self.hands());
        drawn(&scene).shrunk(VIEW_SHRINK)
    }
}

fn frame_of(jpeg: Vec<u8>) -> io::Result<RawFrame> {
    let header = mjpg::header(&jpeg).map_err(io::Error::other)?;
    let (width, height) = (header.width, header.height);
    if width.max(height) > OWN_MAX {
        return Err(io::Error::other(format!("no side may be longer than {OWN_MAX} pixels")));
    }
    Ok(RawFrame { format: FrameFormat::Mjpg, width, height, bytes: jpeg.into() })
}

fn scene(hands: &Hands) -> Scene {
    let (width, height) = SIZE;
    let straight = |picture: Picture, across: f32| Laid::straight(picture, SIZE, across);
    let form = || Laid { turned: 4.0, ..straight(paper(800), 400.0) };
    let laid = match hands.picture {
        Some("form" | "glare") => Some(form()),
        Some("card") => Some(Laid { turned: -7.0, ..straight(card(900), 340.0) }),
        Some("crooked") => Some(Laid { turned: 24.0, width: 330.0, ..form() }),
        Some(OWN) => hands.own.clone().map(|own| {
            let fits =
                (0.84 * width as f32 / own.width() as f32).min(0.84 * height as f32 / own.height() as f32);
            let across = own.width() as f32 * fits;
            straight(own, across)
        }),
        _ => None,
    };
    let glare = (hands.picture == Some("glare")).then_some(Glare { middle: (600.0, 300.0), radius: 90.0 });
    let scene = Scene { laid, glare, ..Scene::empty(width, height) };
    match hands.fault {
        Some(Broken::Dark) => Scene { light: 0.02, ..scene },
        Some(Broken::Blurred) => Scene { blur: 3, ..scene },
        Some(Broken::Wire(_)) | None => scene,
    }
}

impl Hardware for DocumentCamera {
    const NAME: &'static str = "document-camera";
    type Fault = Broken;
    const FAULTS: &'static [Known<Broken>] = &[
        plain("dark", |_| Broken::Dark),
        plain("blurred", |_| Broken::Blurred),
        plain("frozen", |_| Broken::Wire(CameraFault::Stuck)),
        plain("silent", |_| Broken::Wire(CameraFault::Silent)),
        plain("damaged", |_| Broken::Wire(CameraFault::Damaged)),
        numbered("truncated", bytes(1, 60_000, 2000), |n| {
            Broken::Wire(CameraFault::CutShort { bytes: n as usize })
        }),
    ];
    const CONTROLS: &'static [Control] =
        &[Control { name: "picture", kind: ControlKind::Choice { choices: &PICTURES, none: true } }];

    fn is_plugged(&self) -> bool {
        self.hands().plugged
    }

    fn plug(&self) -> io::Result<()> {
        let mut hands = self.hands();
        self.camera.plug()?;
        hands.plugged = true;
        Ok(())
    }

    fn unplug(&self) -> io::Result<()> {
        let mut hands = self.hands();
        self.camera.unplug();
        hands.plugged = false;
        Ok(())
    }

    fn set_fault(&self, fault: Option<Broken>) {
        self.show(|hands| hands.fault = fault);
    }

    fn settings(&self) -> Value {
        json!({ "picture": self.hands().picture })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        match turn {
            Turn::Choice(picture) => self.show(|hands| hands.picture = picture),
            Turn::Switch(_) | Turn::Press | Turn::Text(_) => unreachable!("{control} is a choice"),
        }
        Ok(())
    }

    fn shows(&self) -> Value {
        json!({ "brought": self.hands().own.is_some() })
    }
}
