//! 遗落证件: a card that was read and still lies on the reader when its resident goes.
//!
//! A reader does not see a card being taken away (its answer "no card" also means "the one that I have read"), and only
//! some find it again after a reset. So the farewell always says "take your card", and stays a while longer
//! when a reader is sure that it is still there.

use super::{AuditFact, Effect, Page, Prompt, Ticket, TimerKind, Turn};

/// Times that the farewell is prolonged for a card that is still there.
const LOOKS_MAX: u8 = 5;

/// The looking, from the farewell on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftCard {
    /// The answer must name it.
    ticket: Option<Ticket>,
    /// The card was there at the last look.
    seen: bool,
    looks: u8,
}

/// The farewell begins: have a look.
pub(super) fn look(turn: &mut Turn) {
    let ticket = turn.new_ticket();
    turn.session.left_card.ticket = Some(ticket);
    turn.session.left_card.looks += 1;
    turn.effects.push(Effect::LookForCardLeft(ticket));
}

pub(super) fn on_answer(turn: &mut Turn, ticket: Ticket, there: bool) {
    let state = &mut turn.session.left_card;
    if state.ticket.take_if(|awaited| *awaited == ticket).is_some() {
        state.seen = there;
        if let Page::Leaving(to_take) = &mut turn.session.page {
            to_take.card_seen = there;
        }
    }
}

/// The farewell's time is over. True when it goes on because the card is still there.
pub(super) fn stays(turn: &mut Turn) -> bool {
    let LeftCard { seen, looks, .. } = turn.session.left_card;
    let again = seen && looks < LOOKS_MAX;
    if again {
        look(turn);
        turn.say(Prompt::CardStillThere);
        let wait = turn.rules.limits.farewell_ms;
        turn.start_page_timer(TimerKind::Page, wait);
    }
    again
}

/// The farewell is left: a card that was there at the last look is on record, without a word about whose it is.
pub(super) fn leave(turn: &mut Turn) {
    if std::mem::take(&mut turn.session.left_card).seen {
        turn.audit(AuditFact::CardForgotten);
    }
}
