//! Numbers for windows in the embedded store. The one writer is the lock.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::SqliteStore;
use crate::store::Reply;
use crate::store::numbers::{QueueDay, QueueNumber, QueueNumbers, TakeNumber};

fn take(transaction: &Transaction<'_>, take: &TakeNumber) -> rusqlite::Result<Option<QueueNumber>> {
    let TakeNumber { terminal, request, queue, day, most, at_ms } = take;
    if let Some(known) = given(transaction, terminal, request)? {
        return Ok(Some(known));
    }
    let number: Option<u32> = transaction
        .prepare_cached(
            "INSERT INTO queue_day (queue, day, given) VALUES (?1, ?2, 1)
             ON CONFLICT (queue, day) DO UPDATE SET given = given + 1 WHERE given < ?3
             RETURNING given",
        )?
        .query_row(params![queue, day, most], |row| row.get(0))
        .optional()?;
    let Some(number) = number else { return Ok(None) };
    transaction
        .prepare_cached(
            "INSERT INTO queue_number (terminal, request, queue, day, number, given_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![terminal, request, queue, day, number, at_ms])?;
    given(transaction, terminal, request)
}

fn given(connection: &Connection, terminal: &str, request: &str) -> rusqlite::Result<Option<QueueNumber>> {
    connection
        .prepare_cached(
            "SELECT n.queue, n.day, n.number, d.called FROM queue_number n
             JOIN queue_day d ON d.queue = n.queue AND d.day = n.day
             WHERE n.terminal = ?1 AND n.request = ?2",
        )?
        .query_row([terminal, request], |row| {
            Ok(QueueNumber { queue: row.get(0)?, day: row.get(1)?, number: row.get(2)?, called: row.get(3)? })
        })
        .optional()
}

impl QueueNumbers for SqliteStore {
    fn take_number(&self, wanted: TakeNumber) -> Reply<'_, Option<QueueNumber>> {
        Box::pin(self.work(move |transaction| take(transaction, &wanted)))
    }

    fn number_called<'a>(&'a self, queue: &'a str, day: &'a str, number: u32) -> Reply<'a, bool> {
        let (queue, day) = (queue.to_owned(), day.to_owned());
        Box::pin(self.work(move |transaction| {
            let called = transaction
                .prepare_cached(
                    "UPDATE queue_day SET called = max(coalesce(called, 0), ?3)
                     WHERE queue = ?1 AND day = ?2 AND given >= ?3",
                )?
                .execute(params![queue, day, number])?;
            Ok(called > 0)
        }))
    }

    fn queues<'a>(&'a self, day: &'a str) -> Reply<'a, Vec<QueueDay>> {
        let day = day.to_owned();
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached("SELECT queue, given, called FROM queue_day WHERE day = ?1 ORDER BY queue")?
                .query_map([day], |row| {
                    Ok(QueueDay { queue: row.get(0)?, given: row.get(1)?, called: row.get(2)? })
                })?
                .collect()
        }))
    }

    fn forget_numbers<'a>(&'a self, before_day: &'a str) -> Reply<'a, u64> {
        let before = before_day.to_owned();
        Box::pin(self.work(move |transaction| {
            let gone =
                transaction.prepare_cached("DELETE FROM queue_number WHERE day < ?1")?.execute([&before])?;
            transaction.prepare_cached("DELETE FROM queue_day WHERE day < ?1")?.execute([&before])?;
            Ok(gone as u64)
        }))
    }
}
