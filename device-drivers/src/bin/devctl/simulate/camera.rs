//! A simulated camera over a made-up sheet, card or face.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;
use device_drivers::camera::FrameFormat;
use device_drivers::camera::simulator::{
    self, CameraFault, CameraProfile, Glare, Laid, Scene, SimulatedCamera as Handle, card, paper, portrait,
};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

/// What a fault changes: the scene, or the frames.
enum Change {
    Scene(Box<dyn Fn(&mut Scene)>),
    Frames(CameraFault),
}

fn scene(change: impl Fn(&mut Scene) + 'static) -> Change {
    Change::Scene(Box::new(change))
}

const FAULTS: &Faults<Change> = &[
    ("dark", 0, |_| scene(|scene| scene.light = 0.05)),
    ("bright", 0, |_| scene(|scene| scene.light = 2.0)),
    ("blurred", 6, |pixels| scene(move |scene| scene.blur = pixels as u32)),
    ("glare", 0, |_| scene(mirror_a_lamp)),
    ("moving", 12, |pixels| scene(move |scene| scene.moves = pixels as f32)),
    ("empty", 0, |_| scene(|scene| scene.laid = None)),
    ("silent", 0, |_| Change::Frames(CameraFault::Silent)),
    ("stuck", 0, |_| Change::Frames(CameraFault::Stuck)),
    ("cut-short", 2000, |bytes| Change::Frames(CameraFault::CutShort { bytes: bytes as usize })),
    ("damaged", 0, |_| Change::Frames(CameraFault::Damaged)),
    ("disconnects-at", 5000, |bytes| Change::Frames(CameraFault::DisconnectsAt { bytes: bytes as usize })),
    ("noise", 0, |_| Change::Frames(CameraFault::Noise)),
];

fn mirror_a_lamp(scene: &mut Scene) {
    let middle = (scene.width as f32 / 2.0, scene.height as f32 / 2.0);
    scene.glare = Some(Glare { middle, radius: scene.height as f32 / 4.0 });
}

#[derive(clap::Args)]
pub struct SimulatedCamera {
    /// Path of the socket that is made
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
    /// What lies before the camera
    #[arg(long, value_enum, default_value_t = Before::Paper)]
    before: Before,
    /// Send YUYV in place of MJPG
    #[arg(long)]
    yuyv: bool,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Before {
    Paper,
    Card,
    Face,
}

impl Before {
    fn scene(self) -> Scene {
        let size = (1280, 720);
        let (picture, width) = match self {
            Before::Paper => (paper(1000), 460.0),
            Before::Card => (card(1000), 640.0),
            Before::Face => (portrait(800), 540.0),
        };
        Scene::with(size.0, size.1, Laid::straight(picture, size, width))
    }
}

impl SimulatedCamera {
    pub fn start(self) -> Result<Started, Failure> {
        let format = if self.yuyv { FrameFormat::Yuyv } else { FrameFormat::Mjpg };
        let profile = CameraProfile { format, ..CameraProfile::default() };
        let scene = self.before.scene();
        let camera = simulator::serve(&self.link, profile, scene).map_err(|error| cannot_start(&error))?;
        camera.settle();
        let way = format!("--socket {}", self.link.display());
        Ok(Started { hands: Box::new(Stand { camera, before: self.before }), way, fault: self.fault })
    }
}

struct Stand {
    camera: Handle,
    before: Before,
}

impl Hands for Stand {
    fn known(&self) -> (&'static str, String) {
        ("lay-paper lay-card show-face", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        let change = name.map(|name| fault(FAULTS, name)).transpose()?;
        let mut scene = self.before.scene();
        let frames = match change {
            None => None,
            Some(Change::Frames(fault)) => Some(fault),
            Some(Change::Scene(change)) => {
                change(&mut scene);
                None
            }
        };
        self.camera.show(scene);
        self.camera.set_fault(frames);
        self.camera.settle();
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.camera.plug();
        }
        self.camera.unplug();
        Ok(())
    }

    fn obey(&mut self, order: &str, _value: &str) -> Result<String, String> {
        self.before = match order {
            "lay-paper" => Before::Paper,
            "lay-card" => Before::Card,
            "show-face" => Before::Face,
            _ => return no_such_order(order),
        };
        self.camera.show(self.before.scene());
        self.camera.settle();
        Ok(String::new())
    }
}
