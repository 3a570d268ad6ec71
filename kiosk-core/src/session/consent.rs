//! Consent, before anything personal is taken.

use super::identify::{self, Identify};
use super::{AuditFact, Citizen, EndReason, Page, Turn, next_item, question};
use crate::applicant::CardKind;

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Some((code, version, ways)) =
        turn.item().map(|item| (item.code.clone(), item.consent_version, item.ways.clone()))
    else {
        return turn.lost();
    };
    match touch {
        Citizen::Agreed => {
            turn.audit(AuditFact::ConsentGiven(code, version));
            if turn.session.visit.as_ref().is_some_and(|visit| visit.about.is_some()) {
                // Who holds the receipt need not identify again.
                return question::go_to_first_open(turn);
            }
            if let Some(applicant) = next_item::identified(turn) {
                return identify::accept(turn, applicant);
            }
            let typing = !CardKind::ALL.iter().any(|card| ways.contains(&card.way()));
            turn.session.page = Page::Identify(Identify::new(typing));
            identify::read_again(turn);
        }
        Citizen::Declined => {
            turn.audit(AuditFact::ConsentDeclined(code, version));
            turn.leave(EndReason::Left);
        }
        Citizen::Back => turn.session.page = Page::Guide,
        _ => {}
    }
}
