//! The simulated camera on its socket: one thread that sends frames to whoever connects.

use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::super::protocol::{FrameFormat, RawFrame, keep, yuyv};
use super::draw::{draw, noisy};
use super::fault::{CameraFault, on_the_wire};
use super::scene::Scene;

/// Frames that are drawn of a scene and then sent in mixed order: drawing takes longer than a frame lasts.
const FRAMES: u32 = 5;
/// Quality of the MJPG frames; cameras use about this.
const QUALITY: u8 = 85;
/// How long to wait before the rest of a frame is offered again.
const TAKE_OVER: Duration = Duration::from_millis(1);
/// Orders that may wait.
const ORDERS: usize = 64;

/// What kind of camera this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraProfile {
    /// What it sends.
    pub format: FrameFormat,
    /// Frames a second, 1 to 60.
    pub rate: u32,
    /// Whether its MJPG frames bring their Huffman tables; some cameras leave them out (unconfirmed).
    pub tables: bool,
    /// Zeros after each MJPG frame, as some cameras fill their last packet.
    pub padding: usize,
}

impl Default for CameraProfile {
    fn default() -> CameraProfile {
        CameraProfile { format: FrameFormat::Mjpg, rate: 30, tables: true, padding: 0 }
    }
}

enum Order {
    Show(Box<Scene>, Vec<RawFrame>),
    Relay(RawFrame),
    Fault(Option<CameraFault>),
    Plugged(bool, SyncSender<io::Result<()>>),
    Settled(SyncSender<()>),
}

/// Starts a simulated camera; when this returns, `path` can be connected to.
///
/// # Errors
/// When the socket cannot be made there.
pub fn serve(path: impl AsRef<Path>, profile: CameraProfile, scene: Scene) -> io::Result<SimulatedCamera> {
    let path = path.as_ref().to_path_buf();
    let (orders, inbox) = sync_channel(ORDERS);
    let listener = listen(&path)?;
    let body = move || Device::new(profile, scene, path, listener).run(&inbox);
    let thread = std::thread::Builder::new().name("camera-sim".into()).spawn(body)?;
    Ok(SimulatedCamera { profile, orders: Some(orders), thread: Some(thread) })
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The hands at a running simulated camera. Dropping it unplugs the camera.
pub struct SimulatedCamera {
    profile: CameraProfile,
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedCamera {
    /// Shows another scene. It is drawn before this returns; until then the frames of the one before are sent, as a
    /// camera does not fall silent when somebody lays a paper under it.
    pub fn show(&self, scene: Scene) {
        let frames = frames_of(&scene, self.profile);
        self.order(Order::Show(Box::new(scene), frames));
    }

    /// Sends a frame of another camera (a browser's, a recorded one), once and as it is. From now on no scene is drawn,
    /// until [`SimulatedCamera::show`]. The size of a JPEG is in its header
    /// ([`header`](crate::camera::protocol::mjpg::header)).
    pub fn relay(&self, frame: RawFrame) {
        self.order(Order::Relay(frame));
    }

    /// Lets something go wrong with every frame, or ends that.
    pub fn set_fault(&self, fault: Option<CameraFault>) {
        self.order(Order::Fault(fault));
    }

    /// Pulls the plug; when this returns, nobody is connected and nobody can connect.
    pub fn unplug(&self) {
        let _ = self.set_plugged(false);
    }

    /// Plugs in again; when this returns, the path can be connected to.
    ///
    /// # Errors
    /// When the socket cannot be made again.
    pub fn plug(&self) -> io::Result<()> {
        self.set_plugged(true)
    }

    /// Waits until all that was said before is so, and its scene is drawn: who connects afterwards sees nothing older,
    /// and sees it at once.
    pub fn settle(&self) {
        let (done, answer) = sync_channel(1);
        self.order(Order::Settled(done));
        // The thread answers, or it is gone and nothing is left to wait for.
        let _ = answer.recv();
    }

    fn set_plugged(&self, plugged: bool) -> io::Result<()> {
        let (done, answer) = sync_channel(1);
        self.order(Order::Plugged(plugged, done));
        answer.recv().unwrap_or(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends only after this sender is gone.
            let _ = orders.send(order);
        }
    }
}

impl Drop for SimulatedCamera {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Who is connected, and what of the last frame has not been taken over yet.
struct Viewer {
    socket: UnixStream,
    bytes: Vec<u8>,
    written: usize,
    /// The connection ends with these bytes.
    ends: bool,
}

impl Viewer {
    fn has_all(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Hands over what the socket takes; false when the connection is over.
    fn write(&mut self) -> bool {
        while !self.has_all() {
            match self.socket.write(&self.bytes[self.written..]) {
                Ok(0) => return false,
                Ok(count) => self.written += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
            }
        }
        !self.ends
    }
}

/// What the camera looks at.
enum Before {
    /// A scene, which is drawn once and sent for ever.
    Scene(Scene),
    /// Frames of another camera, each sent once: the newest one that has not been.
    Relayed(Option<RawFrame>),
}

struct Device {
    profile: CameraProfile,
    before: Before,
    path: PathBuf,
    listener: Option<UnixListener>,
    viewer: Option<Viewer>,
    fault: Option<CameraFault>,
    /// The scene as frames; empty when it was changed.
    frames: Vec<RawFrame>,
    /// Which of them is sent, and what decides about the next.
    at: usize,
    chance: u32,
}

impl Device {
    fn new(profile: CameraProfile, scene: Scene, path: PathBuf, listener: UnixListener) -> Device {
        let listener = Some(listener);
        Device {
            profile,
            before: Before::Scene(scene),
            path,
            listener,
            viewer: None,
            fault: None,
            frames: Vec::new(),
            at: 0,
            chance: 1,
        }
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        let period = Duration::from_secs(1) / self.profile.rate.clamp(1, 60);
        let mut due = Instant::now();
        loop {
            let waiting = self.viewer.as_ref().is_some_and(|viewer| !viewer.has_all());
            let until_due = due.saturating_duration_since(Instant::now());
            match inbox.recv_timeout(if waiting { until_due.min(TAKE_OVER) } else { until_due }) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= due {
                self.next_frame();
                due = (due + period).max(Instant::now());
            }
            if self.viewer.as_mut().is_some_and(|viewer| !viewer.write()) {
                self.viewer = None;
            }
        }
        let _ = std::fs::remove_file(&self.path);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Show(scene, frames) => {
                self.before = Before::Scene(*scene);
                self.frames = frames;
            }
            Order::Relay(frame) => {
                self.before = Before::Relayed(Some(frame));
                self.frames.clear();
            }
            Order::Fault(fault) => self.fault = fault,
            Order::Settled(done) => {
                self.draw();
                let _ = done.send(());
            }
            Order::Plugged(true, done) => {
                let made = listen(&self.path).map(|listener| self.listener = Some(listener));
                let _ = done.send(made);
            }
            Order::Plugged(false, done) => {
                (self.listener, self.viewer) = (None, None);
                let _ = std::fs::remove_file(&self.path);
                let _ = done.send(Ok(()));
            }
        }
    }

    /// Puts the next frame on its way to whoever is connected; the last one who came is served. Who has not taken
    /// the last frame over misses this one, as with a camera.
    fn next_frame(&mut self) {
        while let Some((socket, _)) = self.listener.as_ref().and_then(|listener| listener.accept().ok()) {
            let ready = socket.set_nonblocking(true).is_ok();
            self.viewer = ready.then_some(Viewer { socket, bytes: Vec::new(), written: 0, ends: false });
        }
        let waits = self.viewer.as_ref().is_some_and(Viewer::has_all);
        if !waits || self.fault == Some(CameraFault::Silent) {
            return;
        }
        let Some((bytes, ends)) = self.next_bytes() else { return };
        if let Some(viewer) = &mut self.viewer {
            (viewer.bytes, viewer.written, viewer.ends) = (bytes, 0, ends);
        }
    }

    /// Draws the scene, unless it is drawn.
    fn draw(&mut self) {
        if let Before::Scene(scene) = &self.before
            && self.frames.is_empty()
        {
            self.frames = frames_of(scene, self.profile);
        }
    }

    /// The bytes of the next frame, and whether the connection ends with them.
    fn next_bytes(&mut self) -> Option<(Vec<u8>, bool)> {
        if let Before::Relayed(frame) = &mut self.before {
            return frame.take().map(|frame| on_the_wire(&frame, self.fault));
        }
        self.draw();
        if self.fault != Some(CameraFault::Stuck) {
            // Another one each time, and no rhythm: who takes every fifth frame shall not see the same for ever.
            self.chance = self.chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let others = self.frames.len() - 1;
            self.at = (self.at + 1 + (self.chance >> 16) as usize % others) % self.frames.len();
        }
        self.frames.get(self.at).map(|frame| on_the_wire(frame, self.fault))
    }
}

/// The frames of a scene: the same with other noise, and with the sheet elsewhere when it moves.
fn frames_of(scene: &Scene, profile: CameraProfile) -> Vec<RawFrame> {
    let still = (scene.moves == 0.0).then(|| draw(scene, 0.0));
    let frames = 0..FRAMES;
    frames
        .map(|number| {
            let clean = match &still {
                Some(still) => still.clone(),
                None => draw(scene, scene.moves * number as f32),
            };
            frame_of(&noisy(&clean, scene.noise, number + 1), profile)
        })
        .collect()
}

/// The picture as this camera sends it.
pub(super) fn frame_of(picture: &super::super::Picture, profile: CameraProfile) -> RawFrame {
    let (width, height) = (picture.width(), picture.height());
    let bytes = match profile.format {
        FrameFormat::Yuyv => Zeroizing::new(yuyv::encode(picture)),
        FrameFormat::Mjpg => {
            let mut jpeg = keep::encode(picture, QUALITY).map(|kept| kept.jpeg).unwrap_or_default();
            if !profile.tables {
                without_tables(&mut jpeg);
            }
            jpeg.extend(std::iter::repeat_n(0, profile.padding));
            jpeg
        }
    };
    RawFrame { format: profile.format, width, height, bytes }
}

/// Takes the Huffman tables out of a JPEG. They are those of T.81 Annex K, as every camera's are.
fn without_tables(jpeg: &mut Vec<u8>) {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) =
        jpeg.get(at..at + 4).and_then(|head| <&[u8; 4]>::try_from(head).ok())
    {
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        match marker {
            0xDA => break,
            0xC4 => drop(jpeg.drain(at..end)),
            _ => at = end,
        }
    }
}
