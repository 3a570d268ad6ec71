//! A camera behind a Unix socket, as the simulator offers one; [`super::super::protocol::stream`] is its language.

use std::path::Path;
use std::time::Instant;

use zeroize::Zeroizing;

use super::super::protocol::FrameStream;
use super::super::{CameraError, FrameSource, RawFrame};
use crate::descriptor_line::DescriptorLine;
use crate::transport::{LineError, Transport};

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// A camera that is connected at its first use.
pub struct SocketCamera {
    line: Box<dyn Transport>,
    /// What came on the open connection.
    open: Option<FrameStream>,
}

impl SocketCamera {
    /// A camera at this path; it may come to be there later.
    pub fn new(path: impl AsRef<Path>) -> SocketCamera {
        SocketCamera::over(DescriptorLine::unix(path))
    }

    /// A camera behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static) -> SocketCamera {
        SocketCamera { line: Box::new(transport), open: None }
    }

    /// The newest of the frames that have come by `deadline`.
    fn newest(&mut self, deadline: Instant) -> Result<Option<RawFrame>, LineError> {
        if self.open.is_none() {
            self.line.ready()?;
        }
        let stream = self.open.get_or_insert_default();
        let mut buffer = Zeroizing::new(vec![0; READ_BYTES]);
        let mut newest = None;
        loop {
            while let Some(frame) = stream.next_frame() {
                newest = Some(frame);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(newest);
            }
            // Once there is a frame, only what has already come is still taken.
            let done = newest.is_some() && !stream.is_mid_frame();
            match self.line.read_some(&mut buffer, if done { now } else { deadline })? {
                0 => return Ok(newest),
                count => stream.push(&buffer[..count]),
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
                tracing::debug!(?error, "the camera's connection failed");
                self.close();
                Err(CameraError::Gone)
            }
        }
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.line.discard_output();
        }
    }
}
