//! The card reader's contract, kept on every cable.

use std::time::{Duration, Instant};

use device_drivers::id_card_reader::simulator::{CardImage, ReaderStep, WireFault};
use device_drivers::id_card_reader::{
    CardText, Foreigner2017Card, Foreigner2023Card, Found, HmtResidenceCard, ReaderError, Refusal,
};
use device_drivers::{Fault, Hint, Remedy};

use crate::desk::{Desk, contract_on_every_cable, image, name_read, person};

const STEPS: [ReaderStep; 3] = [ReaderStep::Find, ReaderStep::Select, ReaderStep::Read];

contract_on_every_cable! {
    an_empty_reader_finds_nothing,
    a_card_is_read_once_and_then_not_found_until_it_is_laid_again,
    all_four_documents_and_rare_names_are_read,
    a_wrong_checksum_is_never_believed,
    a_damaged_exchange_is_repeated_before_anyone_hears_of_it,
    garbage_before_an_answer_is_skipped,
    garbage_inside_an_answer_spoils_it_and_the_next_one_is_good,
    a_stale_answer_is_never_taken_for_the_present_one,
    the_previous_persons_answer_is_never_shown,
    an_answer_that_comes_after_the_deadline_is_dropped,
    a_card_pulled_during_the_answer_gives_nothing_and_a_way_on,
    a_card_that_only_trembled_is_read_in_the_second_round,
    refused_cards_and_other_cards_are_told_apart,
    an_unknown_kind_of_card_is_not_shown_as_a_known_one,
    the_malformed_timeout_frame_of_one_vendor_does_not_hang,
    silence_becomes_a_fault_when_it_lasts_and_ends_with_an_answer,
    sam_id_and_reset_are_answered,
}

fn an_empty_reader_finds_nothing(desk: fn() -> Desk) {
    let mut desk = desk();
    assert_eq!(desk.reader.find(), Ok(Found::Nothing));
    assert_eq!(desk.reader.read(), Err(ReaderError::NoCard));
}

fn a_card_is_read_once_and_then_not_found_until_it_is_laid_again(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.find(), Ok(Found::Card));
    let card = desk.reader.read().unwrap();
    assert_eq!(card.text, CardText::Mainland(person("测试样本")));
    assert_eq!(card.photo.as_bytes().len(), 1024);
    assert_eq!(desk.reader.find(), Ok(Found::Nothing), "left in place after a good read");
    desk.simulator.pull();
    assert_eq!(desk.reader.find(), Ok(Found::Nothing));
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.find(), Ok(Found::Card));
}

fn all_four_documents_and_rare_names_are_read(desk: fn() -> Desk) {
    let mut desk = desk();
    let text = |s: &str| s.to_owned();
    let cards = [
        CardText::Mainland(person("𬱖㛃")),
        CardText::HmtResidence(HmtResidenceCard {
            name: text("测试样本"),
            sex: text("1"),
            birth: text("20990615"),
            address: text("广东省东莞市示例街道样本路8号"),
            number: text("810000209906150012"),
            issuer: text("东莞市公安局"),
            valid_from: text("20250101"),
            valid_to: text("20300101"),
            travel_permit_number: text("H00000000"),
            issue_count: text("01"),
        }),
        CardText::Foreigner2017(Foreigner2017Card {
            english_name: text("SPECIMEN, TEST PERSON"),
            sex: text("1"),
            number: text("USA440099010100"),
            nationality: text("USA"),
            chinese_name: text("样本测试"),
            issue_date: text("20170616"),
            expiry_date: text("20270615"),
            birth: text("19990101"),
            card_version: text("01"),
            authority_code: text("1500"),
        }),
        CardText::Foreigner2023(Foreigner2023Card {
            chinese_name: text("样本测试"),
            sex: text("1"),
            renewal_count: text("00"),
            birth: text("20990101"),
            // A space stands exactly at the joint of the two places on the chip.
            english_name: text("SPECIMEN, TEST PERSON ABCDEFGHIJKL NOPQR"),
            number: text("944840209901010018"),
            valid_from: text("20231201"),
            valid_to: text("20331130"),
            nationality: text("USA"),
            previous_number_link: text("000"),
        }),
    ];
    for card in cards {
        desk.simulator.lay(CardImage::of(&card).unwrap());
        assert_eq!(desk.reader.read().unwrap().text, card);
    }
}

fn a_wrong_checksum_is_never_believed(desk: fn() -> Desk) {
    for step in [ReaderStep::Find, ReaderStep::Select] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::WrongChecksum);
        assert_eq!(name_read(&mut desk), "测试样本", "{step:?} is asked again");
    }
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::WrongChecksum);
    let error = desk.reader.read().unwrap_err();
    assert_eq!(error, ReaderError::Garbled);
    assert_eq!(error.remedy(), Remedy::AskCitizen(Hint::LayCardAgain));
    desk.simulator.lay(image("测试样本"));
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn a_damaged_exchange_is_repeated_before_anyone_hears_of_it(desk: fn() -> Desk) {
    for fault in [WireFault::WrongChecksum, WireFault::Status(0x10), WireFault::Status(0x11)] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(ReaderStep::Find, fault);
        desk.simulator.inject_at(ReaderStep::Find, fault);
        assert_eq!(desk.reader.find(), Ok(Found::Card), "{fault:?}");
        for _ in 0..3 {
            desk.simulator.inject_at(ReaderStep::Find, fault);
        }
        assert_eq!(desk.reader.find(), Err(ReaderError::Garbled), "{fault:?}");
    }
}

fn garbage_before_an_answer_is_skipped(desk: fn() -> Desk) {
    for step in STEPS {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::GarbageBefore);
        assert_eq!(name_read(&mut desk), "测试样本", "{step:?}");
        assert!(desk.simulator.wait_until(Duration::ZERO, |reader| reader.waiting_faults() == 0));
    }
}

fn garbage_inside_an_answer_spoils_it_and_the_next_one_is_good(desk: fn() -> Desk) {
    for step in [ReaderStep::Find, ReaderStep::Select] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::GarbageInside);
        assert_eq!(name_read(&mut desk), "测试样本", "{step:?}");
    }
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::GarbageInside);
    assert_eq!(desk.reader.read(), Err(ReaderError::Garbled));
    desk.simulator.lay(image("另一个人"));
    assert_eq!(name_read(&mut desk), "另一个人");
}

fn a_stale_answer_is_never_taken_for_the_present_one(desk: fn() -> Desk) {
    for step in STEPS {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::StaleAnswer);
        assert_eq!(name_read(&mut desk), "测试样本", "{step:?}");
    }
}

fn the_previous_persons_answer_is_never_shown(desk: fn() -> Desk) {
    // The last answer on the line is the whole card of the first person; it comes again before the find.
    let mut desk = desk();
    desk.simulator.lay(image("第一个人"));
    assert_eq!(name_read(&mut desk), "第一个人");
    desk.simulator.lay(image("第二个人"));
    desk.simulator.inject_at(ReaderStep::Find, WireFault::StaleAnswer);
    assert_eq!(name_read(&mut desk), "第二个人");
}

fn an_answer_that_comes_after_the_deadline_is_dropped(desk: fn() -> Desk) {
    // Paced: the late answer stands on the line well before the one that is waited for.
    let mut desk = desk();
    desk.simulator.set_paced(true);
    desk.simulator.lay(image("第一个人"));
    desk.simulator.inject(WireFault::Late { millis: 2900 });
    assert_eq!(desk.reader.read(), Err(ReaderError::NoAnswer { in_a_row: 1 }));
    // The reader is still busy with the first person's answer, and sends it while the second is looked for.
    desk.simulator.lay(image("第二个人"));
    assert_eq!(name_read(&mut desk), "第二个人");
}

fn a_card_pulled_during_the_answer_gives_nothing_and_a_way_on(desk: fn() -> Desk) {
    for after_bytes in [5, 7, 14, 600, 1294] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject(WireFault::PulledMidRead { after_bytes });
        let error = desk.reader.read().unwrap_err();
        assert_eq!(error, ReaderError::CardMoved, "after {after_bytes} bytes");
        assert_eq!(error.remedy(), Remedy::AskCitizen(Hint::HoldCardStill));
        assert_eq!(desk.reader.find(), Ok(Found::Nothing));
        desk.simulator.lay(image("测试样本"));
        assert_eq!(name_read(&mut desk), "测试样本");
    }
}

fn a_card_that_only_trembled_is_read_in_the_second_round(desk: fn() -> Desk) {
    for (step, code) in [
        (ReaderStep::Select, 0x81),
        (ReaderStep::Read, 0x41),
        (ReaderStep::Read, 0x47),
        (ReaderStep::Select, 0x31),
        (ReaderStep::Select, 0x21),
    ] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::Status(code));
        let outcome = desk.reader.read().map(|card| card.text.name().to_owned());
        match code {
            0x21 => assert_eq!(outcome, Err(ReaderError::Unexpected(0x21))),
            _ => assert_eq!(outcome.as_deref(), Ok("测试样本"), "{code:02X}"),
        }
    }
}

fn refused_cards_and_other_cards_are_told_apart(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::Refused);
    assert_eq!(desk.reader.read(), Err(ReaderError::Refused(Refusal::NotGenuine)));
    desk.simulator.inject(WireFault::NotACard);
    assert_eq!(desk.reader.read(), Err(ReaderError::NotAnIdCard));
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn an_unknown_kind_of_card_is_not_shown_as_a_known_one(desk: fn() -> Desk) {
    let mut desk = desk();
    let mut block =
        device_drivers::id_card_reader::protocol::encode_text(&CardText::Mainland(person("某人"))).unwrap();
    block[248] = b'Z';
    desk.simulator.lay(CardImage::raw(block, vec![0; 1024]));
    let error = desk.reader.read().unwrap_err();
    assert_eq!(error, ReaderError::UnknownDocument);
    assert_eq!(error.remedy(), Remedy::AskCitizen(Hint::UnknownDocument));
}

fn the_malformed_timeout_frame_of_one_vendor_does_not_hang(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.set_fault(Some(WireFault::VendorTimeout));
    let start = Instant::now();
    assert_eq!(desk.reader.read(), Err(ReaderError::CardMoved));
    assert!(start.elapsed() < Duration::from_secs(2), "a gap ends it, not the deadline");
}

fn silence_becomes_a_fault_when_it_lasts_and_ends_with_an_answer(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    for in_a_row in 1..=3 {
        desk.simulator.inject_at(ReaderStep::Find, WireFault::Silence);
        let error = desk.reader.find().unwrap_err();
        assert_eq!(error, ReaderError::NoAnswer { in_a_row });
        let lasting = Remedy::CallOperator(Fault::ReaderSilent);
        assert_eq!(error.remedy(), if in_a_row < 3 { Remedy::Retry } else { lasting });
    }
    assert_eq!(desk.reader.find(), Ok(Found::Card));
    desk.simulator.inject_at(ReaderStep::Find, WireFault::Silence);
    assert_eq!(desk.reader.find(), Err(ReaderError::NoAnswer { in_a_row: 1 }));
}

fn sam_id_and_reset_are_answered(desk: fn() -> Desk) {
    let mut desk = desk();
    assert_eq!(desk.reader.sam_id().unwrap().to_string(), "05.01-20240101-0000123456-0987654321");
    assert_eq!(desk.reader.reset(), Ok(()));
}
