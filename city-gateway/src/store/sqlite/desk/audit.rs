//! The audit chain in SQLite. One writer, so the head can be read and replaced without a lock of its own.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{at_most, known};
use crate::store::desk::{AuditAct, AuditEntry, AuditHead, AuditLine, chain};

/// Adds a line, linked to the one before it.
pub(in crate::store::sqlite) fn append(
    transaction: &Transaction<'_>,
    entry: &AuditEntry,
) -> rusqlite::Result<()> {
    let head = head(transaction)?;
    let seq = head.seq + 1;
    let hash = chain::link(&head.hash, seq, entry);
    let AuditEntry { at_ms, actor, address, act, subject, detail } = entry;
    transaction
        .prepare_cached(
            "INSERT INTO city_audit (seq, at_ms, actor, address, act, subject, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![seq, at_ms, actor, address, act.code(), subject, detail, hash])?;
    transaction
        .prepare_cached("UPDATE city_audit_head SET seq = ?1, hash = ?2")?
        .execute(params![seq, hash])?;
    Ok(())
}

/// Both ends.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    connection.prepare_cached("SELECT base_seq, base_hash, seq, hash FROM city_audit_head")?.query_row(
        [],
        |row| {
            Ok(AuditHead {
                base_seq: row.get(0)?,
                base_hash: row.get(1)?,
                seq: row.get(2)?,
                hash: row.get(3)?,
            })
        },
    )
}

const COLUMNS: &str = "SELECT seq, at_ms, actor, address, act, subject, detail, hash FROM city_audit";

/// Newest first.
pub(super) fn before(connection: &Connection, before: i64, limit: usize) -> rusqlite::Result<Vec<AuditLine>> {
    lines(connection, &format!("{COLUMNS} WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"), before, limit)
}

/// Oldest first.
pub(super) fn after(connection: &Connection, after: i64, limit: usize) -> rusqlite::Result<Vec<AuditLine>> {
    lines(connection, &format!("{COLUMNS} WHERE seq > ?1 ORDER BY seq LIMIT ?2"), after, limit)
}

fn lines(connection: &Connection, sql: &str, from: i64, limit: usize) -> rusqlite::Result<Vec<AuditLine>> {
    connection.prepare_cached(sql)?.query_map(params![from, at_most(limit)], line)?.collect()
}

fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        seq: row.get(0)?,
        entry: AuditEntry {
            at_ms: row.get(1)?,
            actor: row.get(2)?,
            address: row.get(3)?,
            act: known(AuditAct::from_code(row.get_ref(4)?.as_str()?))?,
            subject: row.get(5)?,
            detail: row.get(6)?,
        },
        hash: row.get(7)?,
    })
}

/// Moves the base forward over lines that are old enough, and then removes what lies before it. Lines are taken
/// from the start only: one that seems younger keeps all after it.
pub(super) fn prune(
    transaction: &Transaction<'_>,
    before_ms: i64,
    most: usize,
    now_ms: i64,
) -> rusqlite::Result<u64> {
    let head = head(transaction)?;
    let mut last: Option<(i64, String)> = None;
    {
        let mut oldest = transaction
            .prepare_cached("SELECT seq, at_ms, hash FROM city_audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let mut rows = oldest.query(params![head.base_seq, at_most(most)])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= before_ms {
                break;
            }
            last = Some((row.get(0)?, row.get(2)?));
        }
    }
    let Some((seq, hash)) = last else { return Ok(0) };
    transaction
        .prepare_cached("UPDATE city_audit_head SET base_seq = ?1, base_hash = ?2")?
        .execute(params![seq, hash])?;
    let count = transaction.prepare_cached("DELETE FROM city_audit WHERE seq <= ?1")?.execute([seq])?;
    append(
        transaction,
        &AuditEntry {
            at_ms: now_ms,
            actor: "gateway".into(),
            address: String::new(),
            act: AuditAct::AuditPruned,
            subject: String::new(),
            detail: format!("up to {seq}"),
        },
    )?;
    Ok(count as u64)
}

/// How many lines are old enough.
pub(super) fn due(connection: &Connection, before_ms: i64) -> rusqlite::Result<u64> {
    let youngest: Option<i64> = connection
        .prepare_cached("SELECT seq FROM city_audit WHERE at_ms >= ?1 ORDER BY seq LIMIT 1")?
        .query_row([before_ms], |row| row.get(0))
        .optional()?;
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM city_audit WHERE seq < ?1")?
        .query_row([youngest.unwrap_or(i64::MAX)], |row| row.get(0))?;
    Ok(count as u64)
}
