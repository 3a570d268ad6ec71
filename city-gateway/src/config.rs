//! `gateway.toml`: where to listen, where things lie, and a limit for everything that could grow.
//!
//! Deliberately absent: keys. They lie in files of their own, named by [`Paths::keys`].

mod documents;
mod error;
mod telemetry;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use documents::Documents;
pub use error::ConfigError;
pub(crate) use telemetry::Collector;
pub use telemetry::Telemetry;

use crate::desk::Retention;
use crate::registers::{RegisterConfig, RegisterKind};
use crate::relay::RelayConfig;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Addresses.
    pub listen: Listen,
    /// Folders.
    pub paths: Paths,
    /// Certificates of terminals; everything has a default.
    #[serde(default)]
    pub enrolment: Enrolment,
    /// Limits; every one has a default.
    #[serde(default)]
    pub limits: Limits,
    /// Which database; everything has a default.
    #[serde(default)]
    pub store: Store,
    /// Photos, scans and signatures; everything has a default.
    #[serde(default)]
    pub blobs: BlobPlace,
    /// The operators' pages.
    #[serde(default)]
    pub city: CityPages,
    /// After how long what is deleted.
    #[serde(default)]
    pub retention: Retention,
    /// To whom figures are sent; to nobody by itself.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// The departments to which cases are handed on; none when absent.
    #[serde(default)]
    pub relay: RelayConfig,
    /// What the city issues to residents on paper.
    #[serde(default)]
    pub documents: Documents,
    /// Registers of departments, by the name that items give: `[registers.social-insurance]`.
    #[serde(default)]
    pub registers: HashMap<String, RegisterConfig>,
}

/// The operators' pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CityPages {
    /// Shows the masked inbox to whoever is on this machine, without sign-in: for demos and tests. Refused when the
    /// pages listen elsewhere.
    pub open_feed: bool,
    /// The department of items that the catalog does not know.
    pub default_department: String,
    /// Certificate and key of the pages; without them they stay on this machine.
    pub tls: Option<CityTls>,
}

impl Default for CityPages {
    fn default() -> Self {
        Self { open_feed: false, default_department: "政务服务中心".into(), tls: None }
    }
}

/// Certificate and key of the operators' pages; relative paths start at the folder of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityTls {
    /// Certificate chain in PEM.
    pub cert: PathBuf,
    /// Private key in PEM.
    pub key: PathBuf,
}

/// Where the gateway listens. Port 0 takes a free one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// For terminals: HTTPS, client certificate required.
    pub terminals: SocketAddr,
    /// For terminals that have no certificate yet: HTTPS. Without it nobody can enrol here.
    #[serde(default)]
    pub enrolment: Option<SocketAddr>,
    /// For the city: on this machine only, unless `[city.tls]` is set.
    pub city: SocketAddr,
}

/// Folders; relative ones start at the folder of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// Database.
    pub state: PathBuf,
    /// Keys and certificates.
    pub keys: PathBuf,
    /// Catalog of service items.
    pub catalog: PathBuf,
    /// The signed catalog's repository, handed out to terminals; none when absent.
    #[serde(default)]
    pub catalog_repository: Option<PathBuf>,
}

/// Certificates of terminals.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrolment {
    /// Name of the file in the folder of keys that holds the issuing key; its certificate is in `terminal-ca.pem`.
    pub issuing_key: PathBuf,
    /// How long a certificate is valid, in days: 1 to 90. Terminals renew when two thirds of it are over.
    pub certificate_days: u16,
    /// Whether a certificate of a trusted authority that nobody has listed is listed when it is first seen. Meant
    /// for the days after the city's database was restored from a backup, and for trying things out.
    pub trust_unlisted: bool,
    /// After so many seconds the list is asked again, so that what another gateway changed is seen.
    pub refresh_seconds: u64,
}

impl Default for Enrolment {
    fn default() -> Self {
        Self {
            issuing_key: "terminal-ca.key.pem".into(),
            certificate_days: 90,
            trust_unlisted: false,
            refresh_seconds: 5,
        }
    }
}

/// What one gateway takes on at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections of terminals.
    pub connections: usize,
    /// Handshakes of terminals under way at once. More are hung up on, so that those under way end before their terminals
    /// lose patience: a gateway that begins all of a thousand ends none of them.
    pub handshakes: usize,
    /// Bytes of request bodies in memory, in MiB.
    pub bodies_mib: usize,
    /// Records that may wait for the database.
    pub waiting: usize,
    /// Records in one commit.
    pub batch: usize,
    /// Seconds one request may take, from its first header to the end of its answer.
    pub request_seconds: u64,
    /// Records one terminal may have under way; told to it in the answer to hello.
    pub send_allowance: u32,
    /// Records the opener takes at a time.
    pub opener_batch: usize,
    /// Bytes of blob pieces in memory, in MiB; apart from records, so that records go first.
    pub blob_bodies_mib: usize,
    /// Seconds one piece of a blob may take: 256 KiB over the slowest link in the field.
    pub blob_request_seconds: u64,
    /// Live questions that wait for the opener.
    pub questions: usize,
    /// What the city takes on in a second.
    pub city: Budget,
    /// What one terminal may send in a second.
    pub terminal: Budget,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshakes: 256,
            bodies_mib: 256,
            waiting: 1024,
            batch: 256,
            request_seconds: 20,
            send_allowance: 32,
            opener_batch: 32,
            blob_bodies_mib: 64,
            blob_request_seconds: 300,
            questions: 64,
            city: Budget { records_per_second: 10_000, mib_per_second: 256, blob_mib_per_second: 128 },
            terminal: Budget { records_per_second: 1000, mib_per_second: 64, blob_mib_per_second: 32 },
        }
    }
}

/// The database: embedded in [`Paths::state`], or PostgreSQL.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Of which kind.
    pub kind: StoreKind,
    /// `host=… user=… dbname=…`: where the PostgreSQL database is. It may be shared by several gateways, which then
    /// hold the same keys, each with a state folder of its own.
    pub address: Option<String>,
    /// File with its password, if it needs one.
    pub password_file: Option<PathBuf>,
    /// File with its certificate authority; needed unless it is on this machine.
    pub ca: Option<PathBuf>,
    /// Connections to it.
    pub connections: usize,
    /// Milliseconds that a request waits for a free connection before it is told to come again.
    pub wait_ms: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kind: StoreKind::Sqlite,
            address: None,
            password_file: None,
            ca: None,
            connections: 16,
            wait_ms: 2000,
        }
    }
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A file of the gateway's own.
    Sqlite,
    /// A PostgreSQL database.
    Postgres,
}

/// What may come in a second.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Records.
    pub records_per_second: u32,
    /// Their bytes, in MiB.
    pub mib_per_second: u32,
    /// Bytes of blobs, in MiB.
    pub blob_mib_per_second: u32,
}

/// Where blobs lie, and how long what nobody names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobPlace {
    /// Folder; `blobs` in the state folder when it is not said.
    pub folder: Option<PathBuf>,
    /// A bucket instead of a folder. With PostgreSQL one of the two has to be said, because all gateways on a database
    /// have to find the same blobs.
    pub s3: Option<S3>,
    /// Limits.
    pub limits: BlobLimits,
}

impl BlobPlace {
    /// The folder, when it is one.
    pub(crate) fn folder_in(&self, state: &Path) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| state.join("blobs"))
    }
}

/// A bucket. The keys to it are in the environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// Its region; any word for a server of one's own.
    pub region: String,
    /// Address of the server, when it is not Amazon's.
    pub endpoint: Option<String>,
    /// Everything lies under this prefix.
    pub prefix: Option<String>,
}

/// Limits for blobs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobLimits {
    /// MiB of blobs that no record names, of one terminal.
    pub unnamed_mib: u64,
    /// The same in blobs.
    pub unnamed: u64,
    /// Days after which what no record names is removed.
    pub unnamed_days: i64,
    /// Hours after which an operator is told that promised blobs did not come.
    pub overdue_hours: i64,
}

impl Default for BlobLimits {
    fn default() -> Self {
        Self { unnamed_mib: 512, unnamed: 256, unnamed_days: 30, overdue_hours: 72 }
    }
}

impl Limits {
    pub(crate) fn request_deadline(&self) -> Duration {
        Duration::from_secs(self.request_seconds.max(1))
    }
}

impl Config {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Invalid { path: path.into(), source: source.into() })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for place in [&mut config.paths.state, &mut config.paths.keys, &mut config.paths.catalog]
            .into_iter()
            .chain(&mut config.blobs.folder)
        {
            *place = folder.join(&*place);
        }
        for place in [&mut config.store.password_file, &mut config.store.ca].into_iter().flatten() {
            *place = folder.join(&*place);
        }
        if let Some(tls) = &mut config.city.tls {
            tls.cert = folder.join(&tls.cert);
            tls.key = folder.join(&tls.key);
        }
        config.paths.catalog_repository = config.paths.catalog_repository.map(|path| folder.join(path));
        config.relay.resolve(folder);
        config.registers.values_mut().for_each(|register| register.resolve(folder));
        config.documents.renderer = config.documents.renderer.map(|path| folder.join(path));
        config.check()?;
        Ok(config)
    }

    /// What the types cannot say.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let days = self.enrolment.certificate_days;
        if !(1..=90).contains(&days) {
            return Err(ConfigError::CertificateDays(days));
        }
        if !self.listen.city.ip().is_loopback() {
            if self.city.open_feed {
                return Err(ConfigError::OpenFeed(self.listen.city));
            }
            if self.city.tls.is_none() {
                return Err(ConfigError::NotLoopback(self.listen.city));
            }
        }
        self.telemetry.collector()?;
        self.relay.check().map_err(ConfigError::Relay)?;
        self.check_documents().map_err(ConfigError::Documents)?;
        let postgres = self.store.kind == StoreKind::Postgres;
        if postgres != self.store.address.is_some() {
            return Err(ConfigError::StoreAddress);
        }
        if postgres && self.blobs.folder.is_none() && self.blobs.s3.is_none() {
            return Err(ConfigError::BlobPlace);
        }
        if self.retention.is_sound() { Ok(()) } else { Err(ConfigError::Retention) }
    }

    fn check_documents(&self) -> Result<(), String> {
        self.documents.check()?;
        for (name, register) in &self.registers {
            register.check(name).map_err(|why| format!("registers.{why}"))?;
        }
        if !self.registers.is_empty() && self.documents.address.is_none() {
            return Err("where there are registers, documents.address must be set".into());
        }
        let made_up = |register: &RegisterConfig| register.kind == RegisterKind::Reference;
        if !self.documents.demo && self.registers.values().any(made_up) {
            return Err("what made-up registers say may only be issued with documents.demo = true".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path).inspect(|config| assert_eq!(config.paths.state, folder.path().join("state")))
    }

    const PATHS: &str = "[paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"/catalog\"\n";

    #[test]
    fn relative_paths_start_at_the_file_and_limits_have_defaults() {
        let text = format!("[listen]\nterminals = \"0.0.0.0:7443\"\ncity = \"127.0.0.1:7080\"\n{PATHS}");
        let config = load(&text).unwrap();
        assert_eq!(config.paths.catalog, Path::new("/catalog"));
        assert_eq!(config.limits.send_allowance, 32);
        assert_eq!(config.store.kind, StoreKind::Sqlite);
    }

    #[test]
    fn a_database_is_chosen_and_its_files_are_relative_too() {
        let store =
            "[store]\nkind = \"postgres\"\naddress = \"host=db user=g dbname=city\"\nca = \"db-ca.pem\"\n";
        let text = format!("[listen]\nterminals = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n{PATHS}{store}");
        assert!(matches!(load(&text), Err(ConfigError::BlobPlace)));
        let text = format!("{text}[blobs]\nfolder = \"/shared\"\n");
        let without = text.replace("kind = \"postgres\"\n", "");
        assert!(matches!(load(&without), Err(ConfigError::StoreAddress)));
        let config = load(&text).unwrap();
        let folder = config.paths.state.parent().unwrap();
        assert_eq!(config.store.ca.unwrap(), folder.join("db-ca.pem"));
        assert_eq!(config.store.connections, 16);
    }

    #[test]
    fn the_city_pages_stay_on_the_machine() {
        let text = format!("[listen]\nterminals = \"0.0.0.0:7443\"\ncity = \"0.0.0.0:7080\"\n{PATHS}");
        assert!(matches!(load(&text), Err(ConfigError::NotLoopback(_))));
        let tls = "[city]\nopen_feed = FEED\n[city.tls]\ncert = \"city.pem\"\nkey = \"city.key\"\n";
        let closed = load(&format!("{text}{}", tls.replace("FEED", "false"))).unwrap();
        assert!(closed.city.tls.unwrap().cert.is_absolute());
        let open = load(&format!("{text}{}", tls.replace("FEED", "true")));
        assert!(matches!(open, Err(ConfigError::OpenFeed(_))));
    }

    #[test]
    fn audit_lines_outlive_what_they_speak_of() {
        let text = format!("[listen]\nterminals = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n{PATHS}");
        let rules = "[retention]\nfinished_case_days = 4000\naudit_years = 6\n";
        assert!(matches!(load(&format!("{text}{rules}")), Err(ConfigError::Retention)));
        assert_eq!(load(&text).unwrap().retention.finished_case_days, 730);
    }

    #[test]
    fn a_certificate_is_valid_for_some_time_but_not_for_ever() {
        let listen = "[listen]\nterminals = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n";
        for (days, good) in [(0, false), (1, true), (90, true), (91, false)] {
            let text = format!("{listen}{PATHS}[enrolment]\ncertificate_days = {days}\n");
            assert_eq!(load(&text).is_ok(), good, "{days}");
        }
        let config = load(&format!("{listen}{PATHS}")).unwrap();
        assert!(!config.enrolment.trust_unlisted && config.listen.enrolment.is_none());
    }

    #[test]
    fn made_up_people_are_never_in_a_true_document() {
        let listen = "[listen]\nterminals = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n";
        let address = "[documents]\naddress = \"https://city.example/d/\"\n";
        let register = "[registers.social-insurance]\nkind = \"reference\"\n";
        let config = load(&format!("{listen}{PATHS}{address}demo = true\n{register}")).unwrap();
        assert_eq!((config.documents.valid_days, config.registers.len()), (90, 1));
        for wrong in [
            format!("{address}{register}"),
            register.to_owned(),
            format!("{address}valid_days = 0\n"),
            address.replace("https", "http"),
            address.replace("/d/", "/x/"),
            format!("{address}demo = true\n{}", register.replace("social", "other")),
        ] {
            let refused = load(&format!("{listen}{PATHS}{wrong}"));
            assert!(matches!(refused, Err(ConfigError::Documents(_))), "{wrong}: {refused:?}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let text = format!("[listen]\nterminal = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n{PATHS}");
        assert!(load(&text).unwrap_err().to_string().contains("terminal"));
    }
}
