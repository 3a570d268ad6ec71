//! Where a live question about a case gets its answer. What the city holds says "pre-review"; whoever takes cases
//! through their life at a department knows more, and takes this trait over.

use service_catalog::FollowUp;
use sync_protocol::{CaseProgress, ProgressState, ProgressStep};
use zeroize::Zeroizing;

use crate::store::Reply;
use crate::store::desk::{CaseState, StepRow};
use crate::store::follow_up::FollowUpRow;

/// Most cases that may bear one number: the true one, and what a mistaken or hostile terminal numbered the same.
pub const MOST: usize = 8;

/// A case that bears the number that was asked for.
pub struct Numbered {
    /// The verification code printed on its receipt; whoever asks has to know it.
    pub verification: Zeroizing<String>,
    /// How it is getting on.
    pub progress: CaseProgress,
}

/// Knows how cases are getting on.
pub trait ProgressSource: Send + Sync {
    /// The cases that bear this number, at most [`MOST`]. The caller compares the codes, in constant time.
    fn numbered<'a>(&'a self, case_number: &'a str) -> Reply<'a, Vec<Numbered>>;
}

/// The word on the wire.
pub(crate) fn told(state: CaseState) -> ProgressState {
    match state {
        CaseState::PreReview => ProgressState::PreReview,
        CaseState::Accepted => ProgressState::Accepted,
        CaseState::SupplementRequested => ProgressState::SupplementRequested,
        CaseState::Returned => ProgressState::Returned,
        CaseState::Closed => ProgressState::Closed,
    }
}

/// What happened to a record that bears a number.
#[derive(Default)]
pub(crate) struct Life {
    /// The steps of a case.
    pub(crate) steps: Vec<StepRow>,
    /// What followed it.
    pub(crate) follow_ups: Vec<FollowUpRow>,
    /// When it was put beside a case that it follows itself.
    pub(crate) joined: Option<i64>,
}

impl Life {
    /// As the resident is told.
    pub(crate) fn told(self, case_number: String, item: String, received_at_ms: i64) -> CaseProgress {
        let plain = |state, at_ms, reason: &str| ProgressStep {
            state,
            at_ms,
            reason: reason.into(),
            note: String::new(),
        };
        let mut steps = vec![plain(ProgressState::PreReview, received_at_ms, "")];
        steps.extend(self.steps.into_iter().map(|step| ProgressStep {
            state: told(step.to),
            at_ms: step.at_ms,
            reason: step.reason,
            note: step.note,
        }));
        // What came too late made no step, and is said all the same.
        let late = self.follow_ups.into_iter().filter(|one| one.step.is_none());
        steps.extend(late.map(|one| {
            let reason = match one.follows {
                FollowUp::Supplement => "supplement_late",
                FollowUp::Withdrawal => "withdrawal_late",
            };
            plain(told(one.state), one.at_ms, reason)
        }));
        // Of what follows a case there is no more to tell than that: its case has the life.
        steps.extend(self.joined.map(|at_ms| plain(ProgressState::Closed, at_ms, "joined")));
        let state = steps.last().map_or(ProgressState::PreReview, |step| step.state);
        CaseProgress { case_number, item, state, steps }
    }
}
