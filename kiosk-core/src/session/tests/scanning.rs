//! 扫码: when a code is wanted, what it does, and what comes of any other. And the keys of a real keyboard, on which a
//! scanner of the simple kind types.

use super::*;
use crate::{case_number, receipt_code};

const CODE: &str = "ABCDEFGHJKLMNPQR";
const INSURANCE: &str = "4240000000000000001234400000";

fn number() -> String {
    case_number::compose("DG0001", [7; 8])
}

fn on_the_receipt() -> String {
    receipt_code::compose("https://city.example/v/", CODE, &number())
}

/// At the enquiry, with the ticket that codes must name.
fn enquiring() -> (Bench, Ticket) {
    let mut bench = Bench::new();
    bench.send(Event::Device(Device::ScannerPresent(true)));
    bench.touch(Citizen::ProgressWanted);
    let ticket = started(&bench).expect("codes are wanted");
    (bench, ticket)
}

fn started(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::StartScanning(ticket) => Some(*ticket),
        _ => None,
    })
}

fn stopped(bench: &Bench) -> bool {
    bench.effects.contains(&Effect::StopScanning)
}

fn scan(bench: &mut Bench, ticket: Ticket, code: &str) {
    bench.send(Event::Device(Device::CodeScanned(ticket, code.into())));
}

fn asked(bench: &Bench) -> Option<CityQuestion> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { question, .. } => Some(question.clone()),
        _ => None,
    })
}

#[test]
fn one_scan_fills_both_fields_and_asks_the_city() {
    let (mut bench, ticket) = enquiring();
    // Whatever was typed before gives way to what is on the paper.
    bench.touch(Citizen::TextTyped("DG0001QQQQ".into()));
    scan(&mut bench, ticket, &on_the_receipt());
    let expected =
        CityQuestion::CaseProgress { case_number: number().as_str().into(), verification: CODE.into() };
    assert_eq!(asked(&bench), Some(expected));
    assert!(stopped(&bench), "the scanner rests while the city is asked");
    let said = format!("{:?} {:?}", bench.session, bench.effects);
    assert!(!said.contains(CODE) && !said.contains(&number().replace('-', "")), "{said}");

    // Who goes back finds both fields as if they had been typed.
    bench.touch(Citizen::Back);
    let Page::Enquiry(enquiry) = &bench.session.page else { panic!("{:?}", bench.session.page) };
    assert_eq!((enquiry.number.expose(), enquiry.code.expose().as_str()), (&number().replace('-', ""), CODE));
    let again = started(&bench).expect("codes are wanted again");
    scan(&mut bench, ticket, &on_the_receipt());
    assert!(asked(&bench).is_none() && again != ticket, "a code that came late belongs to nobody");
}

#[test]
fn any_other_code_is_said_to_be_of_no_use_and_the_next_one_counts() {
    let (mut bench, ticket) = enquiring();
    scan(&mut bench, ticket, INSURANCE);
    assert_eq!((bench.session.notice, asked(&bench)), (Some(Notice::CodeUnusable), None));
    assert!(!stopped(&bench), "the right one may follow without a touch");
    bench.send(Event::Device(Device::ScanFailed(ticket, Remedy::AskCitizen(Notice::ScanAgain))));
    assert_eq!(bench.session.notice, Some(Notice::ScanAgain));
    scan(&mut bench, ticket, &on_the_receipt());
    assert!(asked(&bench).is_some() && bench.session.notice.is_none());
}

#[test]
fn codes_are_wanted_on_this_page_only_and_not_beneath_another_notice() {
    let (mut bench, ticket) = enquiring();
    bench.touch(Citizen::HelpWanted);
    assert!(stopped(&bench));
    scan(&mut bench, ticket, &on_the_receipt());
    assert!(asked(&bench).is_none());
    bench.touch(Citizen::NoticeClosed);
    let ticket = started(&bench).expect("wanted again");
    bench.touch(Citizen::End);
    assert!(stopped(&bench) && bench.effects.contains(&Effect::WipeSession));
    scan(&mut bench, ticket, &on_the_receipt());
    assert_eq!((&bench.session.page, asked(&bench)), (&Page::Home(None), None));

    bench.go_to_review();
    let newest = bench.session.last_ticket;
    scan(&mut bench, newest, &on_the_receipt());
    assert_eq!((&bench.session.page, started(&bench)), (&Page::Review, None));
}

#[test]
fn a_scanner_that_goes_closes_nothing_and_one_that_babbles_is_left_alone() {
    let (mut bench, ticket) = enquiring();
    assert!(bench.session.can_scan());
    bench.send(Event::Device(Device::ScannerPresent(false)));
    assert!(!bench.session.can_scan() && bench.session.notice.is_none());
    bench.touch(Citizen::TextTyped(number().as_str().into())).touch(Citizen::EnquirySubmitted);
    assert!(bench.session.notice.is_none(), "typing works on");
    bench.send(Event::Device(Device::ScannerPresent(true)));
    scan(&mut bench, ticket, INSURANCE);
    assert_eq!(bench.session.notice, Some(Notice::CodeUnusable), "it came back while it was still wanted");

    for _ in 1..5 {
        assert!(bench.session.can_scan() && !stopped(&bench));
        scan(&mut bench, ticket, "");
    }
    assert!(stopped(&bench) && !bench.session.can_scan());
    bench.touch(Citizen::NoticeClosed);
    scan(&mut bench, ticket, "");
    assert_eq!((bench.session.notice, started(&bench)), (None, None), "the resident can type in peace");
    bench.touch(Citizen::Back).touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::Home(None));
    bench.touch(Citizen::ProgressWanted);
    assert!(started(&bench).is_some() && bench.session.can_scan(), "the next resident may try");
}

#[test]
fn the_same_touch_at_once_is_a_tremor_and_the_same_key_of_a_keyboard_is_two_keys() {
    let (mut bench, _) = enquiring();
    bench.at_ms += 1_000;
    for key in "DG0001".chars() {
        bench.at_ms += 20;
        bench.send_at_once(Event::Citizen(Citizen::KeyTyped(key)));
    }
    let typed = |bench: &Bench| match &bench.session.page {
        Page::Enquiry(enquiry) => enquiry.typed().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(typed(&bench), "DG01");
    bench.touch(Citizen::Cleared);
    for key in number().chars() {
        bench.at_ms += 20;
        bench.send_at_once(Event::Keyboard(Citizen::KeyTyped(key)));
    }
    assert_eq!(typed(&bench), number().replace('-', ""));
    // Enter, and typing on at once: another page under the keys is not one that changed under a finger.
    bench.send_at_once(Event::Keyboard(Citizen::EnquirySubmitted));
    for key in ['A', 'A', 'B'] {
        bench.send_at_once(Event::Keyboard(Citizen::KeyTyped(key)));
    }
    assert_eq!(typed(&bench), "AAB");
    bench.send_at_once(Event::Keyboard(Citizen::Erased));
    bench.send_at_once(Event::Keyboard(Citizen::Erased));
    assert_eq!(typed(&bench), "A");
}
