//! A `pcscd` of our own with vsmartcard's virtual reader in it, for one test.
//!
//! `pcscd` knows one place for its socket. So it is started in a mount namespace in which that place is a folder of the
//! test's, and the library is told by its environment where the socket is from outside. The environment must stand
//! before the process starts: each test runs its body in a second process of this test program.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the library looks for the socket when this is set.
const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";
/// The test's folder, for the second process.
const FOLDER_VARIABLE: &str = "KIOSK_TEST_PCSCD";
/// Debian's description of the virtual reader.
const READER_DESCRIPTION: &str = "/etc/reader.conf.d/vpcd";
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A running `pcscd`, and the folder that it lives in.
pub(crate) struct Pcscd {
    folder: PathBuf,
    port: u16,
    daemon: Option<Child>,
}

/// Runs `body` with a `pcscd` of its own. `test` is the full name of the calling test.
pub(crate) fn with_pcscd(test: &str, body: impl FnOnce(&mut Pcscd)) {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        let mut pcscd = Pcscd { folder: folder.into(), port: free_ports(), daemon: None };
        pcscd.start();
        body(&mut pcscd);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pcscd")).unwrap();
    let mut second = Command::new(std::env::current_exe().unwrap());
    second.args(["--exact", test, "--nocapture"]);
    second.env(FOLDER_VARIABLE, folder.path()).env(SOCKET_VARIABLE, folder.path().join("pcscd/pcscd.comm"));
    assert!(second.status().unwrap().success(), "{test} failed in its own process, see above");
}

impl Pcscd {
    /// Where a virtual card connects to.
    pub(crate) fn reader(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Starts it, and waits until its virtual reader can be reached.
    pub(crate) fn start(&mut self) {
        let description = self.folder.join("reader.conf");
        std::fs::write(&description, reader_description(self.port)).unwrap();
        let mut unshare = Command::new("unshare");
        unshare.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            unshare.arg("--map-root-user");
        }
        let daemon = unshare
            .args([
                "sh",
                "-c",
                r#"mount --bind "$1" /run && exec pcscd --foreground --disable-polkit --config "$2""#,
                "sh",
            ])
            .arg(&self.folder)
            .arg(&description)
            .env_remove(SOCKET_VARIABLE)
            .stdin(Stdio::null())
            .stdout(log(&self.folder))
            .stderr(log(&self.folder))
            .process_group(0)
            .spawn()
            .expect("unshare is installed (Debian package util-linux)");
        self.daemon = Some(daemon);
        let deadline = Instant::now() + START_DEADLINE;
        while !self.folder.join("pcscd/pcscd.comm").exists() {
            let ended = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().unwrap());
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "pcscd does not start (Debian packages pcscd and vsmartcard-vpcd; cargo xtask test installs them): \
                 {ended:?}\n{}",
                std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it, and with it the reader.
    pub(crate) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
            let _ = std::fs::remove_file(self.folder.join("pcscd/pcscd.comm"));
        }
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn log(folder: &Path) -> std::fs::File {
    std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap()
}

/// Debian's description with another port.
fn reader_description(port: u16) -> String {
    let text = std::fs::read_to_string(READER_DESCRIPTION)
        .expect("vsmartcard-vpcd is installed (cargo xtask test installs it)");
    let library = text.lines().find(|line| line.trim_start().starts_with("LIBPATH"));
    let library = library.unwrap_or_else(|| panic!("no LIBPATH in {READER_DESCRIPTION}:\n{text}"));
    format!("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{port:#X}\n{library}\nCHANNELID {port:#X}\n")
}

/// The virtual reader has two slots and takes two ports in a row.
fn free_ports() -> u16 {
    loop {
        let first = TcpListener::bind(("0.0.0.0", 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("0.0.0.0", port + 1)).is_ok() {
            return port;
        }
    }
}
