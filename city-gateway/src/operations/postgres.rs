//! The same commands where the database is PostgreSQL. Copies are made with PostgreSQL's own programs, which know how;
//! what is durable and which life the database is in is said here all the same.

use anyhow::{Context, bail};

use super::{Operation, new_key, time_ms};
use crate::config::Config;
use crate::store::postgres::PostgresStore;
use crate::stores::{Stores, address};

/// A record gets its time from a gateway's clock a little before it is in the database's log, and clocks differ by a
/// little. What is younger than this at the moment named is left to the next time.
const MARGIN_MS: i64 = 60_000;

pub(super) async fn run(operation: Operation, config: &Config) -> anyhow::Result<Vec<String>> {
    match operation {
        Operation::Backup { .. } => bail!(
            "the database is PostgreSQL: copy it with pg_basebackup and an archive of its log (or pgBackRest, \
             Barman), blobs with the tools of their store; then say mark-durable --up-to the time of the last log \
             that is in the archive"
        ),
        Operation::Restore { .. } => bail!(
            "the database is PostgreSQL: put it back with PostgreSQL's own tools. A gateway notices that by itself \
             and begins a new epoch; only after files were put back without recovery say new-epoch first"
        ),
        Operation::MarkDurable { up_to } => {
            let at_ms = time_ms(&up_to)?.saturating_sub(MARGIN_MS);
            let stores = Stores::open_aside(config).await.context("the database")?;
            let marked = stores.book.mark_durable_up_to(at_ms).await;
            stores.inbox.close().await?;
            let queues = marked?;
            Ok(vec![format!("{queues} queues are known to be durable further than before.")])
        }
        Operation::NewEpoch => {
            let epoch = PostgresStore::begin_epoch(&address(config)).await?;
            Ok(vec![
                format!("The store has the new epoch {epoch}."),
                "Gateways that run start anew by themselves.".into(),
            ])
        }
        Operation::Key(key) => new_key(key, config),
    }
}
