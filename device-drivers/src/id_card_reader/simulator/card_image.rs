//! A made-up card as the simulated reader sees it: its files, byte for byte.

use std::fmt;

use crate::id_card_reader::card::{CardText, MainlandCard};
use crate::id_card_reader::protocol::{TEXT_BYTES, TextError, encode_text};

/// Bytes of the photo file.
const PHOTO_BYTES: usize = 1024;
/// What the photo files of real cards start with.
const PHOTO_HEAD: [u8; 8] = [0x57, 0x4C, 0x66, 0x00, 0x7E, 0x00, 0x32, 0x00];
/// Bytes of an additional address.
const ADDRESS_BYTES: usize = 70;

/// The files of one card.
#[derive(Clone)]
pub struct CardImage {
    pub(super) text: [u8; TEXT_BYTES],
    pub(super) photo: Vec<u8>,
    pub(super) additional_address: Option<Vec<u8>>,
}

impl CardImage {
    /// A card of any of the four kinds, with a placeholder for the photo.
    pub fn of(text: &CardText) -> Result<CardImage, TextError> {
        Ok(CardImage::raw(encode_text(text)?, placeholder_photo()))
    }

    /// A mainland resident's card.
    pub fn mainland(card: MainlandCard) -> Result<CardImage, TextError> {
        CardImage::of(&CardText::Mainland(card))
    }

    /// A card with exactly these files.
    pub fn raw(text: [u8; TEXT_BYTES], photo: Vec<u8>) -> CardImage {
        CardImage { text, photo, additional_address: None }
    }

    /// The same card with an additional address.
    pub fn with_additional_address(mut self, address: &str) -> Result<CardImage, TextError> {
        if address.encode_utf16().count() * 2 > ADDRESS_BYTES {
            return Err(TextError::TooLong("additional address"));
        }
        let padding = std::iter::repeat(u16::from(b' '));
        let units = address.encode_utf16().chain(padding).take(ADDRESS_BYTES / 2);
        self.additional_address = Some(units.flat_map(u16::to_le_bytes).collect());
        Ok(self)
    }
}

impl fmt::Debug for CardImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardImage([redacted])")
    }
}

fn placeholder_photo() -> Vec<u8> {
    let mut photo = PHOTO_HEAD.to_vec();
    photo.resize(PHOTO_BYTES, 0);
    photo
}
