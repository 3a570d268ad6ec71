//! How a case is getting on: the city holds it, and a department takes it from step to step.

use rusqlite::params;
use zeroize::Zeroizing;

use super::{SqliteStore, desk};
use crate::progress::{Life, MOST, Numbered, ProgressSource};
use crate::store::Reply;
use crate::store::desk::CaseKey;

/// A record with the number that was asked for: its code, item and time, and its name when it is in the inbox.
type Found = (Zeroizing<String>, String, i64, Option<CaseKey>);

impl ProgressSource for SqliteStore {
    fn numbered<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<Numbered>> {
        let number = case_number.to_owned();
        Box::pin(self.read(move |_, connection| {
            let found: Vec<Found> = connection
                .prepare_cached(
                    "SELECT verification, item, received_at_ms, terminal, case_id FROM inbox
                     WHERE kind = 'case' AND case_number = ?1
                     UNION ALL SELECT verification, item, received_at_ms, NULL, NULL FROM quarantine q
                     WHERE kind = 'case' AND case_number = ?1 AND NOT EXISTS (
                         SELECT 1 FROM inbox i
                         WHERE i.terminal = q.terminal AND i.case_id = q.case_id AND i.sha256 = q.sha256)
                     LIMIT ?2",
                )?
                .query_map(params![number, MOST as i64], |row| {
                    let name: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
                    let key = name.0.zip(name.1).map(|(terminal, case_id)| CaseKey { terminal, case_id });
                    Ok((Zeroizing::new(row.get(0)?), row.get(1)?, row.get(2)?, key))
                })?
                .collect::<rusqlite::Result<_>>()?;
            let mut numbered = Vec::with_capacity(found.len());
            for (verification, item, received_at_ms, key) in found {
                let life = match key {
                    Some(key) => Life {
                        steps: desk::steps(connection, &key)?,
                        follow_ups: desk::follow_ups::of(connection, &key)?,
                        joined: desk::follow_ups::one(connection, &key)?.map(|one| one.at_ms),
                    },
                    None => Life::default(),
                };
                let progress = life.told(number.clone(), item, received_at_ms);
                numbered.push(Numbered { verification, progress });
            }
            Ok(numbered)
        }))
    }
}
