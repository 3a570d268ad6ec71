//! What is asked of the store: ranges, a code, counts. Always of the primary, never of a standby.

use tokio_postgres::Row;

use super::database::{Database, plain};
use super::desk::aside;
use crate::store::{Counts, Found, Kind, Place, Received, StoreError};

/// Most ranges that are told. Leaving some out only makes a terminal send again what is already held.
const MAX_RANGES: i64 = 4096;

/// The life of the database is read in the same breath: whoever is told ranges is told whose they are.
const KNOWN: &str = "
    SELECT (SELECT epoch FROM gateway WHERE only_row = 1),
           coalesce((SELECT contiguous FROM progress WHERE terminal = $1 AND incarnation = $2), 0),
           coalesce((SELECT seq FROM durable WHERE terminal = $1 AND incarnation = $2), 0)";

/// Neighbouring positions have the same distance to their rank, so that distance names their range.
const RANGES: &str = "
    SELECT min(seq), max(seq) FROM (
        SELECT seq, seq - row_number() OVER (ORDER BY seq) AS range FROM (
            SELECT seq FROM inbox WHERE terminal = $1 AND incarnation = $2 AND seq > $3
            UNION
            SELECT seq FROM quarantine WHERE terminal = $1 AND incarnation = $2 AND seq > $3) held) ranked
    GROUP BY range ORDER BY 1 LIMIT $4";

const PROGRESS: &str = "
    INSERT INTO progress (terminal, incarnation, contiguous) VALUES ($1, $2, $3)
    ON CONFLICT (terminal, incarnation)
    DO UPDATE SET contiguous = greatest(progress.contiguous, excluded.contiguous)";

const FIND: &str = "
    SELECT case_number, item, received_at_ms FROM (
        SELECT 0 AS aside, case_number, item, received_at_ms FROM inbox
        WHERE kind = 'case' AND verification = $1
        UNION ALL
        SELECT 1, case_number, item, received_at_ms FROM quarantine
        WHERE kind = 'case' AND verification = $1) held
    ORDER BY aside, received_at_ms LIMIT 1";

const COUNTS: &str = "
    SELECT (SELECT count(*) FROM handling WHERE state = 'received'),
           (SELECT count(*) FROM handling WHERE state = 'opened'),
           (SELECT count(*) FROM handling WHERE state = 'dead_letter'),
           (SELECT count(*) FROM quarantine),
           (SELECT count(*) FROM handling WHERE state = 'incomplete')";

/// The prefix noted earlier, the ranges of one queue, and how far it outlives the loss of the database.
pub(super) async fn received(
    database: &Database,
    terminal: &str,
    incarnation: &str,
) -> Result<(u64, Received), StoreError> {
    let incarnation = plain(incarnation);
    let row = database.query_opt(KNOWN, &[&terminal, &incarnation]).await?.ok_or_else(unknown)?;
    if row.try_get::<_, Option<&str>>(0)? != Some(database.epoch()) {
        return Err(StoreError::Broken("the database began another life".into()));
    }
    let (known, durable): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    let rows = database.query(RANGES, &[&terminal, &incarnation, &known, &MAX_RANGES]).await?;
    let known = known.unsigned_abs();
    let mut ranges = Vec::with_capacity(rows.len() + 1);
    if known > 0 {
        ranges.push((1, known));
    }
    for row in rows {
        let (first, last) =
            (row.try_get::<_, i64>(0)?.unsigned_abs(), row.try_get::<_, i64>(1)?.unsigned_abs());
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => ranges.push((first, last)),
        }
    }
    ranges.truncate(MAX_RANGES as usize);
    Ok((known, Received { ranges, durable_seq: durable.unsigned_abs() }))
}

/// Notes how far a queue is known to be received; never goes back.
pub(super) async fn progress(
    database: &Database,
    terminal: &str,
    incarnation: &str,
    contiguous: u64,
) -> Result<(), StoreError> {
    let (incarnation, contiguous) = (plain(incarnation), super::accept::position(contiguous)?);
    database.query(PROGRESS, &[&terminal, &incarnation, &contiguous]).await.map(|_| ())
}

/// A case by its verification code. One in quarantine counts: the resident holds a receipt for it.
pub(super) async fn find(database: &Database, verification: &str) -> Result<Option<Found>, StoreError> {
    let Some(row) = database.query_opt(FIND, &[&plain(verification)]).await? else { return Ok(None) };
    Ok(Some(Found { case_number: row.try_get(0)?, item: row.try_get(1)?, received_at_ms: row.try_get(2)? }))
}

/// Counts for the operators' page.
pub(super) async fn counts(database: &Database) -> Result<Counts, StoreError> {
    let Some(row) = database.query_opt(COUNTS, &[]).await? else { return Ok(Counts::default()) };
    let count = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    Ok(Counts {
        waiting: count(0)?,
        opened: count(1)?,
        dead_letters: count(2)?,
        quarantined: count(3)?,
        undecided: aside::undecided(database).await?,
        incomplete: count(4)?,
    })
}

/// The place that starts at this column.
pub(super) fn place(row: &Row, at: usize) -> Result<Place, StoreError> {
    let seq: i64 = row.try_get(at + 2)?;
    Ok(Place { terminal: row.try_get(at)?, incarnation: row.try_get(at + 1)?, seq: seq.unsigned_abs() })
}

/// The kind in this column.
pub(super) fn kind(row: &Row, at: usize) -> Result<Kind, StoreError> {
    match row.try_get::<_, &str>(at)? {
        "rating" => Ok(Kind::Rating),
        "void" => Ok(Kind::Void),
        "case" => Ok(Kind::Case),
        _ => Err(unknown()),
    }
}

/// A word in the database that this gateway does not know: written by a newer one, or damaged.
pub(super) fn unknown() -> StoreError {
    StoreError::Database("an unknown word in the database".into())
}
