//! How a case is getting on: the city holds it, and a department takes it from step to step.

use zeroize::Zeroizing;

use super::database::plain;
use super::{PostgresStore, desk};
use crate::progress::{Life, MOST, Numbered, ProgressSource};
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
                let name: (Option<String>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
                let life = match name.0.zip(name.1) {
                    Some((terminal, case_id)) => {
                        let key = CaseKey { terminal, case_id };
                        let joined = desk::follow_ups::one(&self.database, &key).await?;
                        Life {
                            steps: desk::steps(&self.database, &key).await?,
                            follow_ups: desk::follow_ups::of(&self.database, &key).await?,
                            joined: joined.map(|one| one.at_ms),
                        }
                    }
                    None => Life::default(),
                };
                let progress = life.told(case_number.to_owned(), row.try_get(1)?, row.try_get(2)?);
                numbered.push(Numbered { verification: Zeroizing::new(row.try_get(0)?), progress });
            }
            Ok(numbered)
        })
    }
}
