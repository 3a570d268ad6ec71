//! What the kiosk tells systemd, as datagrams to the socket that `NOTIFY_SOCKET` names (sd_notify(3)).
//!
//! The well-kept crate `sd-notify` does the same but takes the socket from the environment alone, which no
//! test can set without `unsafe`; three fixed words do not need it.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use super::{Watchdog, WatchdogError};

/// systemd reads its socket at once; a full one must not hold up the kiosk.
const SEND_DEADLINE: Duration = Duration::from_secs(1);

/// The way to systemd. As a [`Watchdog`] it is the one that the kiosk uses on a terminal.
#[derive(Debug)]
pub struct SystemdNotifier {
    socket: UnixDatagram,
    address: SocketAddr,
    timeout: Option<Duration>,
}

impl SystemdNotifier {
    /// As systemd has set it up for this process; `Ok(None)` when it was not started by systemd, or its unit
    /// does not say `Type=notify` or `NotifyAccess=`.
    pub fn from_environment() -> Result<Option<SystemdNotifier>, WatchdogError> {
        SystemdNotifier::from_variables(|name| std::env::var_os(name))
    }

    /// The same with other variables: `NOTIFY_SOCKET` (a path, or a name after `@`), `WATCHDOG_USEC`
    /// (microseconds), `WATCHDOG_PID` (whom the former is meant for; anybody when it is not set).
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<SystemdNotifier>, WatchdogError> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Ok(None) };
        let made = address(name.as_bytes()).and_then(|address| Ok((address, socket()?)));
        let (address, socket) = made.map_err(|error| WatchdogError::from_io(&error))?;
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let ours = match variable("WATCHDOG_PID") {
            Some(_) => number("WATCHDOG_PID") == Some(u64::from(std::process::id())),
            None => true,
        };
        let timeout = number("WATCHDOG_USEC").filter(|micros| ours && *micros > 0).map(Duration::from_micros);
        Ok(Some(SystemdNotifier { socket, address, timeout }))
    }

    /// After how long without a ping systemd acts; `None` when it does not wait for any (no `WatchdogSec=`).
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Says that the kiosk shows its first page (`READY=1`).
    pub fn ready(&self) -> Result<(), WatchdogError> {
        self.send(b"READY=1")
    }

    /// Says that the kiosk is about to end (`STOPPING=1`).
    pub fn stopping(&self) -> Result<(), WatchdogError> {
        self.send(b"STOPPING=1")
    }

    fn send(&self, words: &[u8]) -> Result<(), WatchdogError> {
        let sent = self.socket.send_to_addr(words, &self.address);
        sent.map(drop).map_err(|error| WatchdogError::from_io(&error))
    }
}

fn socket() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(SEND_DEADLINE))?;
    Ok(socket)
}

fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name {
        [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
        [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
        // systemd can also name a socket of a virtual machine's host.
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

impl Watchdog for SystemdNotifier {
    fn ping(&mut self) -> Result<(), WatchdogError> {
        self.send(b"WATCHDOG=1")
    }

    fn disarm(self: Box<Self>) -> Result<(), WatchdogError> {
        self.stopping()
    }
}
