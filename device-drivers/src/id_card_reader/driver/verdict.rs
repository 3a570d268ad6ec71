//! What each status of the reader means for the call that it answers.

use crate::id_card_reader::protocol::Frame;
use crate::id_card_reader::{ReaderError, Refusal};

/// Whether the reader says that the command was done.
pub(super) fn check(answer: &Frame) -> Result<(), ReaderError> {
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
        // 21, 23, 24: our command does not fit; 91: an item without which no card is complete; others: unknown.
        code => Err(ReaderError::Unexpected(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::id_card_reader::protocol::frame::{FrameDecoder, encode_frame};
    use crate::id_card_reader::protocol::status::{STATUSES, StatusClass};
    use crate::{Fault, Hint, Remedy};

    #[test]
    fn every_status_has_its_remedy() {
        let ask = |hint| Some(Remedy::AskCitizen(hint));
        let call = Some(Remedy::CallOperator(Fault::ReaderFault));
        for info in STATUSES {
            let mut decoder = FrameDecoder::for_answers();
            decoder.push(&encode_frame(&[0, 0, info.code]));
            let answer = decoder.next_frame().unwrap().unwrap();
            let remedy = check(&answer).err().map(|error| error.remedy());
            let expected = match info.class {
                StatusClass::Ok | StatusClass::Partial => None,
                StatusClass::Idle => ask(Hint::LayCard),
                StatusClass::Resend => ask(Hint::LayCardAgain),
                StatusClass::Refuse if info.code == 0x40 => ask(Hint::NotAnIdCard),
                StatusClass::Refuse => ask(Hint::CardRefused),
                StatusClass::RetryOnce if info.code == 0x31 => call,
                StatusClass::Retry | StatusClass::RetryOnce => ask(Hint::HoldCardStill),
                StatusClass::OkEmpty
                | StatusClass::DriverBug
                | StatusClass::DeviceFault
                | StatusClass::Unknown => call,
            };
            assert_eq!(remedy, expected, "{:02X} {}", info.code, info.meaning);
        }
    }
}
