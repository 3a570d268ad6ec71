//! Photos, scans and signatures: sealed bytes that come in pieces and count when they are whole.
//!
//! A piece is on disk before it is acknowledged. The index decides which of two requests for the same place wins; the
//! other one's bytes lie under a name of their own and are removed. The last piece is acknowledged only when the
//! whole was put together, read back and found to have the hash that names it, so there is no state between "all
//! bytes are here" and "it is whole", whenever the gateway is killed.
//!
//! Deliberately absent: locks on uploads, and any look inside a blob.

pub mod bytes;
pub(crate) mod routes;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Bytes;
use sha2::{Digest, Sha256};
use sync_protocol::limits::{MAX_CHUNK, MIN_CHUNK};
use tokio::sync::{Notify, Semaphore};

use self::bytes::{BlobBytes, BytesError};
use crate::config::BlobLimits;
use crate::store::StoreError;
use crate::store::blobs::{Announced, Begun, BlobIndex, Held, Moved, Piece, Unnamed};
use crate::store::registry::Standing;
use crate::terminals::now_ms;

/// Blobs that are put together at once; each takes its whole length in memory.
const COMPOSING: usize = 2;

/// Blobs under way and whole ones.
pub(crate) struct Blobs {
    pub(crate) index: Arc<dyn BlobIndex>,
    pub(crate) bytes: BlobBytes,
    pub(crate) limits: BlobLimits,
    /// Rung when a record may have become complete.
    pub(crate) arrivals: Arc<Notify>,
    composing: Semaphore,
    #[cfg(test)]
    steps: tests::Steps,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// Kept; the next byte goes here.
    At(u64),
    /// The blob is elsewhere.
    Elsewhere(Held),
    /// Longer than what is left.
    TooLong,
    /// Smaller than a piece in the middle may be.
    TooSmall,
    /// What was put together is another blob; it begins again.
    BeganAgain,
}

/// Why a blob could not be kept now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bytes(#[from] BytesError),
    #[error("it was put away, but does not read back as it was written")]
    NotReadBack,
    #[error("the task that puts it together ended")]
    Ended,
}

impl Blobs {
    pub(crate) fn new(
        index: Arc<dyn BlobIndex>,
        bytes: BlobBytes,
        limits: BlobLimits,
        arrivals: Arc<Notify>,
    ) -> Self {
        Self {
            index,
            bytes,
            limits,
            arrivals,
            composing: Semaphore::new(COMPOSING),
            #[cfg(test)]
            steps: tests::Steps::default(),
        }
    }

    /// Notes that a blob is coming; says how far it is. From a terminal that is not on the list only those are taken
    /// that a record names: it sends its records first.
    pub(crate) async fn begin(
        &self,
        terminal: &str,
        sha256: &str,
        length: u64,
        standing: Standing,
    ) -> Result<Begun, BlobError> {
        let announced =
            Announced { terminal: terminal.into(), sha256: sha256.into(), length, at_ms: now_ms() };
        let unnamed = match standing {
            Standing::Listed => {
                Unnamed { bytes: self.limits.unnamed_mib * 1024 * 1024, blobs: self.limits.unnamed }
            }
            Standing::Revoked | Standing::Unlisted => Unnamed { bytes: 0, blobs: 0 },
        };
        match self.index.begin(announced.clone(), unnamed).await? {
            Begun::Held(held @ Held::Whole { .. }) => match self.still_there(sha256, held).await? {
                Held::Nothing => Ok(self.index.begin(announced, unnamed).await?),
                held => Ok(Begun::Held(held)),
            },
            begun => Ok(begun),
        }
    }

    /// How far a blob is.
    pub(crate) async fn held(&self, terminal: &str, sha256: &str) -> Result<Held, BlobError> {
        let held = self.index.held(terminal, sha256).await?;
        self.still_there(sha256, held).await
    }

    /// An object store may lose what it accepted. Whoever asks for a whole blob is the one who can still send it.
    async fn still_there(&self, sha256: &str, held: Held) -> Result<Held, BlobError> {
        let Held::Whole { length } = held else { return Ok(held) };
        if self.bytes.size(&BlobBytes::whole_key(sha256)).await? == Some(length) {
            return Ok(held);
        }
        let records = self.index.lost(sha256, now_ms()).await?;
        tracing::error!(alarm = true, %sha256, records, "a blob that was whole is gone from the store of blobs");
        Ok(Held::Nothing)
    }

    /// Keeps a piece; its checksum was checked before.
    pub(crate) async fn add(
        self: &Arc<Self>,
        terminal: &str,
        sha256: &str,
        start: u64,
        piece: Bytes,
    ) -> Result<Added, BlobError> {
        let state = self.index.held(terminal, sha256).await?;
        let Held::Part { held, length } = state else { return Ok(Added::Elsewhere(state)) };
        let bytes = piece.len() as u64;
        if start != held {
            return Ok(Added::Elsewhere(state));
        }
        if bytes > length - held || bytes > MAX_CHUNK {
            return Ok(Added::TooLong);
        }
        if bytes == length - held {
            let (blobs, terminal, sha256) = (Arc::clone(self), terminal.to_owned(), sha256.to_owned());
            // Goes on when the request is given up, so that a slow store is not asked for the same again and again.
            let task = tokio::spawn(async move { blobs.finish(&terminal, &sha256, start, piece).await });
            return task.await.map_err(|_| BlobError::Ended)?;
        }
        if bytes < MIN_CHUNK {
            return Ok(Added::TooSmall);
        }
        let key = BlobBytes::piece_key(terminal, sha256, start);
        self.step().await;
        self.bytes.put(&key, vec![piece]).await?;
        self.step().await;
        let kept = Piece { start, bytes, key: key.clone() };
        match self.index.add(terminal, sha256, kept, now_ms()).await {
            Ok(Moved::On(_)) => {
                self.step().await;
                Ok(Added::At(start + bytes))
            }
            Ok(Moved::Elsewhere(held)) => {
                self.remove(&[key]).await;
                Ok(Added::Elsewhere(held))
            }
            // It may be in the index all the same; the sweep finds out.
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the whole together, checks it, and lets it count.
    async fn finish(&self, terminal: &str, sha256: &str, from: u64, last: Bytes) -> Result<Added, BlobError> {
        let _place = self.composing.acquire().await.map_err(|_| BlobError::Ended)?;
        let end = from + last.len() as u64;
        let Some(parts) = self.gather(terminal, sha256, from, last).await? else {
            return self.begin_again(terminal, sha256, from).await;
        };
        if hash(&parts) != sha256 {
            return self.begin_again(terminal, sha256, from).await;
        }
        let whole = BlobBytes::whole_key(sha256);
        self.step().await;
        self.bytes.put(&whole, parts).await?;
        self.step().await;
        // What counts is what the store gives back, not what it was given.
        let back = self.bytes.get(&whole).await?;
        if back.is_none_or(|back| hash(&[back]) != sha256) {
            tracing::error!(alarm = true, %terminal, %sha256, "a blob does not read back as it was written");
            return Err(BlobError::NotReadBack);
        }
        match self.index.finish(terminal, sha256, from, now_ms()).await? {
            Moved::On(pieces) => {
                self.arrivals.notify_one();
                self.step().await;
                self.remove(&keys(&pieces)).await;
                Ok(Added::At(end))
            }
            Moved::Elsewhere(Held::Whole { length }) if length == end => Ok(Added::At(end)),
            Moved::Elsewhere(held) => Ok(Added::Elsewhere(held)),
        }
    }

    /// The pieces and the last one, in order; nothing when they do not fit together.
    async fn gather(
        &self,
        terminal: &str,
        sha256: &str,
        from: u64,
        last: Bytes,
    ) -> Result<Option<Vec<Bytes>>, BlobError> {
        let (mut parts, mut at) = (Vec::new(), 0);
        for piece in self.index.pieces(terminal, sha256).await? {
            let found = self.bytes.get(&piece.key).await?;
            let Some(found) = found.filter(|found| piece.start == at && found.len() as u64 == piece.bytes)
            else {
                return Ok(None);
            };
            at += piece.bytes;
            parts.push(found);
        }
        parts.push(last);
        Ok((at == from).then_some(parts))
    }

    async fn begin_again(&self, terminal: &str, sha256: &str, from: u64) -> Result<Added, BlobError> {
        match self.index.begin_again(terminal, sha256, from).await? {
            Moved::On(pieces) => {
                tracing::warn!(alarm = true, %terminal, %sha256, "a blob is damaged and begins again");
                self.remove(&keys(&pieces)).await;
                Ok(Added::BeganAgain)
            }
            Moved::Elsewhere(held) => Ok(Added::Elsewhere(held)),
        }
    }

    /// Removes what nothing refers to any more. What cannot be removed now, the sweep removes.
    pub(crate) async fn remove(&self, keys: &[String]) {
        for key in keys {
            if let Err(error) = self.bytes.delete(key).await {
                tracing::warn!(%error, "a piece of a blob stays for now");
            }
        }
    }

    /// Where a test ends the process.
    async fn step(&self) {
        #[cfg(test)]
        self.steps.pass().await;
    }
}

fn keys(pieces: &[Piece]) -> Vec<String> {
    pieces.iter().map(|piece| piece.key.clone()).collect()
}

/// Lower-case hex SHA-256 over all parts.
pub(crate) fn hash(parts: &[Bytes]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
