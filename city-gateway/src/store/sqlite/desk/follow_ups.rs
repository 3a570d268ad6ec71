//! What followed cases, in SQLite.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use service_catalog::FollowUp;

use super::cases::{make_step, state};
use super::{audit, known};
use crate::store::desk::{CaseKey, CaseState, CaseStep, ErasureRule};
use crate::store::follow_up::{self, FollowUpRow, MOST_NAMED, NamedCase, RESIDENT};
use crate::store::{DeadLetterReason, MaskedPerson};

const ROW: &str = "
    SELECT i.terminal, i.case_id, i.case_number, i.item, i.sha256, i.received_at_ms,
           o.person_name, o.person_number, o.person_phone, f.follows, f.case_terminal, f.case_id,
           c.case_number, c.item, f.at_ms, f.state, f.step,
           (SELECT count(*) FROM named_blob b WHERE b.record = f.id), e.at_ms, e.rule
    FROM follow_up f JOIN inbox i ON i.id = f.id JOIN outcome o ON o.id = f.id
    JOIN inbox c ON c.terminal = f.case_terminal AND c.case_id = f.case_id
    LEFT JOIN erased e ON e.id = f.id";

/// What followed a case, oldest first.
pub(in crate::store::sqlite) fn of(
    connection: &Connection,
    case: &CaseKey,
) -> rusqlite::Result<Vec<FollowUpRow>> {
    connection
        .prepare_cached(&format!("{ROW} WHERE f.case_terminal = ?1 AND f.case_id = ?2 ORDER BY f.id"))?
        .query_map([&case.terminal, &case.case_id], row)?
        .collect()
}

/// One of them, by its own name.
pub(in crate::store::sqlite) fn one(
    connection: &Connection,
    key: &CaseKey,
) -> rusqlite::Result<Option<FollowUpRow>> {
    connection
        .prepare_cached(&format!("{ROW} WHERE i.terminal = ?1 AND i.case_id = ?2"))?
        .query_row([&key.terminal, &key.case_id], row)
        .optional()
}

fn row(row: &Row<'_>) -> rusqlite::Result<FollowUpRow> {
    let erased = match row.get::<_, Option<i64>>(18)? {
        Some(at_ms) => Some((at_ms, known(ErasureRule::from_code(row.get_ref(19)?.as_str()?))?)),
        None => None,
    };
    Ok(FollowUpRow {
        key: CaseKey { terminal: row.get(0)?, case_id: row.get(1)? },
        case_number: row.get(2)?,
        item: row.get(3)?,
        sha256: row.get(4)?,
        received_at_ms: row.get(5)?,
        person: MaskedPerson { name: row.get(6)?, number: row.get(7)?, phone: row.get(8)? },
        follows: known(FollowUp::from_word(row.get_ref(9)?.as_str()?))?,
        case: CaseKey { terminal: row.get(10)?, case_id: row.get(11)? },
        about_number: row.get(12)?,
        about_item: row.get(13)?,
        at_ms: row.get(14)?,
        state: state(row, 15)?,
        step: row.get(16)?,
        blobs: row.get::<_, i64>(17)?.unsigned_abs(),
        erased,
    })
}

/// The opened cases of which a receipt bears this number.
pub(in crate::store::sqlite) fn named(
    connection: &Connection,
    case_number: &str,
) -> rusqlite::Result<Vec<NamedCase>> {
    connection
        .prepare_cached(
            "SELECT i.verification, i.terminal, i.case_id FROM inbox i JOIN case_progress p ON p.id = i.id
             WHERE i.kind = 'case' AND i.case_number = ?1
             UNION ALL
             SELECT i.verification, f.case_terminal, f.case_id FROM inbox i JOIN follow_up f ON f.id = i.id
             WHERE i.kind = 'case' AND i.case_number = ?1
             LIMIT ?2",
        )?
        .query_map(params![case_number, MOST_NAMED as i64], |row| {
            Ok(NamedCase {
                verification: zeroize::Zeroizing::new(row.get(0)?),
                key: CaseKey { terminal: row.get(1)?, case_id: row.get(2)? },
            })
        })?
        .collect()
}

/// Whether anything waits for its case.
pub(in crate::store::sqlite) fn any_waits(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM outcome WHERE state = 'dead_letter' AND reason_code = ?1 LIMIT 1")?
        .exists([DeadLetterReason::NoSuchCase.code()])
}

/// Puts back what waited for a case that has been opened since.
pub(in crate::store::sqlite) fn retry_awaited(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let ready: Vec<i64> = transaction
        .prepare_cached(
            "SELECT o.id FROM outcome o
             WHERE o.state = 'dead_letter' AND o.reason_code = ?1 AND o.id NOT IN (SELECT id FROM erased)
               AND EXISTS (SELECT 1 FROM inbox i WHERE i.kind = 'case' AND i.case_number = o.reason_detail
                           AND (EXISTS (SELECT 1 FROM case_progress p WHERE p.id = i.id)
                                OR EXISTS (SELECT 1 FROM follow_up f WHERE f.id = i.id)))",
        )?
        .query_map([DeadLetterReason::NoSuchCase.code()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &ready {
        transaction.prepare_cached("DELETE FROM outcome WHERE id = ?1")?.execute([id])?;
        transaction
            .prepare_cached("INSERT INTO to_open (id) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([id])?;
    }
    Ok(ready.len() as u64)
}

/// Puts a record beside the case that it follows, and makes its step. Its outcome is written after this: the trigger
/// looks here.
pub(in crate::store::sqlite) fn join(
    transaction: &Transaction<'_>,
    id: i64,
    follows: FollowUp,
    case: &CaseKey,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let CaseKey { terminal, case_id } = case;
    let (now, version, before): (String, i64, Option<String>) = transaction
        .prepare_cached(
            "SELECT p.state, p.version, s.from_state FROM case_progress p
             LEFT JOIN case_step s ON s.terminal = p.terminal AND s.case_id = p.case_id AND s.version = p.version
             WHERE p.terminal = ?1 AND p.case_id = ?2",
        )?
        .query_row([terminal, case_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let from = known(CaseState::from_code(&now))?;
    let before = before.as_deref().and_then(CaseState::from_code);
    let to = follow_up::step(follows, from, before);
    transaction
        .prepare_cached(
            "INSERT INTO follow_up (id, case_terminal, case_id, follows, at_ms, state, step)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            id,
            terminal,
            case_id,
            follows.word(),
            at_ms,
            from.code(),
            to.map(|_| version + 1)
        ])?;
    let Some((to, reason)) = to else { return Ok(()) };
    let step = CaseStep {
        key: case.clone(),
        version,
        from,
        to,
        operator: RESIDENT.into(),
        at_ms,
        reason: reason.into(),
        note: String::new(),
    };
    make_step(transaction, &step)?;
    audit::append(transaction, &follow_up::entry(case, from, to, reason, at_ms))
}
