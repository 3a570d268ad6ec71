//! The operators' side on PostgreSQL. Whoever changes something locks its row, and the head of the audit chain last, so
//! that none waits for another in a circle.

mod accounts;
pub(super) mod aside;
pub(super) mod audit;
mod cases;
pub(super) mod follow_ups;
mod retention;

pub(super) use cases::steps;

use super::PostgresStore;
use crate::store::desk::{
    AsideDecision, AsideFilter, AsideRow, AuditEntry, AuditHead, AuditLine, CaseFilter, CaseKey, CaseRow,
    CaseStep, Changed, Cut, DeskStore, Due, ErasureRule, ItemSet, OpenWork, OperatorChange, OperatorRow,
    ProgressRow, SealedCase, SessionRow, Settled, StepRow, Stepped,
};
use crate::store::follow_up::FollowUpRow;
use crate::store::{InboxRow, Reply};

impl DeskStore for PostgresStore {
    fn add_operator(&self, operator: OperatorRow, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(async move { accounts::add(&self.database, &operator, entry).await })
    }

    fn operator<'a>(&'a self, name: &'a str) -> Reply<'a, Option<OperatorRow>> {
        Box::pin(accounts::operator(&self.database, name))
    }

    fn operators(&self) -> Reply<'_, Vec<OperatorRow>> {
        Box::pin(accounts::operators(&self.database))
    }

    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        version: i64,
        change: OperatorChange,
        entry: AuditEntry,
    ) -> Reply<'a, Changed> {
        Box::pin(async move { accounts::change(&self.database, name, version, &change, entry).await })
    }

    fn use_code<'a>(&'a self, name: &'a str, step: i64) -> Reply<'a, bool> {
        Box::pin(accounts::use_code(&self.database, name, step))
    }

    fn open_session(
        &self,
        session: SessionRow,
        expired_before_ms: i64,
        most: usize,
        entry: AuditEntry,
    ) -> Reply<'_, ()> {
        Box::pin(async move {
            accounts::open_session(&self.database, &session, expired_before_ms, most, entry).await
        })
    }

    fn session<'a>(&'a self, token_hash: &'a str) -> Reply<'a, Option<(SessionRow, OperatorRow)>> {
        Box::pin(accounts::session(&self.database, token_hash))
    }

    fn touch_session<'a>(&'a self, token_hash: &'a str, seen_at_ms: i64) -> Reply<'a, ()> {
        Box::pin(accounts::touch_session(&self.database, token_hash, seen_at_ms))
    }

    fn end_session<'a>(&'a self, token_hash: &'a str, entry: AuditEntry) -> Reply<'a, ()> {
        Box::pin(accounts::end_session(&self.database, token_hash, entry))
    }

    fn cases(&self, filter: CaseFilter, limit: usize) -> Reply<'_, Vec<CaseRow>> {
        Box::pin(async move { cases::list(&self.database, &filter, limit).await })
    }

    fn case<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<CaseRow>> {
        Box::pin(cases::one(&self.database, key))
    }

    fn steps<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Vec<StepRow>> {
        Box::pin(cases::steps(&self.database, key))
    }

    fn follow_ups<'a>(&'a self, case: &'a CaseKey) -> Reply<'a, Vec<FollowUpRow>> {
        Box::pin(follow_ups::of(&self.database, case))
    }

    fn follow_up<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<FollowUpRow>> {
        Box::pin(follow_ups::one(&self.database, key))
    }

    fn step(&self, step: CaseStep, entry: AuditEntry) -> Reply<'_, Stepped> {
        Box::pin(async move { cases::step(&self.database, &step, entry).await })
    }

    fn open_work(&self, items: Option<ItemSet>) -> Reply<'_, OpenWork> {
        Box::pin(async move { cases::open_work(&self.database, items.as_ref()).await })
    }

    fn progress<'a>(&'a self, case_number: &'a str, verification: &'a str) -> Reply<'a, Option<ProgressRow>> {
        Box::pin(cases::progress(&self.database, case_number, verification))
    }

    fn sealed<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<SealedCase>> {
        Box::pin(cases::sealed(&self.database, key))
    }

    fn dead_letters(&self, before: i64, limit: usize) -> Reply<'_, Vec<(InboxRow, bool)>> {
        Box::pin(cases::dead_letters(&self.database, before, limit))
    }

    fn kept_aside(&self, filter: AsideFilter, limit: usize) -> Reply<'_, Vec<AsideRow>> {
        Box::pin(aside::list(&self.database, filter, limit))
    }

    fn decide_aside(&self, decision: AsideDecision, entry: AuditEntry) -> Reply<'_, Settled> {
        Box::pin(async move { aside::decide(&self.database, &decision, entry).await })
    }

    fn released<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<AsideRow>> {
        Box::pin(aside::released(&self.database, key))
    }

    fn undecided(&self) -> Reply<'_, u64> {
        Box::pin(aside::undecided(&self.database))
    }

    fn retry_one(&self, id: i64, entry: AuditEntry) -> Reply<'_, bool> {
        Box::pin(cases::retry_one(&self.database, id, entry))
    }

    fn audit(&self, entry: AuditEntry) -> Reply<'_, ()> {
        Box::pin(async move {
            let work = self.database.begin().await?;
            audit::append(&work, vec![entry]).await?;
            work.commit().await
        })
    }

    fn audit_before(&self, before: i64, limit: usize) -> Reply<'_, Vec<AuditLine>> {
        Box::pin(audit::before(&self.database, before, limit))
    }

    fn audit_after(&self, after: i64, limit: usize) -> Reply<'_, Vec<AuditLine>> {
        Box::pin(audit::after(&self.database, after, limit))
    }

    fn audit_head(&self) -> Reply<'_, AuditHead> {
        Box::pin(audit::head(&self.database))
    }

    fn due(&self, cut: Cut) -> Reply<'_, Due> {
        Box::pin(retention::due(&self.database, cut))
    }

    fn erase(&self, rule: ErasureRule, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64> {
        Box::pin(retention::erase(&self.database, rule, before_ms, most, now_ms))
    }

    fn prune_audit(&self, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64> {
        Box::pin(audit::prune(&self.database, before_ms, most, now_ms))
    }
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
