//! The way bytes take to a TPM and back: one command, one answer, and an end to waiting for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::TpmError;
use super::wire::{HEADER, LONGEST};

/// Longest wait for an answer. Counting up takes a slow TPM some tenths of a second, a first self-test seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Whoever carries one command to a TPM and brings its answer.
pub trait Port {
    /// Both are whole, header included.
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>>;
}

/// A TPM behind a file: the kernel's character device (`/dev/tpmrm0`, which others may use at the same time), or the
/// Unix socket of a virtual TPM such as swtpm, which speaks the same bytes.
pub struct Device {
    file: File,
}

impl Device {
    /// Opens it. Anything else than a character device or a socket is refused before a byte is written to it.
    pub fn open(path: &Path) -> Result<Self, TpmError> {
        let open = || -> io::Result<File> {
            let kind = std::fs::metadata(path)?.file_type();
            if kind.is_socket() {
                connected(path)
            } else if kind.is_char_device() {
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
            } else {
                Err(io::ErrorKind::InvalidInput.into())
            }
        };
        open().map(|file| Self { file }).map_err(|error| TpmError::Closed(error.kind()))
    }
}

fn connected(path: &Path) -> io::Result<File> {
    let socket: OwnedFd = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // Also limits how long a socket whose owner takes nobody in may hold us up.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(ANSWER_WITHIN))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    fcntl_setfl(&socket, OFlags::NONBLOCK)?;
    Ok(File::from(socket))
}

impl Port for Device {
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let until = Instant::now() + ANSWER_WITHIN;
        // In one piece, as the kernel wants it; it fits the buffer of a socket.
        self.file.write_all(command)?;
        let mut answer = vec![0; LONGEST];
        let mut length = 0;
        while !is_whole(&answer[..length]) {
            wait_readable(&self.file, until)?;
            match self.file.read(&mut answer[length..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => length += count,
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
        answer.truncate(length);
        Ok(answer)
    }
}

/// Whether so much came as the header says.
fn is_whole(answer: &[u8]) -> bool {
    let Some(header) = answer.first_chunk::<HEADER>() else { return false };
    let size = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
    usize::try_from(size).is_ok_and(|size| answer.len() >= size)
}

fn wait_readable(file: &File, until: Instant) -> io::Result<()> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
