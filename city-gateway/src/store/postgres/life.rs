//! The life of a database: its epoch, and which server and which of its histories that belongs to. A database that was
//! put back from a copy, or whose standby was promoted, begins a new life by itself when a gateway opens it, so that
//! terminals send again what it may have lost.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// One life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    /// Its name, as terminals are told it.
    pub(super) epoch: String,
    /// The server and its history; absent where an engine cannot tell.
    history: Option<String>,
}

const MAKE: &str = "
    INSERT INTO gateway (only_row, epoch, history) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";

/// Of several gateways that start at once, one makes the new life.
const BEGIN: &str = "
    UPDATE gateway SET epoch = $1, history = $2 WHERE only_row = 1 AND history IS DISTINCT FROM $2";

/// The identity of the server's files, and the number that goes up whenever it goes on from an earlier moment: after
/// a restore, after a promotion.
const HISTORY: &str = "
    SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    FROM pg_control_system()";

/// The life of this database, made anew where it has to be.
pub(super) async fn begin(client: &mut ClientWrapper) -> Result<Life, Error> {
    let history = history(client).await?;
    let fresh = uuid::Uuid::new_v4().to_string();
    client.execute(MAKE, &[&fresh, &history]).await?;
    if history.is_some() {
        let transaction = client.transaction().await?;
        if transaction.execute(BEGIN, &[&fresh, &history]).await? > 0 {
            // The terminals' tokens are newer than the ones in a copy.
            transaction.execute("DELETE FROM queue_life", &[]).await?;
            tracing::warn!(alarm = true, epoch = %fresh, "the database goes on from an earlier moment: a new epoch");
        }
        transaction.commit().await?;
    }
    let epoch = client.query_one("SELECT epoch FROM gateway", &[]).await?.try_get(0)?;
    Ok(Life { epoch, history })
}

/// Begins a new life because an operator says so; returns its epoch.
pub(super) async fn begin_by_hand(client: &mut ClientWrapper) -> Result<String, Error> {
    let fresh = uuid::Uuid::new_v4().to_string();
    let transaction = client.transaction().await?;
    transaction.execute("UPDATE gateway SET epoch = $1 WHERE only_row = 1", &[&fresh]).await?;
    transaction.execute("DELETE FROM queue_life", &[]).await?;
    transaction.commit().await?;
    Ok(fresh)
}

/// The life a connection finds.
pub(super) async fn present(client: &ClientWrapper) -> Result<Option<Life>, Error> {
    let history = history(client).await?;
    let row = client.query_opt("SELECT epoch FROM gateway", &[]).await?;
    let epoch: Option<String> = row.and_then(|row| row.try_get(0).ok());
    Ok(epoch.map(|epoch| Life { epoch, history }))
}

async fn history(client: &ClientWrapper) -> Result<Option<String>, Error> {
    match client.query_one(HISTORY, &[]).await {
        Ok(row) => row.try_get(0),
        Err(error) => {
            let untold = [
                SqlState::UNDEFINED_FUNCTION,
                SqlState::UNDEFINED_COLUMN,
                SqlState::INSUFFICIENT_PRIVILEGE,
                SqlState::FEATURE_NOT_SUPPORTED,
            ];
            if error.code().is_some_and(|code| untold.contains(code)) { Ok(None) } else { Err(error) }
        }
    }
}
