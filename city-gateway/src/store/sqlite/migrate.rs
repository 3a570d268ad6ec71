//! Brings a database file to the version this gateway knows. Migrations are SQL files that only ever add.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::OpenError;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_inbox.sql"),
    include_str!("../../../migrations/sqlite/0002_relay.sql"),
];

/// Applies what is missing, each migration in a transaction of its own together with its number.
pub(super) fn run(connection: &mut Connection) -> Result<(), OpenError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known || found < 0 {
        return Err(OpenError::TooNew { found, known });
    }
    for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
