//! A guide on A4: asked for by one touch, in the way of nobody, and never printed again by itself.

use super::*;
use DocumentPrinterCondition::{Away, Jam, NoPaper, Ready};

fn at_the_guide(condition: Option<DocumentPrinterCondition>) -> Bench {
    let mut bench = Bench::new();
    if let Some(condition) = condition {
        bench.send(Event::Device(Device::DocumentPrinterChanged(condition)));
    }
    bench.touch(Citizen::ItemChosen(ItemCode("pension".into())));
    bench
}

fn order(bench: &Bench) -> Option<(Ticket, GuideOrder)> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::PrintGuide(ticket, order) => Some((*ticket, order.clone())),
        _ => None,
    })
}

fn ask(bench: &mut Bench) -> Ticket {
    bench.touch(Citizen::GuidePrintWanted);
    order(bench).expect("the printer is asked").0
}

fn status(bench: &Bench) -> PagesStatus {
    bench.session.visit.as_ref().unwrap().guide_print.status
}

fn ended(bench: &mut Bench, ticket: Ticket, end: PagesEnd) {
    bench.send(Event::Device(Device::PagesPrintEnded(ticket, end)));
}

#[test]
fn one_touch_prints_in_the_language_shown_and_says_when_it_is_out() {
    let mut bench = at_the_guide(Some(Ready));
    bench.touch(Citizen::LanguageChosen(Language::En));
    bench.touch(Citizen::GuidePrintWanted);
    let (ticket, asked) = order(&bench).unwrap();
    let item = ItemCode("pension".into());
    assert_eq!((&asked.item, asked.language), (&item, Language::En));
    assert!(asked.asked_at_ms >= NOW_MS);
    assert!(bench.effects.contains(&Effect::Audit(AuditFact::GuidePrintAsked(item))));
    assert_eq!(status(&bench), PagesStatus::Printing);
    assert!(!bench.session.can_print_guide(), "once at a time");
    ended(&mut bench, ticket, PagesEnd::Printed);
    assert_eq!(status(&bench), PagesStatus::Ended(PagesEnd::Printed));
    assert!(bench.effects.contains(&Effect::StopTimer(TimerKind::PagesPrint)));
    assert!(bench.session.can_print_guide());
}

#[test]
fn nothing_is_asked_of_a_printer_that_is_not_there_or_not_ready() {
    for condition in [None, Some(Away), Some(NoPaper), Some(Jam)] {
        let mut bench = at_the_guide(condition);
        assert!(!bench.session.can_print_guide());
        bench.touch(Citizen::GuidePrintWanted);
        assert!(order(&bench).is_none() && status(&bench) == PagesStatus::NotAsked, "{condition:?}");
        bench.touch(Citizen::Started);
        assert_eq!(bench.session.page, Page::Consent, "the printer closes nothing but printing");
    }
}

#[test]
fn the_resident_goes_on_while_it_prints_and_finds_the_outcome_on_coming_back() {
    let mut bench = at_the_guide(Some(Ready));
    let ticket = ask(&mut bench);
    bench.touch(Citizen::Started);
    ended(&mut bench, ticket, PagesEnd::Stopped(Jam));
    assert_eq!(bench.session.page, Page::Consent);
    bench.touch(Citizen::Back);
    assert_eq!(status(&bench), PagesStatus::Ended(PagesEnd::Stopped(Jam)));
}

#[test]
fn what_is_left_is_not_printed_again_and_tells_the_next_resident_nothing() {
    let mut bench = at_the_guide(Some(Ready));
    let ticket = ask(&mut bench);
    bench.touch(Citizen::End);
    assert!(bench.effects.contains(&Effect::StopTimer(TimerKind::PagesPrint)));
    assert_eq!(bench.session.page, Page::Home(None));
    ended(&mut bench, ticket, PagesEnd::Stopped(Jam));
    assert!(bench.effects.is_empty());
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    assert_eq!(status(&bench), PagesStatus::NotAsked);
    ended(&mut bench, ticket, PagesEnd::Printed);
    assert_eq!(status(&bench), PagesStatus::NotAsked);
    assert!(order(&bench).is_none());
}

#[test]
fn a_thread_that_never_answers_is_not_waited_for_for_ever() {
    let mut bench = at_the_guide(Some(Ready));
    let ticket = ask(&mut bench);
    bench.send(Event::Timer(ticket));
    assert_eq!(status(&bench), PagesStatus::Ended(PagesEnd::Failed));
    ended(&mut bench, ticket, PagesEnd::Printed);
    assert_eq!(status(&bench), PagesStatus::Ended(PagesEnd::Failed), "too late to be believed");
}

#[test]
fn a_stuck_finger_does_not_empty_the_tray() {
    let mut bench = at_the_guide(Some(Ready));
    let mut sheets = 0;
    while bench.session.can_print_guide() {
        let ticket = ask(&mut bench);
        ended(&mut bench, ticket, PagesEnd::Printed);
        sheets += 1;
        assert!(sheets < 10);
    }
    bench.touch(Citizen::GuidePrintWanted);
    assert!(order(&bench).is_none());
}
