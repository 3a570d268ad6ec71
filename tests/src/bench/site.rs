//! A folder with the keys, configuration and virtual devices of one terminal and one city, and the programs
//! started in it without a supervisor, so that nothing stands between them and the clock.

use anyhow::{Context, Result, bail};
use kiosk_tests::workshop;
use simulator::desk::{Desk, DeskOptions};
use simulator::ports::{Ports, loopback};
use simulator::world::{World, WorldOptions};
use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a program may take until it can be used.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The folder.
pub struct Site {
    /// Its parts.
    pub world: World,
    /// Its devices, as they are after the start of a demo.
    _desk: Desk,
    ports: Ports,
    folder: TempDir,
}

impl Site {
    /// Makes one beside the programs: a temporary folder may lie in memory, where nothing is ever flushed.
    pub fn make() -> Result<Site> {
        let folder = TempDir::with_prefix_in("bench-", workshop::programs()?)?;
        let world = World::open(folder.path())?;
        let ports = Ports::choose(&world.ports_file())?;
        let desk = Desk::set_up(&world.devices()?, DeskOptions { paced: true, ..DeskOptions::default() })?;
        let settings = [
            "waits.same_touch_ms=0".to_owned(),
            "waits.idle_s=3600".to_owned(),
            // Straight to the gateway: the simulator's network switch would take its own time.
            format!("city.url=https://localhost:{}", ports.numbers.terminals),
        ];
        let options = WorldOptions {
            catalog: workshop::project().join("assets/catalog"),
            publisher: None,
            documents: workshop::programs()?.join("render-document"),
            typing: None,
            min_free_mib: 1,
            quick: false,
            devices: desk.declared(),
            settings: settings.into(),
        };
        world.furnish(&ports.numbers, &options)?;
        Ok(Site { world, _desk: desk, ports, folder })
    }

    /// Where everything lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Keys of the terminal.
    pub fn terminal_keys(&self) -> PathBuf {
        self.folder().join("terminal/keys")
    }

    /// Keys of the city.
    pub fn gateway_keys(&self) -> PathBuf {
        self.folder().join("gateway/keys")
    }

    /// The city's databases.
    pub fn gateway_state(&self) -> PathBuf {
        self.folder().join("gateway/state")
    }

    /// Starts `kiosk-app` with its screen at this socket.
    pub fn start_kiosk(&self, socket: &Path) -> Result<Process> {
        let mut link = std::ffi::OsString::from("link:");
        link.push(socket);
        let config = self.world.terminal_config();
        self.start("kiosk-app", &[OsStr::new("--config"), config.as_os_str(), OsStr::new("--screen"), &link])
    }

    /// Starts `sync-agent`.
    pub fn start_agent(&self) -> Result<Process> {
        let config = self.world.terminal_config();
        self.start("sync-agent", &[OsStr::new("--config"), config.as_os_str()])
    }

    /// Starts `city-gateway` and waits until terminals are served.
    pub fn start_gateway(&self) -> Result<Process> {
        let config = self.world.gateway_config();
        let mut gateway = self.start("city-gateway", &[OsStr::new("--config"), config.as_os_str()])?;
        let address = loopback(self.ports.numbers.terminals);
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            gateway.still_runs()?;
            if Instant::now() > deadline {
                bail!("city-gateway does not listen; {}", gateway.last_words());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(gateway)
    }

    fn start(&self, name: &'static str, arguments: &[&OsStr]) -> Result<Process> {
        let program = workshop::programs()?.join(name);
        let log = self.folder().join(format!("logs/{name}.log"));
        let mut command = Command::new(&program);
        command.args(arguments).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Process { name, started, child, log })
    }
}

/// A started program; it ends with this.
pub struct Process {
    /// Right before it was started.
    pub started: Instant,
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error when it has ended.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended: {status}; {}", self.name, self.last_words()),
        }
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        format!("its log ends: {lines:?}")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The handle is not reaped yet, so it can only mean this process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
