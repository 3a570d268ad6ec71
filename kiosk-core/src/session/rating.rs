//! 好差评: five levels, always skippable; nothing is invented when the resident skips.

use super::{Citizen, Effect, Page, Turn, next_item};

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Page::Rating(receipt) = &turn.session.page else { return };
    match touch {
        Citizen::Rated(stars @ 1..=5) => {
            turn.effects.push(Effect::StoreRating(receipt.case.clone(), stars));
            next_item::begin_or_leave(turn);
        }
        Citizen::AnotherItemWanted => next_item::begin(turn),
        Citizen::RatingSkipped => next_item::begin_or_leave(turn),
        _ => {}
    }
}
