//! `gateway.toml`: where to listen, where things lie, and a limit for everything that could grow.
//!
//! Deliberately absent: keys. They lie in files of their own, named by [`Paths::keys`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Addresses.
    pub listen: Listen,
    /// Folders.
    pub paths: Paths,
    /// Limits; every one has a default.
    #[serde(default)]
    pub limits: Limits,
    /// Which database; without it the embedded one in [`Paths::state`].
    #[serde(default)]
    pub store: Store,
}

/// Where the gateway listens. Port 0 takes a free one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// For terminals: HTTPS, client certificate required.
    pub terminals: SocketAddr,
    /// For the city: plain HTTP, on this machine only.
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
}

/// What one gateway takes on at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections of terminals.
    pub connections: usize,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            bodies_mib: 256,
            waiting: 1024,
            batch: 256,
            request_seconds: 20,
            send_allowance: 32,
            opener_batch: 32,
        }
    }
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// `host=… user=… dbname=…`: a PostgreSQL database instead of the embedded one. It may be shared by
    /// several gateways, which then hold the same keys.
    pub postgres: Option<String>,
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
        Self { postgres: None, password_file: None, ca: None, connections: 16, wait_ms: 2000 }
    }
}

impl Limits {
    pub(crate) fn request_deadline(&self) -> Duration {
        Duration::from_secs(self.request_seconds.max(1))
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The operators' pages have no sign-in yet, so they must not leave the machine.
    #[error("listen.city is {0}: the operators' pages may only listen on a loopback address")]
    NotLoopback(SocketAddr),
}

impl Config {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Invalid { path: path.into(), source: source.into() })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for place in [&mut config.paths.state, &mut config.paths.keys, &mut config.paths.catalog] {
            *place = folder.join(&*place);
        }
        for place in [&mut config.store.password_file, &mut config.store.ca].into_iter().flatten() {
            *place = folder.join(&*place);
        }
        config.check()?;
        Ok(config)
    }

    /// What the types cannot say.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.listen.city.ip().is_loopback() {
            Ok(())
        } else {
            Err(ConfigError::NotLoopback(self.listen.city))
        }
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
        assert!(config.store.postgres.is_none());
    }

    #[test]
    fn a_database_is_chosen_and_its_files_are_relative_too() {
        let store = "[store]\npostgres = \"host=db user=gateway dbname=city\"\nca = \"db-ca.pem\"\n";
        let text = format!("[listen]\nterminals = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n{PATHS}{store}");
        let config = load(&text).unwrap();
        let folder = config.paths.state.parent().unwrap();
        assert_eq!(config.store.ca.unwrap(), folder.join("db-ca.pem"));
        assert_eq!(config.store.connections, 16);
    }

    #[test]
    fn the_city_pages_stay_on_the_machine() {
        let text = format!("[listen]\nterminals = \"0.0.0.0:7443\"\ncity = \"0.0.0.0:7080\"\n{PATHS}");
        assert!(matches!(load(&text), Err(ConfigError::NotLoopback(_))));
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let text = format!("[listen]\nterminal = \"0.0.0.0:1\"\ncity = \"127.0.0.1:1\"\n{PATHS}");
        assert!(load(&text).unwrap_err().to_string().contains("terminal"));
    }
}
