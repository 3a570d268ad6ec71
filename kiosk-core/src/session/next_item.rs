//! 另办一件: what was done is wiped, and the same person goes on without identifying again, in the same language and
//! theme. Who that is stays until the session ends, is asked once more ("is this you?"), and is never shown at home.

use super::{
    AuditFact, CardsShown, Effect, EndReason, Page, ToTake, Turn, Visit, asking, fetch, life_event, number,
    pages_print, photo, saving,
};
use crate::applicant::Applicant;

/// Who goes on, and which of the cards may still lie there.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Who identified, if anybody did.
    applicant: Option<Applicant>,
    /// What may still lie there.
    to_take: ToTake,
}

impl Known {
    /// Whether somebody has identified, who need not do so again.
    pub fn is_identified(&self) -> bool {
        self.applicant.is_some()
    }

    pub(super) fn to_take(&self) -> ToTake {
        self.to_take
    }
}

/// This item is over; the home screen comes up for the same person.
pub(super) fn begin(turn: &mut Turn) {
    let reached = !matches!(turn.session.page, Page::Unfetched(_));
    let done = turn.session.visit.as_ref().filter(|_| reached).map(|visit| visit.item.clone());
    let to_take = turn.to_take();
    saving::leave(turn);
    asking::leave(turn);
    fetch::leave(turn);
    number::leave(turn);
    pages_print::leave(turn);
    photo::give_up(turn);
    let before = turn.session.known.take().and_then(|known| known.applicant);
    let applicant = turn.session.visit.take().and_then(|visit| visit.applicant).or(before);
    turn.session.known = Some(Known { applicant, to_take });
    turn.session.notice = None;
    turn.session.typing_way = None;
    turn.effects.push(Effect::StopReading);
    turn.effects.push(Effect::WipeSession);
    turn.audit(AuditFact::AnotherItem);
    turn.session.page_timer = None;
    if !life_event::go_on(turn, done) {
        turn.session.page = Page::Home(None);
    }
    turn.somebody_is_there();
}

/// This item is over, and the resident has said so: a life event has more of them, otherwise the session ends.
pub(super) fn begin_or_leave(turn: &mut Turn) {
    match turn.session.life_event {
        Some(_) => begin(turn),
        None => turn.leave(EndReason::Finished),
    }
}

/// The visit of the next item, with the cards that may still lie there.
pub(super) fn visit(turn: &Turn, mut visit: Visit) -> Visit {
    if let Some(Known { to_take, .. }) = &turn.session.known {
        visit.cards = CardsShown { id_card: to_take.card, social_card: to_take.social_card };
    }
    visit
}

/// Who is known already, when the item accepts the way in which she identified.
pub(super) fn identified(turn: &Turn) -> Option<Applicant> {
    let applicant = turn.session.known.as_ref()?.applicant.clone()?;
    let item = turn.item()?;
    let valid = item.accepts_expired_card || !applicant.expired_on(turn.session.today);
    (item.ways.contains(&applicant.way) && valid).then_some(applicant)
}
