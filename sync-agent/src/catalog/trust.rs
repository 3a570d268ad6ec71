//! What the terminal remembers of signed versions, in one file that is replaced as a whole.
//!
//! The TUF library keeps this in several files and writes them in place; a cut there makes it forget, silently, how
//! far it was, and with that its guard against older catalogs. So it only ever gets a copy to work on, and what it
//! leaves is taken over in one step, after everything was verified. The lower bounds are kept a second time beside
//! each version, for the case that this file is lost.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sync_protocol::sha256_hex;
use tough::schema::{RoleType, Root, Signed};

use super::error::CatalogError;
use super::folder::CatalogFolder;

const FILE: &str = "trust.json";

/// Longest `trust.json` that is read: four signed files and some words.
const LONGEST: u64 = 32 * 1024 * 1024;

/// Everything that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trust {
    /// Newest root, as text.
    pub(crate) root: String,
    /// Newest timestamp, as text.
    pub(crate) timestamp: Option<String>,
    /// Newest snapshot, as text.
    pub(crate) snapshot: Option<String>,
    /// Newest targets, as text.
    pub(crate) targets: Option<String>,
    /// What no later catalog may go below.
    pub(crate) floor: Floor,
    /// The city's last word about the time, milliseconds since 1970.
    pub(crate) city_ms: Option<i64>,
}

/// Versions that were seen, verified, and that no later catalog may go below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floor {
    pub(crate) root: u64,
    pub(crate) timestamp: u64,
    pub(crate) snapshot: u64,
    /// Version of the targets: the catalog's number.
    pub(crate) targets: u64,
    /// Keys of timestamp and snapshot. After the city changed them its counting may begin anew, so that stolen keys
    /// cannot block it with huge numbers; the catalog's own number never goes back all the same.
    pub(crate) online_keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    sha256: String,
    trust: String,
}

impl Trust {
    /// Reads what is remembered. A lost or damaged file is begun anew from the shipped root, with the lower bounds
    /// that lie beside the versions.
    pub(crate) fn load(folder: &CatalogFolder, shipped_root: &str) -> Result<Self, CatalogError> {
        let shipped = root_version(shipped_root).ok_or(CatalogError::Root)?;
        let mut trust = match read(&folder.beside(FILE)) {
            Ok(Some(trust)) => trust,
            found => {
                if found.is_err() {
                    tracing::error!("the catalog's trust.json is damaged and begun anew");
                }
                Self::from_shipped(folder, shipped_root)
            }
        };
        // A newer image brings a newer root.
        if root_version(&trust.root).is_none_or(|known| known < shipped) {
            trust.root = shipped_root.to_owned();
        }
        Ok(trust)
    }

    fn from_shipped(folder: &CatalogFolder, root: &str) -> Self {
        let mut floor = Floor::default();
        for installed in folder.installed() {
            let kept = fs::read(folder.files_of(&installed).join("floor.json"));
            let kept: Floor =
                kept.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
            floor = Floor {
                root: floor.root.max(kept.root),
                targets: floor.targets.max(kept.targets).max(installed.number),
                timestamp: kept.timestamp,
                snapshot: kept.snapshot,
                online_keys: kept.online_keys,
            };
        }
        Self { root: root.to_owned(), timestamp: None, snapshot: None, targets: None, floor, city_ms: None }
    }

    /// Takes the place of what was remembered, in one step.
    pub(crate) fn commit(&self, folder: &CatalogFolder) -> Result<(), CatalogError> {
        let trust = serde_json::to_string(self).expect("text and numbers become JSON");
        let file = File { sha256: sha256_hex(trust.as_bytes()), trust };
        let bytes = serde_json::to_vec(&file).expect("text becomes JSON");
        Ok(folder.disk().replace(&folder.beside(FILE), &bytes)?)
    }
}

/// `Ok(None)`: not there. `Err`: there, but damaged.
fn read(path: &Path) -> Result<Option<Trust>, ()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.len() <= LONGEST => {}
        _ => return Err(()),
    }
    let file: File = serde_json::from_slice(&fs::read(path).map_err(drop)?).map_err(drop)?;
    if sha256_hex(file.trust.as_bytes()) != file.sha256 {
        return Err(());
    }
    serde_json::from_str(&file.trust).map(Some).map_err(drop)
}

/// The version of a root, if the text is one.
pub(crate) fn root_version(root: &str) -> Option<u64> {
    serde_json::from_str::<Signed<Root>>(root).ok().map(|root| root.signed.version.get())
}

/// The keys that sign timestamp and snapshot, sorted.
pub(crate) fn online_keys(root: &Root) -> Vec<String> {
    let mut keys = Vec::new();
    for role in [RoleType::Timestamp, RoleType::Snapshot] {
        let ids = root.roles.get(&role).map(|role| role.keyids.as_slice()).unwrap_or_default();
        keys.extend(ids.iter().map(|id| format!("{role}:{}", hex(id))));
    }
    keys.sort();
    keys
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
