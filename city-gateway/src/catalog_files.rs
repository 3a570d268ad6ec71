//! The signed catalog's repository, as files. Terminals verify what they get; the gateway only hands it out.
//!
//! Deliberately absent: a listing of the folder, and any address outside it.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::body::Bytes;
use sync_protocol::sha256_hex;

use crate::refusal::Refusal;

/// Longest file that is handed out; what is longer no terminal would take.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Most bytes of files that are kept in memory.
const HELD_MAX: u64 = 64 * 1024 * 1024;

/// What changes whenever a file is replaced.
type Stamp = (SystemTime, u64, u64);

/// A folder with `metadata/` and `targets/`, as `cargo xtask catalog publish` makes it.
pub(crate) struct CatalogFiles {
    folder: PathBuf,
    /// The timestamp file that was read last, and its hash.
    newest: Mutex<Option<(Stamp, String)>>,
    held: Mutex<Held>,
}

/// Files in memory. After something was published the whole fleet comes for the same few; however many wait for them
/// over slow links, each file is there once.
#[derive(Default)]
struct Held {
    files: HashMap<String, (Stamp, Bytes)>,
    bytes: u64,
}

impl CatalogFiles {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, newest: Mutex::default(), held: Mutex::default() }
    }

    /// What terminals are told: another word whenever something was published or signed anew.
    pub(crate) fn name(&self) -> Option<String> {
        let path = self.folder.join("metadata/timestamp.json");
        let stamp =
            std::fs::metadata(&path).ok().filter(|found| found.len() <= LONGEST).and_then(stamp_of)?;
        let mut newest = locked(&self.newest);
        if let Some((known, name)) = &*newest
            && *known == stamp
        {
            return Some(name.clone());
        }
        let name = sha256_hex(&std::fs::read(&path).ok()?);
        *newest = Some((stamp, name.clone()));
        Some(name)
    }

    /// One file of the repository.
    pub(crate) async fn read(&self, path: &str) -> Result<Bytes, Refusal> {
        if !is_in_repository(path) {
            return Err(Refusal::NotFound);
        }
        let file = self.folder.join(path);
        let found = tokio::fs::metadata(&file).await.map_err(|_| Refusal::NotFound)?;
        if !found.is_file() {
            return Err(Refusal::NotFound);
        }
        if found.len() > LONGEST {
            return Err(Refusal::Fault);
        }
        let stamp = stamp_of(found).ok_or(Refusal::Fault)?;
        if let Some(bytes) = locked(&self.held).get(path, stamp) {
            return Ok(bytes);
        }
        let bytes = Bytes::from(tokio::fs::read(&file).await.map_err(|_| Refusal::NotFound)?);
        locked(&self.held).keep(path, stamp, &bytes);
        Ok(bytes)
    }
}

impl Held {
    fn get(&self, path: &str, stamp: Stamp) -> Option<Bytes> {
        self.files.get(path).filter(|(known, _)| *known == stamp).map(|(_, bytes)| bytes.clone())
    }

    fn keep(&mut self, path: &str, stamp: Stamp, bytes: &Bytes) {
        let length = bytes.len() as u64;
        if self.bytes + length > HELD_MAX {
            // Rare: a catalog is small, and what is asked for again comes back.
            *self = Self::default();
        }
        if let Some((_, before)) = self.files.insert(path.to_owned(), (stamp, bytes.clone())) {
            self.bytes -= before.len() as u64;
        }
        self.bytes += length;
    }
}

fn stamp_of(found: Metadata) -> Option<Stamp> {
    Some((found.modified().ok()?, found.len(), found.ino()))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an address is that of a file below `metadata/` or `targets/`. Hidden files are not handed out.
fn is_in_repository(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    path.len() <= 300
        && (path.starts_with("metadata/") || path.starts_with("targets/"))
        && path.bytes().all(plain)
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_files_of_the_repository_are_handed_out() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = folder.path().join("repository/metadata");
        std::fs::create_dir_all(&metadata).unwrap();
        std::fs::write(metadata.join("timestamp.json"), "1").unwrap();
        std::fs::write(metadata.join(".hidden"), "2").unwrap();
        std::fs::write(folder.path().join("secret"), "3").unwrap();
        let files = CatalogFiles::new(folder.path().join("repository"));
        assert_eq!(files.read("metadata/timestamp.json").await, Ok(Bytes::from_static(b"1")));
        // Replaced as the publisher does it: same length, perhaps the same moment.
        std::fs::write(metadata.join("new"), "4").unwrap();
        std::fs::rename(metadata.join("new"), metadata.join("timestamp.json")).unwrap();
        assert_eq!(files.read("metadata/timestamp.json").await, Ok(Bytes::from_static(b"4")));
        for path in [
            "../secret",
            "metadata/../../secret",
            "metadata/.hidden",
            "metadata",
            "metadata/",
            "/etc/passwd",
            "",
        ] {
            assert_eq!(files.read(path).await, Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn the_name_changes_with_the_timestamp() {
        let folder = tempfile::tempdir().unwrap();
        let files = CatalogFiles::new(folder.path().to_owned());
        assert_eq!(files.name(), None, "nothing is published");
        std::fs::create_dir(folder.path().join("metadata")).unwrap();
        std::fs::write(folder.path().join("metadata/timestamp.json"), "one").unwrap();
        let first = files.name().unwrap();
        assert_eq!(files.name(), Some(first.clone()));
        std::fs::write(folder.path().join("metadata/timestamp.json"), "another").unwrap();
        assert_ne!(files.name(), Some(first));
    }

    #[test]
    fn what_is_held_in_memory_has_a_limit() {
        let mut held = Held::default();
        let stamp = (SystemTime::UNIX_EPOCH, 1, 1);
        let file = Bytes::from(vec![0; LONGEST as usize]);
        for number in 0..100 {
            held.keep(&format!("targets/{number}"), stamp, &file);
            let counted: u64 = held.files.values().map(|(_, bytes)| bytes.len() as u64).sum();
            assert_eq!(held.bytes, counted);
            assert!(counted <= HELD_MAX);
        }
        held.keep("targets/99", stamp, &Bytes::from_static(b"shorter"));
        assert_eq!(held.get("targets/99", stamp), Some(Bytes::from_static(b"shorter")));
        assert_eq!(held.get("targets/99", (SystemTime::UNIX_EPOCH, 1, 2)), None, "another file has its name");
    }
}
