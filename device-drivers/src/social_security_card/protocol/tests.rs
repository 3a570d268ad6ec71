//! Commands and records by their public facts, and a whole reading against a card in memory.

use super::apdu::{self, CardFile};
use super::conversation::MAX_ANSWER;
use super::*;
use crate::social_security_card::simulator::{CardManners, VirtualCard, made_up_person as person};
use crate::social_security_card::{SocialSecurityCard, SocialSecurityCardError as CardError};
use crate::vectors::hex;

/// A card on the table: no reader, no line.
pub(super) struct OnTheTable {
    pub card: VirtualCard,
    pub commands: Vec<Vec<u8>>,
}

impl OnTheTable {
    pub(super) fn new(card: VirtualCard) -> OnTheTable {
        OnTheTable { card, commands: Vec::new() }
    }
}

impl CardChannel for OnTheTable {
    fn transmit(&mut self, command: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        self.commands.push(command.to_vec());
        let said = self.card.answer(command);
        answer[..said.len()].copy_from_slice(&said);
        Ok(said.len())
    }
}

fn read(card: VirtualCard) -> Result<SocialSecurityCard, CardError> {
    read_card(&mut OnTheTable::new(card))
}

#[test]
fn commands_are_the_public_ones() {
    assert_eq!(SELECT_APPLICATION[..], hex("00A404000F 7378312E73682E C9E7BBE1B1A3D5CF"));
    let (name, _, damaged) = encoding_rs::GBK.decode(&SELECT_APPLICATION[12..]);
    assert!(name == "社会保障" && !damaged);
    assert_eq!(apdu::read_record(Some(CardFile::Issuer), 1)[..], hex("00B2012C00"));
    assert_eq!(apdu::read_record(Some(CardFile::Holder), 2)[..], hex("00B2023400"));
    assert_eq!(apdu::read_record(None, 3)[..], hex("00B2030400"));
    assert_eq!(apdu::select_file(2, CardFile::Issuer)[..], hex("00A4020002EF05"));
    assert_eq!(apdu::select_file(0, CardFile::Holder)[..], hex("00A4000002EF06"));
    assert_eq!(apdu::get_response(0x12)[..], hex("00C0000012"));
    assert_eq!(apdu::split_answer(&hex("0801319000")), Some((&hex("080131")[..], [0x90, 0x00])));
    assert_eq!(apdu::split_answer(&hex("6A82")), Some((&[][..], [0x6A, 0x82])));
    for cut in ["", "90", "6000", "5A82", "08123939", "A000"] {
        assert_eq!(apdu::split_answer(&hex(cut)), None, "{cut}");
    }
}

#[test]
fn a_card_of_each_version_is_read_whatever_its_manners() {
    for version in ["1.00", "2.00", "3.00"] {
        for by_pieces in [true, false] {
            for (short_ids, select_p1) in [(true, 2), (false, 2), (false, 0)] {
                let manners = CardManners { by_pieces, short_ids, select_p1, ..CardManners::default() };
                let card = VirtualCard::of(&person(version)).unwrap().with_manners(manners);
                assert!(read(card) == Ok(person(version)), "{version} {manners:?}");
            }
        }
    }
}

#[test]
fn a_card_is_never_asked_for_a_pin_a_key_or_its_bank_side() {
    let mut table = OnTheTable::new(VirtualCard::of(&person("3.00")).unwrap());
    read_card(&mut table).unwrap();
    for command in &table.commands {
        assert!(matches!(command[1], 0xA4 | 0xB2 | 0xC0), "{:02X}", command[1]);
        assert!(command[1] != 0xA4 || !command.windows(5).any(|part| part == hex("A000000333")));
    }
}

#[test]
fn a_card_that_shows_its_holder_only_to_keys_says_so() {
    for manners in [
        CardManners { locked: true, ..CardManners::default() },
        CardManners { hidden: true, ..CardManners::default() },
        CardManners { hidden: true, short_ids: false, ..CardManners::default() },
    ] {
        let card = VirtualCard::of(&person("3.00")).unwrap().with_manners(manners);
        assert_eq!(read(card).unwrap_err(), CardError::Locked, "{manners:?}");
    }
}

/// Answers everything with this status word.
struct Says(u16);

impl CardChannel for Says {
    fn transmit(&mut self, _: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        answer[..2].copy_from_slice(&self.0.to_be_bytes());
        Ok(2)
    }
}

#[test]
fn a_card_of_another_kind_is_told_from_one_that_refuses() {
    assert_eq!(read(VirtualCard::of_another_kind()).unwrap_err(), CardError::NotASocialSecurityCard);
    for status in [0x6A82, 0x6A81, 0x6A86, 0x6B00, 0x6D00, 0x6E00, 0x6700, 0x6999] {
        let told = read_card(&mut Says(status)).unwrap_err();
        assert_eq!(told, CardError::NotASocialSecurityCard, "{status:04X}");
    }
    for status in [0x6283, 0x6581, 0x6F00, 0x6300] {
        assert_eq!(read_card(&mut Says(status)).unwrap_err(), CardError::Refused(status), "{status:04X}");
    }
    for status in [0x6982, 0x6985] {
        assert_eq!(read_card(&mut Says(status)).unwrap_err(), CardError::Locked, "{status:04X}");
    }
}

#[test]
fn damaged_records_are_refused_and_what_does_not_matter_is_left_empty() {
    let with = |file, number, record: Vec<u8>| {
        read(VirtualCard::of(&person("2.00")).unwrap().with_record(file, number, record))
    };
    for (file, number, record) in [
        (CardFile::Holder, 1, hex("08")),
        (CardFile::Holder, 1, hex("0812313233")),
        (CardFile::Holder, 1, [&[8, 18][..], b"99000119900101100?"].concat()),
        (CardFile::Holder, 1, [&[8, 17][..], b"99000119900101100"].concat()),
        (CardFile::Holder, 2, [&[9, 30][..], &[0; 30]].concat()),
        (CardFile::Holder, 2, hex("4E00")),
        (CardFile::Issuer, 3, hex("0304FFFFFFFF")),
        (CardFile::Issuer, 7, hex("0709")),
    ] {
        assert_eq!(with(file, number, record.clone()).unwrap_err(), CardError::Damaged, "{record:02X?}");
    }
    let forever = with(CardFile::Issuer, 6, hex("0604FFFFFFFF")).unwrap();
    assert!(forever.valid_until.is_empty() && forever.name == "测试样本");
    let padded = with(CardFile::Issuer, 3, [&hex("0304")[..], b"2.00", &[0xFF; 8]].concat()).unwrap();
    assert_eq!(padded.version, "2.00");
}

#[test]
fn names_are_gbk_and_an_unreadable_character_does_not_cost_the_name() {
    let name = |bytes: &[u8]| {
        let record = Record::encode(9, bytes).unwrap();
        let mut card = SocialSecurityCard::default();
        Record::decode(&record)?.put_into(&mut card).map(|()| card.name.clone())
    };
    // 镕 is in GBK and not in GB 2312; the four bytes are 𬱖 in GB 18030.
    assert_eq!(name(&hex("B2E2 E946 D1F9 0000")), Ok("测镕样".into()));
    assert_eq!(name(&hex("D5C5 9933 C336")), Ok("张𬱖".into()));
    assert_eq!(name(&hex("D5C5 FF")), Ok("张\u{FFFD}".into()));
    assert_eq!(name(&[]), Err(RecordError::Field("name")));
    assert_eq!(name(&[b'A', 0, b'B']), Err(RecordError::Field("name")));
}

#[test]
fn nothing_of_a_card_is_shown_in_debug() {
    let card = VirtualCard::of(&person("1.00")).unwrap();
    assert_eq!(
        format!("{:?} {card:?}", person("1.00")),
        "SocialSecurityCard([redacted]) VirtualCard([redacted])"
    );
    assert_eq!(format!("{:?}", Record { tag: 9, value: b"x" }), "Record(09, [redacted])");
}
