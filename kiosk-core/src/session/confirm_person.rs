//! "Is this you?": what the card says is shown and only confirmed.

use super::identify::{self, Identify};
use super::{Citizen, Page, Turn, question};

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::PersonConfirmed => question::go_to_first_open(turn),
        Citizen::PersonDenied | Citizen::Back => {
            turn.session.known = None;
            if let Some(visit) = &mut turn.session.visit {
                visit.applicant = None;
                visit.answers.clear();
                visit.skipped.clear();
            }
            turn.session.page = Page::Identify(Identify::new(false));
            identify::read_again(turn);
        }
        _ => {}
    }
}
