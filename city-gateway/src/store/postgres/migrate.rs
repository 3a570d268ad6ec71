//! Brings a database to the version this gateway knows. Migrations are SQL files that only ever add: during
//! an update, gateways of both versions work on the same tables.

use deadpool_postgres::ClientWrapper;

use crate::store::OpenError;

/// To add one: a new file with the next number, and a line here. A file that has landed is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_inbox.sql"),
    include_str!("../../../migrations/postgres/0002_blobs.sql"),
    include_str!("../../../migrations/postgres/0003_lives.sql"),
    include_str!("../../../migrations/postgres/0004_desk.sql"),
    include_str!("../../../migrations/postgres/0005_terminals.sql"),
    include_str!("../../../migrations/postgres/0006_relay.sql"),
    include_str!("../../../migrations/postgres/0007_release.sql"),
    include_str!("../../../migrations/postgres/0008_owed.sql"),
    include_str!("../../../migrations/postgres/0009_documents.sql"),
    include_str!("../../../migrations/postgres/0010_keeper.sql"),
    include_str!("../../../migrations/postgres/0011_queue_numbers.sql"),
    include_str!("../../../migrations/postgres/0012_follow_ups.sql"),
];

/// Names the lock that gateways starting at the same time take in turn.
const LOCK: i64 = 0x6B69_6F73_6B00_0001;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (number bigint PRIMARY KEY)";

/// Applies what is missing, each migration in a transaction of its own together with its number. Where the
/// lock is an empty word (some engines know it only by name), the number's primary key lets only one of two
/// go through.
pub(super) async fn run(client: &mut ClientWrapper) -> Result<(), OpenError> {
    let known = MIGRATIONS.len() as i64;
    // A migration may take its time, and others wait for it.
    client.batch_execute("SET statement_timeout = '15min'; SET lock_timeout = '15min'").await?;
    loop {
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        transaction.batch_execute(TABLE).await?;
        let row = transaction.query_one("SELECT coalesce(max(number), 0) FROM migration", &[]).await?;
        let found: i64 = row.try_get(0)?;
        if found > known || found < 0 {
            return Err(OpenError::TooNew { found, known });
        }
        let Some(sql) = MIGRATIONS.get(found as usize) else {
            return Ok(transaction.commit().await?);
        };
        transaction.execute("INSERT INTO migration (number) VALUES ($1)", &[&(found + 1)]).await?;
        transaction.batch_execute(sql).await?;
        transaction.commit().await?;
        tracing::info!(number = found + 1, "the database was brought up to date");
    }
}
