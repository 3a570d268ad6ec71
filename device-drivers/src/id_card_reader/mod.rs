//! Second-generation resident ID card reader: the trait that the kiosk sees, and its errors.
//!
//! [`protocol`] is pure bytes (GA/T 467 frames and the card's text block), [`driver`] speaks it over a serial port
//! or USB bulk pipes, [`simulator`] answers it over both. Absent: a decoder of the photo ([`photo`] has
//! the place for one, [`vendor_photo`] asks a maker's), matching of fingerprints, readers with other framing (HID
//! reports, PC/SC pages, private frames).

pub mod card;
pub mod card_read;
pub mod driver;
pub mod four_pipes;
pub mod photo;
pub mod protocol;
pub mod simulator;
pub mod vendor_photo;

pub use card::{CardText, Foreigner2017Card, Foreigner2023Card, HmtResidenceCard, MainlandCard};
pub use card_read::{AdditionalAddress, CardRead, Extra, Extras, Fingerprint};
pub use driver::{SamReader, SerialIdCardReader, UsbIdCardReader};
pub use four_pipes::{FourPipes, PipeLayout};
pub use photo::{NoPhotoDecoder, Photo, PhotoDecoder, PhotoError, Portrait};
pub use protocol::answer::SamId;
pub use vendor_photo::VendorPhotoDecoder;

use crate::remedy::{Fault, Hint, Remedy};

/// Unanswered calls in a row from which the reader counts as silent.
pub const SILENT_AFTER: u32 = 3;

/// A reader of identity cards. Every call blocks, with a deadline of its own.
pub trait IdCardReader: Send {
    /// Looks for a card once. A card that was read and left in place is *not* found again.
    fn find(&mut self) -> Result<Found, ReaderError>;
    /// Finds, selects and reads the card: text and photo. Either a whole card comes back or none.
    fn read(&mut self) -> Result<CardRead, ReaderError> {
        self.read_with(Extras::default())
    }
    /// As [`IdCardReader::read`], and what else is asked for. What fails of that is said in its place in the
    /// [`CardRead`] and spoils nothing: a reader gives a card's text out once.
    fn read_with(&mut self, extras: Extras) -> Result<CardRead, ReaderError>;
    /// The number of the reader's security module.
    fn sam_id(&mut self) -> Result<SamId, ReaderError>;
    /// Resets the security module. Whether a card that was left in place is found again afterwards differs from
    /// reader to reader (unconfirmed).
    fn reset(&mut self) -> Result<(), ReaderError>;
}

/// What [`IdCardReader::find`] saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A card that has not been read yet lies on the reader.
    Card,
    /// No card, or the one that was read already: this is no proof that a card was taken away.
    Nothing,
}

/// Why the reader refused a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 32: the security module does not accept the card as genuine.
    NotGenuine,
    /// 33: the card's information failed its check.
    CheckFailed,
    /// 3F: the card's information has a wrong length.
    WrongLength,
}

/// Why a call to the reader failed. Carries no field of any card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// The port is missing, cannot be opened, or was hung up. The next call tries to open it again.
    #[error("the card reader is not connected")]
    Gone,
    /// No card was found.
    #[error("no card on the reader")]
    NoCard,
    /// The card moved or was pulled while it was read.
    #[error("the card moved while it was read")]
    CardMoved,
    /// The answer was damaged on the line.
    #[error("the reader's answer was damaged")]
    Garbled,
    /// The reader refuses the card.
    #[error("the reader refuses the card: {0:?}")]
    Refused(Refusal),
    /// The thing on the reader is not an identity card.
    #[error("not an identity card")]
    NotAnIdCard,
    /// The card's type mark is none of the four known layouts.
    #[error("an identity card of an unknown kind")]
    UnknownDocument,
    /// No answer within the deadline.
    #[error("the card reader did not answer ({in_a_row} in a row)")]
    NoAnswer {
        /// Calls in a row that were not answered, this one included.
        in_a_row: u32,
    },
    /// The security module reports a fault (31, 60, 66).
    #[error("the card reader reports fault {0:02X}")]
    SamFault(u8),
    /// A status that does not fit the command.
    #[error("the card reader answered {0:02X} out of turn")]
    Unexpected(u8),
}

impl ReaderError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ReaderError::Gone => Remedy::CallOperator(Fault::ReaderGone),
            ReaderError::NoCard => Remedy::AskCitizen(Hint::LayCard),
            ReaderError::CardMoved => Remedy::AskCitizen(Hint::HoldCardStill),
            ReaderError::Garbled => Remedy::AskCitizen(Hint::LayCardAgain),
            ReaderError::Refused(_) => Remedy::AskCitizen(Hint::CardRefused),
            ReaderError::NotAnIdCard => Remedy::AskCitizen(Hint::NotAnIdCard),
            ReaderError::UnknownDocument => Remedy::AskCitizen(Hint::UnknownDocument),
            ReaderError::NoAnswer { in_a_row } if *in_a_row < SILENT_AFTER => Remedy::Retry,
            ReaderError::NoAnswer { .. } => Remedy::CallOperator(Fault::ReaderSilent),
            ReaderError::SamFault(_) | ReaderError::Unexpected(_) => Remedy::CallOperator(Fault::ReaderFault),
        }
    }
}
