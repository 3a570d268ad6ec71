//! The city: a PostgreSQL of its own, two gateway processes on it, blobs in a folder that both share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use city_gateway::test_cluster::Cluster;
use sync_protocol::{CityReceiptKey, CityReceiptPublicKey, SealKeyPair};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::authority::Authority;
use crate::books::Tally;
use crate::program::{self, Program, Word};
use crate::proxy::Behind;
use crate::small_disk::SmallDisk;

/// Gateways on the database.
pub const GATEWAYS: usize = 2;

/// The city.
pub struct City {
    /// Certifies the city's servers.
    pub servers: Authority,
    /// Certifies terminals.
    pub terminals: Authority,
    /// To whom terminals seal.
    pub recipient: String,
    /// Checks receipts.
    pub receipts: CityReceiptPublicKey,
    /// Where the gateways are.
    pub behind: Behind,
    /// The gateways.
    pub gateways: Vec<Program>,
    /// The disk of the blobs, where that can be filled.
    pub disk: Option<SmallDisk>,
    folder: PathBuf,
    blobs: PathBuf,
    cluster: Arc<Cluster>,
    database: String,
    /// The last copy; held while the server is down or being copied.
    copy: Mutex<Option<PathBuf>>,
}

impl City {
    /// Makes keys and database and starts both gateways. `fail_points` are those of the gateways.
    pub async fn start(folder: &Path, disk_mib: Option<u64>, fail_points: Option<String>) -> Result<Self> {
        let (servers, terminals) = (Authority::new("the city")?, Authority::new("terminals")?);
        let (seal, receipt) = (SealKeyPair::generate(), CityReceiptKey::generate());
        let keys = folder.join("keys");
        std::fs::create_dir_all(&keys)?;
        let (certificate, key) = servers.server()?;
        for (name, text) in [
            ("gateway.key.pem", key),
            ("gateway.cert.pem", certificate),
            ("terminal-ca.pem", terminals.certificate()),
            ("terminal-ca.key.pem", terminals.key()),
            ("city-ca.pem", servers.certificate()),
            ("city-seal.key", seal.identity.to_string()),
            ("city-receipt.key.pem", receipt.to_pem().to_string()),
        ] {
            std::fs::write(keys.join(name), text)?;
        }
        let disk = disk_mib.map(|mib| SmallDisk::mount(&folder.join("city-disk"), mib)).transpose()?;
        let blobs = disk.as_ref().map_or(folder.join("blobs"), |disk| disk.folder().join("blobs"));
        let (cluster, address) = blocking(|| {
            let cluster = Cluster::private()?;
            let address = cluster.database()?;
            Ok((Arc::new(cluster), address))
        })
        .await?;
        let database = address.rsplit('=').next().context("a database has a name")?.to_owned();
        let behind = Behind::places(GATEWAYS);
        let mut gateways = Vec::new();
        for at in 0..GATEWAYS {
            let config = configure(folder, at, &address, &blobs)?;
            gateways.push(serve(folder, at, config, behind.clone(), fail_points.clone())?);
        }
        Ok(Self {
            servers,
            terminals,
            recipient: seal.recipient,
            receipts: receipt.public(),
            behind,
            gateways,
            disk,
            folder: folder.to_owned(),
            blobs,
            cluster,
            database,
            copy: Mutex::new(None),
        })
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> &Path {
        &self.blobs
    }

    /// Runs SQL with the standard program; one row a line, columns between bars.
    pub async fn ask(&self, sql: &str) -> Result<String> {
        let (cluster, database, sql) = (Arc::clone(&self.cluster), self.database.clone(), sql.to_owned());
        blocking(move || cluster.psql(&database, &sql)).await
    }

    /// The server dies as in a loss of power, and comes back.
    pub async fn kill_database(&self) -> Result<()> {
        let _alone = self.copy.lock().await;
        let cluster = Arc::clone(&self.cluster);
        blocking(move || cluster.kill().and_then(|()| cluster.start(&[]))).await
    }

    /// Copies the running server, and says so to a gateway: what was there a while before it began is durable now.
    pub async fn copy_database(&self) -> Result<()> {
        let mut last = self.copy.lock().await;
        let began = OffsetDateTime::now_utc();
        let cluster = Arc::clone(&self.cluster);
        let made = blocking(move || cluster.copy()).await?;
        if let Some(older) = last.replace(made) {
            // It may belong to the server's account; what stays goes with the cluster.
            let _ = std::fs::remove_dir_all(older);
        }
        self.operate(&["mark-durable", "--up-to", &began.format(&Rfc3339)?]).await
    }

    /// Puts the last copy back in the place of the database, as an operator does after a disaster: it goes on in a
    /// new history. Nobody tells the gateways, and nobody tells the terminals. `false` when there is no copy yet.
    pub async fn restore_database(&self) -> Result<bool> {
        let last = self.copy.lock().await;
        let Some(copy) = last.clone() else { return Ok(false) };
        let cluster = Arc::clone(&self.cluster);
        blocking(move || {
            cluster.kill()?;
            cluster.put_back(&copy)?;
            cluster.promoted()
        })
        .await?;
        Ok(true)
    }

    /// Calls the gateway's program as an operator does.
    async fn operate(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new(program::file("city-gateway")?);
        command.args(words).arg("--config").arg(self.folder.join("gateway-0.toml"));
        let output = command.env_remove("FAILPOINTS").kill_on_drop(true).output().await?;
        ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The gateways' logs.
    pub fn log_files(&self) -> Vec<PathBuf> {
        (0..GATEWAYS).map(|at| self.folder.join(format!("logs/gateway-{at}.log"))).collect()
    }
}

/// Work that blocks, beside everything else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

fn configure(folder: &Path, at: usize, database: &str, blobs: &Path) -> Result<PathBuf> {
    let path = folder.join(format!("gateway-{at}.toml"));
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/catalog");
    let text = format!(
        "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
         [paths]\nstate = \"gateway-{at}\"\nkeys = \"keys\"\ncatalog = \"{}\"\n\
         [store]\nkind = \"postgres\"\naddress = \"{database}\"\nwait_ms = 1000\n\
         [blobs]\nfolder = \"{}\"\n\
         [enrolment]\ntrust_unlisted = true\n",
        catalog.display(),
        blobs.display()
    );
    std::fs::write(&path, text)?;
    Ok(path)
}

fn serve(
    folder: &Path,
    at: usize,
    config: PathBuf,
    behind: Behind,
    fail_points: Option<String>,
) -> Result<Program> {
    let file = program::file("city-gateway")?;
    let command = move || {
        let mut command = Command::new(&file);
        command.arg("--config").arg(&config).env("RUST_LOG", "info,city_gateway=debug");
        command.env_remove("FAILPOINTS");
        if let Some(points) = &fail_points {
            command.env("FAILPOINTS", points);
        }
        command
    };
    Program::keep(&format!("gateway-{at}"), &folder.join("logs"), command, move |word| match word {
        Word::Logged(line) if line.contains("the gateway is ready") => {
            let address = line.split_whitespace().find_map(|word| word.strip_prefix("terminals="));
            behind.set(at, address.and_then(|address| address.parse().ok()));
        }
        Word::Ended => behind.set(at, None),
        Word::Said(_) | Word::Logged(_) => {}
    })
}

/// Counts how often the gateways said what shows that faults reached them.
pub fn noticed(city: &City, tally: &Tally) -> Result<()> {
    for file in city.log_files() {
        let log = std::fs::read_to_string(&file)?;
        for (words, what) in [
            ("goes on from an earlier moment", "new epochs"),
            ("put into quarantine", "records in quarantine"),
        ] {
            for _ in 0..log.matches(words).count() {
                tally.count(what);
            }
        }
    }
    Ok(())
}
