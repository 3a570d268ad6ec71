//! Journeys through the pure machine.

use super::*;

#[test]
fn a_resident_goes_from_home_to_home_and_nothing_of_her_stays() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, submission) = bench.submit();
    assert_eq!(submission.answers.len(), 4, "kind, place (from the card), wishes, phone");
    assert_eq!(submission.consent_version, 2);
    assert!(printing(&bench).is_none(), "nothing is printed before the commit");

    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    let print = printing(&bench).expect("the receipt is printed once the case is on disk");
    bench.send(Event::Device(Device::Printed(print, 2)));
    assert!(
        matches!(&bench.session.page, Page::Receipt(page) if page.print == PrintStatus::Printed { level: 2 })
    );

    bench.touch(Citizen::ReceiptDone).touch(Citizen::Rated(5));
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert!(bench.effects.contains(&Effect::StoreRating(saved(), 5)));
    assert_eq!(bench.session.visit, None);
    assert_eq!(
        bench.session.page,
        Page::Leaving(ToTake {
            card: true,
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
fn a_card_read_that_comes_after_the_end_reaches_nobody() {
    let mut bench = Bench::new();
    let first = bench.go_to_identify("appeal");
    bench.touch(Citizen::End);
    bench.go_to_identify("appeal");
    bench.lay(first, card("1971-01-01", None));
    assert!(matches!(bench.session.page, Page::Identify(_)));
    assert_eq!(bench.session.visit.as_ref().unwrap().applicant, None);
}

#[test]
fn an_expired_card_is_said_before_the_form() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2020-06-30")));
    assert_eq!(bench.session.notice, Some(Notice::CardExpiredAccepted));
    assert!(matches!(bench.session.page, Page::Identify(_)));
    bench.touch(Citizen::NoticeContinued);
    assert_eq!(bench.session.page, Page::ConfirmPerson);

    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("pension");
    bench.lay(ticket, card("1950-01-01", Some("2020-06-30")));
    assert_eq!(bench.session.notice, Some(Notice::CardExpired));
    bench.touch(Citizen::NoticeContinued);
    assert!(matches!(bench.session.page, Page::Identify(_)), "this item does not go on");
    assert_eq!(bench.session.visit.as_ref().unwrap().applicant, None);
}

#[test]
fn who_does_not_go_on_with_an_expired_card_is_forgotten() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2020-06-30")));
    bench.touch(Citizen::NoticeClosed);
    assert!(bench.effects.contains(&Effect::WipeSession));
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
    assert_eq!(bench.session.visit, None);
}

#[test]
fn someone_who_is_not_eligible_hears_it_before_the_form_and_is_forgotten() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("pension");
    bench.lay(ticket, card("1999-01-01", None));
    assert_eq!(bench.session.notice, Some(Notice::NotEligible));
    assert_eq!(bench.session.visit.as_ref().unwrap().applicant, None);
    bench.touch(Citizen::NoticeClosed);
    assert!(
        bench.effects.iter().any(|effect| matches!(effect, Effect::StartReading(..))),
        "another card may try"
    );
}

#[test]
fn a_failed_read_says_why_and_reads_again_when_the_notice_is_closed() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.send(Event::Device(Device::CardFailed(ticket, Remedy::AskCitizen(Notice::CardHoldStill))));
    assert_eq!(bench.session.notice, Some(Notice::CardHoldStill));
    bench.touch(Citizen::NoticeClosed);
    let again = bench.ticket_of_reading();
    assert_ne!(again, ticket);
    bench.lay(again, card("1971-01-01", None));
    assert_eq!(bench.session.page, Page::ConfirmPerson);
}

#[test]
fn a_reader_unplugged_and_back_is_said_and_used_again() {
    let mut bench = Bench::new();
    bench.go_to_identify("appeal");
    bench.send(Event::Device(Device::ReaderPresent(false)));
    assert_eq!(bench.session.notice, Some(Notice::ReaderAway));
    bench.send(Event::Device(Device::ReaderPresent(true)));
    assert_eq!(bench.session.notice, None);
    let ticket = bench.ticket_of_reading();
    bench.lay(ticket, card("1971-01-01", None));
    assert_eq!(bench.session.page, Page::ConfirmPerson);
}

#[test]
fn a_typed_number_with_a_slip_is_named_at_once() {
    let mut bench = Bench::new();
    bench.go_to_identify("appeal");
    bench.touch(Citizen::TypingChosen);
    assert!(bench.effects.contains(&Effect::StopReading));
    for key in "110105194912310020".chars() {
        bench.touch(Citizen::KeyTyped(key));
    }
    bench.touch(Citizen::NumberSubmitted);
    assert_eq!(bench.session.notice, Some(Notice::IdNumberCheck));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Erased).touch(Citizen::KeyTyped('x'));
    bench.touch(Citizen::NumberSubmitted);
    assert_eq!(bench.shown_question(), "kind");
    let applicant = bench.session.visit.as_ref().unwrap().applicant.as_ref().unwrap();
    assert_eq!(applicant.way, IdentificationWay::Typed);
}

#[test]
fn answers_to_questions_no_longer_asked_are_never_sent() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::PersonConfirmed).choose("other");
    assert_eq!(bench.shown_question(), "detail");
    bench.type_in("abcde");
    bench.touch(Citizen::Skipped);
    bench.choose("a").type_in("13800000000");
    assert_eq!(bench.session.page, Page::Review);
    bench.touch(Citizen::ChangeWanted(id("kind"))).choose("noise");
    assert_eq!(bench.session.page, Page::Review);
    let (_, submission) = bench.submit();
    assert!(!submission.answers.contains_key(&id("detail")));
}

#[test]
fn each_kind_of_answer_is_judged_on_its_page() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::PersonConfirmed).touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::AnswerNeeded));
    bench.touch(Citizen::NoticeClosed).choose("other");
    bench.touch(Citizen::TextTyped("abcdef".into()));
    assert_eq!(bench.session.notice, Some(Notice::TextTooLong));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Answered);
    // The date starts at today and cannot leave its range.
    bench.touch(Citizen::DateStepped(0, 0, 1)).touch(Citizen::DateStepped(1, 0, 0));
    assert!(matches!(&bench.session.page, Page::Question(d) if d.date == Some(bench.session.today)));
    bench.touch(Citizen::DateStepped(-5, 0, 0));
    assert!(matches!(&bench.session.page, Page::Question(d)
        if d.date == Some(calendar::moved(bench.session.today, 0, 0, -30))));
    bench.touch(Citizen::Answered).touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::ChooseAtLeastOne));
    bench.touch(Citizen::NoticeClosed).choose("c").type_in("123");
    assert_eq!(bench.session.notice, Some(Notice::PhoneWrong));
}

#[test]
fn back_walks_the_questions_and_the_card_is_not_asked_again() {
    let mut bench = Bench::new();
    bench.go_to_review();
    for expected in ["phone", "wishes", "day", "kind"] {
        bench.touch(Citizen::Back);
        assert_eq!(bench.shown_question(), expected);
    }
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::ConfirmPerson);
}

#[test]
fn a_double_tap_does_not_touch_the_next_page() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    bench.at_ms += 150;
    bench.send_at_once(Event::Citizen(Citizen::Started));
    assert_eq!(bench.session.page, Page::Guide);
    bench.at_ms += 200;
    bench.send_at_once(Event::Citizen(Citizen::Started));
    assert_eq!(bench.session.page, Page::Consent);
}

#[test]
fn the_idle_clock_warns_counts_down_and_wipes() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let wipes = |bench: &Bench| bench.effects.contains(&Effect::WipeSession);
    bench.send(Event::Timer(bench.session.idle.ticket.unwrap()));
    assert_eq!(bench.session.idle.warning_s, Some(20));
    bench.touch(Citizen::Touched);
    assert_eq!(bench.session.idle.warning_s, None, "one touch and time is given");
    for _ in 0..20 {
        bench.send(Event::Timer(bench.session.idle.ticket.unwrap()));
        assert!(!wipes(&bench));
    }
    assert_eq!(bench.session.idle.warning_s, Some(1));
    bench.send(Event::Timer(bench.session.idle.ticket.unwrap()));
    assert!(wipes(&bench));
    assert_eq!(bench.session.visit, None);
}

#[test]
fn settings_return_to_their_default_even_when_only_they_were_touched() {
    let mut bench = Bench::new();
    bench.touch(Citizen::SeniorToggled).touch(Citizen::LanguageChosen(Language::En));
    assert_eq!(bench.session.settings.theme, Theme::Senior);
    for _ in 0..50 {
        if let Some(ticket) = bench.session.idle.ticket {
            bench.send(Event::Timer(ticket));
        }
    }
    assert_eq!(bench.session.settings, Settings::default());
    assert_eq!(bench.session.idle.ticket, None, "an untouched home screen waits for nobody");
}

#[test]
fn with_a_full_disk_nothing_is_begun_but_the_guide_still_reads() {
    let mut bench = Bench::new();
    bench.send(Event::Store(Store::AdmissionChanged(Admission::Closed)));
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    assert_eq!(bench.session.page, Page::Guide);
    bench.touch(Citizen::Started);
    assert_eq!(bench.session.notice, Some(Notice::SubmissionsClosed));
    assert_eq!(bench.session.page, Page::Guide);
}

#[test]
fn what_is_offered_may_change_only_while_nobody_is_there() {
    let mut bench = Bench::new();
    assert!(bench.session.is_unused(), "devices are nobody");
    bench.touch(Citizen::LanguageChosen(Language::En));
    assert!(!bench.session.is_unused(), "somebody reads the home screen");
    for _ in 0..50 {
        if let Some(ticket) = bench.session.idle.ticket {
            bench.send(Event::Timer(ticket));
        }
    }
    assert!(bench.session.is_unused(), "who walked away is not waited for");
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    assert!(!bench.session.is_unused());
}

#[test]
fn a_stale_catalog_is_known_and_stops_nothing() {
    let mut bench = Bench::new();
    bench.send(Event::Device(Device::CatalogAged(CatalogAge::Stale)));
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    assert!(matches!(bench.session.page, Page::Receipt(_)), "{:?}", bench.session.page);
    bench.touch(Citizen::ReceiptDone).touch(Citizen::RatingSkipped).touch(Citizen::FarewellDone);
    assert_eq!(bench.session.surroundings.catalog, CatalogAge::Stale, "it is nobody's data");
    bench.send(Event::Device(Device::CatalogAged(CatalogAge::Fresh)));
    assert_eq!(bench.session.surroundings.catalog, CatalogAge::Fresh);
}

#[test]
fn paper_out_offers_the_receipt_again_and_never_prints_by_itself() {
    let mut bench = Bench::new();
    bench.go_to_review();
    let (ticket, _) = bench.submit();
    bench.send(Event::Store(Store::Finalised(ticket, saved())));
    let print = printing(&bench).unwrap();
    bench.send(Event::Device(Device::PrinterChanged(PrinterCondition::NoPaper)));
    let why = PrintStatus::NoPaper;
    bench.send(Event::Device(Device::PrintFailed { ticket: print, why, begun: false }));
    bench.touch(Citizen::PrintWanted);
    assert!(printing(&bench).is_none(), "without paper nothing is offered");
    bench.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
    assert!(printing(&bench).is_none(), "paper alone prints nothing");
    bench.touch(Citizen::PrintWanted);
    assert!(
        matches!(&bench.effects[..], [.., Effect::Print(_, order)] if !order.reprint),
        "it is the first paper"
    );
    let print = printing(&bench).unwrap();
    bench.send(Event::Device(Device::PrintFailed { ticket: print, why, begun: true }));
    bench.touch(Citizen::PrintWanted);
    assert!(
        matches!(&bench.effects[..], [.., Effect::Print(_, order)] if order.reprint),
        "a part came out before"
    );
}

#[test]
fn a_broken_condition_is_said_and_the_rest_works() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::PersonConfirmed).choose("break");
    assert_eq!(bench.session.notice, Some(Notice::ItemBroken));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::End);
    assert!(matches!(
        bench.session.page,
        Page::Leaving(ToTake {
            card: true,
            card_seen: false,
            social_card: false,
            receipt: false,
            papers: false
        })
    ));
}

proptest::proptest! {
    /// Whatever is touched in whatever order: no panic, home is always reached by waiting, and then
    /// nothing of the resident is left.
    #[test]
    fn any_touches_end_at_home(touches in proptest::collection::vec(0_u8..43, 0..200)) {
        let mut bench = Bench::new();
        for number in touches {
            let event = random_event(&bench, number);
            bench.send(event);
        }
        for _ in 0..400 {
            let waiting = bench.session.page_timer.or(bench.session.idle.ticket);
            if let Some(ticket) = waiting { bench.send(Event::Timer(ticket)) }
            if let Some(ticket) = bench.session.idle.ticket { bench.send(Event::Timer(ticket)) }
        }
        proptest::prop_assert_eq!(&bench.session.page, &Page::Home(None));
        proptest::prop_assert_eq!(&bench.session.visit, &None);
        proptest::prop_assert_eq!(bench.session.settings, Settings::default());
    }
}

fn random_event(bench: &Bench, number: u8) -> Event {
    let ticket = Ticket(bench.session.last_ticket.0);
    Event::Citizen(match number {
        0 | 1 => Citizen::ItemChosen(ItemCode("appeal".into())),
        2 => Citizen::Started,
        3 => Citizen::Agreed,
        4 | 5 => return Event::Device(Device::CardRead(ticket, Box::new(card("1960-01-01", None)))),
        6 => Citizen::PersonConfirmed,
        7 => Citizen::OptionChosen("noise".into()),
        8 => Citizen::OptionChosen("b".into()),
        9 => Citizen::TextTyped("13800000000".into()),
        10..=12 => Citizen::Answered,
        13 => Citizen::Skipped,
        14 => Citizen::Confirmed,
        15 => return Event::Store(Store::Finalised(ticket, saved())),
        16 => Citizen::ReceiptDone,
        17 => Citizen::Rated(1),
        18 => Citizen::Back,
        19 => Citizen::NoticeClosed,
        20 => Citizen::SeniorToggled,
        21 => Citizen::TypingChosen,
        22 => Citizen::DateStepped(0, -1, 0),
        23 => return Event::Timer(ticket),
        24 => Citizen::ChangeWanted(id("place")),
        25 => Citizen::ProgressWanted,
        26 | 27 => Citizen::EnquirySubmitted,
        28 => Citizen::TextTyped(crate::case_number::compose("DG0001", [7; 8]).as_str().into()),
        29 => return Event::City(City::Answered(ticket, CityAnswer::NotFound)),
        30 => return Event::City(City::CannotAsk(ticket, CannotAsk::Busy)),
        31 => return Event::Keyboard(Citizen::Answered),
        32 => return Event::Device(Device::CodeScanned(ticket, "https://city.example/v/".into())),
        33 => return Event::Device(Device::ScanFailed(ticket, Remedy::AskCitizen(Notice::ScanAgain))),
        34 => return Event::Device(Device::ScannerPresent(true)),
        36 => Citizen::Typing(TypingTouch::Marked(Mark::Key('n'))),
        37 => Citizen::Typing(TypingTouch::CandidateChosen(0)),
        38 => Citizen::Typing(TypingTouch::WayChosen(TypingWay::Strokes)),
        39 => Citizen::OptionChosen("other".into()),
        40 => Citizen::Erased,
        41 => {
            let (typed, committed) = ("ni".into(), "你".into());
            let candidates = vec!["你".into()];
            return Event::Engine(EngineAnswer::Composed { ticket, typed, candidates, committed });
        }
        42 => return Event::Engine(EngineAnswer::Lost(ticket, Remedy::Retry)),
        _ => Citizen::End,
    })
}
