//! The book of terminals on PostgreSQL. Two gateways that hear one terminal do so one after the other, because the
//! first thing either does is to lock the terminal's row.

use sync_protocol::Ledger;
use tokio_postgres::Row;

use super::PostgresStore;
use super::database::{Database, Work, plain};
use super::read::unknown;
use crate::continuity::{self, Life, Verdict};
use crate::store::lives::{
    Answered, Disagreement, FleetSums, HeldRecord, LastWord, TerminalBook, Word, Worry,
};
use crate::store::{Conflict, Kept, Place, Reply, StoreError};

/// Longest time a hello may be under way: a record that arrived before that was finalised before the hello.
const UNDER_WAY_MS: i64 = 10 * 60 * 1000;

/// Hellos in a row with differing books before that is believed: the first may have crossed with records.
const BELIEVED: i64 = 2;

const LOCK: &str = "SELECT 1 FROM terminal_word WHERE terminal = $1 FOR UPDATE";

const FIRST: &str = "
    INSERT INTO terminal_word (terminal, incarnation, heard_at_ms, agent_version) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

const LIFE: &str = "
    SELECT token, token_before, finalised_seq, head_hash, tpm_counter, boot_id, monotonic_ms, ended
    FROM queue_life WHERE terminal = $1 AND incarnation = $2";

/// Whether the city has for long held a record beyond what is announced.
const BEYOND: &str = "
    SELECT 1 FROM inbox WHERE terminal = $1 AND incarnation = $2 AND seq > $3 AND received_at_ms < $4 LIMIT 1";

const KEEP_LIFE: &str = "
    INSERT INTO queue_life (terminal, incarnation, token, token_before, finalised_seq, head_hash, tpm_counter,
                            boot_id, monotonic_ms, ended, heard_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (terminal, incarnation) DO UPDATE
    SET token = excluded.token, token_before = excluded.token_before, finalised_seq = excluded.finalised_seq,
        head_hash = excluded.head_hash, tpm_counter = excluded.tpm_counter, boot_id = excluded.boot_id,
        monotonic_ms = excluded.monotonic_ms, ended = excluded.ended, heard_at_ms = excluded.heard_at_ms";

const KEEP_WORD: &str = "
    UPDATE terminal_word
    SET incarnation = $2, heard_at_ms = $3, agent_version = $4, catalog_version = $5, oldest_unacked_age_s = $6,
        disk_used_percent = $7, issued = $8, acknowledged = $9, waiting = $10, side_lane = $11, voided = $12,
        waiting_bytes = $13, received = $14, disagreements = CASE WHEN $15 THEN disagreements + 1 ELSE 0 END
    WHERE terminal = $1 RETURNING disagreements";

/// Places held of a terminal, over all lives of its queue; the lives are found by skipping through the keys.
const RECEIVED: &str = "
    WITH RECURSIVE kept (name) AS (
        SELECT (SELECT min(incarnation) FROM inbox WHERE terminal = $1)
        UNION ALL
        SELECT (SELECT min(i.incarnation) FROM inbox i WHERE i.terminal = $1 AND i.incarnation > kept.name)
        FROM kept WHERE kept.name IS NOT NULL
    ), aside (name) AS (
        SELECT (SELECT min(incarnation) FROM quarantine WHERE terminal = $1)
        UNION ALL
        SELECT (SELECT min(q.incarnation) FROM quarantine q WHERE q.terminal = $1 AND q.incarnation > aside.name)
        FROM aside WHERE aside.name IS NOT NULL
    ), life AS (
        SELECT l.name, coalesce(p.contiguous, 0) AS known
        FROM (SELECT name FROM kept WHERE name IS NOT NULL UNION SELECT name FROM aside WHERE name IS NOT NULL) l
        LEFT JOIN progress p ON p.terminal = $1 AND p.incarnation = l.name
    )
    SELECT CAST(coalesce(sum(life.known + (SELECT count(*) FROM (
        SELECT seq FROM inbox i WHERE i.terminal = $1 AND i.incarnation = life.name AND i.seq > life.known
        UNION
        SELECT seq FROM quarantine q WHERE q.terminal = $1 AND q.incarnation = life.name AND q.seq > life.known
    ) beyond)), 0) AS bigint) FROM life";

const LAST_WORDS: &str = "
    SELECT terminal, incarnation, heard_at_ms, agent_version, catalog_version, oldest_unacked_age_s,
           disk_used_percent, issued, acknowledged, waiting, side_lane, voided, waiting_bytes, received,
           disagreements
    FROM terminal_word WHERE terminal > $1 ORDER BY terminal LIMIT $2";

const WORRYING: &str = "
    SELECT terminal, incarnation, heard_at_ms, agent_version, catalog_version, oldest_unacked_age_s,
           disk_used_percent, issued, acknowledged, waiting, side_lane, voided, waiting_bytes, received,
           disagreements
    FROM terminal_word
    WHERE disagreements >= $1 OR side_lane > 0 OR oldest_unacked_age_s >= $2 OR heard_at_ms < $3
       OR disk_used_percent >= $4
    ORDER BY disagreements >= $1 DESC, coalesce(side_lane, 0) > 0 DESC, coalesce(oldest_unacked_age_s, 0) DESC,
             heard_at_ms, terminal LIMIT $5";

/// Sums for a chart: as floating numbers they never overflow.
const FLEET: &str = "
    SELECT count(*), coalesce(sum(CAST(issued AS double precision)), 0),
           coalesce(sum(CAST(acknowledged AS double precision)), 0),
           coalesce(sum(CAST(waiting AS double precision)), 0),
           coalesce(sum(CAST(side_lane AS double precision)), 0),
           coalesce(sum(CAST(voided AS double precision)), 0),
           coalesce(sum(CAST(waiting_bytes AS double precision)), 0),
           coalesce(sum(CAST(received AS double precision)), 0),
           coalesce(max(oldest_unacked_age_s), 0), count(*) FILTER (WHERE disagreements >= $1)
    FROM terminal_word";

const RECORD: &str = "
    SELECT manifest, reason, received_at_ms FROM (
        SELECT 0 AS aside, manifest, CAST(NULL AS text) AS reason, received_at_ms, sha256 FROM inbox
        WHERE terminal = $1 AND case_id = $2
        UNION ALL
        SELECT 1, manifest, reason, received_at_ms, sha256 FROM quarantine
        WHERE terminal = $1 AND case_id = $2) held
    WHERE CAST($3 AS text) IS NULL OR sha256 = $3 ORDER BY aside, received_at_ms LIMIT 1";

/// The next queue the city holds something of.
const NEXT_QUEUE: &str = "
    SELECT terminal, incarnation FROM (
        (SELECT terminal, incarnation FROM inbox WHERE (terminal, incarnation) > ($1, $2)
         ORDER BY terminal, incarnation LIMIT 1)
        UNION ALL
        (SELECT terminal, incarnation FROM quarantine WHERE (terminal, incarnation) > ($1, $2)
         ORDER BY terminal, incarnation LIMIT 1)) held
    ORDER BY terminal, incarnation LIMIT 1";

/// How far a queue was held without a gap and with all its blobs at a time, and no further than asked. Of records that
/// contend for one place all have to be whole, because nobody knows which one its terminal has; unless one of them is a
/// void: then the terminal has none of them, and their blobs never come. Never goes back.
const MARK: &str = "
    WITH known AS (
        SELECT coalesce((SELECT seq FROM durable WHERE terminal = $1 AND incarnation = $2), 0) AS seq
    ), held AS (
        SELECT r.seq, bool_or(r.received_at_ms > $4) OR NOT bool_or(r.kind = 'void') AND bool_or(EXISTS (
            SELECT 1 FROM named_blob n
            WHERE n.terminal = $1 AND n.incarnation = $2 AND n.seq = r.seq AND NOT EXISTS (
                SELECT 1 FROM whole_blob w
                WHERE w.sha256 = n.sha256 AND w.leaving = 0 AND w.whole_at_ms <= $4))) AS lacking
        FROM (
            SELECT i.seq, i.kind, i.received_at_ms FROM inbox i, known
            WHERE i.terminal = $1 AND i.incarnation = $2 AND i.seq > known.seq
            UNION ALL
            SELECT q.seq, q.kind, q.received_at_ms FROM quarantine q, known
            WHERE q.terminal = $1 AND q.incarnation = $2 AND q.seq > known.seq) r
        GROUP BY r.seq
    ), ranked AS (
        SELECT held.seq, row_number() OVER (ORDER BY held.seq) AS rank,
               bool_or(held.lacking) OVER (ORDER BY held.seq) AS spoiled
        FROM held
    ), reached AS (
        SELECT max(least(ranked.seq, $3)) AS seq FROM ranked, known
        WHERE ranked.seq = known.seq + ranked.rank AND NOT ranked.spoiled
    )
    INSERT INTO durable (terminal, incarnation, seq)
    SELECT $1, $2, reached.seq FROM reached, known WHERE reached.seq > known.seq
    ON CONFLICT (terminal, incarnation) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > durable.seq
    RETURNING seq";

impl TerminalBook for PostgresStore {
    fn hear(&self, word: Word) -> Reply<'_, Answered> {
        Box::pin(async move { hear(&self.database, &word).await })
    }

    fn last_words<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<LastWord>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.database.query(LAST_WORDS, &[&after, &limit]).await?.iter().map(last_word).collect()
        })
    }

    fn worrying(&self, worry: Worry, limit: usize) -> Reply<'_, Vec<LastWord>> {
        Box::pin(async move {
            let age = i64::try_from(worry.unacked_age_s).unwrap_or(i64::MAX);
            let (full, limit) =
                (i64::from(worry.disk_used_percent), i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = self
                .database
                .query(WORRYING, &[&BELIEVED, &age, &worry.silent_since_ms, &full, &limit])
                .await?;
            rows.iter().map(last_word).collect()
        })
    }

    fn fleet(&self) -> Reply<'_, FleetSums> {
        Box::pin(async move {
            let row = self.database.query_opt(FLEET, &[&BELIEVED]).await?;
            let Some(row) = row else { return Ok(FleetSums::default()) };
            let sum = |at: usize| row.try_get::<_, f64>(at).map(|sum| sum as u64);
            let number = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(FleetSums {
                terminals: number(0)?,
                ledger: Ledger {
                    issued: sum(1)?,
                    acknowledged: sum(2)?,
                    waiting: sum(3)?,
                    side_lane: sum(4)?,
                    voided: sum(5)?,
                    waiting_bytes: sum(6)?,
                },
                received: sum(7)?,
                oldest_unacked_age_s_max: number(8)?,
                disagreeing: number(9)?,
            })
        })
    }

    fn record<'a>(
        &'a self,
        terminal: &'a str,
        case_id: &'a str,
        sha256: Option<&'a str>,
    ) -> Reply<'a, Option<HeldRecord>> {
        Box::pin(async move {
            let (case_id, sha256) = (plain(case_id), sha256.map(plain));
            let Some(row) = self.database.query_opt(RECORD, &[&terminal, &case_id, &sha256]).await? else {
                return Ok(None);
            };
            let kept = match row.try_get::<_, Option<&str>>(1)? {
                None => Kept::Inbox,
                Some(code) => Kept::Quarantine(Conflict::from_code(code).ok_or_else(unknown)?),
            };
            Ok(Some(HeldRecord { manifest: row.try_get(0)?, kept, received_at_ms: row.try_get(2)? }))
        })
    }

    fn mark_durable(&self, marks: Vec<Place>) -> Reply<'_, u64> {
        Box::pin(async move {
            let mut moved = 0;
            for Place { terminal, incarnation, seq } in &marks {
                moved += mark(&self.database, terminal, incarnation, fits(*seq), i64::MAX).await?;
            }
            Ok(moved)
        })
    }

    fn mark_durable_up_to(&self, at_ms: i64) -> Reply<'_, u64> {
        Box::pin(async move {
            // Each queue by itself: together they would hold the database up.
            let (mut moved, mut terminal, mut incarnation) = (0, String::new(), String::new());
            while let Some(row) = self.database.query_opt(NEXT_QUEUE, &[&terminal, &incarnation]).await? {
                (terminal, incarnation) = (row.try_get(0)?, row.try_get(1)?);
                moved += mark(&self.database, &terminal, &incarnation, i64::MAX, at_ms).await?;
            }
            Ok(moved)
        })
    }
}

async fn mark(
    database: &Database,
    terminal: &str,
    incarnation: &str,
    most: i64,
    until_ms: i64,
) -> Result<u64, StoreError> {
    let moved = database.query(MARK, &[&terminal, &incarnation, &most, &until_ms]).await?;
    Ok(moved.len() as u64)
}

async fn hear(database: &Database, word: &Word) -> Result<Answered, StoreError> {
    let mut answered = Answered::default();
    let work = database.begin().await?;
    if work.query_opt(LOCK, &[&word.terminal]).await?.is_none() {
        let (incarnation, version) = (plain(&word.incarnation), plain(&word.agent_version));
        work.execute(FIRST, &[&word.terminal, &incarnation, &word.at_ms, &version]).await?;
        work.query_opt(LOCK, &[&word.terminal]).await?;
    }
    if word.heard.is_some() {
        let Verdict { life, doubt } = judge(&work, word).await?;
        keep_life(&work, word, &life).await?;
        answered.begin_incarnation = life.ended;
        answered.token = (!life.ended).then_some(life.token);
        answered.doubt = doubt;
    }
    let received = match word.ledger {
        Some(_) => {
            let row = work.query_opt(RECEIVED, &[&word.terminal]).await?;
            let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
            Some(count.unsigned_abs())
        }
        None => None,
    };
    let found =
        word.ledger.as_ref().zip(received).and_then(|(ledger, held)| Disagreement::between(ledger, held));
    let in_a_row = keep_word(&work, word, received, found.is_some()).await?;
    work.commit().await?;
    answered.disagreement = found.filter(|_| in_a_row >= BELIEVED);
    Ok(answered)
}

async fn judge(work: &Work, word: &Word) -> Result<Verdict, StoreError> {
    let Some(heard) = &word.heard else { return Err(unknown()) };
    let incarnation = plain(&word.incarnation);
    let known = match work.query_opt(LIFE, &[&word.terminal, &incarnation]).await? {
        Some(row) => Some(life(&row)?),
        None => None,
    };
    let (finalised, before) = (fits(heard.finalised_seq), word.at_ms.saturating_sub(UNDER_WAY_MS));
    let beyond = work.query_opt(BEYOND, &[&word.terminal, &incarnation, &finalised, &before]).await?;
    Ok(continuity::hear(known, heard, beyond.is_some(), word.fresh_token.clone()))
}

fn life(row: &Row) -> Result<Life, StoreError> {
    let number = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    Ok(Life {
        token: row.try_get(0)?,
        before: row.try_get(1)?,
        finalised_seq: number(2)?,
        head_hash: row.try_get(3)?,
        tpm_counter: row.try_get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
        boot_id: row.try_get(5)?,
        monotonic_ms: number(6)?,
        ended: row.try_get(7)?,
    })
}

async fn keep_life(work: &Work, word: &Word, life: &Life) -> Result<(), StoreError> {
    work.execute(
        KEEP_LIFE,
        &[
            &word.terminal,
            &plain(&word.incarnation),
            &life.token,
            &life.before.as_deref().map(plain),
            // A number no queue ever reaches is as good as the largest that fits.
            &fits(life.finalised_seq),
            &life.head_hash.as_deref().map(plain),
            &life.tpm_counter.map(fits),
            &plain(&life.boot_id),
            &fits(life.monotonic_ms),
            &life.ended,
            &word.at_ms,
        ],
    )
    .await
    .map(|_| ())
}

async fn keep_word(
    work: &Work,
    word: &Word,
    received: Option<u64>,
    disagrees: bool,
) -> Result<i64, StoreError> {
    let ledger = word.ledger.as_ref();
    let of = |field: fn(&Ledger) -> u64| ledger.map(|ledger| fits(field(ledger)));
    let row = work
        .query_opt(
            KEEP_WORD,
            &[
                &word.terminal,
                &plain(&word.incarnation),
                &word.at_ms,
                &plain(&word.agent_version),
                &word.catalog_version.as_deref().map(plain),
                &word.oldest_unacked_age_s.map(fits),
                &word.disk_used_percent.map(i64::from),
                &of(|ledger| ledger.issued),
                &of(|ledger| ledger.acknowledged),
                &of(|ledger| ledger.waiting),
                &of(|ledger| ledger.side_lane),
                &of(|ledger| ledger.voided),
                &of(|ledger| ledger.waiting_bytes),
                &received.map(fits),
                &disagrees,
            ],
        )
        .await?;
    Ok(row.map_or(Ok(0), |row| row.try_get(0))?)
}

fn last_word(row: &Row) -> Result<LastWord, StoreError> {
    let number = |at: usize| row.try_get::<_, Option<i64>>(at).map(|number| number.map(i64::unsigned_abs));
    let ledger = match number(7)? {
        None => None,
        Some(issued) => Some(Ledger {
            issued,
            acknowledged: number(8)?.unwrap_or(0),
            waiting: number(9)?.unwrap_or(0),
            side_lane: number(10)?.unwrap_or(0),
            voided: number(11)?.unwrap_or(0),
            waiting_bytes: number(12)?.unwrap_or(0),
        }),
    };
    Ok(LastWord {
        terminal: row.try_get(0)?,
        incarnation: row.try_get(1)?,
        heard_at_ms: row.try_get(2)?,
        agent_version: row.try_get(3)?,
        catalog_version: row.try_get(4)?,
        oldest_unacked_age_s: number(5)?,
        disk_used_percent: number(6)?.and_then(|percent| u8::try_from(percent).ok()),
        ledger,
        received: number(13)?,
        disagreements: number(14)?.unwrap_or(0),
    })
}

fn fits(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
