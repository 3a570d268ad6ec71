//! What is checked when an outbox is opened: its names, its last record, its chain.

use std::path::Path;

use crate::connection::{Writer, check_pages};
use crate::hash::{NOTHING_BEFORE, sha256_hex};
use crate::incarnation::{Life, lives};
use crate::outbox::{SCHEMA, Slot};
use crate::{DeliveryReader, StoreError};

/// What the last record of a life is like.
pub(crate) enum Last {
    /// The slot after it.
    Whole(Slot),
    /// Its bytes no longer fit its hashes; the slot after it, as far as it can be told.
    Damaged(Slot),
}

/// Reads every page and follows the whole chain. Damaged records whose place is closed by a void are passed over.
pub(crate) fn verify_all(writer: &Writer) -> Result<(), StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    check_pages(&writer.db, SCHEMA.file)?;
    let mut query = writer.db.prepare(&format!("{ROWS} ORDER BY r.seq")).map_err(&sql)?;
    let mut rows = query.query([]).map_err(&sql)?;
    let starts: Vec<u64> = lives(&writer.db)?.into_iter().map(|life| life.first_row).collect();
    let mut expected = Slot { seq: 1, prev_hash: NOTHING_BEFORE.into() };
    while let Some(row) = rows.next().map_err(&sql)? {
        if starts.contains(&expected.seq) {
            expected.prev_hash = NOTHING_BEFORE.into();
        }
        expected = match check_row(row, &expected) {
            Err(_) if row.get(6).map_err(&sql)? => passed_over(row, expected.seq)?,
            checked => checked?,
        };
    }
    Ok(())
}

/// A damaged row with a void: the chain goes on from what the row says of its manifest.
fn passed_over(row: &rusqlite::Row<'_>, seq: u64) -> Result<Slot, StoreError> {
    let prev_hash: String = row.get(2).map_err(StoreError::sql(SCHEMA.file))?;
    Ok(Slot { seq: seq.saturating_add(1), prev_hash })
}

/// Rows as [`check_row`] reads them.
const ROWS: &str = "SELECT r.seq, r.manifest, r.manifest_hash, r.prev_hash, r.sha256, r.ciphertext, \
     EXISTS (SELECT 1 FROM void v WHERE v.seq = r.seq), \
     EXISTS (SELECT 1 FROM purged p WHERE p.seq = r.seq) FROM record r";

/// Gives a new outbox its names; checks that an old one belongs to this terminal.
pub(crate) fn identify(writer: &Writer, terminal_code: &str) -> Result<(), StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let transaction = writer.db.unchecked_transaction().map_err(&sql)?;
    transaction
        .execute(
            "INSERT INTO meta (key, value) SELECT 'terminal', ?1 WHERE NOT EXISTS (SELECT 1 FROM meta)",
            [terminal_code],
        )
        .and_then(|made| match made {
            0 => Ok(0),
            _ => transaction.execute(
                "INSERT INTO incarnation (first_row, name, begun_at_ms, reason) \
                 VALUES (1, lower(hex(randomblob(16))), 0, 'made')",
                [],
            ),
        })
        .map_err(&sql)?;
    transaction.commit().map_err(&sql)?;
    let read = |key: &str| {
        writer.db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, String>(0))
    };
    if read("terminal").map_err(&sql)? != terminal_code {
        return Err(StoreError::OtherTerminal);
    }
    Ok(())
}

/// Checks the last record of a life: content, manifest, link to the one before. A gap is an error; bytes that do not
/// fit are for the kiosk to close.
pub(crate) fn check_last(writer: &Writer, life: &Life) -> Result<Last, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query =
        writer.db.prepare(&format!("{ROWS} WHERE r.seq >= ?1 ORDER BY r.seq DESC LIMIT 1")).map_err(&sql)?;
    let mut rows = query.query([life.first_row as i64]).map_err(&sql)?;
    let Some(row) = rows.next().map_err(&sql)? else {
        return Ok(Last::Whole(Slot { seq: 1, prev_hash: NOTHING_BEFORE.into() }));
    };
    let at: i64 = row.get(0).map_err(&sql)?;
    let before = if at as u64 == life.first_row {
        NOTHING_BEFORE.to_owned()
    } else {
        let before = at.saturating_sub(1);
        writer
            .db
            .query_row("SELECT manifest_hash FROM record WHERE seq = ?1", [before], |row| row.get(0))
            .map_err(|_| corrupt(format!("record {before} is missing")))?
    };
    let after = life.seq(at).saturating_add(1);
    match check_row(row, &Slot { seq: at as u64, prev_hash: before }) {
        Ok(slot) => Ok(Last::Whole(Slot { seq: after, ..slot })),
        Err(_) => Ok(Last::Damaged(Slot { seq: after, prev_hash: NOTHING_BEFORE.into() })),
    }
}

/// Checks one row against the slot it should fill and returns the next slot.
fn check_row(row: &rusqlite::Row<'_>, slot: &Slot) -> Result<Slot, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let text = |at: usize| row.get_ref(at).and_then(|value| value.as_str().map_err(Into::into)).map_err(&sql);
    let seq = row.get::<_, i64>(0).map_err(&sql)? as u64;
    let ciphertext = row.get_ref(5).and_then(|value| value.as_blob().map_err(Into::into)).map_err(&sql)?;
    if slot.seq != seq {
        return Err(corrupt(format!("a record before {seq} is missing")));
    }
    if text(3)? != slot.prev_hash {
        return Err(corrupt(format!("record {seq} does not follow the one before")));
    }
    if sha256_hex(&[text(1)?.as_bytes()]) != text(2)? {
        return Err(corrupt(format!("the manifest of record {seq} was changed")));
    }
    let purged: bool = row.get(7).map_err(&sql)?;
    if !purged && sha256_hex(&[ciphertext]) != text(4)? {
        return Err(corrupt(format!("the content of record {seq} was changed")));
    }
    Ok(Slot { seq: seq.saturating_add(1), prev_hash: text(2)?.to_owned() })
}

/// Whether the city already acknowledged a later record than the last one here: this file is a restored copy or has lost
/// its end, and going on would use places in the queue twice. A delivery log that cannot be read says nothing.
pub(crate) fn is_older_than_receipts(state: &Path, incarnation: &str, head: u64) -> bool {
    let delivery = DeliveryReader::open(state).ok().flatten();
    let last = delivery.and_then(|delivery| delivery.last_acknowledged(incarnation).ok().flatten());
    last.is_some_and(|last| last > head)
}

fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { file: SCHEMA.file, what }
}
