//! What operators do with cases, and what residents may know of it. Knows rights, steps and audit lines; knows no
//! HTML.

use std::sync::{Arc, Mutex, PoisonError};

use sync_protocol::Submission;
use tokio::sync::Notify;

use super::Clock;
use super::attempts::Hourly;
use super::departments::Departments;
use super::progress::{self, Unfit};
use super::rights::{self, Right};
use super::sign_in::Signed;
use crate::opener::{RevealError, Revealer};
use crate::store::StoreError;
pub use crate::store::desk::ProgressRow as Progress;
use crate::store::desk::{
    AsideRow, AuditAct, CaseFilter, CaseKey, CaseRow, CaseState, CaseStep, DeskStore, OpenWork, StepRow,
    Stepped,
};
use crate::store::follow_up::FollowUpRow;

/// Contents one operator may open in an hour. Whoever needs more is not deciding cases.
const REVEALS_AN_HOUR: usize = 60;

/// Longest reference of an unmasking.
pub(crate) const REFERENCE_CHARS: usize = 24;

/// Why the content of a case is needed: a word for the audit chain and words for people.
pub(crate) const UNMASK_REASONS: [(&str, &str); 4] = [
    ("decide", "审核材料"),
    ("contact", "联系申请人"),
    ("supplement", "核对补正内容"),
    ("complaint", "处理投诉或复核"),
];

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeskError {
    /// Not with this role, or not in this department.
    #[error("this operator may not do this")]
    Forbidden,
    /// No such case, or none that this operator may know of.
    #[error("there is no such case")]
    Missing,
    /// Somebody else was first.
    #[error("the case has changed meanwhile")]
    Stale,
    /// The step, its reason or its note is not fit.
    #[error("this step cannot be made")]
    Unfit(Unfit),
    /// No reason for unmasking, or a reference that could be somebody's number.
    #[error("unmasking needs a reason, and a reference without personal data")]
    BadReason,
    /// The content was deleted by rule.
    #[error("the content was deleted by rule")]
    Erased,
    /// Too many contents in an hour, or at once.
    #[error("too many contents were opened")]
    TooMany,
    /// The content cannot be opened with the city's key.
    #[error("the content cannot be opened")]
    NotOpenable,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where cases are decided.
pub struct CaseDesk {
    store: Arc<dyn DeskStore>,
    departments: Departments,
    clock: Clock,
    revealer: Revealer,
    arrivals: Arc<Notify>,
    reveals: Mutex<Hourly>,
}

/// One case with everything its page shows.
pub(crate) struct CaseFile {
    pub(crate) case: CaseRow,
    pub(crate) steps: Vec<StepRow>,
    /// The record as it lies aside, when the case was released.
    pub(crate) released: Option<AsideRow>,
    pub(crate) department: String,
    /// What followed it.
    pub(crate) follow_ups: Vec<FollowUpRow>,
    /// Whether this operator may decide about it.
    pub(crate) decides: bool,
}

/// A record that followed a case, with what its page shows.
pub(crate) struct FollowUpFile {
    pub(crate) row: FollowUpRow,
    pub(crate) department: String,
    /// Whether this operator may open its content.
    pub(crate) decides: bool,
}

impl CaseDesk {
    pub(crate) fn new(
        store: Arc<dyn DeskStore>,
        departments: Departments,
        clock: Clock,
        revealer: Revealer,
        arrivals: Arc<Notify>,
    ) -> Self {
        Self { store, departments, clock, revealer, arrivals, reveals: Mutex::default() }
    }

    /// Where a case stands, for whoever knows both its number and its verification code. Says nothing about anybody.
    pub async fn progress(
        &self,
        case_number: &str,
        verification: &str,
    ) -> Result<Option<Progress>, StoreError> {
        self.store.progress(case_number, verification).await
    }

    pub(crate) fn departments(&self) -> &Departments {
        &self.departments
    }

    /// Cases this operator may see, and what of them asks for work.
    pub(crate) async fn list(
        &self,
        signed: &Signed,
        mut filter: CaseFilter,
        limit: usize,
    ) -> Result<(Vec<CaseRow>, OpenWork), DeskError> {
        require(signed, Right::SeeCases)?;
        let own = signed.operator.department.as_deref().map(|own| self.departments.items_of(own));
        filter.items.extend(own.clone());
        Ok((self.store.cases(filter, limit).await?, self.store.open_work(own).await?))
    }

    /// One case. A case of another department is as if there were none.
    pub(crate) async fn file(&self, signed: &Signed, key: &CaseKey) -> Result<CaseFile, DeskError> {
        require(signed, Right::SeeCases)?;
        let case = self.store.case(key).await?.ok_or(DeskError::Missing)?;
        let department = self.departments.of(&case.item).to_owned();
        if !rights::sees_department(&signed.operator, &department) {
            return Err(DeskError::Missing);
        }
        let (steps, released) = (self.store.steps(key).await?, self.store.released(key).await?);
        let follow_ups = self.store.follow_ups(key).await?;
        let decides = rights::may(signed.operator.role, Right::DecideCases);
        Ok(CaseFile { case, steps, released, department, follow_ups, decides })
    }

    /// A record that followed a case. It belongs to the department of its case.
    pub(crate) async fn follow_up(&self, signed: &Signed, key: &CaseKey) -> Result<FollowUpFile, DeskError> {
        require(signed, Right::SeeCases)?;
        let row = self.store.follow_up(key).await?.ok_or(DeskError::Missing)?;
        let department = self.departments.of(&row.about_item).to_owned();
        if !rights::sees_department(&signed.operator, &department) {
            return Err(DeskError::Missing);
        }
        let decides = rights::may(signed.operator.role, Right::DecideCases);
        Ok(FollowUpFile { row, department, decides })
    }

    /// Takes a case one step on, decided on the version the operator saw.
    pub(crate) async fn step(
        &self,
        signed: &Signed,
        key: &CaseKey,
        version: i64,
        to: CaseState,
        reason: &str,
        note: &str,
    ) -> Result<(), DeskError> {
        require(signed, Right::DecideCases)?;
        let file = self.file(signed, key).await?;
        if file.case.version != version {
            return Err(DeskError::Stale);
        }
        let from = file.case.state;
        let note = progress::check(from, to, reason, note).map_err(DeskError::Unfit)?;
        let by = signed.by((self.clock)());
        let detail = format!("{} > {} {reason}", from.code(), to.code());
        let step = CaseStep {
            key: key.clone(),
            version,
            from,
            to,
            operator: signed.operator.name.clone(),
            at_ms: by.now_ms,
            reason: reason.to_owned(),
            note,
        };
        match self.store.step(step, by.did(AuditAct::CaseStep, &subject(key), &detail)).await? {
            Stepped::Done(_) => Ok(()),
            Stepped::Stale => Err(DeskError::Stale),
            Stepped::Missing => Err(DeskError::Missing),
        }
    }

    /// Opens the content of one case for one answer. The audit line is on disk before the seal is touched.
    pub(crate) async fn unmask(
        &self,
        signed: &Signed,
        key: &CaseKey,
        reason: &str,
        reference: &str,
    ) -> Result<(CaseFile, Submission), DeskError> {
        require(signed, Right::DecideCases)?;
        let file = self.file(signed, key).await?;
        let content = self.open(signed, key, reason, reference).await?;
        Ok((file, content))
    }

    /// The same of a record that followed a case.
    pub(crate) async fn unmask_follow_up(
        &self,
        signed: &Signed,
        key: &CaseKey,
        reason: &str,
        reference: &str,
    ) -> Result<(FollowUpFile, Submission), DeskError> {
        require(signed, Right::DecideCases)?;
        let file = self.follow_up(signed, key).await?;
        let content = self.open(signed, key, reason, reference).await?;
        Ok((file, content))
    }

    async fn open(
        &self,
        signed: &Signed,
        key: &CaseKey,
        reason: &str,
        reference: &str,
    ) -> Result<Submission, DeskError> {
        let reference = reference.trim();
        if !UNMASK_REASONS.iter().any(|(code, _)| *code == reason) || !is_reference(reference) {
            return Err(DeskError::BadReason);
        }
        let by = signed.by((self.clock)());
        self.allow(&signed.operator.name, by.now_ms)?;
        let detail = if reference.is_empty() { reason.to_owned() } else { format!("{reason} {reference}") };
        self.store.audit(by.did(AuditAct::Unmask, &subject(key), &detail)).await?;
        let sealed = self.store.sealed(key).await?.ok_or(DeskError::Erased)?;
        self.revealer.reveal(sealed.record).await.map_err(|error| match error {
            RevealError::Busy => DeskError::TooMany,
            RevealError::NotOpenable => DeskError::NotOpenable,
            RevealError::Ended => DeskError::Store(StoreError::Closed),
        })
    }

    /// Has a dead letter tried again.
    pub(crate) async fn retry(&self, signed: &Signed, id: i64) -> Result<bool, DeskError> {
        require(signed, Right::MendRecords)?;
        let by = signed.by((self.clock)());
        let again = self.store.retry_one(id, by.did(AuditAct::Retry, &format!("record {id}"), "")).await?;
        if again {
            self.arrivals.notify_one();
        }
        Ok(again)
    }

    fn allow(&self, name: &str, now_ms: i64) -> Result<(), DeskError> {
        let mut reveals = self.reveals.lock().unwrap_or_else(PoisonError::into_inner);
        if !reveals.take(name, REVEALS_AN_HOUR, now_ms) {
            tracing::warn!(alarm = true, "an operator has opened very many contents within an hour");
            return Err(DeskError::TooMany);
        }
        Ok(())
    }
}

fn require(signed: &Signed, right: Right) -> Result<(), DeskError> {
    if rights::may(signed.operator.role, right) { Ok(()) } else { Err(DeskError::Forbidden) }
}

/// A case in an audit line.
pub(crate) fn subject(key: &CaseKey) -> String {
    format!("{}/{}", key.terminal, key.case_id)
}

/// A number of a file or a call, such as `XF-2026-0182`; never long enough for somebody's number.
pub(crate) fn is_reference(text: &str) -> bool {
    text.len() <= REFERENCE_CHARS
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'.'))
        && text.bytes().filter(u8::is_ascii_digit).count() <= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_hold_nobodys_number() {
        for good in ["", "XF-2026-0182", "12345/2026.1"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in
            ["13812341234", "990001199001011234", "陈桂英", "a b", &"A".repeat(25), "1-3-8-1-2-3-4-1-2-3-4"]
        {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
