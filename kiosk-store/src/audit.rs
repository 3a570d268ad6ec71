//! An append-only chain of audit events: each row's hash covers the row and the hash before it.
//!
//! The chain shows a changed, removed or inserted row and names the first one that is wrong. Cutting off the newest rows
//! leaves a shorter chain that is whole in itself; only a copy of the head kept elsewhere shows that.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use crate::connection::{Schema, Writer};
use crate::hash::sha256_hex;
use crate::{AuditEvent, StoreError};

const MIGRATIONS: &[&str] = &[include_str!("../migrations/audit-0001.sql")];
const KIOSK: Schema = Schema { file: "audit-kiosk.db", lock: "audit-kiosk.lock", migrations: MIGRATIONS };
const AGENT: Schema = Schema { file: "audit-agent.db", lock: "audit-agent.lock", migrations: MIGRATIONS };

/// A row of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Position from 1.
    pub seq: u64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Name of the event.
    pub name: String,
    /// Its fields.
    pub fields: String,
    /// Hash over this row and the hash before.
    pub hash: String,
}

/// What following a chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Rows seen.
    pub rows: u64,
    /// Hash of the last good row; worth keeping elsewhere.
    pub head: String,
    /// First row that does not fit.
    pub first_broken: Option<u64>,
}

/// The writer of one process's chain.
pub struct AuditLog {
    writer: Writer,
    schema: &'static Schema,
    process: &'static str,
    next: u64,
    head: String,
}

impl AuditLog {
    /// Opens the chain of a process (`kiosk` or `agent`) in the state folder, and makes it when it is not there. A last
    /// row that does not fit is a damaged chain.
    pub fn open(state_dir: &Path, process: &str) -> Result<Self, StoreError> {
        let (schema, process) = schema_of(process);
        let writer = Writer::open(state_dir, schema)?;
        let sql = StoreError::sql(schema.file);
        writer
            .db
            .execute(
                "INSERT INTO meta (key, value) SELECT 'chain', ?1 || '-' || lower(hex(randomblob(16))) \
                 WHERE NOT EXISTS (SELECT 1 FROM meta)",
                [process],
            )
            .map_err(&sql)?;
        let start = start_of(&writer.db, schema)?;
        let last = last_two(&writer.db).map_err(&sql)?;
        let (next, head) = match last.as_slice() {
            [] => (1, start),
            [last, before @ ..] => {
                let prev = before.first().map_or(start, |row| row.hash.clone());
                if hash_of(last, &prev) != last.hash {
                    let what = format!("row {} of the chain does not fit", last.seq);
                    return Err(StoreError::Corrupt { file: schema.file, what });
                }
                (last.seq.saturating_add(1), last.hash.clone())
            }
        };
        Ok(Self { writer, schema, process, next, head })
    }

    /// Writes one event. An event that is declared for the other process is refused.
    pub fn record(&mut self, at_ms: i64, event: &AuditEvent) -> Result<(), StoreError> {
        self.record_all(&[(at_ms, *event)])
    }

    /// Writes several events in one transaction.
    pub fn record_all(&mut self, events: &[(i64, AuditEvent)]) -> Result<(), StoreError> {
        if let Some((_, foreign)) = events.iter().find(|(_, event)| event.info().process != self.process) {
            return Err(StoreError::OtherChain(foreign.info().name));
        }
        let (mut next, mut head) = (self.next, self.head.clone());
        let mut rows = || -> rusqlite::Result<()> {
            let transaction = self.writer.db.unchecked_transaction()?;
            for (at_ms, event) in events {
                let mut row = AuditRow {
                    seq: next,
                    at_ms: *at_ms,
                    name: event.info().name.to_owned(),
                    fields: event.fields(),
                    hash: String::new(),
                };
                row.hash = hash_of(&row, &head);
                transaction
                    .prepare_cached(
                        "INSERT INTO event (seq, at_ms, name, fields, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![row.seq as i64, row.at_ms, row.name, row.fields, row.hash])?;
                next += 1;
                head = row.hash;
            }
            transaction.commit()
        };
        rows().map_err(StoreError::sql(self.schema.file))?;
        (self.next, self.head) = (next, head);
        Ok(())
    }

    /// Position of the row that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// UUID of the record that the kiosk noted last as stored. `None` when there is none, and when it was noted since
    /// that it is missing or that the queue began a new life.
    pub fn last_stored(&self) -> Result<Option<String>, StoreError> {
        let newest: Option<(String, String)> = self
            .writer
            .db
            .query_row(
                "SELECT name, fields FROM event WHERE name IN \
                 ('case_finalised', 'rating_stored', 'record_missing', 'incarnation_begun') \
                 ORDER BY seq DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(StoreError::sql(self.schema.file))?;
        let stored = newest.filter(|(name, _)| matches!(name.as_str(), "case_finalised" | "rating_stored"));
        Ok(stored.and_then(|(_, fields)| {
            fields.split(' ').find_map(|field| field.strip_prefix("record=")).map(str::to_owned)
        }))
    }

    /// Path of the file of a process's chain.
    pub fn path(state_dir: &Path, process: &str) -> PathBuf {
        state_dir.join(schema_of(process).0.file)
    }

    /// Follows the whole chain of a process and names the first row that does not fit; `None` when there is no chain.
    pub fn verify(state_dir: &Path, process: &str) -> Result<Option<ChainReport>, StoreError> {
        let schema = schema_of(process).0;
        let Some(db) = crate::connection::open_reader(state_dir, schema)? else { return Ok(None) };
        let sql = StoreError::sql(schema.file);
        let mut head = start_of(&db, schema)?;
        let mut query =
            db.prepare("SELECT seq, at_ms, name, fields, hash FROM event ORDER BY seq").map_err(&sql)?;
        let mut rows = query.query([]).map_err(&sql)?;
        let mut seen = 0;
        while let Some(row) = rows.next().map_err(&sql)? {
            let row = row_from(row).map_err(&sql)?;
            seen += 1;
            if row.seq != seen || hash_of(&row, &head) != row.hash {
                return Ok(Some(ChainReport { rows: seen, head, first_broken: Some(seen) }));
            }
            head = row.hash;
        }
        Ok(Some(ChainReport { rows: seen, head, first_broken: None }))
    }

    /// Rows from a position on, for display.
    pub fn read(
        state_dir: &Path,
        process: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let schema = schema_of(process).0;
        let Some(db) = crate::connection::open_reader(state_dir, schema)? else { return Ok(Vec::new()) };
        let sql = StoreError::sql(schema.file);
        let mut query = db
            .prepare("SELECT seq, at_ms, name, fields, hash FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2")
            .map_err(&sql)?;
        let rows = query.query_map((from as i64, limit as i64), row_from).map_err(&sql)?;
        rows.collect::<Result<_, _>>().map_err(&sql)
    }
}

fn schema_of(process: &str) -> (&'static Schema, &'static str) {
    match process {
        "agent" => (&AGENT, "agent"),
        _ => (&KIOSK, "kiosk"),
    }
}

/// The chain hangs on its own random name, so rows of one chain do not fit into another.
fn start_of(db: &Connection, schema: &'static Schema) -> Result<String, StoreError> {
    let name: String = db
        .query_row("SELECT value FROM meta WHERE key = 'chain'", [], |row| row.get(0))
        .map_err(|_| StoreError::Corrupt { file: schema.file, what: "the chain has no name".into() })?;
    Ok(sha256_hex(&[name.as_bytes()]))
}

fn last_two(db: &Connection) -> rusqlite::Result<Vec<AuditRow>> {
    db.prepare("SELECT seq, at_ms, name, fields, hash FROM event ORDER BY seq DESC LIMIT 2")?
        .query_map([], row_from)?
        .collect()
}

fn row_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: row.get::<_, i64>(0)? as u64,
        at_ms: row.get(1)?,
        name: row.get(2)?,
        fields: row.get(3)?,
        hash: row.get(4)?,
    })
}

fn hash_of(row: &AuditRow, prev: &str) -> String {
    // Names and fields hold neither a newline nor each other's separator, so no two rows give the same bytes.
    let text = format!("{}\n{}\n{}\n{}\n{prev}", row.seq, row.at_ms, row.name, row.fields);
    sha256_hex(&[text.as_bytes()])
}
