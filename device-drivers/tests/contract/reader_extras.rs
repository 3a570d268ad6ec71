//! The card reader's contract beyond text and photo: fingerprint, additional address, and readers that misbehave.

use std::time::{Duration, Instant};

use device_drivers::id_card_reader::simulator::{ReaderStep, WireFault};
use device_drivers::id_card_reader::{
    Extra, Extras, Fingerprint, Found, IdCardReader, NoPhotoDecoder, PhotoDecoder, PhotoError, ReaderError,
    SerialIdCardReader,
};

use crate::desk::{Desk, contract_on_every_cable, image, name_read, serial_desk};

const FINGERPRINT: Extras = Extras { fingerprint: true, additional_address: false };
const ADDRESS: Extras = Extras { fingerprint: false, additional_address: true };

contract_on_every_cable! {
    nothing_is_read_that_nobody_asked_for,
    a_fingerprint_is_read_or_absent,
    a_bad_fingerprint_does_not_spoil_the_card,
    an_additional_address_is_read_or_absent,
    a_failed_additional_address_does_not_spoil_the_card,
    a_card_left_in_place_stays_unfound_even_after_a_reset,
    a_card_pulled_in_the_middle_is_told_from_one_that_was_not_there,
    a_chip_that_hangs_is_brought_round_by_a_reset,
    an_answer_cut_short_is_asked_for_again,
    noise_that_nobody_asked_for_is_thrown_away,
    a_stuck_reader_is_silent_until_it_has_lost_its_power,
}

fn nothing_is_read_that_nobody_asked_for(desk: fn() -> Desk) {
    let mut desk = desk();
    let card = image("测试样本").with_fingerprint(&[7; 1024]).with_additional_address("示例路9号").unwrap();
    desk.simulator.lay(card);
    let read = desk.reader.read().unwrap();
    assert_eq!(read.fingerprint, Extra::NotAsked);
    assert_eq!(read.additional_address, Extra::NotAsked);
}

fn a_fingerprint_is_read_or_absent(desk: fn() -> Desk) {
    let mut desk = desk();
    let file: Vec<u8> = (0..1024).map(|i| (i % 251) as u8).collect();
    desk.simulator.lay(image("测试样本").with_fingerprint(&file));
    let read = desk.reader.read_with(FINGERPRINT).unwrap();
    assert_eq!(read.fingerprint, Extra::Read(Fingerprint::new(&file)));
    assert_eq!((read.text.name(), read.photo.as_bytes().len()), ("测试样本", 1024));
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.read_with(FINGERPRINT).unwrap().fingerprint, Extra::Absent);
}

fn a_bad_fingerprint_does_not_spoil_the_card(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本").with_fingerprint(&[7; 1024]));
    desk.simulator.inject(WireFault::Status(0x37));
    let read = desk.reader.read_with(FINGERPRINT).unwrap();
    assert_eq!((read.text.name(), &read.fingerprint), ("测试样本", &Extra::Unreadable));
}

fn an_additional_address_is_read_or_absent(desk: fn() -> Desk) {
    let mut desk = desk();
    // Exactly the 35 units that fit.
    let address = "广东省东莞市示例镇样本路".chars().cycle().take(35).collect::<String>();
    desk.simulator.lay(image("测试样本").with_additional_address(&address).unwrap());
    let read = desk.reader.read_with(ADDRESS).unwrap();
    assert_eq!(read.additional_address.read().unwrap().as_str(), address);
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.read_with(ADDRESS).unwrap().additional_address, Extra::Absent);
    let both = Extras { fingerprint: true, additional_address: true };
    let card = image("测试样本").with_fingerprint(&[7; 1024]).with_additional_address("示例路9号").unwrap();
    desk.simulator.lay(card);
    let read = desk.reader.read_with(both).unwrap();
    assert!(read.fingerprint.read().is_some());
    assert_eq!(read.additional_address.read().unwrap().as_str(), "示例路9号");
    let shown = format!("{read:?}");
    assert!(!shown.contains("示例") && !shown.contains("测试") && !shown.contains("7, 7"), "{shown}");
}

fn a_failed_additional_address_does_not_spoil_the_card(desk: fn() -> Desk) {
    let card = || image("测试样本").with_additional_address("示例路9号").unwrap();
    let damaged = WireFault::WrongChecksum;
    for (fault, times, expected) in [
        (damaged, 2, true),
        (damaged, 3, false),
        (WireFault::Status(0x41), 1, false),
        (WireFault::PulledMidRead { after_bytes: 40 }, 1, false),
    ] {
        let mut desk = desk();
        desk.simulator.lay(card());
        for _ in 0..times {
            desk.simulator.inject_at(ReaderStep::AdditionalAddress, fault);
        }
        let read = desk.reader.read_with(ADDRESS).unwrap();
        assert_eq!(read.text.name(), "测试样本", "{fault:?}");
        let wanted = if expected {
            read.additional_address.read().is_some()
        } else {
            read.additional_address == Extra::Unreadable
        };
        assert!(wanted, "{fault:?} {times} times: {:?}", read.additional_address);
    }
}

fn a_card_left_in_place_stays_unfound_even_after_a_reset(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(name_read(&mut desk), "测试样本");
    for _ in 0..5 {
        // No card is taken for a card that was taken away.
        assert_eq!(desk.reader.find(), Ok(Found::Nothing));
        assert!(desk.simulator.has_card());
    }
    desk.reader.reset().unwrap();
    assert_eq!(desk.reader.find(), Ok(Found::Nothing));
    // Some readers are said to do otherwise; the driver lives with both.
    desk.simulator.set_rearms_on_reset(true);
    desk.reader.reset().unwrap();
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn a_card_pulled_in_the_middle_is_told_from_one_that_was_not_there(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.set_paced(true);
    // Reading takes 350 ms.
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::PulledAfter { millis: 100 });
    assert_eq!(desk.reader.read(), Err(ReaderError::CardMoved));
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject_at(ReaderStep::Find, WireFault::PulledAfter { millis: 0 });
    assert_eq!(desk.reader.read(), Err(ReaderError::NoCard));
    assert_eq!(desk.simulator.reads(), 0);
}

fn a_chip_that_hangs_is_brought_round_by_a_reset(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::ChipHangs);
    for _ in 0..3 {
        assert_eq!(desk.reader.read(), Err(ReaderError::CardMoved));
    }
    assert_eq!(name_read(&mut desk), "测试样本");
}

#[test]
fn a_reader_that_must_not_be_reset_is_not() {
    let desk = serial_desk();
    let mut reader = SerialIdCardReader::open(desk.port(), 115_200).unwrap();
    reader.set_reset_after(None);
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject(WireFault::ChipHangs);
    for _ in 0..8 {
        assert_eq!(reader.read(), Err(ReaderError::CardMoved));
    }
    reader.reset().unwrap();
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn an_answer_cut_short_is_asked_for_again(desk: fn() -> Desk) {
    let cut = |step, after_bytes| {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::Truncated { after_bytes });
        desk.reader.read().map(|card| card.text.name().to_owned())
    };
    for (step, after_bytes) in
        [(ReaderStep::Find, 6), (ReaderStep::Find, 10), (ReaderStep::Select, 5), (ReaderStep::Select, 7)]
    {
        assert_eq!(cut(step, after_bytes).as_deref(), Ok("测试样本"), "{step:?} {after_bytes}");
    }
    // Less than a preamble cannot be told from noise, and silence is not filled with more questions.
    assert_eq!(cut(ReaderStep::Select, 3), Err(ReaderError::NoAnswer { in_a_row: 1 }));
}

fn noise_that_nobody_asked_for_is_thrown_away(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.find(), Ok(Found::Card));
    desk.simulator.say_unasked(&[0xAA; 3000]);
    desk.simulator.say_unasked(&[0x00, 0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x05]);
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn a_stuck_reader_is_silent_until_it_has_lost_its_power(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    desk.simulator.inject_at(ReaderStep::Select, WireFault::Stuck);
    for in_a_row in 1..=2 {
        let start = Instant::now();
        assert_eq!(desk.reader.read(), Err(ReaderError::NoAnswer { in_a_row }));
        // One second, and room for a busy machine.
        assert!(start.elapsed() < Duration::from_secs(5), "it does not hang: {:?}", start.elapsed());
    }
    desk.simulator.unplug();
    assert_eq!(desk.reader.find(), Err(ReaderError::Gone));
    desk.simulator.plug().unwrap();
    assert_eq!(name_read(&mut desk), "测试样本");
}

#[test]
fn without_a_licensed_decoder_the_photo_stays_closed_and_the_text_is_there() {
    let mut desk = serial_desk();
    desk.simulator.lay(image("测试样本"));
    let card = desk.reader.read().unwrap();
    let mut decoder: Box<dyn PhotoDecoder> = Box::new(NoPhotoDecoder);
    assert_eq!(decoder.decode(&card.photo), Err(PhotoError::NoDecoder));
    assert_eq!(card.text.name(), "测试样本");
}
