//! Calls for keepers on PostgreSQL: whichever gateway a terminal asks, and whichever a keeper looks at, they are the same.

use tokio_postgres::Row;

use super::PostgresStore;
use super::database::plain;
use super::desk::audit;
use crate::store::desk::AuditEntry;
use crate::store::keeper::{Answered, CallAnswer, CallId, CallRow, KeeperCalls, MOST, NewCall, Sites};
use crate::store::{Reply, StoreError};

macro_rules! calls {
    ($after:literal) => {
        concat!(
            "SELECT terminal, name, place, page, item, language, theme, opened_at_ms, heard_at_ms, answered_by,
                    answered_at_ms, ended_at_ms
             FROM keeper_call ",
            $after
        )
    };
}

const ONE: &str = calls!("WHERE terminal = $1 AND name = $2");

const ALL: &str =
    calls!("WHERE ended_at_ms IS NULL AND opened_at_ms > $1 ORDER BY opened_at_ms, terminal LIMIT $2");

const THESE: &str = calls!(
    "WHERE ended_at_ms IS NULL AND opened_at_ms > $1 AND terminal = ANY($3)
     ORDER BY opened_at_ms, terminal LIMIT $2"
);

const END_OTHERS: &str =
    "UPDATE keeper_call SET ended_at_ms = $2 WHERE terminal = $1 AND ended_at_ms IS NULL";

/// Two at the same moment: the second finds no room, and is asked again.
const OPEN: &str = "
    INSERT INTO keeper_call (terminal, name, place, page, item, language, theme, opened_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

/// Whoever is told of the end before the beginning notes it all the same: the beginning then finds it.
const END: &str = "
    INSERT INTO keeper_call (terminal, name, place, page, item, language, theme, opened_at_ms, ended_at_ms)
    VALUES ($1, $2, '', '', '', '', '', $3, $3)
    ON CONFLICT (terminal, name)
    DO UPDATE SET ended_at_ms = coalesce(keeper_call.ended_at_ms, excluded.ended_at_ms)";

const HEARD: &str = "
    UPDATE keeper_call SET heard_at_ms = $3 WHERE terminal = $1 AND name = $2 AND heard_at_ms IS NULL";

const ANSWER: &str = "
    UPDATE keeper_call SET answered_by = $3, answered_at_ms = $4, heard_at_ms = coalesce(heard_at_ms, $4)
    WHERE terminal = $1 AND name = $2 AND answered_by IS NULL AND ended_at_ms IS NULL AND opened_at_ms > $5";

impl KeeperCalls for PostgresStore {
    fn open_call(&self, call: NewCall) -> Reply<'_, Option<CallRow>> {
        Box::pin(async move {
            let NewCall { id, place, page, item, language, theme, opened_at_ms } = &call;
            let (terminal, name) = (plain(&id.terminal), plain(&id.name));
            if let Some(known) = self.keeper_call(&terminal, &name).await? {
                return Ok(Some(known));
            }
            let work = self.database.begin().await?;
            work.execute(END_OTHERS, &[&terminal, opened_at_ms]).await?;
            let words = [place, page, item, language, theme].map(|words| plain(words));
            let [place, page, item, language, theme] = &words;
            let opened = work
                .execute(OPEN, &[&terminal, &name, place, page, item, language, theme, opened_at_ms])
                .await?;
            // Not opened: somebody was first, and then nothing was ended either.
            if opened > 0 {
                work.commit().await?;
            }
            self.keeper_call(&terminal, &name).await
        })
    }

    fn keeper_call<'a>(&'a self, terminal: &'a str, name: &'a str) -> Reply<'a, Option<CallRow>> {
        Box::pin(async move {
            let found = self.database.query_opt(ONE, &[&plain(terminal), &plain(name)]).await?;
            found.as_ref().map(row).transpose()
        })
    }

    fn end_call<'a>(&'a self, terminal: &'a str, name: &'a str, at_ms: i64) -> Reply<'a, ()> {
        Box::pin(async move {
            self.database.query(END, &[&plain(terminal), &plain(name), &at_ms]).await.map(|_| ())
        })
    }

    fn calls(&self, of: Sites, after_ms: i64) -> Reply<'_, Vec<CallRow>> {
        Box::pin(async move {
            let most = MOST as i64;
            let found = match &of {
                Sites::All => self.database.query(ALL, &[&after_ms, &most]).await?,
                Sites::Only(codes) => self.database.query(THESE, &[&after_ms, &most, codes]).await?,
            };
            found.iter().map(row).collect()
        })
    }

    fn calls_heard(&self, ids: Vec<CallId>, at_ms: i64) -> Reply<'_, ()> {
        Box::pin(async move {
            for CallId { terminal, name } in &ids {
                self.database.query(HEARD, &[&plain(terminal), &plain(name), &at_ms]).await?;
            }
            Ok(())
        })
    }

    fn answer_call(&self, answer: CallAnswer, audit: AuditEntry) -> Reply<'_, Answered> {
        Box::pin(async move {
            let CallAnswer { id, by, at_ms, after_ms } = &answer;
            let (terminal, name) = (plain(&id.terminal), plain(&id.name));
            let work = self.database.begin().await?;
            let done = work.execute(ANSWER, &[&terminal, &name, &plain(by), at_ms, after_ms]).await? > 0;
            if done {
                audit::append(&work, vec![audit]).await?;
            }
            work.commit().await?;
            if done {
                return Ok(Answered::Done);
            }
            Ok(match self.keeper_call(&terminal, &name).await? {
                Some(CallRow { answered: Some((before, _)), ended_at_ms: None, .. }) => {
                    Answered::Before(before)
                }
                _ => Answered::Over,
            })
        })
    }

    fn forget_calls(&self, before_ms: i64) -> Reply<'_, u64> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            let gone = work.execute("DELETE FROM keeper_call WHERE opened_at_ms < $1", &[&before_ms]).await?;
            work.commit().await?;
            Ok(gone)
        })
    }
}

fn row(row: &Row) -> Result<CallRow, StoreError> {
    let answered: (Option<String>, Option<i64>) = (row.try_get(9)?, row.try_get(10)?);
    Ok(CallRow {
        call: NewCall {
            id: CallId { terminal: row.try_get(0)?, name: row.try_get(1)? },
            place: row.try_get(2)?,
            page: row.try_get(3)?,
            item: row.try_get(4)?,
            language: row.try_get(5)?,
            theme: row.try_get(6)?,
            opened_at_ms: row.try_get(7)?,
        },
        heard_at_ms: row.try_get(8)?,
        answered: answered.0.zip(answered.1),
        ended_at_ms: row.try_get(11)?,
    })
}
