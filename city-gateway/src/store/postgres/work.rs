//! The opener's work: claimed under a lease that lies in the database, because several gateway processes
//! share it, and ends by the database's clock, because theirs may differ.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_postgres::Row;

use super::accept::position;
use super::database::{Database, plain};
use super::desk::follow_ups::{self, Joining};
use super::read::{kind, place};
use crate::store::{Claimed, DeadLetterReason, Decision, MaskedPerson, Outcome, Place, StoreError};

const CLAIM: &str = "
    WITH free AS (
        SELECT terminal, incarnation, seq FROM handling
        WHERE state = 'received' AND (leased_until IS NULL OR leased_until <= now())
        ORDER BY received_at_ms, terminal, incarnation, seq LIMIT $1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE handling h SET lease = $2, leased_until = now() + $3::double precision * interval '1 second'
        FROM free f WHERE h.terminal = f.terminal AND h.incarnation = f.incarnation AND h.seq = f.seq
        RETURNING h.terminal, h.incarnation, h.seq
    )
    SELECT i.terminal, i.incarnation, i.seq, i.case_id, i.kind, i.about, i.case_number, i.item, i.item_version,
           i.ciphertext
    FROM claimed c
    JOIN inbox i ON i.terminal = c.terminal AND i.incarnation = c.incarnation AND i.seq = c.seq
    ORDER BY i.received_at_ms, i.terminal, i.incarnation, i.seq";

/// Only what has no outcome gets one: the first stays. A case that was opened is before review from then on, and owed to
/// a department. Locked in the order in which pages number rows.
const DECIDE: &str = "
    WITH decided AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                             $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[])
            AS d (terminal, incarnation, seq, state, reason_code, reason_detail, person_name, person_number,
                  person_phone, summary, decided_at_ms)
    ), locked AS (
        SELECT h.terminal, h.incarnation, h.seq
        FROM handling h JOIN decided d
            ON h.terminal = d.terminal AND h.incarnation = d.incarnation AND h.seq = d.seq
        WHERE h.state = 'received'
        ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq FOR UPDATE OF h
    ), settled AS (
        UPDATE handling h
        SET state = d.state, reason_code = d.reason_code, reason_detail = d.reason_detail,
            person_name = d.person_name, person_number = d.person_number, person_phone = d.person_phone,
            summary = d.summary, decided_at_ms = d.decided_at_ms, lease = NULL, leased_until = NULL,
            to_owe = CASE WHEN d.state <> 'opened' THEN h.to_owe END,
            case_item = CASE WHEN d.state = 'opened' AND i.kind = 'case' THEN i.item END,
            case_state = CASE WHEN d.state = 'opened' AND i.kind = 'case' THEN 'pre_review' END,
            case_version = CASE WHEN d.state = 'opened' AND i.kind = 'case' THEN 0 END,
            case_changed_at_ms = CASE WHEN d.state = 'opened' AND i.kind = 'case' THEN d.decided_at_ms END
        FROM locked l JOIN decided d
            ON l.terminal = d.terminal AND l.incarnation = d.incarnation AND l.seq = d.seq
        JOIN inbox i ON i.terminal = l.terminal AND i.incarnation = l.incarnation AND i.seq = l.seq
        WHERE h.terminal = l.terminal AND h.incarnation = l.incarnation AND h.seq = l.seq
          AND h.state = 'received'
        RETURNING h.terminal, h.incarnation, h.seq, h.received_at_ms, h.case_state
    )
    INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
    SELECT terminal, incarnation, seq, received_at_ms FROM settled WHERE case_state IS NOT NULL
    ON CONFLICT DO NOTHING";

/// One whose content was deleted by rule has nothing left to try.
const RETRY: &str = "
    WITH dead AS (
        SELECT terminal, incarnation, seq FROM handling
        WHERE state = 'dead_letter' AND reason_code = $1 AND erased_at_ms IS NULL
        ORDER BY received_at_ms, terminal, incarnation, seq FOR UPDATE
    ), again AS (
        UPDATE handling h
        SET state = 'received', reason_code = NULL, reason_detail = NULL, decided_at_ms = NULL
        FROM dead d WHERE h.terminal = d.terminal AND h.incarnation = d.incarnation AND h.seq = d.seq
        RETURNING h.seq
    )
    SELECT count(*) FROM again";

const RELEASE: &str = "
    WITH held AS (
        SELECT terminal, incarnation, seq FROM handling WHERE state = 'received' AND lease LIKE $1
        ORDER BY received_at_ms, terminal, incarnation, seq FOR UPDATE
    )
    UPDATE handling h SET lease = NULL, leased_until = NULL
    FROM held WHERE h.terminal = held.terminal AND h.incarnation = held.incarnation AND h.seq = held.seq";

/// The leases of one gateway: each claim has a name of its own, behind the name of the gateway.
pub(super) struct Leases {
    gateway: String,
    claims: AtomicU64,
    /// Claims whose answer was lost with the connection: perhaps made, certainly handed to nobody.
    lost: Mutex<Vec<String>>,
}

impl Leases {
    /// Leases of the gateway with this name.
    pub(super) fn of(gateway: String) -> Self {
        Self { gateway, claims: AtomicU64::default(), lost: Mutex::default() }
    }

    /// Name of the gateway.
    pub(super) fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Takes the oldest records without an outcome that nobody holds.
    pub(super) async fn claim(
        &self,
        database: &Database,
        limit: usize,
        lasting: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        loop {
            let last = self.lost().last().cloned();
            let Some(lost) = last else { break };
            release(database, &lost).await?;
            self.lost().retain(|lease| *lease != lost);
        }
        let lease = format!("{}/{}", self.gateway, self.claims.fetch_add(1, Ordering::Relaxed));
        let claimed = claim(database, &lease, limit, lasting).await;
        if let Err(StoreError::Unreachable(_)) = claimed {
            self.lost().push(lease);
        }
        claimed
    }

    /// Ends the leases of this gateway: when it stops, and when it starts after it was killed.
    pub(super) async fn release_all(&self, database: &Database) -> Result<(), StoreError> {
        release(database, &format!("{}/%", self.gateway)).await
    }

    #[cfg(test)]
    pub(super) fn lost_names(&self) -> Vec<String> {
        self.lost().clone()
    }

    /// A panic while the lock was held leaves nothing half done here.
    fn lost(&self) -> MutexGuard<'_, Vec<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn claim(
    database: &Database,
    lease: &str,
    limit: usize,
    lasting: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = database.query(CLAIM, &[&limit, &lease, &lasting.as_secs_f64()]).await?;
    rows.iter().map(claimed).collect()
}

/// A record with its sealed content, in the order of the columns of [`CLAIM`].
pub(super) fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        place: place(row, 0)?,
        case_id: row.try_get(3)?,
        kind: kind(row, 4)?,
        about: row.try_get(5)?,
        case_number: row.try_get(6)?,
        item: row.try_get(7)?,
        item_version: u32::try_from(row.try_get::<_, i64>(8)?).unwrap_or(u32::MAX),
        ciphertext: row.try_get(9)?,
    })
}

/// Writes down what the opener found.
pub(super) async fn decide(database: &Database, decisions: Vec<Decision>) -> Result<(), StoreError> {
    let mut columns = Columns::default();
    let mut seen = HashSet::new();
    let mut following = Vec::new();
    for Decision { place, outcome, decided_at_ms } in decisions {
        match outcome {
            Outcome::Follows { .. } => following.push((place, outcome, decided_at_ms)),
            outcome => columns.add(&place, outcome, decided_at_ms, &mut seen)?,
        }
    }
    if !columns.terminal.is_empty() {
        settle(database, &columns).await?;
    }
    for (place, outcome, at_ms) in &following {
        if let Outcome::Follows { follows, case, person, summary } = outcome {
            let joining = Joining { place, follows: *follows, case, person, summary, at_ms: *at_ms };
            follow_ups::join(database, &joining).await?;
        }
    }
    Ok(())
}

async fn settle(database: &Database, columns: &Columns) -> Result<(), StoreError> {
    let c = columns;
    database
        .query(
            DECIDE,
            &[
                &c.terminal,
                &c.incarnation,
                &c.seq,
                &c.state,
                &c.reason_code,
                &c.reason_detail,
                &c.person_name,
                &c.person_number,
                &c.person_phone,
                &c.summary,
                &c.decided_at_ms,
            ],
        )
        .await
        .map(|_| ())
}

/// Puts dead letters back on the list.
pub(super) async fn retry(database: &Database, reason: DeadLetterReason) -> Result<u64, StoreError> {
    let row = database.query_opt(RETRY, &[&reason.code()]).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}

/// Ends leases, so that nobody need wait for their time.
async fn release(database: &Database, like: &str) -> Result<(), StoreError> {
    database.query(RELEASE, &[&like]).await.map(|_| ())
}

/// The decisions turned on their side: one array for each column.
#[derive(Default)]
struct Columns {
    terminal: Vec<String>,
    incarnation: Vec<String>,
    seq: Vec<i64>,
    state: Vec<&'static str>,
    reason_code: Vec<Option<&'static str>>,
    reason_detail: Vec<Option<String>>,
    person_name: Vec<Option<String>>,
    person_number: Vec<Option<String>>,
    person_phone: Vec<Option<String>>,
    summary: Vec<Option<String>>,
    decided_at_ms: Vec<i64>,
}

impl Columns {
    fn add(
        &mut self,
        place: &Place,
        outcome: Outcome,
        decided_at_ms: i64,
        seen: &mut HashSet<Place>,
    ) -> Result<(), StoreError> {
        if !seen.insert(place.clone()) {
            return Ok(());
        }
        self.terminal.push(place.terminal.clone());
        self.incarnation.push(place.incarnation.clone());
        self.seq.push(position(place.seq)?);
        let nobody = MaskedPerson::default();
        let (state, reason, detail, person, summary) = match outcome {
            Outcome::Opened { person, summary } => {
                ("opened", None, None, person.unwrap_or(nobody), Some(summary))
            }
            // Each of these is a transaction of its own.
            Outcome::Follows { .. } => return Ok(()),
            Outcome::DeadLetter { reason, detail } => {
                ("dead_letter", Some(reason.code()), detail, nobody, None)
            }
        };
        let text = |text: Option<String>| text.map(|text| plain(&text).into_owned());
        self.state.push(state);
        self.reason_code.push(reason);
        self.reason_detail.push(text(detail));
        self.person_name.push(text(person.name));
        self.person_number.push(text(person.number));
        self.person_phone.push(text(person.phone));
        self.summary.push(text(summary));
        self.decided_at_ms.push(decided_at_ms);
        Ok(())
    }
}
