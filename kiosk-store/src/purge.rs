//! Giving back the room of records that the city holds for good. Only the bytes go: place, hashes and manifest stay,
//! so the chain can be followed for ever and a place is never used twice.

use rusqlite::params;

use crate::incarnation::lives;
use crate::outbox::{Outbox, SCHEMA};
use crate::{DeliveryReader, StoreError, blobs};

/// Rows given back in one transaction, so that a resident never waits for it.
const BATCH: usize = 64;

impl Outbox {
    /// Gives back the room of records that are durable at the city (`delivery.db` says so) and were finalised before
    /// `older_than_ms`, at most a batch of them; returns how many. Nothing else is ever given back, however full the
    /// disk is.
    pub fn purge(&mut self, older_than_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        let Some(delivery) = DeliveryReader::open(self.state())? else { return Ok(0) };
        let mut purged = 0;
        for life in lives(self.db())? {
            let durable = delivery.durable_seq(&life.name)?;
            if durable > 0 {
                let last = life.row(durable).min(life.last_row.map_or(i64::MAX, |row| row as i64));
                let (first, limit) = (life.first_row as i64, BATCH - purged);
                purged +=
                    self.writing(|outbox| outbox.purge_rows(first, last, older_than_ms, now_ms, limit))?;
            }
            if purged >= BATCH {
                break;
            }
        }
        Ok(purged)
    }

    fn purge_rows(
        &mut self,
        first: i64,
        last: i64,
        older_than_ms: i64,
        now_ms: i64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let candidates = || -> rusqlite::Result<Vec<i64>> {
            self.db()
                .prepare_cached(
                    "SELECT seq FROM record WHERE seq BETWEEN ?1 AND ?2 AND finalised_at_ms < ?3 \
                     AND NOT EXISTS (SELECT 1 FROM purged WHERE purged.seq = record.seq) ORDER BY seq LIMIT ?4",
                )?
                .query_map(params![first, last, older_than_ms, limit as i64], |row| row.get(0))?
                .collect()
        };
        let rows = candidates().map_err(&sql)?;
        let mark = || -> rusqlite::Result<()> {
            let transaction = self.db().unchecked_transaction()?;
            for row in &rows {
                transaction
                    .execute("INSERT INTO purged (seq, purged_at_ms) VALUES (?1, ?2)", [*row, now_ms])?;
                transaction.execute("UPDATE record SET ciphertext = x'' WHERE seq = ?1", [*row])?;
            }
            transaction.commit()
        };
        mark().map_err(&sql)?;
        // After the commit: a blob that is left behind by a power cut costs room and nothing else.
        for row in &rows {
            self.forget_blobs(*row)?;
        }
        Ok(rows.len())
    }

    /// Removes the blobs that only purged rows name.
    fn forget_blobs(&self, row: i64) -> Result<(), StoreError> {
        let unused = || -> rusqlite::Result<Vec<String>> {
            self.db()
                .prepare_cached(
                    "SELECT sha256 FROM blob b WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM blob o \
                     WHERE o.sha256 = b.sha256 AND NOT EXISTS (SELECT 1 FROM purged p WHERE p.seq = o.seq))",
                )?
                .query_map([row], |row| row.get(0))?
                .collect()
        };
        for sha256 in unused().map_err(StoreError::sql(SCHEMA.file))? {
            blobs::remove(self.state(), &sha256)?;
        }
        Ok(())
    }
}
