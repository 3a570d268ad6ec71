//! What departments are owed, in the embedded store. The one writer is the lock; leases lie in the file only so that
//! they are told apart, and end with the process.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::SqliteStore;
use super::desk::audit;
use super::read;
use super::statements::position;
use crate::store::desk::{AuditEntry, CaseKey};
use crate::store::relay::{
    Fate, LONGEST_WAIT, Listed, Owed, OwedCase, OwedContent, RelayCount, RelayState, RelayStore, Release,
    Routed, Routes, Settlement, Undelivered, UndeliveredReason,
};
use crate::store::{Place, Reply};
use crate::terminals::now_ms;

/// Dead letters released in one go.
const MOST_RELEASED: i64 = 1000;

/// Cases acknowledged in one go: records that arrive do not wait for more.
const STEP: u64 = 500;

const CASE: &str = "
    o.terminal, o.incarnation, o.seq, i.case_id, i.case_number, i.item, i.item_version, i.sha256, i.received_at_ms";

const INBOX: &str = "
    JOIN inbox i ON i.terminal = o.terminal AND i.incarnation = o.incarnation AND i.seq = o.seq";

/// Ends all leases: whoever held one was this store's process before.
pub(super) fn end_leases(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE relay_outbox SET lease = NULL, leased_until_ms = NULL WHERE lease IS NOT NULL", [])
        .map(|_| ())
}

fn route(
    transaction: &Transaction<'_>,
    routes: &Routes,
    limit: usize,
    now_ms: i64,
) -> rusqlite::Result<Routed> {
    let opened: Vec<(Place, String)> = transaction
        .prepare_cached(&format!(
            "SELECT o.terminal, o.incarnation, o.seq, ifnull(c.item, i.item) FROM relay_outbox o {INBOX}
             JOIN outcome f ON f.id = i.id AND f.state = 'opened'
             LEFT JOIN follow_up u ON u.id = i.id
             LEFT JOIN inbox c ON c.terminal = u.case_terminal AND c.case_id = u.case_id
             WHERE o.state = 'unrouted'
             ORDER BY o.enqueued, o.terminal, o.incarnation, o.seq LIMIT ?1"
        ))?
        .query_map([most(limit)], |row| Ok((read::place(row, 0)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut done = Routed::default();
    for (place, item) in opened {
        let route = routes.of(&item);
        let (state, reason, detail, dead_at_ms) = match &route.code {
            Some(_) => (RelayState::Routed, None, None, None),
            None => {
                let reason = UndeliveredReason::UnknownDepartment.code();
                (RelayState::DeadLetter, Some(reason), Some(&route.name), Some(now_ms))
            }
        };
        let Place { terminal, incarnation, seq } = &place;
        transaction
            .prepare_cached(
                "UPDATE relay_outbox SET state = ?4, department = ?5, reason_code = ?6, reason_detail = ?7,
                                         dead_at_ms = ?8
                 WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3",
            )?
            .execute(params![
                terminal,
                incarnation,
                position(*seq)?,
                state.code(),
                route.code,
                reason,
                detail,
                dead_at_ms
            ])?;
        if route.code.is_some() { done.routed += 1 } else { done.unknown += 1 }
    }
    Ok(done)
}

fn claim(
    transaction: &Transaction<'_>,
    department: &str,
    limit: usize,
    lease: Duration,
    name: &str,
) -> rusqlite::Result<Vec<Owed>> {
    let (now, longest) = (now_ms(), ms(LONGEST_WAIT));
    let mut owed: Vec<Owed> = transaction
        .prepare_cached(&format!(
            "SELECT {CASE}, o.attempts, o.refusals FROM relay_outbox o {INBOX}
             WHERE o.state = 'routed' AND o.department = ?1
               AND (o.leased_until_ms IS NULL OR o.leased_until_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3)
               AND (o.retry_at_ms IS NULL OR o.retry_at_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3)
             ORDER BY o.enqueued, o.terminal, o.incarnation, o.seq LIMIT ?4"
        ))?
        .query_map(params![department, now, longest, most(limit)], |row| {
            Ok(Owed {
                case: case(row, 0)?,
                attempts: row.get::<_, u32>(9)?.saturating_add(1),
                refusals: row.get(10)?,
                lease: String::new(),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let until = now.saturating_add(ms(lease.min(LONGEST_WAIT)));
    for one in &mut owed {
        let Place { terminal, incarnation, seq } = &one.case.place;
        transaction
            .prepare_cached(
                "UPDATE relay_outbox SET lease = ?4, leased_until_ms = ?5, attempts = ?6
                 WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3",
            )?
            .execute(params![terminal, incarnation, position(*seq)?, name, until, one.attempts])?;
        one.lease = name.to_owned();
    }
    Ok(owed)
}

fn content(connection: &Connection, place: &Place) -> rusqlite::Result<Option<OwedContent>> {
    let id: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM inbox WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3
             AND id NOT IN (SELECT id FROM erased)",
        )?
        .query_row(params![place.terminal, place.incarnation, position(place.seq)?], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(None) };
    let blobs = connection
        .prepare_cached("SELECT sha256, bytes FROM named_blob WHERE record = ?1 ORDER BY sha256")?
        .query_map([id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
        .collect::<rusqlite::Result<_>>()?;
    let about = connection
        .prepare_cached("SELECT case_terminal, case_id FROM follow_up WHERE id = ?1")?
        .query_row([id], |row| Ok(CaseKey { terminal: row.get(0)?, case_id: row.get(1)? }))
        .optional()?;
    Ok(Some(OwedContent { record: read::claimed(connection, id)?, blobs, about }))
}

fn settle(transaction: &Transaction<'_>, settlement: &Settlement) -> rusqlite::Result<usize> {
    let Settlement { place: Place { terminal, incarnation, seq }, lease, fate } = settlement;
    let seq = position(*seq)?;
    match fate {
        Fate::Delivered(at_ms) => {
            move_away(transaction, terminal, incarnation, seq, *at_ms)
        }
        Fate::Again { after, refused } => {
            let at = now_ms().saturating_add(ms((*after).min(LONGEST_WAIT)));
            transaction
                .prepare_cached(
                    "UPDATE relay_outbox
                     SET lease = NULL, leased_until_ms = NULL, retry_at_ms = ?5, refusals = refusals + ?6
                     WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3 AND lease = ?4 AND state = 'routed'",
                )?
                .execute(params![terminal, incarnation, seq, lease, at, i64::from(*refused)])
        }
        Fate::Dead { reason, detail, at_ms } => transaction
            .prepare_cached(
                "UPDATE relay_outbox
                 SET state = 'dead_letter', lease = NULL, leased_until_ms = NULL, retry_at_ms = NULL, number = NULL,
                     reason_code = ?5, reason_detail = ?6, dead_at_ms = ?7
                 WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3 AND lease = ?4 AND state = 'routed'",
            )?
            .execute(params![terminal, incarnation, seq, lease, reason.code(), detail, at_ms]),
    }
}

/// From what is owed to what is done.
fn move_away(
    transaction: &Transaction<'_>,
    terminal: &str,
    incarnation: &str,
    seq: i64,
    at_ms: i64,
) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "INSERT INTO relayed (terminal, incarnation, seq, department, attempts, enqueued, relayed_at_ms)
             SELECT terminal, incarnation, seq, ifnull(department, ''), attempts, enqueued, ?4 FROM relay_outbox
             WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3 ON CONFLICT DO NOTHING",
        )?
        .execute(params![terminal, incarnation, seq, at_ms])?;
    transaction
        .prepare_cached("DELETE FROM relay_outbox WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3")?
        .execute(params![terminal, incarnation, seq])
}

fn list(transaction: &Transaction<'_>, department: &str, limit: usize) -> rusqlite::Result<u64> {
    let last: Option<i64> = transaction
        .prepare_cached("SELECT numbered FROM relay_feed_head WHERE department = ?1")?
        .query_row([department], |row| row.get(0))
        .optional()?;
    let mut last = last.unwrap_or(0);
    let fresh: Vec<Place> = transaction
        .prepare_cached(
            "SELECT terminal, incarnation, seq FROM relay_outbox
             WHERE state = 'routed' AND department = ?1 AND number IS NULL
             ORDER BY enqueued, terminal, incarnation, seq LIMIT ?2",
        )?
        .query_map(params![department, most(limit)], |row| read::place(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    for Place { terminal, incarnation, seq } in &fresh {
        last += 1;
        transaction
            .prepare_cached(
                "UPDATE relay_outbox SET number = ?4 WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3",
            )?
            .execute(params![terminal, incarnation, position(*seq)?, last])?;
    }
    if !fresh.is_empty() {
        transaction
            .prepare_cached(
                "INSERT INTO relay_feed_head (department, numbered) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET numbered = excluded.numbered",
            )?
            .execute(params![department, last])?;
    }
    Ok(fresh.len() as u64)
}

fn feed(
    connection: &Connection,
    department: &str,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Listed>> {
    connection
        .prepare_cached(&format!(
            "SELECT {CASE}, o.number, length(i.ciphertext) FROM relay_outbox o {INBOX}
             WHERE o.state = 'routed' AND o.department = ?1 AND o.number > ?2 ORDER BY o.number LIMIT ?3"
        ))?
        .query_map(params![department, after, most(limit)], |row| {
            let bytes = row.get::<_, i64>(10)?.unsigned_abs();
            Ok(Listed { case: case(row, 0)?, number: row.get(9)?, bytes })
        })?
        .collect()
}

fn acknowledge(
    transaction: &Transaction<'_>,
    department: &str,
    up_to: i64,
    now_ms: i64,
) -> rusqlite::Result<u64> {
    let taken: Vec<Place> = transaction
        .prepare_cached(
            "SELECT terminal, incarnation, seq FROM relay_outbox
             WHERE state = 'routed' AND department = ?1 AND number <= ?2 ORDER BY number LIMIT ?3",
        )?
        .query_map(params![department, up_to, STEP as i64], |row| read::place(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    for Place { terminal, incarnation, seq } in &taken {
        move_away(transaction, terminal, incarnation, position(*seq)?, now_ms)?;
    }
    Ok(taken.len() as u64)
}

fn withdraw(
    transaction: &Transaction<'_>,
    department: &str,
    numbers: &[i64],
    reason: UndeliveredReason,
    now_ms: i64,
) -> rusqlite::Result<u64> {
    let mut count = 0;
    for number in numbers {
        count += transaction
            .prepare_cached(
                "UPDATE relay_outbox SET state = 'dead_letter', number = NULL, reason_code = ?3, dead_at_ms = ?4
                 WHERE state = 'routed' AND department = ?1 AND number = ?2",
            )?
            .execute(params![department, number, reason.code(), now_ms])?;
    }
    Ok(count as u64)
}

fn undelivered(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Undelivered>> {
    connection
        .prepare_cached(&format!(
            "SELECT {CASE}, o.department, o.attempts, o.reason_code, o.reason_detail, o.dead_at_ms
             FROM relay_outbox o {INBOX} WHERE o.state = 'dead_letter'
             ORDER BY o.enqueued, o.terminal, o.incarnation, o.seq LIMIT ?1"
        ))?
        .query_map([most(limit)], |row| {
            Ok(Undelivered {
                case: case(row, 0)?,
                department: row.get(9)?,
                attempts: row.get(10)?,
                reason: known(UndeliveredReason::from_code(row.get_ref(11)?.as_str()?))?,
                detail: row.get(12)?,
                dead_at_ms: row.get(13)?,
            })
        })?
        .collect()
}

const RELEASED: &str = "
    state = 'unrouted', department = NULL, number = NULL, attempts = 0, refusals = 0, retry_at_ms = NULL, lease = NULL,
    leased_until_ms = NULL, reason_code = NULL, reason_detail = NULL, dead_at_ms = NULL";

fn release(transaction: &Transaction<'_>, which: &Release, entry: &AuditEntry) -> rusqlite::Result<u64> {
    let count = match which {
        Release::One(Place { terminal, incarnation, seq }) => transaction
            .prepare_cached(&format!(
                "UPDATE relay_outbox SET {RELEASED}
                 WHERE terminal = ?1 AND incarnation = ?2 AND seq = ?3 AND state = 'dead_letter'"
            ))?
            .execute(params![terminal, incarnation, position(*seq)?])?,
        Release::All(reason) => transaction
            .prepare_cached(&format!(
                "UPDATE relay_outbox SET {RELEASED} WHERE (terminal, incarnation, seq) IN (
                     SELECT terminal, incarnation, seq FROM relay_outbox
                     WHERE state = 'dead_letter' AND reason_code = ?1
                     ORDER BY enqueued, terminal, incarnation, seq LIMIT ?2)"
            ))?
            .execute(params![reason.code(), MOST_RELEASED])?,
    };
    if count > 0 {
        audit::append(transaction, entry)?;
    }
    Ok(count as u64)
}

fn counts(connection: &Connection) -> rusqlite::Result<Vec<RelayCount>> {
    connection
        .prepare_cached(
            "SELECT department, state, count(*), min(enqueued) FROM relay_outbox GROUP BY department, state",
        )?
        .query_map([], |row| {
            Ok(RelayCount {
                department: row.get(0)?,
                state: known(RelayState::from_code(row.get_ref(1)?.as_str()?))?,
                cases: row.get::<_, i64>(2)?.unsigned_abs(),
                oldest_ms: row.get(3)?,
            })
        })?
        .collect()
}

fn case(row: &Row<'_>, at: usize) -> rusqlite::Result<OwedCase> {
    Ok(OwedCase {
        place: read::place(row, at)?,
        case_id: row.get(at + 3)?,
        case_number: row.get(at + 4)?,
        item: row.get(at + 5)?,
        item_version: row.get(at + 6)?,
        sha256: row.get(at + 7)?,
        received_at_ms: row.get(at + 8)?,
    })
}

fn known<T>(word: Option<T>) -> rusqlite::Result<T> {
    word.ok_or(rusqlite::Error::InvalidQuery)
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl RelayStore for SqliteStore {
    fn route(&self, routes: Arc<Routes>, limit: usize, now_ms: i64) -> Reply<'_, Routed> {
        Box::pin(self.work(move |transaction| route(transaction, &routes, limit, now_ms)))
    }

    fn keep_departments(&self, departments: Vec<String>) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| {
            let listed = serde_json::to_string(&departments).unwrap_or_default();
            let sql = format!(
                "UPDATE relay_outbox SET {RELEASED} WHERE state = 'routed'
                 AND department NOT IN (SELECT value FROM json_each(?1))"
            );
            transaction.execute(&sql, [listed]).map(|count| count as u64)
        }))
    }

    fn claim_owed<'a>(&'a self, department: &'a str, limit: usize, lease: Duration) -> Reply<'a, Vec<Owed>> {
        let (department, name) = (department.to_owned(), uuid::Uuid::new_v4().to_string());
        Box::pin(self.work(move |transaction| claim(transaction, &department, limit, lease, &name)))
    }

    fn owed_content<'a>(&'a self, place: &'a Place) -> Reply<'a, Option<OwedContent>> {
        let place = place.clone();
        Box::pin(self.read(move |_, connection| content(connection, &place)))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| {
            settlements.iter().try_fold(0, |count, one| Ok(count + settle(transaction, one)? as u64))
        }))
    }

    fn list_owed<'a>(&'a self, department: &'a str, limit: usize) -> Reply<'a, u64> {
        let department = department.to_owned();
        Box::pin(self.work(move |transaction| list(transaction, &department, limit)))
    }

    fn feed<'a>(&'a self, department: &'a str, after: i64, limit: usize) -> Reply<'a, Vec<Listed>> {
        let department = department.to_owned();
        Box::pin(self.read(move |_, connection| feed(connection, &department, after, limit)))
    }

    fn acknowledge<'a>(&'a self, department: &'a str, up_to: i64, now_ms: i64) -> Reply<'a, u64> {
        let department = department.to_owned();
        Box::pin(async move {
            let mut all = 0;
            loop {
                let of = department.clone();
                let count =
                    self.work(move |transaction| acknowledge(transaction, &of, up_to, now_ms)).await?;
                all += count;
                if count < STEP {
                    return Ok(all);
                }
            }
        })
    }

    fn withdraw<'a>(
        &'a self,
        department: &'a str,
        numbers: Vec<i64>,
        reason: UndeliveredReason,
        now_ms: i64,
    ) -> Reply<'a, u64> {
        let department = department.to_owned();
        Box::pin(self.work(move |transaction| withdraw(transaction, &department, &numbers, reason, now_ms)))
    }

    fn undelivered(&self, limit: usize) -> Reply<'_, Vec<Undelivered>> {
        Box::pin(self.read(move |_, connection| undelivered(connection, limit)))
    }

    fn release(&self, which: Release, entry: AuditEntry) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| release(transaction, &which, &entry)))
    }

    fn relay_counts(&self) -> Reply<'_, Vec<RelayCount>> {
        Box::pin(self.read(|_, connection| counts(connection)))
    }
}
