//! The check page: everything at one glance, each answer with "change this".

use super::{Citizen, Effect, Page, Saving, Submission, Submitter, TimerKind, Turn, Visit, question};
use crate::remedy::Notice;
use crate::service::{FollowUp, Shape};

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::ChangeWanted(id) => question::open(turn, id),
        Citizen::Back => question::go_to_last_asked(turn),
        Citizen::Confirmed => match turn.session.why_not_submit() {
            None => submit(turn),
            why => turn.session.notice = why,
        },
        _ => {}
    }
}

/// The only way to a case: a complete form, confirmed.
fn submit(turn: &mut Turn) {
    if question::first_open(turn).is_some() {
        return question::go_to_first_open(turn);
    }
    if supplies_nothing(turn) {
        turn.session.notice = Some(Notice::NothingSupplied);
        return;
    }
    let language = turn.session.settings.language;
    let Some((version, consent_version)) = turn.item().map(|item| (item.version, item.consent_version))
    else {
        return turn.lost();
    };
    let Some((visit, by)) = turn.session.visit.as_ref().and_then(|visit| Some((visit, submitter(visit)?)))
    else {
        return turn.lost();
    };
    let submission = Submission {
        item: visit.item.clone(),
        item_version: version,
        consent_version,
        language,
        by,
        answers: visit.answers.clone(),
    };
    let ticket = turn.new_ticket();
    turn.effects.push(Effect::Finalise(ticket, Box::new(submission)));
    turn.session.page = Page::Saving(Saving::new(ticket));
    let usual = turn.rules.limits.saving_ms;
    turn.start_page_timer(TimerKind::Saving, usual);
}

/// Who asks: the holder of a receipt, or somebody who identified.
fn submitter(visit: &Visit) -> Option<Submitter> {
    match &visit.about {
        Some(about) => Some(Submitter::ReceiptHolder(about.clone())),
        None => visit.applicant.clone().map(Submitter::Applicant),
    }
}

/// Every question of a supplement may be left out, but not all of them.
fn supplies_nothing(turn: &Turn) -> bool {
    turn.item().is_some_and(|item| item.shape == Shape::FollowUp(FollowUp::Supplement))
        && turn.session.visit.as_ref().is_some_and(|visit| visit.answers.is_empty())
}
