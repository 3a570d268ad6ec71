//! The operators' side on SQLite. All writing goes through the one writer; this file only says what.

mod accounts;
pub(super) mod aside;
pub(super) mod audit;
mod cases;
pub(super) mod follow_ups;
mod retention;

pub(super) use cases::steps;

use std::path::Path;

use rusqlite::OpenFlags;

use super::writer::Command;
use super::{FILE, SqliteStore, connect};
use crate::store::desk::{
    AsideDecision, AsideFilter, AsideRow, AuditEntry, AuditHead, AuditLine, CaseFilter, CaseKey, CaseRow,
    CaseStep, Changed, Cut, DeskStore, Due, ErasureRule, ItemSet, OpenWork, OperatorChange, OperatorRow,
    ProgressRow, SealedCase, SessionRow, Settled, StepRow, Stepped,
};
use crate::store::follow_up::FollowUpRow;
use crate::store::{InboxRow, OpenError, Reply};

impl SqliteStore {
    /// What the rules would delete, read beside a gateway that may be running.
    pub fn due_in(folder: &Path, cut: Cut) -> Result<Due, OpenError> {
        let connection = connect(&folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(retention::due(&connection, cut)?)
    }
}

impl DeskStore for SqliteStore {
    fn add_operator(&self, operator: OperatorRow, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(self.work(move |transaction| accounts::add(transaction, &operator, &entry)))
    }

    fn operator<'a>(&'a self, name: &'a str) -> Reply<'a, Option<OperatorRow>> {
        let name = name.to_owned();
        Box::pin(self.read(move |_, connection| accounts::operator(connection, &name)))
    }

    fn operators(&self) -> Reply<'_, Vec<OperatorRow>> {
        Box::pin(self.read(|_, connection| accounts::operators(connection)))
    }

    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        version: i64,
        change: OperatorChange,
        entry: AuditEntry,
    ) -> Reply<'a, Changed> {
        let name = name.to_owned();
        Box::pin(self.work(move |transaction| accounts::change(transaction, &name, version, &change, &entry)))
    }

    fn use_code<'a>(&'a self, name: &'a str, step: i64) -> Reply<'a, bool> {
        let name = name.to_owned();
        Box::pin(self.work(move |transaction| accounts::use_code(transaction, &name, step)))
    }

    fn open_session(
        &self,
        session: SessionRow,
        expired_before_ms: i64,
        most: usize,
        entry: AuditEntry,
    ) -> Reply<'_, ()> {
        Box::pin(self.work(move |transaction| {
            accounts::open_session(transaction, &session, expired_before_ms, most, &entry)
        }))
    }

    fn session<'a>(&'a self, token_hash: &'a str) -> Reply<'a, Option<(SessionRow, OperatorRow)>> {
        let token_hash = token_hash.to_owned();
        Box::pin(self.read(move |_, connection| accounts::session(connection, &token_hash)))
    }

    fn touch_session<'a>(&'a self, token_hash: &'a str, seen_at_ms: i64) -> Reply<'a, ()> {
        let token_hash = token_hash.to_owned();
        Box::pin(self.work(move |transaction| accounts::touch_session(transaction, &token_hash, seen_at_ms)))
    }

    fn end_session<'a>(&'a self, token_hash: &'a str, entry: AuditEntry) -> Reply<'a, ()> {
        let token_hash = token_hash.to_owned();
        Box::pin(self.work(move |transaction| accounts::end_session(transaction, &token_hash, &entry)))
    }

    fn cases(&self, filter: CaseFilter, limit: usize) -> Reply<'_, Vec<CaseRow>> {
        Box::pin(self.read(move |_, connection| cases::list(connection, &filter, limit)))
    }

    fn case<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<CaseRow>> {
        let key = key.clone();
        Box::pin(self.read(move |_, connection| cases::one(connection, &key)))
    }

    fn steps<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Vec<StepRow>> {
        let key = key.clone();
        Box::pin(self.read(move |_, connection| cases::steps(connection, &key)))
    }

    fn follow_ups<'a>(&'a self, case: &'a CaseKey) -> Reply<'a, Vec<FollowUpRow>> {
        let case = case.clone();
        Box::pin(self.read(move |_, connection| follow_ups::of(connection, &case)))
    }

    fn follow_up<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<FollowUpRow>> {
        let key = key.clone();
        Box::pin(self.read(move |_, connection| follow_ups::one(connection, &key)))
    }

    fn step(&self, step: CaseStep, entry: AuditEntry) -> Reply<'_, Stepped> {
        Box::pin(self.work(move |transaction| cases::step(transaction, &step, &entry)))
    }

    fn open_work(&self, items: Option<ItemSet>) -> Reply<'_, OpenWork> {
        Box::pin(self.read(move |_, connection| cases::open_work(connection, items.as_ref())))
    }

    fn progress<'a>(&'a self, case_number: &'a str, verification: &'a str) -> Reply<'a, Option<ProgressRow>> {
        let (case_number, verification) = (case_number.to_owned(), verification.to_owned());
        Box::pin(self.read(move |_, connection| cases::progress(connection, &case_number, &verification)))
    }

    fn sealed<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<SealedCase>> {
        let key = key.clone();
        Box::pin(self.read(move |_, connection| cases::sealed(connection, &key)))
    }

    fn dead_letters(&self, before: i64, limit: usize) -> Reply<'_, Vec<(InboxRow, bool)>> {
        Box::pin(self.read(move |_, connection| cases::dead_letters(connection, before, limit)))
    }

    fn kept_aside(&self, filter: AsideFilter, limit: usize) -> Reply<'_, Vec<AsideRow>> {
        Box::pin(self.read(move |_, connection| aside::list(connection, filter, limit)))
    }

    fn decide_aside(&self, decision: AsideDecision, entry: AuditEntry) -> Reply<'_, Settled> {
        Box::pin(self.work(move |transaction| aside::decide(transaction, &decision, &entry)))
    }

    fn released<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<AsideRow>> {
        let key = key.clone();
        Box::pin(self.read(move |_, connection| aside::released(connection, &key)))
    }

    fn undecided(&self) -> Reply<'_, u64> {
        Box::pin(self.read(|_, connection| aside::undecided(connection)))
    }

    fn retry_one(&self, id: i64, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(self.work(move |transaction| cases::retry_one(transaction, id, &entry)))
    }

    fn audit(&self, entry: AuditEntry) -> Reply<'_, ()> {
        Box::pin(self.work(move |transaction| audit::append(transaction, &entry)))
    }

    fn audit_before(&self, before: i64, limit: usize) -> Reply<'_, Vec<AuditLine>> {
        Box::pin(self.read(move |_, connection| audit::before(connection, before, limit)))
    }

    fn audit_after(&self, after: i64, limit: usize) -> Reply<'_, Vec<AuditLine>> {
        Box::pin(self.read(move |_, connection| audit::after(connection, after, limit)))
    }

    fn audit_head(&self) -> Reply<'_, AuditHead> {
        Box::pin(self.read(|_, connection| audit::head(connection)))
    }

    fn due(&self, cut: Cut) -> Reply<'_, Due> {
        Box::pin(self.read(move |_, connection| retention::due(connection, cut)))
    }

    fn erase(&self, rule: ErasureRule, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64> {
        Box::pin(async move {
            let count = self
                .work(move |transaction| retention::erase(transaction, rule, before_ms, most, now_ms))
                .await?;
            if count > 0 {
                // Only a wish: when the writer is too busy, the log is emptied when it starts over.
                let _ = self.writer.send(Command::Truncate);
            }
            Ok(count)
        })
    }

    fn prune_audit(&self, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64> {
        Box::pin(self.work(move |transaction| audit::prune(transaction, before_ms, most, now_ms)))
    }
}

/// A word in the database that this gateway does not know: written by a newer one, or damaged.
fn known<T>(word: Option<T>) -> rusqlite::Result<T> {
    word.ok_or(rusqlite::Error::InvalidQuery)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
