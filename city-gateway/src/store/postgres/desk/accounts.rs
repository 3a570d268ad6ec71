//! Accounts and sessions in PostgreSQL.

use tokio_postgres::Row;

use super::{at_most, audit};
use crate::store::StoreError;
use crate::store::desk::{AuditEntry, Changed, Duty, OperatorChange, OperatorRow, Role, SessionRow};
use crate::store::postgres::database::{Database, plain};
use crate::store::postgres::read::unknown;

/// Most accounts that are listed.
const MOST: usize = 1000;

macro_rules! accounts {
    ($before:literal, $after:literal) => {
        concat!(
            "SELECT ",
            $before,
            " o.name, o.role, o.department, o.sites, o.password_hash, o.code_secret, o.code_step,
                    o.must_change, o.disabled, o.version, o.created_at_ms ",
            $after
        )
    };
}

const ONE: &str = accounts!("", "FROM operator_account o WHERE o.name = $1");

const ALL: &str = accounts!("", "FROM operator_account o ORDER BY o.name LIMIT $1");

const SESSION: &str = accounts!(
    "s.token_hash, s.operator, s.operator_version, s.form_token, s.created_at_ms, s.seen_at_ms,",
    "FROM operator_session s JOIN operator_account o ON o.name = s.operator WHERE s.token_hash = $1"
);

const ADD: &str = "
    INSERT INTO operator_account (name, role, department, sites, password_hash, code_secret, code_step, must_change,
                                  disabled, version, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";

const SECRETS: &str = "
    UPDATE operator_account
    SET password_hash = $3, code_secret = coalesce(CAST($4 AS bytea), code_secret),
        code_step = CASE WHEN CAST($4 AS bytea) IS NULL THEN code_step ELSE 0 END, must_change = $5,
        version = version + 1
    WHERE name = $1 AND version = $2";

const DUTY: &str = "
    UPDATE operator_account SET role = $3, department = $4, sites = $5, version = version + 1
    WHERE name = $1 AND version = $2";

const DISABLED: &str = "
    UPDATE operator_account SET disabled = $3, version = version + 1 WHERE name = $1 AND version = $2";

const OPEN: &str = "
    INSERT INTO operator_session (token_hash, operator, operator_version, form_token, created_at_ms, seen_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)";

const KEEP_NEWEST: &str = "
    DELETE FROM operator_session WHERE operator = $1 AND token_hash <> $2 AND token_hash NOT IN (
        SELECT token_hash FROM operator_session WHERE operator = $1
        ORDER BY created_at_ms DESC, token_hash LIMIT $3)";

pub(super) async fn add(
    database: &Database,
    operator: &OperatorRow,
    entry: AuditEntry,
) -> Result<bool, StoreError> {
    let work = database.begin().await?;
    let added = work
        .execute(
            ADD,
            &[
                &plain(&operator.name),
                &operator.role.code(),
                &operator.department.as_deref().map(plain),
                &plain(&operator.sites.join(" ")),
                &operator.password_hash,
                &operator.code_secret,
                &operator.code_step,
                &operator.must_change,
                &operator.disabled,
                &operator.version,
                &operator.created_at_ms,
            ],
        )
        .await?;
    if added > 0 {
        audit::append(&work, vec![entry]).await?;
    }
    work.commit().await?;
    Ok(added > 0)
}

pub(super) async fn operator(database: &Database, name: &str) -> Result<Option<OperatorRow>, StoreError> {
    let row = database.query_opt(ONE, &[&plain(name)]).await?;
    row.map(|row| operator_row(&row, 0)).transpose()
}

pub(super) async fn operators(database: &Database) -> Result<Vec<OperatorRow>, StoreError> {
    database.query(ALL, &[&at_most(MOST)]).await?.iter().map(|row| operator_row(row, 0)).collect()
}

pub(super) async fn change(
    database: &Database,
    name: &str,
    version: i64,
    change: &OperatorChange,
    entry: AuditEntry,
) -> Result<Changed, StoreError> {
    let name = plain(name);
    let work = database.begin().await?;
    let changed = match change {
        OperatorChange::Secrets { password_hash, code_secret, must_change } => {
            work.execute(SECRETS, &[&name, &version, password_hash, code_secret, must_change]).await?
        }
        OperatorChange::Duty(Duty { role, department, sites }) => {
            let (department, sites) = (department.as_deref().map(plain), sites.join(" "));
            work.execute(DUTY, &[&name, &version, &role.code(), &department, &plain(&sites)]).await?
        }
        OperatorChange::Disabled(disabled) => work.execute(DISABLED, &[&name, &version, disabled]).await?,
    };
    if changed > 0 {
        work.execute("DELETE FROM operator_session WHERE operator = $1", &[&name]).await?;
        audit::append(&work, vec![entry]).await?;
    }
    work.commit().await?;
    Ok(if changed > 0 { Changed::Done } else { Changed::Stale })
}

pub(super) async fn use_code(database: &Database, name: &str, step: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE operator_account SET code_step = $2 WHERE name = $1 AND code_step < $2 RETURNING 1";
    Ok(database.query_opt(sql, &[&plain(name), &step]).await?.is_some())
}

pub(super) async fn open_session(
    database: &Database,
    session: &SessionRow,
    expired_before_ms: i64,
    most: usize,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    let operator = plain(&session.operator);
    let work = database.begin().await?;
    // One after the other for each operator, so that two sign-ins do not each overlook the other's session.
    work.query("SELECT 1 FROM operator_account WHERE name = $1 FOR UPDATE", &[&operator]).await?;
    work.execute("DELETE FROM operator_session WHERE seen_at_ms < $1", &[&expired_before_ms]).await?;
    work.execute(
        OPEN,
        &[
            &session.token_hash,
            &operator,
            &session.operator_version,
            &session.form_token,
            &session.created_at_ms,
            &session.seen_at_ms,
        ],
    )
    .await?;
    work.execute(KEEP_NEWEST, &[&operator, &session.token_hash, &at_most(most)]).await?;
    audit::append(&work, vec![entry]).await?;
    work.commit().await
}

pub(super) async fn session(
    database: &Database,
    token_hash: &str,
) -> Result<Option<(SessionRow, OperatorRow)>, StoreError> {
    let Some(row) = database.query_opt(SESSION, &[&token_hash]).await? else { return Ok(None) };
    let session = SessionRow {
        token_hash: row.try_get(0)?,
        operator: row.try_get(1)?,
        operator_version: row.try_get(2)?,
        form_token: row.try_get(3)?,
        created_at_ms: row.try_get(4)?,
        seen_at_ms: row.try_get(5)?,
    };
    Ok(Some((session, operator_row(&row, 6)?)))
}

pub(super) async fn touch_session(
    database: &Database,
    token_hash: &str,
    seen_at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE operator_session SET seen_at_ms = $2 WHERE token_hash = $1 AND seen_at_ms < $2";
    database.query(sql, &[&token_hash, &seen_at_ms]).await.map(|_| ())
}

pub(super) async fn end_session(
    database: &Database,
    token_hash: &str,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    let work = database.begin().await?;
    let ended = work.execute("DELETE FROM operator_session WHERE token_hash = $1", &[&token_hash]).await?;
    if ended > 0 {
        audit::append(&work, vec![entry]).await?;
    }
    work.commit().await
}

fn operator_row(row: &Row, at: usize) -> Result<OperatorRow, StoreError> {
    Ok(OperatorRow {
        name: row.try_get(at)?,
        role: Role::from_code(row.try_get(at + 1)?).ok_or_else(unknown)?,
        department: row.try_get(at + 2)?,
        sites: row.try_get::<_, &str>(at + 3)?.split_whitespace().map(str::to_owned).collect(),
        password_hash: row.try_get(at + 4)?,
        code_secret: row.try_get(at + 5)?,
        code_step: row.try_get(at + 6)?,
        must_change: row.try_get(at + 7)?,
        disabled: row.try_get(at + 8)?,
        version: row.try_get(at + 9)?,
        created_at_ms: row.try_get(at + 10)?,
    })
}
