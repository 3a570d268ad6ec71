//! The words a terminal and the city exchange: signed manifests, sealed contents, signed receipts,
//! hello and its answer, and the arithmetic of received ranges.
//!
//! A record travels as a [`SealedRecord`]: a manifest that the terminal signed (ES256) beside a ciphertext
//! that only the city can open (age, X25519). The city answers with a [`Receipt`] it signed (EdDSA). Signed
//! things are compact JWS (RFC 7515): the signed bytes are the transmitted bytes, so nothing is ever put into a
//! canonical form. The algorithm and the type are fixed for each use and everything else is refused.
//!
//! Deliberately absent: any socket, file, clock or async runtime; any judgement of what a resident wrote;
//! a choice of algorithm by the sender; personal data outside the seal or in any `Debug` output.

mod anchors;
mod error;
mod hello;
mod jws;
mod keys;
pub mod limits;
mod manifest;
pub mod ranges;
mod receipt;
mod record;
mod seal;
mod submission;

pub use anchors::{AnchorReply, AnchorStatement};
pub use error::{ProtocolError, SealError};
pub use hello::{HelloAnswer, HelloReply, HelloRequest};
pub use keys::{CityReceiptKey, CityReceiptPublicKey, TerminalKey, TerminalPublicKey};
pub use manifest::{BlobRef, ClockEvidence, Manifest, NO_PREVIOUS, RecordKind};
pub use receipt::{Receipt, ReceiptReply, ReceiptStatus};
pub use record::{SealedRecord, sha256_hex};
pub use seal::{AgeOpener, AgeSealer, Opener, SealKeyPair, Sealer};
pub use submission::{Rating, Submission};

/// Version written into every message of this release.
pub const PROTOCOL_VERSION: u16 = 1;
