//! The host's end of a USB printer's device file, of a TCP connection and of a Unix socket: one non-blocking file
//! descriptor, opened on demand.
//!
//! What Linux does with `/dev/usb/lp*` (drivers/usb/class/usblp.c, read and not tried on a device): one program may
//! have it open; a write is handed to the controller in pieces of up to 8 KiB, and closing the file takes back
//! a piece that the printer has not accepted; a read of nothing at all returns 0 without meaning the end.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::transport::{LineError, Ready, Transport};

/// How long a device or server on the network may take to accept.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// Reads of left-over input before a command is sent all the same.
const MAX_DISCARDS: usize = 64;
/// Pause after a USB printer answered a read with nothing: it would do so again at once.
const EMPTY_READ_PAUSE: Duration = Duration::from_millis(5);

/// Where the device is.
#[derive(Debug, Clone)]
enum Address {
    Usb(PathBuf),
    Tcp(String),
    Unix(PathBuf),
}

/// One device file or connection, opened on demand.
#[derive(Debug)]
pub struct DescriptorLine {
    address: Address,
    open: Option<OwnedFd>,
}

impl DescriptorLine {
    /// The device file of the kernel's USB printer class.
    pub fn usb(device: impl AsRef<Path>) -> DescriptorLine {
        DescriptorLine::to(Address::Usb(device.as_ref().to_path_buf()))
    }

    /// A TCP port, as `192.0.2.7:9100`. A name in place of the address is looked up at each connecting, which has no
    /// deadline.
    pub fn tcp(address: impl ToString) -> DescriptorLine {
        DescriptorLine::to(Address::Tcp(address.to_string()))
    }

    /// A server's Unix socket.
    pub fn unix(socket: impl AsRef<Path>) -> DescriptorLine {
        DescriptorLine::to(Address::Unix(socket.as_ref().to_path_buf()))
    }

    fn to(address: Address) -> DescriptorLine {
        DescriptorLine { address, open: None }
    }

    fn opened(&self) -> io::Result<OwnedFd> {
        match &self.address {
            Address::Usb(device) => {
                let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
                Ok(rustix::fs::open(device.as_path(), flags, Mode::empty())?)
            }
            Address::Tcp(address) => connected(address),
            Address::Unix(socket) => {
                let stream = UnixStream::connect(socket)?;
                stream.set_nonblocking(true)?;
                Ok(OwnedFd::from(stream))
            }
        }
    }

    fn discard_input(&mut self) -> Result<(), LineError> {
        let mut scrap = [0u8; 256];
        // Bounded: a device that never stops sending must not hold the caller here.
        for _ in 0..MAX_DISCARDS {
            if self.read_some(&mut scrap, Instant::now())? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn may_read_nothing(&self) -> bool {
        matches!(self.address, Address::Usb(_))
    }

    /// Waits for `interest`; nothing when the time has passed first.
    fn wait(&mut self, interest: PollFlags, until: Instant) -> Result<PollFlags, LineError> {
        loop {
            let fd = self.open.as_ref().ok_or(LineError::Gone)?;
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), interest)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return Err(self.hang_up()),
            }
            let seen = fds[0].revents();
            // What was said before the end is still to be read.
            if seen.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) && !seen.contains(interest)
            {
                return Err(self.hang_up());
            }
            return Ok(seen);
        }
    }

    fn hang_up(&mut self) -> LineError {
        tracing::debug!(address = ?self.address, "the device was disconnected");
        self.open = None;
        LineError::Gone
    }
}

impl Transport for DescriptorLine {
    fn ready(&mut self) -> Result<Ready, LineError> {
        if self.open.is_some() && self.discard_input().is_ok() {
            return Ok(Ready::StillOpen);
        }
        self.open = Some(self.opened().map_err(|error| {
            tracing::debug!(address = ?self.address, %error, "the device cannot be reached");
            LineError::Gone
        })?);
        // What a server says first on a socket of its own is meant for whoever has just connected.
        if !matches!(self.address, Address::Unix(_)) {
            self.discard_input()?;
        }
        Ok(Ready::Opened)
    }

    /// Closes, so that nothing that is still on its way arrives; the next use opens anew.
    fn discard_output(&mut self) {
        let Some(fd) = self.open.take() else { return };
        if matches!(self.address, Address::Tcp(_)) {
            // A reset instead of an orderly end: what the other end has not taken is dropped by both sides.
            let _ = rustix::net::sockopt::set_socket_linger(&fd, Some(Duration::ZERO));
        }
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        loop {
            let fd = self.open.as_ref().ok_or(LineError::Gone)?;
            match rustix::io::write(fd, bytes) {
                Ok(count) if count > 0 => return Ok(count),
                Ok(_) | Err(Errno::AGAIN) => {
                    if self.wait(PollFlags::OUT, until)?.is_empty() {
                        return Ok(0);
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return Err(self.hang_up()),
            }
        }
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        loop {
            let seen = self.wait(PollFlags::IN, until)?;
            if seen.is_empty() {
                return Ok(0);
            }
            let fd = self.open.as_ref().ok_or(LineError::Gone)?;
            match rustix::io::read(fd, &mut *into) {
                Ok(0) if self.may_read_nothing() && !seen.contains(PollFlags::HUP) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(0);
                    }
                    std::thread::sleep(left.min(EMPTY_READ_PAUSE));
                }
                Ok(0) => return Err(self.hang_up()),
                Ok(count) => return Ok(count),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => return Err(self.hang_up()),
            }
        }
    }
}

fn connected(address: &str) -> io::Result<OwnedFd> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_DEADLINE) {
            Ok(stream) => {
                // Status requests of three bytes must not wait for each other.
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                return Ok(OwnedFd::from(stream));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pty::Pty;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn a_device_file_is_read_written_and_opened_again_after_it_came_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lp0");
        let mut line = DescriptorLine::usb(&path);
        assert_eq!(line.ready(), Err(LineError::Gone));
        let pty = Pty::open(&path).unwrap();
        assert_eq!(line.ready(), Ok(Ready::Opened));
        assert_eq!(line.write_some(&[0x10, 0x04, 0x01], soon()), Ok(3));
        let mut got = [0u8; 8];
        assert_eq!(rustix::io::read(pty.master(), &mut got).unwrap(), 3);
        rustix::io::write(pty.master(), &[0x12]).unwrap();
        assert_eq!(line.read_some(&mut got, soon()), Ok(1));
        assert_eq!(got[0], 0x12);
        assert_eq!(line.read_some(&mut got, Instant::now()), Ok(0), "nothing more is there");
        drop(pty);
        assert_eq!(line.read_some(&mut got, soon()), Err(LineError::Gone));
        let _pty = Pty::open(&path).unwrap();
        assert_eq!(line.ready(), Ok(Ready::Opened));
        assert_eq!(line.ready(), Ok(Ready::StillOpen));
    }

    #[test]
    fn a_printer_that_takes_nothing_more_is_stuck_and_what_it_did_not_take_is_dropped() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut line = DescriptorLine::tcp(address);
        assert_eq!(line.ready(), Ok(Ready::Opened));
        let (mut printer, _) = listener.accept().unwrap();
        let deadline = Instant::now() + Duration::from_millis(200);
        let all = vec![0x55; 64 << 20];
        let mut handed_over = 0;
        while let count @ 1.. = line.write_some(&all[handed_over..], deadline).unwrap() {
            handed_over += count;
        }
        assert!(handed_over < all.len());
        line.discard_output();
        let mut taken = 0;
        let mut buffer = vec![0u8; 1 << 20];
        let end = loop {
            match io::Read::read(&mut printer, &mut buffer) {
                Ok(0) => break None,
                Ok(count) => taken += count,
                Err(error) => break Some(error.kind()),
            }
        };
        assert_eq!(end, Some(io::ErrorKind::ConnectionReset));
        assert!(taken < handed_over, "{taken} of {handed_over}");
        assert_eq!(line.ready(), Ok(Ready::Opened), "the next use connects again");
    }
    #[test]
    fn a_socket_that_was_closed_meanwhile_is_opened_again_and_its_first_words_are_heard() {
        use std::io::Write;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let mut line = DescriptorLine::unix(&path);
        assert_eq!(line.ready(), Err(LineError::Gone));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(line.ready(), Ok(Ready::Opened));
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"old").unwrap();
        assert_eq!(line.ready(), Ok(Ready::StillOpen));
        let mut got = [0u8; 8];
        assert_eq!(line.read_some(&mut got, Instant::now()), Ok(0), "nobody asked for it");
        server.write_all(b"new").unwrap();
        assert_eq!((line.read_some(&mut got, soon()), &got[..3]), (Ok(3), &b"new"[..]));
        drop(server);
        assert_eq!(line.ready(), Ok(Ready::Opened));
        let (_server, _) = listener.accept().unwrap();
        line.discard_output();
        assert_eq!(line.write_some(b"?", soon()), Err(LineError::Gone), "closed until the next use");
        assert_eq!(line.ready(), Ok(Ready::Opened));
    }
}
