//! Being committed to disk. "Saved" is said only after the store has answered.

use super::receipt::{self, ReceiptPage};
use super::{Effect, Page, SavedCase, Ticket, TimerKind, Turn};
use crate::remedy::{Notice, Remedy};

pub(super) fn on_finalised(turn: &mut Turn, ticket: Ticket, case: SavedCase) {
    if turn.session.page != Page::Saving(ticket) {
        return;
    }
    stop_timer(turn);
    turn.somebody_is_there();
    turn.session.page = Page::Receipt(ReceiptPage::new(case));
    receipt::print(turn, false);
}

pub(super) fn on_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    if turn.session.page != Page::Saving(ticket) {
        return;
    }
    stop_timer(turn);
    turn.session.page = Page::Review;
    turn.session.notice = Some(match remedy {
        Remedy::AskCitizen(notice) => notice,
        Remedy::Retry | Remedy::CallOperator(_) => Notice::SaveFailed,
    });
}

/// The store did not answer in time. Whether it will still commit is unknown; the case number then
/// appears as "刚才的办件" after a restart, and nothing is claimed now.
pub(super) fn on_timeout(turn: &mut Turn) {
    turn.session.page = Page::Review;
    turn.session.notice = Some(Notice::SaveFailed);
}

fn stop_timer(turn: &mut Turn) {
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Saving));
}
