//! A temporary city: PostgreSQL in a folder of its own and the true `city-gateway` program before it. Both end with
//! this, however this process ends.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use city_gateway::test_cluster::Cluster;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tempfile::TempDir;

use crate::keys::CityKeys;
use crate::process;

/// How long the gateway may take until it serves.
const START: Duration = Duration::from_secs(60);

/// How long the opener may need for what is left.
const OPENED: Duration = Duration::from_secs(1800);

/// Of the files a process may have open, those that are not connections of terminals.
const OTHER_FILES: u64 = 512;

/// Settings of a small server of a city; durability as it comes.
const SERVER: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min"];

/// The same for a test, which shares the machine.
const SMALL_SERVER: [&str; 1] = ["shared_buffers=64MB"];

/// How much the city is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// To be measured.
    Full,
    /// To be tested beside other tests.
    Small,
}

/// See the module.
pub struct City {
    /// Its keys.
    pub keys: CityKeys,
    /// Where terminals are served.
    pub terminals: SocketAddr,
    /// Where its pages are.
    pub pages: SocketAddr,
    gateway: Child,
    database: String,
    cluster: Cluster,
    // The last, so that it goes when nothing uses it any more.
    folder: TempDir,
}

impl City {
    /// Starts both.
    pub fn start(size: Size) -> Result<Self> {
        let cluster = Cluster::prepare()?;
        let settings: &[&str] = if size == Size::Full { &SERVER } else { &SMALL_SERVER };
        cluster.start(&settings.iter().map(|&setting| setting.to_owned()).collect::<Vec<_>>())?;
        let database = cluster.database()?;
        let folder = TempDir::with_prefix("kiosk-fleet-")?;
        let keys = CityKeys::make(&folder.path().join("keys"))?;
        for part in ["state", "blobs"] {
            fs::DirBuilder::new().mode(0o700).create(folder.path().join(part))?;
        }
        let config = folder.path().join("gateway.toml");
        fs::write(&config, toml::to_string(&gateway_toml(&database, allow_files()?)?)?)?;
        let log = folder.path().join("gateway.log");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(programs()?.join("city-gateway"));
        command.arg("--config").arg(&config).env("RUST_LOG", "warn,city_gateway=info");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut gateway = command.spawn().context("cannot start city-gateway")?;
        let (terminals, pages) = match listening(&mut gateway, &log) {
            Ok(addresses) => addresses,
            Err(error) => {
                let _ = gateway.kill();
                let _ = gateway.wait();
                return Err(error);
            }
        };
        Ok(Self { keys, terminals, pages, gateway, database, cluster, folder })
    }

    /// How to reach its database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// An empty database beside it, with the same tables.
    pub async fn another_database(&self) -> Result<String> {
        let database = self.cluster.database()?;
        open_store(&database).await?;
        Ok(database)
    }

    /// Runs SQL in a database; answers what is printed.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let name = database.split("dbname=").nth(1).context("the name of the database")?;
        self.cluster.psql(name, sql)
    }

    /// A number that the gateway's database answers.
    pub fn count(&self, sql: &str) -> Result<u64> {
        Ok(self.sql(&self.database, sql)?.parse()?)
    }

    /// An error when the gateway has ended.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.gateway.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("city-gateway ended: {status}; {}", self.last_words()),
        }
    }

    /// Process id of the gateway.
    pub fn gateway_pid(&self) -> u32 {
        self.gateway.id()
    }

    /// CPU time of the gateway and of PostgreSQL.
    pub fn cpu(&self) -> Result<[Duration; 2]> {
        let server = u32::try_from(self.cluster.server()?)?;
        Ok([process::cpu(self.gateway.id())?, process::cpu_with_children(server)?])
    }

    /// Waits until everything that arrived has been opened, and writes all of it to the disk, so that it does not
    /// disturb what comes next.
    pub async fn settle(&mut self) -> Result<()> {
        let deadline = Instant::now() + OPENED;
        while self.count("SELECT count(*) FROM handling WHERE state = 'received'")? > 0 {
            self.still_runs()?;
            ensure!(Instant::now() < deadline, "the opener does not come to an end; {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.sql(&self.database, "CHECKPOINT").map(|_| ())
    }

    /// A result that was fast and wrong would be worth nothing.
    pub fn check(&self, records: u64) -> Result<()> {
        let held = self.count("SELECT count(*) FROM inbox")?;
        ensure!(held == records, "the city holds {held} records of {records}");
        let aside = self.count("SELECT count(*) FROM quarantine")?;
        ensure!(aside == 0, "{aside} records are in quarantine");
        let dead = self.count("SELECT count(*) FROM handling WHERE state = 'dead_letter'")?;
        ensure!(dead == 0, "the opener did not accept {dead} records");
        Ok(())
    }

    /// The end of the gateway's log.
    pub fn last_words(&self) -> String {
        last_words(&self.folder.path().join("gateway.log"))
    }
}

impl Drop for City {
    fn drop(&mut self) {
        // The handle is not reaped yet, so it can only mean this process.
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// Makes the tables of a gateway in a database, and nothing else.
async fn open_store(database: &str) -> Result<()> {
    use city_gateway::store::InboxStore;
    let store = store(database).await?;
    Ok(store.close().await?)
}

/// The gateway's store on a database, in this process.
pub async fn store(database: &str) -> Result<city_gateway::store::postgres::PostgresStore> {
    use city_gateway::store::postgres::{Address, PoolLimits, PostgresStore};
    let address = Address { words: database.to_owned(), password_file: None, ca: None };
    Ok(PostgresStore::open(&address, PoolLimits::default(), "figures".into()).await?)
}

/// The folder of the built programs: above this program's own.
fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().find(|folder| folder.join("city-gateway").is_file());
    found.map(Path::to_owned).context("city-gateway is not built: run `cargo build --workspace --bins` first")
}

/// Lets this process and those it starts open as many files as the system allows; answers how many connections of
/// terminals the gateway can then hold.
fn allow_files() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    let files = limit.maximum.unwrap_or(1 << 20);
    ensure!(files > 2 * OTHER_FILES, "this machine allows {files} open files; too few for many terminals");
    Ok(files - OTHER_FILES)
}

fn gateway_toml(database: &str, connections: u64) -> Result<toml::Table> {
    Ok(toml::Table::try_from(json!({
        "listen": { "terminals": "127.0.0.1:0", "city": "127.0.0.1:0" },
        "paths": { "state": "state", "keys": "keys", "catalog": project().join("assets/catalog") },
        // The certificates were not issued by this gateway; it lists each when it first sees it.
        "enrolment": { "trust_unlisted": true },
        // As many as the machine's files allow; and small cases are opened in larger portions than the cautious 32.
        "limits": { "connections": connections, "opener_batch": 128 },
        "store": { "kind": "postgres", "address": database },
        "blobs": { "folder": "blobs" },
    }))?)
}

/// Waits until the gateway says where it listens.
fn listening(gateway: &mut Child, log: &Path) -> Result<(SocketAddr, SocketAddr)> {
    let deadline = Instant::now() + START;
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.contains("the gateway is ready")) {
            let address = |name: &str| {
                let word = line.split_whitespace().find_map(|word| word.strip_prefix(name));
                word.and_then(|word| word.parse().ok()).with_context(|| format!("no {name} in {line:?}"))
            };
            return Ok((address("terminals=")?, address("city=")?));
        }
        if let Some(status) = gateway.try_wait()? {
            bail!("city-gateway ended: {status}; {}", last_words(log));
        }
        ensure!(Instant::now() < deadline, "city-gateway does not listen; {}", last_words(log));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    format!("its log ends: {lines:?}")
}
