//! 首页: choose an item, or open the case that was saved without anybody seeing it.

use super::{
    AuditFact, Citizen, Enquiry, Page, PrintStatus, ReceiptPage, SavedCase, TimerKind, Turn, Visit, next_item,
};
use crate::service::{ItemCode, Shape};

/// "刚才的办件已保存": offered for a minute after a restart, or when it was saved too late for its
/// resident to see; never printed unasked.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedCaseOffer {
    /// The case.
    pub case: SavedCase,
    /// How far its receipt came.
    pub print: PrintStatus,
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Page::Home(offer) = &turn.session.page else { return };
    match touch {
        Citizen::ItemChosen(code) if is_offered(turn, &code) => {
            if turn.session.known.is_none() {
                turn.start();
            }
            turn.audit(AuditFact::ItemOpened(code.clone()));
            turn.session.visit = Some(next_item::visit(turn, Visit::new(code)));
            turn.session.page = Page::Guide;
        }
        Citizen::SavedCaseOpened => {
            if let Some(SavedCaseOffer { case, print }) = offer.clone() {
                turn.start();
                turn.session.page = Page::Receipt(ReceiptPage::recovered(case, print));
            }
        }
        Citizen::ProgressWanted => {
            turn.start();
            turn.session.page = Page::Enquiry(Enquiry::new());
        }
        Citizen::SavedCaseDismissed => turn.session.page = Page::Home(None),
        _ => {}
    }
}

/// What follows a case is begun at its progress, and nowhere else.
fn is_offered(turn: &Turn, code: &ItemCode) -> bool {
    turn.rules.item(code).is_some_and(|item| !matches!(item.shape, Shape::FollowUp(_)))
}

/// Offers the case, after the farewell that is being shown, unless somebody is already using the kiosk.
pub(super) fn offer_saved_case(turn: &mut Turn, case: SavedCase, print: PrintStatus) {
    let offer = SavedCaseOffer { case, print };
    match turn.session.page {
        Page::Home(None) if turn.session.visit.is_none() => {
            turn.session.page = Page::Home(Some(offer));
            let wait = turn.rules.limits.saved_case_offer_ms;
            turn.start_page_timer(TimerKind::Page, wait);
        }
        Page::Leaving(_) => turn.session.offer_at_home = Some(offer),
        _ => {}
    }
}
