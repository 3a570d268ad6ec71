//! Requests to the reader, their deadlines, and which answers may belong to them.

use std::time::Duration;

use zeroize::Zeroizing;

use super::frame::{Frame, encode_frame};
use super::status::{StatusClass, status};
use super::text_block::TEXT_BYTES;

/// Serial rates that the reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaudRate {
    /// 115200, the rate a reader starts with.
    B115200,
    /// 57600.
    B57600,
    /// 38400.
    B38400,
    /// 19200.
    B19200,
    /// 9600.
    B9600,
}

impl BaudRate {
    /// Every rate, the fastest first; the place of a rate is its parameter in command 60.
    pub const ALL: [BaudRate; 5] =
        [BaudRate::B115200, BaudRate::B57600, BaudRate::B38400, BaudRate::B19200, BaudRate::B9600];

    /// The rate as a number.
    pub fn bits_per_second(self) -> u32 {
        match self {
            BaudRate::B115200 => 115_200,
            BaudRate::B57600 => 57_600,
            BaudRate::B38400 => 38_400,
            BaudRate::B19200 => 19_200,
            BaudRate::B9600 => 9600,
        }
    }
}

/// A command to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Reset the security module.
    ResetSam,
    /// Status of the security module.
    SamStatus,
    /// Identifier of the security module.
    SamId,
    /// Look for a card in the field.
    Find,
    /// Select the found card.
    Select,
    /// Read text and photo.
    ReadTextPhoto,
    /// Read the newest additional address.
    ReadAdditionalAddress,
    /// Read the card management number (one source).
    ReadManagementNumber,
    /// Read text, photo and fingerprint.
    ReadTextPhotoFingerprint,
    /// Set the serial rate.
    SetBaud(BaudRate),
    /// Set the largest RF transfer (one source).
    SetMaxRfBytes(u8),
}

impl Request {
    /// CMD and PARA.
    pub fn code(self) -> (u8, u8) {
        match self {
            Request::ResetSam => (0x10, 0xFF),
            Request::SamStatus => (0x11, 0xFF),
            Request::SamId => (0x12, 0xFF),
            Request::Find => (0x20, 0x01),
            Request::Select => (0x20, 0x02),
            Request::ReadTextPhoto => (0x30, 0x01),
            Request::ReadAdditionalAddress => (0x30, 0x03),
            Request::ReadManagementNumber => (0x30, 0x05),
            Request::ReadTextPhotoFingerprint => (0x30, 0x10),
            Request::SetBaud(rate) => (0x60, rate as u8),
            Request::SetMaxRfBytes(_) => (0x61, 0xFF),
        }
    }

    /// The whole frame, checksum computed.
    pub fn encode(self) -> Zeroizing<Vec<u8>> {
        let (command, parameter) = self.code();
        match self {
            Request::SetMaxRfBytes(bytes) => encode_frame(&[command, parameter, bytes]),
            _ => encode_frame(&[command, parameter]),
        }
    }

    /// The request in a frame, `None` for a command that is not known.
    pub fn from_frame(frame: &Frame) -> Option<Request> {
        match *frame.body() {
            [0x10, 0xFF] => Some(Request::ResetSam),
            [0x11, 0xFF] => Some(Request::SamStatus),
            [0x12, 0xFF] => Some(Request::SamId),
            [0x20, 0x01] => Some(Request::Find),
            [0x20, 0x02] => Some(Request::Select),
            [0x30, 0x01] => Some(Request::ReadTextPhoto),
            [0x30, 0x03] => Some(Request::ReadAdditionalAddress),
            [0x30, 0x05] => Some(Request::ReadManagementNumber),
            [0x30, 0x10] => Some(Request::ReadTextPhotoFingerprint),
            [0x60, rate] => BaudRate::ALL.get(usize::from(rate)).map(|&rate| Request::SetBaud(rate)),
            [0x61, 0xFF, bytes] => Some(Request::SetMaxRfBytes(bytes)),
            _ => None,
        }
    }

    /// Whether the command may be sent again as it is when its answer was damaged. The card's files are given
    /// out once: reading them again needs find and select before it.
    pub fn may_be_repeated(self) -> bool {
        !matches!(self, Request::ReadTextPhoto | Request::ReadTextPhotoFingerprint)
    }

    /// How long the reader may take to answer.
    pub fn deadline(self) -> Duration {
        match self {
            Request::ReadTextPhoto | Request::ReadAdditionalAddress | Request::ReadManagementNumber => {
                Duration::from_secs(3)
            }
            Request::ReadTextPhotoFingerprint => Duration::from_secs(5),
            _ => Duration::from_secs(1),
        }
    }

    /// Whether an answer can be this request's. Answers do not name their request, so a late answer to an
    /// earlier one is told by its shape. A read answer can never pass for the answer to find or select, and
    /// find and select stand before every read: a previous card cannot be taken for the present one.
    pub fn accepts(self, answer: &Frame) -> bool {
        let (code, length) = (answer.sw3(), answer.data().len());
        let class = status(code).class;
        let ours_failed = matches!(
            class,
            StatusClass::Resend | StatusClass::DriverBug | StatusClass::DeviceFault | StatusClass::Unknown
        );
        if length == 0 && ours_failed {
            return true;
        }
        match self {
            Request::Find => (code, length) == (0x9F, 4) || (code, length) == (0x80, 0),
            // The card's 8-byte serial is known from one source only; a reader may leave it out.
            Request::Select if code == 0x90 => length == 8 || length == 0,
            Request::Select => length == 0,
            Request::SamId => (code, length) == (0x90, 16),
            Request::ReadTextPhoto | Request::ReadTextPhotoFingerprint => match code {
                // 37: text and photo are good, the fingerprint is not.
                0x90 | 0x37 if length > 0 => length > TEXT_BYTES,
                0x80 | 0x90 | 0x9F => false,
                _ => length == 0,
            },
            Request::ReadAdditionalAddress if code == 0x90 => length == 70,
            Request::ReadManagementNumber if code == 0x90 => length > 0,
            Request::ReadAdditionalAddress | Request::ReadManagementNumber => length == 0,
            Request::ResetSam | Request::SamStatus | Request::SetBaud(_) | Request::SetMaxRfBytes(_) => {
                length == 0
            }
        }
    }
}
