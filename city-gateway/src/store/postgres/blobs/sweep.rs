//! What the sweep asks of the index.

use super::piece;
use crate::store::blobs::{Abandoned, Overdue};
use crate::store::postgres::database::Database;
use crate::store::postgres::read::place;
use crate::store::{Place, StoreError};

/// Most that one round of removing or alarming takes on; the rest is for the next.
const ROUND: i64 = 256;

/// Those another gateway is just telling of are left to it.
const OVERDUE: &str = "
    WITH late AS (
        SELECT h.terminal, h.incarnation, h.seq FROM handling h
        WHERE h.state = 'incomplete' AND h.waiting_since_ms < $1 AND (h.alarmed_at_ms IS NULL OR h.alarmed_at_ms < $2)
        ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq LIMIT $4 FOR UPDATE SKIP LOCKED
    )
    UPDATE handling h SET alarmed_at_ms = $3 FROM late l
    WHERE h.terminal = l.terminal AND h.incarnation = l.incarnation AND h.seq = l.seq
    RETURNING h.terminal, h.incarnation, h.seq, h.waiting_since_ms, h.received_at_ms,
        (SELECT i.case_id FROM inbox i
         WHERE i.terminal = h.terminal AND i.incarnation = h.incarnation AND i.seq = h.seq),
        (SELECT count(*) FROM named_blob n
         WHERE n.terminal = h.terminal AND n.incarnation = h.incarnation AND n.seq = h.seq AND n.aside = ''
           AND NOT EXISTS (SELECT 1 FROM whole_blob w WHERE w.sha256 = n.sha256 AND w.leaving = 0))";

/// Uploads that nobody needs: not named and not touched for long, or whole by somebody else's hand.
const FORGET: &str = "
    WITH old AS (
        SELECT b.terminal, b.sha256 FROM blob_upload b
        WHERE (b.touched_at_ms < $1 AND NOT EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256))
           OR EXISTS (SELECT 1 FROM whole_blob w WHERE w.sha256 = b.sha256 AND w.leaving = 0)
        ORDER BY b.terminal, b.sha256 LIMIT $2 FOR UPDATE OF b SKIP LOCKED
    )
    DELETE FROM blob_upload b USING old o WHERE b.terminal = o.terminal AND b.sha256 = o.sha256
    RETURNING b.terminal, b.sha256";

/// Only under the lock of the upload is a piece added, so what is forgotten here gets no new one.
const FORGET_PIECES: &str = "
    DELETE FROM blob_piece p USING unnest($1::text[], $2::text[]) AS o (terminal, sha256)
    WHERE p.terminal = o.terminal AND p.sha256 = o.sha256
    RETURNING p.start, p.bytes, p.key";

/// First it ceases to count. A record that names it from now on sees that, and waits.
const DOUBT: &str = "
    UPDATE whole_blob SET leaving = 1 WHERE leaving = 0 AND sha256 IN (
        SELECT b.sha256 FROM whole_blob b WHERE b.leaving = 0 AND b.whole_at_ms < $1
            AND NOT EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256)
        ORDER BY b.sha256 LIMIT $2)";

/// Then, with what was committed meanwhile in view, it counts again or leaves for good.
const SETTLE: &str = "
    UPDATE whole_blob b
    SET leaving = CASE WHEN EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256) THEN 0 ELSE 2 END
    WHERE b.leaving = 1";

/// One gateway removes the bytes of a blob; another only when that one has not come back for an hour.
const LEAVING: &str = "
    WITH mine AS (
        SELECT sha256 FROM whole_blob
        WHERE leaving = 2 AND (sweeper IS NULL OR sweeper = $2 OR swept_since < now() - interval '1 hour')
        ORDER BY sha256 LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    UPDATE whole_blob b SET sweeper = $2, swept_since = now() FROM mine m WHERE b.sha256 = m.sha256
    RETURNING b.sha256";

/// Records that wait too long.
pub(super) async fn overdue(
    database: &Database,
    before_ms: i64,
    said_before_ms: i64,
    now_ms: i64,
) -> Result<Vec<Overdue>, StoreError> {
    let rows = database.query(OVERDUE, &[&before_ms, &said_before_ms, &now_ms, &ROUND]).await?;
    let mut found: Vec<(i64, Overdue)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let since: Option<i64> = row.try_get(3)?;
        let missing: i64 = row.try_get(6)?;
        let overdue = Overdue {
            place: place(row, 0)?,
            case_id: row.try_get::<_, Option<String>>(5)?.unwrap_or_default(),
            since_ms: since.unwrap_or_default(),
            missing: missing.unsigned_abs(),
        };
        found.push((row.try_get(4)?, overdue));
    }
    let key = |found: &(i64, Overdue)| -> (i64, Place) { (found.0, found.1.place.clone()) };
    found.sort_by_cached_key(key);
    Ok(found.into_iter().map(|(_, overdue)| overdue).collect())
}

/// Forgets what no record names and nobody touched.
pub(super) async fn abandon(
    database: &Database,
    gateway: &str,
    before_ms: i64,
) -> Result<Abandoned, StoreError> {
    let mut abandoned = Abandoned::default();
    let work = database.begin().await?;
    let (mut terminal, mut sha256): (Vec<String>, Vec<String>) = Default::default();
    for row in work.query(FORGET, &[&before_ms, &ROUND]).await? {
        terminal.push(row.try_get(0)?);
        sha256.push(row.try_get(1)?);
    }
    for row in work.query(FORGET_PIECES, &[&terminal, &sha256]).await? {
        abandoned.pieces.push(piece(&row)?);
    }
    work.commit().await?;
    database.query(DOUBT, &[&before_ms, &ROUND]).await?;
    database.query(SETTLE, &[]).await?;
    for row in database.query(LEAVING, &[&ROUND, &gateway]).await? {
        abandoned.leaving.push(row.try_get(0)?);
    }
    abandoned.leaving.sort_unstable();
    Ok(abandoned)
}
