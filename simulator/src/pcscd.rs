//! A `pcscd` of the demo's own, with vsmartcard's virtual reader in it: the true driver reads through the true library.
//!
//! `pcscd` knows one place for its socket, and the machine's own may be there. So it runs in a mount namespace in which
//! that place is a folder of the demo's, and the kiosk's library is told by its environment where the socket is from
//! outside. Two demos have two folders and two pairs of ports.
//!
//! The virtual reader itself listens on every address of the machine; there is no setting for that. Whoever reaches its
//! port can put a virtual card into it, and nothing else.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::log_file::tail;
use crate::ports::{self, loopback};
use crate::supervisor::{BackOff, ProcessSpec, Supervisor};

/// What tells the library where the socket is.
const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";
/// Debian's description of the virtual reader; it names the driver's file.
const READER_DESCRIPTION: &str = "/etc/reader.conf.d/vpcd";
/// Starts `pcscd` where `/run` is the first argument; a version that asks polkit, and can be told not to, is told so.
/// A mount namespace holds every disk that was mounted when it was made, so those of no concern here are let go.
const IN_THE_NAMESPACE: &str = r#"
    mount --bind "$1" /run || exit
    while read -r device place rest; do
        case "$device" in
            /dev/loop*) case "$1/" in "$place"/*) ;; *) umount --lazy "$place" ;; esac ;;
        esac
    done < /proc/self/mounts
    rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid
    PATH="$PATH:/usr/sbin:/sbin"
    unset PCSCLITE_CSOCK_NAME
    pcscd --help | grep -q disable-polkit && no_polkit=--disable-polkit
    exec setpriv --pdeathsig KILL pcscd --foreground $no_polkit --config "$2"
"#;
const NAME: &str = "pcscd";
/// How long it may take to come up on a busy machine.
const UP_PATIENCE: Duration = Duration::from_secs(20);
/// Restarts without ever coming up from which it cannot be started here.
const RESTARTS: u32 = 3;

/// The daemon, and the folder that it lives in. Dropping it ends it.
pub struct PrivatePcscd {
    folder: PathBuf,
    reader: SocketAddr,
    supervisor: Supervisor,
    /// The virtual reader's ports, so that nobody else takes them between two lives.
    _ports: Vec<OwnedFd>,
}

impl PrivatePcscd {
    /// Name of the virtual reader's first slot.
    pub const READER: &str = "Virtual PCD 00 00";

    /// Writes down what there is to start; nothing runs yet. The error says which package is missing.
    pub fn prepare(folder: &Path) -> io::Result<Self> {
        let description = folder.join("pcscd.conf");
        // The virtual reader has two slots and takes two ports in a row.
        let (port, ports) = ports::two_in_a_row().map_err(io::Error::other)?;
        std::fs::create_dir_all(folder.join(NAME))?;
        std::fs::write(&description, reader_description(port)?)?;
        // A disk that is unmounted outside goes inside as well.
        let mut arguments: Vec<OsString> = vec!["--mount".into(), "--propagation".into(), "slave".into()];
        if !rustix::process::geteuid().is_root() {
            arguments.push("--map-root-user".into());
        }
        arguments.extend(["sh".into(), "-c".into(), IN_THE_NAMESPACE.into(), "sh".into()]);
        arguments.extend([folder.into(), description.into()]);
        let spec =
            ProcessSpec { name: NAME.into(), program: "unshare".into(), arguments, environment: Vec::new() };
        // No launcher: the namespace's shell ties the daemon to this process, after the last change of its rights.
        let supervisor = Supervisor::new(vec![spec], folder.to_owned(), None, BackOff::default());
        Ok(Self { folder: folder.to_owned(), reader: loopback(port), supervisor, _ports: ports })
    }

    /// Where a virtual card connects to.
    pub fn reader(&self) -> SocketAddr {
        self.reader
    }

    /// What the kiosk's environment needs.
    pub fn environment(&self) -> (OsString, OsString) {
        (SOCKET_VARIABLE.into(), self.socket().into())
    }

    fn socket(&self) -> PathBuf {
        self.folder.join(NAME).join("pcscd.comm")
    }

    /// Starts it and does not wait.
    pub fn start(&self) -> io::Result<()> {
        self.supervisor.start(NAME).map_err(io::Error::other)
    }

    /// Ends it, and with it the reader.
    pub fn stop(&self) -> io::Result<()> {
        self.supervisor.stop(NAME).map_err(io::Error::other)?;
        match std::fs::remove_file(self.socket()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until it can be spoken to. The error says why it cannot be started here.
    pub fn wait_until_up(&self) -> io::Result<()> {
        let until = Instant::now() + UP_PATIENCE;
        while !self.socket().exists() {
            if let Some(sentence) = self.trouble() {
                return Err(io::Error::other(sentence));
            }
            if Instant::now() >= until {
                let words = format!("pcscd does not start:\n{}", self.said());
                return Err(io::Error::new(io::ErrorKind::TimedOut, words));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Why it does not run here, when it keeps ending.
    pub fn trouble(&self) -> Option<String> {
        let status = self.supervisor.status().into_iter().next()?;
        let fails = status.wanted && status.restarts >= RESTARTS && !self.socket().exists();
        let exit = status.last_exit.unwrap_or_default();
        fails.then(|| format!("pcscd keeps ending ({exit}):\n{}", self.said()))
    }

    fn said(&self) -> String {
        tail(&self.folder.join(format!("{NAME}.log")), 12)
    }
}

/// Debian's description with another port.
fn reader_description(port: u16) -> io::Result<String> {
    let missing = |error: io::Error| {
        let words = format!("{READER_DESCRIPTION}: {error} (Debian packages pcscd and vsmartcard-vpcd)");
        io::Error::new(error.kind(), words)
    };
    let text = std::fs::read_to_string(READER_DESCRIPTION).map_err(missing)?;
    let library = text.lines().find(|line| line.trim_start().starts_with("LIBPATH"));
    let library = library.ok_or_else(|| missing(io::ErrorKind::InvalidData.into()))?;
    Ok(format!(
        "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{port:#X}\n{library}\nCHANNELID {port:#X}\n"
    ))
}
