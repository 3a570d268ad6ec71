//! Where a live question about a case gets its answer. What the city holds says "pre-review"; whoever takes cases
//! through their life at a department knows more, and takes this trait over.

use sync_protocol::{CaseProgress, ProgressState};
use zeroize::Zeroizing;

use crate::store::Reply;
use crate::store::desk::CaseState;

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
