//! Power, the cabinet's doors, and who stands before the machine: what happens around the session and is nobody's touch.

use super::{AuditFact, EndReason, Page, Power, Turn};
use crate::remedy::Notice;

/// On battery nothing new is begun. When it runs low, the session ends in time: what was submitted is on disk already.
pub(super) fn on_power(turn: &mut Turn, power: Power) {
    let before = std::mem::replace(&mut turn.session.surroundings.power, power);
    if before == power {
        return;
    }
    turn.audit(AuditFact::PowerChanged(power));
    match power {
        Power::BatteryLow => {
            turn.leave(EndReason::PowerLow);
            turn.session.notice = Some(Notice::GoingOff);
        }
        Power::Mains | Power::Battery => {
            turn.session.notice.take_if(|notice| matches!(notice, Notice::PowerOut | Notice::GoingOff));
        }
    }
}

/// Whoever opens the cabinet stands where the resident's data is shown: it goes first.
pub(super) fn on_cabinet(turn: &mut Turn, open: bool) {
    turn.audit(AuditFact::CabinetOpened(open));
    if open {
        turn.leave(EndReason::CabinetOpened);
    }
}

/// Nobody is seen: the warning comes early. It never ends a session by itself: a sensor does not see everybody, and
/// whoever is there has the whole countdown to touch the screen.
pub(super) fn on_somebody(turn: &mut Turn, near: bool) {
    let before = turn.session.surroundings.somebody_near.replace(near);
    let waits = turn.session.idle.ticket.is_some() && !matches!(turn.session.page, Page::Saving(_));
    if !waits || before == Some(near) {
        return;
    }
    match near {
        true => turn.somebody_is_there(),
        false => turn.nobody_is_seen(),
    }
}
