//! One running `device-host`: started, asked with a deadline, ended for certain.
//!
//! Nothing here blocks longer than it was given. The process leads a group of its own, so that whatever the library
//! started ends with it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use zeroize::Zeroizing;

use super::protocol::{Frame, FrameDecoder, Misbehaviour, Request};

/// Bytes taken from the pipe at once: a pipe's usual size.
const CHUNK: usize = 64 * 1024;
/// How long a process that closed its end of the pipe may take to end. One that ends by itself does so at once.
const MUTE_GRACE: Duration = Duration::from_secs(1);
/// How long a killed process may take to end. Longer only when the kernel holds it inside a device's driver.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How a library's process was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It ended by itself with this code, in the middle of something or between calls.
    #[error("it ended with code {0}")]
    Exited(i32),
    /// It was ended by this signal: 11 (SIGSEGV) and 6 (SIGABRT) are crashes, 25 (SIGXFSZ) is a file that it may not
    /// write.
    #[error("it crashed with signal {0}")]
    Crashed(i32),
    /// It did not answer in time.
    #[error("it hung")]
    Hung,
    /// It runs and has closed its end of the line.
    #[error("it closed its end of the line")]
    Mute,
    /// It said something that is no answer to what was asked.
    #[error("it said something that is no answer")]
    Garbled,
    /// It did what a library must not.
    #[error("it misbehaved: {0}")]
    Misbehaved(Misbehaviour),
}

impl Loss {
    fn of(status: ExitStatus) -> Loss {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Loss::Crashed(signal),
            (None, Some(code)) => Loss::Exited(code),
            // A process that has ended has one of the two.
            (None, None) => Loss::Mute,
        }
    }
}

/// A running host. Dropping it kills it.
pub(super) struct HostProcess {
    child: Child,
    /// Becomes readable when the process ends.
    end: OwnedFd,
    requests: ChildStdin,
    answers: ChildStdout,
    decoder: FrameDecoder,
    ticket: u32,
    reaped: bool,
}

impl HostProcess {
    /// Starts `program` for a library, with an empty environment and nowhere to write errors to: a library's
    /// complaints may quote what it was given.
    pub(super) fn spawn(program: &Path, library: &Path) -> io::Result<HostProcess> {
        let mut child = Command::new(std::path::absolute(program)?)
            .arg(std::path::absolute(library)?)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        match open_line(&mut child) {
            Ok((end, requests, answers)) => {
                let decoder = FrameDecoder::new();
                Ok(HostProcess { child, end, requests, answers, decoder, ticket: 0, reaped: false })
            }
            Err(error) => {
                // It has loaded nothing yet and ends at once.
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Asks and waits for the answer until `until`. After an error the process is of no more use.
    pub(super) fn ask(&mut self, request: &Request<'_>, until: Instant) -> Result<Frame, Loss> {
        self.ticket = self.ticket.wrapping_add(1);
        self.send(&request.encode(self.ticket), until)?;
        let frame = self.receive(until)?;
        // A library that forks answers twice: the second answer belongs to the resident before.
        if frame.ticket() == self.ticket { Ok(frame) } else { Err(Loss::Garbled) }
    }

    fn send(&mut self, bytes: &[u8], until: Instant) -> Result<(), Loss> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(&self.requests, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !wait(&self.requests, PollFlags::OUT, &self.end, until)? {
                        return Err(self.why_it_ended());
                    }
                }
                Err(_) => return Err(self.why_it_ended()),
            }
        }
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Frame, Loss> {
        let mut chunk = Zeroizing::new(vec![0u8; CHUNK]);
        loop {
            if let Some(frame) = self.decoder.next_frame() {
                return frame.map_err(|_| Loss::Garbled);
            }
            match rustix::io::read(&self.answers, chunk.as_mut_slice()) {
                Ok(0) => return Err(self.why_it_ended()),
                Ok(count) => self.decoder.push(&chunk[..count]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !wait(&self.answers, PollFlags::IN, &self.end, until)? {
                        return Err(self.why_it_ended());
                    }
                }
                Err(_) => return Err(self.why_it_ended()),
            }
        }
    }

    /// Looks, without waiting, whether it has ended since it was last used.
    pub(super) fn has_ended(&mut self) -> Option<Loss> {
        self.ends_within(Duration::ZERO).then(|| self.why_it_ended())
    }

    /// Lets the library close and the process end by itself, for as long as `grace`; then drops it.
    pub(super) fn stop(mut self, grace: Duration) {
        let until = Instant::now() + grace;
        if self.send(&Request::Stop.encode(0), until).is_ok() {
            self.ends_within(grace);
        }
    }

    /// Kills it. What comes back could not be ended within [`KILL_GRACE`]: another one must not be started beside it.
    pub(super) fn kill(mut self) -> Option<HostProcess> {
        self.end_now();
        (!self.reaped).then_some(self)
    }

    fn end_now(&mut self) {
        if !self.reaped {
            self.kill_group();
            if self.ends_within(KILL_GRACE) {
                self.reap();
            }
        }
    }

    fn why_it_ended(&mut self) -> Loss {
        if !self.ends_within(MUTE_GRACE) {
            return Loss::Mute;
        }
        // The group goes first: once its leader is reaped, its number may be another's.
        self.kill_group();
        self.reap().map_or(Loss::Mute, Loss::of)
    }

    fn reap(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        self.reaped = status.is_some();
        status
    }

    fn kill_group(&self) {
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            // Fails only when nobody is left in it.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }

    fn ends_within(&self, time: Duration) -> bool {
        self.reaped || wait(&self.end, PollFlags::IN, &self.end, Instant::now() + time).is_ok()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// The descriptor that tells of the end, and both pipes, which never block.
fn open_line(child: &mut Child) -> io::Result<(OwnedFd, ChildStdin, ChildStdout)> {
    let pid = Pid::from_raw(child.id() as i32).ok_or(io::ErrorKind::NotFound)?;
    let end = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    let requests = child.stdin.take().expect("standard input was asked for");
    let answers = child.stdout.take().expect("standard output was asked for");
    for pipe in [requests.as_fd(), answers.as_fd()] {
        let flags = rustix::fs::fcntl_getfl(pipe)?;
        rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?;
    }
    Ok((end, requests, answers))
}

/// Waits until `pipe` is ready (true), the process has ended and the pipe is not ready (false), or `until` has passed.
/// What a process said before its end is therefore heard, and a grandchild that holds the pipe open hides no end.
fn wait(pipe: &impl AsFd, for_what: PollFlags, end: &OwnedFd, until: Instant) -> Result<bool, Loss> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut fds = [PollFd::new(pipe, for_what), PollFd::new(end, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return Err(Loss::Hung),
            Ok(_) => return Ok(!fds[0].revents().is_empty()),
            Err(_) if left.is_zero() => return Err(Loss::Hung),
            // Interrupted: what is left of the time is waited for again.
            Err(_) => {}
        }
    }
}
