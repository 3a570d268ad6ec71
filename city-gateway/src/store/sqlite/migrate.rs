//! Brings a database file to the version this gateway knows. Migrations are SQL files that only ever add.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::store::OpenError;

pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_inbox.sql"),
    include_str!("../../../migrations/sqlite/0005_voids.sql"),
    include_str!("../../../migrations/sqlite/0006_blobs.sql"),
    include_str!("../../../migrations/sqlite/0007_lives.sql"),
    include_str!("../../../migrations/sqlite/0008_desk.sql"),
    include_str!("../../../migrations/sqlite/0009_terminals.sql"),
    include_str!("../../../migrations/sqlite/0010_relay.sql"),
    include_str!("../../../migrations/sqlite/0011_relay.sql"),
    include_str!("../../../migrations/sqlite/0012_release.sql"),
    include_str!("../../../migrations/sqlite/0013_documents.sql"),
    include_str!("../../../migrations/sqlite/0014_keeper.sql"),
    include_str!("../../../migrations/sqlite/0015_queue_numbers.sql"),
    include_str!("../../../migrations/sqlite/0016_follow_ups.sql"),
];

/// Applies what is missing, each migration in a transaction of its own together with its number.
///
/// A table that others refer to can only be written anew while references are not followed; so they are followed
/// again, and checked, before the transaction ends.
pub(super) fn run(connection: &mut Connection) -> Result<(), OpenError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known || found < 0 {
        return Err(OpenError::TooNew { found, known });
    }
    if found == known {
        return Ok(());
    }
    references(connection, false)?;
    for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        if let Some(table) = broken_reference(&transaction)? {
            return Err(OpenError::Setting { setting: "foreign_key_check", found: table, wanted: "no row" });
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    references(connection, true)
}

/// Whether references are followed, and renaming a table checks what speaks of it.
fn references(connection: &Connection, followed: bool) -> Result<(), OpenError> {
    connection.pragma_update(None, "legacy_alter_table", !followed)?;
    connection.pragma_update(None, "foreign_keys", followed)?;
    let found: bool = connection.pragma_query_value(None, "foreign_keys", |row| row.get(0))?;
    if found == followed {
        return Ok(());
    }
    Err(OpenError::Setting {
        setting: "foreign_keys",
        found: found.to_string(),
        wanted: if followed { "true" } else { "false" },
    })
}

/// The first table with a row that refers to nothing.
fn broken_reference(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.prepare("PRAGMA foreign_key_check")?.query_row([], |row| row.get(0)).optional()
}
