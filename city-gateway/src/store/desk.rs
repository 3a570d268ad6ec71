//! What the operators' side needs from a database: accounts, sessions, the life of cases, the audit chain, and
//! deletion by rule.
//!
//! Every call is one SQL transaction, and whatever changes something carries the [`AuditEntry`] that is committed
//! with it: there is no change without its line and no line without its change. Nothing here checks and then
//! acts: what may be raced (a step, a code, a change of an account) names the version it was decided on, and of
//! two that name the same one, one wins.
//!
//! Deliberately absent: opened content, passwords (only their hashes), session tokens (only their hashes), and a
//! way to change or remove an audit line that is younger than the rule says.

mod aside;
#[cfg(test)]
pub mod aside_contract;
pub mod chain;
#[cfg(test)]
pub mod contract;
mod rows;

pub use aside::{AsideDecision, AsideFilter, AsideName, AsideRow, Decided, Obstacle, Settled, Verdict};
pub use rows::{
    AuditAct, AuditEntry, AuditHead, AuditLine, CaseFilter, CaseKey, CaseRow, CaseState, CaseStep, Changed,
    Cut, Due, Duty, ErasureRule, ItemSet, OpenWork, OperatorChange, OperatorRow, ProgressRow, Role,
    SealedCase, SessionRow, StepRow, Stepped,
};

use super::follow_up::FollowUpRow;
use super::{InboxRow, Reply};

/// The operators' side of the city's database.
pub trait DeskStore: Send + Sync {
    /// Adds an account; `false` when the name is taken.
    fn add_operator(&self, operator: OperatorRow, audit: AuditEntry) -> Reply<'_, bool>;

    /// The account with this name.
    fn operator<'a>(&'a self, name: &'a str) -> Reply<'a, Option<OperatorRow>>;

    /// All accounts by name. Accounts are few; at most 1,000 are told.
    fn operators(&self) -> Reply<'_, Vec<OperatorRow>>;

    /// Changes an account if it still has this version, raises the version, and ends its sessions.
    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        version: i64,
        change: OperatorChange,
        audit: AuditEntry,
    ) -> Reply<'a, Changed>;

    /// Uses up a time step of an account's codes: `true` only for the first who names a later step than any
    /// before.
    fn use_code<'a>(&'a self, name: &'a str, step: i64) -> Reply<'a, bool>;

    /// Opens a session, removes those of anybody that ended before `expired_before_ms` (last seen), and keeps at
    /// most `most` of this operator's, the newest.
    fn open_session(
        &self,
        session: SessionRow,
        expired_before_ms: i64,
        most: usize,
        audit: AuditEntry,
    ) -> Reply<'_, ()>;

    /// A session by the hash of its token, with its account.
    fn session<'a>(&'a self, token_hash: &'a str) -> Reply<'a, Option<(SessionRow, OperatorRow)>>;

    /// Notes that a session was used. Never goes back.
    fn touch_session<'a>(&'a self, token_hash: &'a str, seen_at_ms: i64) -> Reply<'a, ()>;

    /// Ends a session; nothing happens, and nothing is noted, when it has ended already.
    fn end_session<'a>(&'a self, token_hash: &'a str, audit: AuditEntry) -> Reply<'a, ()>;

    /// Cases that were opened, newest first.
    fn cases(&self, filter: CaseFilter, limit: usize) -> Reply<'_, Vec<CaseRow>>;

    /// One case.
    fn case<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<CaseRow>>;

    /// What happened to a case, oldest first.
    fn steps<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Vec<StepRow>>;

    /// What followed a case, oldest first.
    fn follow_ups<'a>(&'a self, case: &'a CaseKey) -> Reply<'a, Vec<FollowUpRow>>;

    /// A record that followed a case, by its own name.
    fn follow_up<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<FollowUpRow>>;

    /// Takes a case one step on, if it still has the state and the version that the step was decided on.
    fn step(&self, step: CaseStep, audit: AuditEntry) -> Reply<'_, Stepped>;

    /// How many cases of these items are in which state that asks for work.
    fn open_work(&self, items: Option<ItemSet>) -> Reply<'_, OpenWork>;

    /// Where a case stands, for whoever knows both its number and its verification code. A case that was not
    /// opened yet is before review.
    fn progress<'a>(&'a self, case_number: &'a str, verification: &'a str) -> Reply<'a, Option<ProgressRow>>;

    /// The sealed content of one case, or of what followed one, with what is needed to open it; `None` when there is no such case or its
    /// content was deleted.
    fn sealed<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<SealedCase>>;

    /// Dead letters before this arrival, newest first, with whether the content was deleted.
    fn dead_letters(&self, before: i64, limit: usize) -> Reply<'_, Vec<(InboxRow, bool)>>;

    /// Records that are kept aside, newest first.
    fn kept_aside(&self, filter: AsideFilter, limit: usize) -> Reply<'_, Vec<AsideRow>>;

    /// Decides about one of them, if it still has the version that was decided on. A release keeps the record in the
    /// inbox as [`super::InboxStore::accept`] would have, with the time when it first came, so that its receipt stays
    /// the same; what is kept aside stays there too, unchanged.
    fn decide_aside(&self, decision: AsideDecision, audit: AuditEntry) -> Reply<'_, Settled>;

    /// The record of a case as it lies aside, when the case came to the inbox by a release.
    fn released<'a>(&'a self, key: &'a CaseKey) -> Reply<'a, Option<AsideRow>>;

    /// How many records that are kept aside wait for a person.
    fn undecided(&self) -> Reply<'_, u64>;

    /// Puts one dead letter back on the opener's list; `false` when it is none (any more), or was deleted.
    fn retry_one(&self, id: i64, audit: AuditEntry) -> Reply<'_, bool>;

    /// Adds a line to the audit chain that belongs to no change of the database.
    fn audit(&self, entry: AuditEntry) -> Reply<'_, ()>;

    /// Audit lines before this number, newest first.
    fn audit_before(&self, before: i64, limit: usize) -> Reply<'_, Vec<AuditLine>>;

    /// Audit lines after this number, oldest first.
    fn audit_after(&self, after: i64, limit: usize) -> Reply<'_, Vec<AuditLine>>;

    /// Both ends of the chain.
    fn audit_head(&self) -> Reply<'_, AuditHead>;

    /// How much the rules would delete now.
    fn due(&self, cut: Cut) -> Reply<'_, Due>;

    /// Deletes the content of up to `most` records that one rule names: ciphertext, masked person, notes. Place,
    /// hashes and times stay, so that the same record gets the same receipt and is not kept anew. One audit line
    /// for each; returns how many.
    fn erase(&self, rule: ErasureRule, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64>;

    /// Removes up to `most` audit lines older than this from the start of the chain; what remains still verifies.
    /// Adds one line that says so. Returns how many.
    fn prune_audit(&self, before_ms: i64, most: usize, now_ms: i64) -> Reply<'_, u64>;
}
