//! The audit chain in PostgreSQL. Whoever adds lines locks its head first and commits soon after, so gateways add one
//! after the other.

use tokio_postgres::Row;

use super::at_most;
use crate::store::StoreError;
use crate::store::desk::{AuditAct, AuditEntry, AuditHead, AuditLine, chain};
use crate::store::postgres::database::{Database, Work, plain};
use crate::store::postgres::read::unknown;

const HEAD: &str = "SELECT base_seq, base_hash, seq, hash FROM city_audit_head WHERE only_row = 1";

const HEAD_LOCKED: &str =
    "SELECT base_seq, base_hash, seq, hash FROM city_audit_head WHERE only_row = 1 FOR UPDATE";

const APPEND: &str = "
    INSERT INTO city_audit (seq, at_ms, actor, address, act, subject, detail, hash)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[])";

const MOVE_HEAD: &str = "UPDATE city_audit_head SET seq = $1, hash = $2 WHERE only_row = 1";

const MOVE_BASE: &str = "UPDATE city_audit_head SET base_seq = $1, base_hash = $2 WHERE only_row = 1";

const BEFORE: &str = "
    SELECT seq, at_ms, actor, address, act, subject, detail, hash FROM city_audit
    WHERE seq < $1 ORDER BY seq DESC LIMIT $2";

const AFTER: &str = "
    SELECT seq, at_ms, actor, address, act, subject, detail, hash FROM city_audit
    WHERE seq > $1 ORDER BY seq LIMIT $2";

/// Lines are counted from the start only: one that seems younger keeps all after it.
const DUE: &str = "
    SELECT count(*) FROM city_audit WHERE seq < coalesce(
        (SELECT min(seq) FROM city_audit WHERE at_ms >= $1), 9223372036854775807)";

/// Adds lines, each linked to the one before it. The last thing a transaction does.
pub(in crate::store::postgres) async fn append(
    work: &Work,
    entries: Vec<AuditEntry>,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let row = work.query_opt(HEAD_LOCKED, &[]).await?.ok_or_else(unknown)?;
    let AuditHead { mut seq, mut hash, .. } = audit_head(&row)?;
    let (mut seqs, mut times, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut actors, mut addresses, mut acts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut subjects, mut details) = (Vec::new(), Vec::new());
    for entry in entries {
        // What is linked is what is kept.
        let entry = AuditEntry {
            actor: plain(&entry.actor).into_owned(),
            address: plain(&entry.address).into_owned(),
            subject: plain(&entry.subject).into_owned(),
            detail: plain(&entry.detail).into_owned(),
            ..entry
        };
        seq += 1;
        hash = chain::link(&hash, seq, &entry);
        seqs.push(seq);
        hashes.push(hash.clone());
        let AuditEntry { at_ms, actor, address, act, subject, detail } = entry;
        times.push(at_ms);
        actors.push(actor);
        addresses.push(address);
        acts.push(act.code());
        subjects.push(subject);
        details.push(detail);
    }
    work.execute(APPEND, &[&seqs, &times, &actors, &addresses, &acts, &subjects, &details, &hashes]).await?;
    work.execute(MOVE_HEAD, &[&seq, &hash]).await?;
    Ok(())
}

/// Both ends.
pub(super) async fn head(database: &Database) -> Result<AuditHead, StoreError> {
    audit_head(&database.query_opt(HEAD, &[]).await?.ok_or_else(unknown)?)
}

fn audit_head(row: &Row) -> Result<AuditHead, StoreError> {
    Ok(AuditHead {
        base_seq: row.try_get(0)?,
        base_hash: row.try_get(1)?,
        seq: row.try_get(2)?,
        hash: row.try_get(3)?,
    })
}

/// Newest first.
pub(super) async fn before(
    database: &Database,
    before: i64,
    limit: usize,
) -> Result<Vec<AuditLine>, StoreError> {
    database.query(BEFORE, &[&before, &at_most(limit)]).await?.iter().map(line).collect()
}

/// Oldest first.
pub(super) async fn after(
    database: &Database,
    after: i64,
    limit: usize,
) -> Result<Vec<AuditLine>, StoreError> {
    database.query(AFTER, &[&after, &at_most(limit)]).await?.iter().map(line).collect()
}

fn line(row: &Row) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        seq: row.try_get(0)?,
        entry: AuditEntry {
            at_ms: row.try_get(1)?,
            actor: row.try_get(2)?,
            address: row.try_get(3)?,
            act: AuditAct::from_code(row.try_get(4)?).ok_or_else(unknown)?,
            subject: row.try_get(5)?,
            detail: row.try_get(6)?,
        },
        hash: row.try_get(7)?,
    })
}

/// Moves the base forward over lines that are old enough, and then removes what lies before it.
pub(super) async fn prune(
    database: &Database,
    before_ms: i64,
    most: usize,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let work = database.begin().await?;
    let head = audit_head(&work.query_opt(HEAD_LOCKED, &[]).await?.ok_or_else(unknown)?)?;
    let oldest = work.query(AFTER, &[&head.base_seq, &at_most(most)]).await?;
    let oldest = oldest.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = oldest.iter().take_while(|line| line.entry.at_ms < before_ms).last() else {
        work.commit().await?;
        return Ok(0);
    };
    work.execute(MOVE_BASE, &[&last.seq, &last.hash]).await?;
    let count = work.execute("DELETE FROM city_audit WHERE seq <= $1", &[&last.seq]).await?;
    let entry = AuditEntry {
        at_ms: now_ms,
        actor: "gateway".into(),
        address: String::new(),
        act: AuditAct::AuditPruned,
        subject: String::new(),
        detail: format!("up to {}", last.seq),
    };
    append(&work, vec![entry]).await?;
    work.commit().await?;
    Ok(count)
}

/// How many lines are old enough.
pub(super) async fn due(database: &Database, before_ms: i64) -> Result<u64, StoreError> {
    let row = database.query_opt(DUE, &[&before_ms]).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}
