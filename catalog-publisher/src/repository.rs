//! The repository on disk: what is there already, and where new files go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::from_slice;
use tough::schema::{Root, Signed, Snapshot, Targets, Timestamp};

use crate::files;

/// A folder with `metadata/` and `targets/`.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    folder: PathBuf,
}

/// The newest signed versions.
pub(crate) struct Newest {
    pub(crate) timestamp: Signed<Timestamp>,
    pub(crate) snapshot: Signed<Snapshot>,
    pub(crate) targets: Signed<Targets>,
}

impl Repository {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn metadata(&self, name: &str) -> PathBuf {
        self.folder.join("metadata").join(name)
    }

    /// The newest root; nothing in a new repository.
    pub(crate) fn root(&self) -> Result<Option<Signed<Root>>> {
        let mut newest = None;
        for version in 1_u64.. {
            match fs::read(self.metadata(&format!("{version}.root.json"))) {
                Ok(bytes) => newest = Some(from_slice(&bytes).context("a root that cannot be read")?),
                Err(_) => break,
            }
        }
        Ok(newest)
    }

    /// What is published now; nothing in a new repository.
    pub(crate) fn newest(&self) -> Result<Option<Newest>> {
        let Ok(bytes) = fs::read(self.metadata("timestamp.json")) else { return Ok(None) };
        let timestamp: Signed<Timestamp> = from_slice(&bytes).context("timestamp.json cannot be read")?;
        let Some(snapshot) = timestamp.signed.meta.get("snapshot.json") else {
            bail!("timestamp.json names no snapshot");
        };
        let snapshot: Signed<Snapshot> = self.read(&format!("{}.snapshot.json", snapshot.version))?;
        let Some(targets) = snapshot.signed.meta.get("targets.json") else {
            bail!("the snapshot names no targets");
        };
        let targets = self.read(&format!("{}.targets.json", targets.version))?;
        Ok(Some(Newest { timestamp, snapshot, targets }))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.metadata(name);
        let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        from_slice(&bytes).with_context(|| format!("{} cannot be understood", path.display()))
    }

    pub(crate) fn write_metadata(&self, name: &str, bytes: &[u8]) -> Result<()> {
        files::replace(&self.metadata(name), bytes)
    }

    /// A file of the catalog lies under its hash, before the last part of its name, as python-tuf has it.
    pub(crate) fn write_target(&self, name: &str, sha256: &str, bytes: &[u8]) -> Result<()> {
        let name = match name.rsplit_once('/') {
            Some((folders, last)) => format!("{folders}/{sha256}.{last}"),
            None => format!("{sha256}.{name}"),
        };
        let path = self.folder.join("targets").join(name);
        if path.exists() { Ok(()) } else { files::replace(&path, bytes) }
    }
}
