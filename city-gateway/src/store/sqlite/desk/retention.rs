//! Deletion by rule in SQLite.

use rusqlite::{Connection, Transaction, params};

use super::{at_most, audit};
use crate::store::desk::{AuditAct, AuditEntry, Cut, Due, ErasureRule};

/// Records that a rule names: their ids, terminals and record ids. `?1` is the moment before which.
fn named(rule: ErasureRule) -> &'static str {
    match rule {
        ErasureRule::FinishedCase => {
            // What followed a case goes with it; what came later has its own time.
            "SELECT id, terminal, case_id FROM case_progress
             WHERE state IN ('closed', 'returned') AND changed_at_ms < ?1
             AND id NOT IN (SELECT id FROM erased)
             UNION ALL
             SELECT f.id, i.terminal, i.case_id FROM follow_up f JOIN inbox i ON i.id = f.id
             JOIN case_progress p ON p.terminal = f.case_terminal AND p.case_id = f.case_id
             WHERE p.state IN ('closed', 'returned') AND max(p.changed_at_ms, f.at_ms) < ?1
             AND f.id NOT IN (SELECT id FROM erased)"
        }
        ErasureRule::DeadLetter => {
            "SELECT o.id, i.terminal, i.case_id FROM outcome o JOIN inbox i ON i.id = o.id
             WHERE o.state = 'dead_letter' AND o.decided_at_ms < ?1
             AND o.id NOT IN (SELECT id FROM erased)"
        }
        ErasureRule::Quarantine => {
            "SELECT id, terminal, case_id FROM quarantine WHERE received_at_ms < ?1
             AND id NOT IN (SELECT id FROM erased)"
        }
    }
}

/// How much is due.
pub(super) fn due(connection: &Connection, cut: Cut) -> rusqlite::Result<Due> {
    let count = |rule: ErasureRule, before: Option<i64>| -> rusqlite::Result<u64> {
        let Some(before) = before else { return Ok(0) };
        let sql = format!("SELECT count(*) FROM ({})", named(rule));
        let count: i64 = connection.prepare_cached(&sql)?.query_row([before], |row| row.get(0))?;
        Ok(count as u64)
    };
    Ok(Due {
        finished: count(ErasureRule::FinishedCase, cut.finished_ms)?,
        dead_letters: count(ErasureRule::DeadLetter, cut.dead_letters_ms)?,
        quarantine: count(ErasureRule::Quarantine, cut.quarantine_ms)?,
        audit: cut.audit_ms.map_or(Ok(0), |before| audit::due(connection, before))?,
    })
}

/// Deletes content and keeps everything that accounting and receipts stand on.
pub(super) fn erase(
    transaction: &Transaction<'_>,
    rule: ErasureRule,
    before_ms: i64,
    most: usize,
    now_ms: i64,
) -> rusqlite::Result<u64> {
    let sql = format!("{} LIMIT ?2", named(rule));
    let records: Vec<(i64, String, String)> = transaction
        .prepare_cached(&sql)?
        .query_map(params![before_ms, at_most(most)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, terminal, case_id) in &records {
        let table = if rule == ErasureRule::Quarantine { "quarantine" } else { "inbox" };
        transaction
            .prepare_cached(&format!("UPDATE {table} SET ciphertext = x'' WHERE id = ?1"))?
            .execute([id])?;
        // Blobs that no record names any more are swept away.
        transaction.prepare_cached("DELETE FROM named_blob WHERE record = ?1")?.execute([id])?;
        transaction
            .prepare_cached(
                "UPDATE outcome SET person_name = NULL, person_number = NULL, person_phone = NULL WHERE id = ?1",
            )?
            .execute([id])?;
        if rule == ErasureRule::FinishedCase {
            transaction
                .prepare_cached(
                    "UPDATE case_step SET note = '' WHERE terminal = ?1 AND case_id = ?2 AND note != ''",
                )?
                .execute([terminal, case_id])?;
        }
        if rule != ErasureRule::Quarantine {
            erase_copies(transaction, *id, rule, now_ms)?;
        }
        transaction
            .prepare_cached("INSERT INTO erased (id, at_ms, rule) VALUES (?1, ?2, ?3)")?
            .execute(params![id, now_ms, rule.code()])?;
        audit::append(
            transaction,
            &AuditEntry {
                at_ms: now_ms,
                actor: "gateway".into(),
                address: String::new(),
                act: AuditAct::Erased,
                subject: format!("{terminal}/{case_id}"),
                detail: rule.code().into(),
            },
        )?;
    }
    Ok(records.len() as u64)
}

/// The same content may lie in quarantine too, under another manifest.
fn erase_copies(
    transaction: &Transaction<'_>,
    id: i64,
    rule: ErasureRule,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let copies = "SELECT q.id FROM quarantine q JOIN inbox i
                  ON q.terminal = i.terminal AND q.incarnation = i.incarnation AND q.sha256 = i.sha256
                  WHERE i.id = ?1";
    transaction
        .prepare_cached(&format!("UPDATE quarantine SET ciphertext = x'' WHERE id IN ({copies})"))?
        .execute([id])?;
    transaction
        .prepare_cached(&format!("DELETE FROM named_blob WHERE record IN ({copies})"))?
        .execute([id])?;
    transaction
        .prepare_cached(&format!(
            "INSERT INTO erased (id, at_ms, rule) SELECT id, ?2, ?3 FROM ({copies}) WHERE true
             ON CONFLICT DO NOTHING"
        ))?
        .execute(params![id, now_ms, rule.code()])
        .map(|_| ())
}
