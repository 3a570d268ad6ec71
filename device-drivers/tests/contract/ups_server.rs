//! The real server of Network UPS Tools with its UPS made of a file (`dummy-ups`), started by a test for
//! itself: own folder, own port, no root, no systemd. Everything ends with the test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Where Debian has its drivers and the server itself; `upsd` on the path is a script that asks for a
/// configuration.
const PROGRAMS: &str = "/lib/nut";
/// The name of the UPS in the server's configuration.
pub const UPS: &str = "kiosk";
/// Long enough for two programs to start on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks at something that takes a second or two.
pub const LOOK: Duration = Duration::from_millis(25);

pub struct RealServer {
    dir: tempfile::TempDir,
    address: SocketAddr,
    driver: Option<Child>,
    server: Option<Child>,
}

impl RealServer {
    /// Starts driver and server, with these variables of the UPS.
    pub fn start(variables: &[(&str, &str)]) -> RealServer {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("ups.conf", &format!("pollinterval = 1\n[{UPS}]\ndriver = dummy-ups\nport = kiosk.dev\n"));
        put("upsd.conf", &format!("LISTEN 127.0.0.1 {port}\nMAXAGE 2\n"));
        put("upsd.users", "");
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let mut server = RealServer { dir, address, driver: None, server: None };
        server.set(variables);
        server.start_driver();
        server.start_server();
        server
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the UPS says. The driver notices that its file is another within a second or two.
    pub fn set(&self, variables: &[(&str, &str)]) {
        let text: String = variables.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let (fresh, file) = (self.dir.path().join("fresh"), self.dir.path().join("kiosk.dev"));
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, file).unwrap();
    }

    pub fn start_driver(&mut self) {
        self.driver = Some(self.run("dummy-ups", &["-a", UPS]));
    }

    pub fn start_server(&mut self) {
        self.server = Some(self.run("upsd", &[]));
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(start.elapsed() < START_DEADLINE, "upsd does not listen");
            std::thread::sleep(LOOK);
        }
    }

    /// The driver hangs, or goes on: as when a UPS stops answering.
    pub fn set_driver_hung(&self, hung: bool) {
        let driver = self.driver.as_ref().unwrap();
        let signal = if hung { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(driver), signal).unwrap();
    }

    pub fn stop_driver(&mut self) {
        end(&mut self.driver);
    }

    pub fn stop_server(&mut self) {
        end(&mut self.server);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Child {
        let path = Path::new(PROGRAMS).join(program);
        let mut command = Command::new(&path);
        command.arg("-F").args(arguments);
        if rustix::process::geteuid().is_root() {
            // Otherwise it would become the Unix user `nut`, who may not read this test's folder.
            command.args(["-u", "root"]);
        }
        for variable in ["NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"] {
            command.env(variable, self.dir.path());
        }
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; it is in Debian's nut-server", path.display()))
    }
}

fn end(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        self.stop_server();
        self.stop_driver();
    }
}
