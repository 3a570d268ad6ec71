//! Puts a disk image into a real folder, so that the real store can open it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::chance::Chance;
use crate::disk::{Entry, Image};
use crate::recorder::Node;

/// The stores of a terminal, as far as they can be judged apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// `outbox.db` and the blobs. Opening it reads the delivery log too.
    Outbox,
    /// `delivery.db`.
    Delivery,
    /// `audit-kiosk.db`.
    AuditKiosk,
    /// `audit-agent.db`.
    AuditSync,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Outbox, Self::Delivery, Self::AuditKiosk, Self::AuditSync];

    /// Whose files a path belongs to. What nobody knows belongs to the outbox, whose process owns the folder.
    pub fn of(path: &str) -> Self {
        let file = path.split('/').nth(1).unwrap_or_default();
        if file.starts_with("delivery.db") {
            Self::Delivery
        } else if file.starts_with("audit-kiosk.db") {
            Self::AuditKiosk
        } else if file.starts_with("audit-agent.db") {
            Self::AuditSync
        } else {
            Self::Outbox
        }
    }
}

/// A folder in memory where one image after the other is put together.
pub struct Place {
    folder: TempDir,
    /// Blobs that were written out once; images get a hard link.
    blobs: HashSet<String>,
}

impl Place {
    /// A new one, in memory where the machine has such a folder: an image lives for milliseconds.
    pub fn new() -> Result<Self> {
        let folder = in_memory()?;
        std::fs::create_dir(folder.path().join("blobs"))?;
        Ok(Self { folder, blobs: HashSet::new() })
    }

    /// Where the image is.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Puts the files of `stores` there and nothing else. `stale` leaves the garbage of a `-shm` file beside each
    /// database, as a real file system does.
    pub fn put(
        &mut self,
        image: &Image<'_>,
        entries: &[Entry],
        stores: &[Store],
        stale: Option<Chance>,
    ) -> Result<()> {
        let root = self.root();
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        std::fs::create_dir(&root)?;
        for entry in entries {
            let path = root.join(&entry.path);
            if entry.is_folder {
                std::fs::create_dir(&path)?;
            } else if stores.contains(&Store::of(&entry.path)) {
                self.put_file(image, entry, &path).with_context(|| format!("writing {}", entry.path))?;
            }
        }
        let Some(mut chance) = stale else { return Ok(()) };
        for entry in entries.iter().filter(|entry| entry.path.ends_with(".db")) {
            if stores.contains(&Store::of(&entry.path)) {
                let mut garbage = vec![0; 32_768];
                chance.fill(&mut garbage);
                std::fs::write(root.join(format!("{}-shm", entry.path)), garbage)?;
            }
        }
        Ok(())
    }

    fn put_file(&mut self, image: &Image<'_>, entry: &Entry, path: &Path) -> Result<()> {
        let node = image.node(entry.node);
        let Node::File(bytes) = node.as_ref() else { return Ok(()) };
        if !is_finished_blob(&entry.path) {
            return Ok(std::fs::write(path, bytes)?);
        }
        let kept = format!("{}-{:x}", entry.node, entry.key);
        let keeper = self.folder.path().join("blobs").join(&kept);
        if self.blobs.insert(kept) {
            std::fs::write(&keeper, bytes)?;
        }
        Ok(std::fs::hard_link(keeper, path)?)
    }
}

/// A blob that has its name: the store reads it and never writes it again.
pub fn is_finished_blob(path: &str) -> bool {
    path.split('/').nth(1) == Some("blobs")
        && path.split('/').nth(2).is_some_and(|name| !name.starts_with('.'))
}

/// A temporary folder, in memory where there is room for one.
pub fn in_memory() -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("powercut-");
    builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).context("a temporary folder")
}
