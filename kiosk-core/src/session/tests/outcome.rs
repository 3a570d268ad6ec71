//! A where-to-go item: nobody identifies, nothing is kept, and it ends with directions.

use super::*;

/// A kiosk with one such item: two questions, the second only for who has not lost the card.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let yes_no = QuestionKind::Choice(vec!["yes".into(), "no".into()]);
    bench.items.push(ServiceItem {
        code: ItemCode("renew".into()),
        version: 1,
        shape: Shape::WhereToGo,
        consent_version: 0,
        ways: Vec::new(),
        accepts_expired_card: false,
        questions: vec![
            question("lost", yes_no, true, None),
            question("day", QuestionKind::Date { first: None, last: None }, false, None),
        ],
    });
    bench
}

fn at_the_outcome() -> Bench {
    let mut bench = bench();
    bench.touch(Citizen::ItemChosen(ItemCode("renew".into()))).touch(Citizen::Started);
    assert_eq!(bench.shown_question(), "lost", "no consent, no card");
    bench.choose("yes").touch(Citizen::Skipped);
    assert!(matches!(&bench.session.page, Page::Outcome(page) if page.at == 0));
    bench
}

fn directions(bench: &Bench) -> Option<(Ticket, DirectionsOrder)> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::PrintDirections(ticket, order) => Some((*ticket, (**order).clone())),
        _ => None,
    })
}

#[test]
fn it_needs_neither_disk_nor_mains_nor_reader() {
    let mut bench = bench();
    bench.send(Event::Store(Store::AdmissionChanged(Admission::Closed)));
    bench.send(Event::Device(Device::ReaderPresent(false)));
    bench.send(Event::Device(Device::PowerChanged(Power::Battery)));
    bench.touch(Citizen::ItemChosen(ItemCode("renew".into()))).touch(Citizen::Started);
    assert_eq!(bench.shown_question(), "lost");
    assert_eq!(bench.session.notice, None);
}

#[test]
fn back_leads_through_the_questions_to_the_guide() {
    let mut bench = at_the_outcome();
    bench.touch(Citizen::Back);
    assert_eq!(bench.shown_question(), "day");
    bench.touch(Citizen::Back);
    assert_eq!(bench.shown_question(), "lost");
    bench.choose("no");
    assert!(
        matches!(&bench.session.page, Page::Outcome(page) if page.at == 1),
        "other answers lead elsewhere"
    );
    bench.touch(Citizen::Back).touch(Citizen::Back).touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::Guide);
}

#[test]
fn directions_are_printed_when_they_are_wanted_and_no_oftener() {
    let mut bench = at_the_outcome();
    assert!(directions(&bench).is_none(), "nothing comes out unasked");
    bench.touch(Citizen::PrintWanted);
    let (ticket, order) = directions(&bench).expect("it is printed");
    assert_eq!((order.outcome, order.answers.len()), (0, 1));
    bench.touch(Citizen::PrintWanted);
    assert!(directions(&bench).is_none(), "it is already coming");
    bench.send(Event::Device(Device::Printed(Ticket(ticket.0 + 100), 2)));
    assert!(matches!(&bench.session.page, Page::Outcome(page) if page.print == PrintStatus::Printing));
    bench.send(Event::Device(Device::Printed(ticket, 2)));
    assert!(
        matches!(&bench.session.page, Page::Outcome(page) if page.print == PrintStatus::Printed { level: 2 })
    );
    for _ in 0..3 {
        bench.touch(Citizen::PrintWanted);
        let (ticket, _) = directions(&bench).expect("once more");
        bench.send(Event::Device(Device::PrintFailed { ticket, why: PrintStatus::Failed, begun: true }));
    }
    bench.touch(Citizen::PrintWanted);
    assert!(directions(&bench).is_none(), "a stuck finger does not empty the roll");
}

#[test]
fn a_printer_that_never_answers_is_given_up() {
    let mut bench = at_the_outcome();
    bench.touch(Citizen::PrintWanted);
    let overdue = bench.effects.iter().find_map(|effect| match effect {
        Effect::StartTimer(TimerKind::Printing, ticket, _) => Some(*ticket),
        _ => None,
    });
    bench.send(Event::Timer(overdue.expect("its time is limited")));
    assert!(matches!(&bench.session.page, Page::Outcome(page) if page.print == PrintStatus::Failed));
}

#[test]
fn at_the_end_everything_is_wiped_and_the_same_person_may_go_on() {
    let mut bench = at_the_outcome();
    bench.touch(Citizen::LanguageChosen(Language::En)).touch(Citizen::SeniorToggled);
    let settings = bench.session.settings;
    bench.touch(Citizen::AnotherItemWanted);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!((&bench.session.page, &bench.session.visit), (&Page::Home(None), &None));
    assert_eq!(bench.session.settings, settings, "still the same person");
    let idle = bench.effects.iter().any(|effect| matches!(effect, Effect::StartTimer(TimerKind::Idle, ..)));
    assert!(idle, "who walks off is not waited for without end");

    let mut bench = at_the_outcome();
    bench.touch(Citizen::PrintWanted);
    bench.touch(Citizen::OutcomeRead);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert!(matches!(&bench.session.page, Page::Leaving(to_take) if to_take.receipt && !to_take.card));
}

#[test]
fn an_item_without_an_outcome_for_the_answers_says_so() {
    let mut bench = bench();
    bench.items[2].questions.remove(0);
    bench
        .touch(Citizen::ItemChosen(ItemCode("renew".into())))
        .touch(Citizen::Started)
        .touch(Citizen::Skipped);
    assert_eq!(bench.session.notice, Some(Notice::ItemBroken));
}
