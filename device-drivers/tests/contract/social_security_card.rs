//! The social-security card's contract: the true driver, the real `pcscd`, a virtual card in its virtual reader.

use std::process::Command;
use std::time::{Duration, Instant};

use device_drivers::social_security_card::simulator::{
    CardFault, CardManners, VirtualCard, VirtualSlot, made_up_person,
};
use device_drivers::social_security_card::{
    PcscCardReader, SocialSecurityCard, SocialSecurityCardError as CardError, SocialSecurityCardReader,
};
use device_drivers::{Fault, Hint, Remedy};

use crate::pcscd::{Pcscd, with_pcscd};

/// `pcscd` looks for cards some three times a second.
const NOTICED: Duration = Duration::from_secs(5);

fn person() -> SocialSecurityCard {
    made_up_person("2.00")
}

fn card() -> VirtualCard {
    VirtualCard::of(&person()).unwrap()
}

struct Desk {
    reader: PcscCardReader,
    slot: VirtualSlot,
}

fn desk(pcscd: &Pcscd) -> Desk {
    let mut desk =
        Desk { reader: PcscCardReader::new("Virtual PCD"), slot: VirtualSlot::new(pcscd.reader()) };
    desk.wait_for_card(false);
    desk
}

impl Desk {
    /// Takes the card out that is in, and puts another one in. Both are waited for: the virtual reader does not see a
    /// card that is exchanged between two of its looks.
    fn insert(&mut self, card: VirtualCard) {
        self.pull();
        self.slot.insert(card).unwrap();
        self.wait_for_card(true);
    }

    fn pull(&mut self) {
        self.slot.pull();
        self.wait_for_card(false);
    }

    fn wait_for_card(&mut self, there: bool) {
        let deadline = Instant::now() + NOTICED;
        while self.reader.is_card_in() != Ok(there) {
            assert!(Instant::now() < deadline, "card in: {:?}, not {there}", self.reader.is_card_in());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_card_is_read_again_and_again_and_its_removal_is_seen() {
    with_pcscd("social_security_card::a_card_is_read_again_and_again_and_its_removal_is_seen", |pcscd| {
        let mut desk = desk(pcscd);
        assert_eq!(desk.reader.read().unwrap_err(), CardError::NoCard);
        assert_eq!(CardError::NoCard.remedy(), Remedy::AskCitizen(Hint::LayCard));
        for _ in 0..2 {
            desk.insert(card());
            for _ in 0..3 {
                let start = Instant::now();
                assert!(desk.reader.read() == Ok(person()));
                println!("a whole card without its line's time: {:?}", start.elapsed());
            }
            desk.pull();
            assert_eq!(desk.reader.read().unwrap_err(), CardError::NoCard);
        }
    });
}

#[test]
fn a_real_cards_time_fits_into_the_deadline() {
    with_pcscd("social_security_card::a_real_cards_time_fits_into_the_deadline", |pcscd| {
        let mut desk = desk(pcscd);
        desk.slot.set_paced(true);
        desk.insert(card());
        let start = Instant::now();
        assert!(desk.reader.read() == Ok(person()));
        println!("a whole card at 9600 baud: {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    });
}

#[test]
fn cards_of_all_manners_are_read_or_say_why_not() {
    with_pcscd("social_security_card::cards_of_all_manners_are_read_or_say_why_not", |pcscd| {
        let mut desk = desk(pcscd);
        for manners in [
            CardManners { by_pieces: false, ..CardManners::default() },
            CardManners { short_ids: false, ..CardManners::default() },
            CardManners { short_ids: false, select_p1: 0, ..CardManners::default() },
        ] {
            desk.insert(card().with_manners(manners));
            assert!(desk.reader.read() == Ok(person()), "{manners:?}");
        }
        for manners in [
            CardManners { locked: true, ..CardManners::default() },
            CardManners { hidden: true, ..CardManners::default() },
        ] {
            desk.insert(card().with_manners(manners));
            let told = desk.reader.read().unwrap_err();
            assert_eq!((told, told.remedy()), (CardError::Locked, Remedy::AskCitizen(Hint::CardLocked)));
        }
        // Not every card of another kind refuses alike.
        desk.insert(VirtualCard::of_another_kind());
        desk.slot.set_fault(0, CardFault::Status(0x6E00));
        assert_eq!(desk.reader.read().unwrap_err(), CardError::NotASocialSecurityCard);
        let told = desk.reader.read().unwrap_err();
        assert_eq!(told, CardError::NotASocialSecurityCard);
        assert_eq!(told.remedy(), Remedy::AskCitizen(Hint::NotASocialSecurityCard));
    });
}

#[test]
fn a_card_put_in_the_wrong_way_round_is_in_and_mute() {
    with_pcscd("social_security_card::a_card_put_in_the_wrong_way_round_is_in_and_mute", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card().turned_round());
        for _ in 0..2 {
            let told = desk.reader.read().unwrap_err();
            assert_eq!((told, told.remedy()), (CardError::Mute, Remedy::AskCitizen(Hint::LayCardAgain)));
        }
        // A hand turns it: the reader sees the slot empty in between, however quick the hand is.
        desk.slot.take_out();
        desk.slot.insert(card()).unwrap();
        desk.wait_for_card(false);
        desk.wait_for_card(true);
        assert!(desk.reader.read() == Ok(person()));
    });
}

#[test]
fn a_standing_fault_spoils_every_reading_until_it_is_mended() {
    with_pcscd("social_security_card::a_standing_fault_spoils_every_reading_until_it_is_mended", |pcscd| {
        let mut desk = desk(pcscd);
        desk.slot.set_standing_fault(Some((18, CardFault::Status(0x6581))));
        desk.insert(card());
        for _ in 0..3 {
            assert_eq!(desk.reader.read().unwrap_err(), CardError::Refused(0x6581));
        }
        desk.slot.set_standing_fault(None);
        assert!(desk.reader.read() == Ok(person()));
        assert!(desk.slot.has_card());
        desk.slot.set_standing_fault(Some((18, CardFault::PulledAfter(3))));
        assert_eq!(desk.reader.read().unwrap_err(), CardError::Pulled);
        assert!(!desk.slot.has_card());
    });
}

#[test]
fn a_card_pulled_in_the_middle_of_an_exchange_gives_nothing() {
    with_pcscd("social_security_card::a_card_pulled_in_the_middle_of_an_exchange_gives_nothing", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card());
        assert!(desk.reader.read().is_ok());
        let commands = desk.slot.commands();
        assert!(commands > 20, "{commands}");
        // Every exchange is cut off in memory (protocol/properties.rs); here some, because `pcscd` takes its time.
        for (fault, apart) in
            [(CardFault::PulledBefore, 6), (CardFault::PulledAfter(1), 13), (CardFault::PulledAfter(3), 13)]
        {
            for at in (0..commands).step_by(apart) {
                desk.insert(card());
                desk.slot.set_fault(at, fault);
                let told = desk.reader.read().expect_err("half a card is no card");
                assert_eq!(told, CardError::Pulled, "{fault:?} at {at}");
                assert_eq!(told.remedy(), Remedy::AskCitizen(Hint::HoldCardStill));
            }
        }
        desk.insert(card());
        assert!(desk.reader.read() == Ok(person()), "and the reader is well");
    });
}

#[test]
fn damaged_answers_are_told_and_never_believed() {
    with_pcscd("social_security_card::damaged_answers_are_told_and_never_believed", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card());
        assert!(desk.reader.read().is_ok());
        let commands = desk.slot.commands();
        // The card stays in; its next reading begins anew.
        let mut begun = desk.slot.commands();
        for at in 0..commands {
            for status in [0x6581, 0x6F00] {
                desk.slot.set_fault(begun + at, CardFault::Status(status));
                assert_eq!(desk.reader.read().unwrap_err(), CardError::Refused(status), "at {at}");
                begun = desk.slot.commands();
            }
            // A status word that is none any more makes the driver wait whether the card was pulled: some are enough.
            if at % 5 != 0 {
                continue;
            }
            desk.slot.set_fault(begun + at, CardFault::Flipped(0));
            // Some bytes are of no use here; no other may make another person.
            if let Ok(read) = desk.reader.read() {
                assert!(read.number == person().number && read.name == person().name, "flipped at {at}");
            }
            begun = desk.slot.commands();
        }
    });
}

#[test]
fn a_silent_card_is_told_in_time_and_its_late_answer_is_dropped() {
    with_pcscd(
        "social_security_card::a_silent_card_is_told_in_time_and_its_late_answer_is_dropped",
        |pcscd| {
            let mut desk = desk(pcscd);
            desk.reader = PcscCardReader::new("Virtual PCD").with_read_deadline(Duration::from_secs(3));
            desk.insert(card());
            desk.slot.set_fault(3, CardFault::Silence);
            let start = Instant::now();
            let told = desk.reader.read().unwrap_err();
            assert_eq!((told, told.remedy()), (CardError::NoAnswer { in_a_row: 1 }, Remedy::Retry));
            assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
            // As long as that call hangs, no other is begun.
            let start = Instant::now();
            assert_eq!(desk.reader.read().unwrap_err(), CardError::NoAnswer { in_a_row: 2 });
            let silent = desk.reader.is_card_in().unwrap_err();
            assert_eq!(silent.remedy(), Remedy::CallOperator(Fault::SocialSecurityReaderSilent));
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
            desk.pull();
            desk.insert(card());
            assert!(desk.reader.read() == Ok(person()), "the card that hung was another one");
        },
    );
}

#[test]
fn a_reader_that_is_not_there_is_told_and_comes_back() {
    with_pcscd("social_security_card::a_reader_that_is_not_there_is_told_and_comes_back", |pcscd| {
        let mut other = PcscCardReader::new("a reader that nobody makes");
        assert_eq!(other.is_card_in().unwrap_err(), CardError::Gone);
        let mut desk = desk(pcscd);
        desk.insert(card());
        assert!(desk.reader.read().is_ok());
        desk.slot.pull();
        pcscd.stop();
        for _ in 0..2 {
            let told = desk.reader.read().unwrap_err();
            assert_eq!((told, desk.reader.is_card_in().unwrap_err()), (CardError::Gone, CardError::Gone));
            assert_eq!(told.remedy(), Remedy::CallOperator(Fault::SocialSecurityReaderGone));
        }
        pcscd.start();
        desk.wait_for_card(false);
        desk.insert(card());
        assert!(desk.reader.read() == Ok(person()));
    });
}

#[test]
fn a_reader_that_goes_in_the_middle_is_told() {
    with_pcscd("social_security_card::a_reader_that_goes_in_the_middle_is_told", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card());
        desk.slot.set_fault(5, CardFault::Silence);
        let Desk { reader, slot } = &mut desk;
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| reader.read());
            let deadline = Instant::now() + NOTICED;
            while slot.commands() < 6 {
                assert!(Instant::now() < deadline, "{} commands", slot.commands());
                std::thread::sleep(Duration::from_millis(10));
            }
            pcscd.stop();
            let start = Instant::now();
            assert_eq!(reading.join().unwrap().unwrap_err(), CardError::Gone);
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        });
    });
}

#[test]
fn another_program_at_the_card_is_waited_out() {
    with_pcscd("social_security_card::another_program_at_the_card_is_waited_out", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card());
        let context = pcsc::Context::establish(pcsc::Scope::User).unwrap();
        let names = context.list_readers_owned().unwrap();
        let held = context.connect(&names[0], pcsc::ShareMode::Exclusive, pcsc::Protocols::ANY).unwrap();
        let told = desk.reader.read().unwrap_err();
        assert_eq!((told, told.remedy()), (CardError::Busy, Remedy::Retry));
        drop(held);
        assert!(desk.reader.read().is_ok());
    });
}

#[test]
fn opensc_reads_the_virtual_card() {
    with_pcscd("social_security_card::opensc_reads_the_virtual_card", |pcscd| {
        let mut desk = desk(pcscd);
        desk.insert(card());
        let output = Command::new("opensc-tool")
            .args(["--reader", "0", "--atr"])
            .args(["--send-apdu", "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"])
            .args(["--send-apdu", "00B2013414"])
            .output()
            .expect("opensc-tool is installed (Debian package opensc; cargo xtask test installs it)");
        let said = String::from_utf8_lossy(&output.stdout).to_uppercase();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("3B:68:00:00:4B:49:4F:53:4B:53:49:4D"), "{said}{complaints}");
        // The application was found, and the holder's number read: 08 12 and eighteen digits.
        assert!(said.contains("SW1=0X61") || said.contains("SW1=0X90"), "{said}{complaints}");
        assert!(said.contains("08 12 39 39 30 30 30 31"), "{said}{complaints}");
    });
}
