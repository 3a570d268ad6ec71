//! 办事指南: what the item is and what to bring. Readable even when nothing can be submitted.

use super::{Citizen, EndReason, Page, Turn, guide_print, photo};

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::Started => match turn.session.why_not_begin().or_else(|| photo::why_not_begin(turn)) {
            None => turn.session.page = Page::Consent,
            why => turn.session.notice = why,
        },
        Citizen::GuidePrintWanted => guide_print::print(turn),
        Citizen::Back => turn.leave(EndReason::Left),
        _ => {}
    }
}
