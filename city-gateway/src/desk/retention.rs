//! Deletion by rule: `[retention]` in `gateway.toml`, and the task that keeps to it.
//!
//! Deliberately absent: any rule for what was not decided by a person or a lack of one can be mended. What waits for
//! the opener is never deleted, and dead letters and quarantine only when the city says after how long.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use super::Clock;
use crate::store::StoreError;
use crate::store::desk::{Cut, DeskStore, ErasureRule};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Records deleted in one commit: arriving records share the writer and must not wait long.
const BATCH: usize = 100;

/// How often the rules are looked at.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Wait after the store said no.
const BACK_OFF: Duration = Duration::from_secs(60);

/// `[retention]`: after how long what is deleted. Absent: never, but for the two that have a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Content of a case, in days after it was closed or returned. The consent texts promise two years; 0: never.
    pub finished_case_days: u32,
    /// Content of a dead letter, in days after it became one; 0 (the default): never.
    pub dead_letter_days: u32,
    /// Content of a record in quarantine, in days after it arrived; 0 (the default): never.
    pub quarantine_days: u32,
    /// Audit lines, in years; 0: never. Never shorter than any of the above.
    pub audit_years: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { finished_case_days: 730, dead_letter_days: 0, quarantine_days: 0, audit_years: 6 }
    }
}

impl Retention {
    /// Whether the audit lines outlive what they speak of.
    pub(crate) fn is_sound(&self) -> bool {
        let longest = self.finished_case_days.max(self.dead_letter_days).max(self.quarantine_days);
        self.audit_years == 0 || u64::from(self.audit_years) * 365 >= u64::from(longest)
    }

    /// The moments before which something goes.
    pub(crate) fn cut(&self, now_ms: i64) -> Cut {
        let before = |days: i64| (days > 0).then(|| now_ms.saturating_sub(days.saturating_mul(DAY_MS)));
        Cut {
            finished_ms: before(self.finished_case_days.into()),
            dead_letters_ms: before(self.dead_letter_days.into()),
            quarantine_ms: before(self.quarantine_days.into()),
            // Leap days are the auditor's.
            audit_ms: before(i64::from(self.audit_years).saturating_mul(366)),
        }
    }
}

/// What one round deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub(crate) records: u64,
    pub(crate) audit_lines: u64,
}

/// Deletes everything that is due now, a batch at a time.
pub(crate) async fn round(store: &dyn DeskStore, cut: Cut, now_ms: i64) -> Result<Deleted, StoreError> {
    let mut deleted = Deleted::default();
    let rules = [
        (ErasureRule::FinishedCase, cut.finished_ms),
        (ErasureRule::DeadLetter, cut.dead_letters_ms),
        (ErasureRule::Quarantine, cut.quarantine_ms),
    ];
    for (rule, before) in rules {
        let Some(before) = before else { continue };
        loop {
            let count = store.erase(rule, before, BATCH, now_ms).await?;
            deleted.records += count;
            if count < BATCH as u64 {
                break;
            }
        }
    }
    if let Some(before) = cut.audit_ms {
        loop {
            let count = store.prune_audit(before, BATCH, now_ms).await?;
            deleted.audit_lines += count;
            if count < BATCH as u64 {
                break;
            }
        }
    }
    Ok(deleted)
}

/// Keeps to the rules, at once and then daily, until told to stop. Also says the head of the audit chain, so that it
/// stands in the log, out of reach of whoever could rewrite the database.
pub(crate) async fn task(
    store: Arc<dyn DeskStore>,
    rules: Retention,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let now_ms = clock();
        let wait = match round(&*store, rules.cut(now_ms), now_ms).await {
            Ok(Deleted { records, audit_lines }) => {
                if let Ok(head) = store.audit_head().await {
                    tracing::info!(records, audit_lines, seq = head.seq, hash = %head.hash, "deletion by rule; the audit chain");
                }
                EVERY
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "deletion by rule is tried again shortly");
                BACK_OFF
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_moments() {
        let rules = Retention { dead_letter_days: 1, ..Retention::default() };
        let cut = rules.cut(1_000 * DAY_MS);
        assert_eq!(cut.finished_ms, Some(270 * DAY_MS));
        assert_eq!((cut.dead_letters_ms, cut.quarantine_ms), (Some(999 * DAY_MS), None));
        assert!(rules.is_sound());
        assert!(!Retention { audit_years: 1, ..Retention::default() }.is_sound());
        assert!(Retention { audit_years: 0, ..Retention::default() }.is_sound());
        // Any number is a moment.
        Retention { finished_case_days: u32::MAX, audit_years: u32::MAX, ..Retention::default() }
            .cut(i64::MIN);
    }
}
