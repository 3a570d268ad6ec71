//! The terminal's databases with values that no program wrote: whole for SQLite, and nonsense for whoever reads them.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::{Target, scratch};

use super::store::{FILES, STATE, exercise};

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "store-rows",
        decodes: "rows of outbox.db, delivery.db and audit-kiosk.db with values that nobody wrote",
        inputs: 800,
        seeds,
        run,
    }]
}

/// One changed value: which file, table, column and row, what kind of value, and eight bytes of it.
const CHANGE: usize = 13;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in 0..FILES.len() as u8 {
        for table in 0..8 {
            for (kind, column) in (0..7).map(|kind| (kind, (kind + table) % 9)) {
                seeds.push([&[file, table, column, 0, kind][..], &(-1_i64).to_le_bytes()].concat());
            }
        }
    }
    seeds
}

fn run(bytes: &[u8]) {
    let folder = scratch::folder();
    scratch::copy_all(STATE.path(), folder.path());
    let (changes, _) = bytes.as_chunks::<CHANGE>();
    for (file, name) in FILES.iter().enumerate() {
        let of_file = changes.iter().take(8).filter(|change| usize::from(change[0]) % FILES.len() == file);
        let db = Connection::open(folder.path().join(name)).expect("our own file can be opened");
        for change in of_file {
            // The schema refuses some of it; what it lets through is what counts.
            let _ = put(&db, change);
        }
    }
    exercise(folder.path());
}

fn put(db: &Connection, change: &[u8; CHANGE]) -> rusqlite::Result<()> {
    let pick = |names: Vec<String>, byte: u8| names.get(usize::from(byte) % names.len().max(1)).cloned();
    let names = |sql: &str| {
        db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    for trigger in names("SELECT name FROM sqlite_master WHERE type = 'trigger'")? {
        db.execute_batch(&format!("DROP TRIGGER \"{trigger}\""))?;
    }
    db.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")?;
    let Some(table) =
        pick(names("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?, change[1])
    else {
        return Ok(());
    };
    let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let Some(column) = pick(columns, change[2]) else { return Ok(()) };
    let eight = i64::from_le_bytes(change[5..].try_into().unwrap_or_default());
    let value = match change[4] % 8 {
        0 => Value::Null,
        1 => Value::Integer(eight),
        2 => Value::Integer(i64::MAX),
        3 => Value::Integer(i64::MIN),
        4 => Value::Integer(i64::from(change[5] as i8)),
        5 => Value::Text(String::from_utf8_lossy(&change[5..]).into_owned()),
        6 => Value::Blob(change[5..].to_vec()),
        _ => Value::Text(eight.to_string()),
    };
    // Some tables have no row ids; then every row changes that may.
    let rows = if change[3].is_multiple_of(2) {
        String::new()
    } else {
        format!(" WHERE rowid % 3 = {}", change[3] / 2 % 3)
    };
    db.execute(&format!("UPDATE OR IGNORE \"{table}\" SET \"{column}\" = ?1{rows}"), [value]).map(drop)
}

/// Values really change: otherwise the readers would be shown what they wrote.
pub(super) fn reaches() {
    let folder = scratch::folder();
    scratch::copy_all(STATE.path(), folder.path());
    let db = Connection::open(folder.path().join(FILES[0])).expect("our own file can be opened");
    let content = || {
        let mut query = db.prepare("SELECT quote(seq) || quote(sha256) || quote(case_id) FROM record")?;
        query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    let before = content().expect("our own file can be read");
    let changes: Vec<_> = seeds().iter().filter_map(|seed| seed.as_slice().try_into().ok()).collect();
    let taken = changes.iter().filter(|change: &&[u8; CHANGE]| change[0] == 0 && put(&db, change).is_ok());
    assert!(taken.count() > 10, "the schema refuses nearly everything");
    assert_ne!(content().expect("what was put there can be read"), before);
}
