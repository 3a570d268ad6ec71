//! The simulator's page as a screen: frames and elements out, touches and text in, over a Unix socket.
//!
//! Frames on the socket: `u32` little-endian length of what follows, `u8` kind, payload.
//!
//! | kind | direction | payload |
//! |---|---|---|
//! | 1 | out | JSON `{"width","height","mm_per_px"}`, once after connecting |
//! | 2 | out | `u16` LE x, y, w, h · `u8` 1 = frame complete · w·h·4 bytes RGBA |
//! | 3 | out | JSON elements, the answer to 17 |
//! | 16 | in | JSON `{"phase":"press"\|"move"\|"release","x","y"}` |
//! | 17 | in | empty: tell the elements |
//! | 18 | in | JSON `{"text"}` |
//! | 19 | in | empty: send the whole screen |

use super::wake::Waker;
use super::{Frame, Input, PointerPhase, Presenter, Rect};
use serde::Deserialize;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HELLO: u8 = 1;
const PATCH: u8 = 2;
const ELEMENTS: u8 = 3;
const TOUCH: u8 = 16;
const ELEMENTS_WANTED: u8 = 17;
const KEY: u8 = 18;
const REFRESH: u8 = 19;

/// What comes in is small: a touch or a line of text.
const INCOMING_BYTES_MAX: usize = 64 * 1024;
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);
/// A page that does not take a frame for so long is treated as gone, so that it cannot stall the kiosk.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// Presents to the simulator.
pub struct LinkPresenter {
    socket: Arc<Mutex<Option<UnixStream>>>,
}

#[derive(Deserialize)]
struct Touch {
    phase: String,
    x: f32,
    y: f32,
}

#[derive(Deserialize)]
struct Key {
    text: String,
}

impl LinkPresenter {
    /// Connects in the background, and again whenever the simulator comes back.
    pub fn connect(path: PathBuf, hello: String, waker: Waker) -> io::Result<Self> {
        let socket = Arc::new(Mutex::new(None));
        let shared = socket.clone();
        std::thread::Builder::new().name("screen-link".into()).spawn(move || {
            loop {
                if let Ok(stream) = UnixStream::connect(&path)
                    && serve(stream, &hello, &shared, &waker).is_err()
                {
                    tracing::debug!("the screen link was cut");
                }
                if let Ok(mut socket) = shared.lock() {
                    *socket = None;
                }
                std::thread::sleep(RECONNECT_PAUSE);
            }
        })?;
        Ok(LinkPresenter { socket })
    }

    fn send(&self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        let Ok(mut socket) = self.socket.lock() else { return Err(io::ErrorKind::NotConnected.into()) };
        let Some(stream) = socket.as_mut() else { return Err(io::ErrorKind::NotConnected.into()) };
        let sent = write_message(stream, kind, parts);
        if sent.is_err() {
            *socket = None;
        }
        sent
    }
}

impl Presenter for LinkPresenter {
    fn present(&mut self, frame: &Frame, changed: &[Rect]) -> io::Result<()> {
        for (at, rect) in changed.iter().enumerate() {
            let complete = u8::from(at + 1 == changed.len());
            let mut head = [0; 9];
            for (slot, value) in [rect.x, rect.y, rect.width, rect.height].into_iter().enumerate() {
                head[slot * 2..slot * 2 + 2].copy_from_slice(&(value as u16).to_le_bytes());
            }
            head[8] = complete;
            let mut bytes = Vec::with_capacity((rect.width * rect.height * 4) as usize);
            for row in rect.y..rect.y + rect.height {
                let start = (row * frame.width + rect.x) as usize;
                bytes.extend_from_slice(bytemuck::cast_slice(
                    &frame.pixels[start..start + rect.width as usize],
                ));
            }
            self.send(PATCH, &[&head, &bytes])?;
        }
        Ok(())
    }

    fn tell_elements(&mut self, json: &str) -> io::Result<()> {
        self.send(ELEMENTS, &[json.as_bytes()])
    }
}

/// Greets, hands the stream to the presenter, and reads until the other side goes.
fn serve(
    mut stream: UnixStream,
    hello: &str,
    shared: &Mutex<Option<UnixStream>>,
    waker: &Waker,
) -> io::Result<()> {
    write_message(&mut stream, HELLO, &[hello.as_bytes()])?;
    let writer = stream.try_clone()?;
    writer.set_write_timeout(Some(WRITE_TIMEOUT))?;
    if let Ok(mut socket) = shared.lock() {
        *socket = Some(writer);
    }
    waker.input(Input::Refresh)?;
    loop {
        let (kind, payload) = read_message(&mut stream)?;
        if let Some(input) = input_of(kind, &payload) {
            waker.input(input)?;
        }
    }
}

/// What a message means; unknown or broken ones mean nothing.
fn input_of(kind: u8, payload: &[u8]) -> Option<Input> {
    match kind {
        TOUCH => {
            let touch: Touch = serde_json::from_slice(payload).ok()?;
            let phase = match touch.phase.as_str() {
                "press" => PointerPhase::Press,
                "move" => PointerPhase::Move,
                "release" => PointerPhase::Release,
                _ => return None,
            };
            Some(Input::Pointer { phase, x: touch.x, y: touch.y })
        }
        ELEMENTS_WANTED => Some(Input::ElementsWanted),
        KEY => serde_json::from_slice(payload).ok().map(|key: Key| Input::Text(key.text)),
        REFRESH => Some(Input::Refresh),
        _ => None,
    }
}

fn write_message(stream: &mut UnixStream, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let length = u32::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(&[kind])?;
    parts.iter().try_for_each(|part| stream.write_all(part))
}

fn read_message(stream: &mut UnixStream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length == 0 || length > INCOMING_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut payload = vec![0; length - 1];
    stream.read_exact(&mut payload)?;
    Ok((head[4], payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_messages_mean_nothing() {
        assert!(input_of(TOUCH, b"{}").is_none());
        assert!(input_of(TOUCH, br#"{"phase":"hover","x":1,"y":2}"#).is_none());
        assert!(input_of(99, b"").is_none());
        assert!(matches!(
            input_of(TOUCH, br#"{"phase":"press","x":1,"y":2}"#),
            Some(Input::Pointer { phase: PointerPhase::Press, .. })
        ));
    }
}
