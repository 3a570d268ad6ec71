//! Accounts and sessions in SQLite.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{at_most, audit, known};
use crate::store::desk::{AuditEntry, Changed, Duty, OperatorChange, OperatorRow, Role, SessionRow};

const COLUMNS: &str =
    "o.name, o.role, o.department, o.sites, o.password_hash, o.code_secret, o.code_step, o.must_change,
                       o.disabled, o.version, o.created_at_ms";

/// Most accounts that are listed.
const MOST: usize = 1000;

pub(super) fn add(
    transaction: &Transaction<'_>,
    operator: &OperatorRow,
    entry: &AuditEntry,
) -> rusqlite::Result<bool> {
    let added = transaction
        .prepare_cached(
            "INSERT INTO operator (name, role, department, sites, password_hash, code_secret, code_step, must_change,
                                   disabled, version, created_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            operator.name,
            operator.role.code(),
            operator.department,
            operator.sites.join(" "),
            operator.password_hash,
            operator.code_secret,
            operator.code_step,
            operator.must_change,
            operator.disabled,
            operator.version,
            operator.created_at_ms,
        ])?;
    if added > 0 {
        audit::append(transaction, entry)?;
    }
    Ok(added > 0)
}

pub(super) fn operator(connection: &Connection, name: &str) -> rusqlite::Result<Option<OperatorRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM operator o WHERE name = ?1"))?
        .query_row([name], |row| operator_row(row, 0))
        .optional()
}

pub(super) fn operators(connection: &Connection) -> rusqlite::Result<Vec<OperatorRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM operator o ORDER BY name LIMIT ?1"))?
        .query_map([at_most(MOST)], |row| operator_row(row, 0))?
        .collect()
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    name: &str,
    version: i64,
    change: &OperatorChange,
    entry: &AuditEntry,
) -> rusqlite::Result<Changed> {
    let changed = match change {
        OperatorChange::Secrets { password_hash, code_secret, must_change } => transaction
            .prepare_cached(
                "UPDATE operator SET password_hash = ?3, code_secret = ifnull(?4, code_secret),
                     code_step = CASE WHEN ?4 IS NULL THEN code_step ELSE 0 END, must_change = ?5,
                     version = version + 1
                 WHERE name = ?1 AND version = ?2",
            )?
            .execute(params![name, version, password_hash, code_secret, must_change])?,
        OperatorChange::Duty(Duty { role, department, sites }) => transaction
            .prepare_cached(
                "UPDATE operator SET role = ?3, department = ?4, sites = ?5, version = version + 1
                 WHERE name = ?1 AND version = ?2",
            )?
            .execute(params![name, version, role.code(), department, sites.join(" ")])?,
        OperatorChange::Disabled(disabled) => transaction
            .prepare_cached(
                "UPDATE operator SET disabled = ?3, version = version + 1 WHERE name = ?1 AND version = ?2",
            )?
            .execute(params![name, version, disabled])?,
    };
    if changed == 0 {
        return Ok(Changed::Stale);
    }
    transaction.prepare_cached("DELETE FROM operator_session WHERE operator = ?1")?.execute([name])?;
    audit::append(transaction, entry)?;
    Ok(Changed::Done)
}

pub(super) fn use_code(transaction: &Transaction<'_>, name: &str, step: i64) -> rusqlite::Result<bool> {
    let used = transaction
        .prepare_cached("UPDATE operator SET code_step = ?2 WHERE name = ?1 AND code_step < ?2")?
        .execute(params![name, step])?;
    Ok(used > 0)
}

pub(super) fn open_session(
    transaction: &Transaction<'_>,
    session: &SessionRow,
    expired_before_ms: i64,
    most: usize,
    entry: &AuditEntry,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM operator_session WHERE seen_at_ms < ?1")?
        .execute([expired_before_ms])?;
    transaction
        .prepare_cached(
            "INSERT INTO operator_session (token_hash, operator, operator_version, form_token, created_at_ms,
                                           seen_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            session.token_hash,
            session.operator,
            session.operator_version,
            session.form_token,
            session.created_at_ms,
            session.seen_at_ms,
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM operator_session WHERE operator = ?1 AND token_hash != ?2 AND token_hash NOT IN (
                 SELECT token_hash FROM operator_session WHERE operator = ?1
                 ORDER BY created_at_ms DESC, token_hash LIMIT ?3)",
        )?
        .execute(params![session.operator, session.token_hash, at_most(most)])?;
    audit::append(transaction, entry)
}

pub(super) fn session(
    connection: &Connection,
    token_hash: &str,
) -> rusqlite::Result<Option<(SessionRow, OperatorRow)>> {
    connection
        .prepare_cached(&format!(
            "SELECT s.token_hash, s.operator, s.operator_version, s.form_token, s.created_at_ms, s.seen_at_ms,
                    {COLUMNS}
             FROM operator_session s JOIN operator o ON o.name = s.operator WHERE s.token_hash = ?1"
        ))?
        .query_row([token_hash], |row| {
            let session = SessionRow {
                token_hash: row.get(0)?,
                operator: row.get(1)?,
                operator_version: row.get(2)?,
                form_token: row.get(3)?,
                created_at_ms: row.get(4)?,
                seen_at_ms: row.get(5)?,
            };
            Ok((session, operator_row(row, 6)?))
        })
        .optional()
}

pub(super) fn touch_session(
    transaction: &Transaction<'_>,
    token_hash: &str,
    seen_at_ms: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE operator_session SET seen_at_ms = ?2 WHERE token_hash = ?1 AND seen_at_ms < ?2",
        )?
        .execute(params![token_hash, seen_at_ms])
        .map(|_| ())
}

pub(super) fn end_session(
    transaction: &Transaction<'_>,
    token_hash: &str,
    entry: &AuditEntry,
) -> rusqlite::Result<()> {
    let ended = transaction
        .prepare_cached("DELETE FROM operator_session WHERE token_hash = ?1")?
        .execute([token_hash])?;
    if ended > 0 { audit::append(transaction, entry) } else { Ok(()) }
}

fn operator_row(row: &Row<'_>, at: usize) -> rusqlite::Result<OperatorRow> {
    Ok(OperatorRow {
        name: row.get(at)?,
        role: known(Role::from_code(row.get_ref(at + 1)?.as_str()?))?,
        department: row.get(at + 2)?,
        sites: row.get_ref(at + 3)?.as_str()?.split_whitespace().map(str::to_owned).collect(),
        password_hash: row.get(at + 4)?,
        code_secret: row.get(at + 5)?,
        code_step: row.get(at + 6)?,
        must_change: row.get(at + 7)?,
        disabled: row.get(at + 8)?,
        version: row.get(at + 9)?,
        created_at_ms: row.get(at + 10)?,
    })
}
