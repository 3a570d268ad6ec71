//! What is said while a case is being saved, and what becomes of an answer that comes late.

use super::*;

#[test]
fn a_store_that_fails_claims_nothing() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::FinaliseFailed(ticket, Remedy::Retry)));
    assert_eq!(bench.session.page, Page::Review);
    assert_eq!(bench.session.notice, Some(Notice::SaveFailed));
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert_eq!(bench.session.page, Page::Review, "an answer to a question no longer asked is dropped");
}

/// A resident has confirmed and the store is silent for longer than usual.
fn overdue() -> (Bench, Ticket) {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Timer(bench.session.page_timer.unwrap()));
    assert!(is_overdue(&bench));
    (bench, ticket)
}

fn is_overdue(bench: &Bench) -> bool {
    matches!(&bench.session.page, Page::Saving(saving) if saving.overdue)
}

fn asks_to_finalise(bench: &Bench) -> bool {
    bench.effects.iter().any(|effect| matches!(effect, Effect::Finalise(..)))
}

/// Lets the idle clock run out.
fn walk_off(bench: &mut Bench) {
    for _ in 0..=20 {
        assert!(bench.session.visit.is_some(), "there is a full countdown");
        bench.send(Event::Timer(bench.session.idle.ticket.unwrap()));
    }
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!(bench.session.visit, None);
}

#[test]
fn while_nobody_knows_whether_it_was_saved_it_cannot_be_submitted_again() {
    let (mut bench, _) = overdue();
    assert_eq!(bench.session.notice, None, "nothing is claimed");
    for touch in [Citizen::Back, Citizen::Confirmed, Citizen::NoticeContinued, Citizen::NoticeClosed] {
        bench.touch(touch);
        assert!(is_overdue(&bench) && !asks_to_finalise(&bench));
    }
}

#[test]
fn a_late_answer_is_taken_as_one_in_time() {
    let (mut bench, ticket) = overdue();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert!(matches!(bench.session.page, Page::Receipt(_)));
    assert!(printing(&bench).is_some());

    let (mut bench, ticket) = overdue();
    bench.send(Event::Store(Store::FinaliseFailed(ticket, Remedy::Retry)));
    assert_eq!(bench.session.page, Page::Review);
    assert_eq!(bench.session.notice, Some(Notice::SaveFailed));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Confirmed);
    assert!(asks_to_finalise(&bench), "now it is known that nothing was kept");
}

#[test]
fn saving_in_time_is_never_interrupted_by_the_idle_clock() {
    let mut bench = Bench::new();
    bench.go_to_review();
    bench.submit();
    for _ in 0..100 {
        bench.send(Event::Timer(bench.session.idle.ticket.unwrap()));
        assert_eq!(bench.session.idle.warning_s, None);
    }
}

#[test]
fn who_walks_off_is_wiped_and_the_case_saved_later_is_offered_but_not_printed() {
    let (mut bench, ticket) = overdue();
    walk_off(&mut bench);
    bench.touch(Citizen::FarewellDone);
    assert_eq!(bench.session.page, Page::Home(None));
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert!(matches!(&bench.session.page, Page::Home(Some(offer)) if offer.case == saved()));
    assert!(printing(&bench).is_none());
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    bench.touch(Citizen::SavedCaseOpened);
    assert!(matches!(bench.session.page, Page::Receipt(_)));
    assert!(printing(&bench).is_none());
}

#[test]
fn a_case_saved_during_the_farewell_is_offered_after_it() {
    let (mut bench, ticket) = overdue();
    bench.touch(Citizen::End);
    assert!(matches!(bench.session.page, Page::Leaving(_)));
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert!(matches!(bench.session.page, Page::Leaving(_)), "the card is not forgotten over it");
    bench.touch(Citizen::FarewellDone);
    assert!(matches!(&bench.session.page, Page::Home(Some(offer)) if offer.case == saved()));
    bench.send(Event::Timer(bench.session.page_timer.unwrap()));
    assert_eq!(bench.session.page, Page::Home(None));
}

#[test]
fn a_case_saved_much_later_is_offered_to_nobody() {
    let (mut bench, ticket) = overdue();
    walk_off(&mut bench);
    bench.touch(Citizen::FarewellDone);
    bench.at_ms += RECENT_MS as u64;
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert_eq!(bench.session.page, Page::Home(None));
    assert_eq!(bench.session.why_not_submit(), None);
}

#[test]
fn until_the_store_has_answered_nobody_begins_or_submits_another_case() {
    let (mut bench, ticket) = overdue();
    bench.touch(Citizen::End).touch(Citizen::FarewellDone);
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::Started);
    assert_eq!(bench.session.notice, Some(Notice::SubmissionsClosed));
    bench.touch(Citizen::NoticeClosed);
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert_eq!(bench.session.page, Page::Guide, "the answer of another's case reaches nobody");
    bench.touch(Citizen::Started);
    assert_eq!(bench.session.page, Page::Consent);

    let (mut bench, ticket) = overdue();
    bench.touch(Citizen::End).touch(Citizen::FarewellDone);
    bench.send(Event::Store(Store::FinaliseFailed(ticket, Remedy::Retry)));
    assert_eq!(bench.session.notice, None, "the failure of another's case is nobody's");
    assert_eq!(bench.session.why_not_submit(), None);
}

#[test]
fn a_case_saved_before_a_restart_is_offered_and_not_printed() {
    let mut bench = Bench::new();
    bench.send(Event::Store(Store::RecentCaseFound(saved(), PrintStatus::Printing)));
    assert!(matches!(&bench.session.page, Page::Home(Some(_))));
    assert!(printing(&bench).is_none());
    bench.touch(Citizen::SavedCaseOpened);
    assert!(matches!(&bench.session.page, Page::Receipt(page) if page.print == PrintStatus::Failed));
    bench.touch(Citizen::PrintWanted);
    assert!(matches!(&bench.effects[..], [.., Effect::Print(_, order)]
        if order.reprint && order.applicant_name.is_none()));
    let mut bench = Bench::new();
    bench.send(Event::Store(Store::RecentCaseFound(saved(), PrintStatus::NotPrinted)));
    bench.send(Event::Timer(bench.session.page_timer.unwrap()));
    assert_eq!(bench.session.page, Page::Home(None), "after a minute the offer is gone");
}
