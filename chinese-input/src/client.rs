//! The kiosk's side: a child process for each session, asked with a deadline.
//!
//! A child that dies, hangs or talks nonsense costs what was being typed: the call says so, and the next call starts
//! another. Blocking, one call at a time: for a thread of its own, not for the screen's.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use crate::protocol::{Answer, LENGTH_BYTES, Request, VERSION, body_length};
use crate::{Composition, InputEngine, InputError, Loss, Mark, Method, Script, Sources};

/// Which program, over which data, and how long it may take.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The program `chinese-input` of the same release.
    pub program: PathBuf,
    /// What it reads.
    pub sources: Sources,
    /// How long a child may take to start and open a way of typing.
    pub start_within: Duration,
    /// How long an answer may take.
    pub answer_within: Duration,
}

impl ClientConfig {
    /// 5 s to start, 2 s to answer: far beyond what is usual, and short enough to be waited for.
    pub fn new(program: impl Into<PathBuf>, sources: Sources) -> ClientConfig {
        ClientConfig {
            program: program.into(),
            sources,
            start_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(2),
        }
    }
}

/// A way of typing in a child process, started when it is first needed.
pub struct InputClient {
    config: ClientConfig,
    method: Method,
    script: Script,
    child: Option<Running>,
    losses_in_a_row: u32,
}

impl InputClient {
    /// A client for this way of typing. Nothing is started yet.
    pub fn new(config: ClientConfig, method: Method, script: Script) -> InputClient {
        InputClient { config, method, script, child: None, losses_in_a_row: 0 }
    }

    /// Starts the child ahead of the first key.
    pub fn start(&mut self) -> Result<(), InputError> {
        self.running().map(|_| ())
    }

    /// Another way of typing from now on; what was typed and is not final is dropped.
    pub fn switch(&mut self, method: Method, script: Script) -> Result<(), InputError> {
        (self.method, self.script) = (method, script);
        if self.child.is_none() {
            return Ok(());
        }
        let request = self.use_request();
        self.asked(&request, self.config.start_within).map(|_| ())
    }

    /// The child's process, while there is one: for whoever watches what a terminal runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(|running| running.child.id())
    }

    fn use_request(&self) -> Request {
        Request::Use { version: VERSION, method: self.method, script: self.script }
    }

    /// The child, started when there is none.
    fn running(&mut self) -> Result<&mut Running, InputError> {
        if self.child.is_none() {
            self.child = Some(Running::spawn(&self.config).map_err(InputError::NotStarted)?);
            let request = self.use_request();
            self.asked(&request, self.config.start_within)?;
        }
        Ok(self.child.as_mut().expect("it was started or kept above"))
    }

    fn ask(&mut self, request: &Request) -> Result<Composition, InputError> {
        self.running()?;
        let composition = self.asked(request, self.config.answer_within)?;
        // Opening alone does not end a row of losses: a child that starts and falls at each key is not well.
        self.losses_in_a_row = 0;
        Ok(composition)
    }

    /// Asks the child that runs; whatever goes wrong ends it.
    fn asked(&mut self, request: &Request, within: Duration) -> Result<Composition, InputError> {
        let answer = match &mut self.child {
            Some(running) => running.ask(request, within),
            None => return Ok(Composition::empty()),
        };
        match answer {
            Ok(Answer::Composition(composition)) => Ok(composition),
            Ok(Answer::Refused) => {
                self.child = None;
                Err(InputError::Refused)
            }
            Err(how) => {
                self.child = None;
                self.losses_in_a_row = self.losses_in_a_row.saturating_add(1);
                Err(InputError::Lost { how, in_a_row: self.losses_in_a_row })
            }
        }
    }
}

impl InputEngine for InputClient {
    fn enter(&mut self, mark: &Mark) -> Result<Composition, InputError> {
        self.ask(&Request::Enter(mark.clone()))
    }

    fn choose(&mut self, index: usize) -> Result<Composition, InputError> {
        // A number that does not fit is beyond every list, as is the largest.
        self.ask(&Request::Choose(u16::try_from(index).unwrap_or(u16::MAX)))
    }

    fn take_back(&mut self) -> Result<Composition, InputError> {
        self.ask(&Request::TakeBack)
    }

    fn clear(&mut self) -> Result<(), InputError> {
        // Without a child there is nothing to drop.
        if self.child.is_some() { self.ask(&Request::Clear).map(|_| ()) } else { Ok(()) }
    }

    /// Ends the child: its memory goes with it.
    fn forget(&mut self) -> Result<(), InputError> {
        self.child = None;
        self.losses_in_a_row = 0;
        Ok(())
    }
}

/// A running child. Dropping it kills it and waits for its end.
struct Running {
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
}

impl Running {
    fn spawn(config: &ClientConfig) -> io::Result<Running> {
        let sources = &config.sources;
        let mut child = Command::new(std::path::absolute(&config.program)?)
            .arg("serve")
            .arg(std::path::absolute(&sources.deployed)?)
            .arg(std::path::absolute(&sources.rime_data)?)
            .arg(std::path::absolute(&sources.model)?)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A library's complaint may quote what was typed.
            .stderr(Stdio::null())
            .spawn()?;
        let requests = child.stdin.take().expect("standard input was asked for");
        let answers = child.stdout.take().expect("standard output was asked for");
        Ok(Running { child, requests, answers })
    }

    fn ask(&mut self, request: &Request, within: Duration) -> Result<Answer, Loss> {
        let until = Instant::now() + within;
        // Cannot wait: the pipe is empty, and a request is smaller than what it takes at once.
        if self.requests.write_all(&request.encode()).is_err() {
            return Err(self.why_it_ended());
        }
        let mut length = [0; LENGTH_BYTES];
        self.read(&mut length, until)?;
        let mut body = Zeroizing::new(vec![0; body_length(length).map_err(|_| Loss::Garbled)?]);
        self.read(&mut body, until)?;
        Answer::decode(&body).map_err(|_| Loss::Garbled)
    }

    fn read(&mut self, mut room: &mut [u8], until: Instant) -> Result<(), Loss> {
        while !room.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let ready = poll(&mut [PollFd::new(&self.answers, PollFlags::IN)], Some(&timeout));
            match ready {
                Ok(0) => return Err(Loss::Hung),
                Err(_) if left.is_zero() => return Err(Loss::Hung),
                // Interrupted: what is left of the time is waited for again.
                Err(_) => continue,
                Ok(_) => {}
            }
            match self.answers.read(room) {
                Ok(0) => return Err(self.why_it_ended()),
                Ok(count) => room = &mut room[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.why_it_ended()),
            }
        }
        Ok(())
    }

    /// Its end of a pipe is closed: it has ended, or is ended now.
    fn why_it_ended(&mut self) -> Loss {
        let ended = self.ended();
        let Some(status) = ended else { return Loss::Garbled };
        match (status.signal(), status.code()) {
            (Some(signal), _) => Loss::Crashed(signal),
            (None, code) => Loss::Exited(code.unwrap_or_default()),
        }
    }

    /// Waits for the end of a process that has closed a pipe. One that did so by ending is gone at once; one that goes on
    /// without its pipe is killed, and `None`.
    fn ended(&mut self) -> Option<std::process::ExitStatus> {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32)?;
        let end = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&second));
        if ended == Ok(1) { self.child.try_wait().ok().flatten() } else { None }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
