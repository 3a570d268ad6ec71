//! 一件事: the items that belong to one event of a life, such as retiring, done one after the other by a person who
//! identifies once. In any order, and none has to be done.

use super::{AuditFact, Citizen, EndReason, Page, Turn, Visit, next_item};
use crate::service::ItemCode;
use std::collections::BTreeSet;

/// A life event that is being gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeEvent {
    /// Its item.
    pub item: ItemCode,
    /// What was done of it in this session.
    pub done: BTreeSet<ItemCode>,
}

/// From the guide: the items of this life event come up.
pub(super) fn begin(turn: &mut Turn, item: ItemCode) {
    turn.session.visit = None;
    turn.session.life_event = Some(LifeEvent { item, done: BTreeSet::new() });
    turn.session.page = Page::LifeEvent;
}

/// The page that shows them.
pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::ItemChosen(code) if belongs(turn, &code) => {
            turn.audit(AuditFact::ItemOpened(code.clone()));
            turn.session.visit = Some(next_item::visit(turn, Visit::new(code)));
            turn.session.page = Page::Guide;
        }
        // Who has done something of it goes on with anything else; who has not has nothing to go on with.
        Citizen::Back if turn.session.known.is_some() => {
            turn.session.life_event = None;
            turn.session.page = Page::Home(None);
        }
        Citizen::Back => turn.leave(EndReason::Left),
        Citizen::LifeEventDone => turn.leave(EndReason::Finished),
        _ => {}
    }
}

/// From the guide of one of its items back to all of them; whether there is a life event to go back to.
pub(super) fn back(turn: &mut Turn) -> bool {
    let there = turn.session.life_event.is_some();
    if there {
        turn.session.visit = None;
        turn.session.page = Page::LifeEvent;
    }
    there
}

/// One of its items is over; whether there is a life event to go on with.
pub(super) fn go_on(turn: &mut Turn, done: Option<ItemCode>) -> bool {
    let Some(life_event) = &mut turn.session.life_event else { return false };
    life_event.done.extend(done);
    turn.session.page = Page::LifeEvent;
    true
}

fn belongs(turn: &Turn, code: &ItemCode) -> bool {
    let item = turn.session.life_event.as_ref().and_then(|life_event| turn.rules.item(&life_event.item));
    item.is_some_and(|item| item.items.contains(code))
}
