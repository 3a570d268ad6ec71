//! Keeping records: many in one statement, and what becomes of those that were not new.
//!
//! Nothing is looked up before it is inserted. The database's keys decide who came first, also between
//! several gateway processes, and only who came second is compared with what is held.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;

use super::database::{Database, plain};
use crate::store::conflict::{Comparison, Held, compare};
use crate::store::{Acceptance, Arrival, Conflict, Kept, Place, StoreError};

/// One transaction in one round trip: the record, its place in the opener's work and what is owed to
/// departments.
const KEEP: &str = "
    WITH arriving AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bigint[],
                             $14::text[], $15::bytea[])
            AS a (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item, item_version,
                  sha256, manifest_hash, received_at_ms, manifest, ciphertext)
    ), kept AS (
        INSERT INTO inbox (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                           item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
        SELECT terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
               item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext
        FROM arriving
        ON CONFLICT DO NOTHING
        RETURNING terminal, incarnation, seq, case_id, sha256, manifest_hash, received_at_ms
    ), to_handle AS (
        INSERT INTO handling (terminal, incarnation, seq, received_at_ms)
        SELECT terminal, incarnation, seq, received_at_ms FROM kept
        ON CONFLICT DO NOTHING
    ), to_relay AS (
        INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
        SELECT terminal, incarnation, seq, received_at_ms FROM kept
        ON CONFLICT DO NOTHING
    )
    SELECT terminal, incarnation, seq, case_id, sha256, manifest_hash, received_at_ms FROM kept";

const HELD: &str = "
    SELECT case_id, sha256, manifest_hash, received_at_ms FROM inbox
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3";

const ASIDE: &str = "
    INSERT INTO quarantine (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                            item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT DO NOTHING RETURNING received_at_ms";

const ASIDE_SINCE: &str = "
    SELECT received_at_ms FROM quarantine
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 AND case_id = $4 AND sha256 = $5 AND manifest_hash = $6";

/// Keeps what is new of these, and says which those are, in the order given.
pub(super) async fn keep(database: &Database, arrivals: &[&Arrival]) -> Result<Vec<bool>, StoreError> {
    // Every process inserts in the same order, so that none waits for a place while holding a later one.
    let mut order: Vec<usize> = (0..arrivals.len()).collect();
    order.sort_by_key(|&at| &arrivals[at].place);
    let rows: Vec<&Arrival> = order.iter().map(|&at| arrivals[at]).collect();
    let columns = Columns::of(&rows)?;
    let kept = database.query(KEEP, &columns.values()).await?;
    let mut new = HashMap::with_capacity(kept.len());
    for row in &kept {
        let place: (&str, &str, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let what: (&str, &str, &str, i64) =
            (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
        new.insert(place, what);
    }
    let mut answers = vec![false; arrivals.len()];
    for (&at, arrival) in order.iter().zip(&rows) {
        let place = (&*arrival.place.terminal, &*arrival.place.incarnation, position(arrival.place.seq)?);
        let what = (&*arrival.case_id, &*arrival.sha256, &*arrival.manifest_hash, arrival.received_at_ms);
        if new.get(&place) == Some(&what) {
            // Equal copies in one statement: one of them is the new one, the others came again.
            new.remove(&place);
            answers[at] = true;
        }
    }
    Ok(answers)
}

/// What becomes of a record that was not new.
pub(super) async fn compared(database: &Database, arrival: &Arrival) -> Result<Acceptance, StoreError> {
    let Place { terminal, incarnation, seq } = &arrival.place;
    let row = database.query_opt(HELD, &[terminal, incarnation, &position(*seq)?]).await?;
    let held = match row {
        Some(row) => Some(Held {
            case_id: row.try_get(0)?,
            sha256: row.try_get(1)?,
            manifest_hash: row.try_get(2)?,
            received_at_ms: row.try_get(3)?,
        }),
        None => None,
    };
    match compare(arrival, held) {
        Comparison::Again { received_at_ms } => {
            Ok(Acceptance { kept: Kept::Inbox, again: true, received_at_ms })
        }
        Comparison::OtherManifest { received_at_ms } => {
            let again = aside(database, arrival, Conflict::OtherManifest).await?.again;
            Ok(Acceptance { kept: Kept::InboxOtherManifest, again, received_at_ms })
        }
        Comparison::Aside(conflict) => aside(database, arrival, conflict).await,
    }
}

async fn aside(database: &Database, arrival: &Arrival, conflict: Conflict) -> Result<Acceptance, StoreError> {
    let Arrival { place, case_id, sha256, manifest_hash, .. } = arrival;
    let Place { terminal, incarnation, seq } = place;
    let seq = position(*seq)?;
    let inserted = database
        .query_opt(
            ASIDE,
            &[
                terminal,
                incarnation,
                &seq,
                case_id,
                &arrival.kind.as_str(),
                &arrival.about,
                &plain(&arrival.case_number),
                &plain(&arrival.verification),
                &plain(&arrival.item),
                &i64::from(arrival.item_version),
                sha256,
                manifest_hash,
                &arrival.received_at_ms,
                &plain(&arrival.manifest),
                &arrival.ciphertext,
                &conflict.code(),
            ],
        )
        .await?;
    let again = inserted.is_none();
    let row = match inserted {
        Some(row) => row,
        None => database
            .query_opt(ASIDE_SINCE, &[terminal, incarnation, &seq, case_id, sha256, manifest_hash])
            .await?
            .ok_or(StoreError::Busy)?,
    };
    Ok(Acceptance { kept: Kept::Quarantine(conflict), again, received_at_ms: row.try_get(0)? })
}

/// PostgreSQL's numbers are signed; a position beyond them is no position.
pub(super) fn position(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Database("a position beyond the database's numbers".into()))
}

/// The arrivals turned on their side: one array for each column.
struct Columns<'a> {
    terminal: Vec<&'a str>,
    incarnation: Vec<&'a str>,
    seq: Vec<i64>,
    case_id: Vec<&'a str>,
    kind: Vec<&'a str>,
    about: Vec<Option<&'a str>>,
    case_number: Vec<std::borrow::Cow<'a, str>>,
    verification: Vec<std::borrow::Cow<'a, str>>,
    item: Vec<std::borrow::Cow<'a, str>>,
    item_version: Vec<i64>,
    sha256: Vec<&'a str>,
    manifest_hash: Vec<&'a str>,
    received_at_ms: Vec<i64>,
    manifest: Vec<std::borrow::Cow<'a, str>>,
    ciphertext: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[&'a Arrival]) -> Result<Self, StoreError> {
        let each = || rows.iter().copied();
        Ok(Self {
            terminal: each().map(|row| &*row.place.terminal).collect(),
            incarnation: each().map(|row| &*row.place.incarnation).collect(),
            seq: each().map(|row| position(row.place.seq)).collect::<Result<_, _>>()?,
            case_id: each().map(|row| &*row.case_id).collect(),
            kind: each().map(|row| row.kind.as_str()).collect(),
            about: each().map(|row| row.about.as_deref()).collect(),
            case_number: each().map(|row| plain(&row.case_number)).collect(),
            verification: each().map(|row| plain(&row.verification)).collect(),
            item: each().map(|row| plain(&row.item)).collect(),
            item_version: each().map(|row| i64::from(row.item_version)).collect(),
            sha256: each().map(|row| &*row.sha256).collect(),
            manifest_hash: each().map(|row| &*row.manifest_hash).collect(),
            received_at_ms: each().map(|row| row.received_at_ms).collect(),
            manifest: each().map(|row| plain(&row.manifest)).collect(),
            ciphertext: each().map(|row| &*row.ciphertext).collect(),
        })
    }

    fn values(&self) -> [&(dyn ToSql + Sync); 15] {
        [
            &self.terminal,
            &self.incarnation,
            &self.seq,
            &self.case_id,
            &self.kind,
            &self.about,
            &self.case_number,
            &self.verification,
            &self.item,
            &self.item_version,
            &self.sha256,
            &self.manifest_hash,
            &self.received_at_ms,
            &self.manifest,
            &self.ciphertext,
        ]
    }
}
