//! What operators do with records that are kept aside: release one to the opener, or leave it there with a reason.
//! Knows rights, reasons and audit lines; knows no HTML.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Clock;
use super::case_desk::{is_reference, subject};
use super::rights::{self, Right};
use super::sign_in::Signed;
use crate::store::StoreError;
use crate::store::desk::{
    AsideDecision, AsideFilter, AsideName, AsideRow, AuditAct, Decided, DeskStore, Obstacle, Settled, Verdict,
};

/// Letters of a hash that tell records apart in an audit line.
const FINGERPRINT: usize = 16;

/// A reason: a word for the audit chain and words for people.
type Reason = (&'static str, &'static str);

const RELEASE_REASONS: [Reason; 4] = [
    ("resident_confirmed", "已与申请人核实"),
    ("terminal_checked", "已核查终端，记录可信"),
    ("revoked_by_mistake", "终端是误停用"),
    ("complaint", "处理投诉或复核"),
];

const KEEP_REASONS: [Reason; 4] = [
    ("handled_elsewhere", "申请人已另行办理"),
    ("not_believed", "核实后不是申请人办理"),
    ("same_case", "同一办件已经受理"),
    ("exercise", "演练或测试的记录"),
];

/// The reasons there are for a decision.
pub(crate) fn reasons(verdict: Verdict) -> &'static [Reason] {
    match verdict {
        Verdict::Released => &RELEASE_REASONS,
        Verdict::KeptAside => &KEEP_REASONS,
    }
}

/// The words for a reason.
pub(crate) fn reason_label(verdict: Verdict, code: &str) -> &'static str {
    reasons(verdict).iter().find(|(word, _)| *word == code).map_or("—", |(_, label)| label)
}

/// Why a decision was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AsideError {
    /// Not with this role.
    #[error("this operator may not do this")]
    Forbidden,
    /// No such record.
    #[error("there is no such record")]
    Missing,
    /// Somebody else was first.
    #[error("somebody has decided about it meanwhile")]
    Stale,
    /// No reason, or a reference that could be somebody's number.
    #[error("a decision needs a reason, and a reference without personal data")]
    BadReason,
    /// Something stands in the way.
    #[error("it cannot be released")]
    Blocked(Obstacle),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where it is decided about records that are kept aside.
pub(crate) struct AsideDesk {
    store: Arc<dyn DeskStore>,
    clock: Clock,
    /// Rung when the opener has something to do.
    arrivals: Arc<Notify>,
}

impl AsideDesk {
    pub(crate) fn new(store: Arc<dyn DeskStore>, clock: Clock, arrivals: Arc<Notify>) -> Self {
        Self { store, clock, arrivals }
    }

    /// Records that are kept aside, newest first.
    pub(crate) async fn list(
        &self,
        signed: &Signed,
        filter: AsideFilter,
        limit: usize,
    ) -> Result<Vec<AsideRow>, AsideError> {
        require(signed, Right::MendRecords)?;
        Ok(self.store.kept_aside(filter, limit).await?)
    }

    /// Decides about a record, on the version the operator saw.
    pub(crate) async fn decide(
        &self,
        signed: &Signed,
        name: AsideName,
        version: i64,
        verdict: Verdict,
        reason: &str,
        reference: &str,
    ) -> Result<(), AsideError> {
        require(signed, Right::ReleaseRecords)?;
        let reference = reference.trim();
        if !reasons(verdict).iter().any(|(code, _)| *code == reason) || !is_reference(reference) {
            return Err(AsideError::BadReason);
        }
        let by = signed.by((self.clock)());
        let act = match verdict {
            Verdict::Released => AuditAct::AsideReleased,
            Verdict::KeptAside => AuditAct::AsideReviewed,
        };
        let fingerprint: String = name.sha256.chars().take(FINGERPRINT).collect();
        let detail = [reason, reference, &fingerprint].map(str::to_owned);
        let detail: Vec<String> = detail.into_iter().filter(|part| !part.is_empty()).collect();
        let line = by.did(act, &subject(&name.key), &detail.join(" "));
        let decided = Decided {
            verdict,
            operator: signed.operator.name.clone(),
            at_ms: by.now_ms,
            reason: reason.to_owned(),
            reference: reference.to_owned(),
        };
        match self.store.decide_aside(AsideDecision { name, version, decided }, line).await? {
            Settled::Done => {
                if verdict == Verdict::Released {
                    self.arrivals.notify_one();
                }
                Ok(())
            }
            Settled::Stale => Err(AsideError::Stale),
            Settled::Missing => Err(AsideError::Missing),
            Settled::Blocked(obstacle) => Err(AsideError::Blocked(obstacle)),
        }
    }
}

fn require(signed: &Signed, right: Right) -> Result<(), AsideError> {
    if rights::may(signed.operator.role, right) { Ok(()) } else { Err(AsideError::Forbidden) }
}
