//! 遗落证件: a card that was read and is still there when its resident goes.
//!
//! The ID-card reader does not see a card being taken away (its answer "no card" also means "the one that I have read"),
//! and only some find it again after a reset. So the farewell always says "take your card", and stays a while longer
//! when a reader is sure that it is still there. The social-security card's reader sees removal: the farewell asks for
//! that card while it is in, and for no longer.

use super::{AuditFact, Effect, EndReason, Page, Prompt, Ticket, TimerKind, Turn, leaving};
use crate::applicant::CardKind;

/// Times that the farewell is prolonged for a card that is still there.
const LOOKS_MAX: u8 = 5;

/// The looking, from the farewell on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftCard {
    id_card: Look,
    social_card: Look,
    looks: u8,
    /// It was asked for.
    social_card_said: bool,
    /// With nothing left to take there is nothing to say either: the resident broke off.
    home_when_taken: bool,
}

/// What one reader says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    /// The answer must name it.
    ticket: Option<Ticket>,
    /// The card was there at the last look.
    seen: bool,
}

/// The farewell begins: have a look.
pub(super) fn begin(turn: &mut Turn, reason: EndReason) {
    turn.session.left_card.home_when_taken = reason != EndReason::Finished;
    look(turn);
}

fn look(turn: &mut Turn) {
    let Page::Leaving(to_take) = turn.session.page else { return };
    for (card, to_take) in
        [(CardKind::IdCard, to_take.card), (CardKind::SocialSecurityCard, to_take.social_card)]
    {
        if to_take {
            let ticket = turn.new_ticket();
            let state = &mut turn.session.left_card;
            match card {
                CardKind::IdCard => state.id_card.ticket = Some(ticket),
                CardKind::SocialSecurityCard => state.social_card.ticket = Some(ticket),
            }
            turn.effects.push(Effect::LookForCardLeft(card, ticket));
        }
    }
    turn.session.left_card.looks += 1;
}

pub(super) fn on_answer(turn: &mut Turn, ticket: Ticket, there: bool) {
    let state = &mut turn.session.left_card;
    if state.id_card.ticket.take_if(|awaited| *awaited == ticket).is_some() {
        state.id_card.seen = there;
        if let Page::Leaving(to_take) = &mut turn.session.page {
            to_take.card_seen = there;
        }
    } else if state.social_card.ticket == Some(ticket) {
        state.social_card.seen = there;
        on_social_card(turn, there);
    }
}

fn on_social_card(turn: &mut Turn, there: bool) {
    let Page::Leaving(to_take) = &mut turn.session.page else { return };
    to_take.social_card = there;
    let to_take = *to_take;
    let state = &mut turn.session.left_card;
    if there && !std::mem::replace(&mut state.social_card_said, true) {
        if let Some(prompt) = to_take.prompt() {
            turn.say(prompt);
        }
    } else if to_take.is_nothing() && state.home_when_taken {
        turn.effects.push(Effect::Hush);
        leaving::go_home(turn);
    }
}

/// The farewell's time is over. True when it goes on because a card is still there.
pub(super) fn stays(turn: &mut Turn) -> bool {
    let LeftCard { id_card, social_card, looks, .. } = turn.session.left_card;
    let again = (id_card.seen || social_card.seen) && looks < LOOKS_MAX;
    if again {
        look(turn);
        turn.say(if social_card.seen { Prompt::SocialCardStillThere } else { Prompt::CardStillThere });
        let wait = turn.rules.limits.farewell_ms;
        turn.start_page_timer(TimerKind::Page, wait);
    }
    again
}

/// The farewell is left: a card that was there at the last look is on record, without a word about whose it is.
pub(super) fn leave(turn: &mut Turn) {
    let LeftCard { id_card, social_card, .. } = std::mem::take(&mut turn.session.left_card);
    if id_card.seen || social_card.seen {
        turn.audit(AuditFact::CardForgotten);
    }
}
