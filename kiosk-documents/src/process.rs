//! One `render-document`: started for one document, given a deadline, gone afterwards.
//!
//! The content goes through a pipe and nothing touches the disk; what the child writes on its error output is thrown
//! away, because a panic may quote its input.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::DocumentError;

/// Room for an answer, so that it does not grow and leave copies behind: a long receipt's picture and its parts.
const USUAL_ANSWER: usize = 384 * 1024;

/// A request as bytes, wiped when nobody needs it any more.
pub(crate) type Request = Arc<Zeroizing<Vec<u8>>>;

/// A child that cannot outlive its use.
pub(crate) struct Process(Child);

impl Process {
    /// Starts the program.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Result<Process, DocumentError> {
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        child.map(Process).map_err(|error| DocumentError::Process(error.kind()))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Hands the request over and waits for the answer, of which no more than `at_most` bytes and one are read: until it is there, the child has failed, or the time is over. The
    /// child is gone in every case.
    pub(crate) fn run(
        mut self,
        request: Request,
        at_most: usize,
        within: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
        let until = Instant::now() + within;
        let mut to_child = self.0.stdin.take().expect("standard input was asked for");
        let from_child = self.0.stdout.take().expect("standard output was asked for");

        // Both pipes have a thread, so that neither a child that does not read nor one that does not write
        // can hold this one beyond the deadline; killing the child ends both.
        thread::spawn(move || {
            // A child that died early is noticed by its status.
            let _ = to_child.write_all(&request);
        });
        let (send, receive) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut file = Zeroizing::new(Vec::with_capacity(USUAL_ANSWER));
            let read = from_child.take(at_most as u64 + 1).read_to_end(&mut file);
            // Nobody listens any more after the deadline.
            let _ = send.send(read.map(|_| file));
        });

        let file = match receive.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Ok(file)) => file,
            Ok(Err(error)) => return Err(DocumentError::Process(error.kind())),
            Err(_) => return Err(DocumentError::TimedOut(within)),
        };
        match self.wait_until(until) {
            Some(status) if status.success() => Ok(file),
            Some(status) => Err(DocumentError::Failed(status.code())),
            None => Err(DocumentError::TimedOut(within)),
        }
    }

    /// Waits for the end of a child that has closed its output. `Child` offers no wait with a deadline, so
    /// this asks in small steps.
    fn wait_until(&mut self, until: Instant) -> Option<ExitStatus> {
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
                Ok(None) => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has already ended; then `wait` returns at once.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
