//! The city is being asked while the resident waits. Whatever comes of it within the time is said; what comes later,
//! or to another question, reaches nobody.

use super::{
    AuditFact, CannotAsk, CaseProgress, CaseReference, Citizen, CityAnswer, CityQuestion, Effect, Enquiry,
    EnquiryField, Page, ProgressOutcome, ProgressPage, Ticket, TimerKind, Turn, Unfetched, fetch,
};
use crate::case_number;
use crate::private::Private;
use crate::remedy::Notice;

/// State of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// The answer must name it.
    ticket: Ticket,
    /// What was typed, for another try.
    enquiry: Enquiry,
    /// The number as the answer must name it.
    case_number: Private<String>,
    asked_at_ms: u64,
}

/// Asks how the case of the enquiry is getting on.
pub(super) fn ask(turn: &mut Turn) {
    let Page::Enquiry(enquiry) = &mut turn.session.page else { return };
    let Ok(case_number) = case_number::parse(enquiry.number.expose()).map(Private::new) else { return };
    // Moved, not copied: its buffers are large enough to go on typing.
    let enquiry = std::mem::replace(enquiry, Enquiry::new());
    let question =
        CityQuestion::CaseProgress { case_number: case_number.clone(), verification: enquiry.code.clone() };
    let ticket = turn.new_ticket();
    let within_ms = turn.rules.limits.asking_ms;
    turn.audit(AuditFact::ProgressAsked);
    turn.effects.push(Effect::AskCity { ticket, within_ms, question });
    let asked_at_ms = turn.moment.monotonic_ms;
    turn.session.page = Page::Asking(Box::new(Asking { ticket, enquiry, case_number, asked_at_ms }));
    turn.start_page_timer(TimerKind::Asking, within_ms);
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    if touch == Citizen::Back {
        give_up(turn, ProgressOutcome::Left, EnquiryField::Code, None);
    }
}

pub(super) fn on_answered(turn: &mut Turn, ticket: Ticket, answer: CityAnswer) {
    if fetch::awaits(turn, ticket) {
        return match answer {
            CityAnswer::Fetched(fetched) => fetch::on_fetched(turn, *fetched),
            CityAnswer::NothingHeld => fetch::on_nothing(turn, Unfetched::NothingHeld),
            // Something else is no answer.
            CityAnswer::CaseProgress(_)
            | CityAnswer::NotFound
            | CityAnswer::KeeperCall(_)
            | CityAnswer::QueueTicket(_) => {
                fetch::on_nothing(turn, Unfetched::CannotAsk(CannotAsk::Away));
            }
        };
    }
    let Some(asking) = awaited(turn, ticket) else { return };
    match answer {
        CityAnswer::CaseProgress(progress) if progress.case_number == asking.case_number => {
            told(turn, *progress);
        }
        // Somebody else's case, or something else, is no answer.
        CityAnswer::CaseProgress(_)
        | CityAnswer::Fetched(_)
        | CityAnswer::NothingHeld
        | CityAnswer::KeeperCall(_)
        | CityAnswer::QueueTicket(_) => cannot(turn, CannotAsk::Away),
        CityAnswer::NotFound => {
            // Either may be wrong, so both are looked at again, in their order.
            let (field, notice) = (EnquiryField::Number, Some(Notice::CaseNotFound));
            give_up(turn, ProgressOutcome::NotFound, field, notice);
        }
    }
}

pub(super) fn on_cannot_ask(turn: &mut Turn, ticket: Ticket, why: CannotAsk) {
    if fetch::awaits(turn, ticket) {
        fetch::on_nothing(turn, Unfetched::CannotAsk(why));
    } else if awaited(turn, ticket).is_some() {
        cannot(turn, why);
    }
}

/// Nobody has answered in time.
pub(super) fn on_timeout(turn: &mut Turn) {
    cannot(turn, CannotAsk::TooLate);
}

/// The session ends.
pub(super) fn leave(turn: &mut Turn) {
    end(turn, ProgressOutcome::Left);
}

fn awaited<'a>(turn: &'a Turn<'_>, ticket: Ticket) -> Option<&'a Asking> {
    match &turn.session.page {
        Page::Asking(asking) if asking.ticket == ticket => Some(asking),
        _ => None,
    }
}

fn told(turn: &mut Turn, progress: CaseProgress) {
    end(turn, ProgressOutcome::Told);
    let Page::Asking(asking) = &turn.session.page else { return };
    let about =
        CaseReference { case_number: asking.case_number.clone(), verification: asking.enquiry.code.clone() };
    turn.session.page = Page::Progress(Box::new(ProgressPage { told: progress, about }));
    turn.somebody_is_there();
}

fn cannot(turn: &mut Turn, why: CannotAsk) {
    let (outcome, notice) = match why {
        CannotAsk::Away => (ProgressOutcome::Away, Notice::CityAway),
        CannotAsk::TooLate => (ProgressOutcome::TooLate, Notice::CitySlow),
        CannotAsk::Busy | CannotAsk::DepartmentAway => (ProgressOutcome::Busy, Notice::CityBusy),
    };
    give_up(turn, outcome, EnquiryField::Code, Some(notice));
}

/// Back to what was typed, so that nobody types it twice.
fn give_up(turn: &mut Turn, outcome: ProgressOutcome, field: EnquiryField, notice: Option<Notice>) {
    end(turn, outcome);
    let Page::Asking(asking) = &mut turn.session.page else { return };
    let mut enquiry = std::mem::replace(&mut asking.enquiry, Enquiry::new());
    enquiry.field = field;
    turn.session.page = Page::Enquiry(enquiry);
    turn.session.notice = notice;
    turn.somebody_is_there();
}

fn end(turn: &mut Turn, outcome: ProgressOutcome) {
    let Page::Asking(asking) = &turn.session.page else { return };
    let took_ms = turn.moment.monotonic_ms.saturating_sub(asking.asked_at_ms);
    turn.audit(AuditFact::ProgressAnswered { outcome, took_ms });
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Asking));
}
