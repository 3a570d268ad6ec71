//! Programs that a test starts. They end with it, whatever becomes of the test.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// What starting a program may take on a busy machine.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(20);

/// A running program. Dropping it ends it.
pub(crate) struct Program {
    name: String,
    child: Child,
}

/// `name` as a command that the system ends when the test dies, even by a signal.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", name]);
    command
}

impl Program {
    /// Starts a command; what it says goes to the end of the file `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Program {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        Program { name: name.to_owned(), child: child.unwrap_or_else(|error| panic!("{name}: {error}")) }
    }

    /// Waits until the program is `ready`.
    pub(crate) fn wait_until(&mut self, log: &Path, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + START_DEADLINE;
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{} does not start ({ended:?}; cargo xtask test installs what is needed):\n{}",
                self.name,
                std::fs::read_to_string(log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first of `count` free ports in a row. They lie below those that the system hands out by itself, and two tests
/// that run side by side begin to look at two places.
pub(crate) fn free_ports(count: u16) -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);
    const FIRST: u32 = 16_384;
    const PORTS: u32 = 16_000;
    let start = std::process::id() * 16;
    loop {
        let step = u32::from(ASKED.fetch_add(count, Ordering::Relaxed));
        let first = (FIRST + (start + step) % PORTS) as u16;
        if (first..first + count).all(|port| std::net::TcpListener::bind(("0.0.0.0", port)).is_ok()) {
            return first;
        }
    }
}
