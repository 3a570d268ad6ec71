//! The bench's end of the screen link: it sees every patch the moment it arrives, and nothing draws in between.

use anyhow::{Context, Result, bail};
use simulator::screen::{Element, Elements, FromKiosk, PatchArea, ToKiosk, TouchPhase};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use super::site::PATIENCE;

/// The screen has settled when nothing changed for so long.
pub const QUIET: Duration = Duration::from_millis(150);

/// A socket that waits for a kiosk.
pub struct Screen {
    listener: UnixListener,
    path: PathBuf,
    _folder: TempDir,
}

impl Screen {
    /// Listens; the path of a socket must be short, so it has a folder of its own.
    pub fn listen() -> Result<Screen> {
        let folder = TempDir::with_prefix("bench-")?;
        let path = folder.path().join("screen.sock");
        Ok(Screen { listener: UnixListener::bind(&path)?, path, _folder: folder })
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the kiosk's connection.
    pub fn accept(&self) -> Result<Link> {
        self.listener.set_nonblocking(true)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(Link { stream });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if Instant::now() > deadline {
                bail!("kiosk-app did not connect to its screen");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A connected kiosk.
pub struct Link {
    stream: UnixStream,
}

impl Link {
    /// The next message, or nothing when none begins in that time.
    fn next(&mut self, within: Duration) -> Result<Option<FromKiosk>> {
        self.stream.set_read_timeout(Some(within.max(Duration::from_micros(1))))?;
        let mut head = [0; 5];
        match self.stream.read(&mut head[..1]) {
            Ok(0) => bail!("kiosk-app closed its screen"),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.read_exact(&mut head[1..])?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let mut payload = vec![0; length.checked_sub(1).context("a message without a kind")?];
        self.stream.read_exact(&mut payload)?;
        Ok(Some(FromKiosk::read(head[4], payload)?))
    }

    fn next_patch(&mut self, within: Duration) -> Result<Option<PatchArea>> {
        let deadline = Instant::now() + within;
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now()))? {
                Some(FromKiosk::Patch(patch)) => return Ok(Some(PatchArea::read(&patch)?.0)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Waits for the end of the first frame and says when it came.
    pub fn first_frame(&mut self) -> Result<Instant> {
        loop {
            let patch = self.next_patch(PATIENCE)?.context("kiosk-app draws nothing")?;
            if patch.last {
                return Ok(Instant::now());
            }
        }
    }

    /// Waits until nothing changes any more; says when the last change came, if there was one.
    pub fn settle(&mut self) -> Result<Option<Instant>> {
        let mut last = None;
        while self.next_patch(QUIET)?.is_some() {
            last = Some(Instant::now());
        }
        Ok(last)
    }

    /// Waits for a change at this place and says when it came.
    pub fn change_at(&mut self, x: f32, y: f32) -> Result<Instant> {
        loop {
            let patch = self.next_patch(PATIENCE)?.context("nothing changes where the finger is")?;
            let within =
                |at: f32, from: u16, size: u16| (0.0..f32::from(size)).contains(&(at - f32::from(from)));
            if within(x, patch.x, patch.w) && within(y, patch.y, patch.h) {
                return Ok(Instant::now());
            }
        }
    }

    /// One step of a touch; says when it left.
    pub fn touch(&mut self, phase: TouchPhase, x: f32, y: f32) -> Result<Instant> {
        let bytes = ToKiosk::Touch { phase, x, y }.to_bytes();
        let sent = Instant::now();
        self.stream.write_all(&bytes)?;
        Ok(sent)
    }

    /// What is on the screen.
    pub fn elements(&mut self) -> Result<Elements> {
        self.stream.write_all(&ToKiosk::ElementsWanted.to_bytes())?;
        loop {
            if let FromKiosk::Elements(elements) =
                self.next(PATIENCE)?.context("kiosk-app does not answer")?
            {
                return Ok(elements);
            }
        }
    }

    /// The thing to touch with this label; the screen must be this one.
    pub fn find(&mut self, screen: &str, label: &str) -> Result<Element> {
        let shown = self.elements()?;
        if shown.screen != screen {
            bail!("the screen is {:?}, not {screen:?}", shown.screen);
        }
        let found = shown.elements.into_iter().find(|element| element.label == label && element.enabled);
        found.with_context(|| format!("nothing on {screen:?} is called {label:?}"))
    }
}

/// The middle of an element.
pub fn middle(element: &Element) -> (f32, f32) {
    (element.x + element.w / 2.0, element.y + element.h / 2.0)
}
