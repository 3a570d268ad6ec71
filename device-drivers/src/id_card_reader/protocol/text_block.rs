//! The card's text block: 256 bytes of UTF-16LE padded with spaces, in one of four layouts.
//!
//! The type mark at offset 248 says which one and is read first. Decoding never fails on a character: a lone
//! surrogate becomes U+FFFD.

use crate::id_card_reader::card::{
    CardText, Foreigner2017Card, Foreigner2023Card, HmtResidenceCard, MainlandCard,
};
use zeroize::Zeroize;

/// Bytes of a text block.
pub const TEXT_BYTES: usize = 256;
/// Where the type mark stands.
const MARK_AT: usize = 248;
/// The English name of the 2023 layout lies in two places: characters 1–35 and 36–46.
const ENGLISH_FIRST: (usize, usize) = (52, 70);
const ENGLISH_SECOND: (usize, usize) = (220, 22);

/// Why a block is no text of a card, or a card does not fit a block. Names fields, never their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not 256 bytes.
    #[error("a text block has 256 bytes")]
    Size,
    /// A type mark that stands for none of the four layouts.
    #[error("unknown document type")]
    UnknownDocument,
    /// A field is too long for its place.
    #[error("`{0}` is too long for the card")]
    TooLong(&'static str),
}

/// Reads a text block.
pub fn decode_text(block: &[u8]) -> Result<CardText, TextError> {
    let block: &[u8; TEXT_BYTES] = block.try_into().map_err(|_| TextError::Size)?;
    let text = |at, bytes| field(block, at, bytes);
    match u16::from_le_bytes([block[MARK_AT], block[MARK_AT + 1]]) {
        0x0020 => Ok(CardText::Mainland(MainlandCard {
            name: text(0, 30),
            sex: text(30, 2),
            ethnic: text(32, 4),
            birth: text(36, 16),
            address: text(52, 70),
            number: text(122, 36),
            issuer: text(158, 30),
            valid_from: text(188, 16),
            valid_to: text(204, 16),
        })),
        0x004A => Ok(CardText::HmtResidence(HmtResidenceCard {
            name: text(0, 30),
            sex: text(30, 2),
            birth: text(36, 16),
            address: text(52, 70),
            number: text(122, 36),
            issuer: text(158, 30),
            valid_from: text(188, 16),
            valid_to: text(204, 16),
            travel_permit_number: text(220, 18),
            issue_count: text(238, 4),
        })),
        0x0049 => Ok(CardText::Foreigner2017(Foreigner2017Card {
            english_name: text(0, 120),
            sex: text(120, 2),
            number: text(122, 30),
            nationality: text(152, 6),
            chinese_name: text(158, 30),
            issue_date: text(188, 16),
            expiry_date: text(204, 16),
            birth: text(220, 16),
            card_version: text(236, 4),
            authority_code: text(240, 8),
        })),
        0x0059 => Ok(CardText::Foreigner2023(Foreigner2023Card {
            chinese_name: text(0, 30),
            sex: text(30, 2),
            renewal_count: text(32, 4),
            birth: text(36, 16),
            english_name: english_name(block),
            number: text(122, 36),
            valid_from: text(188, 16),
            valid_to: text(204, 16),
            nationality: text(242, 6),
            previous_number_link: text(250, 6),
        })),
        _ => Err(TextError::UnknownDocument),
    }
}

/// Writes a card as a text block; for simulated cards.
pub fn encode_text(card: &CardText) -> Result<[u8; TEXT_BYTES], TextError> {
    let mut block = Block::blank();
    match card {
        CardText::Mainland(card) => {
            block.put("name", &card.name, 0, 30)?;
            block.put("sex", &card.sex, 30, 2)?;
            block.put("ethnic", &card.ethnic, 32, 4)?;
            block.put("birth", &card.birth, 36, 16)?;
            block.put("address", &card.address, 52, 70)?;
            block.put("number", &card.number, 122, 36)?;
            block.put("issuer", &card.issuer, 158, 30)?;
            block.put("valid_from", &card.valid_from, 188, 16)?;
            block.put("valid_to", &card.valid_to, 204, 16)?;
        }
        CardText::HmtResidence(card) => {
            block.put("name", &card.name, 0, 30)?;
            block.put("sex", &card.sex, 30, 2)?;
            block.put("birth", &card.birth, 36, 16)?;
            block.put("address", &card.address, 52, 70)?;
            block.put("number", &card.number, 122, 36)?;
            block.put("issuer", &card.issuer, 158, 30)?;
            block.put("valid_from", &card.valid_from, 188, 16)?;
            block.put("valid_to", &card.valid_to, 204, 16)?;
            block.put("travel_permit_number", &card.travel_permit_number, 220, 18)?;
            block.put("issue_count", &card.issue_count, 238, 4)?;
            block.put("type mark", "J", MARK_AT, 2)?;
        }
        CardText::Foreigner2017(card) => {
            block.put("english_name", &card.english_name, 0, 120)?;
            block.put("sex", &card.sex, 120, 2)?;
            block.put("number", &card.number, 122, 30)?;
            block.put("nationality", &card.nationality, 152, 6)?;
            block.put("chinese_name", &card.chinese_name, 158, 30)?;
            block.put("issue_date", &card.issue_date, 188, 16)?;
            block.put("expiry_date", &card.expiry_date, 204, 16)?;
            block.put("birth", &card.birth, 220, 16)?;
            block.put("card_version", &card.card_version, 236, 4)?;
            block.put("authority_code", &card.authority_code, 240, 8)?;
            block.put("type mark", "I", MARK_AT, 2)?;
        }
        CardText::Foreigner2023(card) => {
            block.put("chinese_name", &card.chinese_name, 0, 30)?;
            block.put("sex", &card.sex, 30, 2)?;
            block.put("renewal_count", &card.renewal_count, 32, 4)?;
            block.put("birth", &card.birth, 36, 16)?;
            block.put_english_name(&card.english_name)?;
            block.put("number", &card.number, 122, 36)?;
            block.put("valid_from", &card.valid_from, 188, 16)?;
            block.put("valid_to", &card.valid_to, 204, 16)?;
            block.put("nationality", &card.nationality, 242, 6)?;
            block.put("type mark", "Y", MARK_AT, 2)?;
            block.put("previous_number_link", &card.previous_number_link, 250, 6)?;
        }
    }
    Ok(block.0)
}

/// The characters of `bytes` bytes at `at`, without the padding.
pub(crate) fn field(block: &[u8], at: usize, bytes: usize) -> String {
    let mut text = String::new();
    append(&mut text, &block[at..at + bytes]);
    trim(&mut text);
    text
}

/// Joins the two parts before trimming, so that a space at the joint stays.
fn english_name(block: &[u8; TEXT_BYTES]) -> String {
    let mut units = [0u8; ENGLISH_FIRST.1 + ENGLISH_SECOND.1];
    units[..ENGLISH_FIRST.1].copy_from_slice(&block[ENGLISH_FIRST.0..ENGLISH_FIRST.0 + ENGLISH_FIRST.1]);
    units[ENGLISH_FIRST.1..].copy_from_slice(&block[ENGLISH_SECOND.0..ENGLISH_SECOND.0 + ENGLISH_SECOND.1]);
    let name = field(&units, 0, units.len());
    units.zeroize();
    name
}

fn append(text: &mut String, bytes: &[u8]) {
    // Three bytes of UTF-8 hold any UTF-16 unit: no growing, so no copy of the name stays behind.
    text.reserve_exact(bytes.len() / 2 * 3);
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// Takes the padding off the end: spaces by the standard, zeros on some cards.
fn trim(text: &mut String) {
    let end = text.trim_end_matches([' ', '\0']).len();
    text.truncate(end);
}

struct Block([u8; TEXT_BYTES]);

impl Block {
    fn blank() -> Block {
        let mut bytes = [0; TEXT_BYTES];
        bytes.iter_mut().step_by(2).for_each(|low| *low = b' ');
        Block(bytes)
    }

    fn put(&mut self, name: &'static str, text: &str, at: usize, bytes: usize) -> Result<(), TextError> {
        if text.encode_utf16().count() * 2 > bytes {
            return Err(TextError::TooLong(name));
        }
        for (place, unit) in self.0[at..at + bytes].chunks_exact_mut(2).zip(text.encode_utf16()) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
        Ok(())
    }

    fn put_english_name(&mut self, name: &str) -> Result<(), TextError> {
        let (first, second) = (ENGLISH_FIRST.1 / 2, ENGLISH_SECOND.1 / 2);
        if name.encode_utf16().count() > first + second {
            return Err(TextError::TooLong("english_name"));
        }
        let places =
            (0..first).map(|i| ENGLISH_FIRST.0 + 2 * i).chain((0..second).map(|i| ENGLISH_SECOND.0 + 2 * i));
        for (at, unit) in places.zip(name.encode_utf16()) {
            self.0[at..at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        Ok(())
    }
}
