//! The reader behind a serial port: find, select, read, with deadlines and recovery from a bad line.
//!
//! The driver never shows half a card, and never one of an earlier read: it drops old input before every
//! command and takes only answers of the shape that the command can have.

use std::path::Path;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::protocol::frame::{Frame, FrameDecoder, FrameError};
use super::protocol::status::{StatusClass, status};
use super::protocol::{ReadAnswer, Request, SamId, TextError, decode_text};
use super::{CardRead, Found, IdCardReader, Photo, ReaderError, Refusal};
use crate::serial_line::SerialLine;
use crate::transport::{LineError, Transport};

/// A line that is quiet for so long in the middle of a frame will not finish it.
const GAP: Duration = Duration::from_millis(200);
/// How long an answer may be followed by another one: the first was then a left-over, the last is ours.
const SETTLE: Duration = Duration::from_millis(2);
/// Times that one command is sent before a damaged exchange counts as failed.
const SENDS: usize = 3;
/// Times that find, select and read are tried for one card.
const ROUNDS: usize = 2;

/// How one exchange of bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exchange {
    Gone,
    /// Nothing at all came.
    Silence,
    /// An answer began and stopped half-way.
    Truncated,
    /// An answer came and was damaged.
    Garbled,
}

impl From<LineError> for Exchange {
    fn from(error: LineError) -> Exchange {
        match error {
            LineError::Gone => Exchange::Gone,
            LineError::Stuck => Exchange::Silence,
        }
    }
}

/// A card reader on a serial port.
pub struct SerialIdCardReader {
    line: SerialLine,
    decoder: FrameDecoder,
    unanswered: u32,
}

impl SerialIdCardReader {
    /// A reader that is opened at its first use; it may be plugged in later.
    pub fn new(port: impl AsRef<Path>, baud: u32) -> SerialIdCardReader {
        SerialIdCardReader {
            line: SerialLine::new(port.as_ref(), baud),
            decoder: FrameDecoder::for_answers(),
            unanswered: 0,
        }
    }

    /// Opens the port now; fails with [`ReaderError::Gone`] when that is not possible.
    pub fn open(port: impl AsRef<Path>, baud: u32) -> Result<SerialIdCardReader, ReaderError> {
        let mut reader = SerialIdCardReader::new(port, baud);
        reader.line.ready().map_err(|_| ReaderError::Gone)?;
        Ok(reader)
    }

    /// Sends a command until it is answered by a whole frame, and counts silence.
    fn transact(&mut self, request: Request) -> Result<Frame, ReaderError> {
        // Only reading text is not sent again as it is: it needs find and select before it.
        let sends = if request == Request::ReadTextPhoto { 1 } else { SENDS };
        let mut failure = ReaderError::Garbled;
        for _ in 0..sends {
            let outcome = self.exchange(request);
            if outcome != Err(Exchange::Silence) && outcome != Err(Exchange::Gone) {
                self.unanswered = 0;
            }
            failure = match outcome {
                Ok(answer) if status(answer.sw3()).class == StatusClass::Resend => ReaderError::Garbled,
                Ok(answer) => return Ok(answer),
                Err(Exchange::Garbled) => ReaderError::Garbled,
                Err(Exchange::Truncated) => ReaderError::CardMoved,
                Err(Exchange::Gone) => return Err(ReaderError::Gone),
                Err(Exchange::Silence) => {
                    self.unanswered = self.unanswered.saturating_add(1);
                    return Err(ReaderError::NoAnswer { in_a_row: self.unanswered });
                }
            };
        }
        Err(failure)
    }

    /// Sends a command once and waits for its answer.
    fn exchange(&mut self, request: Request) -> Result<Frame, Exchange> {
        self.line.ready()?;
        self.decoder.resync();
        let deadline = Instant::now() + request.deadline();
        self.line.write_all(&request.encode(), deadline)?;
        let mut buffer = Zeroizing::new([0u8; 512]);
        let mut answer = None;
        let mut garbled = false;
        let mut last_byte = Instant::now();
        loop {
            let until = if answer.is_some() && !self.decoder.is_mid_frame() {
                last_byte + SETTLE
            } else if garbled || self.decoder.is_mid_frame() {
                deadline.min(last_byte + GAP)
            } else {
                deadline
            };
            let count = self.line.read_some(&mut buffer[..], until)?;
            if count == 0 {
                let half = self.decoder.is_mid_frame();
                self.decoder.resync();
                return match answer {
                    Some(answer) => Ok(answer),
                    None if garbled => Err(Exchange::Garbled),
                    None if half => Err(Exchange::Truncated),
                    None => Err(Exchange::Silence),
                };
            }
            last_byte = Instant::now();
            self.decoder.push(&buffer[..count]);
            while let Some(frame) = self.decoder.next_frame() {
                match frame {
                    Ok(frame) if request.accepts(&frame) => answer = Some(frame),
                    Ok(_) => tracing::debug!(?request, "dropped a left-over answer of the card reader"),
                    Err(_) => garbled = true,
                }
            }
            if Instant::now() >= deadline && answer.is_none() {
                return Err(if garbled { Exchange::Garbled } else { Exchange::Silence });
            }
        }
    }

    /// One round of find, select and read.
    fn read_once(&mut self) -> Result<CardRead, ReaderError> {
        if self.find()? == Found::Nothing {
            return Err(ReaderError::NoCard);
        }
        let selected = self.transact(Request::Select)?;
        check(&selected)?;
        let answer = self.transact(Request::ReadTextPhoto)?;
        check(&answer)?;
        decode_card(&answer)
    }
}

impl IdCardReader for SerialIdCardReader {
    fn find(&mut self) -> Result<Found, ReaderError> {
        let answer = self.transact(Request::Find)?;
        match answer.sw3() {
            0x9F => Ok(Found::Card),
            0x80 => Ok(Found::Nothing),
            _ => Err(check(&answer).err().unwrap_or(ReaderError::Unexpected(answer.sw3()))),
        }
    }

    fn read(&mut self) -> Result<CardRead, ReaderError> {
        let mut failed = None;
        for _ in 0..ROUNDS {
            match self.read_once() {
                Ok(card) => return Ok(card),
                // The card is gone, or the reader holds it for read: what went wrong before is the reason.
                Err(ReaderError::NoCard) => return Err(failed.unwrap_or(ReaderError::NoCard)),
                Err(error) if deserves_another_round(error) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failed.unwrap_or(ReaderError::CardMoved))
    }

    fn sam_id(&mut self) -> Result<SamId, ReaderError> {
        let answer = self.transact(Request::SamId)?;
        check(&answer)?;
        SamId::from_answer(&answer).ok_or(ReaderError::Garbled)
    }

    fn reset(&mut self) -> Result<(), ReaderError> {
        let answer = self.transact(Request::ResetSam)?;
        check(&answer)
    }
}

fn deserves_another_round(error: ReaderError) -> bool {
    matches!(error, ReaderError::CardMoved | ReaderError::Garbled | ReaderError::SamFault(0x31))
}

/// Whether the reader says that the command was done.
fn check(answer: &Frame) -> Result<(), ReaderError> {
    match answer.sw3() {
        0x90 | 0x9F | 0x37 => Ok(()),
        0x80 => Err(ReaderError::NoCard),
        // 47: the random number of the handshake failed; as with a card that moved, another round helps.
        0x41 | 0x47 | 0x81 => Err(ReaderError::CardMoved),
        0x32 => Err(ReaderError::Refused(Refusal::NotGenuine)),
        0x33 => Err(ReaderError::Refused(Refusal::CheckFailed)),
        0x3F => Err(ReaderError::Refused(Refusal::WrongLength)),
        0x40 => Err(ReaderError::NotAnIdCard),
        0x10 | 0x11 => Err(ReaderError::Garbled),
        code @ (0x31 | 0x60 | 0x66) => Err(ReaderError::SamFault(code)),
        code => Err(ReaderError::Unexpected(code)),
    }
}

fn decode_card(answer: &Frame) -> Result<CardRead, ReaderError> {
    let parts = ReadAnswer::from_answer(answer, false).map_err(|_: FrameError| ReaderError::Garbled)?;
    let text = decode_text(parts.text).map_err(|error| match error {
        TextError::UnknownDocument => ReaderError::UnknownDocument,
        TextError::Size | TextError::TooLong(_) => ReaderError::Garbled,
    })?;
    Ok(CardRead { text, photo: Photo::new(parts.photo) })
}
