//! What followed cases, in PostgreSQL. The rows of the record and of its case are locked in the order in which pages
//! number them, so that nobody waits for another in a circle.

use service_catalog::FollowUp;
use tokio_postgres::Row;

use super::audit;
use super::cases::{make_step, state};
use crate::store::desk::{CaseKey, CaseState, CaseStep, ErasureRule};
use crate::store::follow_up::{self, FollowUpRow, MOST_NAMED, NamedCase, RESIDENT};
use crate::store::postgres::accept::position;
use crate::store::postgres::database::{Database, plain};
use crate::store::postgres::read::unknown;
use crate::store::{DeadLetterReason, MaskedPerson, Place, StoreError};

macro_rules! row {
    ($rest:literal) => {
        concat!(
            "SELECT i.terminal, i.case_id, i.case_number, i.item, i.sha256, i.received_at_ms,
                    h.person_name, h.person_number, h.person_phone, f.follows, f.case_terminal, f.case_id,
                    c.case_number, c.item, f.at_ms, f.state, f.step,
                    (SELECT count(*) FROM named_blob b WHERE b.terminal = f.terminal AND b.incarnation = f.incarnation
                     AND b.seq = f.seq AND b.aside = ''), h.erased_at_ms, h.erased_rule
             FROM follow_up f
             JOIN inbox i ON i.terminal = f.terminal AND i.incarnation = f.incarnation AND i.seq = f.seq
             JOIN handling h ON h.terminal = f.terminal AND h.incarnation = f.incarnation AND h.seq = f.seq
             JOIN inbox c ON c.terminal = f.case_terminal AND c.case_id = f.case_id ",
            $rest
        )
    };
}

const OF: &str =
    row!("WHERE f.case_terminal = $1 AND f.case_id = $2 ORDER BY f.at_ms, f.terminal, f.incarnation, f.seq");

const ONE: &str = row!("WHERE i.terminal = $1 AND i.case_id = $2");

const NAMED: &str = "
    SELECT i.verification, i.terminal, i.case_id FROM inbox i
    JOIN handling h ON h.terminal = i.terminal AND h.incarnation = i.incarnation AND h.seq = i.seq
    WHERE i.kind = 'case' AND i.case_number = $1 AND h.case_state IS NOT NULL
    UNION ALL
    SELECT i.verification, f.case_terminal, f.case_id FROM inbox i
    JOIN follow_up f ON f.terminal = i.terminal AND f.incarnation = i.incarnation AND f.seq = i.seq
    WHERE i.kind = 'case' AND i.case_number = $1
    LIMIT $2";

/// Of what waits, that whose case was opened since.
const RETRY: &str = "
    WITH ready AS (
        SELECT h.terminal, h.incarnation, h.seq FROM handling h
        WHERE h.state = 'dead_letter' AND h.reason_code = $1 AND h.erased_at_ms IS NULL
          AND EXISTS (
              SELECT 1 FROM inbox i
              JOIN handling o ON o.terminal = i.terminal AND o.incarnation = i.incarnation AND o.seq = i.seq
              WHERE i.kind = 'case' AND i.case_number = h.reason_detail AND o.state = 'opened')
        ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq FOR UPDATE OF h SKIP LOCKED
    ), again AS (
        UPDATE handling h
        SET state = 'received', reason_code = NULL, reason_detail = NULL, decided_at_ms = NULL
        FROM ready r WHERE h.terminal = r.terminal AND h.incarnation = r.incarnation AND h.seq = r.seq
        RETURNING h.seq
    )
    SELECT count(*) FROM again";

const LOCK: &str = "
    SELECT h.terminal, h.incarnation, h.seq, h.state, h.case_state, h.case_version FROM handling h
    WHERE (h.terminal, h.incarnation, h.seq) IN (
        SELECT $1::text, $2::text, $3::bigint
        UNION ALL SELECT terminal, incarnation, seq FROM inbox WHERE terminal = $4 AND case_id = $5)
    ORDER BY h.received_at_ms, h.terminal, h.incarnation, h.seq FOR UPDATE OF h";

const OPENED: &str = "
    UPDATE handling
    SET state = 'opened', person_name = $4, person_number = $5, person_phone = $6, summary = $7, decided_at_ms = $8,
        lease = NULL, leased_until = NULL, to_owe = NULL
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3";

const OWE: &str = "
    INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
    SELECT terminal, incarnation, seq, received_at_ms FROM inbox
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 ON CONFLICT DO NOTHING";

const BEFORE: &str = "
    SELECT from_state FROM case_step WHERE terminal = $1 AND case_id = $2 AND version = $3";

const JOIN: &str = "
    INSERT INTO follow_up (terminal, incarnation, seq, case_terminal, case_id, follows, at_ms, state, step)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What followed a case, oldest first.
pub(in crate::store::postgres) async fn of(
    database: &Database,
    case: &CaseKey,
) -> Result<Vec<FollowUpRow>, StoreError> {
    let rows = database.query(OF, &[&plain(&case.terminal), &plain(&case.case_id)]).await?;
    rows.iter().map(row).collect()
}

/// One of them, by its own name.
pub(in crate::store::postgres) async fn one(
    database: &Database,
    key: &CaseKey,
) -> Result<Option<FollowUpRow>, StoreError> {
    let found = database.query_opt(ONE, &[&plain(&key.terminal), &plain(&key.case_id)]).await?;
    found.as_ref().map(row).transpose()
}

fn row(row: &Row) -> Result<FollowUpRow, StoreError> {
    let erased = match row.try_get::<_, Option<i64>>(18)? {
        Some(at_ms) => Some((at_ms, ErasureRule::from_code(row.try_get(19)?).ok_or_else(unknown)?)),
        None => None,
    };
    Ok(FollowUpRow {
        key: CaseKey { terminal: row.try_get(0)?, case_id: row.try_get(1)? },
        case_number: row.try_get(2)?,
        item: row.try_get(3)?,
        sha256: row.try_get(4)?,
        received_at_ms: row.try_get(5)?,
        person: MaskedPerson { name: row.try_get(6)?, number: row.try_get(7)?, phone: row.try_get(8)? },
        follows: FollowUp::from_word(row.try_get(9)?).ok_or_else(unknown)?,
        case: CaseKey { terminal: row.try_get(10)?, case_id: row.try_get(11)? },
        about_number: row.try_get(12)?,
        about_item: row.try_get(13)?,
        at_ms: row.try_get(14)?,
        state: state(row, 15)?,
        step: row.try_get(16)?,
        blobs: row.try_get::<_, i64>(17)?.unsigned_abs(),
        erased,
    })
}

/// The opened cases of which a receipt bears this number.
pub(in crate::store::postgres) async fn named(
    database: &Database,
    case_number: &str,
) -> Result<Vec<NamedCase>, StoreError> {
    let rows = database.query(NAMED, &[&plain(case_number), &(MOST_NAMED as i64)]).await?;
    rows.iter()
        .map(|row| {
            Ok(NamedCase {
                verification: zeroize::Zeroizing::new(row.try_get(0)?),
                key: CaseKey { terminal: row.try_get(1)?, case_id: row.try_get(2)? },
            })
        })
        .collect()
}

/// Puts back what waited for a case that has been opened since.
pub(in crate::store::postgres) async fn retry_awaited(database: &Database) -> Result<u64, StoreError> {
    let row = database.query_opt(RETRY, &[&DeadLetterReason::NoSuchCase.code()]).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}

/// A record that has found its case.
pub(in crate::store::postgres) struct Joining<'a> {
    pub(in crate::store::postgres) place: &'a Place,
    pub(in crate::store::postgres) follows: FollowUp,
    pub(in crate::store::postgres) case: &'a CaseKey,
    pub(in crate::store::postgres) person: &'a MaskedPerson,
    pub(in crate::store::postgres) summary: &'a str,
    pub(in crate::store::postgres) at_ms: i64,
}

/// Puts a record beside the case that it follows, makes its step, and owes it to the department. One that has an outcome
/// already keeps it.
pub(in crate::store::postgres) async fn join(
    database: &Database,
    joining: &Joining<'_>,
) -> Result<(), StoreError> {
    let Joining { place: Place { terminal, incarnation, seq }, follows, case, person, summary, at_ms } =
        joining;
    let (incarnation, seq, summary) = (plain(incarnation), position(*seq)?, plain(summary));
    let (case_terminal, case_id) = (plain(&case.terminal), plain(&case.case_id));
    let work = database.begin().await?;
    let rows = work.query(LOCK, &[terminal, &incarnation, &seq, &case_terminal, &case_id]).await?;
    let (mut waits, mut now) = (false, None);
    for row in &rows {
        let named: (&str, &str, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if named == (terminal.as_str(), incarnation.as_ref(), seq) {
            waits = row.try_get::<_, &str>(3)? == "received";
        } else if row.try_get::<_, Option<&str>>(4)?.is_some() {
            now = Some((state(row, 4)?, row.try_get::<_, i64>(5)?));
        }
    }
    let (true, Some((from, version))) = (waits, now) else { return work.commit().await };
    let before = work.query_opt(BEFORE, &[&case_terminal, &case_id, &version]).await?;
    let before = before.map(|row| row.try_get::<_, String>(0)).transpose()?;
    let to = follow_up::step(*follows, from, before.as_deref().and_then(CaseState::from_code));
    let text = |text: &Option<String>| text.as_deref().map(|text| plain(text).into_owned());
    let (name, number, phone) = (text(&person.name), text(&person.number), text(&person.phone));
    work.execute(OPENED, &[terminal, &incarnation, &seq, &name, &number, &phone, &summary, at_ms]).await?;
    work.execute(OWE, &[terminal, &incarnation, &seq]).await?;
    let made = to.map(|_| version + 1);
    work.execute(
        JOIN,
        &[
            terminal,
            &incarnation,
            &seq,
            &case_terminal,
            &case_id,
            &follows.word(),
            at_ms,
            &from.code(),
            &made,
        ],
    )
    .await?;
    if let Some((to, reason)) = to {
        let step = CaseStep {
            key: (*case).clone(),
            version,
            from,
            to,
            operator: RESIDENT.into(),
            at_ms: *at_ms,
            reason: reason.into(),
            note: String::new(),
        };
        make_step(&work, &step).await?;
        audit::append(&work, vec![follow_up::entry(case, from, to, reason, *at_ms)]).await?;
    }
    work.commit().await
}
