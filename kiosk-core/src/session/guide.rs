//! 办事指南: what the item is and what to bring. Readable even when nothing can be submitted.

use super::{Admission, Citizen, EndReason, Page, Turn};
use crate::remedy::Notice;

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::Started => match turn.session.admission() {
            Admission::Open => turn.session.page = Page::Consent,
            Admission::Closed => turn.session.notice = Some(Notice::SubmissionsClosed),
        },
        Citizen::Back => turn.leave(EndReason::Left),
        _ => {}
    }
}
