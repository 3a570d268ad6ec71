//! Where a signed repository is read from: the city over the agent's own mutual TLS, or a folder (a USB stick). Both
//! give bytes and nothing else; one and the same verification judges them.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use tough::{Bytes, Transport, TransportError, TransportErrorKind, TransportStream, async_trait};
use url::Url;

use super::error::Trouble;
use crate::client::{CatalogClient, Cause};

/// Longest file of a repository, of any kind. What is signed is held to its signed length besides.
pub(crate) const LONGEST_FILE: usize = 4 * 1024 * 1024;

/// Addresses inside a repository; they lead nowhere else.
pub(crate) const METADATA: &str = "file:///metadata/";
/// The same for the items.
pub(crate) const TARGETS: &str = "file:///targets/";

/// A repository to read from.
#[derive(Clone)]
pub struct Source {
    place: Place,
    /// What went wrong on the way, which the library would only call an error of transport.
    trouble: Arc<Mutex<Option<Trouble>>>,
}

#[derive(Clone)]
enum Place {
    City(CatalogClient),
    Folder(PathBuf),
}

impl Source {
    /// The city's gateway.
    pub fn city(client: CatalogClient) -> Self {
        Self { place: Place::City(client), trouble: Arc::default() }
    }

    /// A folder with `metadata/` and `targets/`.
    pub fn folder(folder: &Path) -> Self {
        Self { place: Place::Folder(folder.to_owned()), trouble: Arc::default() }
    }

    /// What went wrong since this was last asked.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let found = match &self.place {
            Place::City(client) => match client.file(path, LONGEST_FILE).await {
                Ok(found) => Ok(found),
                Err(refused) if refused.cause == Cause::TooLarge => Err(Trouble::TooLarge),
                Err(refused) => Err(Trouble::City(refused.cause)),
            },
            Place::Folder(folder) => read_file(&folder.join(path)),
        };
        match found {
            Ok(None) if path == "metadata/timestamp.json" => Err(Trouble::NotOffered),
            found => found,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.place {
            Place::City(_) => "the city",
            Place::Folder(_) => "a folder",
        })
    }
}

#[async_trait]
impl Transport for Source {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let missing = || TransportError::new(TransportErrorKind::FileNotFound, url.as_str());
        let path = path_of(&url).ok_or_else(missing)?;
        match self.read(&path).await {
            Ok(Some(bytes)) => Ok(once(Ok(bytes.into()))),
            Ok(None) => Err(missing()),
            Err(trouble) => {
                let kind = TransportErrorKind::Other;
                let error = TransportError::new_with_cause(kind, url.as_str(), trouble.clone());
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
                // In the stream: an error outside of it would mean "there is no newer root", and a network that
                // fails at the right moment could hide one.
                Ok(once(Err(error)))
            }
        }
    }
}

fn once(item: Result<Bytes, TransportError>) -> TransportStream {
    Box::pin(stream::iter([item]))
}

/// The path in the repository that an address stands for; `None` when no file of a catalog can have it.
///
/// A target is addressed as `targets/HASH.items/name`, but lies as `targets/items/HASH.name`: where the hash goes in a
/// name with folders is not in the standard, and python-tuf, the reference, puts it before the last part.
fn path_of(url: &Url) -> Option<String> {
    let path = url.path().strip_prefix('/')?;
    if !is_plain_path(path) {
        return None;
    }
    let Some(target) = path.strip_prefix("targets/") else { return Some(path.to_owned()) };
    match (target.rsplit_once('/'), target.split_once('.')) {
        (Some((folders, name)), Some((hash, _))) if is_hash(hash) => {
            let folders = folders.strip_prefix(hash)?.strip_prefix('.')?;
            Some(format!("targets/{folders}/{hash}.{name}"))
        }
        _ => Some(path.to_owned()),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a path is relative, of plain characters, and stays below its folder. Hidden names are not used.
pub(crate) fn is_plain_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    path.len() <= 255
        && path.bytes().all(plain)
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, Trouble> {
    let trouble = |error: io::Error| Trouble::File(error.kind());
    match std::fs::metadata(path) {
        // Opening a pipe would wait for a writer.
        Ok(found) if !found.is_file() => return Err(Trouble::File(io::ErrorKind::InvalidInput)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble(error)),
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(trouble)?;
    file.take(LONGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(trouble)?;
    if bytes.len() > LONGEST_FILE { Err(Trouble::TooLarge) } else { Ok(Some(bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_the_repository() {
        let of = |address: &str| path_of(&Url::parse(METADATA).unwrap().join(address).unwrap());
        assert_eq!(of("2.root.json").as_deref(), Some("metadata/2.root.json"));
        assert_eq!(
            of("../../etc/passwd").as_deref(),
            Some("etc/passwd"),
            "below the repository all the same"
        );
        assert_eq!(of("a/.%2e/b").as_deref(), Some("metadata/b"), "resolved before it is looked at");
        for strange in ["a%2fb", "a%00", "a//b", ".hidden", "päth"] {
            assert_eq!(of(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_hash_goes_before_the_last_part_of_a_name() {
        let hash = "ab".repeat(32);
        let of = |address: &str| path_of(&Url::parse(TARGETS).unwrap().join(address).unwrap()).unwrap();
        assert_eq!(of(&format!("{hash}.items/a.toml")), format!("targets/items/{hash}.a.toml"));
        assert_eq!(of(&format!("{hash}.a/b/c.d")), format!("targets/a/b/{hash}.c.d"));
        assert_eq!(of(&format!("{hash}.a.toml")), format!("targets/{hash}.a.toml"));
        assert_eq!(of("items/a.toml"), "targets/items/a.toml", "a repository without consistent snapshots");
    }

    #[test]
    fn a_file_that_is_none_or_too_long_is_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert_eq!(read_file(&path), Ok(None));
        std::fs::write(&path, vec![0; LONGEST_FILE]).unwrap();
        assert_eq!(read_file(&path).unwrap().unwrap().len(), LONGEST_FILE);
        std::fs::write(&path, vec![0; LONGEST_FILE + 1]).unwrap();
        assert_eq!(read_file(&path), Err(Trouble::TooLarge));
        assert!(matches!(read_file(folder.path()), Err(Trouble::File(_))));
    }
}
