//! A pseudo terminal in raw mode behind a stable path: the simulated devices' end of the cable.
//!
//! The path is a symbolic link to the terminal's other end. Dropping a [`Pty`] is pulling the plug: whoever has
//! the terminal open is hung up, and the link is gone. A new [`Pty`] on the same path is plugging in again.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

/// The device's end of a pseudo terminal, with a stable link to the host's end.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    slave_path: PathBuf,
    link: PathBuf,
}

impl Pty {
    /// Makes a fresh pseudo terminal and points `link` at it, replacing a link left by an earlier run.
    pub fn open(link: impl Into<PathBuf>) -> io::Result<Pty> {
        let link = link.into();
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        // On Linux the settings reached through the master are the slave's. Raw from the start: otherwise the
        // terminal would echo the device's first bytes back at it before the host has opened the port.
        let mut settings = rustix::termios::tcgetattr(&master)?;
        settings.make_raw();
        rustix::termios::tcsetattr(&master, OptionalActions::Now, &settings)?;
        // A device never waits for its host: bytes that the host does not take are lost, as on a wire.
        let flags = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave_path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        point_link(&link, &slave_path)?;
        Ok(Pty { master, slave_path, link })
    }

    /// The device's end. Non-blocking.
    pub fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// The host's end as the kernel names it; changes with every plugging in.
    pub fn slave_path(&self) -> &Path {
        &self.slave_path
    }

    /// The rate, bits per second, that the host has set on its end; the kernel keeps it and slows nothing down.
    pub fn host_rate(&self) -> io::Result<u32> {
        // On Linux the settings reached through the master are the slave's.
        Ok(rustix::termios::tcgetattr(&self.master)?.output_speed())
    }

    /// The stable path that the host is configured with.
    pub fn link(&self) -> &Path {
        &self.link
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only our own link: a successor may already have replaced it.
        if std::fs::read_link(&self.link).is_ok_and(|target| target == self.slave_path) {
            let _ = std::fs::remove_file(&self.link);
        }
    }
}

/// Replaces `link` in one step, so that the host never sees half a change.
fn point_link(link: &Path, target: &Path) -> io::Result<()> {
    let mut staged = link.as_os_str().to_owned();
    staged.push(".new");
    let staged = PathBuf::from(staged);
    match std::fs::remove_file(&staged) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::os::unix::fs::symlink(target, &staged)?;
    std::fs::rename(&staged, link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn every_byte_passes_unchanged_both_ways() {
        let dir = tempfile::tempdir().unwrap();
        let pty = Pty::open(dir.path().join("tty")).unwrap();
        let mut host = std::fs::File::options().read(true).write(true).open(pty.link()).unwrap();
        let all: Vec<u8> = (0..=255).collect();
        host.write_all(&all).unwrap();
        let mut got = vec![0u8; 256];
        let n = rustix::io::read(pty.master(), &mut got).unwrap();
        assert_eq!(&got[..n], &all[..]);
        assert_eq!(rustix::io::write(pty.master(), &all).unwrap(), 256);
        let mut got = vec![0u8; 256];
        host.read_exact(&mut got).unwrap();
        assert_eq!(got, all);
    }

    #[test]
    fn dropping_hangs_up_and_a_new_one_takes_the_same_path() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("tty");
        let first = Pty::open(&link).unwrap();
        let mut host = std::fs::File::options().read(true).write(true).open(&link).unwrap();
        drop(first);
        assert!(!link.exists() && std::fs::read_link(&link).is_err());
        assert!(host.write(b"x").is_err(), "a hung-up terminal refuses bytes");
        let second = Pty::open(&link).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), second.slave_path());
    }

    #[test]
    fn a_successor_keeps_its_link_when_the_old_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("tty");
        let first = Pty::open(&link).unwrap();
        let second = Pty::open(&link).unwrap();
        drop(first);
        assert_eq!(std::fs::read_link(&link).unwrap(), second.slave_path());
    }
}
