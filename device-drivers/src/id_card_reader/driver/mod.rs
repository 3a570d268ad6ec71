//! The reader behind any transport: find, select, read, with deadlines and recovery from a bad line.
//!
//! The driver never shows half a card, and never one of an earlier read: it drops old input before every
//! command and takes only answers of the shape that the command can have.

mod exchange;
mod serial;
mod usb;
mod verdict;

pub use serial::SerialIdCardReader;
pub use usb::UsbIdCardReader;

use super::protocol::frame::Frame;
use super::protocol::{ReadAnswer, Request, SamId, TextError, decode_additional_address, decode_text};
use super::{
    AdditionalAddress, CardRead, Extra, Extras, Fingerprint, Found, IdCardReader, Photo, ReaderError,
};
use crate::transport::Transport;
use exchange::Exchanger;
use verdict::check;

/// Times that find, select and read are tried for one card.
const ROUNDS: usize = 2;
/// Reads in a row that fail because a card moved before the security module is reset, where nobody says otherwise.
const RESET_AFTER: u32 = 3;

/// A card reader that speaks the protocol of GA/T 467 (chapter 7, business terminal interface; also known as
/// SDT, SAM_V and SAM_A).
pub struct SamReader<T> {
    exchanger: Exchanger<T>,
    /// Reads in a row that failed because the card moved.
    moved_in_a_row: u32,
    reset_after: Option<u32>,
}

impl<T: Transport> SamReader<T> {
    /// A reader behind this transport, which is opened at its first use.
    pub fn over(transport: T) -> SamReader<T> {
        let exchanger = Exchanger::new(transport);
        SamReader { exchanger, moved_in_a_row: 0, reset_after: Some(RESET_AFTER) }
    }

    /// After how many reads in a row that failed with a moving card the security module is reset; `None` for
    /// never. Some chips are said to hang while the reader's field stays on (one source); whether the reset
    /// brings every reader round is unconfirmed.
    pub fn set_reset_after(&mut self, reads: Option<u32>) {
        self.reset_after = reads;
    }

    /// One round of find, select and read.
    fn read_once(&mut self, extras: Extras) -> Result<CardRead, ReaderError> {
        if self.find()? == Found::Nothing {
            return Err(ReaderError::NoCard);
        }
        let selected = self.exchanger.transact(Request::Select)?;
        check(&selected)?;
        let mut card = self.read_files(extras)?;
        if extras.additional_address {
            card.additional_address = self.additional_address();
        }
        Ok(card)
    }

    fn read_files(&mut self, extras: Extras) -> Result<CardRead, ReaderError> {
        if !extras.fingerprint {
            let answer = self.exchanger.transact(Request::ReadTextPhoto)?;
            check(&answer)?;
            return decode_card(&answer, Request::ReadTextPhoto);
        }
        let answer = self.exchanger.transact(Request::ReadTextPhotoFingerprint)?;
        if answer.sw3() == FINGERPRINT_BAD && answer.data().is_empty() {
            // The reader kept the text back together with the fingerprint.
            let mut card = self.read_once(Extras::default())?;
            card.fingerprint = Extra::Unreadable;
            return Ok(card);
        }
        check(&answer)?;
        decode_card(&answer, Request::ReadTextPhotoFingerprint)
    }

    /// The newest additional address of the card that was just read and is still selected.
    fn additional_address(&mut self) -> Extra<AdditionalAddress> {
        let answer = match self.exchanger.transact(Request::ReadAdditionalAddress) {
            Ok(answer) if answer.sw3() == NO_SUCH_ITEM => return Extra::Absent,
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "no answer about an additional address");
                return Extra::Unreadable;
            }
        };
        decode_additional_address(&answer)
            .map_or(Extra::Unreadable, |text| Extra::Read(AdditionalAddress::new(text)))
    }

    fn read_in_rounds(&mut self, extras: Extras) -> Result<CardRead, ReaderError> {
        let mut failed = None;
        for _ in 0..ROUNDS {
            match self.read_once(extras) {
                Ok(card) => return Ok(card),
                // The card is gone, or the reader holds it for read: what went wrong before is the reason.
                Err(ReaderError::NoCard) => return Err(failed.unwrap_or(ReaderError::NoCard)),
                Err(error) if deserves_another_round(error) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failed.unwrap_or(ReaderError::CardMoved))
    }

    /// Resets the security module when card after card seems to move: then it may be the reader that hangs.
    fn bring_round(&mut self, outcome: &Result<CardRead, ReaderError>) {
        match outcome {
            Err(ReaderError::CardMoved) => self.moved_in_a_row += 1,
            Err(ReaderError::NoCard) => {}
            Ok(_) | Err(_) => self.moved_in_a_row = 0,
        }
        if self.reset_after.is_some_and(|reads| self.moved_in_a_row >= reads) {
            self.moved_in_a_row = 0;
            let reset = self.reset();
            tracing::warn!(?reset, "card after card seemed to move: the card reader was reset");
        }
    }
}

/// 37: text and photo are good, the fingerprint is not.
const FINGERPRINT_BAD: u8 = 0x37;
/// 91: the card has no such item.
const NO_SUCH_ITEM: u8 = 0x91;

impl<T: Transport> IdCardReader for SamReader<T> {
    fn find(&mut self) -> Result<Found, ReaderError> {
        let answer = self.exchanger.transact(Request::Find)?;
        match answer.sw3() {
            0x9F => Ok(Found::Card),
            0x80 => Ok(Found::Nothing),
            code => Err(check(&answer).err().unwrap_or(ReaderError::Unexpected(code))),
        }
    }

    fn read_with(&mut self, extras: Extras) -> Result<CardRead, ReaderError> {
        let outcome = self.read_in_rounds(extras);
        self.bring_round(&outcome);
        outcome
    }

    fn sam_id(&mut self) -> Result<SamId, ReaderError> {
        let answer = self.exchanger.transact(Request::SamId)?;
        check(&answer)?;
        SamId::from_answer(&answer).ok_or(ReaderError::Garbled)
    }

    fn reset(&mut self) -> Result<(), ReaderError> {
        let answer = self.exchanger.transact(Request::ResetSam)?;
        check(&answer)
    }
}

fn deserves_another_round(error: ReaderError) -> bool {
    matches!(error, ReaderError::CardMoved | ReaderError::Garbled | ReaderError::SamFault(0x31))
}

fn decode_card(answer: &Frame, to: Request) -> Result<CardRead, ReaderError> {
    let with_fingerprint = to == Request::ReadTextPhotoFingerprint;
    let parts = ReadAnswer::from_answer(answer, with_fingerprint)
        // The answer without fingerprints is computed, not seen (05 0A): its third length may be missing too.
        .or_else(|error| if with_fingerprint { ReadAnswer::from_answer(answer, false) } else { Err(error) })
        .map_err(|_| ReaderError::Garbled)?;
    let text = decode_text(parts.text).map_err(|error| match error {
        TextError::UnknownDocument => ReaderError::UnknownDocument,
        TextError::Size | TextError::TooLong(_) => ReaderError::Garbled,
    })?;
    let fingerprint = match parts.fingerprint {
        _ if !with_fingerprint => Extra::NotAsked,
        _ if answer.sw3() == FINGERPRINT_BAD => Extra::Unreadable,
        [] => Extra::Absent,
        file => Extra::Read(Fingerprint::new(file)),
    };
    let photo = Photo::new(parts.photo);
    Ok(CardRead { text, photo, fingerprint, additional_address: Extra::NotAsked })
}
