//! Rendering in a process of its own: started for one document, given a deadline, gone afterwards.
//!
//! The content goes through a pipe and is wiped here when it has been written; nothing touches the disk,
//! and what the child writes on its error output is thrown away, because a panic may quote its input.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::{Bitmap, DocumentError, Receipt, bitmap};

/// A receipt takes a fraction of a second; a machine that swaps may need several.
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs `render-document`.
#[derive(Debug, Clone)]
pub struct Renderer {
    program: PathBuf,
    deadline: Duration,
}

impl Renderer {
    /// A renderer that runs this program.
    pub fn new(program: PathBuf) -> Renderer {
        Renderer { program, deadline: DEADLINE }
    }

    /// The same with another deadline.
    pub fn with_deadline(self, deadline: Duration) -> Renderer {
        Renderer { deadline, ..self }
    }

    /// Renders a receipt. Blocks until it is there, the child has failed, or the deadline has passed; the
    /// child is gone in every case.
    pub fn render(&self, receipt: &Receipt) -> Result<Bitmap, DocumentError> {
        #[derive(Serialize)]
        struct Request<'a> {
            receipt: &'a Receipt,
        }
        receipt.check()?;
        let request = serde_json::to_vec(&Request { receipt }).map_err(|_| DocumentError::NotABitmap)?;
        let file = self.run(Zeroizing::new(request))?;
        Bitmap::from_pbm(&file)
    }

    /// Gives one request to a child of its own, and takes what it writes, as far as a document may be long.
    pub(crate) fn run(&self, request: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
        let until = Instant::now() + self.deadline;
        let mut child = Command::new(&self.program)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .map_err(|error| DocumentError::Process(error.kind()))?;
        let mut to_child = child.0.stdin.take().expect("standard input was asked for");
        let from_child = child.0.stdout.take().expect("standard output was asked for");

        // Both pipes have a thread, so that neither a child that does not read nor one that does not write
        // can hold this one beyond the deadline; killing the child ends both.
        thread::spawn(move || {
            // A child that died early is noticed by its status.
            let _ = to_child.write_all(&request);
        });
        let (send, receive) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut file = Zeroizing::new(Vec::with_capacity(64 * 1024));
            let read = from_child.take(bitmap::MAX_PBM_BYTES as u64 + 1).read_to_end(&mut file);
            // Nobody listens any more after the deadline.
            let _ = send.send(read.map(|_| file));
        });

        let file = match receive.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Ok(file)) => file,
            Ok(Err(error)) => return Err(DocumentError::Process(error.kind())),
            Err(_) => return Err(DocumentError::TimedOut(self.deadline)),
        };
        match child.wait_until(until) {
            Some(status) if status.success() => Ok(file),
            Some(status) => Err(DocumentError::Failed(status.code())),
            None => Err(DocumentError::TimedOut(self.deadline)),
        }
    }
}

/// A child that cannot outlive its use.
struct Running(Child);

impl Running {
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

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has already ended; then `wait` returns at once.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
