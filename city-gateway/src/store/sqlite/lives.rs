//! The book of terminals on SQLite.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use sync_protocol::Ledger;

use super::SqliteStore;
use super::statements::position;
use crate::continuity::{self, Heard, Life, Verdict};
use crate::store::lives::{
    Answered, Disagreement, FleetSums, HeldRecord, LastWord, TerminalBook, Word, Worry,
};
use crate::store::{Conflict, Kept, Place, Reply};

/// Longest time a hello may be under way: a record that arrived before that was finalised before the hello.
const UNDER_WAY_MS: i64 = 10 * 60 * 1000;

/// Hellos in a row with differing books before that is believed: the first may have crossed with records.
const BELIEVED: u64 = 2;

/// Lives of one queue, found by skipping through the index.
const LIVES: &str = "
    WITH RECURSIVE life (name) AS (
        SELECT min(incarnation) FROM {table} WHERE terminal = ?1
        UNION ALL
        SELECT (SELECT min(incarnation) FROM {table} WHERE terminal = ?1 AND incarnation > life.name)
        FROM life WHERE life.name IS NOT NULL)
    SELECT name FROM life WHERE name IS NOT NULL";

impl TerminalBook for SqliteStore {
    fn hear(&self, word: Word) -> Reply<'_, Answered> {
        Box::pin(self.work(move |transaction| hear(transaction, &word)))
    }

    fn last_words<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<LastWord>> {
        let after = after.to_owned();
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached(
                    "SELECT terminal, incarnation, heard_at_ms, agent_version, catalog_version,
                            oldest_unacked_age_s, disk_used_percent, issued, acknowledged, waiting, side_lane,
                            voided, waiting_bytes, received, disagreements
                     FROM terminal_word WHERE terminal > ?1 ORDER BY terminal LIMIT ?2",
                )?
                .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], last_word)?
                .collect()
        }))
    }

    fn worrying(&self, worry: Worry, limit: usize) -> Reply<'_, Vec<LastWord>> {
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached(
                    "SELECT terminal, incarnation, heard_at_ms, agent_version, catalog_version,
                            oldest_unacked_age_s, disk_used_percent, issued, acknowledged, waiting, side_lane,
                            voided, waiting_bytes, received, disagreements
                     FROM terminal_word
                     WHERE disagreements >= ?1 OR side_lane > 0 OR oldest_unacked_age_s >= ?2 OR heard_at_ms < ?3
                        OR disk_used_percent >= ?4
                     ORDER BY disagreements >= ?1 DESC, coalesce(side_lane, 0) > 0 DESC,
                              coalesce(oldest_unacked_age_s, 0) DESC, heard_at_ms, terminal LIMIT ?5",
                )?
                .query_map(
                    params![
                        BELIEVED as i64,
                        i64::try_from(worry.unacked_age_s).unwrap_or(i64::MAX),
                        worry.silent_since_ms,
                        worry.disk_used_percent,
                        i64::try_from(limit).unwrap_or(i64::MAX)
                    ],
                    last_word,
                )?
                .collect()
        }))
    }

    fn fleet(&self) -> Reply<'_, FleetSums> {
        Box::pin(self.read(|_, connection| {
            connection
                .prepare_cached(
                    "SELECT count(*), total(issued), total(acknowledged), total(waiting), total(side_lane),
                            total(voided), total(waiting_bytes), total(received),
                            ifnull(max(oldest_unacked_age_s), 0), total(disagreements >= ?1)
                     FROM terminal_word",
                )?
                .query_row([BELIEVED as i64], |row| {
                    // `total` never overflows; these are figures for a chart.
                    let sum = |at| row.get::<_, f64>(at).map(|sum| sum as u64);
                    Ok(FleetSums {
                        terminals: row.get::<_, i64>(0)? as u64,
                        ledger: Ledger {
                            issued: sum(1)?,
                            acknowledged: sum(2)?,
                            waiting: sum(3)?,
                            side_lane: sum(4)?,
                            voided: sum(5)?,
                            waiting_bytes: sum(6)?,
                        },
                        received: sum(7)?,
                        oldest_unacked_age_s_max: row.get::<_, i64>(8)? as u64,
                        disagreeing: sum(9)?,
                    })
                })
        }))
    }

    fn record<'a>(
        &'a self,
        terminal: &'a str,
        case_id: &'a str,
        sha256: Option<&'a str>,
    ) -> Reply<'a, Option<HeldRecord>> {
        let (terminal, case_id) = (terminal.to_owned(), case_id.to_owned());
        let sha256 = sha256.map(str::to_owned);
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached(
                    "SELECT manifest, reason, received_at_ms FROM (
                        SELECT 0 AS aside, id, manifest, NULL AS reason, received_at_ms, sha256 FROM inbox
                        WHERE terminal = ?1 AND case_id = ?2
                        UNION ALL SELECT 1, id, manifest, reason, received_at_ms, sha256 FROM quarantine
                        WHERE terminal = ?1 AND case_id = ?2)
                     WHERE ?3 IS NULL OR sha256 = ?3 ORDER BY aside, id LIMIT 1",
                )?
                .query_row(params![terminal, case_id, sha256], |row| {
                    let reason: Option<String> = row.get(1)?;
                    let kept = match reason.as_deref() {
                        None => Kept::Inbox,
                        Some(code) => {
                            let conflict = Conflict::from_code(code);
                            Kept::Quarantine(conflict.ok_or(rusqlite::Error::InvalidQuery)?)
                        }
                    };
                    Ok(HeldRecord { manifest: row.get(0)?, kept, received_at_ms: row.get(2)? })
                })
                .optional()
        }))
    }

    fn mark_durable(&self, marks: Vec<Place>) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| {
            let mut moved = 0;
            for mark in &marks {
                let held = whole_prefix(transaction, &mark.terminal, &mark.incarnation, None)?;
                moved += note_durable(transaction, &mark.terminal, &mark.incarnation, held.min(mark.seq))?;
            }
            Ok(moved)
        }))
    }

    fn mark_durable_up_to(&self, at_ms: i64) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| {
            let mut moved = 0;
            for (terminal, incarnation) in queues(transaction)? {
                let held = whole_prefix(transaction, &terminal, &incarnation, Some(at_ms))?;
                moved += note_durable(transaction, &terminal, &incarnation, held)?;
            }
            Ok(moved)
        }))
    }
}

fn hear(transaction: &Transaction<'_>, word: &Word) -> rusqlite::Result<Answered> {
    let mut answered = Answered::default();
    if let Some(heard) = &word.heard {
        let known = life(transaction, &word.terminal, &word.incarnation)?;
        let beyond = held_beyond(transaction, word, heard)?;
        let Verdict { life, doubt } = continuity::hear(known, heard, beyond, word.fresh_token.clone());
        keep_life(transaction, word, &life)?;
        answered.begin_incarnation = life.ended;
        answered.token = (!life.ended).then_some(life.token);
        answered.doubt = doubt;
    }
    let received = match word.ledger {
        Some(_) => Some(received_in_all(transaction, &word.terminal)?),
        None => None,
    };
    let found =
        word.ledger.as_ref().zip(received).and_then(|(ledger, held)| Disagreement::between(ledger, held));
    let in_a_row = keep_word(transaction, word, received, found.is_some())?;
    answered.disagreement = found.filter(|_| in_a_row >= BELIEVED);
    Ok(answered)
}

fn life(connection: &Connection, terminal: &str, incarnation: &str) -> rusqlite::Result<Option<Life>> {
    connection
        .prepare_cached(
            "SELECT token, token_before, finalised_seq, head_hash, tpm_counter, boot_id, monotonic_ms, ended
             FROM queue_life WHERE terminal = ?1 AND incarnation = ?2",
        )?
        .query_row([terminal, incarnation], |row| {
            Ok(Life {
                token: row.get(0)?,
                before: row.get(1)?,
                finalised_seq: row.get::<_, i64>(2)? as u64,
                head_hash: row.get(3)?,
                tpm_counter: row.get::<_, Option<i64>>(4)?.map(|counter| counter as u64),
                boot_id: row.get(5)?,
                monotonic_ms: row.get::<_, i64>(6)? as u64,
                ended: row.get(7)?,
            })
        })
        .optional()
}

fn keep_life(transaction: &Transaction<'_>, word: &Word, life: &Life) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO queue_life (terminal, incarnation, token, token_before, finalised_seq,
                 head_hash, tpm_counter, boot_id, monotonic_ms, ended, heard_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            word.terminal,
            word.incarnation,
            life.token,
            life.before,
            // A number no queue ever reaches is as good as the largest that fits.
            fits(life.finalised_seq),
            life.head_hash,
            life.tpm_counter.map(fits),
            life.boot_id,
            fits(life.monotonic_ms),
            life.ended,
            word.at_ms,
        ])
        .map(|_| ())
}

/// Whether the city has for long held a record beyond what is announced.
fn held_beyond(connection: &Connection, word: &Word, heard: &Heard) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM inbox WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3 AND received_at_ms < ?4
             LIMIT 1",
        )?
        .exists(params![
            word.terminal,
            word.incarnation,
            fits(heard.finalised_seq),
            word.at_ms.saturating_sub(UNDER_WAY_MS)
        ])
}

fn keep_word(
    transaction: &Transaction<'_>,
    word: &Word,
    received: Option<u64>,
    disagrees: bool,
) -> rusqlite::Result<u64> {
    let ledger = word.ledger.as_ref();
    let of = |field: fn(&Ledger) -> u64| ledger.map(|ledger| fits(field(ledger)));
    transaction
        .prepare_cached(
            "INSERT INTO terminal_word (terminal, incarnation, heard_at_ms, agent_version, catalog_version,
                 oldest_unacked_age_s, disk_used_percent, issued, acknowledged, waiting, side_lane, voided,
                 waiting_bytes, received, disagreements)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT DO UPDATE SET incarnation = ?2, heard_at_ms = ?3, agent_version = ?4,
                 catalog_version = ?5, oldest_unacked_age_s = ?6, disk_used_percent = ?7, issued = ?8,
                 acknowledged = ?9, waiting = ?10, side_lane = ?11, voided = ?12, waiting_bytes = ?13,
                 received = ?14, disagreements = iif(?15, disagreements + 1, 0)
             RETURNING disagreements",
        )?
        .query_row(
            params![
                word.terminal,
                word.incarnation,
                word.at_ms,
                word.agent_version,
                word.catalog_version,
                word.oldest_unacked_age_s.map(fits),
                word.disk_used_percent,
                of(|ledger| ledger.issued),
                of(|ledger| ledger.acknowledged),
                of(|ledger| ledger.waiting),
                of(|ledger| ledger.side_lane),
                of(|ledger| ledger.voided),
                of(|ledger| ledger.waiting_bytes),
                received.map(fits),
                disagrees,
            ],
            |row| row.get::<_, i64>(0).map(|count| count as u64),
        )
}

fn last_word(row: &Row<'_>) -> rusqlite::Result<LastWord> {
    let number = |at| row.get::<_, Option<i64>>(at).map(|number| number.map(|number| number as u64));
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
        terminal: row.get(0)?,
        incarnation: row.get(1)?,
        heard_at_ms: row.get(2)?,
        agent_version: row.get(3)?,
        catalog_version: row.get(4)?,
        oldest_unacked_age_s: number(5)?,
        disk_used_percent: row.get(6)?,
        ledger,
        received: number(13)?,
        disagreements: number(14)?.unwrap_or(0),
    })
}

/// Places held of a terminal, over all lives of its queue.
fn received_in_all(connection: &Connection, terminal: &str) -> rusqlite::Result<u64> {
    let mut all = 0;
    for incarnation in lives_of(connection, terminal)? {
        let known: i64 = connection
            .prepare_cached("SELECT contiguous FROM progress WHERE terminal = ?1 AND incarnation = ?2")?
            .query_row([terminal, &incarnation], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        let beyond: i64 = connection
            .prepare_cached(
                "SELECT count(*) FROM (
                    SELECT seq FROM inbox WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3
                    UNION SELECT seq FROM quarantine WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3)",
            )?
            .query_row(params![terminal, incarnation, known], |row| row.get(0))?;
        all += (known + beyond) as u64;
    }
    Ok(all)
}

fn lives_of(connection: &Connection, terminal: &str) -> rusqlite::Result<Vec<String>> {
    let mut lives = Vec::new();
    for table in ["inbox", "quarantine"] {
        let found = connection
            .prepare_cached(&LIVES.replace("{table}", table))?
            .query_map([terminal], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        lives.extend(found);
    }
    lives.sort_unstable();
    lives.dedup();
    Ok(lives)
}

/// Every queue the city holds something of.
pub(super) fn queues(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut queues = Vec::new();
    let mut next = connection.prepare_cached(
        "SELECT min(terminal) FROM (SELECT min(terminal) AS terminal FROM inbox WHERE terminal > ?1
         UNION ALL SELECT min(terminal) FROM quarantine WHERE terminal > ?1)",
    )?;
    let mut terminal = String::new();
    while let Some(found) = next.query_row([&terminal], |row| row.get::<_, Option<String>>(0))? {
        let lives = lives_of(connection, &found)?;
        queues.extend(lives.into_iter().map(|life| (found.clone(), life)));
        terminal = found;
    }
    Ok(queues)
}

/// How far a queue is held without a gap and with all its blobs; with a time, of what was received until then.
pub(super) fn whole_prefix(
    connection: &Connection,
    terminal: &str,
    incarnation: &str,
    until_ms: Option<i64>,
) -> rusqlite::Result<u64> {
    let mut reached: i64 = connection
        .prepare_cached("SELECT seq FROM durable WHERE terminal = ?1 AND incarnation = ?2")?
        .query_row([terminal, incarnation], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    // Of records that contend for one place all have to be whole, because nobody knows which one its terminal has;
    // unless one of them is a void: then the terminal has none of them, and their blobs never come.
    let mut held = connection.prepare_cached(
        "SELECT seq, max(received_at_ms), max(EXISTS (
             SELECT 1 FROM named_blob n WHERE n.record = r.id AND NOT EXISTS
                 (SELECT 1 FROM whole_blob w WHERE w.sha256 = n.sha256 AND w.leaving = 0
                  AND w.whole_at_ms <= ?4))) AND NOT max(kind = 'void')
         FROM (SELECT id, seq, kind, received_at_ms FROM inbox
               WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3
               UNION ALL SELECT id, seq, kind, received_at_ms FROM quarantine
               WHERE terminal = ?1 AND incarnation = ?2 AND seq > ?3) r
         GROUP BY seq ORDER BY seq",
    )?;
    let until = until_ms.unwrap_or(i64::MAX);
    let mut rows = held.query(params![terminal, incarnation, reached, until])?;
    while let Some(row) = rows.next()? {
        let (seq, received, lacking) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?);
        if seq != reached + 1 || received > until || lacking {
            break;
        }
        reached = seq;
    }
    Ok(reached as u64)
}

pub(super) fn note_durable(
    transaction: &Transaction<'_>,
    terminal: &str,
    incarnation: &str,
    seq: u64,
) -> rusqlite::Result<u64> {
    if seq == 0 {
        return Ok(0);
    }
    let changed = transaction
        .prepare_cached(
            "INSERT INTO durable (terminal, incarnation, seq) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > durable.seq",
        )?
        .execute(params![terminal, incarnation, position(seq)?])?;
    Ok(changed as u64)
}

fn fits(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
