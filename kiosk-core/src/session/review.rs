//! The check page: everything at one glance, each answer with "change this".

use super::{Citizen, Effect, Page, Saving, Submission, TimerKind, Turn, question};

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
    let language = turn.session.settings.language;
    let Some((version, consent_version)) = turn.item().map(|item| (item.version, item.consent_version))
    else {
        return turn.lost();
    };
    let Some((visit, applicant)) =
        turn.session.visit.as_ref().and_then(|visit| Some((visit, visit.applicant.clone()?)))
    else {
        return turn.lost();
    };
    let submission = Submission {
        item: visit.item.clone(),
        item_version: version,
        consent_version,
        language,
        applicant,
        answers: visit.answers.clone(),
    };
    let ticket = turn.new_ticket();
    turn.effects.push(Effect::Finalise(ticket, Box::new(submission)));
    turn.session.page = Page::Saving(Saving::new(ticket));
    let usual = turn.rules.limits.saving_ms;
    turn.start_page_timer(TimerKind::Saving, usual);
}
