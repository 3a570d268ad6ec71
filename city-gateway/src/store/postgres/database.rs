//! The pool of connections to one database, and the one way to run a statement on it.
//!
//! Every wait is bounded: for a place in the pool, for a lock, for a statement, for an answer. Every
//! connection is looked at when it is made: durability must be on, and the database must still be the one
//! that was opened.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::{Address, CONNECT, Connector};
use super::life::{self, Life};
use super::{errors, migrate};
use crate::store::{OpenError, StoreError};

/// Longest wait for an answer; the server ends the statement earlier by itself.
const ANSWER: Duration = Duration::from_secs(12);

/// How often a statement is tried again that collided with another one.
const COLLISIONS: u32 = 5;

/// What every connection is told. A statement or a lock that takes longer is a fault, and must not hold
/// others.
const SESSION: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
                       SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = 'warning'";

/// Settings without which a receipt is no promise. An engine that does not have one of them answers NULL.
const SETTINGS: [(&str, &[&str], &str); 4] = [
    ("synchronous_commit", &["on", "remote_apply"], "on or remote_apply"),
    ("fsync", &["on"], "on"),
    ("full_page_writes", &["on"], "on"),
    ("server_encoding", &["UTF8"], "UTF8"),
];

const READ_BACK: &str = "SELECT current_setting('synchronous_commit', true), current_setting('fsync', true),
    current_setting('full_page_writes', true), current_setting('server_encoding', true),
    current_setting('data_checksums', true)";

/// A database, opened.
#[derive(Clone)]
pub(in crate::store) struct Database {
    pool: Pool,
    epoch: Arc<str>,
}

impl Database {
    /// Looks at the settings, brings the tables up to date, and makes the pool.
    pub(in crate::store) async fn open(
        address: &Address,
        connections: usize,
        wait: Duration,
    ) -> Result<Self, OpenError> {
        let connector = Connector::new(address)?;
        let mut first = timeout(CONNECT * 2, connector.open())
            .await
            .map_err(|_| OpenError::Postgres("no connection in time".into()))??;
        let found = settings(&first).await?;
        if let Some((setting, found, wanted)) = found.wrong {
            return Err(OpenError::Setting { setting, found, wanted });
        }
        if found.checksums.as_deref() == Some("off") {
            tracing::warn!("data_checksums is off: damage to the database's files would not be noticed");
        }
        migrate::run(&mut first).await?;
        let life = life::begin(&mut first).await?;
        let epoch: Arc<str> = life.epoch.as_str().into();
        drop(first);

        let look = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let life = life.clone();
            Box::pin(async move { welcome(client, &life).await })
        });
        let config = connector.config.clone();
        let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_connect(config, connector, manage))
            .max_size(connections.max(2))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(wait))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .post_create(look)
            .build()
            .map_err(|error| OpenError::Postgres(error.to_string()))?;
        Ok(Self { pool, epoch })
    }

    /// The life of this database.
    pub(in crate::store) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// A connection, for what needs more than one statement. Wait no longer than needed and give it back.
    pub(in crate::store) async fn connection(&self) -> Result<Object, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// Runs one statement, which is one SQL transaction; prepared once for each connection. One that collides
    /// with another is tried again.
    pub(in crate::store) async fn query(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let mut collisions = 0;
        loop {
            let connection = self.connection().await?;
            let work = async {
                let statement = connection.prepare_cached(sql).await?;
                connection.query(&statement, values).await
            };
            match timeout(ANSWER, work).await {
                Ok(Err(error)) if errors::is_collision(&error) && collisions < COLLISIONS => {
                    collisions += 1;
                    tokio::time::sleep(Duration::from_millis(5) * collisions).await;
                }
                Ok(result) => return Ok(result?),
                Err(_) => {
                    // What is still under way on it would hold the next one up.
                    drop(Object::take(connection));
                    return Err(late());
                }
            }
        }
    }

    /// [`Database::query`] for a statement that answers at most one row.
    pub(in crate::store) async fn query_opt(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Begins several statements that are one SQL transaction. Not tried again when they collide with others: whoever
    /// asked is told [`StoreError::Busy`] and comes again.
    pub(in crate::store) async fn begin(&self) -> Result<Work, StoreError> {
        let work = Work { connection: Some(self.connection().await?) };
        work.run("BEGIN").await?;
        Ok(work)
    }

    /// Ends all connections that are not in use, and those in use when they are given back.
    pub(in crate::store) fn close(&self) {
        self.pool.close();
    }
}

/// A transaction under way. Dropped before [`Work::commit`], it never happened.
pub(in crate::store) struct Work {
    /// Absent only while it is being dropped.
    connection: Option<Object>,
}

impl Work {
    /// Runs a statement, prepared once for each connection.
    pub(in crate::store) async fn query(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection()?;
        let work = async {
            let statement = connection.prepare_cached(sql).await?;
            connection.query(&statement, values).await
        };
        Ok(timeout(ANSWER, work).await.map_err(|_| late())??)
    }

    /// [`Work::query`] for a statement that answers at most one row.
    pub(in crate::store) async fn query_opt(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Runs a statement that changes rows; says how many.
    pub(in crate::store) async fn execute(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let connection = self.connection()?;
        let work = async {
            let statement = connection.prepare_cached(sql).await?;
            connection.execute(&statement, values).await
        };
        Ok(timeout(ANSWER, work).await.map_err(|_| late())??)
    }

    /// Makes it lasting.
    pub(in crate::store) async fn commit(mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await?;
        // Given back to the pool.
        self.connection = None;
        Ok(())
    }

    async fn run(&self, words: &str) -> Result<(), StoreError> {
        Ok(timeout(ANSWER, self.connection()?.batch_execute(words)).await.map_err(|_| late())??)
    }

    fn connection(&self) -> Result<&Object, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Nobody else may go on in the middle of it: the connection ends, and the server takes everything back.
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

fn late() -> StoreError {
    StoreError::Unreachable("no answer in time".into())
}

/// PostgreSQL's text cannot hold the character NUL. No honest terminal sends one; a dishonest one must not be
/// able to make its own queue stop, so the visible symbol stands for it.
pub(in crate::store) fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{2400}").into() } else { text.into() }
}

/// What was read back.
struct Settings {
    wrong: Option<(&'static str, String, &'static str)>,
    checksums: Option<String>,
}

async fn settings(client: &ClientWrapper) -> Result<Settings, tokio_postgres::Error> {
    let row = client.query_one(READ_BACK, &[]).await?;
    let mut wrong = None;
    for (at, (setting, good, wanted)) in SETTINGS.into_iter().enumerate() {
        let found: Option<String> = row.try_get(at)?;
        if let Some(found) = found.filter(|found| !good.contains(&found.as_str())) {
            wrong = wrong.or(Some((setting, found, wanted)));
        }
    }
    Ok(Settings { wrong, checksums: row.try_get(SETTINGS.len())? })
}

/// Looks at a new connection of the pool. The server may have been started anew since, with other settings,
/// or as a copy of an older day.
async fn welcome(client: &ClientWrapper, life: &Life) -> Result<(), HookError> {
    client.batch_execute(SESSION).await.map_err(HookError::Backend)?;
    if let Some((setting, found, wanted)) = settings(client).await.map_err(HookError::Backend)?.wrong {
        return Err(HookError::message(format!("{setting} is {found}, but must be {wanted}")));
    }
    if life::present(client).await.map_err(HookError::Backend)?.as_ref() == Some(life) {
        Ok(())
    } else {
        Err(HookError::message("the database is in another life than the one that was opened"))
    }
}
