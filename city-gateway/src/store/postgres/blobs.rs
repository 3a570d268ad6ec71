//! The index of blobs on PostgreSQL.
//!
//! Whoever changes an upload holds the lock on its row. Between records and blobs there is no lock: who accepts a
//! record looks for its blobs after the commit, who makes a blob whole looks for records after the commit, and of two
//! at the same moment one sees the other. The sweep looks once more, for whoever was killed in between.

mod sweep;

use super::PostgresStore;
use super::accept::position;
use super::database::{Database, Work};
use super::places::Places;
use crate::store::blobs::{
    Abandoned, Announced, Begun, BlobCounts, BlobIndex, Held, Moved, Overdue, Piece, Unnamed,
};
use crate::store::{Reply, StoreError};

/// Puts records on the opener's list that wait for nothing any more. Locked in the order in which all lock them.
macro_rules! complete {
    ($from:literal) => {
        concat!(
            "WITH ready AS (
                SELECT h.terminal, h.incarnation, h.seq FROM ",
            $from,
            " WHERE h.state = 'incomplete' AND NOT EXISTS (
                    SELECT 1 FROM named_blob n
                    WHERE n.terminal = h.terminal AND n.incarnation = h.incarnation AND n.seq = h.seq
                      AND n.aside = '' AND NOT EXISTS (
                        SELECT 1 FROM whole_blob w WHERE w.sha256 = n.sha256 AND w.leaving = 0))
                ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq FOR UPDATE OF h
            )
            UPDATE handling h SET state = 'received', waiting_since_ms = NULL, alarmed_at_ms = NULL
            FROM ready r
            WHERE h.terminal = r.terminal AND h.incarnation = r.incarnation AND h.seq = r.seq
              AND h.state = 'incomplete'"
        )
    };
}

const COMPLETE_THESE: &str = complete!(
    "unnest($1::text[], $2::text[], $3::bigint[]) AS p (terminal, incarnation, seq)
     JOIN handling h ON h.terminal = p.terminal AND h.incarnation = p.incarnation AND h.seq = p.seq"
);

const COMPLETE_NAMING: &str = complete!(
    "named_blob m JOIN handling h ON m.sha256 = $1 AND m.aside = ''
        AND h.terminal = m.terminal AND h.incarnation = m.incarnation AND h.seq = m.seq"
);

const COMPLETE_ALL: &str = complete!("handling h");

const WHOLE: &str = "SELECT bytes, leaving FROM whole_blob WHERE sha256 = $1";

const PART: &str = "SELECT held, length FROM blob_upload WHERE terminal = $1 AND sha256 = $2";

const PART_LOCKED: &str =
    "SELECT held, length FROM blob_upload WHERE terminal = $1 AND sha256 = $2 FOR UPDATE";

/// What a terminal has lying around that no record names.
const UNNAMED: &str = "
    SELECT count(*), CAST(coalesce(sum(size), 0) AS bigint) FROM (
        SELECT length AS size FROM blob_upload b WHERE terminal = $1
            AND NOT EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256)
        UNION ALL SELECT bytes FROM whole_blob b WHERE terminal = $1
            AND NOT EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256)) lying";

const BEGIN: &str = "
    INSERT INTO blob_upload (terminal, sha256, length, held, touched_at_ms) VALUES ($1, $2, $3, 0, $4)
    ON CONFLICT DO NOTHING";

const TAKE_PIECES: &str = "
    DELETE FROM blob_piece WHERE terminal = $1 AND sha256 = $2 RETURNING start, bytes, key";

const FORGET_UPLOAD: &str = "DELETE FROM blob_upload WHERE terminal = $1 AND sha256 = $2";

const ADD: &str = "
    INSERT INTO blob_piece (terminal, sha256, start, bytes, key) VALUES ($1, $2, $3, $4, $5)";

const ON: &str = "
    UPDATE blob_upload SET held = held + $3, touched_at_ms = $4 WHERE terminal = $1 AND sha256 = $2";

/// Another terminal may have made the same blob whole meanwhile; then this one has nothing more to do.
const FINISH: &str = "
    INSERT INTO whole_blob (sha256, bytes, terminal, whole_at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

/// What was not opened yet waits again; what was opened before keeps its outcome.
const LOST: &str = "
    WITH gone AS (
        DELETE FROM whole_blob WHERE sha256 = $1
    ), naming AS (
        SELECT h.terminal, h.incarnation, h.seq FROM named_blob m
        JOIN handling h ON h.terminal = m.terminal AND h.incarnation = m.incarnation AND h.seq = m.seq
        WHERE m.sha256 = $1 AND m.aside = '' AND h.state = 'received'
        ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq FOR UPDATE OF h
    ), waiting AS (
        UPDATE handling h
        SET state = 'incomplete', waiting_since_ms = $2, alarmed_at_ms = NULL, lease = NULL, leased_until = NULL
        FROM naming n
        WHERE h.terminal = n.terminal AND h.incarnation = n.incarnation AND h.seq = n.seq AND h.state = 'received'
    )
    SELECT count(*) FROM named_blob WHERE sha256 = $1";

const MISSING: &str = "
    SELECT asked.sha256 FROM unnest($1::text[]) WITH ORDINALITY AS asked (sha256, place)
    WHERE NOT EXISTS (SELECT 1 FROM whole_blob w WHERE w.sha256 = asked.sha256 AND w.leaving = 0)
    ORDER BY asked.place";

const COUNTS: &str = "
    SELECT (SELECT count(*) FROM whole_blob),
           (SELECT CAST(coalesce(sum(bytes), 0) AS bigint) FROM whole_blob),
           (SELECT count(*) FROM blob_upload),
           (SELECT CAST(coalesce(sum(held), 0) AS bigint) FROM blob_upload)";

/// Gives records to the opener that wait for nothing any more, of these.
pub(super) async fn complete(database: &Database, places: &Places) -> Result<(), StoreError> {
    if places.is_empty() {
        return Ok(());
    }
    database.query(COMPLETE_THESE, &[&places.terminal, &places.incarnation, &places.seq]).await.map(|_| ())
}

impl BlobIndex for PostgresStore {
    fn begin(&self, announced: Announced, unnamed: Unnamed) -> Reply<'_, Begun> {
        Box::pin(async move { begin(&self.database, &announced, unnamed).await })
    }

    fn held<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Held> {
        Box::pin(async move {
            let whole = self.database.query_opt(WHOLE, &[&sha256]).await?;
            if let Some(row) = whole {
                return whole_or_leaving(&row);
            }
            let part = self.database.query_opt(PART, &[&terminal, &sha256]).await?;
            part.map_or(Ok(Held::Nothing), |row| part_of(&row))
        })
    }

    fn pieces<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Vec<Piece>> {
        Box::pin(async move {
            let sql = "SELECT start, bytes, key FROM blob_piece WHERE terminal = $1 AND sha256 = $2
                       ORDER BY start";
            self.database.query(sql, &[&terminal, &sha256]).await?.iter().map(piece).collect()
        })
    }

    fn add<'a>(&'a self, terminal: &'a str, sha256: &'a str, piece: Piece, at_ms: i64) -> Reply<'a, Moved> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            let held = held_locked(&work, terminal, sha256).await?;
            let moved = match held {
                Held::Part { held, length } if held == piece.start && piece.bytes < length - held => {
                    let (start, bytes) = (position(piece.start)?, position(piece.bytes)?);
                    work.execute(ADD, &[&terminal, &sha256, &start, &bytes, &piece.key]).await?;
                    work.execute(ON, &[&terminal, &sha256, &bytes, &at_ms]).await?;
                    Moved::On(Vec::new())
                }
                held => Moved::Elsewhere(held),
            };
            work.commit().await?;
            Ok(moved)
        })
    }

    fn finish<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64, at_ms: i64) -> Reply<'a, Moved> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            let moved = match held_locked(&work, terminal, sha256).await? {
                Held::Part { held, length } if held == from => {
                    let bytes = position(length)?;
                    work.execute(FINISH, &[&sha256, &bytes, &terminal, &at_ms]).await?;
                    let gone = take_pieces(&work, terminal, sha256).await?;
                    work.execute(FORGET_UPLOAD, &[&terminal, &sha256]).await?;
                    Moved::On(gone)
                }
                held => Moved::Elsewhere(held),
            };
            work.commit().await?;
            if matches!(moved, Moved::On(_))
                && let Err(error) = self.database.query(COMPLETE_NAMING, &[&sha256]).await
            {
                tracing::warn!(%error, "records wait for the sweep, perhaps with all their blobs");
            }
            Ok(moved)
        })
    }

    fn begin_again<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64) -> Reply<'a, Moved> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            let moved = match held_locked(&work, terminal, sha256).await? {
                Held::Part { held, .. } if held == from => {
                    let gone = take_pieces(&work, terminal, sha256).await?;
                    let sql = "UPDATE blob_upload SET held = 0 WHERE terminal = $1 AND sha256 = $2";
                    work.execute(sql, &[&terminal, &sha256]).await?;
                    Moved::On(gone)
                }
                held => Moved::Elsewhere(held),
            };
            work.commit().await?;
            Ok(moved)
        })
    }

    fn lost<'a>(&'a self, sha256: &'a str, at_ms: i64) -> Reply<'a, u64> {
        Box::pin(async move {
            let row = self.database.query_opt(LOST, &[&sha256, &at_ms]).await?;
            let named: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
            Ok(named.unsigned_abs())
        })
    }

    fn missing(&self, sha256: Vec<String>) -> Reply<'_, Vec<String>> {
        Box::pin(async move {
            let rows = self.database.query(MISSING, &[&sha256]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    fn overdue(&self, before_ms: i64, said_before_ms: i64, now_ms: i64) -> Reply<'_, Vec<Overdue>> {
        Box::pin(sweep::overdue(&self.database, before_ms, said_before_ms, now_ms))
    }

    fn abandon(&self, before_ms: i64) -> Reply<'_, Abandoned> {
        Box::pin(async move {
            let abandoned = sweep::abandon(&self.database, self.leases.gateway(), before_ms).await?;
            self.database.query(COMPLETE_ALL, &[]).await?;
            Ok(abandoned)
        })
    }

    fn left(&self, sha256: Vec<String>) -> Reply<'_, ()> {
        Box::pin(async move {
            let sql = "DELETE FROM whole_blob WHERE sha256 = ANY($1) AND leaving = 2 AND sweeper = $2";
            self.database.query(sql, &[&sha256, &self.leases.gateway()]).await.map(|_| ())
        })
    }

    fn known_pieces(&self, keys: Vec<String>) -> Reply<'_, Vec<String>> {
        Box::pin(async move {
            let sql = "SELECT asked.key FROM unnest($1::text[]) AS asked (key)
                       WHERE EXISTS (SELECT 1 FROM blob_piece p WHERE p.key = asked.key)";
            let rows = self.database.query(sql, &[&keys]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    fn whole_after<'a>(&'a self, sha256: &'a str, limit: usize) -> Reply<'a, Vec<(String, u64)>> {
        Box::pin(async move {
            let sql = "SELECT sha256, bytes FROM whole_blob WHERE sha256 > $1 AND leaving = 0
                       ORDER BY sha256 LIMIT $2";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = self.database.query(sql, &[&sha256, &limit]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.unsigned_abs()))).collect()
        })
    }

    fn blob_counts(&self) -> Reply<'_, BlobCounts> {
        Box::pin(async move {
            let row = self.database.query_opt(COUNTS, &[]).await?;
            let Some(row) = row else { return Ok(BlobCounts::default()) };
            let number = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(BlobCounts {
                whole: number(0)?,
                whole_bytes: number(1)?,
                begun: number(2)?,
                begun_bytes: number(3)?,
            })
        })
    }
}

async fn begin(database: &Database, announced: &Announced, unnamed: Unnamed) -> Result<Begun, StoreError> {
    let Announced { terminal, sha256, length, at_ms } = announced;
    let bytes = position(*length)?;
    let work = database.begin().await?;
    let begun = match held_locked(&work, terminal, sha256).await? {
        Held::Part { length: before, .. } if before != *length => {
            // What was kept stays until the sweep finds that it belongs to nothing.
            take_pieces(&work, terminal, sha256).await?;
            work.execute(FORGET_UPLOAD, &[terminal, sha256]).await?;
            None
        }
        Held::Nothing => None,
        held => Some(Begun::Held(held)),
    };
    let begun = match begun {
        Some(begun) => begun,
        None if !is_named(&work, sha256).await? && !room(&work, terminal, *length, unnamed).await? => {
            Begun::TooMuchUnnamed
        }
        None => {
            work.execute(BEGIN, &[terminal, sha256, &bytes, at_ms]).await?;
            // Another request may have begun it in this moment.
            Begun::Held(held_locked(&work, terminal, sha256).await?)
        }
    };
    work.commit().await?;
    Ok(begun)
}

/// How far a blob is; an upload stays so until the transaction ends.
async fn held_locked(work: &Work, terminal: &str, sha256: &str) -> Result<Held, StoreError> {
    let part = work.query_opt(PART_LOCKED, &[&terminal, &sha256]).await?;
    if let Some(row) = work.query_opt(WHOLE, &[&sha256]).await? {
        return whole_or_leaving(&row);
    }
    part.map_or(Ok(Held::Nothing), |row| part_of(&row))
}

fn whole_or_leaving(row: &tokio_postgres::Row) -> Result<Held, StoreError> {
    let (bytes, leaving): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if leaving == 0 { Held::Whole { length: bytes.unsigned_abs() } } else { Held::Leaving })
}

fn part_of(row: &tokio_postgres::Row) -> Result<Held, StoreError> {
    let (held, length): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Held::Part { held: held.unsigned_abs(), length: length.unsigned_abs() })
}

fn piece(row: &tokio_postgres::Row) -> Result<Piece, StoreError> {
    let (start, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Piece { start: start.unsigned_abs(), bytes: bytes.unsigned_abs(), key: row.try_get(2)? })
}

async fn take_pieces(work: &Work, terminal: &str, sha256: &str) -> Result<Vec<Piece>, StoreError> {
    let rows = work.query(TAKE_PIECES, &[&terminal, &sha256]).await?;
    let mut taken = rows.iter().map(piece).collect::<Result<Vec<_>, _>>()?;
    taken.sort_by_key(|piece| piece.start);
    Ok(taken)
}

async fn is_named(work: &Work, sha256: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM named_blob WHERE sha256 = $1 LIMIT 1";
    Ok(work.query_opt(sql, &[&sha256]).await?.is_some())
}

/// Whether a terminal may have one more blob of this length that no record names. Requests that ask at the same
/// moment may together go beyond it, by as much as one terminal may have under way.
async fn room(work: &Work, terminal: &str, length: u64, unnamed: Unnamed) -> Result<bool, StoreError> {
    let Some(row) = work.query_opt(UNNAMED, &[&terminal]).await? else { return Ok(false) };
    let (blobs, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(blobs.unsigned_abs() < unnamed.blobs && bytes.unsigned_abs().saturating_add(length) <= unnamed.bytes)
}
