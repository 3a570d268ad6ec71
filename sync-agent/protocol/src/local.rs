//! The socket between kiosk and agent (`agent.sock` in the state folder, mode 0660): live questions and commands,
//! each with a ticket and a deadline. Nothing durable travels here; durable facts travel by disk.
//!
//! A frame is a length (four bytes, big-endian, at most [`limits::MAX_LOCAL_FRAME`](crate::limits::MAX_LOCAL_FRAME))
//! and that many bytes of JSON, one [`LocalRequest`] or one [`LocalReply`]. Replies come in any order. A frame that
//! is too long or no JSON of this protocol ends the connection; the kiosk connects again when it next asks.

use std::fmt;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::limits;

/// Version of the local frames.
pub const LOCAL_VERSION: u16 = 1;

/// Name of the socket inside the state folder.
pub const SOCKET: &str = "agent.sock";

/// What the kiosk asks of the agent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRequest {
    /// [`LOCAL_VERSION`].
    pub version: u16,
    /// Names this request; the reply repeats it. A UUID.
    pub ticket: String,
    /// How long the kiosk will wait, in milliseconds.
    pub within_ms: u32,
    /// What to do.
    pub body: LocalBody,
}

/// What can be asked of the agent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LocalBody {
    /// Pass this on to the city.
    Query {
        /// The `question` of a [`QueryRequest`](crate::QueryRequest).
        question: String,
    },
    /// Try to deliver now, whatever the plan waits for.
    TryNow,
    /// Is the city there? Answered from a hello made for the purpose.
    ReachCity,
    /// Look for a newer catalog now.
    FetchCatalog,
}

/// What the agent replies.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalReply {
    /// [`LOCAL_VERSION`].
    pub version: u16,
    /// The request's ticket.
    pub ticket: String,
    /// What came of it.
    pub outcome: LocalOutcome,
}

/// What can come of a request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LocalOutcome {
    /// The city's sealed answer, the `answer` of a [`QueryReply`](crate::QueryReply).
    Answer {
        /// age file in base64.
        answer: String,
    },
    /// Done, or begun.
    Done,
    /// The city cannot be reached just now.
    Unreachable,
    /// The deadline passed.
    TooLate,
    /// Too many requests are under way.
    Busy,
    /// Not known to this agent, or not possible on this terminal.
    NotPossible,
}

impl fmt::Debug for LocalOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer { .. } => "Answer",
            Self::Done => "Done",
            Self::Unreachable => "Unreachable",
            Self::TooLate => "TooLate",
            Self::Busy => "Busy",
            Self::NotPossible => "NotPossible",
        })
    }
}

impl fmt::Debug for LocalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRequest").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl fmt::Debug for LocalReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalReply").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// One frame as it travels.
///
/// # Errors
/// `InvalidInput` when the message is longer than a frame may be.
pub fn frame<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length as usize <= limits::MAX_LOCAL_FRAME);
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = Vec::with_capacity(json.len() + 4);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

/// The length that a frame's first four bytes announce.
///
/// # Errors
/// `InvalidData` when it is more than a frame may have.
pub fn announced(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(head) as usize;
    if length > limits::MAX_LOCAL_FRAME { Err(io::ErrorKind::InvalidData.into()) } else { Ok(length) }
}

/// The message of a frame's bytes after the length.
///
/// # Errors
/// `InvalidData` when it is no message of this protocol.
pub fn message<T: DeserializeOwned>(json: &[u8]) -> io::Result<T> {
    serde_json::from_slice(json).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Writes one frame, blocking; for the kiosk's side.
///
/// # Errors
/// Those of the socket and of [`frame`].
pub fn write_frame<T: Serialize>(to: &mut impl Write, content: &T) -> io::Result<()> {
    to.write_all(&frame(content)?)?;
    to.flush()
}

/// Reads one frame, blocking; for the kiosk's side.
///
/// # Errors
/// Those of the socket, and `InvalidData` for what is no frame.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let mut json = vec![0; announced(head)?];
    from.read_exact(&mut json)?;
    message(&json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let request = LocalRequest {
            version: LOCAL_VERSION,
            ticket: "t".into(),
            within_ms: 5,
            body: LocalBody::Query { question: "cXVlc3Rpb24=".into() },
        };
        let mut wire = Vec::new();
        write_frame(&mut wire, &request).unwrap();
        write_frame(&mut wire, &request).unwrap();
        let mut from = wire.as_slice();
        assert_eq!(read_frame::<LocalRequest>(&mut from).unwrap(), request);
        assert_eq!(read_frame::<LocalRequest>(&mut from).unwrap(), request);
        assert_eq!(read_frame::<LocalRequest>(&mut from).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_frame_is_said() {
        let head = u32::MAX.to_be_bytes();
        let mut long = head.as_slice();
        assert_eq!(read_frame::<LocalReply>(&mut long).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let mut wrong = b"\0\0\0\x02{]".as_slice();
        assert_eq!(read_frame::<LocalReply>(&mut wrong).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let large = LocalReply {
            version: LOCAL_VERSION,
            ticket: "t".into(),
            outcome: LocalOutcome::Answer { answer: "x".repeat(limits::MAX_LOCAL_FRAME) },
        };
        assert_eq!(frame(&large).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
