//! Consent, before anything personal is taken.

use super::identify::{self, Identify};
use super::{AuditFact, Citizen, EndReason, Page, Turn, next_item};
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
