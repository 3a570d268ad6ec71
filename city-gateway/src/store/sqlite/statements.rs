//! What the writer does inside its transaction.

use rusqlite::{OptionalExtension, ToSql, Transaction, params, params_from_iter};

use super::blobs;
use super::desk::follow_ups;

use crate::store::conflict::{Comparison, Held, beside, compare};
use crate::store::{
    Acceptance, Arrival, Conflict, DeadLetterReason, Decision, Kept, MaskedPerson, Outcome, Place,
};

/// Arrivals are numbered over both tables. One writer, so reading the highest number is safe here.
const INSERT_INBOX: &str = "
    INSERT INTO inbox (id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                       item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
    VALUES (1 + max(ifnull((SELECT max(id) FROM inbox), 0), ifnull((SELECT max(id) FROM quarantine), 0)),
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
    ON CONFLICT DO NOTHING RETURNING id";

const INSERT_QUARANTINE: &str = "
    INSERT INTO quarantine (id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                            item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext, reason)
    VALUES (1 + max(ifnull((SELECT max(id) FROM inbox), 0), ifnull((SELECT max(id) FROM quarantine), 0)),
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT DO NOTHING RETURNING id";

/// A case that was opened is owed to a department.
const OWE_DEPARTMENT: &str = "
    INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
    SELECT terminal, incarnation, seq, received_at_ms FROM inbox WHERE id = ?1 AND kind = 'case'
    ON CONFLICT DO NOTHING";

/// Keeps a record: in the inbox, or, when its id or its place is taken, in quarantine.
pub(super) fn accept(transaction: &Transaction<'_>, arrival: &Arrival) -> rusqlite::Result<Acceptance> {
    if let Some(id) = insert(transaction, INSERT_INBOX, arrival, None)? {
        blobs::name(transaction, id, &arrival.blobs)?;
        blobs::list_for_opening(transaction, id, arrival.received_at_ms)?;
        return Ok(Acceptance { kept: Kept::Inbox, again: false, received_at_ms: arrival.received_at_ms });
    }
    match compare(arrival, held_at(transaction, &arrival.place)?) {
        Comparison::Again { received_at_ms } => {
            Ok(Acceptance { kept: Kept::Inbox, again: true, received_at_ms })
        }
        Comparison::OtherManifest { received_at_ms, erased } => {
            let again = quarantine(transaction, &beside(arrival, erased), Conflict::OtherManifest)?.again;
            Ok(Acceptance { kept: Kept::InboxOtherManifest, again, received_at_ms })
        }
        Comparison::Aside(conflict) => quarantine(transaction, arrival, conflict),
    }
}

/// Keeps a record in quarantine, unless the inbox holds exactly this one already.
pub(super) fn set_aside(
    transaction: &Transaction<'_>,
    arrival: &Arrival,
    why: Conflict,
) -> rusqlite::Result<Acceptance> {
    match compare(arrival, held_at(transaction, &arrival.place)?) {
        Comparison::Again { received_at_ms } => {
            Ok(Acceptance { kept: Kept::Inbox, again: true, received_at_ms })
        }
        Comparison::OtherManifest { erased, .. } => quarantine(transaction, &beside(arrival, erased), why),
        Comparison::Aside(_) => quarantine(transaction, arrival, why),
    }
}

/// Records what the opener found, and with it what departments are owed; returns the ids, so that their leases can end.
pub(super) fn decide(transaction: &Transaction<'_>, decisions: &[Decision]) -> rusqlite::Result<Vec<i64>> {
    let mut find = transaction
        .prepare_cached("SELECT id FROM inbox WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3")?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO outcome (id, state, reason_code, reason_detail, person_name, person_number, person_phone,
                              summary, decided_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    // The first outcome stays.
    let mut decided = transaction.prepare_cached("SELECT 1 FROM outcome WHERE id = ?1")?;
    let mut owe = transaction.prepare_cached(OWE_DEPARTMENT)?;
    let mut done = transaction.prepare_cached("DELETE FROM to_open WHERE id = ?1")?;
    let mut ids = Vec::with_capacity(decisions.len());
    for Decision { place, outcome, decided_at_ms } in decisions {
        let key = params![place.terminal, place.incarnation, position(place.seq)?];
        let Some(id) = find.query_row(key, |row| row.get::<_, i64>(0)).optional()? else { continue };
        if decided.exists([id])? {
            done.execute([id])?;
            ids.push(id);
            continue;
        }
        let nobody = MaskedPerson::default();
        let (state, reason, detail, person, summary) = match outcome {
            Outcome::Opened { person, summary } => {
                ("opened", None, None, person.as_ref().unwrap_or(&nobody), Some(summary))
            }
            Outcome::Follows { follows, case, person, summary } => {
                follow_ups::join(transaction, id, *follows, case, *decided_at_ms)?;
                ("opened", None, None, person, Some(summary))
            }
            Outcome::DeadLetter { reason, detail } => {
                ("dead_letter", Some(reason.code()), detail.as_ref(), &nobody, None)
            }
        };
        let MaskedPerson { name, number, phone } = person;
        insert.execute(params![id, state, reason, detail, name, number, phone, summary, decided_at_ms])?;
        if state == "opened" {
            owe.execute([id])?;
        }
        done.execute([id])?;
        ids.push(id);
    }
    Ok(ids)
}

/// Puts dead letters back on the list.
pub(super) fn retry(transaction: &Transaction<'_>, reason: DeadLetterReason) -> rusqlite::Result<u64> {
    let code = [reason.code()];
    // One whose content was deleted by rule has nothing left to try.
    transaction.execute(
        "INSERT INTO to_open (id) SELECT id FROM outcome WHERE state = 'dead_letter' AND reason_code = ?1
         AND id NOT IN (SELECT id FROM erased) ON CONFLICT DO NOTHING",
        code,
    )?;
    let count = transaction.execute(
        "DELETE FROM outcome WHERE state = 'dead_letter' AND reason_code = ?1
         AND id NOT IN (SELECT id FROM erased)",
        code,
    )?;
    Ok(count as u64)
}

/// Notes how far a queue is known to be received; never goes back.
pub(super) fn progress(
    transaction: &Transaction<'_>,
    terminal: &str,
    incarnation: &str,
    contiguous: u64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO progress (terminal, incarnation, contiguous) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET contiguous = max(contiguous, excluded.contiguous)",
        )?
        .execute(params![terminal, incarnation, position(contiguous)?])
        .map(|_| ())
}

/// SQLite's numbers are signed; a position beyond them is no position.
pub(super) fn position(seq: u64) -> rusqlite::Result<i64> {
    i64::try_from(seq).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Inserts an arrival, with why it is in quarantine where the table has a column for it; gives its id,
/// or nothing when it was there.
fn insert(
    transaction: &Transaction<'_>,
    statement: &str,
    arrival: &Arrival,
    conflict: Option<&str>,
) -> rusqlite::Result<Option<i64>> {
    let Place { terminal, incarnation, seq } = &arrival.place;
    let seq = position(*seq)?;
    let kind = arrival.kind.as_str();
    let columns = params![
        terminal,
        incarnation,
        seq,
        arrival.case_id,
        kind,
        arrival.about,
        arrival.case_number,
        arrival.verification,
        arrival.item,
        arrival.item_version,
        arrival.sha256,
        arrival.manifest_hash,
        arrival.received_at_ms,
        arrival.manifest,
        arrival.ciphertext,
    ];
    let conflict = conflict.as_ref().map(|conflict| conflict as &dyn ToSql);
    transaction
        .prepare_cached(statement)?
        .query_row(params_from_iter(columns.iter().copied().chain(conflict)), |row| row.get(0))
        .optional()
}

/// What is already in the inbox at a place.
fn held_at(transaction: &Transaction<'_>, place: &Place) -> rusqlite::Result<Option<Held>> {
    transaction
        .prepare_cached(
            "SELECT case_id, sha256, manifest_hash, received_at_ms,
                    EXISTS (SELECT 1 FROM erased WHERE erased.id = inbox.id) FROM inbox
             WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3",
        )?
        .query_row(params![place.terminal, place.incarnation, position(place.seq)?], |row| {
            Ok(Held {
                case_id: row.get(0)?,
                sha256: row.get(1)?,
                manifest_hash: row.get(2)?,
                received_at_ms: row.get(3)?,
                erased: row.get(4)?,
            })
        })
        .optional()
}

fn quarantine(
    transaction: &Transaction<'_>,
    arrival: &Arrival,
    conflict: Conflict,
) -> rusqlite::Result<Acceptance> {
    let Place { terminal, incarnation, seq } = &arrival.place;
    let seq = position(*seq)?;
    let inserted = insert(transaction, INSERT_QUARANTINE, arrival, Some(conflict.code()))?;
    if let Some(id) = inserted {
        blobs::name(transaction, id, &arrival.blobs)?;
    }
    let received_at_ms = transaction
        .prepare_cached(
            "SELECT received_at_ms FROM quarantine WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3
             AND case_id = ?4 AND sha256 = ?5 AND manifest_hash = ?6",
        )?
        .query_row(
            params![terminal, incarnation, seq, arrival.case_id, arrival.sha256, arrival.manifest_hash],
            |row| row.get(0),
        )?;
    Ok(Acceptance { kept: Kept::Quarantine(conflict), again: inserted.is_none(), received_at_ms })
}
