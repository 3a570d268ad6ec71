//! The child's side: confined, then answering one request after the other until the kiosk is gone.
//!
//! A child lives as long as a session. Both libraries keep memory of their own that nobody can wipe; the end of the
//! process does.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use zeroize::Zeroizing;

use crate::protocol::{Answer, LENGTH_BYTES, NoMessage, Request, VERSION, body_length};
use crate::{Composition, HandwritingEngine, InputEngine, InputError, Method, Rime, Script, Sources};

/// Address space for the dictionaries (30 MB mapped), the model (27 MB) and what is made of a composition.
const ADDRESS_SPACE_BYTES: u64 = 1024 * 1024 * 1024;
/// The watching thread does one system call.
const WATCHER_STACK: usize = 64 * 1024;
/// The kiosk is gone, or what it says makes no sense.
const EXIT_LINE: i32 = 3;

/// Takes from this process, for good, whatever could outlive it: files cannot be written (a write ends the process), and
/// no crash leaves its memory behind.
pub fn confine() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, limit) in [(Resource::Fsize, 0), (Resource::Core, 0), (Resource::As, ADDRESS_SPACE_BYTES)]
    {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

/// Ends this process when the kiosk has closed its end, although a library hangs.
pub fn end_with_kiosk() -> io::Result<()> {
    let requests: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    thread::Builder::new().name("kiosk-watcher".to_owned()).stack_size(WATCHER_STACK).spawn(move || {
        loop {
            // No event is asked for: a pipe tells of its hanging up without being asked.
            match poll(&mut [PollFd::new(&requests, PollFlags::empty())], None) {
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => std::process::exit(EXIT_LINE),
            }
        }
    })?;
    Ok(())
}

/// Answers requests until there are no more. An error means that the line broke or made no sense.
pub fn serve(sources: &Sources, mut requests: impl Read, mut answers: impl Write) -> io::Result<()> {
    let mut desk = Desk { sources, rime: None, engine: None };
    loop {
        let mut length = [0; LENGTH_BYTES];
        match requests.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let nonsense = |NoMessage| io::Error::from(io::ErrorKind::InvalidData);
        let mut body = Zeroizing::new(vec![0; body_length(length).map_err(nonsense)?]);
        requests.read_exact(&mut body)?;
        let request = Request::decode(&body).map_err(nonsense)?;
        let answer = desk.answer(&request).map_or(Answer::Refused, Answer::Composition);
        answers.write_all(&answer.encode())?;
        answers.flush()?;
    }
}

/// The way of typing that is in use. librime stays open when another is chosen: it can be opened once.
struct Desk<'a> {
    sources: &'a Sources,
    rime: Option<Rime>,
    engine: Option<Box<dyn InputEngine>>,
}

impl Desk<'_> {
    fn answer(&mut self, request: &Request) -> Result<Composition, InputError> {
        if let Request::Use { version, method, script } = request {
            self.engine = None;
            if *version != VERSION {
                return Err(InputError::Refused);
            }
            self.engine = Some(self.open(*method, *script)?);
            return Ok(Composition::empty());
        }
        let engine = self.engine.as_mut().ok_or(InputError::Refused)?;
        match request {
            Request::Use { .. } => Err(InputError::Refused),
            Request::Enter(mark) => engine.enter(mark),
            Request::Choose(index) => engine.choose(usize::from(*index)),
            Request::TakeBack => engine.take_back(),
            Request::Clear => engine.clear().map(|()| Composition::empty()),
        }
    }

    fn open(&mut self, method: Method, script: Script) -> Result<Box<dyn InputEngine>, InputError> {
        if method == Method::Handwriting {
            return Ok(Box::new(HandwritingEngine::open(self.sources)?));
        }
        let rime = match self.rime.take() {
            Some(rime) => rime,
            None => Rime::open(self.sources)?,
        };
        let engine = rime.engine(method, script);
        self.rime = Some(rime);
        Ok(Box::new(engine?))
    }
}
