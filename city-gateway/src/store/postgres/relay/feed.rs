//! The pull feed of one department: numbers that become visible in their own order, and what happens to them.

use super::{case, most};
use crate::store::StoreError;
use crate::store::postgres::database::Database;
use crate::store::postgres::read::unknown;
use crate::store::relay::{Listed, UndeliveredReason};

/// Cases acknowledged in one statement.
const STEP: i64 = 1000;

const UNLISTED: &str = "
    SELECT EXISTS (SELECT 1 FROM relay_outbox WHERE state = 'routed' AND department = $1 AND number IS NULL)";

const HEAD: &str = "
    INSERT INTO relay_feed_head (department, numbered) VALUES ($1, 0) ON CONFLICT (department) DO NOTHING";

const LOCK: &str = "SELECT numbered FROM relay_feed_head WHERE department = $1 FOR UPDATE";

const NUMBER: &str = "
    WITH fresh AS (
        SELECT terminal, incarnation, seq, enqueued FROM relay_outbox
        WHERE state = 'routed' AND department = $1 AND number IS NULL
        ORDER BY enqueued, terminal, incarnation, seq LIMIT $3 FOR UPDATE
    ), ranked AS (
        SELECT terminal, incarnation, seq,
               row_number() OVER (ORDER BY enqueued, terminal, incarnation, seq) AS rank
        FROM fresh
    )
    UPDATE relay_outbox o SET number = $2 + r.rank FROM ranked r
    WHERE o.terminal = r.terminal AND o.incarnation = r.incarnation AND o.seq = r.seq";

const NUMBERED: &str = "UPDATE relay_feed_head SET numbered = $2 WHERE department = $1";

const AFTER: &str = "
    SELECT o.terminal, o.incarnation, o.seq, i.case_id, i.case_number, i.item, i.item_version, i.sha256,
           i.received_at_ms, o.number, CAST(octet_length(i.ciphertext) AS bigint)
    FROM relay_outbox o
    JOIN inbox i ON i.terminal = o.terminal AND i.incarnation = o.incarnation AND i.seq = o.seq
    WHERE o.state = 'routed' AND o.department = $1 AND o.number > $2 ORDER BY o.number LIMIT $3";

/// Waits for locks instead of skipping: what is left behind an acknowledged number would never be asked for again.
const ACKNOWLEDGE: &str = "
    WITH taken AS (
        SELECT terminal, incarnation, seq FROM relay_outbox
        WHERE state = 'routed' AND department = $1 AND number <= $2 ORDER BY number LIMIT $4 FOR UPDATE
    ), gone AS (
        DELETE FROM relay_outbox o USING taken t
        WHERE o.terminal = t.terminal AND o.incarnation = t.incarnation AND o.seq = t.seq
        RETURNING o.terminal, o.incarnation, o.seq, o.department, o.attempts, o.enqueued
    ), kept AS (
        INSERT INTO relayed (terminal, incarnation, seq, department, attempts, enqueued, relayed_at_ms)
        SELECT terminal, incarnation, seq, coalesce(department, ''), attempts, enqueued, $3::bigint FROM gone
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM gone";

const WITHDRAW: &str = "
    WITH chosen AS (
        SELECT terminal, incarnation, seq FROM relay_outbox
        WHERE state = 'routed' AND department = $1 AND number = ANY($2) ORDER BY number FOR UPDATE
    ), dead AS (
        UPDATE relay_outbox o SET state = 'dead_letter', number = NULL, reason_code = $3, dead_at_ms = $4
        FROM chosen c WHERE o.terminal = c.terminal AND o.incarnation = c.incarnation AND o.seq = c.seq
        RETURNING o.seq
    )
    SELECT count(*) FROM dead";

/// Gives numbers to what has none.
pub(super) async fn list(database: &Database, department: &str, limit: usize) -> Result<u64, StoreError> {
    let row = database.query_opt(UNLISTED, &[&department]).await?;
    if !row.map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(0);
    }
    let work = database.begin().await?;
    work.execute(HEAD, &[&department]).await?;
    let row = work.query_opt(LOCK, &[&department]).await?.ok_or_else(unknown)?;
    let last: i64 = row.try_get(0)?;
    let count = work.execute(NUMBER, &[&department, &last, &most(limit)]).await?;
    work.execute(NUMBERED, &[&department, &last.saturating_add_unsigned(count)]).await?;
    work.commit().await?;
    Ok(count)
}

/// What comes after a number.
pub(super) async fn after(
    database: &Database,
    department: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let rows = database.query(AFTER, &[&department, &after, &most(limit)]).await?;
    rows.iter()
        .map(|row| {
            let bytes = row.try_get::<_, i64>(10)?.unsigned_abs();
            Ok(Listed { case: case(row)?, number: row.try_get(9)?, bytes })
        })
        .collect()
}

/// The department has everything up to a number.
pub(super) async fn acknowledge(
    database: &Database,
    department: &str,
    up_to: i64,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let row = database.query_opt(ACKNOWLEDGE, &[&department, &up_to, &now_ms, &STEP]).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        all += count.unsigned_abs();
        if count < STEP {
            return Ok(all);
        }
    }
}

/// Takes cases out as dead letters.
pub(super) async fn withdraw(
    database: &Database,
    department: &str,
    numbers: Vec<i64>,
    reason: UndeliveredReason,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let row = database.query_opt(WITHDRAW, &[&department, &numbers, &reason.code(), &now_ms]).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}
