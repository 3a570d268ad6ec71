//! The catalog's folder on the terminal: which version is in use, and how another takes its place.
//!
//! ```text
//! catalog/
//!   versions/7/items/…     what is in use: never changed once it has this name
//!   versions/6/items/…     the one before
//!   versions/.staging-8/   the next one, while its files arrive; a cut download goes on from here
//!   current                link to versions/7, changed in one step
//!   trust.json             newest root, newest signed versions, lower bounds
//!   status.json            for the screen: number, age
//! ```
//!
//! kiosk-app reads `current` and what it points to; nothing else is its business.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sync_protocol::sha256_hex;

use super::disk::Disk;

const STAGING: &str = ".staging-";

/// One file of a catalog, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Path below the catalog, of plain characters.
    pub(crate) name: String,
    /// Bytes.
    pub(crate) length: u64,
    /// SHA-256 in hex.
    pub(crate) sha256: String,
}

/// A version that lies in the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed {
    /// The catalog's number.
    pub(crate) number: u64,
    /// 0, or how often this number had to be put here anew because its files were damaged.
    again: u32,
}

impl Installed {
    /// Reads `7` or `7.1`.
    fn from_name(name: &str) -> Option<Self> {
        let (number, again) = name.split_once('.').unwrap_or((name, "0"));
        Some(Self { number: number.parse().ok()?, again: again.parse().ok()? })
    }

    fn name(&self) -> String {
        if self.again == 0 { self.number.to_string() } else { format!("{}.{}", self.number, self.again) }
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct CatalogFolder {
    path: PathBuf,
    disk: Disk,
}

impl CatalogFolder {
    pub(crate) fn new(path: &Path, disk: Disk) -> Self {
        Self { path: path.to_owned(), disk }
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// A file beside `current`.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn versions(&self) -> PathBuf {
        self.path.join("versions")
    }

    fn staging(&self, number: u64) -> PathBuf {
        self.versions().join(format!("{STAGING}{number}"))
    }

    /// Where a version's files lie.
    pub(crate) fn files_of(&self, installed: &Installed) -> PathBuf {
        self.versions().join(installed.name())
    }

    /// The version in use.
    pub(crate) fn current(&self) -> Option<Installed> {
        let target = fs::read_link(self.path.join("current")).ok()?;
        let installed = Installed::from_name(target.file_name()?.to_str()?)?;
        self.files_of(&installed).is_dir().then_some(installed)
    }

    /// Every version that lies here, oldest first.
    pub(crate) fn installed(&self) -> Vec<Installed> {
        let names = fs::read_dir(self.versions()).into_iter().flatten().flatten();
        let mut found: Vec<_> =
            names.filter_map(|entry| Installed::from_name(entry.file_name().to_str()?)).collect();
        found.sort();
        found
    }

    /// Whether a version's files are all there and undamaged.
    pub(crate) fn is_whole(&self, installed: &Installed, wanted: &[Wanted]) -> bool {
        let files = self.files_of(installed);
        wanted.iter().all(|wanted| right_bytes(&files, wanted).is_some())
    }

    /// A wanted file that lies here already, in the staging folder of this number or in a version.
    pub(crate) fn at_hand(&self, number: u64, wanted: &Wanted) -> Option<Vec<u8>> {
        let versions = self.installed().into_iter().rev().map(|installed| self.files_of(&installed));
        std::iter::once(self.staging(number)).chain(versions).find_map(|files| right_bytes(&files, wanted))
    }

    /// Begins to stage a number, or goes on; what was staged for other numbers is removed.
    pub(crate) fn stage(&self, number: u64) -> io::Result<()> {
        let staging = self.staging(number);
        for old in self.staged()? {
            if old != staging {
                self.disk.remove(&old)?;
            }
        }
        self.disk.make_folder(&staging)
    }

    /// Writes one file into the staging folder, unless it is there.
    pub(crate) fn stage_file(&self, number: u64, wanted: &Wanted, bytes: &[u8]) -> io::Result<()> {
        let staging = self.staging(number);
        let path = staging.join(&wanted.name);
        if right_bytes(&staging, wanted).is_some() {
            // It may have been written in an earlier life and never flushed.
            return fs::File::open(&path)?.sync_all();
        }
        self.disk.make_folder(path.parent().unwrap_or(&staging))?;
        self.disk.write(&path, bytes)
    }

    /// Flushes what was staged and gives it its name. Nothing uses it yet.
    pub(crate) fn finish(&self, number: u64, floor: &[u8]) -> io::Result<Installed> {
        let staging = self.staging(number);
        self.disk.write(&staging.join("floor.json"), floor)?;
        self.sync_below(&staging)?;
        let taken = self.installed().into_iter().filter(|found| found.number == number);
        let again = taken.map(|found| found.again + 1).max().unwrap_or(0);
        let installed = Installed { number, again };
        self.disk.rename(&staging, &self.files_of(&installed))?;
        Ok(installed)
    }

    /// Makes a version the one in use, in one step.
    pub(crate) fn switch_to(&self, installed: &Installed) -> io::Result<()> {
        let target = Path::new("versions").join(installed.name());
        self.disk.relink(&target, &self.path.join("current"))
    }

    /// Removes all but the version in use, the one before it, and what may become the next.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let Some(current) = self.current() else { return Ok(()) };
        let installed = self.installed();
        let before = installed.iter().rev().find(|found| **found < current);
        for found in installed.iter().filter(|found| **found < current && Some(*found) != before) {
            self.disk.remove(&self.files_of(found))?;
        }
        let next = self.staging(current.number);
        for staged in self.staged()? {
            let number = |path: &Path| path.to_str()?.rsplit_once(STAGING)?.1.parse::<u64>().ok();
            if number(&staged) <= number(&next) {
                self.disk.remove(&staged)?;
            }
        }
        Ok(())
    }

    fn staged(&self) -> io::Result<Vec<PathBuf>> {
        let Ok(entries) = fs::read_dir(self.versions()) else { return Ok(Vec::new()) };
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        let is_staging = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(STAGING))
        };
        Ok(paths.into_iter().filter(is_staging).collect())
    }

    /// Flushes a folder and every folder below it, and the one that holds it.
    fn sync_below(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.sync_below(&entry.path())?;
            }
        }
        self.disk.sync_folder(folder)
    }
}

/// The bytes of a file, if they are the ones that were signed.
fn right_bytes(files: &Path, wanted: &Wanted) -> Option<Vec<u8>> {
    let path = files.join(&wanted.name);
    let found = fs::symlink_metadata(&path).ok()?;
    if !found.is_file() || found.len() != wanted.length {
        return None;
    }
    fs::read(&path).ok().filter(|bytes| sha256_hex(bytes) == wanted.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_versions_are_read_back_and_sorted_as_numbers() {
        for name in ["1", "7", "7.1", "18446744073709551615"] {
            assert_eq!(Installed::from_name(name).unwrap().name(), name);
        }
        for name in [".staging-7", "", "a", "7.", "7.x", "-1", "1.2.3"] {
            assert_eq!(Installed::from_name(name), None, "{name}");
        }
        assert!(Installed::from_name("9") < Installed::from_name("10"));
        assert!(Installed::from_name("9") < Installed::from_name("9.1"));
    }
}
