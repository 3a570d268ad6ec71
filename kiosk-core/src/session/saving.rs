//! Being committed to disk. "Saved" is said only after the store has answered, and so is "not saved":
//! while the answer is outstanding, nobody can submit a second time.

use super::receipt::{self, ReceiptPage};
use super::{Admission, Effect, Page, Power, PrintStatus, SavedCase, Session, Ticket, TimerKind, Turn, home};
use crate::remedy::{Notice, Remedy};

/// A case this young is offered on the home screen when nobody saw that it was saved.
pub const RECENT_MS: i64 = 10 * 60 * 1_000;

/// State of the saving page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saving {
    /// The answer must name it.
    ticket: Ticket,
    /// The store has not answered in time. It may still commit, so the page says that nothing is known
    /// yet, and stays.
    pub overdue: bool,
}

impl Saving {
    pub(super) fn new(ticket: Ticket) -> Self {
        Saving { ticket, overdue: false }
    }
}

impl Session {
    /// Why no case can be submitted now: there is no room, or the store owes the answer to a submission
    /// whose resident has left.
    pub fn why_not_submit(&self) -> Option<Notice> {
        let open = self.unsettled.is_none() && self.surroundings.admission == Admission::Open;
        (!open).then_some(Notice::SubmissionsClosed)
    }

    /// Why no case can be begun now. On battery, what was begun may still be finished.
    pub fn why_not_begin(&self) -> Option<Notice> {
        match self.surroundings.power {
            Power::Mains => self.why_not_submit(),
            Power::Battery => Some(Notice::PowerOut),
            Power::BatteryLow => Some(Notice::GoingOff),
        }
    }
}

pub(super) fn on_finalised(turn: &mut Turn, ticket: Ticket, case: SavedCase) {
    if is_awaited(turn, ticket) {
        stop_timer(turn);
        turn.somebody_is_there();
        turn.session.page = Page::Receipt(ReceiptPage::new(case));
        turn.effects.push(Effect::TryNow);
        receipt::print(turn, false);
    } else if turn.session.unsettled.take_if(|unsettled| *unsettled == ticket).is_some()
        && turn.moment.wall_ms.abs_diff(case.finalised_at_ms) <= RECENT_MS.unsigned_abs()
    {
        // Who confirmed it has left: as after a restart, offered and never printed unasked.
        home::offer_saved_case(turn, case, PrintStatus::NotPrinted);
    }
}

pub(super) fn on_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    turn.session.unsettled.take_if(|unsettled| *unsettled == ticket);
    if !is_awaited(turn, ticket) {
        return;
    }
    stop_timer(turn);
    turn.somebody_is_there();
    turn.session.page = Page::Review;
    turn.session.notice = Some(match remedy {
        Remedy::AskCitizen(notice) => notice,
        Remedy::Retry | Remedy::CallOperator(_) => Notice::SaveFailed,
    });
}

/// The store did not answer in time. From here on the idle clock runs: who walks off is wiped.
pub(super) fn on_timeout(turn: &mut Turn) {
    if let Page::Saving(saving) = &mut turn.session.page {
        saving.overdue = true;
        turn.somebody_is_there();
    }
}

/// The session ends: an answer that is still outstanding is remembered by its ticket alone.
pub(super) fn leave(turn: &mut Turn) {
    if let Page::Saving(saving) = &turn.session.page {
        turn.session.unsettled = Some(saving.ticket);
        stop_timer(turn);
    }
}

fn is_awaited(turn: &Turn, ticket: Ticket) -> bool {
    matches!(&turn.session.page, Page::Saving(saving) if saving.ticket == ticket)
}

fn stop_timer(turn: &mut Turn) {
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Saving));
}
