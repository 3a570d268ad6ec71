//! 取号: a number of the window that an outcome names, which the city gives while the resident waits. It is shown large, and
//! printed together with the directions.
//!
//! Without the city there is no number: nobody else knows which is the next one. The page says so, and what to do instead.

use super::{
    AuditFact, CannotAsk, CityAnswer, CityQuestion, Effect, OutcomePage, Page, ProgressOutcome, Ticket, Turn,
    outcome,
};

/// A number of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueTicket {
    /// As it is called: `A023`.
    pub number: String,
    /// How many wait before it, when the window tells.
    pub waiting: Option<u32>,
}

/// How far the number is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Of this window none are given here.
    NotOffered,
    /// There is one for who wants it.
    Offered,
    /// The city is being asked.
    Asking,
    /// Taken.
    Taken(QueueTicket),
    /// There is none now; it can be tried again.
    NotTaken(NoNumber),
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoNumber {
    /// The city cannot be reached.
    Away,
    /// The city has too much to do, or gives no more numbers today.
    Busy,
    /// The city knows of no such window.
    Closed,
}

impl Number {
    /// The number, once it was taken.
    pub fn ticket(&self) -> Option<&QueueTicket> {
        match self {
            Number::Taken(ticket) => Some(ticket),
            Number::NotOffered | Number::Offered | Number::Asking | Number::NotTaken(_) => None,
        }
    }

    /// Whether "take a number" can be touched now.
    pub fn can_be_taken(&self, network: bool) -> bool {
        network && matches!(self, Number::Offered | Number::NotTaken(_))
    }
}

/// A request under way, or one that may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Names it at the city: another try is the same request.
    request: Ticket,
    /// The question that is not answered yet.
    asked: Option<Ticket>,
    since_ms: u64,
}

/// What the page of this outcome begins with.
pub(super) fn at_first(turn: &Turn, at: usize) -> Number {
    let queue = turn.item().and_then(|item| item.queue(at));
    let taken = turn.session.visit.as_ref().and_then(|visit| visit.queue_ticket.as_ref());
    match (queue, taken) {
        (None, _) => Number::NotOffered,
        (Some(queue), Some((of, ticket))) if of == queue => Number::Taken(ticket.clone()),
        (Some(_), _) => Number::Offered,
    }
}

/// The resident wants a number.
pub(super) fn take(turn: &mut Turn) {
    let Some((item, queue)) = queue_of(turn) else { return };
    let network = turn.session.surroundings.network;
    let (request, ticket) = (turn.new_ticket(), turn.new_ticket());
    let since_ms = turn.moment.monotonic_ms;
    let within_ms = turn.rules.limits.asking_ms;
    let Page::Outcome(page) = &mut turn.session.page else { return };
    if !page.number.can_be_taken(network) {
        return;
    }
    page.number = Number::Asking;
    let request = page.wanted.map_or(request, |before| before.request);
    page.wanted = Some(Wanted { request, asked: Some(ticket), since_ms });
    turn.audit(AuditFact::QueueTicketAsked(item));
    let question = CityQuestion::QueueTicket { request, queue };
    turn.effects.push(Effect::AskCity { ticket, within_ms, question });
}

pub(super) fn is_awaited(turn: &Turn, ticket: Ticket) -> bool {
    let Page::Outcome(OutcomePage { wanted: Some(wanted), .. }) = &turn.session.page else { return false };
    wanted.asked == Some(ticket)
}

pub(super) fn on_answered(turn: &mut Turn, answer: CityAnswer) {
    match answer {
        CityAnswer::QueueTicket(ticket) => taken(turn, ticket),
        CityAnswer::NotFound => not_taken(turn, ProgressOutcome::NotFound, NoNumber::Closed),
        CityAnswer::CaseProgress(_)
        | CityAnswer::KeeperCall(_)
        | CityAnswer::Fetched(_)
        | CityAnswer::NothingHeld => on_cannot(turn, CannotAsk::Away),
    }
}

pub(super) fn on_cannot(turn: &mut Turn, why: CannotAsk) {
    let (outcome, why) = match why {
        CannotAsk::Away => (ProgressOutcome::Away, NoNumber::Away),
        CannotAsk::TooLate => (ProgressOutcome::TooLate, NoNumber::Away),
        CannotAsk::Busy | CannotAsk::DepartmentAway => (ProgressOutcome::Busy, NoNumber::Busy),
    };
    not_taken(turn, outcome, why);
}

/// Nobody waits for it any more.
pub(super) fn leave(turn: &mut Turn) {
    if let Page::Outcome(OutcomePage { wanted: Some(Wanted { asked: Some(_), .. }), .. }) = turn.session.page
    {
        not_taken(turn, ProgressOutcome::Left, NoNumber::Away);
    }
}

/// Paper comes by itself: whoever takes a number wants it in the hand.
fn taken(turn: &mut Turn, ticket: QueueTicket) {
    ended(turn, ProgressOutcome::Told);
    let queue = queue_of(turn).map(|(_, queue)| queue);
    let Page::Outcome(page) = &mut turn.session.page else { return };
    page.number = Number::Taken(ticket.clone());
    if let Some(visit) = &mut turn.session.visit {
        visit.queue_ticket = queue.map(|queue| (queue, ticket));
    }
    turn.somebody_is_there();
    outcome::print(turn);
}

fn not_taken(turn: &mut Turn, outcome: ProgressOutcome, why: NoNumber) {
    ended(turn, outcome);
    if let Page::Outcome(page) = &mut turn.session.page {
        page.number = Number::NotTaken(why);
    }
}

fn ended(turn: &mut Turn, outcome: ProgressOutcome) {
    let now_ms = turn.moment.monotonic_ms;
    let Page::Outcome(OutcomePage { wanted: Some(wanted), .. }) = &mut turn.session.page else { return };
    wanted.asked = None;
    let took_ms = now_ms.saturating_sub(wanted.since_ms);
    turn.audit(AuditFact::QueueTicketAnswered { outcome, took_ms });
}

fn queue_of(turn: &Turn) -> Option<(crate::service::ItemCode, String)> {
    let Page::Outcome(page) = &turn.session.page else { return None };
    let item = turn.item()?;
    Some((item.code.clone(), item.queue(page.at)?.to_owned()))
}
