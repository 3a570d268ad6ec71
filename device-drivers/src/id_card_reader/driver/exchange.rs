//! One command and its answer: sent, waited for, told apart from left-overs, sent again when the line was bad.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::id_card_reader::ReaderError;
use crate::id_card_reader::protocol::Request;
use crate::id_card_reader::protocol::frame::{Frame, FrameDecoder};
use crate::id_card_reader::protocol::status::{StatusClass, status};
use crate::transport::{LineError, Transport};

/// A line that is quiet for so long in the middle of a frame will not finish it.
const GAP: Duration = Duration::from_millis(200);
/// How long an answer may be followed by another one: the first was then a left-over, the last is ours.
const SETTLE: Duration = Duration::from_millis(2);
/// Times that one command is sent before a damaged exchange counts as failed.
const SENDS: usize = 3;

/// How one exchange of bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Gone,
    /// Nothing at all came.
    Silence,
    /// An answer began and stopped half-way.
    Truncated,
    /// An answer came and was damaged.
    Garbled,
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Failure {
        match error {
            LineError::Gone => Failure::Gone,
            LineError::Stuck => Failure::Silence,
        }
    }
}

/// Sends commands over a transport and counts silence.
pub(super) struct Exchanger<T> {
    transport: T,
    decoder: FrameDecoder,
    unanswered: u32,
}

impl<T: Transport> Exchanger<T> {
    pub(super) fn new(transport: T) -> Exchanger<T> {
        Exchanger { transport, decoder: FrameDecoder::for_answers(), unanswered: 0 }
    }

    pub(super) fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Sends a command until it is answered by a whole frame.
    pub(super) fn transact(&mut self, request: Request) -> Result<Frame, ReaderError> {
        let sends = if request.may_be_repeated() { SENDS } else { 1 };
        let mut failure = ReaderError::Garbled;
        for _ in 0..sends {
            let outcome = self.exchange(request, request.deadline());
            if outcome != Err(Failure::Silence) && outcome != Err(Failure::Gone) {
                self.unanswered = 0;
            }
            failure = match outcome {
                Ok(answer) if status(answer.sw3()).class == StatusClass::Resend => ReaderError::Garbled,
                Ok(answer) => return Ok(answer),
                Err(Failure::Garbled) => ReaderError::Garbled,
                Err(Failure::Truncated) => ReaderError::CardMoved,
                Err(Failure::Gone) => return Err(ReaderError::Gone),
                Err(Failure::Silence) => return Err(self.silence()),
            };
        }
        Err(failure)
    }

    /// Counts a call that was not answered.
    pub(super) fn silence(&mut self) -> ReaderError {
        self.unanswered = self.unanswered.saturating_add(1);
        ReaderError::NoAnswer { in_a_row: self.unanswered }
    }

    /// Sends a command once and waits for its answer.
    pub(super) fn exchange(&mut self, request: Request, patience: Duration) -> Result<Frame, Failure> {
        self.transport.ready()?;
        self.decoder.resync();
        let deadline = Instant::now() + patience;
        self.transport.write_all(&request.encode(), deadline)?;
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
            let count = self.transport.read_some(&mut buffer[..], until)?;
            if count == 0 {
                let half = self.decoder.is_mid_frame();
                self.decoder.resync();
                return match answer {
                    Some(answer) => Ok(answer),
                    None if garbled => Err(Failure::Garbled),
                    None if half => Err(Failure::Truncated),
                    None => Err(Failure::Silence),
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
                return Err(if garbled { Failure::Garbled } else { Failure::Silence });
            }
        }
    }
}
