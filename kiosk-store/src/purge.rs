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
    /// disk is. What is durable the city says by place, so a record that it kept aside as a conflict is never given back:
    /// another record has that place.
    pub fn purge(&mut self, older_than_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        let Some(delivery) = DeliveryReader::open(self.state())? else { return Ok(0) };
        let mut purged = 0;
        for life in lives(self.db())? {
            let durable = delivery.durable_seq(&life.name)?;
            if durable > 0 {
                let last = life.row(durable).min(life.last_row.map_or(i64::MAX, |row| row as i64));
                let mut rows = self.purgeable(life.first_row as i64, last, older_than_ms)?;
                let mut accepted = Vec::new();
                while accepted.len() < BATCH - purged {
                    let Some(&newest) = rows.last() else { break };
                    for row in rows {
                        if delivery.is_accepted(&life.name, life.seq(row))? {
                            accepted.push(row);
                        }
                    }
                    rows = self.purgeable(newest + 1, last, older_than_ms)?;
                }
                accepted.truncate(BATCH - purged);
                self.writing(|outbox| outbox.purge_rows(&accepted, now_ms))?;
                purged += accepted.len();
            }
            if purged >= BATCH {
                break;
            }
        }
        Ok(purged)
    }

    /// A batch of rows that are old enough and not given back yet.
    fn purgeable(&self, first: i64, last: i64, older_than_ms: i64) -> Result<Vec<i64>, StoreError> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            self.db()
                .prepare_cached(
                    "SELECT seq FROM record WHERE seq BETWEEN ?1 AND ?2 AND finalised_at_ms < ?3 \
                     AND NOT EXISTS (SELECT 1 FROM purged WHERE purged.seq = record.seq) ORDER BY seq LIMIT ?4",
                )?
                .query_map(params![first, last, older_than_ms, BATCH as i64], |row| row.get(0))?
                .collect()
        };
        read().map_err(StoreError::sql(SCHEMA.file))
    }

    fn purge_rows(&mut self, rows: &[i64], now_ms: i64) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mark = || -> rusqlite::Result<()> {
            let transaction = self.db().unchecked_transaction()?;
            for row in rows {
                transaction
                    .execute("INSERT INTO purged (seq, purged_at_ms) VALUES (?1, ?2)", [*row, now_ms])?;
                transaction.execute("UPDATE record SET ciphertext = x'' WHERE seq = ?1", [*row])?;
            }
            transaction.commit()
        };
        mark().map_err(StoreError::sql(SCHEMA.file))?;
        // After the commit: what a power cut leaves behind costs room until `sweep`, and nothing else.
        for row in rows {
            self.forget_blobs(*row)?;
        }
        Ok(())
    }

    /// Done once after opening: removes what power cuts left in the blob folder, blobs that were begun and blobs that
    /// only purged rows name; returns how many. A blob that no row names at all stays: its row may have been lost.
    pub fn sweep(&mut self) -> Result<usize, StoreError> {
        self.writing(|outbox| {
            let mut swept = 0;
            for name in blobs::names(outbox.state())? {
                if blobs::is_begun(&name) || outbox.is_given_back(&name)? {
                    blobs::remove(outbox.state(), &name)?;
                    swept += 1;
                }
            }
            Ok(swept)
        })
    }

    /// Whether rows name this blob, and all of them are purged.
    fn is_given_back(&self, sha256: &str) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) > 0 AND count(*) = count(purged.seq) FROM blob LEFT JOIN purged USING (seq) \
                   WHERE sha256 = ?1";
        let read = || self.db().prepare_cached(sql)?.query_row([sha256], |row| row.get(0));
        read().map_err(StoreError::sql(SCHEMA.file))
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
