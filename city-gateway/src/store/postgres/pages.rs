//! Pages of the inbox, and the numbers that order them.
//!
//! A number from a sequence is taken before the commit, so a reader who goes on after the last number he saw
//! misses whatever commits later with a lower one. Here a record gets its number after its commit, from a
//! counter whose row is locked until the numbers are committed too: whoever sees a number sees all lower
//! ones.

use tokio_postgres::Row;

use super::database::Database;
use super::read::{kind, place, unknown};
use crate::store::{Conflict, DeadLetterReason, InboxRow, MaskedPerson, Page, Status, StoreError};

/// Records that one page numbers at most, so that a page costs the same after a flood; the next page goes on.
const STEP: i64 = 1000;

const UNNUMBERED: &str = "
    SELECT EXISTS (SELECT 1 FROM handling WHERE number IS NULL)
        OR EXISTS (SELECT 1 FROM quarantine WHERE number IS NULL)";

const LOCK: &str = "SELECT numbered FROM gateway WHERE only_row = 1 FOR UPDATE";

/// Waits for what the opener is just writing, so that no page leaves out what is held. All who lock several
/// of these rows lock them in this order, so that none waits for another in a circle.
const NUMBER_INBOX: &str = "
    WITH fresh AS (
        SELECT terminal, incarnation, seq, received_at_ms FROM handling WHERE number IS NULL
        ORDER BY received_at_ms, terminal, incarnation, seq LIMIT $2 FOR UPDATE
    ), ranked AS (
        SELECT terminal, incarnation, seq,
               row_number() OVER (ORDER BY received_at_ms, terminal, incarnation, seq) AS rank
        FROM fresh
    )
    UPDATE handling h SET number = $1 + r.rank FROM ranked r
    WHERE h.terminal = r.terminal AND h.incarnation = r.incarnation AND h.seq = r.seq";

const NUMBER_QUARANTINE: &str = "
    WITH fresh AS (
        SELECT terminal, incarnation, seq, case_id, sha256, manifest_hash, received_at_ms
        FROM quarantine WHERE number IS NULL
        ORDER BY received_at_ms, terminal, incarnation, seq LIMIT $2
    ), ranked AS (
        SELECT terminal, incarnation, seq, case_id, sha256, manifest_hash,
               row_number() OVER (ORDER BY received_at_ms, terminal, incarnation, seq) AS rank
        FROM fresh
    )
    UPDATE quarantine q SET number = $1 + r.rank FROM ranked r
    WHERE q.terminal = r.terminal AND q.incarnation = r.incarnation AND q.seq = r.seq AND q.case_id = r.case_id
      AND q.sha256 = r.sha256 AND q.manifest_hash = r.manifest_hash";

const COUNTED: &str = "UPDATE gateway SET numbered = $1 WHERE only_row = 1";

/// Each half is cut by its own index before the two are merged.
macro_rules! page {
    ($comparison:literal, $order:literal) => {
        concat!(
            "SELECT * FROM (
                SELECT h.number, i.terminal, i.incarnation, i.seq, i.case_id, i.case_number, i.kind, i.item, i.sha256,
                       i.received_at_ms, h.state, h.reason_code, h.reason_detail,
                       h.person_name, h.person_number, h.person_phone, h.summary
                FROM handling h
                JOIN inbox i ON i.terminal = h.terminal AND i.incarnation = h.incarnation AND i.seq = h.seq
                WHERE h.number ", $comparison, " $1 ORDER BY h.number ", $order, " LIMIT $2) held
             UNION ALL SELECT * FROM (
                SELECT number, terminal, incarnation, seq, case_id, case_number, kind, item, sha256,
                       received_at_ms, 'quarantined', reason,
                       CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text),
                       CAST(NULL AS text)
                FROM quarantine WHERE number ", $comparison, " $1 ORDER BY number ", $order, " LIMIT $2) aside
             ORDER BY 1 ", $order, " LIMIT $2"
        )
    };
}

const AFTER: &str = page!(">", "ASC");
const BEFORE: &str = page!("<", "DESC");

/// A page of both tables in order of number.
pub(super) async fn page(database: &Database, page: Page, limit: usize) -> Result<Vec<InboxRow>, StoreError> {
    settle(database).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (sql, from) = match page {
        Page::After(number) => (AFTER, number),
        Page::Before(number) => (BEFORE, number),
    };
    database.query(sql, &[&from, &limit]).await?.iter().map(inbox_row).collect()
}

/// Gives numbers to what has none yet.
pub(super) async fn settle(database: &Database) -> Result<(), StoreError> {
    let row = database.query_opt(UNNUMBERED, &[]).await?;
    if !row.map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(());
    }
    let work = database.begin().await?;
    let row = work.query_opt(LOCK, &[]).await?.ok_or_else(unknown)?;
    let mut last: i64 = row.try_get(0)?;
    for sql in [NUMBER_INBOX, NUMBER_QUARANTINE] {
        let count = work.execute(sql, &[&last, &STEP]).await?;
        last = last.saturating_add_unsigned(count);
    }
    work.execute(COUNTED, &[&last]).await?;
    work.commit().await
}

/// A line of the inbox whose columns are in the order of [`page!`].
pub(super) fn inbox_row(row: &Row) -> Result<InboxRow, StoreError> {
    let reason: Option<&str> = row.try_get(11)?;
    let reason = reason.unwrap_or_default();
    let status = match row.try_get::<_, &str>(10)? {
        "opened" => {
            let person =
                MaskedPerson { name: row.try_get(13)?, number: row.try_get(14)?, phone: row.try_get(15)? };
            let person = Some(person).filter(|person| *person != MaskedPerson::default());
            Status::Opened { person, summary: row.try_get::<_, Option<String>>(16)?.unwrap_or_default() }
        }
        "dead_letter" => Status::DeadLetter {
            reason: DeadLetterReason::from_code(reason).ok_or_else(unknown)?,
            detail: row.try_get(12)?,
        },
        "quarantined" => Status::Quarantined(Conflict::from_code(reason).ok_or_else(unknown)?),
        "incomplete" => Status::Incomplete,
        _ => Status::Received,
    };
    Ok(InboxRow {
        id: row.try_get(0)?,
        place: place(row, 1)?,
        case_id: row.try_get(4)?,
        case_number: row.try_get(5)?,
        kind: kind(row, 6)?,
        item: row.try_get(7)?,
        sha256: row.try_get(8)?,
        received_at_ms: row.try_get(9)?,
        status,
    })
}
