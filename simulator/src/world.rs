//! The folder a demo lives in: configuration, keys, device links, logs. Everything in it is made here, readable
//! by its owner alone, and survives from run to run unless a fresh start is asked for.
//!
//! ```text
//! DIR/simulator.lock  ports.toml  screen.sock
//! DIR/terminal/       terminal.toml  keys/  state/  typing/  (with a signed catalog: catalog/)
//! DIR/gateway/        gateway.toml   keys/  state/  (with a signed catalog: repository/  catalog-keys/)
//! DIR/switch/         certificates of the captive portal and of the stranger
//! DIR/dev/            links to the virtual devices
//! DIR/logs/           one log per process
//! ```

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use sync_protocol::DocumentKey;

use crate::authority;
use crate::lock::LOCK_FILE;
use crate::network::ImpostorIdentities;
use crate::ports::PortNumbers;
use crate::signed_catalog;
use crate::typing;

/// Code of the demo's terminal.
pub const TERMINAL_CODE: &str = "DG0001";
/// Where it stands.
pub const PLACE: &str = "莞城街道示例社区党群服务中心";
/// Telephone of who keeps it: nobody's.
pub const KEEPER_PHONE: &str = "0769-00000000";
/// Longest path a Unix socket can have, with some room.
const SOCKET_PATH_LIMIT: usize = 100;
/// Written last: keys without it are from an interrupted first start.
const KEYS_COMPLETE: &str = "complete";
const OURS: [&str; 7] = ["ports.toml", "screen.sock", "terminal", "gateway", "switch", "dev", "logs"];

/// The private key with which the city signs documents for residents.
const DOCUMENT_KEY: &str = "city-document.key.pem";

/// Registers of departments; in a demo all of them are made up.
const REGISTERS: [&str; 5] =
    ["social-insurance", "social-insurance-payments", "medical-insurance", "provident-fund", "real-estate"];

/// What the configuration files are made of besides the folder.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Service items.
    pub catalog: PathBuf,
    /// The program that signs them, when the terminal shall take them signed from its city.
    pub publisher: Option<PathBuf>,
    /// Program that renders print-outs.
    pub documents: PathBuf,
    /// Program behind the keyboard on the screen.
    pub typing: Option<PathBuf>,
    /// Room on the disk below which no new case is taken.
    pub min_free_mib: u64,
    /// Short retries, for tests.
    pub quick: bool,
    /// `[devices]` of the terminal.
    pub devices: serde_json::Value,
    /// `section.key=value` on top of the terminal's configuration.
    pub settings: Vec<String>,
}

/// What the rest of the simulator needs to know of the made world.
pub struct Furnished {
    /// Certificates of the network's impostors.
    pub identities: ImpostorIdentities,
    /// Where the terminal stands.
    pub place: String,
}

/// The folder with all its parts.
#[derive(Debug, Clone)]
pub struct World {
    folder: PathBuf,
}

impl World {
    /// Opens (or makes) the folder itself; its parts come with [`World::furnish`], once the lock is held.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        make_folder(folder)?;
        let folder = folder.canonicalize().with_context(|| format!("cannot use {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Removes everything an earlier demo left. Refuses a folder that no simulator has made.
    pub fn clear(&self) -> anyhow::Result<()> {
        let mut strangers = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if name != LOCK_FILE && !OURS.iter().any(|ours| name == *ours) {
                strangers.push(name.to_string_lossy().into_owned());
            }
        }
        ensure!(
            strangers.is_empty(),
            "{} holds things no demo has made ({}); empty it yourself or choose another folder",
            self.folder.display(),
            strangers.join(", ")
        );
        for name in OURS {
            let path = self.folder.join(name);
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes folders, keys (once) and configuration (every time: programs and catalog may have moved).
    pub fn furnish(&self, ports: &PortNumbers, options: &WorldOptions) -> anyhow::Result<Furnished> {
        for part in ["terminal/keys", "terminal/state", "gateway/keys", "gateway/state", "switch", "logs"] {
            make_folder(&self.folder.join(part))?;
        }
        let switch = self.folder.join("switch");
        if !switch.join(KEYS_COMPLETE).exists() {
            self.make_keys()?;
        }
        // Apart, for folders that an older demo left.
        if !self.folder.join("gateway/keys").join(DOCUMENT_KEY).exists() {
            self.make_document_key()?;
        }
        let signed = options.publisher.as_deref().is_some_and(|publisher| self.sign(publisher, options));
        if !signed {
            // With a root of trust the agent would keep its versions in the project's own folder.
            remove_if_there(&self.folder.join("terminal/keys").join(signed_catalog::ROOT))?;
        }
        let terminal = self.terminal_table(ports, options, signed)?;
        let place = terminal["terminal"]["place"].as_str().unwrap_or_default().to_owned();
        write_toml(&self.terminal_config(), terminal)?;
        write_toml(&self.gateway_config(), self.gateway_table(ports, options, signed)?)?;
        let read = |name: &str| {
            let path = switch.join(name);
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let identities = ImpostorIdentities {
            trusted: (read("portal.cert.pem")?, read("portal.key.pem")?),
            stranger: (read("stranger.cert.pem")?, read("stranger.key.pem")?),
        };
        Ok(Furnished { identities, place })
    }

    fn make_keys(&self) -> anyhow::Result<()> {
        let made = authority::make(TERMINAL_CODE)?;
        let switch = vec![
            ("portal.cert.pem", made.network.trusted.0),
            ("portal.key.pem", made.network.trusted.1),
            ("stranger.cert.pem", made.network.stranger.0),
            ("stranger.key.pem", made.network.stranger.1),
            (KEYS_COMPLETE, String::new()),
        ];
        for (part, files) in
            [("terminal/keys", made.terminal), ("gateway/keys", made.gateway), ("switch", switch)]
        {
            for (name, contents) in files {
                let path = self.folder.join(part).join(name);
                write_private(&path, contents.as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn make_document_key(&self) -> anyhow::Result<()> {
        let key = DocumentKey::generate();
        let keys = self.folder.join("gateway/keys");
        // The public half first: the other one says that both are there.
        let files =
            [("city-document.pub.pem", key.public().to_pem()), (DOCUMENT_KEY, key.to_pem().to_string())];
        for (name, contents) in files {
            let path = keys.join(name);
            write_private(&path, contents.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Whether there is a signed catalog now. Without one a demo works all the same, on the plain folder.
    fn sign(&self, publisher: &Path, options: &WorldOptions) -> bool {
        let (gateway, terminal) = (self.folder.join("gateway"), self.folder.join("terminal"));
        let published = signed_catalog::publish(publisher, &options.catalog, &gateway, &terminal);
        if let Err(error) = &published {
            eprintln!("  … 目录未签名 The catalog is not signed: {error:#}");
        }
        published.is_ok()
    }

    fn terminal_table(
        &self,
        ports: &PortNumbers,
        options: &WorldOptions,
        signed: bool,
    ) -> anyhow::Result<toml::Table> {
        let catalog = if signed { Path::new("catalog") } else { &options.catalog };
        let mut config = json!({
            "terminal": { "code": TERMINAL_CODE, "place": PLACE, "demo": true, "keeper_phone": KEEPER_PHONE },
            "paths": { "state": "state", "keys": "keys", "catalog": catalog, "documents": options.documents },
            "panel": { "diagonal_inch": 21.5, "width_px": 1080, "height_px": 1920 },
            "devices": options.devices,
            "store": { "min_free_mib": options.min_free_mib },
            "city": {
                "url": format!("https://localhost:{}", ports.network),
                "verify_url": format!("http://127.0.0.1:{}/v/", ports.city),
            },
        });
        // On a terminal the waits grow to a quarter of an hour; a visitor who turns the network on again is not that
        // patient, and a test less so.
        config["sync"] = if options.quick {
            json!({ "retry_base_ms": 50, "retry_cap_ms": 1000, "tick_ms": 100, "poll_ms": 50, "hello_every_ms": 2000 })
        } else {
            json!({ "retry_base_ms": 500, "retry_cap_ms": 5000, "tick_ms": 1000, "hello_every_ms": 15_000 })
        };
        if let Some(program) = &options.typing {
            config["typing"] = json!({ "program": program, "tables": typing::TABLES });
        }
        config["catalog"] = json!({ "spread_s": 0, "refresh_s": if options.quick { 5 } else { 600 } });
        let mut table = toml::Table::try_from(config)?;
        for setting in &options.settings {
            apply_setting(&mut table, setting)?;
        }
        Ok(table)
    }

    fn gateway_table(
        &self,
        ports: &PortNumbers,
        options: &WorldOptions,
        signed: bool,
    ) -> anyhow::Result<toml::Table> {
        let mut paths = json!({ "state": "state", "keys": "keys", "catalog": options.catalog });
        if signed {
            paths["catalog_repository"] = json!("repository");
        }
        let registers: serde_json::Map<_, _> =
            REGISTERS.iter().map(|name| ((*name).to_owned(), json!({ "kind": "reference" }))).collect();
        Ok(toml::Table::try_from(json!({
            "listen": {
                "terminals": format!("127.0.0.1:{}", ports.terminals),
                "city": format!("127.0.0.1:{}", ports.city),
            },
            "paths": paths,
            // The demo's terminal got its certificate from the simulator, not from the gateway.
            "enrolment": { "trust_unlisted": true },
            // The simulator's page shows the city's inbox and the keeper's calls; a real city has its operators sign in.
            "city": { "open_feed": true },
            "documents": {
                "address": format!("http://127.0.0.1:{}/d/", ports.city),
                "demo": true,
                "renderer": options.documents,
            },
            "registers": registers,
        }))?)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the ports are noted.
    pub fn ports_file(&self) -> PathBuf {
        self.folder.join("ports.toml")
    }

    /// Configuration of `kiosk-app` and `sync-agent`.
    pub fn terminal_config(&self) -> PathBuf {
        self.folder.join("terminal/terminal.toml")
    }

    /// Everything of the terminal.
    pub fn terminal(&self) -> PathBuf {
        self.folder.join("terminal")
    }

    /// The terminal's databases.
    pub fn terminal_state(&self) -> PathBuf {
        self.folder.join("terminal/state")
    }

    /// Configuration of `city-gateway`.
    pub fn gateway_config(&self) -> PathBuf {
        self.folder.join("gateway/gateway.toml")
    }

    /// One log per process.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The folder of the devices' ports, which is made when it is not there yet: devices are set up before the
    /// configuration names them.
    pub fn devices(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join("dev");
        make_folder(&folder)?;
        Ok(folder)
    }

    /// Where the kiosk connects its screen.
    pub fn screen_socket(&self) -> anyhow::Result<PathBuf> {
        let path = self.folder.join("screen.sock");
        ensure!(
            path.as_os_str().len() <= SOCKET_PATH_LIMIT,
            "the path {} is too long for a socket; choose a state folder with a shorter name",
            path.display()
        );
        Ok(path)
    }
}

fn apply_setting(table: &mut toml::Table, setting: &str) -> anyhow::Result<()> {
    let Some((path, value)) = setting.split_once('=') else {
        bail!("--set needs section.key=value, not {setting:?}");
    };
    let Some((section, key)) = path.split_once('.') else {
        bail!("--set needs section.key=value, not {setting:?}");
    };
    // Anything that is not a TOML value by itself is meant as text.
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let section = section.as_table_mut().with_context(|| format!("{path:?} is not in a section"))?;
    section.insert(key.to_owned(), value);
    Ok(())
}

fn write_toml(path: &Path, table: toml::Table) -> anyhow::Result<()> {
    write_private(path, toml::to_string(&table)?.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn make_folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the folder {}", path.display()))
}

/// Writes a file that only its owner can read, replacing an older one in one step.
pub fn write_private(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let staged = PathBuf::from(staged);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
    file.write_all(contents)?;
    drop(file);
    std::fs::rename(&staged, path)
}

#[cfg(test)]
#[path = "world/tests.rs"]
mod tests;
