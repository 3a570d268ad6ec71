//! A camera of Video4Linux (UVC and the like): MJPG first, YUYV if it has no MJPG.
//!
//! Nothing here has met a real camera yet: the kernel modules that imitate one cannot be loaded where the project is
//! built. What it hands on is decoded and judged by code that is tested on its own. Give it a path that stays
//! (`/dev/v4l/by-id/…-video-index0`): `/dev/videoN` changes its number, and a UVC camera has a second node without
//! pictures.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::super::{CameraError, FrameFormat, FrameSource, RawFrame};
use super::v4l2_calls::{self as calls, Mapped};
use crate::wire::timespec_until;

/// Buffers that the device may fill ahead; with fewer than three it stops while one is copied.
const BUFFERS: u32 = 4;

/// A camera that is opened at its first use.
pub struct V4l2Camera {
    path: PathBuf,
    width: u32,
    height: u32,
    open: Option<Streaming>,
}

struct Streaming {
    // Dropped in this order: the mappings go before the device.
    buffers: Vec<Mapped>,
    device: File,
    format: FrameFormat,
}

impl V4l2Camera {
    /// A camera at this path, in a size that it has.
    pub fn new(path: impl AsRef<Path>, width: u32, height: u32) -> V4l2Camera {
        V4l2Camera { path: path.as_ref().to_path_buf(), width, height, open: None }
    }

    fn start(&self) -> Result<Streaming, CameraError> {
        let gone = |error: io::Error| {
            tracing::debug!(camera = %self.path.display(), %error, "the camera cannot be used");
            CameraError::Gone
        };
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let device: OwnedFd =
            rustix::fs::open(&self.path, flags, Mode::empty()).map_err(|e| gone(e.into()))?;
        for format in [FrameFormat::Mjpg, FrameFormat::Yuyv] {
            // The driver answers with what it has instead of refusing, so the answer decides.
            let (four_cc, width, height) =
                calls::set_format(device.as_fd(), format.four_cc(), self.width, self.height).map_err(gone)?;
            if FrameFormat::from_four_cc(four_cc) == Some(format)
                && (width, height) == (self.width, self.height)
            {
                let buffers = calls::start(device.as_fd(), BUFFERS).map_err(gone)?;
                return Ok(Streaming { buffers, device: File::from(device), format });
            }
        }
        Err(CameraError::Refused)
    }

    fn newest(&self, streaming: &Streaming, deadline: Instant) -> io::Result<Option<RawFrame>> {
        let device = streaming.device.as_fd();
        let mut newest = None;
        loop {
            while let Some(filled) = calls::take(device)? {
                let buffer = streaming.buffers.get(filled.index as usize).filter(|_| !filled.damaged);
                if let Some(buffer) = buffer {
                    newest = Some(Zeroizing::new(buffer.copy(filled.bytes)));
                }
                calls::give_back(device, filled.index)?;
            }
            if newest.is_some() || Instant::now() >= deadline {
                let (format, width, height) = (streaming.format, self.width, self.height);
                return Ok(newest.map(|bytes| RawFrame { format, width, height, bytes }));
            }
            let mut fds = [PollFd::new(&device, PollFlags::IN)];
            match poll(&mut fds, Some(&timespec_until(deadline))) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            if fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
                return Err(io::ErrorKind::NotConnected.into());
            }
        }
    }
}

impl FrameSource for V4l2Camera {
    fn next_frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        let streaming = match self.open.take() {
            Some(streaming) => streaming,
            None => self.start()?,
        };
        match self.newest(&streaming, deadline) {
            Ok(frame) => {
                self.open = Some(streaming);
                frame.ok_or(CameraError::NoFrame { in_a_row: 1 })
            }
            Err(error) => {
                tracing::debug!(camera = %self.path.display(), %error, "the camera is gone");
                Err(CameraError::Gone)
            }
        }
    }

    fn close(&mut self) {
        self.open = None;
    }
}
