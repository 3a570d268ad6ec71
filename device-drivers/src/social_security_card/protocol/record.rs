//! A record: tag · length · value, one byte each for the first two (LD/T 32-2015).

use encoding_rs::GBK;

use crate::social_security_card::card::SocialSecurityCard;

/// Why bytes are no record. Names fields, never their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Shorter than its length says.
    #[error("a record is cut off")]
    CutOff,
    /// A field that is not of the form it must have.
    #[error("`{0}` is damaged")]
    Field(&'static str),
}

/// One record of a card, still in the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What the record is.
    pub tag: u8,
    /// Its content.
    pub value: &'a [u8],
}

impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({:02X}, [redacted])", self.tag)
    }
}

impl<'a> Record<'a> {
    /// Splits a record. What a card pads behind it is ignored.
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>, RecordError> {
        let [tag, length, rest @ ..] = bytes else { return Err(RecordError::CutOff) };
        let value = rest.get(..usize::from(*length)).ok_or(RecordError::CutOff)?;
        Ok(Record { tag: *tag, value })
    }

    /// Writes a record; for simulated cards. `None` when the value is too long.
    pub fn encode(tag: u8, value: &[u8]) -> Option<Vec<u8>> {
        Some([&[tag, u8::try_from(value.len()).ok()?], value].concat())
    }

    /// Takes the record's content over. A tag that is of no use here is passed over: versions 2 and 3 insert 姓名拓展.
    pub fn put_into(&self, card: &mut SocialSecurityCard) -> Result<(), RecordError> {
        match self.tag {
            0x01 => digits(self.value, 16, &mut card.card_id),
            0x03 => text("version", self.value, &mut card.version)?,
            0x05 => digits(self.value, 4, &mut card.issued),
            0x06 => digits(self.value, 4, &mut card.valid_until),
            0x07 => text("card number", self.value, &mut card.card_number)?,
            0x08 => number(self.value, &mut card.number)?,
            0x09 => name(self.value, &mut card.name)?,
            0x0A => text("sex", self.value, &mut card.sex)?,
            0x0B => digits(self.value, 1, &mut card.ethnic),
            0x0C => digits(self.value, 3, &mut card.birth_place),
            0x0D => digits(self.value, 4, &mut card.birth),
            _ => {}
        }
        Ok(())
    }
}

/// Two digits a byte (BCD). A card that holds something else there, such as FF for "none", leaves the field empty.
fn digits(value: &[u8], bytes: usize, into: &mut String) {
    into.clear();
    if value.len() != bytes || value.iter().any(|byte| byte >> 4 > 9 || byte & 0x0F > 9) {
        return;
    }
    // Once, so that no copy stays behind from growing.
    into.reserve_exact(2 * bytes);
    for nibble in value.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]) {
        into.push(char::from(b'0' + nibble));
    }
}

/// Printable ASCII, padding taken off.
fn text(field: &'static str, value: &[u8], into: &mut String) -> Result<(), RecordError> {
    let value = unpadded(value);
    if !value.iter().all(|byte| (0x20..0x7F).contains(byte)) {
        return Err(RecordError::Field(field));
    }
    into.clear();
    into.reserve_exact(value.len());
    into.extend(value.iter().map(|byte| char::from(*byte)));
    Ok(())
}

/// 18 digits, the last of which may be X.
fn number(value: &[u8], into: &mut String) -> Result<(), RecordError> {
    let good = value.len() == 18 && value[..17].iter().all(u8::is_ascii_digit);
    if !good || !matches!(value[17], b'0'..=b'9' | b'X' | b'x') {
        return Err(RecordError::Field("number"));
    }
    text("number", value, into)
}

/// GBK, padded with zeros or spaces. A character that cannot be read becomes U+FFFD, as on an identity card.
fn name(value: &[u8], into: &mut String) -> Result<(), RecordError> {
    let value = unpadded(value);
    let mut decoder = GBK.new_decoder_without_bom_handling();
    into.clear();
    into.reserve_exact(decoder.max_utf8_buffer_length(value.len()).unwrap_or(3 * value.len() + 3));
    let _ = decoder.decode_to_string(value, into, true);
    if into.is_empty() || into.contains('\0') { Err(RecordError::Field("name")) } else { Ok(()) }
}

fn unpadded(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !matches!(byte, 0x00 | b' ')).map_or(0, |last| last + 1);
    &value[..end]
}
