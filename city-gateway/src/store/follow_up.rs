//! What follows a case: a supplement to it, or its withdrawal. Which step such a record makes is decided here, without a
//! database, so that every store decides alike.
//!
//! Deliberately absent: the verification code that such a record names its case by. It stays inside the seal.

use service_catalog::FollowUp;

use super::MaskedPerson;
use super::desk::{AuditAct, AuditEntry, CaseKey, CaseState, ErasureRule};

/// Whose step it is in the history of a case. No account can have this name.
pub const RESIDENT: &str = "@resident";

/// Most opened cases that may bear one number.
pub const MOST_NAMED: usize = 8;

/// An opened case that bears a number, or that is followed by the record that bears it.
pub struct NamedCase {
    /// Its name.
    pub key: CaseKey,
    /// The verification code on the receipt with that number; the caller compares it in constant time.
    pub verification: zeroize::Zeroizing<String>,
}

/// A record that followed a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpRow {
    /// Its own name.
    pub key: CaseKey,
    /// Its own number.
    pub case_number: String,
    /// Its item.
    pub item: String,
    /// Hash of its ciphertext.
    pub sha256: String,
    /// When it arrived.
    pub received_at_ms: i64,
    /// Whom to call, masked.
    pub person: MaskedPerson,
    /// What it follows its case with.
    pub follows: FollowUp,
    /// The case.
    pub case: CaseKey,
    /// Number of the case.
    pub about_number: String,
    /// Item of the case: it says which department's it is.
    pub about_item: String,
    /// When it was put beside its case.
    pub at_ms: i64,
    /// Where the case stood then.
    pub state: CaseState,
    /// The step that it made; none when the case was over.
    pub step: Option<i64>,
    /// How many photos and scans belong to it.
    pub blobs: u64,
    /// When its content was deleted, and why.
    pub erased: Option<(i64, ErasureRule)>,
}

/// Where a case comes to when it is followed, and why, as a word; `None` when it is over, and stays as it is.
pub fn step(
    follows: FollowUp,
    now: CaseState,
    before: Option<CaseState>,
) -> Option<(CaseState, &'static str)> {
    use CaseState::{Accepted, Closed, PreReview, Returned, SupplementRequested};
    match (follows, now) {
        (_, Returned | Closed) => None,
        (FollowUp::Withdrawal, PreReview | Accepted | SupplementRequested) => Some((Closed, "withdrawn")),
        // Back to where it was when more was asked for: who took it on has taken it on.
        (FollowUp::Supplement, SupplementRequested) => {
            let back = if before == Some(Accepted) { Accepted } else { PreReview };
            Some((back, "supplied"))
        }
        // Nobody had asked, or nobody had asked yet. It counts all the same, and nobody decides past it unseen.
        (FollowUp::Supplement, PreReview | Accepted) => Some((now, "supplied")),
    }
}

/// The audit line of such a step.
pub(super) fn entry(case: &CaseKey, from: CaseState, to: CaseState, reason: &str, at_ms: i64) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: "gateway".into(),
        address: String::new(),
        act: AuditAct::CaseStep,
        subject: format!("{}/{}", case.terminal, case.case_id),
        detail: format!("{} > {} {reason}", from.code(), to.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CaseState::{Accepted, Closed, PreReview, Returned, SupplementRequested};

    #[test]
    fn what_follows_a_case_takes_it_where_it_belongs() {
        let supplement = |now, before| step(FollowUp::Supplement, now, before);
        assert_eq!(supplement(SupplementRequested, Some(PreReview)), Some((PreReview, "supplied")));
        assert_eq!(supplement(SupplementRequested, Some(Accepted)), Some((Accepted, "supplied")));
        assert_eq!(supplement(SupplementRequested, None), Some((PreReview, "supplied")));
        assert_eq!(supplement(PreReview, None), Some((PreReview, "supplied")));
        assert_eq!(supplement(Accepted, Some(PreReview)), Some((Accepted, "supplied")));
        for over in [Returned, Closed] {
            assert_eq!(supplement(over, Some(Accepted)), None);
            assert_eq!(step(FollowUp::Withdrawal, over, Some(Accepted)), None);
        }
        for open in [PreReview, Accepted, SupplementRequested] {
            assert_eq!(step(FollowUp::Withdrawal, open, None), Some((Closed, "withdrawn")));
        }
    }
}
