//! Where the bytes of blobs lie: a folder, or a bucket of an object store.
//!
//! `pieces/{terminal}/…` are parts under way, each under a name of its own, so that two requests for the same place
//! never write to the same object. `whole/{first two of the hash}/{hash}` are blobs.
//!
//! When [`BlobBytes::put`] returns, the bytes outlive a power cut: a bucket promises that, and in a folder the file is
//! synced before it gets its name, and the folders above it after.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::config::BlobPlace;

const PIECES: &str = "pieces";
const WHOLE: &str = "whole";

/// Why bytes could not be kept or read. Never carries any of them.
#[derive(Debug, thiserror::Error)]
pub enum BytesError {
    /// What the object store says.
    #[error("the store of blobs: {0}")]
    Store(#[from] object_store::Error),
    /// What the disk says.
    #[error("the folder of blobs: {0}")]
    Disk(#[from] io::Error),
    /// The configuration names something this program was built without.
    #[error("this gateway was built without S3; build it with the feature `s3`")]
    NoS3,
}

/// The bytes of blobs.
#[derive(Clone)]
pub struct BlobBytes {
    store: Arc<dyn ObjectStore>,
}

impl BlobBytes {
    /// Opens what the configuration names.
    pub fn open(place: &BlobPlace, state: &FilePath) -> Result<Self, BytesError> {
        match &place.s3 {
            None => Self::folder(&place.folder_in(state)),
            Some(s3) => bucket(s3),
        }
    }

    /// Opens a folder, creating it when absent.
    pub fn folder(folder: &FilePath) -> Result<Self, BytesError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store) })
    }

    /// The name of a whole blob.
    pub fn whole_key(sha256: &str) -> String {
        format!("{WHOLE}/{}/{sha256}", sha256.get(..2).unwrap_or_default())
    }

    /// A name for a piece that nothing else has.
    pub fn piece_key(terminal: &str, sha256: &str, start: u64) -> String {
        format!("{PIECES}/{terminal}/{sha256}-{start:08}-{}", uuid::Uuid::new_v4().simple())
    }

    /// Keeps bytes under a name; when this returns, they outlive a power cut.
    pub async fn put(&self, key: &str, parts: Vec<Bytes>) -> Result<(), BytesError> {
        self.store.put(&Path::from(key), PutPayload::from_iter(parts)).await?;
        Ok(())
    }

    /// The bytes under a name.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BytesError> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How many bytes lie under a name.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, BytesError> {
        match self.store.head(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what lies under a name, if anything does.
    pub async fn delete(&self, key: &str) -> Result<(), BytesError> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every piece with the time it was written, milliseconds since 1970, one terminal after another.
    pub async fn pieces(&self) -> Result<Vec<(String, i64)>, BytesError> {
        let mut pieces = Vec::new();
        for terminal in self.store.list_with_delimiter(Some(&Path::from(PIECES))).await?.common_prefixes {
            let listed = self.store.list_with_delimiter(Some(&terminal)).await?;
            pieces.extend(
                listed
                    .objects
                    .into_iter()
                    .map(|object| (object.location.to_string(), object.last_modified.timestamp_millis())),
            );
        }
        Ok(pieces)
    }
}

/// Removes what a killed process was writing: in a folder such files bear the mark `#`, and are nobody's when nobody
/// has written to them for so long. The one gateway of a folder need not wait: before it serves, all are.
pub(crate) fn clear_unfinished(folder: &FilePath, idle: Duration) -> io::Result<()> {
    for above in [folder.join(PIECES), folder.join(WHOLE)] {
        let Ok(inside) = std::fs::read_dir(above) else { continue };
        for inside in inside {
            for file in std::fs::read_dir(inside?.path())? {
                let file = file?;
                let unfinished = file.file_name().to_string_lossy().contains('#');
                // A time that has not come yet is no time at all.
                let idle_for =
                    || Ok::<_, io::Error>(file.metadata()?.modified()?.elapsed().unwrap_or_default());
                if unfinished && idle_for()? >= idle {
                    std::fs::remove_file(file.path())?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(feature = "s3")]
fn bucket(s3: &crate::config::S3) -> Result<BlobBytes, BytesError> {
    use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
    // Keys come from the environment, as every tool for S3 takes them, so that none is in the configuration.
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&s3.bucket)
        .with_region(&s3.region)
        .with_conditional_put(S3ConditionalPut::Disabled)
        .with_allow_http(s3.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")));
    if let Some(endpoint) = &s3.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let store: Arc<dyn ObjectStore> = Arc::new(builder.build()?);
    let store = match &s3.prefix {
        None => store,
        Some(prefix) => Arc::new(object_store::prefix::PrefixStore::new(store, prefix.as_str())),
    };
    Ok(BlobBytes { store })
}

#[cfg(not(feature = "s3"))]
fn bucket(_: &crate::config::S3) -> Result<BlobBytes, BytesError> {
    Err(BytesError::NoS3)
}
