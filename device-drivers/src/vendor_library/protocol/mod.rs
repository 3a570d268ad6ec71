//! What the kiosk and `device-host` say to each other over the host's standard input and output.
//!
//! Pure bytes, versioned and bounded. The kiosk asks, the host answers each request once, in order. Both programs come
//! from one release; the version in [`Request::Start`] tells when they do not. Neither side believes the other: a host
//! runs foreign code in its own memory, which may have overwritten anything.

mod frame;
mod message;
#[cfg(test)]
mod properties;

pub use frame::{BODY_BYTES_MAX, Frame, FrameDecoder, encode_frame};
pub use message::{
    Answer, DETAIL_BYTES_MAX, IDENTITY_BYTES_MAX, INPUT_BYTES_MAX, Limits, LoadFault, Misbehaviour,
    OUTPUT_BYTES_MAX, Refusal, Request, SETTINGS_BYTES_MAX, VERSION,
};

/// Why bytes are no message of this protocol. A stream that held one is given up: nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The length field is smaller than a head or larger than any message.
    #[error("impossible frame length")]
    Length,
    /// A kind, a code or a length inside that no message has.
    #[error("a frame that is no message")]
    NoMessage,
}
