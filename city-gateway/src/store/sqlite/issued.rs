//! Issued documents in the embedded store.

use rusqlite::{OptionalExtension, Transaction, params};

use super::SqliteStore;
use super::desk::audit;
use crate::store::Reply;
use crate::store::desk::AuditEntry;
use crate::store::issued::{IssuedDocument, IssuedDocuments, TAKEN_AWAY};

impl IssuedDocuments for SqliteStore {
    fn issue(&self, document: IssuedDocument, ended_before_ms: i64, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(self.work(move |transaction| issue(transaction, &document, ended_before_ms, &entry)))
    }

    fn note(&self, entry: AuditEntry) -> Reply<'_, ()> {
        Box::pin(self.work(move |transaction| audit::append(transaction, &entry)))
    }

    fn issued<'a>(&'a self, number: &'a str) -> Reply<'a, Option<IssuedDocument>> {
        let number = number.to_owned();
        Box::pin(self.read(move |_, connection| {
            connection
                .prepare_cached(
                    "SELECT number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms
                     FROM issued_document WHERE number = ?1",
                )?
                .query_row([number], |row| {
                    Ok(IssuedDocument {
                        number: row.get(0)?,
                        item: row.get(1)?,
                        stamp_sha256: row.get(2)?,
                        issued_at_ms: row.get(3)?,
                        ends_at_ms: row.get(4)?,
                        revoked_at_ms: row.get(5)?,
                    })
                })
                .optional()
        }))
    }

    fn revoke_document<'a>(&'a self, number: &'a str, at_ms: i64, entry: AuditEntry) -> Reply<'a, bool> {
        let number = number.to_owned();
        Box::pin(self.work(move |transaction| {
            let revoked = transaction
                .prepare_cached(
                    "UPDATE issued_document SET revoked_at_ms = ?2 WHERE number = ?1 AND revoked_at_ms IS NULL",
                )?
                .execute(params![number, at_ms])?
                > 0;
            if revoked {
                audit::append(transaction, &entry)?;
            }
            Ok(revoked)
        }))
    }
}

fn issue(
    transaction: &Transaction<'_>,
    document: &IssuedDocument,
    ended_before_ms: i64,
    entry: &AuditEntry,
) -> rusqlite::Result<bool> {
    let IssuedDocument { number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms } = document;
    let added = transaction
        .prepare_cached(
            "INSERT INTO issued_document (number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![number, item, stamp_sha256, issued_at_ms, ends_at_ms, revoked_at_ms])?;
    if added == 0 {
        return Ok(false);
    }
    transaction
        .prepare_cached(
            "DELETE FROM issued_document WHERE number IN (
                 SELECT number FROM issued_document WHERE ends_at_ms < ?1 ORDER BY ends_at_ms LIMIT ?2)",
        )?
        .execute(params![ended_before_ms, TAKEN_AWAY])?;
    audit::append(transaction, entry)?;
    Ok(true)
}
