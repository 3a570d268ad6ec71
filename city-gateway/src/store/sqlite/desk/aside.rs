//! What operators decide about records that are kept aside, in SQLite. One writer, so what is read in the transaction
//! holds until it is committed.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{at_most, audit, known};
use crate::store::desk::{
    AsideDecision, AsideFilter, AsideRow, AuditEntry, CaseKey, Decided, Obstacle, Settled, Verdict,
};
use crate::store::sqlite::{blobs, read};

/// A record with what the inbox holds in its place (`p`) and the last decision about it (`d`).
const ASIDE: &str = "
    SELECT q.id, q.terminal, q.incarnation, q.seq, q.case_id, q.case_number, q.kind, q.item, q.sha256,
           q.received_at_ms, 'quarantined', q.reason, NULL, NULL, NULL, NULL, NULL,
           EXISTS (SELECT 1 FROM erased e WHERE e.id = q.id),
           (p.case_id, p.sha256) = (q.case_id, q.sha256),
           EXISTS (SELECT 1 FROM inbox i WHERE i.terminal = q.terminal AND i.case_id = q.case_id),
           d.version, d.verdict, d.operator, d.at_ms, d.reason, d.reference
    FROM quarantine q
    LEFT JOIN inbox p ON p.terminal = q.terminal AND p.incarnation = q.incarnation AND p.seq = q.seq
    LEFT JOIN quarantine_decision d ON d.id = q.id
        AND d.version = (SELECT max(l.version) FROM quarantine_decision l WHERE l.id = q.id)";

/// Whether a record waits for a person.
const UNDECIDED: &str = "
    NOT EXISTS (SELECT 1 FROM quarantine_decision w WHERE w.id = q.id)
    AND NOT EXISTS (SELECT 1 FROM erased w WHERE w.id = q.id)
    AND NOT EXISTS (SELECT 1 FROM inbox w WHERE w.terminal = q.terminal AND w.incarnation = q.incarnation
        AND w.seq = q.seq AND w.case_id = q.case_id AND w.sha256 = q.sha256
        AND w.manifest_hash = q.manifest_hash)";

const DECIDE: &str = "
    INSERT INTO quarantine_decision (id, version, verdict, operator, at_ms, reason, reference)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Into the inbox with the next number of arrivals, and with the time when it first came.
const RELEASE: &str = "
    INSERT INTO inbox (id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                       item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
    SELECT 1 + max(ifnull((SELECT max(id) FROM inbox), 0), ifnull((SELECT max(id) FROM quarantine), 0)),
           terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
           item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext
    FROM quarantine WHERE id = ?1
    RETURNING id";

const NAME_BLOBS: &str = "
    INSERT INTO named_blob (record, sha256, bytes) SELECT ?2, sha256, bytes FROM named_blob WHERE record = ?1";

/// Records that are kept aside, newest first.
pub(super) fn list(
    connection: &Connection,
    filter: AsideFilter,
    limit: usize,
) -> rusqlite::Result<Vec<AsideRow>> {
    let undecided = if filter.undecided { UNDECIDED } else { "true" };
    connection
        .prepare_cached(&format!("{ASIDE} WHERE q.id < ?1 AND {undecided} ORDER BY q.id DESC LIMIT ?2"))?
        .query_map(params![filter.before, at_most(limit)], aside_row)?
        .collect()
}

/// The record of a case that came to the inbox by a release.
pub(super) fn released(connection: &Connection, key: &CaseKey) -> rusqlite::Result<Option<AsideRow>> {
    connection
        .prepare_cached(&format!(
            "{ASIDE} WHERE q.terminal = ?1 AND q.case_id = ?2 AND d.verdict = 'released' LIMIT 1"
        ))?
        .query_row([&key.terminal, &key.case_id], aside_row)
        .optional()
}

/// How many wait for a person.
pub(in crate::store::sqlite) fn undecided(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!("SELECT count(*) FROM quarantine q WHERE {UNDECIDED}"))?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}

/// Decides about one record.
pub(super) fn decide(
    transaction: &Transaction<'_>,
    decision: &AsideDecision,
    entry: &AuditEntry,
) -> rusqlite::Result<Settled> {
    let AsideDecision { name, decided, .. } = decision;
    let found = transaction
        .prepare_cached(&format!(
            "{ASIDE} WHERE q.id = ?1 AND q.terminal = ?2 AND q.case_id = ?3 AND q.sha256 = ?4"
        ))?
        .query_row(params![name.id, name.key.terminal, name.key.case_id, name.sha256], aside_row)
        .optional()?;
    let Some(found) = found else { return Ok(Settled::Missing) };
    if let Err(settled) = found.admits(decision) {
        return Ok(settled);
    }
    let Decided { verdict, operator, at_ms, reason, reference } = decided;
    transaction.prepare_cached(DECIDE)?.execute(params![
        name.id,
        decision.version + 1,
        verdict.code(),
        operator,
        at_ms,
        reason,
        reference
    ])?;
    if *verdict == Verdict::Released {
        release(transaction, name.id, *at_ms)?;
    }
    audit::append(transaction, entry)?;
    Ok(Settled::Done)
}

/// Keeps a record in the inbox as if it had been accepted.
fn release(transaction: &Transaction<'_>, aside: i64, at_ms: i64) -> rusqlite::Result<()> {
    let id = transaction.prepare_cached(RELEASE)?.query_row([aside], |row| row.get::<_, i64>(0))?;
    transaction.prepare_cached(NAME_BLOBS)?.execute([aside, id])?;
    blobs::list_for_opening(transaction, id, at_ms)
}

fn aside_row(row: &Row<'_>) -> rusqlite::Result<AsideRow> {
    let last = match row.get::<_, Option<String>>(21)? {
        None => None,
        Some(code) => Some(Decided {
            verdict: known(Verdict::from_code(&code))?,
            operator: row.get(22)?,
            at_ms: row.get(23)?,
            reason: row.get(24)?,
            reference: row.get(25)?,
        }),
    };
    Ok(AsideRow {
        row: read::inbox_row(row)?,
        obstacle: Obstacle::find(row.get(17)?, row.get(18)?, row.get(19)?),
        version: row.get::<_, Option<i64>>(20)?.unwrap_or(0),
        last,
    })
}
