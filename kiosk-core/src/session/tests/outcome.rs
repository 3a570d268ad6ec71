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
            question(
                "day",
                QuestionKind::Date { first: None, last: None, weekdays_only: false },
                false,
                None,
            ),
        ],
        queues: vec![Some("a-general".into()), None],
        items: Vec::new(),
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

fn asked(bench: &Bench) -> Option<(Ticket, CityQuestion)> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { ticket, question, .. } => Some((*ticket, question.clone())),
        _ => None,
    })
}

fn number(bench: &Bench) -> &Number {
    match &bench.session.page {
        Page::Outcome(page) => &page.number,
        other => panic!("no outcome but {other:?}"),
    }
}

fn ticket(waiting: Option<u32>) -> QueueTicket {
    QueueTicket { number: "A023".into(), waiting }
}

fn answered(bench: &Bench) -> Option<ProgressOutcome> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::Audit(AuditFact::QueueTicketAnswered { outcome, .. }) => Some(*outcome),
        _ => None,
    })
}

#[test]
fn a_number_is_asked_for_once_shown_and_printed_with_the_directions() {
    let mut bench = at_the_outcome();
    assert_eq!(*number(&bench), Number::Offered);
    bench.touch(Citizen::QueueTicketWanted);
    let (waits, question) = asked(&bench).expect("the city is asked");
    let CityQuestion::QueueTicket { queue, .. } = question else { panic!("for a number") };
    assert_eq!((queue.as_str(), number(&bench)), ("a-general", &Number::Asking));
    bench.touch(Citizen::QueueTicketWanted);
    assert!(asked(&bench).is_none(), "it is already being asked");
    bench.send(Event::City(City::Answered(Ticket(waits.0 + 100), CityAnswer::QueueTicket(ticket(None)))));
    assert_eq!(*number(&bench), Number::Asking, "somebody else's");
    bench.send(Event::City(City::Answered(waits, CityAnswer::QueueTicket(ticket(Some(4))))));
    assert_eq!(
        (number(&bench), answered(&bench)),
        (&Number::Taken(ticket(Some(4))), Some(ProgressOutcome::Told))
    );
    let (_, order) = directions(&bench).expect("it comes on paper by itself");
    assert_eq!(order.queue_ticket, Some(ticket(Some(4))));
    bench.touch(Citizen::QueueTicketWanted);
    assert!(asked(&bench).is_none(), "one is enough");
    // Back and forth it is the same number, and another window has none.
    bench.touch(Citizen::Back).touch(Citizen::Skipped);
    assert_eq!(*number(&bench), Number::Taken(ticket(Some(4))));
    bench.touch(Citizen::Back).touch(Citizen::Back).choose("no");
    assert_eq!(*number(&bench), Number::NotOffered);
    bench.touch(Citizen::QueueTicketWanted);
    assert!(asked(&bench).is_none());
}

#[test]
fn without_the_city_there_is_no_number_and_another_try_is_the_same_request() {
    let mut bench = at_the_outcome();
    bench.send(Event::Device(Device::NetworkChanged(false)));
    bench.touch(Citizen::QueueTicketWanted);
    assert!(asked(&bench).is_none() && !number(&bench).can_be_taken(false));
    bench.send(Event::Device(Device::NetworkChanged(true)));
    let mut requests = Vec::new();
    for (why, shown, outcome) in [
        (CannotAsk::Away, NoNumber::Away, ProgressOutcome::Away),
        (CannotAsk::TooLate, NoNumber::Away, ProgressOutcome::TooLate),
        (CannotAsk::Busy, NoNumber::Busy, ProgressOutcome::Busy),
    ] {
        bench.touch(Citizen::QueueTicketWanted);
        let Some((waits, CityQuestion::QueueTicket { request, .. })) = asked(&bench) else {
            panic!("{why:?}")
        };
        requests.push(request);
        bench.send(Event::City(City::CannotAsk(waits, why)));
        assert_eq!((number(&bench), answered(&bench)), (&Number::NotTaken(shown), Some(outcome)));
        assert!(directions(&bench).is_none());
    }
    assert!(requests.windows(2).all(|pair| pair[0] == pair[1]), "an answer that was lost is found again");
    bench.touch(Citizen::QueueTicketWanted);
    let (waits, _) = asked(&bench).unwrap();
    bench.send(Event::City(City::Answered(waits, CityAnswer::NotFound)));
    assert_eq!(*number(&bench), Number::NotTaken(NoNumber::Closed));
    bench.touch(Citizen::QueueTicketWanted);
    let (waits, _) = asked(&bench).unwrap();
    bench.touch(Citizen::End);
    assert_eq!(answered(&bench), Some(ProgressOutcome::Left));
    bench.send(Event::City(City::Answered(waits, CityAnswer::QueueTicket(ticket(None)))));
    assert_eq!(bench.session.page, Page::Home(None), "and reaches nobody");
}

#[test]
fn a_number_without_paper_stands_on_the_screen() {
    let mut bench = at_the_outcome();
    bench.send(Event::Device(Device::PrinterChanged(PrinterCondition::NoPaper)));
    bench.touch(Citizen::QueueTicketWanted);
    let (waits, _) = asked(&bench).unwrap();
    bench.send(Event::City(City::Answered(waits, CityAnswer::QueueTicket(ticket(None)))));
    assert_eq!(*number(&bench), Number::Taken(ticket(None)));
    assert!(directions(&bench).is_none());
    bench.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
    bench.touch(Citizen::PrintWanted);
    assert_eq!(directions(&bench).unwrap().1.queue_ticket, Some(ticket(None)));
}
