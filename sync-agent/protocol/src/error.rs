//! What can be wrong with a message, a key or a seal. No variant carries content of a message.

/// A signed message, a record or a key that cannot be believed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Not three base64url parts, or a header that is not understood in full.
    #[error("not a compact JWS of this protocol")]
    NotJws,
    /// Signed with another algorithm than the one fixed for this use.
    #[error("signed with an algorithm that is not allowed here")]
    WrongAlgorithm,
    /// A valid message of another kind, put in this place.
    #[error("a signed message of another type")]
    WrongType,
    /// Names another signing key than the one that is trusted.
    #[error("signed with another key than the trusted one")]
    WrongKey,
    /// The signature does not fit the bytes.
    #[error("the signature does not fit")]
    BadSignature,
    /// Longer than this protocol allows.
    #[error("{what} is longer than {limit} bytes")]
    TooLarge {
        /// Which thing.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// Signed correctly, but not of the expected shape; names the field, never its value.
    #[error("unusable content: {0}")]
    BadContent(&'static str),
    /// Not the JSON this protocol expects.
    #[error("not a {0} of this protocol")]
    BadJson(&'static str),
    /// A key that cannot be read.
    #[error("unreadable key: {0}")]
    BadKey(&'static str),
}

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No recipient, or no identity, in the text given.
    #[error("no key found in the text")]
    NoKey,
    /// A line that is not a key; the line number starts at 1. The line itself is not repeated.
    #[error("line {0} is not a usable key")]
    BadKey(usize),
    /// Longer than the limit of this protocol.
    #[error("longer than {0} bytes")]
    TooLarge(usize),
    /// The cipher refused to work.
    #[error("could not be sealed")]
    NotSealed,
    /// Sealed for someone else.
    #[error("sealed for another key")]
    OtherKey,
    /// Not a seal, or changed on the way.
    #[error("damaged or not a seal")]
    Damaged,
}
