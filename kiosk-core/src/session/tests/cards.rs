//! Two readers at once: the ID card is laid on one, the social-security card put into the other. The first whole card
//! counts; a reader that fails closes its own way only; one of them sees cards being taken.

use super::*;
use crate::citizen_number::CitizenNumber;

/// Somebody of 75, who may draw a pension.
fn holder(valid_to: Option<&str>) -> Applicant {
    let number = CitizenNumber::parse("990001195101010012").expect("a number with its check character");
    let valid_to = valid_to.and_then(calendar::from_iso);
    Applicant { valid_to, ..Applicant::by_social_security_card("沈䶮".into(), &number) }
}

/// A terminal with both readers, at the page of an item that takes both cards; the readers' tickets.
fn at_the_readers() -> (Bench, Ticket, Ticket) {
    let mut bench = Bench::new();
    bench.send(Event::Device(Device::SocialCardReaderPresent(true)));
    let id_card = bench.go_to_identify("pension");
    let social_card = social_ticket(&bench);
    (bench, id_card, social_card)
}

fn social_ticket(bench: &Bench) -> Ticket {
    let ticket = bench.effects.iter().find_map(|effect| match effect {
        Effect::StartReading(CardKind::SocialSecurityCard, ticket) => Some(*ticket),
        _ => None,
    });
    ticket.expect("the social-security card's reader was asked")
}

fn device(bench: &mut Bench, report: Device) {
    bench.send(Event::Device(report));
}

fn social_look(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::LookForCardLeft(CardKind::SocialSecurityCard, ticket) => Some(*ticket),
        _ => None,
    })
}

fn failed(ticket: Ticket, notice: Notice) -> Device {
    Device::CardFailed(ticket, Remedy::AskCitizen(notice))
}

#[test]
fn whichever_card_is_whole_first_counts_and_the_other_reader_is_stopped() {
    let (mut bench, id_card, social_card) = at_the_readers();
    device(&mut bench, Device::CardFound(social_card));
    let Page::Identify(identify) = &bench.session.page else { panic!("another page") };
    assert_eq!(identify.status, CardStatus::Reading(CardKind::SocialSecurityCard));
    device(&mut bench, Device::CardRead(social_card, Box::new(holder(Some("2036-01-01")))));
    assert_eq!(bench.session.page, Page::ConfirmPerson);
    assert!(bench.effects.contains(&Effect::StopReading));
    let read = |effect: &Effect| {
        matches!(
            effect,
            Effect::Audit(AuditFact::CardRead { document: DocumentKind::SocialSecurityCard, took_ms: 1_000 })
        )
    };
    assert!(bench.effects.iter().any(read), "{:?}", bench.effects);
    // The ID card that was being read at that moment comes too late.
    device(&mut bench, Device::CardRead(id_card, Box::new(card("1951-01-01", None))));
    device(&mut bench, failed(id_card, Notice::CardHoldStill));
    let applicant = bench.session.visit.as_ref().unwrap().applicant.as_ref().unwrap();
    assert_eq!(applicant.document, DocumentKind::SocialSecurityCard);
    assert_eq!((bench.session.notice, &bench.session.page), (None, &Page::ConfirmPerson));
    // Its holder is known as from an ID card, but for the address.
    assert_eq!(applicant.birth, Some("1951-01-01".into()));
    assert_eq!(applicant.address, None);
    bench.touch(Citizen::PersonConfirmed);
    assert_eq!(bench.shown_question(), "kind");
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::ConfirmPerson, "she does not identify again");
}

#[test]
fn a_card_that_says_why_not_leaves_the_other_way_open_without_a_touch() {
    let (mut bench, id_card, social_card) = at_the_readers();
    device(&mut bench, Device::CardFound(social_card));
    device(&mut bench, failed(social_card, Notice::SocialCardLocked));
    assert_eq!(bench.session.notice, Some(Notice::SocialCardLocked));
    bench.lay(id_card, card("1951-01-01", None));
    assert_eq!((bench.session.notice, &bench.session.page), (None, &Page::ConfirmPerson));
    // At the end both are in the machine.
    bench.touch(Citizen::End);
    let both = ToTake { card: true, card_seen: false, social_card: true, receipt: false, papers: false };
    assert_eq!(bench.session.page, Page::Leaving(both));
}

#[test]
fn a_failure_in_one_reader_does_not_disturb_the_card_in_the_other() {
    let (mut bench, id_card, social_card) = at_the_readers();
    device(&mut bench, Device::CardFound(id_card));
    device(&mut bench, failed(social_card, Notice::SocialCardUnknown));
    assert_eq!(bench.session.notice, None);
    assert!(matches!(&bench.effects[..], [.., Effect::Audit(AuditFact::CardReadFailed(_))]));
    device(&mut bench, Device::CardRead(id_card, Box::new(card("1951-01-01", None))));
    assert_eq!(bench.session.page, Page::ConfirmPerson);
}

#[test]
fn a_reader_that_goes_closes_only_its_own_way() {
    let (mut bench, _, social_card) = at_the_readers();
    device(&mut bench, Device::ReaderPresent(false));
    assert_eq!(bench.session.notice, None, "a card can still be put in");
    device(&mut bench, Device::CardFound(social_card));
    device(&mut bench, Device::SocialCardReaderPresent(false));
    assert_eq!(bench.session.notice, Some(Notice::ReaderAway), "now none can");
    device(&mut bench, Device::SocialCardReaderPresent(true));
    assert_eq!(bench.session.notice, None);
    let again = social_ticket(&bench);
    bench.lay(again, holder(None));
    assert_eq!(bench.session.page, Page::ConfirmPerson);

    // To an item that takes no such card its reader means nothing.
    let mut bench = Bench::new();
    bench.go_to_identify("appeal");
    device(&mut bench, Device::SocialCardReaderPresent(false));
    assert_eq!(bench.session.notice, None);
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::StartReading(..))));
}

#[test]
fn an_expired_social_security_card_is_said_by_its_name() {
    let (mut bench, _, social_card) = at_the_readers();
    bench.lay(social_card, holder(Some("2020-08-17")));
    assert_eq!(bench.session.notice, Some(Notice::SocialCardExpired), "this item takes none");
    assert_eq!(bench.session.visit.as_ref().unwrap().applicant, None);
    bench.items[1].accepts_expired_card = true;
    bench.touch(Citizen::NoticeClosed);
    let again = social_ticket(&bench);
    bench.lay(again, holder(Some("2020-08-17")));
    assert_eq!(bench.session.notice, Some(Notice::SocialCardExpiredAccepted));
    bench.touch(Citizen::NoticeContinued);
    assert_eq!(bench.session.page, Page::ConfirmPerson);
}

#[test]
fn the_farewell_asks_for_the_card_while_it_is_in_and_no_longer() {
    let (mut bench, _, social_card) = at_the_readers();
    bench.lay(social_card, holder(None));
    bench.touch(Citizen::End);
    let says = |bench: &Bench, prompt| bench.effects.contains(&Effect::Say(prompt, Language::ZhHans));
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Say(..))), "nobody has looked yet");
    let first = social_look(&bench).expect("its reader looks");
    device(&mut bench, Device::CardLeft(first, true));
    assert!(says(&bench, Prompt::TakeSocialCard));
    let timer = bench.session.page_timer.expect("the farewell has an end");
    bench.send(Event::Timer(timer));
    assert!(says(&bench, Prompt::SocialCardStillThere));
    let second = social_look(&bench).expect("it looks again");
    device(&mut bench, Device::CardLeft(first, false));
    assert!(matches!(bench.session.page, Page::Leaving(_)), "an answer to an earlier look");
    device(&mut bench, Device::CardLeft(second, true));
    assert!(!says(&bench, Prompt::TakeSocialCard), "said once");
    device(&mut bench, Device::CardLeft(second, false));
    assert_eq!(bench.session.page, Page::Home(None), "taken: nothing else is to be said");
    assert!(!bench.effects.contains(&Effect::Audit(AuditFact::CardForgotten)));
}

#[test]
fn a_social_security_card_that_stays_in_is_on_record() {
    let (mut bench, _, social_card) = at_the_readers();
    bench.lay(social_card, holder(None));
    bench.touch(Citizen::End);
    let look = social_look(&bench).unwrap();
    device(&mut bench, Device::CardLeft(look, true));
    bench.touch(Citizen::FarewellDone);
    assert!(bench.effects.contains(&Effect::Audit(AuditFact::CardForgotten)));
    device(&mut bench, Device::CardLeft(look, false));
    assert_eq!(bench.session.page, Page::Home(None), "the look is over");
}

#[test]
fn a_card_taken_before_the_end_is_not_asked_for_and_the_receipt_is() {
    let (mut bench, _, social_card) = at_the_readers();
    bench.lay(social_card, holder(None));
    // Her receipt lies before her, and she has pulled the card meanwhile.
    let told = CaseProgress {
        case_number: "DG0001-34679ACD-E".into(),
        item: ItemCode("pension".into()),
        status: CaseStatus::Accepted,
        steps: Vec::new(),
    };
    let about = CaseReference { case_number: told.case_number.clone(), verification: "V".into() };
    bench.session.page = Page::Progress(Box::new(ProgressPage { told, about }));
    bench.touch(Citizen::End);
    let says = |bench: &Bench, prompt| bench.effects.contains(&Effect::Say(prompt, Language::ZhHans));
    assert!(says(&bench, Prompt::TakeReceipt));
    let look = social_look(&bench).unwrap();
    device(&mut bench, Device::CardLeft(look, false));
    let receipt = ToTake { receipt: true, ..ToTake::default() };
    assert_eq!(bench.session.page, Page::Leaving(receipt));
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Say(..))));
}

proptest::proptest! {
    /// Whatever two readers report, in whatever order: the first whole card is the applicant, and stays it.
    #[test]
    fn no_order_of_reports_makes_another_person(reports in proptest::collection::vec(0..8u8, 0..40)) {
        let (mut bench, id_card, social_card) = at_the_readers();
        let mut first = None;
        for report in reports {
            let (ticket, person) = match report % 2 {
                0 => (id_card, card("1951-01-01", None)),
                _ => (social_card, holder(None)),
            };
            let document = person.document;
            device(&mut bench, match (report / 2, report % 2) {
                (0, _) => Device::CardFound(ticket),
                (1, _) => Device::CardRead(ticket, Box::new(person)),
                (2, _) => Device::CardFailed(ticket, Remedy::Retry),
                (_, 0) => Device::ReaderPresent(false),
                (_, _) => Device::SocialCardReaderPresent(false),
            });
            if report / 2 == 1 {
                first.get_or_insert(document);
            }
            let applicant = bench.session.visit.as_ref().and_then(|visit| visit.applicant.as_ref());
            proptest::prop_assert_eq!(applicant.map(|applicant| applicant.document), first);
            proptest::prop_assert_eq!(bench.session.page == Page::ConfirmPerson, first.is_some());
        }
    }
}
