//! Cases, their steps, and records that could not be taken up, in SQLite.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

use super::super::read;
use super::{at_most, audit, known};
use crate::store::desk::{
    AuditEntry, CaseFilter, CaseKey, CaseRow, CaseState, CaseStep, ErasureRule, ItemSet, OpenWork,
    ProgressRow, SealedCase, StepRow, Stepped,
};
use crate::store::{InboxRow, MaskedPerson};

const CASE: &str = "
    SELECT p.id, p.terminal, p.case_id, i.case_number, p.item, i.item_version, i.sha256, p.received_at_ms,
           o.person_name, o.person_number, o.person_phone, p.state, p.version, p.changed_at_ms, e.at_ms, e.rule
    FROM case_progress p JOIN inbox i ON i.id = p.id JOIN outcome o ON o.id = p.id
    LEFT JOIN erased e ON e.id = p.id";

/// Cases that pass the filter, newest first.
pub(super) fn list(
    connection: &Connection,
    filter: &CaseFilter,
    limit: usize,
) -> rusqlite::Result<Vec<CaseRow>> {
    let mut sql = format!("{CASE} WHERE p.id < ?");
    let mut values = vec![Value::from(filter.before)];
    for items in &filter.items {
        push_items(&mut sql, &mut values, items);
    }
    if !filter.states.is_empty() {
        sql.push_str(" AND p.state IN (");
        push_list(&mut sql, &mut values, filter.states.iter().map(|state| state.code().to_owned()));
    }
    for (condition, value) in
        [(" AND p.received_at_ms >= ?", filter.from_ms), (" AND p.received_at_ms < ?", filter.until_ms)]
    {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value.into());
        }
    }
    if let Some(number) = &filter.case_number {
        sql.push_str(" AND i.case_number = ?");
        values.push(number.clone().into());
    }
    sql.push_str(" ORDER BY p.id DESC LIMIT ?");
    values.push(at_most(limit).into());
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), case_row)?.collect()
}

fn push_items(sql: &mut String, values: &mut Vec<Value>, items: &ItemSet) {
    let (word, codes) = match items {
        ItemSet::Only(codes) => ("IN", codes),
        ItemSet::AllBut(codes) => ("NOT IN", codes),
    };
    sql.push_str(" AND p.item ");
    sql.push_str(word);
    sql.push_str(" (");
    push_list(sql, values, codes.iter().cloned());
}

fn push_list(sql: &mut String, values: &mut Vec<Value>, list: impl Iterator<Item = String>) {
    for (at, value) in list.enumerate() {
        sql.push_str(if at == 0 { "?" } else { ", ?" });
        values.push(value.into());
    }
    sql.push(')');
}

/// One case.
pub(super) fn one(connection: &Connection, key: &CaseKey) -> rusqlite::Result<Option<CaseRow>> {
    connection
        .prepare_cached(&format!("{CASE} WHERE p.terminal = ?1 AND p.case_id = ?2"))?
        .query_row([&key.terminal, &key.case_id], case_row)
        .optional()
}

fn case_row(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    let erased = match row.get::<_, Option<i64>>(14)? {
        Some(at_ms) => Some((at_ms, known(ErasureRule::from_code(row.get_ref(15)?.as_str()?))?)),
        None => None,
    };
    Ok(CaseRow {
        id: row.get(0)?,
        key: CaseKey { terminal: row.get(1)?, case_id: row.get(2)? },
        case_number: row.get(3)?,
        item: row.get(4)?,
        item_version: row.get(5)?,
        sha256: row.get(6)?,
        received_at_ms: row.get(7)?,
        person: MaskedPerson { name: row.get(8)?, number: row.get(9)?, phone: row.get(10)? },
        state: state(row, 11)?,
        version: row.get(12)?,
        changed_at_ms: row.get(13)?,
        erased,
    })
}

pub(super) fn state(row: &Row<'_>, at: usize) -> rusqlite::Result<CaseState> {
    known(CaseState::from_code(row.get_ref(at)?.as_str()?))
}

/// The history of a case, oldest first.
pub(in crate::store::sqlite) fn steps(
    connection: &Connection,
    key: &CaseKey,
) -> rusqlite::Result<Vec<StepRow>> {
    connection
        .prepare_cached(
            "SELECT version, from_state, to_state, operator, at_ms, reason, note FROM case_step
             WHERE terminal = ?1 AND case_id = ?2 ORDER BY version",
        )?
        .query_map([&key.terminal, &key.case_id], |row| {
            Ok(StepRow {
                version: row.get(0)?,
                from: state(row, 1)?,
                to: state(row, 2)?,
                operator: row.get(3)?,
                at_ms: row.get(4)?,
                reason: row.get(5)?,
                note: row.get(6)?,
            })
        })?
        .collect()
}

/// One step: the first who names the version makes it.
pub(super) fn step(
    transaction: &Transaction<'_>,
    step: &CaseStep,
    entry: &AuditEntry,
) -> rusqlite::Result<Stepped> {
    let CaseKey { terminal, case_id } = &step.key;
    if !make_step(transaction, step)? {
        let exists = transaction
            .prepare_cached("SELECT 1 FROM case_progress WHERE terminal = ?1 AND case_id = ?2")?
            .exists([terminal, case_id])?;
        return Ok(if exists { Stepped::Stale } else { Stepped::Missing });
    }
    audit::append(transaction, entry)?;
    Ok(Stepped::Done(step.version + 1))
}

/// Makes a step, if the case still has the state and the version that it was decided on.
pub(super) fn make_step(transaction: &Transaction<'_>, step: &CaseStep) -> rusqlite::Result<bool> {
    let CaseKey { terminal, case_id } = &step.key;
    let made = transaction
        .prepare_cached(
            "UPDATE case_progress SET state = ?5, version = version + 1, changed_at_ms = ?6
             WHERE terminal = ?1 AND case_id = ?2 AND version = ?3 AND state = ?4",
        )?
        .execute(params![terminal, case_id, step.version, step.from.code(), step.to.code(), step.at_ms])?;
    if made == 0 {
        return Ok(false);
    }
    let version = step.version + 1;
    transaction
        .prepare_cached(
            "INSERT INTO case_step (terminal, case_id, version, from_state, to_state, operator, at_ms, reason, note)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            terminal,
            case_id,
            version,
            step.from.code(),
            step.to.code(),
            step.operator,
            step.at_ms,
            step.reason,
            step.note,
        ])?;
    Ok(true)
}

/// Counts of what asks for work. Finished cases are not counted: they only ever become more.
pub(super) fn open_work(connection: &Connection, items: Option<&ItemSet>) -> rusqlite::Result<OpenWork> {
    let mut work = OpenWork::default();
    for (wanted, count) in [
        (CaseState::PreReview, &mut work.pre_review),
        (CaseState::Accepted, &mut work.accepted),
        (CaseState::SupplementRequested, &mut work.supplement_requested),
    ] {
        let mut sql = "SELECT count(*) FROM case_progress p WHERE p.state = ?".to_owned();
        let mut values = vec![Value::from(wanted.code().to_owned())];
        if let Some(items) = items {
            push_items(&mut sql, &mut values, items);
        }
        let found: i64 =
            connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        *count = found as u64;
    }
    Ok(work)
}

/// Where a case stands, for who holds its receipt.
pub(super) fn progress(
    connection: &Connection,
    case_number: &str,
    verification: &str,
) -> rusqlite::Result<Option<ProgressRow>> {
    connection
        .prepare_cached(
            "SELECT i.item, i.received_at_ms, ifnull(p.state, 'pre_review'),
                    ifnull(p.changed_at_ms, i.received_at_ms), s.reason, ifnull(s.note, '')
             FROM inbox i LEFT JOIN case_progress p ON p.id = i.id
             LEFT JOIN case_step s ON s.terminal = p.terminal AND s.case_id = p.case_id AND s.version = p.version
             WHERE i.kind = 'case' AND i.verification = ?2 AND i.case_number = ?1
             ORDER BY i.id LIMIT 1",
        )?
        .query_row([case_number, verification], |row| {
            Ok(ProgressRow {
                item: row.get(0)?,
                received_at_ms: row.get(1)?,
                state: state(row, 2)?,
                changed_at_ms: row.get(3)?,
                reason: row.get(4)?,
                note: row.get(5)?,
            })
        })
        .optional()
}

/// The sealed content, unless it was deleted.
pub(super) fn sealed(connection: &Connection, key: &CaseKey) -> rusqlite::Result<Option<SealedCase>> {
    let id: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM inbox WHERE terminal = ?1 AND case_id = ?2
             AND (id IN (SELECT id FROM case_progress) OR id IN (SELECT id FROM follow_up))
             AND id NOT IN (SELECT id FROM erased)",
        )?
        .query_row([&key.terminal, &key.case_id], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(None) };
    let record = read::claimed(connection, id)?;
    Ok(Some(SealedCase { item: record.item.clone(), record }))
}

/// Dead letters before this arrival, with whether the content was deleted.
pub(super) fn dead_letters(
    connection: &Connection,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(InboxRow, bool)>> {
    connection
        .prepare_cached(
            "SELECT i.id, i.terminal, i.incarnation, i.seq, i.case_id, i.case_number, i.kind, i.item, i.sha256,
                    i.received_at_ms, o.state, o.reason_code, o.reason_detail, NULL, NULL, NULL, NULL,
                    EXISTS (SELECT 1 FROM erased e WHERE e.id = i.id)
             FROM outcome o JOIN inbox i ON i.id = o.id
             WHERE o.state = 'dead_letter' AND o.id < ?1 ORDER BY o.id DESC LIMIT ?2",
        )?
        .query_map(params![before, at_most(limit)], |row| Ok((read::inbox_row(row)?, row.get(17)?)))?
        .collect()
}

/// Puts one dead letter back.
pub(super) fn retry_one(
    transaction: &Transaction<'_>,
    id: i64,
    entry: &AuditEntry,
) -> rusqlite::Result<bool> {
    let gone = transaction
        .prepare_cached(
            "DELETE FROM outcome WHERE id = ?1 AND state = 'dead_letter' AND id NOT IN (SELECT id FROM erased)",
        )?
        .execute([id])?;
    if gone == 0 {
        return Ok(false);
    }
    transaction
        .prepare_cached("INSERT INTO to_open (id) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([id])?;
    audit::append(transaction, entry)?;
    Ok(true)
}
