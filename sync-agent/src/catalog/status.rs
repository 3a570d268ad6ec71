//! `status.json`: what a screen may say about the catalog. Written by the agent, read by whoever shows it.

use std::fs;

use serde::{Deserialize, Serialize};

use super::folder::CatalogFolder;
use super::time::{DAY_MS, Time};
use super::verify::Life;

const FILE: &str = "status.json";

/// What a screen may say. Holds no free text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogStatus {
    /// Number of the catalog in use; 0 before the first one was taken over.
    pub number: u64,
    /// When the city made it (RFC 3339), or empty.
    pub published: String,
    /// Until when it counts as fresh, milliseconds since 1970.
    pub expires_ms: i64,
    /// Whole days since then, counted from 1; 0 while it is fresh. Shows a banner and stops nothing.
    pub stale_days: i64,
    /// Why the last try brought nothing, as a short code; empty when it went well.
    pub fault: String,
}

impl CatalogStatus {
    /// As it was written last.
    pub(crate) fn load(folder: &CatalogFolder) -> Self {
        let text = fs::read(folder.beside(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// After a catalog was taken over, or found to be the newest.
    pub(crate) fn fresh(number: u64, life: &Life) -> Self {
        let Life { published, expires_ms } = life.clone();
        Self { number, published, expires_ms, ..Self::default() }
    }

    /// Counts the days anew.
    pub(crate) fn aged(mut self, time: Time) -> Self {
        let over_ms = time.likely_ms.saturating_sub(self.expires_ms);
        self.stale_days = if self.number == 0 || over_ms <= 0 { 0 } else { over_ms / DAY_MS + 1 };
        self
    }

    /// Writes it, unless it says the same already.
    pub(crate) fn write(&self, folder: &CatalogFolder) -> std::io::Result<()> {
        if Self::load(folder) == *self {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(self).expect("text and numbers become JSON");
        folder.disk().replace(&folder.beside(FILE), &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_first_moment_after_the_end() {
        let life = Life { published: String::new(), expires_ms: 1000 * DAY_MS };
        let days_at = |likely_ms| {
            let time = Time { at_least_ms: 0, likely_ms };
            CatalogStatus::fresh(3, &life).aged(time).stale_days
        };
        assert_eq!(days_at(0), 0);
        assert_eq!(days_at(1000 * DAY_MS), 0);
        assert_eq!(days_at(1000 * DAY_MS + 1), 1);
        assert_eq!(days_at(1002 * DAY_MS), 3);
        let none = CatalogStatus::default().aged(Time { at_least_ms: 0, likely_ms: i64::MAX });
        assert_eq!(none.stale_days, 0, "no signed catalog, nothing to be stale");
    }
}
