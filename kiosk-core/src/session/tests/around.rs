//! The machine around the resident: a forgotten card, the mains, the cabinet, a sensor that sees nobody, a printer
//! that never answers.

use super::*;

/// A resident has read her card and ends; the ticket of the first look.
fn left_after_reading(bench: &mut Bench) -> Ticket {
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::End);
    look(bench).expect("the reader is asked whether the card still lies there")
}

fn look(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::LookForCardLeft(CardKind::IdCard, ticket) => Some(*ticket),
        _ => None,
    })
}

fn farewell_is_over(bench: &mut Bench) {
    let timer = bench.session.page_timer.expect("the farewell has an end");
    bench.send(Event::Timer(timer));
}

fn device(bench: &mut Bench, report: Device) {
    bench.send(Event::Device(report));
}

fn audited(bench: &Bench, fact: &AuditFact) -> bool {
    bench.effects.contains(&Effect::Audit(fact.clone()))
}

#[test]
fn a_card_that_still_lies_there_keeps_the_farewell_and_is_on_record_at_last() {
    let mut bench = Bench::new();
    let mut ticket = left_after_reading(&mut bench);
    let mut looks = 1;
    loop {
        device(&mut bench, Device::CardLeft(ticket, true));
        assert_eq!(
            bench.session.page,
            Page::Leaving(ToTake {
                card: true,
                card_seen: true,
                social_card: false,
                receipt: false,
                papers: false
            })
        );
        farewell_is_over(&mut bench);
        match look(&bench) {
            Some(next) => ticket = next,
            None => break,
        }
        looks += 1;
    }
    assert_eq!((looks, &bench.session.page), (5, &Page::Home(None)));
    assert!(audited(&bench, &AuditFact::CardForgotten));
}

#[test]
fn a_card_taken_in_time_or_never_seen_again_is_not_on_record() {
    let mut bench = Bench::new();
    let first = left_after_reading(&mut bench);
    device(&mut bench, Device::CardLeft(first, true));
    farewell_is_over(&mut bench);
    let second = look(&bench).unwrap();
    device(&mut bench, Device::CardLeft(first, true));
    device(&mut bench, Device::CardLeft(second, false));
    assert_eq!(
        bench.session.page,
        Page::Leaving(ToTake {
            card: true,
            card_seen: false,
            social_card: false,
            receipt: false,
            papers: false
        })
    );
    farewell_is_over(&mut bench);
    assert_eq!(bench.session.page, Page::Home(None));
    assert!(!audited(&bench, &AuditFact::CardForgotten));

    let mut bench = Bench::new();
    left_after_reading(&mut bench);
    bench.touch(Citizen::FarewellDone);
    assert!(!audited(&bench, &AuditFact::CardForgotten), "the reader has not answered: nothing is claimed");
}

#[test]
fn on_battery_what_was_begun_is_finished_and_nothing_new_begins() {
    let mut bench = Bench::new();
    bench.go_to_review();
    device(&mut bench, Device::PowerChanged(Power::Battery));
    assert!(audited(&bench, &AuditFact::PowerChanged(Power::Battery)));
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    bench.touch(Citizen::End).touch(Citizen::FarewellDone);

    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::Started);
    assert_eq!((&bench.session.page, bench.session.notice), (&Page::Guide, Some(Notice::PowerOut)));
    device(&mut bench, Device::PowerChanged(Power::Mains));
    assert_eq!(bench.session.notice, None);
    bench.touch(Citizen::Started);
    assert_eq!(bench.session.page, Page::Consent);
}

#[test]
fn a_low_battery_ends_the_session_and_says_so() {
    let mut bench = Bench::new();
    bench.go_to_review();
    device(&mut bench, Device::PowerChanged(Power::BatteryLow));
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!((bench.session.visit.is_none(), bench.session.notice), (true, Some(Notice::GoingOff)));
    // The same report again says nothing again.
    bench.touch(Citizen::NoticeClosed);
    device(&mut bench, Device::PowerChanged(Power::BatteryLow));
    assert_eq!(bench.session.notice, None);
}

#[test]
fn whoever_opens_the_cabinet_sees_nothing_of_the_resident() {
    let mut bench = Bench::new();
    bench.go_to_review();
    device(&mut bench, Device::CabinetOpened(true));
    assert!(bench.effects.contains(&Effect::WipeSession) && bench.session.visit.is_none());
    assert!(audited(&bench, &AuditFact::CabinetOpened(true)));
    device(&mut bench, Device::CabinetOpened(false));
    device(&mut bench, Device::CabinetOpened(true));
    let ended = |effect: &Effect| matches!(effect, Effect::Audit(AuditFact::SessionEnded { .. }));
    assert!(!bench.effects.iter().any(ended), "nobody's session has ended");
}

#[test]
fn a_sensor_that_sees_nobody_brings_the_warning_early_and_ends_nothing_by_itself() {
    let idle_timer = |bench: &Bench| {
        bench.effects.iter().rev().find_map(|effect| match effect {
            Effect::StartTimer(TimerKind::Idle, ticket, after) => Some((*ticket, *after)),
            _ => None,
        })
    };
    let limits = Limits::default();
    let mut bench = Bench::new();
    device(&mut bench, Device::SomebodyNear(true));
    assert_eq!(idle_timer(&bench), None, "nobody has touched anything");
    bench.go_to_review();
    device(&mut bench, Device::SomebodyNear(false));
    let (ticket, after) = idle_timer(&bench).unwrap();
    assert_eq!(after, limits.unseen_ms);
    bench.send(Event::Timer(ticket));
    assert_eq!(bench.session.idle.warning_s, Some(limits.countdown_standard_s));
    device(&mut bench, Device::SomebodyNear(false));
    assert_eq!(idle_timer(&bench), None, "the same report again does not prolong the countdown");
    device(&mut bench, Device::SomebodyNear(true));
    assert_eq!((bench.session.idle.warning_s, &bench.session.page), (None, &Page::Review));
    assert_eq!(idle_timer(&bench).unwrap().1, limits.idle_standard_ms);
}

#[test]
fn a_printer_that_never_answers_is_given_up_and_the_next_print_is_a_reprint() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    let first = printing(&bench).unwrap();
    let timer = bench.session.page_timer.unwrap();
    bench.send(Event::Timer(timer));
    assert!(matches!(&bench.session.page, Page::Receipt(page) if page.print == PrintStatus::Failed));
    device(&mut bench, Device::Printed(first, 2));
    assert!(matches!(&bench.session.page, Page::Receipt(page) if page.print == PrintStatus::Failed));
    bench.touch(Citizen::PrintWanted);
    let again = |effect: &Effect| matches!(effect, Effect::Print(_, order) if order.reprint);
    assert!(bench.effects.iter().any(again));
}

#[test]
fn the_farewell_is_said_in_the_language_of_the_screen_and_again_while_the_card_lies_there() {
    let mut bench = Bench::new();
    bench.go_to_review();
    bench.touch(Citizen::LanguageChosen(Language::ZhHant));
    bench.touch(Citizen::End);
    let says = |bench: &Bench, prompt| bench.effects.contains(&Effect::Say(prompt, Language::ZhHant));
    assert!(says(&bench, Prompt::TakeCard));
    let look = bench.effects.iter().find_map(|effect| match effect {
        Effect::LookForCardLeft(CardKind::IdCard, ticket) => Some(*ticket),
        _ => None,
    });
    device(&mut bench, Device::CardLeft(look.unwrap(), true));
    let timer = bench.session.page_timer.unwrap();
    bench.send(Event::Timer(timer));
    assert!(says(&bench, Prompt::CardStillThere));
    bench.touch(Citizen::FarewellDone);
    assert!(bench.effects.contains(&Effect::Hush));
    // A farewell with nothing to take along is silent.
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    bench.touch(Citizen::End);
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Say(..))));
}
