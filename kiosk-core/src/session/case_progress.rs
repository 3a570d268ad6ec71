//! 办件进度: how a case is getting on, as the city told it.

use super::{CaseReference, Citizen, EndReason, Enquiry, Page, Turn, follow_up};
use crate::private::Private;
use crate::service::{FollowUp, ItemCode};

/// 办件状态.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseStatus {
    /// The city holds it; nobody has looked at it yet.
    PreReview,
    /// 受理: a department took it up.
    Accepted,
    /// 补正: the resident is asked for more.
    SupplementRequested,
    /// 退回: given back with a reason.
    Returned,
    /// 办结.
    Closed,
}

/// One step of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseStep {
    /// Where it came to.
    pub status: CaseStatus,
    /// When, by the city's clock.
    pub at_ms: i64,
    /// Why, as the city's word; its words in each language live with the screens.
    pub reason: String,
    /// What the department writes to the resident; may be empty.
    pub note: Private<String>,
}

/// How a case is getting on.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseProgress {
    /// Case number as printed.
    pub case_number: Private<String>,
    /// 事项.
    pub item: ItemCode,
    /// Where it stands now.
    pub status: CaseStatus,
    /// How it came there, oldest first.
    pub steps: Vec<CaseStep>,
}

/// State of the page: what was told, and what it was asked with.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressPage {
    /// What the city told.
    pub told: CaseProgress,
    /// The case, as its receipt names it.
    pub about: CaseReference,
}

impl CaseProgress {
    /// Whether the case can be followed with this, as far as the city told.
    pub fn may_follow(&self, follows: FollowUp) -> bool {
        match (follows, self.status) {
            (FollowUp::Supplement, CaseStatus::SupplementRequested)
            | (
                FollowUp::Withdrawal,
                CaseStatus::PreReview | CaseStatus::Accepted | CaseStatus::SupplementRequested,
            ) => true,
            (FollowUp::Supplement, CaseStatus::PreReview | CaseStatus::Accepted)
            | (_, CaseStatus::Returned | CaseStatus::Closed) => false,
        }
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Page::Progress(page) = &turn.session.page else { return };
    match touch {
        Citizen::FollowUpWanted(follows) if page.told.may_follow(follows) => {
            let about = page.about.clone();
            follow_up::begin(turn, follows, about);
        }
        Citizen::ProgressRead => turn.leave(EndReason::Finished),
        Citizen::ProgressWanted => turn.session.page = Page::Enquiry(Enquiry::new()),
        _ => {}
    }
}
