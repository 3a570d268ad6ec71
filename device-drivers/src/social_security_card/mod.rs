//! Social-security card (社会保障卡) in a PC/SC reader: the trait that the kiosk sees, what a card says, its errors.
//!
//! [`protocol`] is pure bytes (APDUs of ISO 7816-4, records of LD/T 32), [`driver`] takes them through `pcscd`,
//! [`simulator`] is a card behind the virtual reader `vpcd`. Read is only what every terminal may read: no key, no PSAM,
//! no PIN. A card that keeps its holder's records locked is told apart ([`SocialSecurityCardError::Locked`]); whoever has
//! a PSAM or the city's encryption machine implements [`SocialSecurityCardReader`] with the vendor's library. Absent: the
//! bank side of the card, insurance and employment data, fingerprint and photo, writing.

mod card;
pub mod driver;
pub mod protocol;
pub mod simulator;

pub use card::SocialSecurityCard;
pub use driver::PcscCardReader;

use crate::remedy::{Fault, Hint, Remedy};

/// Unanswered calls in a row from which the reader counts as silent.
pub const SILENT_AFTER: u32 = 3;

/// A reader of social-security cards. Every call blocks, with a deadline of its own.
pub trait SocialSecurityCardReader: Send {
    /// Whether a card of any kind is in the reader. The reader sees removal.
    fn is_card_in(&mut self) -> Result<bool, SocialSecurityCardError>;
    /// Reads the card. Either a whole card comes back or none.
    fn read(&mut self) -> Result<SocialSecurityCard, SocialSecurityCardError>;
}

/// Why a call to the reader failed. Carries nothing of any card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SocialSecurityCardError {
    /// The reader is not plugged in, or `pcscd` does not run. The next call looks again.
    #[error("the social-security card reader is not connected")]
    Gone,
    /// No card is in the reader.
    #[error("no card in the reader")]
    NoCard,
    /// The card was pulled while it was read.
    #[error("the card was pulled while it was read")]
    Pulled,
    /// The card does not answer at all: put in the wrong way round, dirty, or no chip card.
    #[error("the card does not answer")]
    Mute,
    /// An answer or a record of the card is damaged.
    #[error("the card's answer was damaged")]
    Damaged,
    /// The card holds no social-security application.
    #[error("not a social-security card")]
    NotASocialSecurityCard,
    /// The card shows its holder's records only to those who hold a key (PSAM or encryption machine).
    #[error("the card's records are locked")]
    Locked,
    /// The card refuses with this status word (ISO 7816-4 §5.6).
    #[error("the card refuses: {0:04X}")]
    Refused(u16),
    /// Another program is at the card.
    #[error("another program uses the card")]
    Busy,
    /// No answer within the deadline.
    #[error("the social-security card reader did not answer ({in_a_row} in a row)")]
    NoAnswer {
        /// Calls in a row that were not answered, this one included.
        in_a_row: u32,
    },
    /// The reader, or `pcscd`, reports another fault.
    #[error("the social-security card reader reports a fault")]
    Fault,
}

impl SocialSecurityCardError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        use SocialSecurityCardError as E;
        match self {
            E::Busy => Remedy::Retry,
            E::NoAnswer { in_a_row } if *in_a_row < SILENT_AFTER => Remedy::Retry,
            E::NoCard => Remedy::AskCitizen(Hint::LayCard),
            E::Pulled => Remedy::AskCitizen(Hint::HoldCardStill),
            E::Mute | E::Damaged => Remedy::AskCitizen(Hint::LayCardAgain),
            E::NotASocialSecurityCard => Remedy::AskCitizen(Hint::NotASocialSecurityCard),
            E::Locked | E::Refused(_) => Remedy::AskCitizen(Hint::CardLocked),
            E::Gone => Remedy::CallOperator(Fault::SocialSecurityReaderGone),
            E::NoAnswer { .. } => Remedy::CallOperator(Fault::SocialSecurityReaderSilent),
            E::Fault => Remedy::CallOperator(Fault::SocialSecurityReaderFault),
        }
    }
}
