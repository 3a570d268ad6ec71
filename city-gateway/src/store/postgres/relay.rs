//! What departments are owed, on PostgreSQL: claimed with `SKIP LOCKED` under leases that end by the database's clock,
//! numbered for pull feeds under one row's lock.
//!
//! Whoever waits for locks on several rows takes them in order of number or of arrival; whoever claims skips what is
//! locked.

mod feed;

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;

use super::PostgresStore;
use super::accept::position;
use super::database::{Database, plain};
use super::desk::audit;
use super::read::{place, unknown};
use super::work::claimed;
use crate::store::desk::{AuditEntry, CaseKey};
use crate::store::relay::{
    Fate, LONGEST_WAIT, Listed, Owed, OwedCase, OwedContent, RelayCount, RelayState, RelayStore, Release,
    Routed, Routes, Settlement, Undelivered, UndeliveredReason,
};
use crate::store::{Place, Reply, StoreError};

/// Dead letters released in one go.
const MOST_RELEASED: i64 = 1000;

/// Cases that a gateway of an older version opened after a newer one had accepted them (see `0008_owed.sql`).
const OWE_LEFT_BEHIND: &str = "
    WITH behind AS (
        SELECT terminal, incarnation, seq FROM handling
        WHERE to_owe AND state = 'opened'
        ORDER BY received_at_ms, terminal, incarnation, seq LIMIT $1 FOR UPDATE SKIP LOCKED
    ), owed AS (
        UPDATE handling h SET to_owe = NULL
        FROM behind b WHERE h.terminal = b.terminal AND h.incarnation = b.incarnation AND h.seq = b.seq
        RETURNING h.terminal, h.incarnation, h.seq, h.received_at_ms, h.case_state
    )
    INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
    SELECT terminal, incarnation, seq, received_at_ms FROM owed WHERE case_state IS NOT NULL
    ON CONFLICT DO NOTHING";

/// A case that an older version accepted is owed before it is opened. What follows a case is for the department of that
/// case.
const ROUTE: &str = "
    WITH ready AS (
        SELECT o.terminal, o.incarnation, o.seq, coalesce(c.item, i.item) AS item
        FROM relay_outbox o
        JOIN handling h ON h.terminal = o.terminal AND h.incarnation = o.incarnation AND h.seq = o.seq
        JOIN inbox i ON i.terminal = o.terminal AND i.incarnation = o.incarnation AND i.seq = o.seq
        LEFT JOIN follow_up u ON u.terminal = o.terminal AND u.incarnation = o.incarnation AND u.seq = o.seq
        LEFT JOIN inbox c ON c.terminal = u.case_terminal AND c.case_id = u.case_id
        WHERE o.state = 'unrouted' AND h.state = 'opened'
        ORDER BY o.enqueued, o.terminal, o.incarnation, o.seq LIMIT $1 FOR UPDATE OF o SKIP LOCKED
    ), directed AS (
        SELECT r.terminal, r.incarnation, r.seq,
               CASE WHEN m.item IS NULL THEN $5::text ELSE m.code END AS code,
               coalesce(m.name, $6::text) AS name
        FROM ready r LEFT JOIN unnest($2::text[], $3::text[], $4::text[]) AS m (item, name, code) ON m.item = r.item
    ), done AS (
        UPDATE relay_outbox o
        SET state = CASE WHEN d.code IS NULL THEN 'dead_letter' ELSE 'routed' END, department = d.code,
            reason_code = CASE WHEN d.code IS NULL THEN $8::text END,
            reason_detail = CASE WHEN d.code IS NULL THEN d.name END,
            dead_at_ms = CASE WHEN d.code IS NULL THEN $7::bigint END
        FROM directed d WHERE o.terminal = d.terminal AND o.incarnation = d.incarnation AND o.seq = d.seq
        RETURNING o.state
    )
    SELECT count(*) FILTER (WHERE state = 'routed'), count(*) FILTER (WHERE state = 'dead_letter') FROM done";

/// A moment further ahead than any wait may last comes from a clock that was wrong.
const CLAIM: &str = "
    WITH free AS (
        SELECT terminal, incarnation, seq FROM relay_outbox
        WHERE state = 'routed' AND department = $1
          AND (leased_until IS NULL OR leased_until <= now() OR leased_until > now() + interval '1 day')
          AND (retry_at IS NULL OR retry_at <= now() OR retry_at > now() + interval '1 day')
        ORDER BY enqueued, terminal, incarnation, seq LIMIT $2 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE relay_outbox o
        SET lease = $3, leased_until = now() + $4::double precision * interval '1 second', attempts = o.attempts + 1
        FROM free f WHERE o.terminal = f.terminal AND o.incarnation = f.incarnation AND o.seq = f.seq
        RETURNING o.terminal, o.incarnation, o.seq, o.enqueued, o.attempts, o.refusals
    )
    SELECT c.terminal, c.incarnation, c.seq, i.case_id, i.case_number, i.item, i.item_version, i.sha256,
           i.received_at_ms, c.attempts, c.refusals
    FROM claimed c
    JOIN inbox i ON i.terminal = c.terminal AND i.incarnation = c.incarnation AND i.seq = c.seq
    ORDER BY c.enqueued, c.terminal, c.incarnation, c.seq";

const CONTENT: &str = "
    SELECT i.terminal, i.incarnation, i.seq, i.case_id, i.kind, i.about, i.case_number, i.item, i.item_version,
           i.ciphertext, u.case_terminal, u.case_id
    FROM inbox i
    LEFT JOIN follow_up u ON u.terminal = i.terminal AND u.incarnation = i.incarnation AND u.seq = i.seq
    JOIN handling h ON h.terminal = i.terminal AND h.incarnation = i.incarnation AND h.seq = i.seq
    WHERE i.terminal = $1 AND i.incarnation = $2 AND i.seq = $3 AND h.erased_at_ms IS NULL";

const BLOBS: &str = "
    SELECT sha256, bytes FROM named_blob
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 AND aside = '' ORDER BY sha256";

const DELIVERED: &str = "
    WITH gone AS (
        DELETE FROM relay_outbox WHERE terminal = $1 AND incarnation = $2 AND seq = $3
        RETURNING terminal, incarnation, seq, department, attempts, enqueued
    ), kept AS (
        INSERT INTO relayed (terminal, incarnation, seq, department, attempts, enqueued, relayed_at_ms)
        SELECT terminal, incarnation, seq, coalesce(department, ''), attempts, enqueued, $4::bigint FROM gone
        ON CONFLICT DO NOTHING
    )
    SELECT seq FROM gone";

const AGAIN: &str = "
    UPDATE relay_outbox
    SET lease = NULL, leased_until = NULL, retry_at = now() + $5::double precision * interval '1 second',
        refusals = refusals + $6
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 AND lease = $4 AND state = 'routed'
    RETURNING seq";

const DEAD: &str = "
    UPDATE relay_outbox
    SET state = 'dead_letter', lease = NULL, leased_until = NULL, retry_at = NULL, number = NULL, reason_code = $5,
        reason_detail = $6, dead_at_ms = $7
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 AND lease = $4 AND state = 'routed'
    RETURNING seq";

const UNDELIVERED: &str = "
    SELECT o.terminal, o.incarnation, o.seq, i.case_id, i.case_number, i.item, i.item_version, i.sha256,
           i.received_at_ms, o.department, o.attempts, o.reason_code, o.reason_detail, o.dead_at_ms
    FROM relay_outbox o
    JOIN inbox i ON i.terminal = o.terminal AND i.incarnation = o.incarnation AND i.seq = o.seq
    WHERE o.state = 'dead_letter'
    ORDER BY o.enqueued, o.terminal, o.incarnation, o.seq LIMIT $1";

/// `$which` chooses the rows, which are locked in order of arrival.
macro_rules! put_back {
    ($which:literal) => {
        concat!(
            "WITH chosen AS (
                SELECT terminal, incarnation, seq FROM relay_outbox WHERE ", $which, "
                ORDER BY enqueued, terminal, incarnation, seq LIMIT $1 FOR UPDATE
            )
            UPDATE relay_outbox o
            SET state = 'unrouted', department = NULL, number = NULL, attempts = 0, refusals = 0, retry_at = NULL,
                lease = NULL, leased_until = NULL, reason_code = NULL, reason_detail = NULL, dead_at_ms = NULL
            FROM chosen c WHERE o.terminal = c.terminal AND o.incarnation = c.incarnation AND o.seq = c.seq"
        )
    };
}

const RELEASE_ONE: &str =
    put_back!("state = 'dead_letter' AND terminal = $2 AND incarnation = $3 AND seq = $4");

const RELEASE_ALL: &str = put_back!("state = 'dead_letter' AND reason_code = $2");

const TAKE_BACK: &str = put_back!("state = 'routed' AND NOT department = ANY($2)");

const COUNTS: &str =
    "SELECT department, state, count(*), min(enqueued) FROM relay_outbox GROUP BY department, state";

const END_LEASES: &str = "UPDATE relay_outbox SET lease = NULL, leased_until = NULL WHERE lease LIKE $1";

/// Ends the leases of a gateway: when it stops, and when it starts after it was killed.
pub(super) async fn end_leases(database: &Database, gateway: &str) -> Result<(), StoreError> {
    database.query(END_LEASES, &[&format!("{gateway}/%")]).await.map(|_| ())
}

async fn route(
    database: &Database,
    routes: &Routes,
    limit: usize,
    now_ms: i64,
) -> Result<Routed, StoreError> {
    database.query(OWE_LEFT_BEHIND, &[&most(limit)]).await?;
    let (mut items, mut names, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for (item, route) in &routes.items {
        items.push(plain(item));
        names.push(plain(&route.name));
        codes.push(route.code.as_deref());
    }
    let (others, unknown) = (&routes.others, UndeliveredReason::UnknownDepartment.code());
    let row = database
        .query_opt(
            ROUTE,
            &[&most(limit), &items, &names, &codes, &others.code, &others.name, &now_ms, &unknown],
        )
        .await?;
    let Some(row) = row else { return Ok(Routed::default()) };
    let count = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    Ok(Routed { routed: count(0)?, unknown: count(1)? })
}

async fn claim(
    database: &Database,
    gateway: &str,
    department: &str,
    limit: usize,
    lease: Duration,
) -> Result<Vec<Owed>, StoreError> {
    let name = format!("{gateway}/{}", uuid::Uuid::new_v4());
    let lasting = lease.min(LONGEST_WAIT).as_secs_f64();
    let rows = database.query(CLAIM, &[&department, &most(limit), &name, &lasting]).await?;
    rows.iter()
        .map(|row| {
            Ok(Owed {
                case: case(row)?,
                attempts: small(row, 9)?,
                refusals: small(row, 10)?,
                lease: name.clone(),
            })
        })
        .collect()
}

async fn content(database: &Database, at: &Place) -> Result<Option<OwedContent>, StoreError> {
    let Place { terminal, incarnation, seq } = at;
    let (incarnation, seq) = (plain(incarnation), position(*seq)?);
    let Some(row) = database.query_opt(CONTENT, &[terminal, &incarnation, &seq]).await? else {
        return Ok(None);
    };
    let blobs = database.query(BLOBS, &[terminal, &incarnation, &seq]).await?;
    let blobs = blobs
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.unsigned_abs())))
        .collect::<Result<_, StoreError>>()?;
    let about: (Option<String>, Option<String>) = (row.try_get(10)?, row.try_get(11)?);
    let about = about.0.zip(about.1).map(|(terminal, case_id)| CaseKey { terminal, case_id });
    Ok(Some(OwedContent { record: claimed(&row)?, blobs, about }))
}

async fn settle(database: &Database, settlement: &Settlement) -> Result<u64, StoreError> {
    let Settlement { place: Place { terminal, incarnation, seq }, lease, fate } = settlement;
    let (incarnation, seq) = (plain(incarnation), position(*seq)?);
    let rows = match fate {
        Fate::Delivered(at_ms) => database.query(DELIVERED, &[terminal, &incarnation, &seq, at_ms]).await?,
        Fate::Again { after, refused } => {
            let (after, refused) = ((*after).min(LONGEST_WAIT).as_secs_f64(), i64::from(*refused));
            database.query(AGAIN, &[terminal, &incarnation, &seq, lease, &after, &refused]).await?
        }
        Fate::Dead { reason, detail, at_ms } => {
            let detail = detail.as_deref().map(plain);
            database
                .query(DEAD, &[terminal, &incarnation, &seq, lease, &reason.code(), &detail, at_ms])
                .await?
        }
    };
    Ok(rows.len() as u64)
}

async fn undelivered(database: &Database, limit: usize) -> Result<Vec<Undelivered>, StoreError> {
    let rows = database.query(UNDELIVERED, &[&most(limit)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Undelivered {
                case: case(row)?,
                department: row.try_get(9)?,
                attempts: small(row, 10)?,
                reason: UndeliveredReason::from_code(row.try_get(11)?).ok_or_else(unknown)?,
                detail: row.try_get(12)?,
                dead_at_ms: row.try_get(13)?,
            })
        })
        .collect()
}

async fn release(database: &Database, which: &Release, entry: AuditEntry) -> Result<u64, StoreError> {
    let work = database.begin().await?;
    let count = match which {
        Release::One(Place { terminal, incarnation, seq }) => {
            let (incarnation, seq) = (plain(incarnation), position(*seq)?);
            work.execute(RELEASE_ONE, &[&1_i64, terminal, &incarnation, &seq]).await?
        }
        Release::All(reason) => work.execute(RELEASE_ALL, &[&MOST_RELEASED, &reason.code()]).await?,
    };
    if count > 0 {
        audit::append(&work, vec![entry]).await?;
    }
    work.commit().await?;
    Ok(count)
}

async fn keep_departments(database: &Database, known: &[String]) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let work = database.begin().await?;
        let count = work.execute(TAKE_BACK, &[&MOST_RELEASED, &known]).await?;
        work.commit().await?;
        all += count;
        if count < MOST_RELEASED.unsigned_abs() {
            return Ok(all);
        }
    }
}

async fn counts(database: &Database) -> Result<Vec<RelayCount>, StoreError> {
    let rows = database.query(COUNTS, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(RelayCount {
                department: row.try_get(0)?,
                state: RelayState::from_code(row.try_get(1)?).ok_or_else(unknown)?,
                cases: row.try_get::<_, i64>(2)?.unsigned_abs(),
                oldest_ms: row.try_get(3)?,
            })
        })
        .collect()
}

/// A case in the first columns of a row.
fn case(row: &Row) -> Result<OwedCase, StoreError> {
    Ok(OwedCase {
        place: place(row, 0)?,
        case_id: row.try_get(3)?,
        case_number: row.try_get(4)?,
        item: row.try_get(5)?,
        item_version: small(row, 6)?,
        sha256: row.try_get(7)?,
        received_at_ms: row.try_get(8)?,
    })
}

fn small(row: &Row, at: usize) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.try_get::<_, i64>(at)?).unwrap_or(u32::MAX))
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl RelayStore for PostgresStore {
    fn route(&self, routes: Arc<Routes>, limit: usize, now_ms: i64) -> Reply<'_, Routed> {
        Box::pin(async move { route(&self.database, &routes, limit, now_ms).await })
    }

    fn keep_departments(&self, departments: Vec<String>) -> Reply<'_, u64> {
        Box::pin(async move { keep_departments(&self.database, &departments).await })
    }

    fn claim_owed<'a>(&'a self, department: &'a str, limit: usize, lease: Duration) -> Reply<'a, Vec<Owed>> {
        Box::pin(claim(&self.database, self.leases.gateway(), department, limit, lease))
    }

    fn owed_content<'a>(&'a self, place: &'a Place) -> Reply<'a, Option<OwedContent>> {
        Box::pin(content(&self.database, place))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> Reply<'_, u64> {
        Box::pin(async move {
            let mut count = 0;
            for settlement in &settlements {
                count += settle(&self.database, settlement).await?;
            }
            Ok(count)
        })
    }

    fn list_owed<'a>(&'a self, department: &'a str, limit: usize) -> Reply<'a, u64> {
        Box::pin(feed::list(&self.database, department, limit))
    }

    fn feed<'a>(&'a self, department: &'a str, after: i64, limit: usize) -> Reply<'a, Vec<Listed>> {
        Box::pin(feed::after(&self.database, department, after, limit))
    }

    fn acknowledge<'a>(&'a self, department: &'a str, up_to: i64, now_ms: i64) -> Reply<'a, u64> {
        Box::pin(feed::acknowledge(&self.database, department, up_to, now_ms))
    }

    fn withdraw<'a>(
        &'a self,
        department: &'a str,
        numbers: Vec<i64>,
        reason: UndeliveredReason,
        now_ms: i64,
    ) -> Reply<'a, u64> {
        Box::pin(feed::withdraw(&self.database, department, numbers, reason, now_ms))
    }

    fn undelivered(&self, limit: usize) -> Reply<'_, Vec<Undelivered>> {
        Box::pin(undelivered(&self.database, limit))
    }

    fn release(&self, which: Release, entry: AuditEntry) -> Reply<'_, u64> {
        Box::pin(async move { release(&self.database, &which, entry).await })
    }

    fn relay_counts(&self) -> Reply<'_, Vec<RelayCount>> {
        Box::pin(counts(&self.database))
    }
}
