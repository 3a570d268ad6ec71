//! 办件进度: what is typed, what is asked, and whom an answer reaches.

use super::*;
use crate::case_number;

const CODE: &str = "ABCDEFGHJKLMNPQR";

fn number() -> String {
    case_number::compose("DG0001", [7; 8])
}

fn progress(number: &str) -> CityAnswer {
    let step =
        |status, at_ms| CaseStep { status, at_ms, reason: String::new(), note: "请带居住证".into() };
    CityAnswer::CaseProgress(Box::new(CaseProgress {
        case_number: number.into(),
        item: ItemCode("appeal".into()),
        status: CaseStatus::SupplementRequested,
        steps: vec![step(CaseStatus::PreReview, NOW_MS), step(CaseStatus::SupplementRequested, NOW_MS + 1)],
    }))
}

fn asked(bench: &Bench) -> Option<(Ticket, CityQuestion)> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { ticket, question, .. } => Some((*ticket, question.clone())),
        _ => None,
    })
}

fn outcome(bench: &Bench) -> Option<ProgressOutcome> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::Audit(AuditFact::ProgressAnswered { outcome, .. }) => Some(*outcome),
        _ => None,
    })
}

fn enquiry(bench: &Bench) -> &Enquiry {
    match &bench.session.page {
        Page::Enquiry(enquiry) => enquiry,
        other => panic!("no enquiry but {other:?}"),
    }
}

/// A resident has typed number and code, and the city is being asked.
fn asking() -> (Bench, Ticket) {
    let mut bench = Bench::new();
    bench.touch(Citizen::ProgressWanted);
    bench.touch(Citizen::TextTyped(number().as_str().into())).touch(Citizen::EnquirySubmitted);
    bench.touch(Citizen::TextTyped(CODE.into())).touch(Citizen::EnquirySubmitted);
    assert!(matches!(bench.session.page, Page::Asking(_)));
    let (ticket, _) = asked(&bench).expect("the city is asked");
    (bench, ticket)
}

#[test]
fn a_resident_asks_and_reads_and_nothing_stays() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ProgressWanted);
    assert!(bench.effects.contains(&Effect::TryNow), "what is known of the network is of now");
    assert!(bench.effects.contains(&Effect::Audit(AuditFact::SessionStarted)));
    // As it is read from the paper: small, with spaces, dashes and full-width digits.
    let typed = number().to_lowercase().replace('-', " - ").replace('0', "０");
    for key in typed.chars() {
        bench.touch(Citizen::KeyTyped(key));
    }
    bench.touch(Citizen::EnquirySubmitted);
    assert_eq!(enquiry(&bench).field, EnquiryField::Code);
    for key in "abcd efgh jklm npqr".chars() {
        bench.touch(Citizen::KeyTyped(key));
    }
    bench.touch(Citizen::EnquirySubmitted);
    let (ticket, question) = asked(&bench).expect("the city is asked");
    let CityQuestion::CaseProgress { case_number, verification } = question else { panic!("{question:?}") };
    assert_eq!((case_number.expose(), verification.expose().as_str()), (&number(), CODE));

    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    assert_eq!(outcome(&bench), Some(ProgressOutcome::Told));
    assert!(matches!(&bench.session.page, Page::Progress(page) if page.told.steps.len() == 2));
    bench.touch(Citizen::ProgressRead);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!(
        bench.session.page,
        Page::Leaving(ToTake {
            card: false,
            card_seen: false,
            social_card: false,
            receipt: true,
            papers: false
        })
    );
    bench.touch(Citizen::FarewellDone);
    assert_eq!(bench.session.page, Page::Home(None));
}

#[test]
fn a_slip_is_named_before_anybody_is_asked() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ProgressWanted).touch(Citizen::EnquirySubmitted);
    assert_eq!(bench.session.notice, Some(Notice::CaseNumberLength));
    let slip = number().replacen('D', "E", 1);
    bench.touch(Citizen::NoticeClosed).touch(Citizen::TextTyped(slip.as_str().into()));
    bench.touch(Citizen::KeyTyped('A'));
    assert_eq!(enquiry(&bench).typed().len(), case_number::CHARACTERS, "no more than a number has");
    bench.touch(Citizen::EnquirySubmitted);
    assert_eq!(bench.session.notice, Some(Notice::CaseNumberCheck));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Cleared);
    bench.touch(Citizen::TextTyped(number().as_str().into())).touch(Citizen::EnquirySubmitted);
    bench.touch(Citizen::TextTyped("O0I1-ABCD".into()));
    assert_eq!(enquiry(&bench).typed(), "ABCD", "what no code has is not taken");
    bench.touch(Citizen::EnquirySubmitted);
    assert_eq!(bench.session.notice, Some(Notice::VerificationCodeLength));
    assert!(asked(&bench).is_none());
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Erased).touch(Citizen::Back);
    assert_eq!(enquiry(&bench).field, EnquiryField::Number);
    assert_eq!(enquiry(&bench).code.expose(), "ABC");
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::Home(None));
    assert!(bench.effects.contains(&Effect::WipeSession));
}

#[test]
fn what_the_city_says_instead_is_said_and_nothing_is_typed_twice() {
    for (why, outcome_of, notice) in [
        (CannotAsk::Away, ProgressOutcome::Away, Notice::CityAway),
        (CannotAsk::TooLate, ProgressOutcome::TooLate, Notice::CitySlow),
        (CannotAsk::Busy, ProgressOutcome::Busy, Notice::CityBusy),
    ] {
        let (mut bench, ticket) = asking();
        bench.send(Event::City(City::CannotAsk(ticket, why)));
        assert_eq!((bench.session.notice, outcome(&bench)), (Some(notice), Some(outcome_of)));
        bench.touch(Citizen::NoticeClosed).touch(Citizen::EnquirySubmitted);
        assert!(asked(&bench).is_some_and(|(again, _)| again != ticket), "one touch asks again");
    }
    let (mut bench, ticket) = asking();
    bench.send(Event::City(City::Answered(ticket, CityAnswer::NotFound)));
    assert_eq!(bench.session.notice, Some(Notice::CaseNotFound));
    assert_eq!(outcome(&bench), Some(ProgressOutcome::NotFound));
    assert_eq!(enquiry(&bench).field, EnquiryField::Number, "both are looked at again");
}

#[test]
fn silence_ends_by_itself_and_the_answer_that_comes_then_reaches_nobody() {
    let (mut bench, ticket) = asking();
    bench.send(Event::Timer(bench.session.page_timer.unwrap()));
    assert_eq!(bench.session.notice, Some(Notice::CitySlow));
    assert_eq!(outcome(&bench), Some(ProgressOutcome::TooLate));
    let waiting = bench.session.page.clone();
    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    assert_eq!(bench.session.page, waiting);
    bench.touch(Citizen::NoticeClosed).touch(Citizen::EnquirySubmitted);
    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    assert!(matches!(bench.session.page, Page::Asking(_)), "it belongs to the question before");
}

#[test]
fn an_answer_never_reaches_the_next_resident() {
    let (mut bench, ticket) = asking();
    bench.touch(Citizen::End);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!(outcome(&bench), Some(ProgressOutcome::Left));
    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    assert_eq!(bench.session.page, Page::Home(None));
    bench.touch(Citizen::ProgressWanted);
    assert_eq!(enquiry(&bench).typed(), "");
    bench.send(Event::City(City::CannotAsk(ticket, CannotAsk::Busy)));
    assert_eq!(bench.session.notice, None);
}

#[test]
fn another_case_than_the_one_asked_about_is_no_answer() {
    let (mut bench, ticket) = asking();
    let other = case_number::compose("DG0001", [8; 8]);
    bench.send(Event::City(City::Answered(ticket, progress(&other))));
    assert_eq!(bench.session.notice, Some(Notice::CityAway));
    assert!(matches!(bench.session.page, Page::Enquiry(_)));
}

#[test]
fn who_does_not_want_to_wait_goes_back_to_what_was_typed() {
    let (mut bench, ticket) = asking();
    bench.touch(Citizen::Back);
    assert_eq!(enquiry(&bench).code.expose(), CODE);
    assert_eq!(outcome(&bench), Some(ProgressOutcome::Left));
    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    assert!(matches!(bench.session.page, Page::Enquiry(_)));
}

#[test]
fn a_case_that_was_saved_is_sent_at_once() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert!(bench.effects.contains(&Effect::TryNow));
}

#[test]
fn nothing_of_an_enquiry_can_be_printed() {
    let (mut bench, ticket) = asking();
    let hidden = [number(), number().replace('-', ""), CODE.to_owned(), "请带居住证".to_owned()];
    let said = format!("{:?} {:?}", bench.session.page, bench.effects);
    assert!(!hidden.iter().any(|text| said.contains(text)), "{said}");
    bench.send(Event::City(City::Answered(ticket, progress(&number()))));
    let said = format!("{:?} {:?}", bench.session.page, bench.effects);
    assert!(!hidden.iter().any(|text| said.contains(text)), "{said}");
}
