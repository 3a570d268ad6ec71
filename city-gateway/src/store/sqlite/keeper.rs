//! Calls for keepers in the embedded store. The one writer is the lock.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::SqliteStore;
use super::desk::audit;
use crate::store::Reply;
use crate::store::desk::AuditEntry;
use crate::store::keeper::{Answered, CallAnswer, CallId, CallRow, KeeperCalls, MOST, NewCall, Sites};

const COLUMNS: &str = "
    SELECT terminal, name, place, page, item, language, theme, opened_at_ms, heard_at_ms, answered_by,
           answered_at_ms, ended_at_ms
    FROM keeper_call";

fn open(transaction: &Transaction<'_>, call: &NewCall) -> rusqlite::Result<Option<CallRow>> {
    let CallId { terminal, name } = &call.id;
    if let Some(known) = one(transaction, &call.id)? {
        return Ok(Some(known));
    }
    transaction
        .prepare_cached(
            "UPDATE keeper_call SET ended_at_ms = ?2 WHERE terminal = ?1 AND ended_at_ms IS NULL",
        )?
        .execute(params![terminal, call.opened_at_ms])?;
    transaction
        .prepare_cached(
            "INSERT INTO keeper_call (terminal, name, place, page, item, language, theme, opened_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            terminal,
            name,
            call.place,
            call.page,
            call.item,
            call.language,
            call.theme,
            call.opened_at_ms
        ])?;
    one(transaction, &call.id)
}

fn one(connection: &Connection, id: &CallId) -> rusqlite::Result<Option<CallRow>> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE terminal = ?1 AND name = ?2"))?
        .query_row([&id.terminal, &id.name], row)
        .optional()
}

/// Whoever is told of the end before the beginning notes it all the same: the beginning then finds it.
fn end(transaction: &Transaction<'_>, id: &CallId, at_ms: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO keeper_call (terminal, name, place, page, item, language, theme, opened_at_ms, ended_at_ms)
             VALUES (?1, ?2, '', '', '', '', '', ?3, ?3)
             ON CONFLICT (terminal, name) DO UPDATE SET ended_at_ms = coalesce(ended_at_ms, excluded.ended_at_ms)",
        )?
        .execute(params![id.terminal, id.name, at_ms])
        .map(|_| ())
}

fn list(connection: &Connection, of: &Sites, after_ms: i64) -> rusqlite::Result<Vec<CallRow>> {
    // A list of codes as one JSON value: one statement for any number of them.
    let codes = match of {
        Sites::All => None,
        Sites::Only(codes) => Some(serde_json::Value::from(codes.clone()).to_string()),
    };
    connection
        .prepare_cached(&format!(
            "{COLUMNS} WHERE ended_at_ms IS NULL AND opened_at_ms > ?1
             AND (?2 IS NULL OR terminal IN (SELECT value FROM json_each(?2)))
             ORDER BY opened_at_ms, terminal LIMIT ?3"
        ))?
        .query_map(params![after_ms, codes, MOST as i64], row)?
        .collect()
}

fn heard(transaction: &Transaction<'_>, ids: &[CallId], at_ms: i64) -> rusqlite::Result<()> {
    let mut note = transaction.prepare_cached(
        "UPDATE keeper_call SET heard_at_ms = ?3 WHERE terminal = ?1 AND name = ?2 AND heard_at_ms IS NULL",
    )?;
    ids.iter().try_for_each(|id| note.execute(params![id.terminal, id.name, at_ms]).map(|_| ()))
}

fn answer(
    transaction: &Transaction<'_>,
    answer: &CallAnswer,
    entry: &AuditEntry,
) -> rusqlite::Result<Answered> {
    let CallAnswer { id, by, at_ms, after_ms } = answer;
    let done = transaction
        .prepare_cached(
            "UPDATE keeper_call
             SET answered_by = ?3, answered_at_ms = ?4, heard_at_ms = coalesce(heard_at_ms, ?4)
             WHERE terminal = ?1 AND name = ?2 AND answered_by IS NULL AND ended_at_ms IS NULL AND opened_at_ms > ?5",
        )?
        .execute(params![id.terminal, id.name, by, at_ms, after_ms])?;
    if done > 0 {
        audit::append(transaction, entry)?;
        return Ok(Answered::Done);
    }
    Ok(match one(transaction, id)? {
        Some(CallRow { answered: Some((before, _)), ended_at_ms: None, .. }) => Answered::Before(before),
        _ => Answered::Over,
    })
}

impl KeeperCalls for SqliteStore {
    fn open_call(&self, call: NewCall) -> Reply<'_, Option<CallRow>> {
        Box::pin(self.work(move |transaction| open(transaction, &call)))
    }

    fn keeper_call<'a>(&'a self, terminal: &'a str, name: &'a str) -> Reply<'a, Option<CallRow>> {
        let id = CallId { terminal: terminal.into(), name: name.into() };
        Box::pin(self.read(move |_, connection| one(connection, &id)))
    }

    fn end_call<'a>(&'a self, terminal: &'a str, name: &'a str, at_ms: i64) -> Reply<'a, ()> {
        let id = CallId { terminal: terminal.into(), name: name.into() };
        Box::pin(self.work(move |transaction| end(transaction, &id, at_ms)))
    }

    fn calls(&self, of: Sites, after_ms: i64) -> Reply<'_, Vec<CallRow>> {
        Box::pin(self.read(move |_, connection| list(connection, &of, after_ms)))
    }

    fn calls_heard(&self, ids: Vec<CallId>, at_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.work(move |transaction| heard(transaction, &ids, at_ms)))
    }

    fn answer_call(&self, said: CallAnswer, entry: AuditEntry) -> Reply<'_, Answered> {
        Box::pin(self.work(move |transaction| answer(transaction, &said, &entry)))
    }

    fn forget_calls(&self, before_ms: i64) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| {
            let gone = transaction
                .prepare_cached("DELETE FROM keeper_call WHERE opened_at_ms < ?1")?
                .execute([before_ms])?;
            Ok(gone as u64)
        }))
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    let answered: (Option<String>, Option<i64>) = (row.get(9)?, row.get(10)?);
    Ok(CallRow {
        call: NewCall {
            id: CallId { terminal: row.get(0)?, name: row.get(1)? },
            place: row.get(2)?,
            page: row.get(3)?,
            item: row.get(4)?,
            language: row.get(5)?,
            theme: row.get(6)?,
            opened_at_ms: row.get(7)?,
        },
        heard_at_ms: row.get(8)?,
        answered: answered.0.zip(answered.1),
        ended_at_ms: row.get(11)?,
    })
}
