//! Keeping records: many in one statement, and what becomes of those that were not new.
//!
//! Nothing is looked up before it is inserted. The database's keys decide who came first, also between
//! several gateway processes, and only who came second is compared with what is held.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::blobs;
use super::database::{Database, plain};
use super::places::Places;
use crate::store::conflict::{Comparison, Held, beside, compare};
use crate::store::{Acceptance, Arrival, Conflict, Kept, Place, StoreError};

/// One transaction in one round trip: the record, its place in the opener's work, and what else comes with it. `$from`
/// is where the columns of the records come from, `$more` what is done beside, `$state` how the opener's work begins.
macro_rules! keep {
    (from $from:literal, more $more:literal, work $state:literal) => {
        concat!(
            "WITH arriving AS (
                SELECT * FROM ",
            $from,
            " AS a (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item, item_version,
                    sha256, manifest_hash, received_at_ms, manifest, ciphertext)
            ), kept AS (
                INSERT INTO inbox (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                                   item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
                SELECT terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                       item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext
                FROM arriving
                ON CONFLICT DO NOTHING
                RETURNING terminal, incarnation, seq, case_id, sha256, manifest_hash, received_at_ms
            ), ",
            $more,
            "to_handle AS (
                INSERT INTO handling (terminal, incarnation, seq, received_at_ms, to_owe, state, waiting_since_ms)
                SELECT k.terminal, k.incarnation, k.seq, k.received_at_ms, true, ",
            $state,
            " ON CONFLICT DO NOTHING
            )
            SELECT terminal, incarnation, seq, case_id, sha256, manifest_hash, received_at_ms FROM kept"
        )
    };
}

/// One record without blobs, as most are. Arrays would cost it a tenth of its time.
const KEEP_ONE: &str = keep!(
    from "(VALUES ($1::text, $2::text, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
                   $10::bigint, $11::text, $12::text, $13::bigint, $14::text, $15::bytea))",
    more "",
    work "'received', NULL FROM kept k"
);

/// Records without blobs.
const KEEP: &str = keep!(
    from "unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                 $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::bytea[])",
    more "",
    work "'received', NULL FROM kept k"
);

/// Records of which some name blobs; those wait until somebody has looked.
const KEEP_NAMING: &str = keep!(
    from "unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                 $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::bytea[])",
    more "naming AS (
            SELECT * FROM unnest($16::text[], $17::text[], $18::bigint[], $19::text[], $20::text[], $21::bigint[])
                AS n (terminal, incarnation, seq, manifest_hash, sha256, bytes)
        ), named AS (
            INSERT INTO named_blob (terminal, incarnation, seq, aside, sha256, bytes)
            SELECT n.terminal, n.incarnation, n.seq, '', n.sha256, n.bytes
            FROM naming n JOIN kept k ON k.terminal = n.terminal AND k.incarnation = n.incarnation AND k.seq = n.seq
                AND k.manifest_hash = n.manifest_hash
            ON CONFLICT DO NOTHING
        ), ",
    work "CASE WHEN n.seq IS NULL THEN 'received' ELSE 'incomplete' END,
            CASE WHEN n.seq IS NULL THEN NULL ELSE k.received_at_ms END
        FROM kept k LEFT JOIN (SELECT DISTINCT terminal, incarnation, seq, manifest_hash FROM naming) n
            ON k.terminal = n.terminal AND k.incarnation = n.incarnation AND k.seq = n.seq
            AND k.manifest_hash = n.manifest_hash"
);

const HELD: &str = "
    SELECT i.case_id, i.sha256, i.manifest_hash, i.received_at_ms, h.erased_at_ms IS NOT NULL
    FROM inbox i LEFT JOIN handling h
        ON h.terminal = i.terminal AND h.incarnation = i.incarnation AND h.seq = i.seq
    WHERE i.terminal = $1 AND i.incarnation = $2 AND i.seq = $3";

const ASIDE: &str = "
    WITH aside AS (
        INSERT INTO quarantine (terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                                item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT DO NOTHING RETURNING terminal, incarnation, seq, manifest_hash, received_at_ms
    ), named AS (
        INSERT INTO named_blob (terminal, incarnation, seq, aside, sha256, bytes)
        SELECT a.terminal, a.incarnation, a.seq, a.manifest_hash, n.sha256, n.bytes
        FROM aside a CROSS JOIN unnest($17::text[], $18::bigint[]) AS n (sha256, bytes)
        ON CONFLICT DO NOTHING
    )
    SELECT received_at_ms FROM aside";

const ASIDE_SINCE: &str = "
    SELECT received_at_ms FROM quarantine
    WHERE terminal = $1 AND incarnation = $2 AND seq = $3 AND case_id = $4 AND sha256 = $5 AND manifest_hash = $6";

/// Keeps what is new of these, and says which those are, in the order given.
pub(super) async fn keep(database: &Database, arrivals: &[&Arrival]) -> Result<Vec<bool>, StoreError> {
    // Every process inserts in the same order, so that none waits for a place while holding a later one.
    let mut order: Vec<usize> = (0..arrivals.len()).collect();
    order.sort_by_key(|&at| &arrivals[at].place);
    let rows: Vec<&Arrival> = order.iter().map(|&at| arrivals[at]).collect();
    let kept = insert(database, &rows).await?;
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
    let waiting = arrivals.iter().zip(&answers).filter(|(arrival, new)| **new && !arrival.blobs.is_empty());
    let waiting = Places::of(waiting.map(|(arrival, _)| &arrival.place))?;
    look_for_blobs(database, waiting).await;
    Ok(answers)
}

/// One statement for all of them; answers those it inserted.
async fn insert(database: &Database, rows: &[&Arrival]) -> Result<Vec<Row>, StoreError> {
    let blobs = rows.iter().any(|row| !row.blobs.is_empty());
    if let ([alone], false) = (rows, blobs) {
        return insert_one(database, alone).await;
    }
    let columns = Columns::of(rows)?;
    let values = columns.values();
    if blobs { database.query(KEEP_NAMING, &values).await } else { database.query(KEEP, &values[..15]).await }
}

async fn insert_one(database: &Database, arrival: &Arrival) -> Result<Vec<Row>, StoreError> {
    let Place { terminal, incarnation, seq } = &arrival.place;
    let values: [&(dyn ToSql + Sync); 15] = [
        terminal,
        incarnation,
        &position(*seq)?,
        &arrival.case_id,
        &arrival.kind.as_str(),
        &arrival.about,
        &plain(&arrival.case_number),
        &plain(&arrival.verification),
        &plain(&arrival.item),
        &i64::from(arrival.item_version),
        &arrival.sha256,
        &arrival.manifest_hash,
        &arrival.received_at_ms,
        &plain(&arrival.manifest),
        &arrival.ciphertext,
    ];
    database.query(KEEP_ONE, &values).await
}

/// Gives records to the opener whose blobs are all there. After the commit, because only then does whoever makes a
/// blob whole see that a record waits for it: of the two, one sees the other. What fails here the sweep does.
pub(super) async fn look_for_blobs(database: &Database, places: Places) {
    if let Err(error) = blobs::complete(database, &places).await {
        tracing::warn!(%error, "records wait for the sweep, perhaps with all their blobs");
    }
}

/// What becomes of a record that was not new.
pub(super) async fn compared(database: &Database, arrival: &Arrival) -> Result<Acceptance, StoreError> {
    match compare(arrival, held_at(database, &arrival.place).await?) {
        Comparison::Again { received_at_ms } => {
            // It may have been kept by a process that ended before it looked whether the blobs were there.
            if !arrival.blobs.is_empty() {
                look_for_blobs(database, Places::of([&arrival.place])?).await;
            }
            Ok(Acceptance { kept: Kept::Inbox, again: true, received_at_ms })
        }
        Comparison::OtherManifest { received_at_ms, erased } => {
            let again = aside(database, &beside(arrival, erased), Conflict::OtherManifest).await?.again;
            Ok(Acceptance { kept: Kept::InboxOtherManifest, again, received_at_ms })
        }
        Comparison::Aside(conflict) => aside(database, arrival, conflict).await,
    }
}

/// Keeps a record in quarantine, unless the inbox holds exactly this one already.
pub(super) async fn set_aside(
    database: &Database,
    arrival: &Arrival,
    why: Conflict,
) -> Result<Acceptance, StoreError> {
    match compare(arrival, held_at(database, &arrival.place).await?) {
        Comparison::Again { received_at_ms } => {
            Ok(Acceptance { kept: Kept::Inbox, again: true, received_at_ms })
        }
        Comparison::OtherManifest { erased, .. } => aside(database, &beside(arrival, erased), why).await,
        Comparison::Aside(_) => aside(database, arrival, why).await,
    }
}

/// What is already in the inbox at a place.
async fn held_at(database: &Database, place: &Place) -> Result<Option<Held>, StoreError> {
    let Place { terminal, incarnation, seq } = place;
    let row = database.query_opt(HELD, &[terminal, incarnation, &position(*seq)?]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Held {
        case_id: row.try_get(0)?,
        sha256: row.try_get(1)?,
        manifest_hash: row.try_get(2)?,
        received_at_ms: row.try_get(3)?,
        erased: row.try_get(4)?,
    }))
}

async fn aside(database: &Database, arrival: &Arrival, conflict: Conflict) -> Result<Acceptance, StoreError> {
    let Arrival { place, case_id, sha256, manifest_hash, .. } = arrival;
    let Place { terminal, incarnation, seq } = place;
    let seq = position(*seq)?;
    let (hashes, bytes) = named(arrival)?;
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
                &hashes,
                &bytes,
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

/// Whether all numbers of a record fit into the database.
pub(super) fn fits(arrival: &Arrival) -> Result<(), StoreError> {
    position(arrival.place.seq)?;
    named(arrival).map(|_| ())
}

/// The blobs a record names, turned on their side.
fn named(arrival: &Arrival) -> Result<(Vec<&str>, Vec<i64>), StoreError> {
    let lengths = arrival.blobs.iter().map(|(_, bytes)| position(*bytes)).collect::<Result<_, _>>()?;
    Ok((arrival.blobs.iter().map(|(sha256, _)| &**sha256).collect(), lengths))
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
    naming: Naming<'a>,
}

/// The blobs that the arrivals name.
#[derive(Default)]
struct Naming<'a> {
    terminal: Vec<&'a str>,
    incarnation: Vec<&'a str>,
    seq: Vec<i64>,
    manifest_hash: Vec<&'a str>,
    sha256: Vec<&'a str>,
    bytes: Vec<i64>,
}

impl<'a> Naming<'a> {
    fn of(rows: &[&'a Arrival]) -> Result<Self, StoreError> {
        let mut naming = Self::default();
        for row in rows {
            let (hashes, bytes) = named(row)?;
            for (sha256, bytes) in hashes.into_iter().zip(bytes) {
                naming.terminal.push(&row.place.terminal);
                naming.incarnation.push(&row.place.incarnation);
                naming.seq.push(position(row.place.seq)?);
                naming.manifest_hash.push(&row.manifest_hash);
                naming.sha256.push(sha256);
                naming.bytes.push(bytes);
            }
        }
        Ok(naming)
    }
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
            naming: Naming::of(rows)?,
        })
    }

    fn values(&self) -> [&(dyn ToSql + Sync); 21] {
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
            &self.naming.terminal,
            &self.naming.incarnation,
            &self.naming.seq,
            &self.naming.manifest_hash,
            &self.naming.sha256,
            &self.naming.bytes,
        ]
    }
}
