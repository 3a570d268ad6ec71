//! The messages inside the frames. Numbers are big-endian; "rest" is whatever the frame's length leaves.
//!
//! | kind | message | body |
//! |---|---|---|
//! | 01 | start | version (2), address space (8), descriptors (4), file size (8), settings (rest) |
//! | 02 | call | verb (4), longest output (4), input (rest) |
//! | 03 | stop | nothing; the host answers by ending |
//! | 81 | started | the library's identity, UTF-8 (rest) |
//! | 82 | done | output (rest) |
//! | 83 | refused | the library's code (4), not 0 |
//! | 84 | unusable | why (1), detail in UTF-8 (rest) |
//! | 85 | misbehaved | how (1); the host ends |

use std::fmt;

use zeroize::Zeroizing;

use super::ProtocolError;
use super::frame::{BODY_BYTES_MAX, Frame, encode_frame};

/// The version that both sides speak.
pub const VERSION: u16 = 1;
/// The longest settings of a library, in bytes.
pub const SETTINGS_BYTES_MAX: usize = 64 * 1024;
/// The longest input of a call, in bytes: verb and length of the output stand before it.
pub const INPUT_BYTES_MAX: usize = BODY_BYTES_MAX - 8;
/// The longest output of a call, in bytes.
pub const OUTPUT_BYTES_MAX: usize = BODY_BYTES_MAX;
/// The longest identity of a library, in bytes.
pub const IDENTITY_BYTES_MAX: usize = 128;
/// The longest detail about a library that cannot be used, in bytes.
pub const DETAIL_BYTES_MAX: usize = 512;

/// What the library's process may take from the machine. Limits cannot be raised again from inside, but by root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space in bytes, program and stack included. 24 MiB was enough for a library of some KiB (measured on
    /// x86-64); 16 MiB was not.
    pub address_space_bytes: u64,
    /// Descriptors open at a time. The loader needs some: at least 16.
    pub descriptors: u32,
    /// The longest file that may be written, in bytes. With 0, any write to a file ends the process (SIGXFSZ): what a
    /// library leaves on disk may be a resident's photo.
    pub file_bytes: u64,
}

impl Default for Limits {
    /// 512 MiB, 64 descriptors, no files.
    fn default() -> Limits {
        Limits { address_space_bytes: 512 << 20, descriptors: 64, file_bytes: 0 }
    }
}

/// What a library answered instead of doing what it was asked (`kiosk_vendor.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 1: it does not know the verb.
    #[error("it does not know the verb")]
    UnknownVerb,
    /// 2: it cannot make anything of the input, or of its settings.
    #[error("it cannot use the input")]
    BadInput,
    /// 3: its answer is longer than the room for it.
    #[error("its answer does not fit")]
    TooSmall,
    /// 4: the device is not connected.
    #[error("its device is not connected")]
    NotConnected,
    /// 5: the device is busy; try again.
    #[error("its device is busy")]
    Busy,
    /// Any other number but 0: the library's own, listed in its shim.
    #[error("its own code {0}")]
    Own(i32),
}

impl Refusal {
    /// What a code means; 0 is no refusal.
    pub fn from_code(code: i32) -> Option<Refusal> {
        match code {
            0 => None,
            1 => Some(Refusal::UnknownVerb),
            2 => Some(Refusal::BadInput),
            3 => Some(Refusal::TooSmall),
            4 => Some(Refusal::NotConnected),
            5 => Some(Refusal::Busy),
            own => Some(Refusal::Own(own)),
        }
    }

    /// The code in `kiosk_vendor.h`.
    pub fn code(self) -> i32 {
        match self {
            Refusal::UnknownVerb => 1,
            Refusal::BadInput => 2,
            Refusal::TooSmall => 3,
            Refusal::NotConnected => 4,
            Refusal::Busy => 5,
            Refusal::Own(code) => code,
        }
    }
}

/// Why a library cannot be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum LoadFault {
    /// The file is missing, is no library of this machine, or needs one that is missing.
    #[error("it cannot be loaded")]
    NotALibrary = 1,
    /// A function of `kiosk_vendor.h` is missing.
    #[error("it lacks a function")]
    MissingFunction = 2,
    /// It was built against another version of `kiosk_vendor.h`.
    #[error("it was built for another interface")]
    OtherAbi = 3,
    /// It does not say its name and version, or not in printable UTF-8.
    #[error("it does not say what it is")]
    BadIdentity = 4,
    /// The host is of another release than the kiosk.
    #[error("device-host is of another release")]
    OtherRelease = 5,
    /// The system did not accept the limits.
    #[error("its process cannot be confined")]
    NotConfined = 6,
}

/// What a library did that it must not, after which its process is not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum Misbehaviour {
    /// It said that its answer is longer than the room it was given.
    #[error("it named a length beyond its room")]
    LengthBeyondRoom = 1,
    /// It wrote behind the room it was given.
    #[error("it wrote beyond its room")]
    WroteBeyondRoom = 2,
}

const LOAD_FAULTS: [LoadFault; 6] = [
    LoadFault::NotALibrary,
    LoadFault::MissingFunction,
    LoadFault::OtherAbi,
    LoadFault::BadIdentity,
    LoadFault::OtherRelease,
    LoadFault::NotConfined,
];
const MISBEHAVIOURS: [Misbehaviour; 2] = [Misbehaviour::LengthBeyondRoom, Misbehaviour::WroteBeyondRoom];

/// What the kiosk asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// The first request: confine yourself, load the library, open it with these settings.
    Start {
        /// [`VERSION`] of the kiosk. Stands first in every version of this message.
        version: u16,
        /// What the process may take.
        limits: Limits,
        /// Handed to the library as it is.
        settings: &'a [u8],
    },
    /// Do one thing.
    Call {
        /// Which, in words that kiosk and library agree on.
        verb: u32,
        /// Room for the answer, in bytes.
        output_bytes_max: u32,
        /// What it is done with.
        input: &'a [u8],
    },
    /// Close the library and end.
    Stop,
}

impl<'a> Request<'a> {
    /// The frame that carries it.
    pub fn encode(&self, ticket: u32) -> Zeroizing<Vec<u8>> {
        match self {
            Request::Start { version, limits, settings } => encode_frame(
                0x01,
                ticket,
                &[
                    &version.to_be_bytes(),
                    &limits.address_space_bytes.to_be_bytes(),
                    &limits.descriptors.to_be_bytes(),
                    &limits.file_bytes.to_be_bytes(),
                    settings,
                ],
            ),
            Request::Call { verb, output_bytes_max, input } => {
                encode_frame(0x02, ticket, &[&verb.to_be_bytes(), &output_bytes_max.to_be_bytes(), input])
            }
            Request::Stop => encode_frame(0x03, ticket, &[]),
        }
    }

    /// The request in a frame.
    pub fn from_frame(frame: &'a Frame) -> Result<Request<'a>, ProtocolError> {
        let request = match frame.kind() {
            0x01 => start(frame.body()),
            0x02 => call(frame.body()),
            0x03 => frame.body().is_empty().then_some(Request::Stop),
            _ => None,
        };
        request.ok_or(ProtocolError::NoMessage)
    }
}

fn start(body: &[u8]) -> Option<Request<'_>> {
    let (version, body) = body.split_first_chunk()?;
    let (address_space, body) = body.split_first_chunk()?;
    let (descriptors, body) = body.split_first_chunk()?;
    let (file, settings) = body.split_first_chunk()?;
    let limits = Limits {
        address_space_bytes: u64::from_be_bytes(*address_space),
        descriptors: u32::from_be_bytes(*descriptors),
        file_bytes: u64::from_be_bytes(*file),
    };
    let start = Request::Start { version: u16::from_be_bytes(*version), limits, settings };
    (settings.len() <= SETTINGS_BYTES_MAX).then_some(start)
}

fn call(body: &[u8]) -> Option<Request<'_>> {
    let (verb, body) = body.split_first_chunk()?;
    let (longest, input) = body.split_first_chunk()?;
    let output_bytes_max = u32::from_be_bytes(*longest);
    let call = Request::Call { verb: u32::from_be_bytes(*verb), output_bytes_max, input };
    (output_bytes_max as usize <= OUTPUT_BYTES_MAX).then_some(call)
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Start { version, limits, .. } => write!(f, "Start({version}, {limits:?}, [redacted])"),
            Request::Call { verb, output_bytes_max, .. } => {
                write!(f, "Call({verb:08X}, {output_bytes_max}, [redacted])")
            }
            Request::Stop => f.write_str("Stop"),
        }
    }
}

/// What the host answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The library is loaded and open.
    Started {
        /// Its name and version; printable, 1 to [`IDENTITY_BYTES_MAX`] bytes.
        identity: &'a str,
    },
    /// It did what it was asked; this came out.
    Done(&'a [u8]),
    /// It did not open, or did not do what it was asked.
    Refused(Refusal),
    /// It cannot be used.
    Unusable {
        /// Why.
        fault: LoadFault,
        /// For whoever installs it: what the loader says, or which function is missing. Printable, at most
        /// [`DETAIL_BYTES_MAX`] bytes; written before any resident's data was near.
        detail: &'a str,
    },
    /// It did what it must not.
    Misbehaved(Misbehaviour),
}

impl<'a> Answer<'a> {
    /// The frame that carries it.
    pub fn encode(&self, ticket: u32) -> Zeroizing<Vec<u8>> {
        match self {
            Answer::Started { identity } => encode_frame(0x81, ticket, &[identity.as_bytes()]),
            Answer::Done(output) => encode_frame(0x82, ticket, &[output]),
            Answer::Refused(refusal) => encode_frame(0x83, ticket, &[&refusal.code().to_be_bytes()]),
            Answer::Unusable { fault, detail } => {
                encode_frame(0x84, ticket, &[&[*fault as u8], detail.as_bytes()])
            }
            Answer::Misbehaved(how) => encode_frame(0x85, ticket, &[&[*how as u8]]),
        }
    }

    /// The answer in a frame.
    pub fn from_frame(frame: &'a Frame) -> Result<Answer<'a>, ProtocolError> {
        let body = frame.body();
        let answer = match frame.kind() {
            0x81 => printable(body, IDENTITY_BYTES_MAX)
                .filter(|identity| !identity.is_empty())
                .map(|identity| Answer::Started { identity }),
            0x82 => Some(Answer::Done(body)),
            0x83 => refused(body),
            0x84 => unusable(body),
            0x85 => misbehaved(body),
            _ => None,
        };
        answer.ok_or(ProtocolError::NoMessage)
    }
}

fn refused(body: &[u8]) -> Option<Answer<'_>> {
    let code = i32::from_be_bytes(body.try_into().ok()?);
    Refusal::from_code(code).map(Answer::Refused)
}

fn unusable(body: &[u8]) -> Option<Answer<'_>> {
    let (number, detail) = body.split_first()?;
    let fault = LOAD_FAULTS.into_iter().find(|fault| *fault as u8 == *number)?;
    Some(Answer::Unusable { fault, detail: printable(detail, DETAIL_BYTES_MAX)? })
}

fn misbehaved(body: &[u8]) -> Option<Answer<'_>> {
    let [number] = body else { return None };
    MISBEHAVIOURS.into_iter().find(|how| *how as u8 == *number).map(Answer::Misbehaved)
}

/// Text that may stand in a log line: UTF-8 without control characters.
fn printable(bytes: &[u8], bytes_max: usize) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (bytes.len() <= bytes_max && !text.contains(char::is_control)).then_some(text)
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Started { identity } => write!(f, "Started({identity})"),
            Answer::Done(output) => write!(f, "Done({} bytes, [redacted])", output.len()),
            Answer::Refused(refusal) => write!(f, "Refused({refusal:?})"),
            Answer::Unusable { fault, detail } => write!(f, "Unusable({fault:?}, {detail})"),
            Answer::Misbehaved(how) => write!(f, "Misbehaved({how:?})"),
        }
    }
}
