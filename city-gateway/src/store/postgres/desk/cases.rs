//! Cases, their steps, and records that could not be taken up, in PostgreSQL. Where a case stands lies in the row of
//! its record in `handling`; its order of arrival is the number that pages give.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{at_most, audit};
use crate::store::desk::{
    AuditEntry, CaseFilter, CaseKey, CaseRow, CaseState, CaseStep, ErasureRule, ItemSet, OpenWork,
    ProgressRow, SealedCase, StepRow, Stepped,
};
use crate::store::postgres::database::{Database, Work, plain};
use crate::store::postgres::pages::{inbox_row, settle};
use crate::store::postgres::read::unknown;
use crate::store::postgres::work::claimed;
use crate::store::{InboxRow, MaskedPerson, StoreError};

macro_rules! record_and_handling {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ", $columns, " FROM handling h
             JOIN inbox i ON i.terminal = h.terminal AND i.incarnation = h.incarnation AND i.seq = h.seq ", $rest
        )
    };
}

macro_rules! case {
    ($rest:literal) => {
        record_and_handling!(
            "coalesce(h.number, 0), i.terminal, i.case_id, i.case_number, i.item, i.item_version, i.sha256,
             i.received_at_ms, h.person_name, h.person_number, h.person_phone, h.case_state, h.case_version,
             h.case_changed_at_ms, h.erased_at_ms, h.erased_rule",
            $rest
        )
    };
}

const CASES: &str = case!("WHERE h.case_state IS NOT NULL AND h.number < $1");

const CASE: &str = case!("WHERE h.case_state IS NOT NULL AND i.terminal = $1 AND i.case_id = $2");

const STEPS: &str = "
    SELECT version, from_state, to_state, operator, at_ms, reason, note FROM case_step
    WHERE terminal = $1 AND case_id = $2 ORDER BY version";

const MAKE_STEP: &str = "
    UPDATE handling h SET case_state = $5, case_version = h.case_version + 1, case_changed_at_ms = $6
    FROM inbox i
    WHERE i.terminal = $1 AND i.case_id = $2
      AND h.terminal = i.terminal AND h.incarnation = i.incarnation AND h.seq = i.seq
      AND h.case_version = $3 AND h.case_state = $4";

const NOTE_STEP: &str = "
    INSERT INTO case_step (terminal, case_id, version, from_state, to_state, operator, at_ms, reason, note)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const PROGRESS: &str = record_and_handling!(
    "i.item, i.received_at_ms, coalesce(h.case_state, 'pre_review'),
     coalesce(h.case_changed_at_ms, i.received_at_ms), s.reason, coalesce(s.note, '')",
    "LEFT JOIN case_step s ON s.terminal = i.terminal AND s.case_id = i.case_id AND s.version = h.case_version
     WHERE i.kind = 'case' AND i.verification = $2 AND i.case_number = $1
     ORDER BY i.received_at_ms, i.terminal, i.incarnation, i.seq LIMIT 1"
);

const SEALED: &str = record_and_handling!(
    "i.terminal, i.incarnation, i.seq, i.case_id, i.kind, i.about, i.case_number, i.item, i.item_version,
     i.ciphertext",
    "WHERE h.erased_at_ms IS NULL AND i.terminal = $1 AND i.case_id = $2
       AND (h.case_state IS NOT NULL OR EXISTS (
            SELECT 1 FROM follow_up f
            WHERE f.terminal = h.terminal AND f.incarnation = h.incarnation AND f.seq = h.seq))"
);

const DEAD_LETTERS: &str = record_and_handling!(
    "h.number, i.terminal, i.incarnation, i.seq, i.case_id, i.case_number, i.kind, i.item, i.sha256,
     i.received_at_ms, h.state, h.reason_code, h.reason_detail, h.person_name, h.person_number, h.person_phone,
     h.summary, h.erased_at_ms IS NOT NULL",
    "WHERE h.state = 'dead_letter' AND h.number < $1 ORDER BY h.number DESC LIMIT $2"
);

const RETRY_ONE: &str = "
    UPDATE handling SET state = 'received', reason_code = NULL, reason_detail = NULL, decided_at_ms = NULL
    WHERE number = $1 AND state = 'dead_letter' AND erased_at_ms IS NULL";

/// A condition that is put together from what was asked for.
struct Condition {
    sql: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Condition {
    /// Adds a part in which `?` stands for the value.
    fn and(&mut self, part: &str, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
        self.sql.push_str(" AND ");
        self.sql.push_str(&part.replace('?', &format!("${}", self.values.len())));
    }

    fn items(&mut self, items: &ItemSet) {
        let (part, codes) = match items {
            ItemSet::Only(codes) => ("h.case_item = ANY(?)", codes),
            ItemSet::AllBut(codes) => ("h.case_item <> ALL(?)", codes),
        };
        self.and(part, codes.iter().map(|code| plain(code).into_owned()).collect::<Vec<_>>());
    }

    async fn query(self, database: &Database) -> Result<Vec<Row>, StoreError> {
        let values: Vec<&(dyn ToSql + Sync)> =
            self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        database.query(&self.sql, &values).await
    }
}

/// Cases that pass the filter, newest first.
pub(super) async fn list(
    database: &Database,
    filter: &CaseFilter,
    limit: usize,
) -> Result<Vec<CaseRow>, StoreError> {
    settle(database).await?;
    let mut wanted = Condition { sql: CASES.into(), values: vec![Box::new(filter.before)] };
    for items in &filter.items {
        wanted.items(items);
    }
    if !filter.states.is_empty() {
        let states: Vec<&'static str> = filter.states.iter().map(|state| state.code()).collect();
        wanted.and("h.case_state = ANY(?)", states);
    }
    if let Some(from_ms) = filter.from_ms {
        wanted.and("i.received_at_ms >= ?", from_ms);
    }
    if let Some(until_ms) = filter.until_ms {
        wanted.and("i.received_at_ms < ?", until_ms);
    }
    if let Some(number) = &filter.case_number {
        wanted.and("i.case_number = ?", plain(number).into_owned());
    }
    wanted.values.push(Box::new(at_most(limit)));
    wanted.sql.push_str(&format!(" ORDER BY h.number DESC LIMIT ${}", wanted.values.len()));
    wanted.query(database).await?.iter().map(case_row).collect()
}

/// One case.
pub(super) async fn one(database: &Database, key: &CaseKey) -> Result<Option<CaseRow>, StoreError> {
    settle(database).await?;
    let row = database.query_opt(CASE, &[&plain(&key.terminal), &plain(&key.case_id)]).await?;
    row.as_ref().map(case_row).transpose()
}

fn case_row(row: &Row) -> Result<CaseRow, StoreError> {
    let erased = match row.try_get::<_, Option<i64>>(14)? {
        Some(at_ms) => Some((at_ms, ErasureRule::from_code(row.try_get(15)?).ok_or_else(unknown)?)),
        None => None,
    };
    Ok(CaseRow {
        id: row.try_get(0)?,
        key: CaseKey { terminal: row.try_get(1)?, case_id: row.try_get(2)? },
        case_number: row.try_get(3)?,
        item: row.try_get(4)?,
        item_version: u32::try_from(row.try_get::<_, i64>(5)?).unwrap_or(u32::MAX),
        sha256: row.try_get(6)?,
        received_at_ms: row.try_get(7)?,
        person: MaskedPerson { name: row.try_get(8)?, number: row.try_get(9)?, phone: row.try_get(10)? },
        state: state(row, 11)?,
        version: row.try_get(12)?,
        changed_at_ms: row.try_get(13)?,
        erased,
    })
}

pub(super) fn state(row: &Row, at: usize) -> Result<CaseState, StoreError> {
    CaseState::from_code(row.try_get(at)?).ok_or_else(unknown)
}

/// The history of a case, oldest first.
pub(in crate::store::postgres) async fn steps(
    database: &Database,
    key: &CaseKey,
) -> Result<Vec<StepRow>, StoreError> {
    let rows = database.query(STEPS, &[&plain(&key.terminal), &plain(&key.case_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(StepRow {
                version: row.try_get(0)?,
                from: state(row, 1)?,
                to: state(row, 2)?,
                operator: row.try_get(3)?,
                at_ms: row.try_get(4)?,
                reason: row.try_get(5)?,
                note: row.try_get(6)?,
            })
        })
        .collect()
}

/// One step: the first who names the version makes it.
pub(super) async fn step(
    database: &Database,
    step: &CaseStep,
    entry: AuditEntry,
) -> Result<Stepped, StoreError> {
    let (terminal, case_id) = (plain(&step.key.terminal), plain(&step.key.case_id));
    let work = database.begin().await?;
    if !make_step(&work, step).await? {
        let exists = work.query_opt(CASE, &[&terminal, &case_id]).await?.is_some();
        work.commit().await?;
        return Ok(if exists { Stepped::Stale } else { Stepped::Missing });
    }
    audit::append(&work, vec![entry]).await?;
    work.commit().await?;
    Ok(Stepped::Done(step.version + 1))
}

/// Makes a step, if the case still has the state and the version that it was decided on.
pub(super) async fn make_step(work: &Work, step: &CaseStep) -> Result<bool, StoreError> {
    let (terminal, case_id) = (plain(&step.key.terminal), plain(&step.key.case_id));
    let (from, to) = (step.from.code(), step.to.code());
    let made =
        work.execute(MAKE_STEP, &[&terminal, &case_id, &step.version, &from, &to, &step.at_ms]).await?;
    if made == 0 {
        return Ok(false);
    }
    let version = step.version + 1;
    let (operator, reason, note) = (plain(&step.operator), plain(&step.reason), plain(&step.note));
    work.execute(
        NOTE_STEP,
        &[&terminal, &case_id, &version, &from, &to, &operator, &step.at_ms, &reason, &note],
    )
    .await?;
    Ok(true)
}

/// Counts of what asks for work. Finished cases are not counted: they only ever become more.
pub(super) async fn open_work(database: &Database, items: Option<&ItemSet>) -> Result<OpenWork, StoreError> {
    let mut work = OpenWork::default();
    for (wanted, count) in [
        (CaseState::PreReview, &mut work.pre_review),
        (CaseState::Accepted, &mut work.accepted),
        (CaseState::SupplementRequested, &mut work.supplement_requested),
    ] {
        let sql = "SELECT count(*) FROM handling h WHERE h.case_state = $1".to_owned();
        let mut asked = Condition { sql, values: vec![Box::new(wanted.code())] };
        if let Some(items) = items {
            asked.items(items);
        }
        let rows = asked.query(database).await?;
        let found: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        *count = found.unsigned_abs();
    }
    Ok(work)
}

/// Where a case stands, for who holds its receipt.
pub(super) async fn progress(
    database: &Database,
    case_number: &str,
    verification: &str,
) -> Result<Option<ProgressRow>, StoreError> {
    let row = database.query_opt(PROGRESS, &[&plain(case_number), &plain(verification)]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ProgressRow {
        item: row.try_get(0)?,
        received_at_ms: row.try_get(1)?,
        state: state(&row, 2)?,
        changed_at_ms: row.try_get(3)?,
        reason: row.try_get(4)?,
        note: row.try_get(5)?,
    }))
}

/// The sealed content, unless it was deleted.
pub(super) async fn sealed(database: &Database, key: &CaseKey) -> Result<Option<SealedCase>, StoreError> {
    let row = database.query_opt(SEALED, &[&plain(&key.terminal), &plain(&key.case_id)]).await?;
    let Some(row) = row else { return Ok(None) };
    let record = claimed(&row)?;
    Ok(Some(SealedCase { item: record.item.clone(), record }))
}

/// Dead letters before this arrival, with whether the content was deleted.
pub(super) async fn dead_letters(
    database: &Database,
    before: i64,
    limit: usize,
) -> Result<Vec<(InboxRow, bool)>, StoreError> {
    settle(database).await?;
    let rows = database.query(DEAD_LETTERS, &[&before, &at_most(limit)]).await?;
    rows.iter().map(|row| Ok((inbox_row(row)?, row.try_get(17)?))).collect()
}

/// Puts one dead letter back.
pub(super) async fn retry_one(database: &Database, id: i64, entry: AuditEntry) -> Result<bool, StoreError> {
    let work = database.begin().await?;
    let again = work.execute(RETRY_ONE, &[&id]).await?;
    if again > 0 {
        audit::append(&work, vec![entry]).await?;
    }
    work.commit().await?;
    Ok(again > 0)
}
