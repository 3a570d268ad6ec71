//! The simulated device's end of a cable: a pseudo terminal, or a TCP port that takes one host at a time.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::pty::Pty;

/// Where a simulated device can be plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outlet {
    /// A pseudo terminal behind this link.
    Tty(PathBuf),
    /// A TCP port; port 0 becomes a free one at the first plugging in and stays the same afterwards.
    Tcp(SocketAddr),
}

/// A device that is plugged in.
pub(crate) enum Plug {
    Tty(Pty),
    Tcp { listener: TcpListener, host: Option<TcpStream> },
}

impl Plug {
    /// Plugs in, and notes in `outlet` which port that is.
    pub(crate) fn open(outlet: &mut Outlet) -> io::Result<Plug> {
        match outlet {
            Outlet::Tty(link) => Pty::open(link.as_path()).map(Plug::Tty),
            Outlet::Tcp(address) => {
                let listener = TcpListener::bind(*address)?;
                listener.set_nonblocking(true)?;
                *address = listener.local_addr()?;
                Ok(Plug::Tcp { listener, host: None })
            }
        }
    }

    /// The line to the host; none while no host has connected.
    pub(crate) fn line(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Plug::Tty(pty) => Some(pty.master()),
            Plug::Tcp { host, .. } => host.as_ref().map(AsFd::as_fd),
        }
    }

    /// The rate that the host has set on a terminal, bits per second; a network has none.
    pub(crate) fn host_rate(&self) -> Option<u32> {
        match self {
            Plug::Tty(pty) => pty.host_rate().ok(),
            Plug::Tcp { .. } => None,
        }
    }

    /// What to wait for, besides time: bytes when the device is `listening`, a host when there is none.
    pub(crate) fn watched(&self, listening: bool) -> Option<PollFd<'_>> {
        let interest = if listening { PollFlags::IN } else { PollFlags::empty() };
        match self {
            Plug::Tty(pty) => listening.then(|| PollFd::from_borrowed_fd(pty.master(), interest)),
            Plug::Tcp { host: Some(host), .. } => Some(PollFd::from_borrowed_fd(host.as_fd(), interest)),
            Plug::Tcp { listener, .. } => Some(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)),
        }
    }

    /// Lets a waiting host in, if there is one and none is connected; true when one came.
    pub(crate) fn admit(&mut self) -> bool {
        let Plug::Tcp { listener, host: host @ None } = self else { return false };
        let Ok((stream, _)) = listener.accept() else { return false };
        // Answers of one byte must not wait for each other.
        if stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_ok() {
            *host = Some(stream);
        }
        host.is_some()
    }

    /// The host has gone. A terminal can be opened again, a connection cannot.
    pub(crate) fn part(&mut self) {
        if let Plug::Tcp { host, .. } = self {
            *host = None;
        }
    }

    /// Whether nobody has the terminal open, or no host is connected.
    pub(crate) fn is_hung_up(&self) -> bool {
        let Plug::Tty(pty) = self else { return self.line().is_none() };
        let mut fds = [PollFd::from_borrowed_fd(pty.master(), PollFlags::IN)];
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        fds[0].revents().contains(PollFlags::HUP) && !fds[0].revents().contains(PollFlags::IN)
    }

    /// Whether a hung-up line has to be looked at again and again: for a terminal, the kernel does not report that
    /// a host has opened it.
    pub(crate) fn must_be_looked_at(&self) -> bool {
        matches!(self, Plug::Tty(_))
    }
}
