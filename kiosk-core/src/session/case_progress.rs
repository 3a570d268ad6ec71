//! 办件进度: how a case is getting on, as the city told it.

use super::{Citizen, EndReason, Enquiry, Page, Turn};
use crate::private::Private;
use crate::service::ItemCode;

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

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::ProgressRead => turn.leave(EndReason::Finished),
        Citizen::ProgressWanted => turn.session.page = Page::Enquiry(Enquiry::new()),
        _ => {}
    }
}
