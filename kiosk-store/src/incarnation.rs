//! The lives of a queue. One file may hold several: when the disk turns out to be a copy, or a damaged record was
//! closed, the queue goes on under a new name from position 1, and what waits in the old life is still delivered.

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crate::outbox::SCHEMA;

/// Why a life began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BegunBecause {
    /// The file is new.
    Made,
    /// The city knows another disk that is this queue.
    CopiedDisk,
    /// The last record was damaged, so nothing can be chained to it.
    Repaired,
}

impl BegunBecause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::CopiedDisk => "copied-disk",
            Self::Repaired => "repaired",
        }
    }
}

/// One life: its name and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub name: String,
    /// Row of position 1.
    pub first_row: u64,
    /// Last row when a later life follows.
    pub last_row: Option<u64>,
}

impl Life {
    /// The row of a position.
    pub(crate) fn row(&self, seq: u64) -> i64 {
        i64::try_from(self.first_row.saturating_add(seq).saturating_sub(1)).unwrap_or(i64::MAX)
    }

    /// The position of a row.
    pub(crate) fn seq(&self, row: i64) -> u64 {
        (row as u64).saturating_add(1).saturating_sub(self.first_row)
    }
}

/// All lives, oldest first.
pub(crate) fn lives(db: &Connection) -> Result<Vec<Life>, StoreError> {
    let sql = StoreError::sql(SCHEMA.file);
    let mut query =
        db.prepare_cached("SELECT name, first_row FROM incarnation ORDER BY first_row").map_err(&sql)?;
    let rows = query
        .query_map([], |row| {
            Ok(Life { name: row.get(0)?, first_row: row.get::<_, i64>(1)? as u64, last_row: None })
        })
        .map_err(&sql)?;
    let mut lives: Vec<Life> = rows.collect::<Result<_, _>>().map_err(&sql)?;
    for at in 1..lives.len() {
        lives[at - 1].last_row = Some(lives[at].first_row.saturating_sub(1));
    }
    Ok(lives)
}

/// Name of the life that goes on.
pub(crate) fn newest(db: &Connection) -> Result<Option<String>, StoreError> {
    db.prepare_cached("SELECT name FROM incarnation ORDER BY first_row DESC LIMIT 1")
        .and_then(|mut query| query.query_row([], |row| row.get(0)).optional())
        .map_err(StoreError::sql(SCHEMA.file))
}

/// Begins a life after the last row. A life without a record takes the new name: nothing was stored under the old one
/// here, but receipts may lie there for what an older image or another disk stored under it.
pub(crate) fn begin(db: &Connection, because: BegunBecause, now_ms: i64) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO incarnation (first_row, name, begun_at_ms, reason) \
         SELECT 1 + ifnull((SELECT max(seq) FROM record), 0), lower(hex(randomblob(16))), ?1, ?2 WHERE true \
         ON CONFLICT (first_row) DO UPDATE SET \
         name = excluded.name, begun_at_ms = excluded.begun_at_ms, reason = excluded.reason",
        params![now_ms, because.as_str()],
    )
    .map(|_| ())
    .map_err(StoreError::sql(SCHEMA.file))
}
