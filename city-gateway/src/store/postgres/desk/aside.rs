//! What operators decide about records that are kept aside, in PostgreSQL. Whoever decides locks the record's row
//! first, so of two gateways one decides after the other; whoever wants its place in the inbox at the same moment is
//! told apart by the inbox's own keys.

use tokio_postgres::Row;

use super::{at_most, audit};
use crate::store::StoreError;
use crate::store::desk::{
    AsideDecision, AsideFilter, AsideName, AsideRow, AuditEntry, CaseKey, Decided, Obstacle, Settled, Verdict,
};
use crate::store::postgres::accept::look_for_blobs;
use crate::store::postgres::database::{Database, Work, plain};
use crate::store::postgres::pages::{inbox_row, settle};
use crate::store::postgres::places::Places;
use crate::store::postgres::read::unknown;

/// Whether a record waits for a person.
macro_rules! undecided {
    () => {
        "q.erased_at_ms IS NULL
         AND NOT EXISTS (
            SELECT 1 FROM quarantine_decision w
            WHERE w.terminal = q.terminal AND w.incarnation = q.incarnation AND w.seq = q.seq
              AND w.case_id = q.case_id AND w.sha256 = q.sha256 AND w.manifest_hash = q.manifest_hash)
         AND NOT EXISTS (
            SELECT 1 FROM inbox w
            WHERE w.terminal = q.terminal AND w.incarnation = q.incarnation AND w.seq = q.seq
              AND w.case_id = q.case_id AND w.sha256 = q.sha256 AND w.manifest_hash = q.manifest_hash)"
    };
}

/// A record with what the inbox holds in its place (`p`) and the last decision about it (`d`).
macro_rules! aside {
    ($($rest:expr),+) => {
        concat!(
            "SELECT q.number, q.terminal, q.incarnation, q.seq, q.case_id, q.case_number, q.kind, q.item, q.sha256,
                    q.received_at_ms, 'quarantined', q.reason, CAST(NULL AS text), CAST(NULL AS text),
                    CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text),
                    q.erased_at_ms IS NOT NULL, p.case_id = q.case_id AND p.sha256 = q.sha256,
                    EXISTS (SELECT 1 FROM inbox i WHERE i.terminal = q.terminal AND i.case_id = q.case_id),
                    d.version, d.verdict, d.operator, d.at_ms, d.reason, d.reference
             FROM quarantine q
             LEFT JOIN inbox p ON p.terminal = q.terminal AND p.incarnation = q.incarnation AND p.seq = q.seq
             LEFT JOIN LATERAL (
                SELECT l.version, l.verdict, l.operator, l.at_ms, l.reason, l.reference FROM quarantine_decision l
                WHERE l.terminal = q.terminal AND l.incarnation = q.incarnation AND l.seq = q.seq
                  AND l.case_id = q.case_id AND l.sha256 = q.sha256 AND l.manifest_hash = q.manifest_hash
                ORDER BY l.version DESC LIMIT 1) d ON true
             WHERE ",
            $($rest),+
        )
    };
}

const ALL: &str = aside!("q.number < $1 ORDER BY q.number DESC LIMIT $2");

const WAITING: &str = aside!("q.number < $1 AND ", undecided!(), " ORDER BY q.number DESC LIMIT $2");

const ONE: &str = aside!("q.number = $1");

const RELEASED: &str = aside!("q.terminal = $1 AND q.case_id = $2 AND d.verdict = 'released' LIMIT 1");

const COUNT: &str = concat!("SELECT count(*) FROM quarantine q WHERE ", undecided!());

const LOCK: &str = "
    SELECT 1 FROM quarantine WHERE number = $1 AND terminal = $2 AND case_id = $3 AND sha256 = $4 FOR UPDATE";

const DECIDE: &str = "
    INSERT INTO quarantine_decision (terminal, incarnation, seq, case_id, sha256, manifest_hash, version, verdict,
                                     operator, at_ms, reason, reference)
    SELECT terminal, incarnation, seq, case_id, sha256, manifest_hash, $2, $3, $4, $5, $6, $7
    FROM quarantine WHERE number = $1";

/// Into the inbox with the time when it first came, for the opener, and owed to departments from now on. Who names
/// blobs waits for them until somebody has looked. Nothing happens when something of the inbox is in the way.
const RELEASE: &str = "
    WITH released AS (
        SELECT * FROM quarantine WHERE number = $1
    ), kept AS (
        INSERT INTO inbox (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                           item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
        SELECT terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
               item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext
        FROM released
        ON CONFLICT DO NOTHING
        RETURNING terminal, incarnation, seq, manifest_hash, received_at_ms
    ), naming AS (
        SELECT k.terminal, k.incarnation, k.seq, n.sha256, n.bytes
        FROM kept k JOIN named_blob n
            ON n.terminal = k.terminal AND n.incarnation = k.incarnation AND n.seq = k.seq AND n.aside = k.manifest_hash
    ), named AS (
        INSERT INTO named_blob (terminal, incarnation, seq, aside, sha256, bytes)
        SELECT terminal, incarnation, seq, '', sha256, bytes FROM naming
    ), to_handle AS (
        INSERT INTO handling (terminal, incarnation, seq, received_at_ms, to_owe, state, waiting_since_ms)
        SELECT terminal, incarnation, seq, received_at_ms, true,
               CASE WHEN EXISTS (SELECT 1 FROM naming) THEN 'incomplete' ELSE 'received' END,
               CASE WHEN EXISTS (SELECT 1 FROM naming) THEN $2::bigint END
        FROM kept
    )
    SELECT 1 FROM kept";

/// Records that are kept aside, newest first.
pub(super) async fn list(
    database: &Database,
    filter: AsideFilter,
    limit: usize,
) -> Result<Vec<AsideRow>, StoreError> {
    settle(database).await?;
    let sql = if filter.undecided { WAITING } else { ALL };
    database.query(sql, &[&filter.before, &at_most(limit)]).await?.iter().map(aside_row).collect()
}

/// The record of a case that came to the inbox by a release.
pub(super) async fn released(database: &Database, key: &CaseKey) -> Result<Option<AsideRow>, StoreError> {
    settle(database).await?;
    let row = database.query_opt(RELEASED, &[&plain(&key.terminal), &plain(&key.case_id)]).await?;
    row.as_ref().map(aside_row).transpose()
}

/// How many wait for a person.
pub(in crate::store::postgres) async fn undecided(database: &Database) -> Result<u64, StoreError> {
    let row = database.query_opt(COUNT, &[]).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}

/// Decides about one record.
pub(super) async fn decide(
    database: &Database,
    decision: &AsideDecision,
    entry: AuditEntry,
) -> Result<Settled, StoreError> {
    let work = database.begin().await?;
    let (settled, place) = match held(&work, &decision.name).await? {
        None => (Settled::Missing, None),
        Some(found) => match found.admits(decision) {
            Err(settled) => (settled, None),
            Ok(()) => (made(&work, decision, entry).await?, Some(found.row.place)),
        },
    };
    work.commit().await?;
    // After the commit, as everybody does who keeps a record that names blobs.
    if let (Settled::Done, Verdict::Released, Some(place)) = (settled, decision.decided.verdict, place) {
        look_for_blobs(database, Places::of([&place])?).await;
    }
    Ok(settled)
}

/// The record, which nobody else decides about until the transaction ends.
async fn held(work: &Work, name: &AsideName) -> Result<Option<AsideRow>, StoreError> {
    let AsideName { id, key, sha256 } = name;
    let locked =
        work.query_opt(LOCK, &[id, &plain(&key.terminal), &plain(&key.case_id), &plain(sha256)]).await?;
    if locked.is_none() {
        return Ok(None);
    }
    work.query_opt(ONE, &[id]).await?.as_ref().map(aside_row).transpose()
}

/// Makes a decision that the record admits, unless something came into its place in this moment.
async fn made(work: &Work, decision: &AsideDecision, entry: AuditEntry) -> Result<Settled, StoreError> {
    let AsideDecision { name: AsideName { id, .. }, version, decided } = decision;
    let Decided { verdict, operator, at_ms, reason, reference } = decided;
    if *verdict == Verdict::Released && work.query_opt(RELEASE, &[id, at_ms]).await?.is_none() {
        let now = work.query_opt(ONE, &[id]).await?.ok_or_else(unknown)?;
        return Ok(aside_row(&now)?.obstacle.map_or(Settled::Stale, Settled::Blocked));
    }
    let (version, operator) = (version + 1, plain(operator));
    let (reason, reference) = (plain(reason), plain(reference));
    work.execute(DECIDE, &[id, &version, &verdict.code(), &operator, at_ms, &reason, &reference]).await?;
    audit::append(work, vec![entry]).await?;
    Ok(Settled::Done)
}

fn aside_row(row: &Row) -> Result<AsideRow, StoreError> {
    let last = match row.try_get::<_, Option<&str>>(21)? {
        None => None,
        Some(code) => Some(Decided {
            verdict: Verdict::from_code(code).ok_or_else(unknown)?,
            operator: row.try_get(22)?,
            at_ms: row.try_get(23)?,
            reason: row.try_get(24)?,
            reference: row.try_get(25)?,
        }),
    };
    Ok(AsideRow {
        row: inbox_row(row)?,
        obstacle: Obstacle::find(row.try_get(17)?, row.try_get(18)?, row.try_get(19)?),
        version: row.try_get::<_, Option<i64>>(20)?.unwrap_or(0),
        last,
    })
}
