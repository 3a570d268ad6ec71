//! A made-up social-security card: its files, byte for byte, and how it answers commands.

use std::fmt;

use encoding_rs::GBK;
use zeroize::Zeroizing;

use crate::social_security_card::SocialSecurityCard;
use crate::social_security_card::protocol::apdu::SELECT_APPLICATION;
use crate::social_security_card::protocol::{CardFile, Record};

/// Answer to reset: T=0, eight historical bytes that belong to no real card.
const ATR: [u8; 12] = [0x3B, 0x68, 0x00, 0x00, b'K', b'I', b'O', b'S', b'K', b'S', b'I', b'M'];

/// No answer to reset that a card would give: what is left of one on contacts that are not a chip's.
const NO_ATR: [u8; 2] = [0x00, 0x00];

/// How a card wants to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardManners {
    /// Whether it answers as T=0 cards do: `6C xx` to a wrong length, `61 xx` instead of data after SELECT.
    pub by_pieces: bool,
    /// Whether it knows short file identifiers.
    pub short_ids: bool,
    /// The P1 that it wants in SELECT by file identifier.
    pub select_p1: u8,
    /// Whether the holder's file is locked (69 82).
    pub locked: bool,
    /// Whether the holder's file is hidden (6A 82).
    pub hidden: bool,
}

impl Default for CardManners {
    fn default() -> CardManners {
        CardManners { by_pieces: true, short_ids: true, select_p1: 0x02, locked: false, hidden: false }
    }
}

/// One card.
#[derive(Clone)]
pub struct VirtualCard {
    manners: CardManners,
    atr: &'static [u8],
    /// What SELECT by name finds; `None` for a card of another kind.
    application: Option<Vec<u8>>,
    issuer: Vec<Vec<u8>>,
    holder: Vec<Vec<u8>>,
    selected: bool,
    file: Option<CardFile>,
    waiting: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VirtualCard([redacted])")
    }
}

/// Why a card cannot be made. Names fields, never their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not fit a card")]
pub struct Unfit(pub &'static str);

/// Somebody who was made up, of the area 990001, with a card of this version (`1.00`, `2.00`, `3.00`).
pub fn made_up_person(version: &str) -> SocialSecurityCard {
    let mut card = SocialSecurityCard::default();
    (card.number, card.name) = ("990001199001011008".into(), "测试样本".into());
    (card.sex, card.ethnic, card.birth_place) = ("2".into(), "01".into(), "990001".into());
    (card.birth, card.card_id) = ("19900101".into(), "99000100000000000000000000000001".into());
    (card.version, card.issued, card.valid_until) = (version.into(), "20200101".into(), "20300101".into());
    card.card_number = "ZZ0000001".into();
    card
}

impl VirtualCard {
    /// A card with these records, as version 1 (1.00) or as 2 and 3 order them.
    pub fn of(card: &SocialSecurityCard) -> Result<VirtualCard, Unfit> {
        let record = |tag, value: &[u8]| Record::encode(tag, value).ok_or(Unfit("record"));
        let issuer = vec![
            record(0x01, &bcd("card_id", &card.card_id, 16)?)?,
            record(0x02, b"1")?,
            record(0x03, card.version.as_bytes())?,
            record(0x04, &[0x99; 12])?,
            record(0x05, &bcd("issued", &card.issued, 4)?)?,
            record(0x06, &bcd("valid_until", &card.valid_until, 4)?)?,
            record(0x07, card.card_number.as_bytes())?,
        ];
        let (name, _, unmappable) = GBK.encode(&card.name);
        if unmappable || name.len() > 30 {
            return Err(Unfit("name"));
        }
        let mut padded = [0; 30];
        padded[..name.len()].copy_from_slice(&name);
        let mut holder = vec![record(0x08, card.number.as_bytes())?, record(0x09, &padded)?];
        if card.version != "1.00" {
            // 姓名拓展: its tag is not public; any that is not one of the known will do.
            holder.push(record(0x4E, &[0; 20])?);
        }
        holder.push(record(0x0A, card.sex.as_bytes())?);
        holder.push(record(0x0B, &bcd("ethnic", &card.ethnic, 1)?)?);
        holder.push(record(0x0C, &bcd("birth_place", &card.birth_place, 3)?)?);
        holder.push(record(0x0D, &bcd("birth", &card.birth, 4)?)?);
        let application = Some(vec![0x6F, 0x02, 0x84, 0x00]);
        let manners = CardManners::default();
        let waiting = Zeroizing::default();
        Ok(VirtualCard {
            manners,
            atr: &ATR,
            application,
            issuer,
            holder,
            selected: false,
            file: None,
            waiting,
        })
    }

    /// A card of another kind: a bank card, a transport card.
    pub fn of_another_kind() -> VirtualCard {
        VirtualCard {
            manners: CardManners::default(),
            atr: &ATR,
            application: None,
            issuer: Vec::new(),
            holder: Vec::new(),
            selected: false,
            file: None,
            waiting: Zeroizing::default(),
        }
    }

    /// The same card with other manners.
    pub fn with_manners(self, manners: CardManners) -> VirtualCard {
        VirtualCard { manners, ..self }
    }

    /// The same card put in the wrong way round: it is in, and cannot be spoken to.
    pub fn turned_round(self) -> VirtualCard {
        VirtualCard { atr: &NO_ATR, ..self }
    }

    /// The same card with another record in a file, counted from 1.
    pub fn with_record(mut self, file: CardFile, number: usize, record: Vec<u8>) -> VirtualCard {
        let records = match file {
            CardFile::Issuer => &mut self.issuer,
            CardFile::Holder => &mut self.holder,
        };
        if let Some(place) = number.checked_sub(1).and_then(|at| records.get_mut(at)) {
            *place = record;
        }
        self
    }

    /// The answer to reset.
    pub fn atr(&self) -> &'static [u8] {
        self.atr
    }

    /// The card gets power, or loses it.
    pub fn reset(&mut self) {
        self.selected = false;
        self.file = None;
        self.waiting = Zeroizing::default();
    }

    /// Answers one command, status word included.
    pub fn answer(&mut self, command: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut answer = Zeroizing::new(Vec::with_capacity(260));
        let status = self.execute(command, &mut answer);
        answer.extend_from_slice(&status.to_be_bytes());
        answer
    }

    fn execute(&mut self, command: &[u8], data: &mut Vec<u8>) -> u16 {
        match *command {
            [0x00, 0xA4, 0x04, 0x00, ..] => self.select_application(command, data),
            [0x00, 0xA4, p1, 0x00, 0x02, high, low] if self.selected => self.select_file(p1, [high, low]),
            [0x00, 0xA4, ..] => 0x6A82,
            [0x00, 0xB2, record, p2, length] => self.read_record(record, p2, length, data),
            [0x00, 0xC0, 0x00, 0x00, length] => self.fetch(length, data),
            [0x00, ..] => 0x6D00,
            _ => 0x6E00,
        }
    }

    fn select_application(&mut self, command: &[u8], data: &mut Vec<u8>) -> u16 {
        self.reset();
        let Some(information) = self.application.clone().filter(|_| command == SELECT_APPLICATION) else {
            return 0x6A82;
        };
        self.selected = true;
        self.give(information, data)
    }

    fn select_file(&mut self, p1: u8, id: [u8; 2]) -> u16 {
        let file = [CardFile::Issuer, CardFile::Holder].into_iter().find(|file| file.id() == id);
        match file {
            _ if p1 != self.manners.select_p1 => 0x6A86,
            Some(CardFile::Holder) if self.manners.hidden => 0x6A82,
            None => 0x6A82,
            Some(file) => {
                self.file = Some(file);
                0x9000
            }
        }
    }

    fn read_record(&mut self, record: u8, p2: u8, length: u8, data: &mut Vec<u8>) -> u16 {
        if !self.selected || p2 & 0x07 != 0x04 {
            return 0x6A86;
        }
        let file = match p2 >> 3 {
            0 => self.file,
            _ if !self.manners.short_ids => return 0x6A86,
            5 => Some(CardFile::Issuer),
            6 => Some(CardFile::Holder),
            _ => None,
        };
        let records = match file {
            None => return 0x6A82,
            Some(CardFile::Holder) if self.manners.hidden => return 0x6A82,
            Some(CardFile::Holder) if self.manners.locked => return 0x6982,
            Some(CardFile::Holder) => &self.holder,
            Some(CardFile::Issuer) => &self.issuer,
        };
        let Some(content) = usize::from(record).checked_sub(1).and_then(|at| records.get(at)) else {
            return 0x6A83;
        };
        if self.manners.by_pieces && usize::from(length) != content.len() {
            // A record of 256 bytes is said as 00.
            return 0x6C00 | u16::from(content.len() as u8);
        }
        data.extend_from_slice(content);
        0x9000
    }

    fn give(&mut self, content: Vec<u8>, data: &mut Vec<u8>) -> u16 {
        if !self.manners.by_pieces {
            data.extend_from_slice(&content);
            return 0x9000;
        }
        let length = content.len() as u8;
        self.waiting = Zeroizing::new(content);
        0x6100 | u16::from(length)
    }

    fn fetch(&mut self, length: u8, data: &mut Vec<u8>) -> u16 {
        let waiting = std::mem::take(&mut self.waiting);
        match waiting.len() {
            0 => 0x6985,
            there if there != usize::from(length) => {
                self.waiting = waiting;
                0x6C00 | there as u16
            }
            _ => {
                data.extend_from_slice(&waiting);
                0x9000
            }
        }
    }
}

fn bcd(field: &'static str, digits: &str, bytes: usize) -> Result<Vec<u8>, Unfit> {
    let digits = digits.as_bytes();
    if digits.len() != 2 * bytes || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Unfit(field));
    }
    Ok(digits.chunks_exact(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect())
}
