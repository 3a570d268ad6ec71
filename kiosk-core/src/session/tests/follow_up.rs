//! 补正与撤回: from the progress, and with the city away; what is submitted, said and left behind.

use super::*;
use crate::case_number;

const CODE: &str = "ABCDEFGHJKLMNPQR";

fn number() -> String {
    case_number::compose("DG0001", [7; 8])
}

fn about() -> CaseReference {
    CaseReference { case_number: number().as_str().into(), verification: CODE.into() }
}

/// A kiosk whose catalog has both.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let follow_up = |code: &str, follows, consent_version, questions| ServiceItem {
        code: ItemCode(code.into()),
        version: 1,
        shape: Shape::FollowUp(follows),
        consent_version,
        ways: Vec::new(),
        accepts_expired_card: false,
        questions,
        queues: Vec::new(),
        items: Vec::new(),
    };
    let papers = question("papers", QuestionKind::Photo { most: 3 }, false, None);
    let words = question("words", QuestionKind::Text { max_chars: 9 }, false, None);
    let why = question("why", QuestionKind::Choice(vec!["solved".into(), "unwanted".into()]), true, None);
    bench.items.push(follow_up("supplement", FollowUp::Supplement, 4, vec![papers, words]));
    bench.items.push(follow_up("withdrawal", FollowUp::Withdrawal, 0, vec![why]));
    bench
}

fn type_the_receipt(bench: &mut Bench) -> Ticket {
    bench.touch(Citizen::ProgressWanted);
    bench.touch(Citizen::TextTyped(number().as_str().into())).touch(Citizen::EnquirySubmitted);
    bench.touch(Citizen::TextTyped(CODE.into())).touch(Citizen::EnquirySubmitted);
    asked(bench)
}

fn asked(bench: &Bench) -> Ticket {
    let asked = bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { ticket, .. } => Some(*ticket),
        _ => None,
    });
    asked.expect("the city is asked")
}

/// The city has told that the case stands there.
fn told(status: CaseStatus) -> Bench {
    let mut bench = bench();
    let ticket = type_the_receipt(&mut bench);
    let progress = CaseProgress {
        case_number: number().as_str().into(),
        item: ItemCode("appeal".into()),
        status,
        steps: Vec::new(),
    };
    let answer = CityAnswer::CaseProgress(Box::new(progress));
    bench.send(Event::City(City::Answered(ticket, answer)));
    assert!(matches!(bench.session.page, Page::Progress(_)));
    bench
}

/// The city cannot be asked, and the resident goes on all the same.
fn away() -> Bench {
    let mut bench = bench();
    let ticket = type_the_receipt(&mut bench);
    bench.send(Event::City(City::CannotAsk(ticket, CannotAsk::Away)));
    bench.touch(Citizen::NoticeContinued);
    assert_eq!(bench.session.page, Page::FollowUp(about()));
    bench
}

#[test]
fn what_the_city_asked_for_is_supplied_without_identifying_again() {
    let mut bench = told(CaseStatus::SupplementRequested);
    bench.touch(Citizen::FollowUpWanted(FollowUp::Supplement));
    assert_eq!(bench.session.page, Page::Guide);
    assert!(bench.effects.contains(&Effect::Audit(AuditFact::ItemOpened(ItemCode("supplement".into())))));
    bench.touch(Citizen::Started);
    assert_eq!(bench.session.page, Page::Consent);
    bench.touch(Citizen::Agreed);
    let given = AuditFact::ConsentGiven(ItemCode("supplement".into()), 4);
    assert!(bench.effects.contains(&Effect::Audit(given)));
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::StartReading(..))));
    assert_eq!(bench.shown_question(), "papers");
    bench.touch(Citizen::Skipped).type_in("房产证丢了");
    assert_eq!(bench.session.page, Page::Review);
    let (ticket, submission) = bench.submit();
    assert_eq!(submission.by, Submitter::ReceiptHolder(about()));
    assert_eq!((submission.item.0.as_str(), submission.consent_version), ("supplement", 4));
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    let order = bench.effects.iter().find_map(|effect| match effect {
        Effect::Print(_, order) => Some(order.clone()),
        _ => None,
    });
    let order = order.expect("a receipt is printed");
    assert_eq!((order.applicant_name, order.about), (None, Some(number().as_str().into())));
    bench.touch(Citizen::ReceiptDone).touch(Citizen::RatingSkipped);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert_eq!(bench.session.visit, None);
}

#[test]
fn a_supplement_of_nothing_is_none() {
    let mut bench = told(CaseStatus::SupplementRequested);
    bench.touch(Citizen::FollowUpWanted(FollowUp::Supplement)).touch(Citizen::Started).touch(Citizen::Agreed);
    bench.touch(Citizen::Skipped).touch(Citizen::Skipped).touch(Citizen::Confirmed);
    assert_eq!(bench.session.notice, Some(Notice::NothingSupplied));
    bench.touch(Citizen::NoticeClosed);
    assert_eq!(bench.session.page, Page::Review, "nothing is lost, and the answers can be changed");
    bench.touch(Citizen::ChangeWanted(id("words"))).type_in("补一句");
    bench.submit();
}

#[test]
fn what_can_follow_is_what_the_case_s_state_allows() {
    for (status, supplement, withdrawal) in [
        (CaseStatus::PreReview, false, true),
        (CaseStatus::Accepted, false, true),
        (CaseStatus::SupplementRequested, true, true),
        (CaseStatus::Returned, false, false),
        (CaseStatus::Closed, false, false),
    ] {
        for (follows, may) in [(FollowUp::Supplement, supplement), (FollowUp::Withdrawal, withdrawal)] {
            let mut bench = told(status);
            bench.touch(Citizen::FollowUpWanted(follows));
            assert_eq!(bench.session.page == Page::Guide, may, "{status:?} {follows:?}");
        }
    }
    let mut bench = told(CaseStatus::PreReview);
    bench.items.truncate(2);
    bench.touch(Citizen::FollowUpWanted(FollowUp::Withdrawal));
    assert!(matches!(bench.session.page, Page::Progress(_)), "a catalog without it offers none");
}

#[test]
fn a_case_is_withdrawn_while_the_city_is_away() {
    let mut bench = away();
    bench.touch(Citizen::FollowUpWanted(FollowUp::Withdrawal)).touch(Citizen::Started);
    assert_eq!(bench.shown_question(), "why", "nothing personal is asked, so there is nothing to agree to");
    bench.choose("solved");
    assert_eq!(bench.session.page, Page::Review);
    let (_, submission) = bench.submit();
    assert_eq!(submission.by, Submitter::ReceiptHolder(about()));
}

#[test]
fn going_back_leads_to_what_was_typed() {
    let mut bench = away();
    bench.touch(Citizen::FollowUpWanted(FollowUp::Withdrawal)).touch(Citizen::Started).touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::Guide);
    bench.touch(Citizen::Back);
    let Page::Enquiry(enquiry) = &bench.session.page else { panic!("{:?}", bench.session.page) };
    assert_eq!((enquiry.field, enquiry.typed()), (EnquiryField::Code, CODE));
    assert_eq!(bench.session.visit, None);
    bench.touch(Citizen::EnquirySubmitted);
    asked(&bench);
    let mut bench = away();
    bench.touch(Citizen::Back);
    assert!(matches!(&bench.session.page, Page::Enquiry(enquiry) if enquiry.typed() == CODE));
}

#[test]
fn only_a_city_that_is_away_offers_to_go_on() {
    let mut bench = bench();
    let ticket = type_the_receipt(&mut bench);
    bench.send(Event::City(City::Answered(ticket, CityAnswer::NotFound)));
    bench.touch(Citizen::NoticeContinued);
    assert!(matches!(bench.session.page, Page::Enquiry(_)));
    assert_eq!(bench.session.notice, Some(Notice::CaseNotFound));
}

#[test]
fn what_follows_a_case_is_no_tile() {
    let mut bench = bench();
    bench.touch(Citizen::ItemChosen(ItemCode("withdrawal".into())));
    assert_eq!(bench.session.page, Page::Home(None));
}

#[test]
fn the_receipt_that_was_brought_is_to_be_taken_and_nothing_of_it_can_be_printed() {
    let mut bench = away();
    let said = format!("{:?} {:?}", bench.session.page, bench.effects);
    assert!(!said.contains(CODE) && !said.contains(&number()), "{said}");
    bench.touch(Citizen::FollowUpWanted(FollowUp::Withdrawal));
    let said = format!("{:?} {:?}", bench.session, bench.effects);
    assert!(!said.contains(CODE) && !said.contains(&number()), "{said}");
    bench.touch(Citizen::End);
    assert_eq!(bench.session.page, Page::Leaving(ToTake { receipt: true, ..ToTake::default() }));
    assert_eq!(bench.session.visit, None);
}

#[test]
fn each_page_has_its_own_words() {
    let heard = |bench: &Bench| {
        bench.effects.iter().find_map(|effect| match effect {
            Effect::ReadAloud(Passage::Page(topic), _) => Some(*topic),
            _ => None,
        })
    };
    let mut bench = away();
    bench.touch(Citizen::VoiceToggled);
    assert_eq!(heard(&bench), Some(Topic::FollowUp));
    bench.touch(Citizen::FollowUpWanted(FollowUp::Withdrawal)).touch(Citizen::Started).choose("solved");
    assert_eq!(heard(&bench), Some(Topic::ReviewWithdrawal));
    let mut bench = told(CaseStatus::SupplementRequested);
    bench.touch(Citizen::VoiceToggled);
    assert_eq!(heard(&bench), Some(Topic::ProgressSupplement));
}
