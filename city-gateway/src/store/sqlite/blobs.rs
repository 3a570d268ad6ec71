//! The index of blobs on SQLite.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::SqliteStore;
use super::statements::position;
use crate::store::blobs::{
    Abandoned, Announced, Begun, BlobCounts, BlobIndex, Held, Moved, Overdue, Piece, Unnamed,
};
use crate::store::{Place, Reply};

/// Most that one round of removing or alarming takes on; the rest is for the next.
const ROUND: usize = 256;

const NOT_NAMED: &str = "NOT EXISTS (SELECT 1 FROM named_blob n WHERE n.sha256 = b.sha256)";

const STILL_MISSING: &str = "
    FROM named_blob n WHERE n.record = ?1 AND NOT EXISTS
        (SELECT 1 FROM whole_blob w WHERE w.sha256 = n.sha256 AND w.leaving = 0)";

/// Notes which blobs a record names.
pub(super) fn name(
    transaction: &Transaction<'_>,
    record: i64,
    blobs: &[(String, u64)],
) -> rusqlite::Result<()> {
    for (sha256, bytes) in blobs {
        transaction
            .prepare_cached(
                "INSERT INTO named_blob (record, sha256, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![record, sha256, position(*bytes)?])?;
    }
    Ok(())
}

/// Puts a record on the opener's list, or on the list of those that wait for blobs.
pub(super) fn list_for_opening(
    transaction: &Transaction<'_>,
    record: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    if missing_of(transaction, record)? == 0 {
        transaction.prepare_cached("INSERT INTO to_open (id) VALUES (?1)")?.execute([record])?;
    } else {
        transaction
            .prepare_cached("INSERT INTO awaiting_blobs (id, since_ms) VALUES (?1, ?2)")?
            .execute(params![record, at_ms])?;
    }
    Ok(())
}

fn missing_of(connection: &Connection, record: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(&format!("SELECT count(*) {STILL_MISSING}"))?
        .query_row([record], |row| row.get(0))
}

impl BlobIndex for SqliteStore {
    fn begin(&self, announced: Announced, unnamed: Unnamed) -> Reply<'_, Begun> {
        Box::pin(self.work(move |transaction| begin(transaction, &announced, unnamed)))
    }

    fn held<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Held> {
        let (terminal, sha256) = (terminal.to_owned(), sha256.to_owned());
        Box::pin(self.read(move |_, connection| held(connection, &terminal, &sha256)))
    }

    fn pieces<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Vec<Piece>> {
        let (terminal, sha256) = (terminal.to_owned(), sha256.to_owned());
        Box::pin(self.read(move |_, connection| pieces(connection, &terminal, &sha256)))
    }

    fn add<'a>(&'a self, terminal: &'a str, sha256: &'a str, piece: Piece, at_ms: i64) -> Reply<'a, Moved> {
        let (terminal, sha256) = (terminal.to_owned(), sha256.to_owned());
        Box::pin(self.work(move |transaction| add(transaction, &terminal, &sha256, &piece, at_ms)))
    }

    fn finish<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64, at_ms: i64) -> Reply<'a, Moved> {
        let (terminal, sha256) = (terminal.to_owned(), sha256.to_owned());
        Box::pin(self.work(move |transaction| finish(transaction, &terminal, &sha256, from, at_ms)))
    }

    fn begin_again<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64) -> Reply<'a, Moved> {
        let (terminal, sha256) = (terminal.to_owned(), sha256.to_owned());
        Box::pin(self.work(move |transaction| {
            if held_part(transaction, &terminal, &sha256)? != Some(from) {
                return Ok(Moved::Elsewhere(held(transaction, &terminal, &sha256)?));
            }
            let gone = take_pieces(transaction, &terminal, &sha256)?;
            transaction
                .prepare_cached("UPDATE blob_upload SET held = 0 WHERE terminal = ?1 AND sha256 = ?2")?
                .execute([&terminal, &sha256])?;
            Ok(Moved::On(gone))
        }))
    }

    fn lost<'a>(&'a self, sha256: &'a str, at_ms: i64) -> Reply<'a, u64> {
        let sha256 = sha256.to_owned();
        Box::pin(self.work(move |transaction| {
            forget(transaction, &sha256, at_ms)?;
            let named: i64 = transaction.query_row(
                "SELECT count(*) FROM named_blob WHERE sha256 = ?1",
                [&sha256],
                |row| row.get(0),
            )?;
            Ok(named as u64)
        }))
    }

    fn missing(&self, sha256: Vec<String>) -> Reply<'_, Vec<String>> {
        Box::pin(self.read(move |_, connection| {
            let mut whole =
                connection.prepare_cached("SELECT 1 FROM whole_blob WHERE sha256 = ?1 AND leaving = 0")?;
            let mut missing = Vec::new();
            for hash in sha256 {
                if !whole.exists([&hash])? {
                    missing.push(hash);
                }
            }
            Ok(missing)
        }))
    }

    fn overdue(&self, before_ms: i64, said_before_ms: i64, now_ms: i64) -> Reply<'_, Vec<Overdue>> {
        Box::pin(self.work(move |transaction| overdue(transaction, before_ms, said_before_ms, now_ms)))
    }

    fn abandon(&self, before_ms: i64) -> Reply<'_, Abandoned> {
        Box::pin(self.work(move |transaction| abandon(transaction, before_ms)))
    }

    fn left(&self, sha256: Vec<String>) -> Reply<'_, ()> {
        Box::pin(self.work(move |transaction| {
            let mut delete =
                transaction.prepare_cached("DELETE FROM whole_blob WHERE sha256 = ?1 AND leaving = 1")?;
            sha256.iter().try_for_each(|hash| delete.execute([hash]).map(|_| ()))
        }))
    }

    fn known_pieces(&self, keys: Vec<String>) -> Reply<'_, Vec<String>> {
        Box::pin(self.read(move |_, connection| {
            let mut known = connection.prepare_cached("SELECT 1 FROM blob_piece WHERE key = ?1")?;
            let mut found = Vec::new();
            for key in keys {
                if known.exists([&key])? {
                    found.push(key);
                }
            }
            Ok(found)
        }))
    }

    fn whole_after<'a>(&'a self, sha256: &'a str, limit: usize) -> Reply<'a, Vec<(String, u64)>> {
        let sha256 = sha256.to_owned();
        Box::pin(self.read(move |_, connection| whole_after(connection, &sha256, limit)))
    }

    fn blob_counts(&self) -> Reply<'_, BlobCounts> {
        Box::pin(self.read(|_, connection| {
            connection
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM whole_blob), (SELECT ifnull(sum(bytes), 0) FROM whole_blob),
                            (SELECT count(*) FROM blob_upload), (SELECT ifnull(sum(held), 0) FROM blob_upload)",
                )?
                .query_row([], |row| {
                    let number = |at| row.get::<_, i64>(at).map(|number| number as u64);
                    Ok(BlobCounts {
                        whole: number(0)?,
                        whole_bytes: number(1)?,
                        begun: number(2)?,
                        begun_bytes: number(3)?,
                    })
                })
        }))
    }
}

/// A blob is not whole any more. Records that were not opened yet wait for it again; what was opened before keeps its
/// outcome.
pub(super) fn forget(transaction: &Transaction<'_>, sha256: &str, at_ms: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM whole_blob WHERE sha256 = ?1", [sha256])?;
    transaction.execute(
        "INSERT INTO awaiting_blobs (id, since_ms) SELECT o.id, ?2 FROM to_open o
         JOIN named_blob n ON n.record = o.id WHERE n.sha256 = ?1 ON CONFLICT DO NOTHING",
        params![sha256, at_ms],
    )?;
    transaction.execute(
        "DELETE FROM to_open WHERE id IN (SELECT record FROM named_blob WHERE sha256 = ?1)",
        [sha256],
    )?;
    Ok(())
}

/// Whole blobs after a hash.
pub(super) fn whole_after(
    connection: &Connection,
    sha256: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(String, u64)>> {
    connection
        .prepare_cached(
            "SELECT sha256, bytes FROM whole_blob WHERE sha256 > ?1 AND leaving = 0 ORDER BY sha256 LIMIT ?2",
        )?
        .query_map(params![sha256, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
        })?
        .collect()
}

fn held(connection: &Connection, terminal: &str, sha256: &str) -> rusqlite::Result<Held> {
    let whole = connection
        .prepare_cached("SELECT bytes, leaving FROM whole_blob WHERE sha256 = ?1")?
        .query_row([sha256], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, bool>(1)?)))
        .optional()?;
    match whole {
        Some((_, true)) => return Ok(Held::Leaving),
        Some((length, false)) => return Ok(Held::Whole { length }),
        None => {}
    }
    let part = connection
        .prepare_cached("SELECT held, length FROM blob_upload WHERE terminal = ?1 AND sha256 = ?2")?
        .query_row([terminal, sha256], |row| {
            Ok(Held::Part { held: row.get::<_, i64>(0)? as u64, length: row.get::<_, i64>(1)? as u64 })
        })
        .optional()?;
    Ok(part.unwrap_or(Held::Nothing))
}

fn held_part(connection: &Connection, terminal: &str, sha256: &str) -> rusqlite::Result<Option<u64>> {
    Ok(match held(connection, terminal, sha256)? {
        Held::Part { held, .. } => Some(held),
        _ => None,
    })
}

fn begin(transaction: &Transaction<'_>, announced: &Announced, unnamed: Unnamed) -> rusqlite::Result<Begun> {
    let Announced { terminal, sha256, length, at_ms } = announced;
    match held(transaction, terminal, sha256)? {
        Held::Part { length: before, .. } if before != *length => {
            // What was kept stays until the sweep finds that it belongs to nothing.
            take_pieces(transaction, terminal, sha256)?;
            transaction
                .prepare_cached("DELETE FROM blob_upload WHERE terminal = ?1 AND sha256 = ?2")?
                .execute([terminal, sha256])?;
        }
        Held::Nothing => {}
        held => return Ok(Begun::Held(held)),
    }
    let named = transaction.prepare_cached("SELECT 1 FROM named_blob WHERE sha256 = ?1")?.exists([sha256])?;
    if !named && !room(transaction, terminal, *length, unnamed)? {
        return Ok(Begun::TooMuchUnnamed);
    }
    transaction
        .prepare_cached(
            "INSERT INTO blob_upload (terminal, sha256, length, held, touched_at_ms) VALUES (?1, ?2, ?3, 0, ?4)",
        )?
        .execute(params![terminal, sha256, position(*length)?, at_ms])?;
    Ok(Begun::Held(Held::Part { held: 0, length: *length }))
}

/// Whether a terminal may have one more blob of this length that no record names.
fn room(
    transaction: &Transaction<'_>,
    terminal: &str,
    length: u64,
    unnamed: Unnamed,
) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT count(*), ifnull(sum(size), 0) FROM (
            SELECT length AS size FROM blob_upload b WHERE terminal = ?1 AND {NOT_NAMED}
            UNION ALL SELECT bytes FROM whole_blob b WHERE terminal = ?1 AND {NOT_NAMED})"
    );
    let (blobs, bytes) = transaction
        .prepare_cached(&sql)?
        .query_row([terminal], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?;
    Ok(blobs < unnamed.blobs && bytes.saturating_add(length) <= unnamed.bytes)
}

fn pieces(connection: &Connection, terminal: &str, sha256: &str) -> rusqlite::Result<Vec<Piece>> {
    connection
        .prepare_cached(
            "SELECT start, bytes, key FROM blob_piece WHERE terminal = ?1 AND sha256 = ?2 ORDER BY start",
        )?
        .query_map([terminal, sha256], |row| {
            Ok(Piece {
                start: row.get::<_, i64>(0)? as u64,
                bytes: row.get::<_, i64>(1)? as u64,
                key: row.get(2)?,
            })
        })?
        .collect()
}

fn take_pieces(transaction: &Transaction<'_>, terminal: &str, sha256: &str) -> rusqlite::Result<Vec<Piece>> {
    let taken = pieces(transaction, terminal, sha256)?;
    transaction
        .prepare_cached("DELETE FROM blob_piece WHERE terminal = ?1 AND sha256 = ?2")?
        .execute([terminal, sha256])?;
    Ok(taken)
}

fn add(
    transaction: &Transaction<'_>,
    terminal: &str,
    sha256: &str,
    piece: &Piece,
    at_ms: i64,
) -> rusqlite::Result<Moved> {
    let changed = transaction
        .prepare_cached(
            "UPDATE blob_upload SET held = held + ?4, touched_at_ms = ?5
             WHERE terminal = ?1 AND sha256 = ?2 AND held = ?3 AND held + ?4 < length
               AND NOT EXISTS (SELECT 1 FROM whole_blob w WHERE w.sha256 = ?2)",
        )?
        .execute(params![terminal, sha256, position(piece.start)?, position(piece.bytes)?, at_ms])?;
    if changed == 0 {
        return Ok(Moved::Elsewhere(held(transaction, terminal, sha256)?));
    }
    transaction
        .prepare_cached(
            "INSERT INTO blob_piece (terminal, sha256, start, bytes, key) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![terminal, sha256, position(piece.start)?, position(piece.bytes)?, piece.key])?;
    Ok(Moved::On(Vec::new()))
}

fn finish(
    transaction: &Transaction<'_>,
    terminal: &str,
    sha256: &str,
    from: u64,
    at_ms: i64,
) -> rusqlite::Result<Moved> {
    let Held::Part { held: at, length } = held(transaction, terminal, sha256)? else {
        return Ok(Moved::Elsewhere(held(transaction, terminal, sha256)?));
    };
    if at != from {
        return Ok(Moved::Elsewhere(Held::Part { held: at, length }));
    }
    transaction
        .prepare_cached(
            "INSERT INTO whole_blob (sha256, bytes, terminal, whole_at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![sha256, position(length)?, terminal, at_ms])?;
    let gone = take_pieces(transaction, terminal, sha256)?;
    transaction
        .prepare_cached("DELETE FROM blob_upload WHERE terminal = ?1 AND sha256 = ?2")?
        .execute([terminal, sha256])?;
    let waiting: Vec<i64> = transaction
        .prepare_cached(
            "SELECT a.id FROM named_blob n JOIN awaiting_blobs a ON a.id = n.record WHERE n.sha256 = ?1",
        )?
        .query_map([sha256], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for record in waiting {
        if missing_of(transaction, record)? == 0 {
            transaction.prepare_cached("DELETE FROM awaiting_blobs WHERE id = ?1")?.execute([record])?;
            transaction
                .prepare_cached("INSERT INTO to_open (id) VALUES (?1) ON CONFLICT DO NOTHING")?
                .execute([record])?;
        }
    }
    Ok(Moved::On(gone))
}

fn overdue(
    transaction: &Transaction<'_>,
    before_ms: i64,
    said_before_ms: i64,
    now_ms: i64,
) -> rusqlite::Result<Vec<Overdue>> {
    let found: Vec<(i64, Overdue)> = transaction
        .prepare_cached(
            "SELECT a.id, i.terminal, i.incarnation, i.seq, i.case_id, a.since_ms FROM awaiting_blobs a
             JOIN inbox i ON i.id = a.id
             WHERE a.since_ms < ?1 AND ifnull(a.alarmed_at_ms, ?2 - 1) < ?2 ORDER BY a.id LIMIT ?3",
        )?
        .query_map(params![before_ms, said_before_ms, ROUND as i64], |row| {
            let place =
                Place { terminal: row.get(1)?, incarnation: row.get(2)?, seq: row.get::<_, i64>(3)? as u64 };
            Ok((row.get(0)?, Overdue { place, case_id: row.get(4)?, since_ms: row.get(5)?, missing: 0 }))
        })?
        .collect::<Result<_, _>>()?;
    let mut said =
        transaction.prepare_cached("UPDATE awaiting_blobs SET alarmed_at_ms = ?2 WHERE id = ?1")?;
    found
        .into_iter()
        .map(|(id, overdue)| {
            said.execute(params![id, now_ms])?;
            Ok(Overdue { missing: missing_of(transaction, id)? as u64, ..overdue })
        })
        .collect()
}

fn abandon(transaction: &Transaction<'_>, before_ms: i64) -> rusqlite::Result<Abandoned> {
    let mut abandoned = Abandoned::default();
    let uploads: Vec<(String, String)> = transaction
        .prepare_cached(&format!(
            "SELECT terminal, sha256 FROM blob_upload b WHERE (touched_at_ms < ?1 AND {NOT_NAMED})
             OR EXISTS (SELECT 1 FROM whole_blob w WHERE w.sha256 = b.sha256 AND w.leaving = 0) LIMIT ?2"
        ))?
        .query_map(params![before_ms, ROUND as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (terminal, sha256) in &uploads {
        abandoned.pieces.extend(take_pieces(transaction, terminal, sha256)?);
        transaction
            .prepare_cached("DELETE FROM blob_upload WHERE terminal = ?1 AND sha256 = ?2")?
            .execute([terminal, sha256])?;
    }
    transaction
        .prepare_cached(&format!(
            "UPDATE whole_blob AS b SET leaving = 1 WHERE sha256 IN (SELECT sha256 FROM whole_blob b
             WHERE leaving = 0 AND whole_at_ms < ?1 AND {NOT_NAMED} LIMIT ?2)"
        ))?
        .execute(params![before_ms, ROUND as i64])?;
    abandoned.leaving = transaction
        .prepare_cached("SELECT sha256 FROM whole_blob WHERE leaving = 1 LIMIT ?1")?
        .query_map([ROUND as i64], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(abandoned)
}
