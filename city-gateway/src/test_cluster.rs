//! A PostgreSQL of the tests' own: Debian's programs, a folder in the system's temporary one, a Unix socket
//! in it, durability as in production. Nothing of it outlives the tests, however they end.
//!
//! [`Cluster::shared`] is one server for a whole test run, with a database for each test;
//! [`Cluster::prepare`] is one for a single test that wants to break it. Who uses a cluster holds a shared
//! lock on a file; a small guard process waits until nobody does (the kernel lets go when a process dies,
//! even by `kill -9`), stops the server and removes the folder. Were the guard itself killed, the kernel
//! stops the server for it.
//!
//! Deliberately absent: a port, a container, a server that somebody else started, settings that make tests
//! faster and prove less.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// What the guard does; `sh` and `flock` are on every Debian system.
const GUARD: &str = include_str!("test_cluster.sh");

/// The account the server runs under when the tests are root's: it refuses to be root.
const ACCOUNT: &str = "postgres";

/// Seconds a shared server waits for the next test.
const LINGER_S: &str = "5";

/// Longest a server may take to start, recovery included.
const START: Duration = Duration::from_secs(60);

/// Durability is left as it is in production; the rest keeps many small databases quick.
const SETTINGS: &[&str] =
    &["listen_addresses=", "max_connections=200", "shared_buffers=64MB", "max_wal_size=256MB"];

/// One server.
pub struct Cluster {
    folder: PathBuf,
    linger_s: &'static str,
    /// Says that somebody uses this cluster, for as long as it is open.
    _used: File,
}

impl Cluster {
    /// The server of this test run, started by the first test that asks.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            // nextest starts a process for each test and tells them all the same id.
            let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
            let folder = std::env::temp_dir().join(format!("kiosk-pg-{run}"));
            Self::join(folder).expect("a PostgreSQL for the tests")
        })
    }

    /// A server of this test's own, not started yet, so that files and settings can be chosen.
    pub fn prepare() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("kiosk-pg-{}", uuid::Uuid::new_v4().simple()));
        Self::make(folder, "0")
    }

    /// A server of this test's own.
    pub fn private() -> anyhow::Result<Self> {
        let cluster = Self::prepare()?;
        cluster.start(&[])?;
        Ok(cluster)
    }

    /// Makes an empty database, and answers how to reach it in the words of `gateway.toml`.
    pub fn database(&self) -> anyhow::Result<String> {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        self.psql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(self.address(&name))
    }

    /// How to reach a database over the socket.
    pub fn address(&self, database: &str) -> String {
        format!("host={} user={ACCOUNT} dbname={database}", self.socket().display())
    }

    /// Runs SQL with the standard program and answers what it prints.
    pub fn psql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let mut command = Command::new(program("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", ACCOUNT, "-h"]);
        printed(command.arg(self.socket()).args(["-d", database, "-c", sql]))
    }

    /// Puts a file that only the server can read into its folder, and answers its path.
    pub fn file(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        give(&path)?;
        Ok(path)
    }

    /// Starts the server with settings (`name=value`) beside the usual ones; waits until it answers.
    pub fn start(&self, settings: &[String]) -> anyhow::Result<()> {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "test-cluster-guard"]).arg(&self.folder).arg(self.linger_s);
        // However the guard ends, the server ends with it.
        guard.args(["setpriv", "--pdeathsig", "QUIT"]).args(privileges()).arg(program("postgres"));
        guard.arg("-D").arg(self.data()).arg("-k").arg(self.socket());
        for setting in SETTINGS.iter().copied().chain(settings.iter().map(String::as_str)) {
            guard.args(["-c", setting]);
        }
        // In a group of its own, so that whatever ends the tests does not end it before its work.
        guard.process_group(0).current_dir("/");
        guard.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        guard.spawn().context("the guard of the test cluster")?;
        let port = settings.iter().rev().find_map(|setting| setting.strip_prefix("port=")).unwrap_or("5432");
        let mut ready = Command::new(program("pg_isready"));
        ready.args(["-q", "-h"]).arg(self.socket()).args(["-p", port]);
        let deadline = Instant::now() + START;
        while !ready.status()?.success() {
            if Instant::now() > deadline {
                bail!("PostgreSQL did not start: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The server's log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Kills the server and all its processes at once, as a loss of power would.
    pub fn kill(&self) -> anyhow::Result<()> {
        let server = self.server()?;
        let workers = children(server)?;
        kill_process(pid(server)?, Signal::KILL)?;
        for worker in &workers {
            // It may have noticed the server's end by itself.
            let _ = kill_process(pid(*worker)?, Signal::KILL);
        }
        workers.into_iter().chain([server]).try_for_each(gone)
    }

    /// Tells the server to stop without finishing anything (immediate shutdown).
    pub fn stop_at_once(&self) -> anyhow::Result<()> {
        let server = self.server()?;
        kill_process(pid(server)?, Signal::QUIT)?;
        gone(server)
    }

    /// Starts a stopped server as a standby, and makes it the primary: it goes on in a new history, as after a restore.
    pub fn promoted(&self) -> anyhow::Result<()> {
        let signal = self.data().join("standby.signal");
        File::create(&signal)?;
        give(&signal)?;
        self.start(&[])?;
        let done = self.psql("postgres", "SELECT pg_promote()")?;
        ensure!(done == "t", "the server was not promoted: {}", self.log());
        Ok(())
    }

    /// Copies the running server's files with PostgreSQL's own program, as a city's backup does; answers where to.
    pub fn copy(&self) -> anyhow::Result<PathBuf> {
        let copy = self.folder.join(format!("copy-{}", uuid::Uuid::new_v4().simple()));
        fs::DirBuilder::new().mode(0o700).create(&copy)?;
        give(&copy)?;
        let mut backup = Command::new("setpriv");
        backup
            .args(["--pdeathsig", "KILL"])
            .args(privileges())
            .arg(program("pg_basebackup"))
            .current_dir("/");
        backup.args(["--checkpoint=fast", "--wal-method=stream", "-U", ACCOUNT, "-h"]).arg(self.socket());
        printed(backup.arg("-D").arg(&copy))?;
        Ok(copy)
    }

    /// Puts such a copy in the place of the files of a stopped server; [`Cluster::promoted`] goes on from it. The copy
    /// stays.
    pub fn put_back(&self, copy: &Path) -> anyhow::Result<()> {
        fs::remove_dir_all(self.data())?;
        printed(Command::new("cp").args(["--archive", "--no-target-directory"]).arg(copy).arg(self.data()))?;
        Ok(())
    }

    /// Joins the cluster in this folder, or makes it.
    fn join(folder: PathBuf) -> anyhow::Result<Self> {
        loop {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
            let path = folder.join("start.lock");
            let Some(start) = found(open_lock(&path))? else { continue };
            start.lock()?;
            // The guard may have removed the folder while this process waited for it.
            match fs::metadata(&path) {
                Ok(there) if there.ino() == start.metadata()?.ino() => {}
                _ => continue,
            }
            if folder.join("ready").exists() {
                return Self::used(folder, LINGER_S);
            }
            let cluster = Self::make(folder, LINGER_S)?;
            cluster.start(&[])?;
            File::create(cluster.folder.join("ready"))?;
            return Ok(cluster);
        }
    }

    fn make(folder: PathBuf, linger_s: &'static str) -> anyhow::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
        open_lock(&folder.join("start.lock"))?;
        let cluster = Self::used(folder, linger_s)?;
        for below in [cluster.data(), cluster.socket()] {
            // Left by a test that was ended while it made the cluster.
            found(fs::remove_dir_all(&below))?;
            fs::DirBuilder::new().mode(0o700).create(&below)?;
            give(&below)?;
        }
        let mut initdb = Command::new("setpriv");
        initdb.args(["--pdeathsig", "KILL"]).args(privileges()).arg(program("initdb")).current_dir("/");
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync", "-U"]);
        let made = printed(initdb.arg(ACCOUNT).arg("-D").arg(cluster.data()));
        if made.is_err() {
            fs::remove_dir_all(&cluster.folder)?;
        }
        made.context("initdb (Debian package postgresql)")?;
        Ok(cluster)
    }

    fn used(folder: PathBuf, linger_s: &'static str) -> anyhow::Result<Self> {
        let used = open_lock(&folder.join("users.lock"))?;
        used.lock_shared()?;
        Ok(Self { folder, linger_s, _used: used })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Process id of the server.
    pub fn server(&self) -> anyhow::Result<i32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).context("no server runs")?;
        Ok(text.lines().next().unwrap_or_default().trim().parse()?)
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// One of PostgreSQL's programs. Debian keeps them out of the path, a folder for each version.
pub fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| Path::new(&format!("/usr/lib/postgresql/{version}/bin/postgres")).exists())
        .max();
    match newest {
        Some(version) => PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/{name}")),
        None => PathBuf::from(name),
    }
}

fn privileges() -> Vec<String> {
    if rustix::process::geteuid().is_root() {
        vec![format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}"), "--clear-groups".into()]
    } else {
        Vec::new()
    }
}

/// Gives a file to the account of the server.
fn give(path: &Path) -> anyhow::Result<()> {
    if rustix::process::geteuid().is_root() {
        printed(Command::new("chown").arg(format!("{ACCOUNT}:")).arg(path))?;
    }
    Ok(())
}

fn printed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn pid(number: i32) -> anyhow::Result<Pid> {
    Pid::from_raw(number).context("not a process")
}

/// State and parent of a process, from the kernel's table.
fn process(number: i32) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let mut words = text.rsplit(')').next()?.split_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

fn children(of: i32) -> anyhow::Result<Vec<i32>> {
    let all = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(all.filter(|number| process(*number).is_some_and(|(_, parent)| parent == of)).collect())
}

/// Waits until a process has ended.
fn gone(number: i32) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    while process(number).is_some_and(|(state, _)| state != 'Z') {
        ensure!(Instant::now() < deadline, "process {number} does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
