//! What is asked of the reading connection.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::desk::aside;
use crate::store::{
    Claimed, Conflict, Counts, DeadLetterReason, Found, InboxRow, Kind, MaskedPerson, Page, Place, Received,
    Status,
};

/// Most ranges that are told. Leaving some out only makes a terminal send again what is already held.
const MAX_RANGES: usize = 4096;

/// The prefix noted earlier, the ranges of one queue, and how far it outlives the machine.
pub(super) fn received(
    connection: &Connection,
    terminal: &str,
    incarnation: &str,
) -> rusqlite::Result<(u64, Received)> {
    let known: i64 = connection
        .prepare_cached("SELECT contiguous FROM progress WHERE terminal = ?1 AND incarnation = ?2")?
        .query_row([terminal, incarnation], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let mut positions = connection.prepare_cached(
        "SELECT seq FROM inbox WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3
         UNION SELECT seq FROM quarantine WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3
         ORDER BY seq",
    )?;
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    if known > 0 {
        ranges.push((1, known as u64));
    }
    let mut rows = positions.query(params![terminal, incarnation, known])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)? as u64;
        if let Some((_, last)) = ranges.last_mut()
            && *last + 1 == seq
        {
            *last = seq;
        } else if ranges.len() == MAX_RANGES {
            break;
        } else {
            ranges.push((seq, seq));
        }
    }
    let durable: Option<i64> = connection
        .prepare_cached("SELECT seq FROM durable WHERE terminal = ?1 AND incarnation = ?2")?
        .query_row([terminal, incarnation], |row| row.get(0))
        .optional()?;
    Ok((known as u64, Received { ranges, durable_seq: durable.unwrap_or(0) as u64 }))
}

/// The oldest records without an outcome that nobody holds, with their ids.
pub(super) fn unopened(
    connection: &Connection,
    limit: usize,
    held: impl Fn(i64) -> bool,
) -> rusqlite::Result<Vec<(i64, Claimed)>> {
    let mut list = connection.prepare_cached("SELECT id FROM to_open ORDER BY id")?;
    let mut free = Vec::new();
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if held(id) {
            continue;
        }
        if free.len() == limit {
            break;
        }
        free.push(id);
    }
    free.into_iter().map(|id| Ok((id, claimed(connection, id)?))).collect()
}

/// One record with its sealed content.
pub(super) fn claimed(connection: &Connection, id: i64) -> rusqlite::Result<Claimed> {
    connection
        .prepare_cached(
            "SELECT terminal, incarnation, seq, case_id, kind, about, case_number, item, item_version, ciphertext
             FROM inbox WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Claimed {
                place: place(row, 0)?,
                case_id: row.get(3)?,
                kind: kind(row, 4)?,
                about: row.get(5)?,
                case_number: row.get(6)?,
                item: row.get(7)?,
                item_version: row.get(8)?,
                ciphertext: row.get(9)?,
            })
        })
}

/// A page of both tables in order of arrival.
pub(super) fn page(connection: &Connection, page: Page, limit: usize) -> rusqlite::Result<Vec<InboxRow>> {
    let (from, comparison, order) = match page {
        Page::After(id) => (id, '>', "ASC"),
        Page::Before(id) => (id, '<', "DESC"),
    };
    // Each half is cut by its own primary key before the two are merged.
    let sql = format!(
        "SELECT * FROM (
            SELECT i.id, i.terminal, i.incarnation, i.seq, i.case_id, i.case_number, i.kind, i.item, i.sha256,
                   i.received_at_ms,
                   ifnull(o.state, CASE WHEN a.id IS NULL THEN 'received' ELSE 'incomplete' END),
                   o.reason_code, o.reason_detail, o.person_name, o.person_number, o.person_phone, o.summary
            FROM inbox i LEFT JOIN outcome o ON o.id = i.id LEFT JOIN awaiting_blobs a ON a.id = i.id
            WHERE i.id {comparison} ?1 ORDER BY i.id {order} LIMIT ?2)
         UNION ALL SELECT * FROM (
            SELECT id, terminal, incarnation, seq, case_id, case_number, kind, item, sha256,
                   received_at_ms, 'quarantined', reason, NULL, NULL, NULL, NULL, NULL
            FROM quarantine WHERE id {comparison} ?1 ORDER BY id {order} LIMIT ?2)
         ORDER BY 1 {order} LIMIT ?2"
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params![from, i64::try_from(limit).unwrap_or(i64::MAX)], inbox_row)?
        .collect()
}

pub(super) fn inbox_row(row: &Row<'_>) -> rusqlite::Result<InboxRow> {
    let reason: Option<String> = row.get(11)?;
    let reason = reason.as_deref().unwrap_or_default();
    let status = match row.get_ref(10)?.as_str()? {
        "opened" => {
            let person = MaskedPerson { name: row.get(13)?, number: row.get(14)?, phone: row.get(15)? };
            let person = Some(person).filter(|person| *person != MaskedPerson::default());
            Status::Opened { person, summary: row.get::<_, Option<String>>(16)?.unwrap_or_default() }
        }
        "dead_letter" => Status::DeadLetter {
            reason: DeadLetterReason::from_code(reason).ok_or(rusqlite::Error::InvalidQuery)?,
            detail: row.get(12)?,
        },
        "quarantined" => {
            Status::Quarantined(Conflict::from_code(reason).ok_or(rusqlite::Error::InvalidQuery)?)
        }
        "incomplete" => Status::Incomplete,
        _ => Status::Received,
    };
    Ok(InboxRow {
        id: row.get(0)?,
        place: place(row, 1)?,
        case_id: row.get(4)?,
        case_number: row.get(5)?,
        kind: kind(row, 6)?,
        item: row.get(7)?,
        sha256: row.get(8)?,
        received_at_ms: row.get(9)?,
        status,
    })
}

/// A case by its verification code. One in quarantine counts: the resident holds a receipt for it.
pub(super) fn find(connection: &Connection, verification: &str) -> rusqlite::Result<Option<Found>> {
    connection
        .prepare_cached(
            "SELECT case_number, item, received_at_ms FROM (
                SELECT 0 AS aside, id, case_number, item, received_at_ms FROM inbox
                WHERE kind = 'case' AND verification = ?1
                UNION ALL
                SELECT 1, id, case_number, item, received_at_ms FROM quarantine
                WHERE kind = 'case' AND verification = ?1)
             ORDER BY aside, id LIMIT 1",
        )?
        .query_row([verification], |row| {
            Ok(Found { case_number: row.get(0)?, item: row.get(1)?, received_at_ms: row.get(2)? })
        })
        .optional()
}

/// Counts for the operators' page.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    let undecided = aside::undecided(connection)?;
    connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM to_open),
                    (SELECT count(*) FROM outcome),
                    (SELECT count(*) FROM outcome WHERE state = 'dead_letter'),
                    (SELECT count(*) FROM quarantine),
                    (SELECT count(*) FROM awaiting_blobs)",
        )?
        .query_row([], |row| {
            let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
            let (decided, dead_letters) = (count(1)?, count(2)?);
            Ok(Counts {
                waiting: count(0)?,
                opened: decided.saturating_sub(dead_letters),
                dead_letters,
                quarantined: count(3)?,
                undecided,
                incomplete: count(4)?,
            })
        })
}

pub(super) fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<Place> {
    let seq: i64 = row.get(at + 2)?;
    Ok(Place { terminal: row.get(at)?, incarnation: row.get(at + 1)?, seq: seq as u64 })
}

fn kind(row: &Row<'_>, at: usize) -> rusqlite::Result<Kind> {
    match row.get_ref(at)?.as_str()? {
        "rating" => Ok(Kind::Rating),
        "void" => Ok(Kind::Void),
        "case" => Ok(Kind::Case),
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}
