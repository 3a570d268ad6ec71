//! A made-up card as the simulated reader sees it: its chip, and its files byte for byte.

use std::fmt;

use crate::id_card_reader::card::{CardText, MainlandCard};
use crate::id_card_reader::protocol::{TEXT_BYTES, TextError, encode_text};

/// Bytes of the photo file.
const PHOTO_BYTES: usize = 1024;
/// What the photo files of real cards start with.
const PHOTO_HEAD: [u8; 8] = [0x57, 0x4C, 0x66, 0x00, 0x7E, 0x00, 0x32, 0x00];
/// Bytes of an additional address.
const ADDRESS_BYTES: usize = 70;

/// What the reader's security module makes of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chip {
    /// It is accepted.
    Genuine,
    /// It does not know the secret of genuine cards: the security module rejects it (32).
    Forged,
    /// It is not the chip of an identity card at all (40).
    Unknown,
}

/// The files of one card.
#[derive(Clone)]
pub struct CardImage {
    pub(super) chip: Chip,
    pub(super) text: [u8; TEXT_BYTES],
    pub(super) photo: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
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
        CardImage { chip: Chip::Genuine, text, photo, fingerprint: Vec::new(), additional_address: None }
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

    /// The same card with a fingerprint file.
    pub fn with_fingerprint(mut self, file: &[u8]) -> CardImage {
        self.fingerprint = file.to_vec();
        self
    }

    /// A forgery of the card: the same files on a chip that the security module rejects.
    pub fn forged(mut self) -> CardImage {
        self.chip = Chip::Forged;
        self
    }

    /// Some other contactless card: a bank's, a bus pass.
    pub fn unknown_chip() -> CardImage {
        CardImage { chip: Chip::Unknown, ..CardImage::raw([0; TEXT_BYTES], Vec::new()) }
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
