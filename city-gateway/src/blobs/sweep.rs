//! What has to be looked at now and then: blobs that were promised and never came, pieces that belong to nothing,
//! and blobs that no record names.
//!
//! Deliberately absent: any refusal. A case whose photo never came is kept and shown, and an operator is told.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::bytes::BlobBytes;
use super::{BlobError, Blobs, keys};
use crate::terminals::now_ms;

/// How often.
const ROUND: Duration = Duration::from_secs(600);

/// A piece younger than this may still be on its way into the index.
const YOUNG_MS: i64 = 60 * 60 * 1000;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Sweeps until told to stop.
pub(crate) async fn run(blobs: Arc<Blobs>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = blobs.sweep(now_ms()).await {
            tracing::error!(%error, "the sweep of blobs failed; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            _ = stop.changed() => {}
        }
    }
}

impl Blobs {
    /// One round.
    pub(crate) async fn sweep(&self, now_ms: i64) -> Result<(), BlobError> {
        self.alarm(now_ms).await?;
        let before = now_ms - self.limits.unnamed_days.max(1) * DAY_MS;
        let abandoned = self.index.abandon(before).await?;
        self.remove(&keys(&abandoned.pieces)).await;
        let mut left = Vec::new();
        for sha256 in abandoned.leaving {
            self.bytes.delete(&BlobBytes::whole_key(&sha256)).await?;
            left.push(sha256);
        }
        if !left.is_empty() {
            tracing::info!(count = left.len(), "blobs that no record names were removed");
            self.index.left(left).await?;
        }
        self.orphans(now_ms).await
    }

    /// Says which records wait for blobs that should have come.
    async fn alarm(&self, now_ms: i64) -> Result<(), BlobError> {
        let after = self.limits.overdue_hours.max(1) * HOUR_MS;
        // Said again every day for as long as it is so.
        for overdue in self.index.overdue(now_ms - after, now_ms - DAY_MS, now_ms).await? {
            tracing::warn!(
                alarm = true,
                terminal = %overdue.place.terminal,
                seq = overdue.place.seq,
                case_id = %overdue.case_id,
                missing = overdue.missing,
                hours = (now_ms - overdue.since_ms) / HOUR_MS,
                "blobs of a record were promised and have not come"
            );
        }
        Ok(())
    }

    /// Removes pieces that no upload knows: their request ended before the index knew of them.
    async fn orphans(&self, now_ms: i64) -> Result<(), BlobError> {
        let old = self.bytes.pieces().await?.into_iter().filter(|(_, written)| *written < now_ms - YOUNG_MS);
        let mut unknown: Vec<String> = old.map(|(key, _)| key).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let known: HashSet<String> = self.index.known_pieces(unknown.clone()).await?.into_iter().collect();
        unknown.retain(|key| !known.contains(key));
        self.remove(&unknown).await;
        Ok(())
    }
}
