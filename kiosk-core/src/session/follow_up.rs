//! 补正与撤回: what follows a case. Who holds its receipt may supply what is missing or withdraw it, and says nothing
//! else of who it is. It begins at the progress that the city told; when the city cannot be asked, at a page of its own,
//! with what was typed from the receipt.

use super::{AuditFact, Citizen, Enquiry, Page, Turn, Visit, enquiry};
use crate::private::Private;
use crate::remedy::Notice;
use crate::service::FollowUp;

/// Names a case, and proves that whoever names it holds its receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseReference {
    /// Case number as printed.
    pub case_number: Private<String>,
    /// Verification code as printed, without spaces.
    pub verification: Private<String>,
}

/// Whether the notice says that the city cannot be asked now. What follows a case can be handed in all the same.
pub(super) fn is_possible_after(notice: Notice) -> bool {
    matches!(notice, Notice::CityAway | Notice::CitySlow | Notice::CityBusy)
}

/// The page on which the resident chooses between the two, with the city away.
pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Page::FollowUp(about) = &turn.session.page else { return };
    match touch {
        Citizen::FollowUpWanted(follows) => {
            let about = about.clone();
            begin(turn, follows, about);
        }
        Citizen::Back => back_to_the_enquiry(turn, &about.clone()),
        _ => {}
    }
}

/// Opens the item that follows a case with this. A catalog without one offers none.
pub(super) fn begin(turn: &mut Turn, follows: FollowUp, about: CaseReference) {
    let Some(code) = turn.rules.follow_up(follows).map(|item| item.code.clone()) else { return };
    turn.audit(AuditFact::ItemOpened(code.clone()));
    turn.session.visit = Some(Visit { about: Some(about), ..Visit::new(code) });
    turn.session.page = Page::Guide;
}

/// From the first page of the item back to what was typed: one touch asks the city anew.
pub(super) fn leave_the_item(turn: &mut Turn) {
    let about = turn.session.visit.take().and_then(|visit| visit.about.clone());
    match about {
        Some(about) => back_to_the_enquiry(turn, &about),
        None => turn.lost(),
    }
}

fn back_to_the_enquiry(turn: &mut Turn, about: &CaseReference) {
    turn.session.page = Page::Enquiry(Enquiry::new());
    enquiry::type_again(turn, about);
}
