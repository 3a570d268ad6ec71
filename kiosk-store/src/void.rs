//! Records whose bytes no longer fit their hashes, and the signed voids that close their places: the rest of the
//! queue flows on, and the city learns that something was lost instead of waiting for it.

use rusqlite::params;

use crate::StoreError;
use crate::hash::sha256_hex;
use crate::incarnation::{Life, lives};
use crate::outbox::{Outbox, SCHEMA};

/// A record that can no longer be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Life of the queue.
    pub incarnation: String,
    /// Position in it.
    pub seq: u64,
    /// UUID of the lost record, as it stands there.
    pub case_id: String,
    /// Hash of the manifest before this place.
    pub prev_hash: String,
    /// Hash of the manifest that stood here: what the next record names, or else what this row says of itself.
    pub manifest_hash: String,
}

/// A void to be stored.
pub struct NewVoid {
    /// Life of the queue.
    pub incarnation: String,
    /// The place it closes.
    pub seq: u64,
    /// UUID of the void.
    pub case_id: String,
    /// The signed manifest of the void.
    pub manifest: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

impl Outbox {
    /// Reads every row and finds those that were damaged and are not closed yet.
    pub fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        let mut found = Vec::new();
        for life in lives(self.db())? {
            self.damaged_in(&life, &mut found)?;
        }
        Ok(found)
    }

    fn damaged_in(&self, life: &Life, found: &mut Vec<Damaged>) -> Result<(), StoreError> {
        let sql = StoreError::sql(SCHEMA.file);
        let last = life.last_row.map_or(i64::MAX, |row| row as i64);
        let mut query = self
            .db()
            .prepare(
                "SELECT r.seq, r.case_id, r.manifest, r.manifest_hash, r.prev_hash, r.sha256, r.ciphertext, \
                 (SELECT n.prev_hash FROM record n WHERE n.seq = r.seq + 1 AND n.seq <= ?2), \
                 EXISTS (SELECT 1 FROM purged p WHERE p.seq = r.seq) FROM record r \
                 WHERE r.seq BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM void v WHERE v.seq = r.seq) ORDER BY r.seq",
            )
            .map_err(&sql)?;
        let mut rows = query.query(params![life.first_row as i64, last]).map_err(&sql)?;
        while let Some(row) = rows.next().map_err(&sql)? {
            let (manifest, own_hash): (String, String) =
                (row.get(2).map_err(&sql)?, row.get(3).map_err(&sql)?);
            let (sha256, ciphertext): (String, Vec<u8>) =
                (row.get(5).map_err(&sql)?, row.get(6).map_err(&sql)?);
            let (next, purged): (Option<String>, bool) =
                (row.get(7).map_err(&sql)?, row.get(8).map_err(&sql)?);
            let manifest_hash = next.unwrap_or_else(|| own_hash.clone());
            let whole = sha256_hex(&[manifest.as_bytes()]) == own_hash
                && own_hash == manifest_hash
                && (purged || sha256_hex(&[&ciphertext]) == sha256);
            if !whole {
                found.push(Damaged {
                    incarnation: life.name.clone(),
                    seq: life.seq(row.get(0).map_err(&sql)?),
                    case_id: row.get(1).map_err(&sql)?,
                    prev_hash: row.get(4).map_err(&sql)?,
                    manifest_hash,
                });
            }
        }
        Ok(())
    }

    /// Closes the place of a damaged record for good. Stored like a record: when this returns, it is on disk.
    pub fn close_with_void(&mut self, void: &NewVoid) -> Result<(), StoreError> {
        let life = lives(self.db())?
            .into_iter()
            .find(|life| life.name == void.incarnation)
            .ok_or(StoreError::NotFound)?;
        self.writing(|outbox| {
            outbox
                .db()
                .execute(
                    "INSERT INTO void (seq, case_id, manifest, closed_at_ms) VALUES (?1, ?2, ?3, ?4)",
                    params![life.row(void.seq), void.case_id, void.manifest, void.at_ms],
                )
                .map(|_| ())
                .map_err(StoreError::sql(SCHEMA.file))
        })
    }
}
