//! A road between a terminal and the city that swallows large packets: three network spaces of the kernel's, in the
//! middle one two bridges, which neither cut packets nor say that one was too large. Both ends believe in large packets;
//! the kernel's own TCP runs over it. Whoever is not root becomes it in a space of users.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where the city is.
pub const CITY: Ipv4Addr = Ipv4Addr::new(10, 9, 9, 2);
/// Largest packet that both ends believe in, in bytes.
const BELIEVED: u32 = 9000;
/// Tells a test that it runs at the city's end, and which processes hold the other spaces.
const VARIABLE: &str = "ROAD";

/// What `unshare` needs so that whoever runs the tests may change networks and mounts of their own.
pub fn as_root() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &[] } else { &["--map-root-user"] }
}

/// A network space, by a process that is in it.
#[derive(Clone, Copy)]
struct Space(u32);

impl Space {
    fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.0)).arg(program);
        command
    }

    fn ip(self, arguments: &str) {
        let output = self.command("ip").args(arguments.split(' ')).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "a road needs root and network spaces: ip {arguments}: {said}");
    }

    /// Whether TCP looks for smaller packets when large ones get no answer (RFC 4821).
    fn set_probing(self, on: bool) {
        let write = format!("echo {} > /proc/sys/net/ipv4/tcp_mtu_probing", u8::from(on));
        assert!(self.command("sh").args(["-c", &write]).status().unwrap().success());
    }
}

/// A process that does nothing in a space of its own, and ends with this.
struct Keeper(Child);

impl Keeper {
    fn start() -> Self {
        let mut keeper = Command::new("unshare");
        let child =
            keeper.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let keeper = Self(child);
        let space = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
        while space(&keeper.0.id().to_string()).is_none_or(|there| Some(there) == space("self")) {
            std::thread::yield_now();
        }
        keeper.space().ip("link set dev lo up");
        keeper
    }

    fn space(&self) -> Space {
        Space(self.0.id())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// See the module.
pub struct Road {
    terminal: Space,
    way: Space,
}

impl Road {
    /// A road that carries everything, for the test of this name, which is run again as a process at the city's end; in
    /// the first run there is none, and nothing left to do.
    pub fn for_test(name: &str) -> Option<Self> {
        if let Ok(spaces) = std::env::var(VARIABLE) {
            let mut spaces = spaces.split(' ').map(|process| Space(process.parse().unwrap()));
            return Some(Self { terminal: spaces.next().unwrap(), way: spaces.next().unwrap() });
        }
        let this = std::env::current_exe().unwrap();
        if !as_root().is_empty() {
            let mut again = Command::new("unshare");
            again.args(as_root()).arg(this).args(["--exact", name, "--nocapture"]);
            assert!(again.status().unwrap().success(), "as root of a space of users");
            return None;
        }
        let (terminal, way, city) = (Keeper::start(), Keeper::start(), Keeper::start());
        build(terminal.space(), way.space(), city.space());
        let mut again = city.space().command(this);
        again.args(["--exact", name, "--nocapture"]);
        again.env(VARIABLE, format!("{} {}", terminal.space().0, way.space().0));
        assert!(again.status().unwrap().success(), "at the city's end");
        None
    }

    /// Packets of more bytes than this vanish from now on, both ways.
    pub fn swallow_above(&self, bytes: u32) {
        for end in ["t-middle", "c-middle"] {
            self.way.ip(&format!("link set dev {end} mtu {bytes}"));
        }
    }

    /// Nothing vanishes any more.
    pub fn repair(&self) {
        self.swallow_above(BELIEVED);
    }

    /// Both ends look for smaller packets by themselves.
    pub fn set_probing(&self) {
        self.terminal.set_probing(true);
        Space(std::process::id()).set_probing(true);
    }

    /// The program at the terminal's end.
    pub fn run(&self, program: &str, config: &Path) -> Child {
        let mut agent = self.terminal.command(program);
        agent.arg("--config").arg(config).env_remove("FAILPOINTS").stderr(Stdio::null());
        agent.spawn().unwrap()
    }
}

/// Two bridges with a link between them. What is too large for that link vanishes where it leaves a bridge: at an end of
/// the road its sender would be told.
fn build(terminal: Space, way: Space, city: Space) {
    way.ip(&format!("link add name t-middle mtu {BELIEVED} type veth peer name c-middle mtu {BELIEVED}"));
    for (end, near, address) in [(terminal, "t", "10.9.9.1"), (city, "c", "10.9.9.2")] {
        // One segment at a time: what is handed to the road is what travels on it.
        let peer = format!("type veth peer name {near}-way mtu {BELIEVED} netns {}", way.0);
        end.ip(&format!("link add name {near} mtu {BELIEVED} gso_max_segs 1 {peer}"));
        end.ip(&format!("address add {address}/24 dev {near}"));
        end.ip(&format!("link set dev {near} up"));
        way.ip(&format!("link add name {near}-bridge mtu {BELIEVED} type bridge"));
        way.ip(&format!("link set dev {near}-bridge up"));
        for link in [format!("{near}-way"), format!("{near}-middle")] {
            way.ip(&format!("link set dev {link} master {near}-bridge"));
            way.ip(&format!("link set dev {link} up"));
        }
    }
}
