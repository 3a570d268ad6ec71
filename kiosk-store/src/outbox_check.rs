//! What is checked when an outbox is opened: its names, its last record, its chain.

use std::path::Path;

use crate::connection::Writer;
use crate::hash::{NOTHING_BEFORE, sha256_hex};
use crate::outbox::{SCHEMA, Slot};
use crate::{DeliveryReader, StoreError};

/// Reads every page and follows the whole chain.
pub(crate) fn verify_all(writer: &Writer) -> Result<(), StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let verdict: String =
        writer.db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(&sql)?;
    if verdict != "ok" {
        return Err(corrupt("the integrity check failed".into()));
    }
    let mut query = writer
        .db
        .prepare(
            "SELECT seq, manifest, manifest_hash, prev_hash, sha256, ciphertext FROM record ORDER BY seq",
        )
        .map_err(&sql)?;
    let mut rows = query.query([]).map_err(&sql)?;
    let mut expected = Slot { seq: 1, prev_hash: NOTHING_BEFORE.into() };
    while let Some(row) = rows.next().map_err(&sql)? {
        expected = check_row(row, &expected)?;
    }
    Ok(())
}

/// Gives a new outbox its names; checks that an old one belongs to this terminal.
pub(crate) fn identify(writer: &Writer, terminal_code: &str) -> Result<String, StoreError> {
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
                "INSERT INTO meta (key, value) VALUES ('incarnation', lower(hex(randomblob(16))))",
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
    read("incarnation").map_err(&sql)
}

/// Checks the last record (content, manifest, link to the one before) and returns the slot after it.
pub(crate) fn check_last(writer: &Writer) -> Result<Slot, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query = writer
        .db
        .prepare("SELECT seq, manifest, manifest_hash, prev_hash, sha256, ciphertext FROM record ORDER BY seq DESC LIMIT 1")
        .map_err(&sql)?;
    let mut rows = query.query([]).map_err(&sql)?;
    let Some(row) = rows.next().map_err(&sql)? else {
        return Ok(Slot { seq: 1, prev_hash: NOTHING_BEFORE.into() });
    };
    let seq: u64 = row.get::<_, i64>(0).map_err(&sql)? as u64;
    let before = match seq {
        1 => NOTHING_BEFORE.to_owned(),
        _ => writer
            .db
            .query_row("SELECT manifest_hash FROM record WHERE seq = ?1", [seq as i64 - 1], |row| row.get(0))
            .map_err(|_| corrupt(format!("record {} is missing", seq - 1)))?,
    };
    check_row(row, &Slot { seq, prev_hash: before })
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
    if sha256_hex(&[ciphertext]) != text(4)? {
        return Err(corrupt(format!("the content of record {seq} was changed")));
    }
    Ok(Slot { seq: seq + 1, prev_hash: text(2)?.to_owned() })
}

/// The city already acknowledged a later record than the last one here: this file is a restored copy or has lost its
/// end, and going on would use places in the queue twice. A delivery log that cannot be read says nothing.
pub(crate) fn check_not_older_than_receipts(
    state: &Path,
    incarnation: &str,
    head: u64,
) -> Result<(), StoreError> {
    let delivery = DeliveryReader::open(state).ok().flatten();
    let last = delivery.and_then(|delivery| delivery.last_acknowledged(incarnation).ok().flatten());
    match last {
        Some(last) if last > head => {
            Err(corrupt(format!("it ends at record {head}, but the city acknowledged record {last}")))
        }
        _ => Ok(()),
    }
}

fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { file: SCHEMA.file, what }
}
