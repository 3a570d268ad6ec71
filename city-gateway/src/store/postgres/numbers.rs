//! Numbers for windows on PostgreSQL. Whoever gives a number locks the row of its queue and day, so that gateways give one
//! after the other, and none is left out.

use tokio_postgres::Row;

use super::PostgresStore;
use super::database::plain;
use super::read::unknown;
use crate::store::numbers::{QueueDay, QueueNumber, QueueNumbers, TakeNumber};
use crate::store::{Reply, StoreError};

const GIVEN: &str = "
    SELECT n.queue, n.day, n.number, d.called FROM queue_number n
    JOIN queue_day d ON d.queue = n.queue AND d.day = n.day
    WHERE n.terminal = $1 AND n.request = $2";

const DAY: &str = "INSERT INTO queue_day (queue, day, given) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";

const LOCK: &str = "SELECT given FROM queue_day WHERE queue = $1 AND day = $2 FOR UPDATE";

const NEXT: &str = "UPDATE queue_day SET given = $3 WHERE queue = $1 AND day = $2";

const GIVE: &str = "
    INSERT INTO queue_number (terminal, request, queue, day, number, given_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (terminal, request) DO NOTHING";

const CALLED: &str = "
    UPDATE queue_day SET called = greatest(coalesce(called, 0), $3)
    WHERE queue = $1 AND day = $2 AND given >= $3 RETURNING 1";

const QUEUES: &str = "SELECT queue, given, called FROM queue_day WHERE day = $1 ORDER BY queue";

impl QueueNumbers for PostgresStore {
    fn take_number(&self, take: TakeNumber) -> Reply<'_, Option<QueueNumber>> {
        Box::pin(async move {
            let TakeNumber { terminal, request, queue, day, most, at_ms } = &take;
            let (terminal, request, queue) = (plain(terminal), plain(request), plain(queue));
            if let Some(row) = self.database.query_opt(GIVEN, &[&terminal, &request]).await? {
                return given(&row).map(Some);
            }
            let work = self.database.begin().await?;
            work.execute(DAY, &[&queue, day]).await?;
            let row = work.query_opt(LOCK, &[&queue, day]).await?.ok_or_else(unknown)?;
            let number = row.try_get::<_, i64>(0)? + 1;
            if number > i64::from(*most) {
                return Ok(None);
            }
            // The same request on another gateway may have been faster: then this number is given to somebody else.
            let first = work.execute(GIVE, &[&terminal, &request, &queue, day, &number, at_ms]).await? > 0;
            if first {
                work.execute(NEXT, &[&queue, day, &number]).await?;
            }
            work.commit().await?;
            let row = self.database.query_opt(GIVEN, &[&terminal, &request]).await?.ok_or_else(unknown)?;
            given(&row).map(Some)
        })
    }

    fn number_called<'a>(&'a self, queue: &'a str, day: &'a str, number: u32) -> Reply<'a, bool> {
        Box::pin(async move {
            let called = self.database.query_opt(CALLED, &[&plain(queue), &day, &i64::from(number)]).await?;
            Ok(called.is_some())
        })
    }

    fn queues<'a>(&'a self, day: &'a str) -> Reply<'a, Vec<QueueDay>> {
        Box::pin(async move {
            let rows = self.database.query(QUEUES, &[&day]).await?;
            let read = |row: &Row| {
                Ok(QueueDay { queue: row.try_get(0)?, given: count(row, 1)?, called: called(row, 2)? })
            };
            rows.iter().map(read).collect()
        })
    }

    fn forget_numbers<'a>(&'a self, before_day: &'a str) -> Reply<'a, u64> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            let gone = work.execute("DELETE FROM queue_number WHERE day < $1", &[&before_day]).await?;
            work.execute("DELETE FROM queue_day WHERE day < $1", &[&before_day]).await?;
            work.commit().await?;
            Ok(gone)
        })
    }
}

fn given(row: &Row) -> Result<QueueNumber, StoreError> {
    Ok(QueueNumber {
        queue: row.try_get(0)?,
        day: row.try_get(1)?,
        number: count(row, 2)?,
        called: called(row, 3)?,
    })
}

fn count(row: &Row, at: usize) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<_, i64>(at)?).map_err(|_| unknown())
}

fn called(row: &Row, at: usize) -> Result<Option<u32>, StoreError> {
    let called: Option<i64> = row.try_get(at)?;
    called.map(|number| u32::try_from(number).map_err(|_| unknown())).transpose()
}
