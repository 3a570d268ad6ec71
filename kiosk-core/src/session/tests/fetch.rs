//! What a register keeps: asked for who holds the card, shown, printed, wiped; and left as a case when the city is away.

use super::*;
use crate::private::Private;
use crate::remedy::Notice;
use std::sync::Arc;

/// The items of the bench, and one that fetches after one question.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.items.push(ServiceItem {
        code: ItemCode("payments".into()),
        version: 1,
        shape: Shape::Fetch,
        consent_version: 4,
        ways: vec![IdentificationWay::IdCard],
        accepts_expired_card: false,
        questions: vec![question(
            "period",
            QuestionKind::Choice(vec!["year".into(), "month".into()]),
            true,
            None,
        )],
        queues: Vec::new(),
        items: Vec::new(),
    });
    bench.send(Event::Device(Device::DocumentPrinterChanged(DocumentPrinterCondition::Ready)));
    bench
}

fn asked(bench: &Bench) -> (Ticket, FetchRequest) {
    let found = bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { ticket, question: CityQuestion::Fetch(request), .. } => {
            Some((*ticket, (**request).clone()))
        }
        _ => None,
    });
    found.expect("the city is asked")
}

fn at_the_city() -> (Bench, Ticket) {
    let mut bench = bench();
    let ticket = bench.go_to_identify("payments");
    bench.lay(ticket, card("1971-01-01", Some("2036-01-01")));
    bench.touch(Citizen::PersonConfirmed).choose("year");
    let (ticket, request) = asked(&bench);
    assert_eq!((request.item.0.as_str(), request.consent_version), ("payments", 4));
    assert_eq!(request.answers.len(), 1);
    assert!(matches!(bench.session.page, Page::Fetching(_)));
    (bench, ticket)
}

fn fetched(item: &str) -> Box<Fetched> {
    Box::new(Fetched {
        item: ItemCode(item.into()),
        number: "N-1".into(),
        issued_at_ms: NOW_MS,
        facts: vec![("months".into(), "18".into())],
        rows: Vec::new(),
        address: "https://city.example/d/x".into(),
        pdf: Arc::new(Private::new(b"%PDF-1.7".to_vec())),
    })
}

fn with_the_result() -> Bench {
    let (mut bench, ticket) = at_the_city();
    bench.send(Event::City(City::Answered(ticket, CityAnswer::Fetched(fetched("payments")))));
    assert!(matches!(&bench.session.page, Page::Fetched(page) if page.print.status == PagesStatus::NotAsked));
    bench
}

fn printing_pages(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::PrintDocument(ticket, _) => Some(*ticket),
        _ => None,
    })
}

fn away(bench: &mut Bench, ticket: Ticket, why: CannotAsk) {
    bench.send(Event::City(City::CannotAsk(ticket, why)));
    assert_eq!(bench.session.page, Page::Unfetched(Unfetched::CannotAsk(why)));
}

#[test]
fn what_was_fetched_is_printed_when_asked_and_taken_along() {
    let mut bench = with_the_result();
    assert!(printing_pages(&bench).is_none(), "nothing comes out unasked");
    bench.touch(Citizen::PrintWanted);
    let ticket = printing_pages(&bench).expect("it goes to the printer");
    bench.touch(Citizen::PrintWanted);
    assert!(printing_pages(&bench).is_none(), "not twice while it comes out");
    bench.send(Event::Device(Device::PagesPrintEnded(ticket, PagesEnd::Printed)));
    let Page::Fetched(page) = &bench.session.page else { panic!("the result stays") };
    assert_eq!(page.print.status, PagesStatus::Ended(PagesEnd::Printed));
    bench.touch(Citizen::FetchedRead);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert!(bench.effects.contains(&Effect::Say(Prompt::TakeCardAndPapers, Language::ZhHans)));
    assert!(matches!(bench.session.page, Page::Leaving(ToTake { card: true, papers: true, .. })));
}

#[test]
fn an_answer_about_something_else_or_to_another_question_is_none() {
    let (mut bench, ticket) = at_the_city();
    bench.send(Event::City(City::Answered(Ticket(999), CityAnswer::Fetched(fetched("payments")))));
    assert!(matches!(bench.session.page, Page::Fetching(_)));
    bench.send(Event::City(City::Answered(ticket, CityAnswer::Fetched(fetched("appeal")))));
    assert_eq!(bench.session.page, Page::Unfetched(Unfetched::CannotAsk(CannotAsk::Away)));

    let (mut bench, ticket) = at_the_city();
    bench.touch(Citizen::Back);
    assert_eq!(bench.shown_question(), "period");
    bench.send(Event::City(City::Answered(ticket, CityAnswer::Fetched(fetched("payments")))));
    assert_eq!(bench.shown_question(), "period", "who has gone back is not shown it any more");
}

#[test]
fn nobody_is_left_waiting() {
    let (mut bench, _) = at_the_city();
    let overdue = bench.session.page_timer.expect("the wait is limited");
    bench.send(Event::Timer(overdue));
    assert_eq!(bench.session.page, Page::Unfetched(Unfetched::CannotAsk(CannotAsk::TooLate)));
}

#[test]
fn while_the_city_is_away_the_request_is_left_as_a_case() {
    let (mut bench, ticket) = at_the_city();
    away(&mut bench, ticket, CannotAsk::DepartmentAway);
    bench.touch(Citizen::AskedAgain);
    let (ticket, _) = asked(&bench);
    away(&mut bench, ticket, CannotAsk::Away);
    bench.touch(Citizen::LeftAsCase);
    assert_eq!(bench.session.page, Page::Review);
    let (_, submission) = bench.submit();
    assert_eq!((submission.item.0.as_str(), submission.consent_version), ("payments", 4));

    let (mut bench, ticket) = at_the_city();
    away(&mut bench, ticket, CannotAsk::Away);
    bench.send(Event::Store(Store::AdmissionChanged(Admission::Closed)));
    bench.touch(Citizen::LeftAsCase);
    assert_eq!(bench.session.notice, Some(Notice::SubmissionsClosed));
}

#[test]
fn who_is_not_on_record_cannot_leave_a_case_about_it() {
    let (mut bench, ticket) = at_the_city();
    bench.send(Event::City(City::Answered(ticket, CityAnswer::NothingHeld)));
    assert_eq!(bench.session.page, Page::Unfetched(Unfetched::NothingHeld));
    bench.touch(Citizen::LeftAsCase);
    assert_eq!(bench.session.page, Page::Unfetched(Unfetched::NothingHeld));
    bench.touch(Citizen::FetchedRead);
    assert!(bench.effects.contains(&Effect::WipeSession));
}

#[test]
fn the_same_person_goes_on_without_her_card_and_is_asked_whether_it_is_she() {
    let mut bench = with_the_result();
    bench.touch(Citizen::AnotherItemWanted);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!((&bench.session.page, &bench.session.visit), (&Page::Home(None), &None));
    bench.touch(Citizen::ItemChosen(ItemCode("pension".into())));
    assert!(!bench.effects.contains(&Effect::Audit(AuditFact::SessionStarted)), "one session");
    bench.touch(Citizen::Started).touch(Citizen::Agreed);
    assert_eq!(bench.session.page, Page::ConfirmPerson);
    bench.touch(Citizen::PersonConfirmed);
    assert_eq!(bench.shown_question(), "kind");
    bench.touch(Citizen::End);
    assert!(bench.session.known.is_none());
    assert!(
        matches!(bench.session.page, Page::Leaving(ToTake { card: true, .. })),
        "her card still lies there"
    );
}

#[test]
fn another_person_at_the_same_screen_identifies() {
    let mut bench = with_the_result();
    bench.touch(Citizen::AnotherItemWanted);
    bench
        .touch(Citizen::ItemChosen(ItemCode("pension".into())))
        .touch(Citizen::Started)
        .touch(Citizen::Agreed)
        .touch(Citizen::PersonDenied);
    assert!(matches!(bench.session.page, Page::Identify(_)));
    assert!(bench.session.known.is_none());
    assert!(bench.session.visit.as_ref().is_some_and(|visit| visit.applicant.is_none()));
}

#[test]
fn who_walks_off_between_two_items_is_forgotten() {
    let mut bench = with_the_result();
    bench.touch(Citizen::AnotherItemWanted);
    for _ in 0..100 {
        let Some(ticket) = bench.session.idle.ticket else { break };
        bench.send(Event::Timer(ticket));
    }
    assert!(bench.session.known.is_none());
    assert!(matches!(bench.session.page, Page::Leaving(ToTake { card: true, .. })));
}

#[test]
fn a_way_that_the_next_item_does_not_take_is_asked_for_anew() {
    let mut bench = with_the_result();
    bench.items[1].ways = vec![IdentificationWay::SocialSecurityCard];
    bench
        .touch(Citizen::AnotherItemWanted)
        .touch(Citizen::ItemChosen(ItemCode("pension".into())))
        .touch(Citizen::Started)
        .touch(Citizen::Agreed);
    assert!(matches!(bench.session.page, Page::Identify(_)));
}
