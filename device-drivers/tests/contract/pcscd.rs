//! A `pcscd` of our own with vsmartcard's virtual reader in it, for one test.
//!
//! `pcscd` knows one place for its socket. So it is started in a mount namespace in which that place is a folder of the
//! test's, and the library is told by its environment where the socket is from outside. The environment must stand
//! before the process starts: each test runs its body in a second process of this test program.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use crate::program::{Program, free_ports};

/// Where the library looks for the socket when this is set.
const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";
/// The test's folder, for the second process.
const FOLDER_VARIABLE: &str = "KIOSK_TEST_PCSCD";
/// Debian's description of the virtual reader.
const READER_DESCRIPTION: &str = "/etc/reader.conf.d/vpcd";
/// Starts `pcscd` where `/run` is the first argument; a version that asks polkit, and can be told not to, is told so.
const IN_THE_NAMESPACE: &str = r#"
    mount --bind "$1" /run || exit
    while read -r device place rest; do
        case "$device" in
            /dev/loop*) case "$1/" in "$place"/*) ;; *) umount --lazy "$place" ;; esac ;;
        esac
    done < /proc/self/mounts
    pcscd --help | grep -q disable-polkit && no_polkit=--disable-polkit
    exec setpriv --pdeathsig KILL pcscd --foreground $no_polkit --config "$2"
"#;
/// What the second process leaves when the test's body has run to its end.
const PASSED: &str = "passed";

/// A running `pcscd`, and the folder that it lives in.
pub(crate) struct Pcscd {
    folder: PathBuf,
    port: u16,
    daemon: Option<Program>,
}

/// Runs `body` with a `pcscd` of its own. `test` is the full name of the calling test.
pub(crate) fn with_pcscd(test: &str, body: impl FnOnce(&mut Pcscd)) {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from) {
        // The virtual reader has two slots and takes two ports in a row.
        let mut pcscd = Pcscd { folder: folder.clone(), port: free_ports(2), daemon: None };
        pcscd.start();
        body(&mut pcscd);
        std::fs::write(folder.join(PASSED), "").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pcscd")).unwrap();
    let mut second = Command::new(std::env::current_exe().unwrap());
    second.args(["--exact", test, "--nocapture"]);
    second.env(FOLDER_VARIABLE, folder.path()).env(SOCKET_VARIABLE, folder.path().join("pcscd/pcscd.comm"));
    let passed = second.status().unwrap().success() && folder.path().join(PASSED).exists();
    assert!(passed, "{test} failed in its own process (see above), or is no test of this name");
}

impl Pcscd {
    /// Where a virtual card connects to.
    pub(crate) fn reader(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Starts it, and waits until it can be spoken to.
    pub(crate) fn start(&mut self) {
        let (description, log) = (self.folder.join("reader.conf"), self.folder.join("log"));
        std::fs::write(&description, reader_description(self.port)).unwrap();
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--propagation", "slave"]);
        if !rustix::process::geteuid().is_root() {
            unshare.arg("--map-root-user");
        }
        unshare.args(["sh", "-c", IN_THE_NAMESPACE, "sh"]).arg(&self.folder).arg(&description);
        let mut daemon = Program::start("pcscd", unshare.env_remove(SOCKET_VARIABLE), &log);
        daemon.wait_until(&log, || self.socket().exists());
        self.daemon = Some(daemon);
    }

    /// Ends it, and with it the reader.
    pub(crate) fn stop(&mut self) {
        self.daemon = None;
        let _ = std::fs::remove_file(self.socket());
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("pcscd/pcscd.comm")
    }
}

/// Debian's description with another port.
fn reader_description(port: u16) -> String {
    let text = std::fs::read_to_string(READER_DESCRIPTION)
        .expect("vsmartcard-vpcd is installed (cargo xtask test installs it)");
    let library = text.lines().find(|line| line.trim_start().starts_with("LIBPATH"));
    let library = library.unwrap_or_else(|| panic!("no LIBPATH in {READER_DESCRIPTION}:\n{text}"));
    format!("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{port:#X}\n{library}\nCHANNELID {port:#X}\n")
}
