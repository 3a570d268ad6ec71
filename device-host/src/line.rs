//! The line to the kiosk, out of the library's way.
//!
//! Makers' libraries print to standard output, read standard input and close what they did not open. So the line moves
//! to descriptors that nobody counts on, above the limit that the library will live under: it can neither be given one
//! of them nor meet them in a loop over all it may have. Input and outputs are /dev/null from then on.

use std::fs::File;
use std::os::fd::{OwnedFd, RawFd};
use std::thread;

use device_drivers::vendor_library::protocol::{Answer, Frame, FrameDecoder, ProtocolError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::Signal;
use zeroize::{Zeroize, Zeroizing};

/// The line's descriptors are not below this one. Far above what a library may open, below what a process may by default.
const ABOVE: RawFd = 512;
/// Bytes taken from the pipe at once: a pipe's usual size.
const CHUNK: usize = 64 * 1024;
/// The watching thread does one system call.
const WATCHER_STACK: usize = 64 * 1024;

/// The kiosk is gone, or what it says makes no sense. Either way there is nobody to tell.
#[derive(Debug)]
pub struct LineError;

impl From<Errno> for LineError {
    fn from(_: Errno) -> LineError {
        LineError
    }
}

impl From<std::io::Error> for LineError {
    fn from(_: std::io::Error) -> LineError {
        LineError
    }
}

impl From<ProtocolError> for LineError {
    fn from(_: ProtocolError) -> LineError {
        LineError
    }
}

/// Requests in, answers out.
pub struct Line {
    requests: OwnedFd,
    answers: OwnedFd,
    decoder: FrameDecoder,
    chunk: Zeroizing<Vec<u8>>,
}

impl Line {
    /// Moves the line away from standard input and output, and watches it from now on.
    pub fn take_over() -> Result<Line, LineError> {
        let requests = fcntl_dupfd_cloexec(rustix::stdio::stdin(), ABOVE)?;
        let answers = fcntl_dupfd_cloexec(rustix::stdio::stdout(), ABOVE)?;
        let watched = fcntl_dupfd_cloexec(&requests, ABOVE)?;
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        rustix::stdio::dup2_stderr(&nothing)?;
        thread::Builder::new()
            .name("kiosk-watcher".to_owned())
            .stack_size(WATCHER_STACK)
            .spawn(move || end_with_kiosk(&watched))?;
        let chunk = Zeroizing::new(vec![0; CHUNK]);
        Ok(Line { requests, answers, decoder: FrameDecoder::new(), chunk })
    }

    /// The next request, whenever it comes.
    pub fn receive(&mut self) -> Result<Frame, LineError> {
        loop {
            if let Some(frame) = self.decoder.next_frame() {
                return Ok(frame?);
            }
            match rustix::io::read(&self.requests, self.chunk.as_mut_slice()) {
                Ok(0) => return Err(LineError),
                Ok(count) => {
                    self.decoder.push(&self.chunk[..count]);
                    self.chunk[..count].zeroize();
                }
                Err(Errno::INTR) => {}
                Err(_) => return Err(LineError),
            }
        }
    }

    /// Answers a request.
    pub fn answer(&mut self, ticket: u32, answer: &Answer<'_>) -> Result<(), LineError> {
        let frame = answer.encode(ticket);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match rustix::io::write(&self.answers, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(_) => return Err(LineError),
            }
        }
        Ok(())
    }
}

/// Ends this process and whatever the library started when the kiosk has closed its end: a library that hangs does not
/// notice by itself.
fn end_with_kiosk(requests: &OwnedFd) {
    loop {
        // No event is asked for: a pipe tells of its hanging up without being asked.
        let mut fds = [PollFd::new(requests, PollFlags::empty())];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => break,
        }
    }
    let _ = rustix::process::kill_current_process_group(Signal::KILL);
}
