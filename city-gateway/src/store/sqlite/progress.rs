//! How a case is getting on, as far as the inbox alone knows: the city holds it.

use rusqlite::params;
use sync_protocol::{CaseProgress, ProgressState, ProgressStep};
use zeroize::Zeroizing;

use super::SqliteStore;
use crate::progress::{MOST, Numbered, ProgressSource};
use crate::store::Reply;

impl ProgressSource for SqliteStore {
    fn numbered<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<Numbered>> {
        let number = case_number.to_owned();
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached(
                    "SELECT verification, item, received_at_ms FROM inbox
                     WHERE kind = 'case' AND case_number = ?1
                     UNION ALL SELECT verification, item, received_at_ms FROM quarantine
                     WHERE kind = 'case' AND case_number = ?1 LIMIT ?2",
                )?
                .query_map(params![number, MOST as i64], |row| {
                    let step = ProgressStep {
                        state: ProgressState::PreReview,
                        at_ms: row.get(2)?,
                        note: String::new(),
                    };
                    let progress = CaseProgress {
                        case_number: number.clone(),
                        item: row.get(1)?,
                        state: ProgressState::PreReview,
                        steps: vec![step],
                    };
                    Ok(Numbered { verification: Zeroizing::new(row.get(0)?), progress })
                })?
                .collect()
        }))
    }
}
