//! A camera behind a Unix socket, as the simulator offers one; [`super::super::protocol::stream`] is its language.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::super::protocol::FrameStream;
use super::super::{CameraError, FrameSource, RawFrame};

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// A camera that is connected at its first use.
pub struct SocketCamera {
    path: PathBuf,
    open: Option<(UnixStream, FrameStream)>,
}

impl SocketCamera {
    /// A camera at this path; it may come to be there later.
    pub fn new(path: impl AsRef<Path>) -> SocketCamera {
        SocketCamera { path: path.as_ref().to_path_buf(), open: None }
    }

    /// The newest of the frames that have come by `deadline`.
    fn newest(&mut self, deadline: Instant) -> io::Result<Option<RawFrame>> {
        if self.open.is_none() {
            self.open = Some((UnixStream::connect(&self.path)?, FrameStream::new()));
        }
        let Some((socket, stream)) = &mut self.open else { return Ok(None) };
        let mut buffer = Zeroizing::new(vec![0; READ_BYTES]);
        let mut newest = None;
        loop {
            while let Some(frame) = stream.next_frame() {
                newest = Some(frame);
            }
            // Once there is a frame, only what has already come is still taken.
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(newest);
            }
            let done = newest.is_some() && !stream.is_mid_frame();
            socket.set_nonblocking(done)?;
            socket.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            match socket.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => stream.push(&buffer[..count]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(newest);
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl FrameSource for SocketCamera {
    fn next_frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        match self.newest(deadline) {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => Err(CameraError::NoFrame { in_a_row: 1 }),
            Err(error) => {
                tracing::debug!(camera = %self.path.display(), %error, "the camera's socket failed");
                self.close();
                Err(CameraError::Gone)
            }
        }
    }

    fn close(&mut self) {
        self.open = None;
    }
}
