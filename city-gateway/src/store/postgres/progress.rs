//! How a case is getting on: the city holds it, and a department takes it from step to step.

use sync_protocol::{CaseProgress, ProgressState, ProgressStep};
use zeroize::Zeroizing;

use super::database::plain;
use super::{PostgresStore, desk};
use crate::progress::{MOST, Numbered, ProgressSource, told};
use crate::store::Reply;
use crate::store::desk::CaseKey;

const NUMBERED: &str = "
    SELECT verification, item, received_at_ms, terminal, case_id FROM (
        SELECT 0 AS aside, verification, item, received_at_ms, terminal, case_id FROM inbox
        WHERE kind = 'case' AND case_number = $1
        UNION ALL
        SELECT 1, verification, item, received_at_ms, CAST(NULL AS text), CAST(NULL AS text) FROM quarantine q
        WHERE kind = 'case' AND case_number = $1 AND NOT EXISTS (
            SELECT 1 FROM inbox i
            WHERE i.terminal = q.terminal AND i.case_id = q.case_id AND i.sha256 = q.sha256)) held
    ORDER BY aside, received_at_ms LIMIT $2";

impl ProgressSource for PostgresStore {
    fn numbered<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<Numbered>> {
        Box::pin(async move {
            let rows = self.database.query(NUMBERED, &[&plain(case_number), &(MOST as i64)]).await?;
            let mut numbered = Vec::with_capacity(rows.len());
            for row in rows {
                let received = ProgressStep {
                    state: ProgressState::PreReview,
                    at_ms: row.try_get(2)?,
                    reason: String::new(),
                    note: String::new(),
                };
                let mut steps = vec![received];
                let name: (Option<String>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
                if let Some((terminal, case_id)) = name.0.zip(name.1) {
                    let made = desk::steps(&self.database, &CaseKey { terminal, case_id }).await?;
                    steps.extend(made.into_iter().map(|step| ProgressStep {
                        state: told(step.to),
                        at_ms: step.at_ms,
                        reason: step.reason,
                        note: step.note,
                    }));
                }
                let state = steps.last().map_or(ProgressState::PreReview, |step| step.state);
                let (case_number, item) = (case_number.to_owned(), row.try_get(1)?);
                let progress = CaseProgress { case_number, item, state, steps };
                numbered.push(Numbered { verification: Zeroizing::new(row.try_get(0)?), progress });
            }
            Ok(numbered)
        })
    }
}
