//! Deletion by rule in PostgreSQL. What is deleted is no longer in the tables; the server's own log and its dead rows
//! hold it until they are reused and vacuumed.

use super::{at_most, audit};
use crate::store::StoreError;
use crate::store::desk::{AuditAct, AuditEntry, Cut, Due, ErasureRule};
use crate::store::postgres::database::{Database, Work};

/// The records that a rule names; those that another gateway is just at are left to it.
macro_rules! named {
    ($condition:literal) => {
        concat!(
            "SELECT h.terminal, h.incarnation, h.seq, i.case_id, i.sha256 FROM handling h
             JOIN inbox i ON i.terminal = h.terminal AND i.incarnation = h.incarnation AND i.seq = h.seq
             WHERE h.erased_at_ms IS NULL AND ", $condition, "
             ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq LIMIT $2 FOR UPDATE OF h SKIP LOCKED"
        )
    };
}

/// What followed a case goes with it; what came later has its own time.
const FINISHED: &str = named!(
    "((h.case_state IN ('closed', 'returned') AND h.case_changed_at_ms < $1) OR EXISTS (
         SELECT 1 FROM follow_up f
         JOIN inbox o ON o.terminal = f.case_terminal AND o.case_id = f.case_id
         JOIN handling p ON p.terminal = o.terminal AND p.incarnation = o.incarnation AND p.seq = o.seq
         WHERE f.terminal = h.terminal AND f.incarnation = h.incarnation AND f.seq = h.seq
           AND p.case_state IN ('closed', 'returned') AND greatest(p.case_changed_at_ms, f.at_ms) < $1))"
);

const DEAD_LETTERS: &str = named!("h.state = 'dead_letter' AND h.decided_at_ms < $1");

/// The manifest's hash stands where the content's hash stands in the others: it names which one of its place.
const QUARANTINE: &str = "
    SELECT terminal, incarnation, seq, case_id, manifest_hash FROM quarantine
    WHERE erased_at_ms IS NULL AND received_at_ms < $1
    ORDER BY received_at_ms, terminal, incarnation, seq LIMIT $2 FOR UPDATE SKIP LOCKED";

const DUE: &str = "
    SELECT (SELECT count(*) FROM handling
            WHERE case_state IN ('closed', 'returned') AND erased_at_ms IS NULL AND case_changed_at_ms < $1)
           + (SELECT count(*) FROM follow_up f
              JOIN handling h ON h.terminal = f.terminal AND h.incarnation = f.incarnation AND h.seq = f.seq
              JOIN inbox o ON o.terminal = f.case_terminal AND o.case_id = f.case_id
              JOIN handling p ON p.terminal = o.terminal AND p.incarnation = o.incarnation AND p.seq = o.seq
              WHERE p.case_state IN ('closed', 'returned') AND h.erased_at_ms IS NULL
                AND greatest(p.case_changed_at_ms, f.at_ms) < $1),
           (SELECT count(*) FROM handling
            WHERE state = 'dead_letter' AND erased_at_ms IS NULL AND decided_at_ms < $2),
           (SELECT count(*) FROM quarantine WHERE erased_at_ms IS NULL AND received_at_ms < $3)";

const EMPTY: &str = "
    UPDATE inbox i SET ciphertext = ''
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS p (terminal, incarnation, seq)
    WHERE i.terminal = p.terminal AND i.incarnation = p.incarnation AND i.seq = p.seq";

/// Blobs that no record names any more are swept away.
const UNNAME: &str = "
    DELETE FROM named_blob n USING unnest($1::text[], $2::text[], $3::bigint[]) AS p (terminal, incarnation, seq)
    WHERE n.terminal = p.terminal AND n.incarnation = p.incarnation AND n.seq = p.seq AND n.aside = ''";

const FORGET_PERSON: &str = "
    UPDATE handling h
    SET person_name = NULL, person_number = NULL, person_phone = NULL, erased_at_ms = $4, erased_rule = $5
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS p (terminal, incarnation, seq)
    WHERE h.terminal = p.terminal AND h.incarnation = p.incarnation AND h.seq = p.seq";

const FORGET_NOTES: &str = "
    UPDATE case_step s SET note = '' FROM unnest($1::text[], $2::text[]) AS p (terminal, case_id)
    WHERE s.terminal = p.terminal AND s.case_id = p.case_id AND s.note <> ''";

/// The same content may lie in quarantine too, under another manifest.
const COPIES: &str = "
    SELECT q.terminal, q.incarnation, q.seq, q.case_id, q.manifest_hash FROM quarantine q
    WHERE EXISTS (SELECT 1 FROM unnest($1::text[], $2::text[], $3::text[]) AS p (terminal, incarnation, sha256)
                  WHERE q.terminal = p.terminal AND q.incarnation = p.incarnation AND q.sha256 = p.sha256)
    ORDER BY q.received_at_ms, q.terminal, q.incarnation, q.seq FOR UPDATE OF q";

const EMPTY_ASIDE: &str = "
    UPDATE quarantine q
    SET ciphertext = '', erased_at_ms = coalesce(q.erased_at_ms, $6), erased_rule = coalesce(q.erased_rule, $7)
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
        AS p (terminal, incarnation, seq, case_id, manifest_hash)
    WHERE q.terminal = p.terminal AND q.incarnation = p.incarnation AND q.seq = p.seq AND q.case_id = p.case_id
      AND q.manifest_hash = p.manifest_hash";

const UNNAME_ASIDE: &str = "
    DELETE FROM named_blob n
    USING unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS p (terminal, incarnation, seq, manifest_hash)
    WHERE n.terminal = p.terminal AND n.incarnation = p.incarnation AND n.seq = p.seq AND n.aside = p.manifest_hash";

/// Records turned on their side.
#[derive(Default)]
struct Records {
    terminal: Vec<String>,
    incarnation: Vec<String>,
    seq: Vec<i64>,
    case_id: Vec<String>,
    /// Of the content for records of the inbox, of the manifest for what is kept aside.
    hash: Vec<String>,
}

impl Records {
    async fn find(
        work: &Work,
        sql: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Self, StoreError> {
        let mut records = Self::default();
        for row in work.query(sql, values).await? {
            records.terminal.push(row.try_get(0)?);
            records.incarnation.push(row.try_get(1)?);
            records.seq.push(row.try_get(2)?);
            records.case_id.push(row.try_get(3)?);
            records.hash.push(row.try_get(4)?);
        }
        Ok(records)
    }

    /// Empties records of the inbox, and whatever copies of them lie aside.
    async fn erase(&self, work: &Work, rule: ErasureRule, now_ms: i64) -> Result<(), StoreError> {
        let Self { terminal, incarnation, seq, case_id, hash } = self;
        work.execute(EMPTY, &[terminal, incarnation, seq]).await?;
        work.execute(UNNAME, &[terminal, incarnation, seq]).await?;
        work.execute(FORGET_PERSON, &[terminal, incarnation, seq, &now_ms, &rule.code()]).await?;
        if rule == ErasureRule::FinishedCase {
            work.execute(FORGET_NOTES, &[terminal, case_id]).await?;
        }
        Self::find(work, COPIES, &[terminal, incarnation, hash]).await?.erase_aside(work, rule, now_ms).await
    }

    async fn erase_aside(&self, work: &Work, rule: ErasureRule, now_ms: i64) -> Result<(), StoreError> {
        let Self { terminal, incarnation, seq, case_id, hash } = self;
        let code = rule.code();
        work.execute(EMPTY_ASIDE, &[terminal, incarnation, seq, case_id, hash, &now_ms, &code]).await?;
        work.execute(UNNAME_ASIDE, &[terminal, incarnation, seq, hash]).await?;
        Ok(())
    }
}

/// How much is due.
pub(super) async fn due(database: &Database, cut: Cut) -> Result<Due, StoreError> {
    let never = i64::MIN;
    let (finished, dead, aside) = (
        cut.finished_ms.unwrap_or(never),
        cut.dead_letters_ms.unwrap_or(never),
        cut.quarantine_ms.unwrap_or(never),
    );
    let Some(row) = database.query_opt(DUE, &[&finished, &dead, &aside]).await? else {
        return Ok(Due::default());
    };
    let count = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    let audit = match cut.audit_ms {
        Some(before_ms) => audit::due(database, before_ms).await?,
        None => 0,
    };
    Ok(Due { finished: count(0)?, dead_letters: count(1)?, quarantine: count(2)?, audit })
}

/// Deletes content and keeps everything that accounting and receipts stand on.
pub(super) async fn erase(
    database: &Database,
    rule: ErasureRule,
    before_ms: i64,
    most: usize,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let sql = match rule {
        ErasureRule::FinishedCase => FINISHED,
        ErasureRule::DeadLetter => DEAD_LETTERS,
        ErasureRule::Quarantine => QUARANTINE,
    };
    let work = database.begin().await?;
    let records = Records::find(&work, sql, &[&before_ms, &at_most(most)]).await?;
    if records.seq.is_empty() {
        work.commit().await?;
        return Ok(0);
    }
    match rule {
        ErasureRule::Quarantine => records.erase_aside(&work, rule, now_ms).await?,
        ErasureRule::FinishedCase | ErasureRule::DeadLetter => records.erase(&work, rule, now_ms).await?,
    }
    let said = |(terminal, case_id): (&String, &String)| AuditEntry {
        at_ms: now_ms,
        actor: "gateway".into(),
        address: String::new(),
        act: AuditAct::Erased,
        subject: format!("{terminal}/{case_id}"),
        detail: rule.code().into(),
    };
    audit::append(&work, records.terminal.iter().zip(&records.case_id).map(said).collect()).await?;
    work.commit().await?;
    Ok(records.seq.len() as u64)
}
