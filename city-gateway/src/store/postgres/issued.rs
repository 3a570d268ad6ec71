//! Issued documents on PostgreSQL.

use super::PostgresStore;
use super::database::plain;
use super::desk::audit;
use crate::store::Reply;
use crate::store::desk::AuditEntry;
use crate::store::issued::{IssuedDocument, IssuedDocuments, TAKEN_AWAY};

const ISSUE: &str = "
    INSERT INTO issued_document (number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

const TAKE_AWAY: &str = "
    DELETE FROM issued_document WHERE number IN (
        SELECT number FROM issued_document WHERE ends_at_ms < $1 ORDER BY ends_at_ms LIMIT $2)";

const ISSUED: &str = "
    SELECT number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms
    FROM issued_document WHERE number = $1";

const REVOKE: &str =
    "UPDATE issued_document SET revoked_at_ms = $2 WHERE number = $1 AND revoked_at_ms IS NULL";

impl IssuedDocuments for PostgresStore {
    fn issue(&self, document: IssuedDocument, ended_before_ms: i64, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(async move {
            let IssuedDocument { number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms } =
                &document;
            let work = self.database.begin().await?;
            let (number, item) = (plain(number), plain(item));
            let added = work
                .execute(ISSUE, &[&number, &item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms])
                .await?;
            if added == 0 {
                return Ok(false);
            }
            work.execute(TAKE_AWAY, &[&ended_before_ms, &TAKEN_AWAY]).await?;
            audit::append(&work, vec![entry]).await?;
            work.commit().await?;
            Ok(true)
        })
    }

    fn note(&self, entry: AuditEntry) -> Reply<'_, ()> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            audit::append(&work, vec![entry]).await?;
            work.commit().await
        })
    }

    fn issued<'a>(&'a self, number: &'a str) -> Reply<'a, Option<IssuedDocument>> {
        Box::pin(async move {
            let Some(row) = self.database.query_opt(ISSUED, &[&plain(number)]).await? else {
                return Ok(None);
            };
            Ok(Some(IssuedDocument {
                number: row.try_get(0)?,
                item: row.try_get(1)?,
                stamp_sha256: row.try_get(2)?,
                issued_at_ms: row.try_get(3)?,
                ends_at_ms: row.try_get(4)?,
                revoked_at_ms: row.try_get(5)?,
            }))
        })
    }

    fn revoke_document<'a>(&'a self, number: &'a str, at_ms: i64, entry: AuditEntry) -> Reply<'a, bool> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            if work.execute(REVOKE, &[&plain(number), &at_ms]).await? == 0 {
                return Ok(false);
            }
            audit::append(&work, vec![entry]).await?;
            work.commit().await?;
            Ok(true)
        })
    }
}
