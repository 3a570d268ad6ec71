//! What an outbox needs after it was opened and before it takes records: damaged records are closed by voids, and what
//! is gone without a trace is missed.

use crate::incarnation::{Life, lives};
use crate::outbox::SCHEMA;
use crate::{AuditLog, BegunBecause, Damaged, DeliveryReader, NewVoid, Outbox, StoreError, blobs};

/// One thing that was found and dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mended {
    /// A record can no longer be delivered: its place is closed.
    Voided(Damaged),
    /// A record of this UUID was noted as stored and is not there: the disk called written what it had not written.
    Missing(String),
    /// A blob of the record of this UUID is gone or changed. The record itself is still delivered; the city keeps it as
    /// incomplete and says so.
    BlobLost(String),
    /// Nothing may be chained to what is there: the queue goes on in a new life.
    NewLife,
}

impl Outbox {
    /// Closes and misses. `book` is the kiosk's audit chain, where each storing was noted; `sign` makes the void of a
    /// damaged record.
    pub fn mend(
        &mut self,
        book: Option<&AuditLog>,
        now_ms: i64,
        mut sign: impl FnMut(&Damaged) -> NewVoid,
    ) -> Result<Vec<Mended>, StoreError> {
        let mut mended: Vec<_> = self.lost_blobs()?.into_iter().map(Mended::BlobLost).collect();
        let mut nothing_can_follow = self.must_repair();
        for damaged in self.damaged()? {
            self.close_with_void(&sign(&damaged))?;
            mended.push(Mended::Voided(damaged));
        }
        if let Some(stored) = book.map(AuditLog::last_stored).transpose()?.flatten()
            && !self.holds(&stored)?
        {
            mended.push(Mended::Missing(stored));
            // Its place may have been spoken of to the city.
            nothing_can_follow = true;
        }
        if nothing_can_follow {
            let before = self.incarnation().to_owned();
            self.begin_incarnation(BegunBecause::Repaired, now_ms)?;
            if self.incarnation() != before {
                mended.push(Mended::NewLife);
            }
        }
        Ok(mended)
    }

    /// UUIDs of the records, once for each blob that is not what its name says, among those that the city still needs.
    fn lost_blobs(&self) -> Result<Vec<String>, StoreError> {
        let delivery = DeliveryReader::open(self.state()).ok().flatten();
        let mut lost = Vec::new();
        for life in lives(self.db())? {
            for (seq, case_id, sha256) in self.blobs_in(&life)? {
                if !is_complete(delivery.as_ref(), &life, seq) && blobs::read(self.state(), &sha256).is_err()
                {
                    lost.push(case_id);
                }
            }
        }
        Ok(lost)
    }

    /// Position, UUID of the record and hash of each blob that was not given back.
    fn blobs_in(&self, life: &Life) -> Result<Vec<(u64, String, String)>, StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let last = life.last_row.map_or(i64::MAX, |row| row as i64);
        let mut query = self
            .db()
            .prepare(
                "SELECT b.seq, r.case_id, b.sha256 FROM blob b JOIN record r ON r.seq = b.seq \
                 WHERE b.seq BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM purged p WHERE p.seq = b.seq) \
                 AND NOT EXISTS (SELECT 1 FROM void v WHERE v.seq = b.seq) ORDER BY b.seq",
            )
            .map_err(&sql)?;
        let rows = query
            .query_map([life.first_row as i64, last], |row| {
                Ok((life.seq(row.get(0)?), row.get(1)?, row.get(2)?))
            })
            .map_err(&sql)?;
        rows.collect::<Result<_, _>>().map_err(&sql)
    }
}

/// Whether the city holds a record with all its blobs. A delivery log that cannot be read says no.
fn is_complete(delivery: Option<&DeliveryReader>, life: &Life, seq: u64) -> bool {
    let receipt = delivery.and_then(|delivery| delivery.acknowledgement(&life.name, seq).ok().flatten());
    receipt.is_some_and(|receipt| receipt.complete)
}
