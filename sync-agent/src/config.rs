//! The part of `terminal.toml` that concerns the sync agent; every other section belongs to the kiosk and is skipped.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::backoff::Backoff;
use crate::plan::Settings;
use crate::throttle::Band;
use crate::tpm::{DEFAULT_INDEX, OWNER_INDICES};

/// Most records that may ever be under way at once.
pub const LARGEST_WINDOW: u32 = 128;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::ErrorKind,
    },
    /// Not TOML, or a value of the wrong kind.
    #[error("terminal.toml: {0}")]
    Invalid(String),
}

/// Configuration of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Code of the terminal.
    pub terminal: String,
    /// Folder of `outbox.db` and `delivery.db`.
    pub state: PathBuf,
    /// Folder of the keys.
    pub keys: PathBuf,
    /// Base address of the gateway, without a slash at the end.
    pub url: String,
    /// Base address for terminals that have no certificate yet.
    pub enrolment_url: Option<String>,
    /// Waits and limits.
    pub sync: SyncConfig,
    /// The signed catalog.
    pub catalog: CatalogConfig,
    /// The machine's TPM, where one is to be asked.
    pub tpm: Option<TpmConfig>,
}

/// Section `[tpm]`. Where it stands, the counter of the machine's TPM 2.0 is made at the first start and said in each
/// hello (see [`crate::tpm`]); without it no TPM is touched. Everything in it has a default:
///
/// ```toml
/// [tpm]
/// device = "/dev/tpmrm0"  # or the Unix socket of a virtual TPM
/// index = 0x0180474A      # NV index of the counter, in the owner's range
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TpmConfig {
    /// The character device, or the Unix socket of a virtual TPM.
    pub device: PathBuf,
    /// NV index of the counter.
    pub index: u32,
}

impl Default for TpmConfig {
    fn default() -> Self {
        Self { device: "/dev/tpmrm0".into(), index: DEFAULT_INDEX }
    }
}

/// Section `[catalog]`, and `paths.catalog`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CatalogConfig {
    /// Folder of the catalog; taken from `paths.catalog`.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
    /// A folder that may bring a signed catalog, such as a USB stick's.
    pub usb: Option<PathBuf>,
    /// Mean seconds between two looks when the city names no other catalog.
    pub refresh_s: u64,
    /// Seconds over which terminals spread when it does.
    pub spread_s: u64,
}

impl Default for CatalogConfig {
    fn default() -> Self {
        Self { folder: None, usb: None, refresh_s: 6 * 60 * 60, spread_s: 120 }
    }
}

/// Section `[sync]`; everything has a default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SyncConfig {
    /// Upper end of the first wait after a failure.
    pub retry_base_ms: u64,
    /// Upper end of every later wait.
    pub retry_cap_ms: u64,
    /// How often the plan is re-armed whatever its state.
    pub tick_ms: u64,
    /// How often the outbox is looked at.
    pub poll_ms: u64,
    /// Time between two hellos on a good link.
    pub hello_every_ms: u64,
    /// Most records under way at once.
    pub window: u32,
    /// Mean wait of a record in the side lane.
    pub side_lane_ms: u64,
    /// Longest time to connect.
    pub connect_timeout_ms: u64,
    /// Longest time from a request to the end of its answer.
    pub request_timeout_ms: u64,
    /// How fast blobs may be sent at which time of day; the first band that covers the minute counts.
    pub bandwidth: Vec<Band>,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            retry_base_ms: 1000,
            retry_cap_ms: 15 * 60 * 1000,
            tick_ms: 10_000,
            poll_ms: 200,
            hello_every_ms: 60_000,
            window: 32,
            side_lane_ms: 24 * 60 * 60 * 1000,
            connect_timeout_ms: 5000,
            request_timeout_ms: 20_000,
            bandwidth: Vec::new(),
        }
    }
}

impl SyncConfig {
    /// What the plan goes by.
    pub fn settings(&self) -> Settings {
        Settings {
            backoff: Backoff { base_ms: self.retry_base_ms, cap_ms: self.retry_cap_ms },
            window: self.window,
            hello_every_ms: self.hello_every_ms,
            side_lane_ms: self.side_lane_ms,
            // Twice the longest a request can take: after that its task is gone, whatever happened to it.
            lost_after_ms: self.connect_timeout_ms.saturating_add(self.request_timeout_ms).saturating_mul(2),
        }
    }
}

#[derive(Deserialize)]
struct File {
    terminal: Terminal,
    paths: Paths,
    city: City,
    #[serde(default)]
    sync: SyncConfig,
    #[serde(default)]
    catalog: CatalogConfig,
    tpm: Option<TpmConfig>,
}

#[derive(Deserialize)]
struct Terminal {
    code: String,
}

#[derive(Deserialize)]
struct Paths {
    state: PathBuf,
    keys: PathBuf,
    catalog: Option<PathBuf>,
}

#[derive(Deserialize)]
struct City {
    url: String,
    #[serde(default)]
    enrolment_url: Option<String>,
}

impl Config {
    /// Reads `terminal.toml`; relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.display().to_string(),
            cause: error.kind(),
        })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads the text of a `terminal.toml` that lies in `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: File =
            toml::from_str(text).map_err(|error| ConfigError::Invalid(error.message().to_owned()))?;
        let invalid = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        let code = &file.terminal.code;
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return invalid("terminal.code must be six characters of A-Z and 0-9");
        }
        if !file.city.url.starts_with("https://") {
            return invalid("city.url must begin with https://");
        }
        if file.city.enrolment_url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            return invalid("city.enrolment_url must begin with https://");
        }
        let sync = &file.sync;
        let zero = [sync.retry_base_ms, sync.retry_cap_ms, sync.tick_ms, sync.poll_ms, sync.hello_every_ms];
        if zero.contains(&0) || sync.connect_timeout_ms == 0 || sync.request_timeout_ms == 0 {
            return invalid("times in [sync] must not be 0");
        }
        if file.catalog.refresh_s == 0 {
            return invalid("catalog.refresh_s must not be 0");
        }
        if !(1..=LARGEST_WINDOW).contains(&sync.window) {
            return invalid("sync.window must be from 1 to 128");
        }
        if file.tpm.as_ref().is_some_and(|tpm| !OWNER_INDICES.contains(&tpm.index)) {
            return invalid("tpm.index must be from 0x01800000 to 0x01BFFFFF, the owner's range");
        }
        Ok(Self {
            state: folder.join(file.paths.state),
            keys: folder.join(file.paths.keys),
            url: file.city.url.trim_end_matches('/').to_owned(),
            enrolment_url: file.city.enrolment_url.map(|url| url.trim_end_matches('/').to_owned()),
            terminal: file.terminal.code,
            sync: file.sync,
            catalog: CatalogConfig {
                folder: file.paths.catalog.map(|path| folder.join(path)),
                usb: file.catalog.usb.map(|path| folder.join(path)),
                ..file.catalog
            },
            tpm: file.tpm.map(|tpm| TpmConfig { device: folder.join(tpm.device), ..tpm }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [terminal]
        code = "DG0001"
        place = "示例社区"
        [paths]
        state = "state"
        keys = "/abs/keys"
        catalog = "catalog"
        [devices.id_card_reader]
        port = "tty"
        [city]
        url = "https://localhost:8443/"
        verify_url = "http://127.0.0.1:1/v/"
    "#;

    #[test]
    fn paths_are_relative_to_the_file_and_other_sections_are_skipped() {
        let config = Config::parse(GOOD, Path::new("/terminal")).unwrap();
        assert_eq!(config.state, Path::new("/terminal/state"));
        assert_eq!(config.keys, Path::new("/abs/keys"));
        assert_eq!(config.url, "https://localhost:8443");
        assert_eq!(config.sync, SyncConfig::default());
        assert_eq!(config.catalog.folder.as_deref(), Some(Path::new("/terminal/catalog")));
        assert_eq!((config.catalog.usb, config.catalog.spread_s), (None, 120));
        assert_eq!(config.tpm, None);
    }

    #[test]
    fn the_sync_section_overrides_what_it_names() {
        let text = format!("{GOOD}\n[sync]\nretry_base_ms = 20\nretry_cap_ms = 400\nlater_key = true");
        let sync = Config::parse(&text, Path::new("/")).unwrap().sync;
        assert_eq!((sync.retry_base_ms, sync.retry_cap_ms, sync.tick_ms), (20, 400, 10_000));
    }

    #[test]
    fn a_tpm_is_asked_where_the_section_stands() {
        let parse = |more: &str| Config::parse(&format!("{GOOD}\n[tpm]\n{more}"), Path::new("/terminal"));
        assert_eq!(parse("").unwrap().tpm, Some(TpmConfig::default()));
        let other = parse("device = \"tpm.sock\"\nindex = 0x01800001").unwrap().tpm.unwrap();
        assert_eq!((other.device.as_path(), other.index), (Path::new("/terminal/tpm.sock"), 0x0180_0001));
        for wrong in ["index = 0x017FFFFF", "index = 0x01C00000", "index = -1", "device = 5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nonsense_is_said() {
        for (from, to) in [
            ("DG0001", "dg0001"),
            ("DG0001", "DG00012"),
            ("https://", "http://"),
            ("[city]", "[town]"),
            ("code =", "code : "),
        ] {
            assert!(Config::parse(&GOOD.replace(from, to), Path::new("/")).is_err(), "{to}");
        }
        for wrong in ["window = 0", "window = 129", "tick_ms = 0"] {
            assert!(Config::parse(&format!("{GOOD}\n[sync]\n{wrong}"), Path::new("/")).is_err(), "{wrong}");
        }
        assert!(matches!(Config::load(Path::new("/nowhere.toml")), Err(ConfigError::Unreadable { .. })));
    }
}
