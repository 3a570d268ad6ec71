//! The kiosk's screen, as the simulator sees it: a Unix socket on which `kiosk-app` connects, the picture its
//! patches build, and the touches that go back.

mod canvas;
mod frames;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{sleep, timeout};

pub use canvas::Canvas;
pub use frames::{Element, Elements, FrameError, FromKiosk, Hello, PatchArea, ToKiosk, TouchPhase, frame};

/// Patches a browser may lag behind before it gets the whole picture instead.
const BROADCAST_DEPTH: usize = 256;
/// Frames to the kiosk that may wait.
const OUTWARD_DEPTH: usize = 256;
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// How long the kiosk may take to say what is on its screen.
const ELEMENTS_PATIENCE: Duration = Duration::from_secs(3);
/// How long a finger stays down.
const PRESS: Duration = Duration::from_millis(60);

/// What the page is told about the screen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScreenStatus {
    /// Whether the kiosk is connected.
    pub connected: bool,
    /// Pixels across, 0 before the first connection.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Size of a pixel.
    pub mm_per_px: f32,
    /// Complete frames on this connection.
    pub frames: u64,
}

/// News for the browsers.
#[derive(Debug, Clone)]
pub enum ScreenNews {
    /// The kiosk connected or went away.
    Connection,
    /// A patch, header and pixels.
    Patch(Bytes),
}

/// Why the screen could not be asked.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum ScreenError {
    /// No kiosk-app is connected.
    #[error("the kiosk has no screen connected at the moment")]
    NotConnected,
    /// It did not answer in time.
    #[error("the kiosk did not answer within {} s", ELEMENTS_PATIENCE.as_secs())]
    Silent,
    /// It is not taking input.
    #[error("the kiosk takes no input at the moment")]
    Full,
}

struct Link {
    outward: mpsc::Sender<ToKiosk>,
    /// Requests sent and the newest answer: answers come in the order of the requests.
    asked: u64,
    answers: watch::Sender<(u64, Option<Elements>)>,
    number: u64,
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    canvas: Option<Canvas>,
    connections: u64,
}

/// The screen link. Cloning gives another handle to the same screen.
#[derive(Clone)]
pub struct Screen {
    state: Arc<Mutex<State>>,
    news: broadcast::Sender<ScreenNews>,
    path: PathBuf,
}

impl Screen {
    /// Listens at `path`; an old socket there is replaced.
    pub fn listen(path: &Path) -> std::io::Result<Self> {
        if let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = UnixListener::bind(path)?;
        let (news, _) = broadcast::channel(BROADCAST_DEPTH);
        let screen = Self { state: Arc::default(), news, path: path.to_owned() };
        let accepting = screen.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let screen = accepting.clone();
                        tokio::spawn(async move { screen.serve(stream).await });
                    }
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Ok(screen)
    }

    /// Where the kiosk connects.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while holding the screen")
    }

    /// The present state in numbers.
    pub fn status(&self) -> ScreenStatus {
        let state = self.lock();
        let panel = state.canvas.as_ref().map(|canvas| canvas.panel);
        ScreenStatus {
            connected: state.link.is_some(),
            width: panel.map_or(0, |panel| panel.width),
            height: panel.map_or(0, |panel| panel.height),
            mm_per_px: panel.map_or(0.0, |panel| panel.mm_per_px),
            frames: state.canvas.as_ref().map_or(0, |canvas| canvas.frames),
        }
    }

    /// News from now on, and the picture up to now as patches: together they leave nothing out.
    pub fn watch(&self) -> (Vec<Vec<u8>>, broadcast::Receiver<ScreenNews>) {
        let state = self.lock();
        let picture = state.canvas.as_ref().map(Canvas::as_patches).unwrap_or_default();
        (picture, self.news.subscribe())
    }

    /// A copy of the picture, if any kiosk has drawn one.
    pub fn picture(&self) -> Option<Canvas> {
        self.lock().canvas.clone()
    }

    fn send(&self, message: ToKiosk) -> Result<(), ScreenError> {
        let state = self.lock();
        let link = state.link.as_ref().ok_or(ScreenError::NotConnected)?;
        link.outward.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ScreenError::Full,
            mpsc::error::TrySendError::Closed(_) => ScreenError::NotConnected,
        })
    }

    /// One step of a touch.
    pub fn touch(&self, phase: TouchPhase, x: f32, y: f32) -> Result<(), ScreenError> {
        self.send(ToKiosk::Touch { phase, x, y })
    }

    /// A finger comes down and leaves 60 ms later at the same place.
    pub async fn tap(&self, x: f32, y: f32) -> Result<(), ScreenError> {
        self.touch(TouchPhase::Press, x, y)?;
        sleep(PRESS).await;
        self.touch(TouchPhase::Release, x, y)
    }

    /// Text from a keyboard.
    pub fn key(&self, text: String) -> Result<(), ScreenError> {
        self.send(ToKiosk::Key(text))
    }

    /// Asks the kiosk what is on its screen.
    pub async fn elements(&self) -> Result<Elements, ScreenError> {
        let (number, mut answers) = {
            let mut state = self.lock();
            let link = state.link.as_mut().ok_or(ScreenError::NotConnected)?;
            link.outward.try_send(ToKiosk::ElementsWanted).map_err(|_| ScreenError::Full)?;
            link.asked += 1;
            (link.asked, link.answers.subscribe())
        };
        let answer = timeout(ELEMENTS_PATIENCE, answers.wait_for(|(newest, _)| *newest >= number));
        match answer.await {
            Err(_) => Err(ScreenError::Silent),
            Ok(Err(_)) => Err(ScreenError::NotConnected),
            Ok(Ok(answer)) => answer.1.clone().ok_or(ScreenError::Silent),
        }
    }

    /// Serves one connection until it ends; a newer one takes its place.
    async fn serve(&self, stream: UnixStream) {
        let (mut reader, mut writer) = stream.into_split();
        let Ok(Ok(FromKiosk::Hello(hello))) = timeout(HELLO_PATIENCE, read_frame(&mut reader)).await else {
            return;
        };
        let Ok(canvas) = Canvas::new(hello) else { return };
        let (outward, mut to_write) = mpsc::channel::<ToKiosk>(OUTWARD_DEPTH);
        let number = self.connect(canvas, outward);
        let _ = self.news.send(ScreenNews::Connection);
        let write = async {
            while let Some(message) = to_write.recv().await {
                if writer.write_all(&message.to_bytes()).await.is_err() {
                    return;
                }
            }
        };
        let read = async {
            while let Ok(message) = read_frame(&mut reader).await {
                if self.take(number, message).is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = write => {}
            () = read => {}
        }
        let mut state = self.lock();
        if state.link.as_ref().is_some_and(|link| link.number == number) {
            state.link = None;
            let _ = self.news.send(ScreenNews::Connection);
        }
    }

    fn connect(&self, canvas: Canvas, outward: mpsc::Sender<ToKiosk>) -> u64 {
        let mut state = self.lock();
        state.connections += 1;
        let number = state.connections;
        state.link = Some(Link { outward, asked: 0, answers: watch::Sender::new((0, None)), number });
        state.canvas = Some(canvas);
        number
    }

    fn take(&self, number: u64, message: FromKiosk) -> Result<(), FrameError> {
        let mut state = self.lock();
        let State { link, canvas, .. } = &mut *state;
        let Some(link) = link.as_mut().filter(|link| link.number == number) else {
            return Err(FrameError::Hello);
        };
        match message {
            FromKiosk::Hello(_) => Err(FrameError::Hello),
            FromKiosk::Patch(patch) => {
                canvas.as_mut().ok_or(FrameError::Hello)?.apply(&patch)?;
                // Sent under the lock, so that `watch` never misses or repeats one.
                let _ = self.news.send(ScreenNews::Patch(patch.into()));
                Ok(())
            }
            FromKiosk::Elements(elements) => {
                link.answers.send_modify(|(newest, answer)| {
                    *newest += 1;
                    *answer = Some(elements);
                });
                Ok(())
            }
        }
    }
}

async fn read_frame(reader: &mut OwnedReadHalf) -> anyhow::Result<FromKiosk> {
    let length = reader.read_u32_le().await? as usize;
    if length == 0 || length > frames::FRAME_LIMIT {
        return Err(FrameError::Length(length).into());
    }
    let kind = reader.read_u8().await?;
    let mut payload = vec![0; length - 1];
    reader.read_exact(&mut payload).await?;
    Ok(FromKiosk::read(kind, payload)?)
}
