//! The words a terminal and the city exchange: signed manifests, sealed contents, signed receipts,
//! hello and its answer, and the arithmetic of received ranges.
//!
//! Bytes of photos and scans travel beside it ([`BlobState`], tus 1.0), live questions in seals of their own
//! ([`QueryRequest`]), and [`local`] is what kiosk and agent say to each other on one machine. Where there is no
//! network at all, a person carries a [`courier`] folder. What the city hands on to a department is a [`CaseDelivery`].
//! What it issues to a resident on paper bears a [`Stamp`].
//!
//! A record travels as a [`SealedRecord`]: a manifest that the terminal signed (ES256) beside a ciphertext
//! that only the city can open (age, X25519). The city answers with a [`Receipt`] it signed (EdDSA). Signed
//! things are compact JWS (RFC 7515): the signed bytes are the transmitted bytes, so nothing is ever put into a
//! canonical form. The algorithm and the type are fixed for each use and everything else is refused.
//!
//! Deliberately absent: any socket, file, clock or async runtime; any judgement of what a resident wrote;
//! a choice of algorithm by the sender; personal data outside the seal or in any `Debug` output.

mod anchors;
mod base32;
mod blob;
pub mod courier;
mod delivery;
mod document_number;
mod error;
mod hello;
mod jws;
mod keys;
pub mod limits;
pub mod local;
mod manifest;
mod query;
pub mod ranges;
mod receipt;
mod record;
mod seal;
mod stamp;
mod submission;

pub use anchors::{AnchorReply, AnchorStatement};
pub use blob::{BlobHeaders, BlobState, CHECKSUM_MISMATCH, TUS_VERSION, read_checksum, write_checksum};
pub use delivery::{CaseDelivery, DeliveryNote};
pub use document_number::DocumentNumber;
pub use error::{ProtocolError, SealError};
pub use hello::{Command, EarlierAnswer, EarlierQueue, HelloAnswer, HelloReply, HelloRequest, Ledger};
pub use keys::{CityReceiptKey, CityReceiptPublicKey, TerminalKey, TerminalPublicKey};
pub use manifest::{BlobRef, ClockEvidence, Manifest, NO_PREVIOUS, RecordKind};
pub use query::{
    Answer, AnswerBody, CaseProgress, FetchQuestion, Fetched, KeeperCall, KeeperCallState, ProgressState,
    ProgressStep, QueryReply, QueryRequest, Question, QuestionBody, QueueTicket,
};
pub use receipt::{Receipt, ReceiptReply, ReceiptStatus};
pub use record::{SealedRecord, sha256_hex};
pub use seal::{AgeOpener, AgeSealer, Opener, SealKeyPair, Sealer};
pub use stamp::{DocumentContent, DocumentKey, DocumentPublicKey, MAX_STAMP, Stamp, StampFault, stamp_in};
pub use submission::{CaseReference, Rating, Submission};

/// Version written into every message of this release.
pub const PROTOCOL_VERSION: u16 = 2;

/// Oldest version that is still understood. Terminals in the field are up to two releases behind the city, so a
/// version leaves this range only two releases after its successor came.
pub const OLDEST_VERSION: u16 = 1;

/// Whether messages of this version are understood. What a newer release adds is optional and skipped by an older
/// one; the number grows past this range only when that is impossible.
pub fn understands(version: u16) -> bool {
    (OLDEST_VERSION..=PROTOCOL_VERSION).contains(&version)
}
