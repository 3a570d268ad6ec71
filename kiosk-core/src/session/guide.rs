//! 办事指南: what the item is and what to bring. Readable even when nothing can be submitted.

use super::{Citizen, EndReason, Page, Turn, follow_up, guide_print, life_event, photo, question};
use crate::service::Shape;

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        // It collects nothing of its own.
        Citizen::Started if turn.item().is_some_and(|item| item.shape == Shape::LifeEvent) => {
            if let Some(code) = turn.item().map(|item| item.code.clone()) {
                life_event::begin(turn, code);
            }
        }
        // What is only looked up needs neither room on the disk nor the camera.
        Citizen::Started if turn.item().is_some_and(|item| item.shape == Shape::Fetch) => {
            turn.session.page = Page::Consent;
        }
        // Nothing of it is kept, so it needs neither room on the disk nor the mains.
        Citizen::Started if turn.item().is_some_and(|item| item.shape == Shape::WhereToGo) => {
            question::go_to_first_open(turn);
        }
        Citizen::Started => match turn.session.why_not_begin().or_else(|| photo::why_not_begin(turn)) {
            // What takes nothing personal has no consent to ask for.
            None if turn.item().is_some_and(|item| item.consent_version == 0) => {
                question::go_to_first_open(turn);
            }
            None => turn.session.page = Page::Consent,
            why => turn.session.notice = why,
        },
        Citizen::GuidePrintWanted => guide_print::print(turn),
        Citizen::Back if turn.session.visit.as_ref().is_some_and(|visit| visit.about.is_some()) => {
            follow_up::leave_the_item(turn);
        }
        Citizen::Back => {
            if !life_event::back(turn) {
                turn.leave(EndReason::Left);
            }
        }
        _ => {}
    }
}
