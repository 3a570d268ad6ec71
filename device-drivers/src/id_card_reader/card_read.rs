//! What one read of a card brings back: text and photo always, the rest when it was asked for.

use std::fmt;

use zeroize::Zeroizing;

use super::card::CardText;
use super::photo::Photo;

/// A complete read of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRead {
    /// The text block.
    pub text: CardText,
    /// The photo as the chip holds it.
    pub photo: Photo,
    /// The fingerprint file.
    pub fingerprint: Extra<Fingerprint>,
    /// The newest additional address (追加地址), written on the chip when the holder moved.
    pub additional_address: Extra<AdditionalAddress>,
}

/// What is to be read beside text and photo. Data that nobody needs is not read: the default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// The fingerprint file (30 10 in place of 30 01).
    pub fingerprint: bool,
    /// The newest additional address (30 03, after the card itself).
    pub additional_address: bool,
}

/// One thing that a card may hold beside text and photo. Its failure never spoils the card: a reader gives the
/// text out once, so what was read is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extra<T> {
    /// Nobody asked for it.
    NotAsked,
    /// The card has no such item.
    Absent,
    /// It is on the card and could not be read, or failed its check.
    Unreadable,
    /// It was read.
    Read(T),
}

impl<T> Extra<T> {
    /// What was read, if so.
    pub fn read(&self) -> Option<&T> {
        match self {
            Extra::Read(value) => Some(value),
            Extra::NotAsked | Extra::Absent | Extra::Unreadable => None,
        }
    }
}

/// The fingerprint file: on the cards described, two features of 512 bytes. Matching needs a certified module.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(Zeroizing<Vec<u8>>);

impl Fingerprint {
    /// Takes the bytes of the chip's fingerprint file.
    pub fn new(bytes: &[u8]) -> Fingerprint {
        Fingerprint(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes as they were read.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint([redacted])")
    }
}

/// An address of at most 35 UTF-16 units.
#[derive(Clone, PartialEq, Eq)]
pub struct AdditionalAddress(Zeroizing<String>);

impl AdditionalAddress {
    /// Takes the address as it was decoded.
    pub fn new(text: Zeroizing<String>) -> AdditionalAddress {
        AdditionalAddress(text)
    }

    /// The address, without padding.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdditionalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdditionalAddress([redacted])")
    }
}
