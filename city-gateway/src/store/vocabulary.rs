//! The things that pass through a store: arrivals, what became of them, and what may be shown.
//!
//! Deliberately absent: opened content. Nothing here but [`MaskedPerson`] speaks of a person at all.

use std::fmt;

use service_catalog::FollowUp;

use super::desk::CaseKey;

/// Where a record belongs: its position in one life of one terminal's queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Code of the terminal.
    pub terminal: String,
    /// Life of its queue.
    pub incarnation: String,
    /// Position, from 1.
    pub seq: u64,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A resident's request.
    Case,
    /// Stars for a case.
    Rating,
    /// Closes a place whose record was lost at the terminal.
    Void,
}

impl Kind {
    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Case => "case",
            Kind::Rating => "rating",
            Kind::Void => "void",
        }
    }
}

/// A record as it came from a terminal, its manifest verified, its seal unopened.
#[derive(Clone)]
pub struct Arrival {
    /// Where it belongs.
    pub place: Place,
    /// UUID of the record.
    pub case_id: String,
    /// What is sealed.
    pub kind: Kind,
    /// The case a rating names.
    pub about: Option<String>,
    /// Case number as printed.
    pub case_number: String,
    /// Verification code as printed.
    pub verification: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Hash of the ciphertext.
    pub sha256: String,
    /// Hash of the manifest text.
    pub manifest_hash: String,
    /// The manifest as it was signed.
    pub manifest: String,
    /// The sealed content.
    pub ciphertext: Vec<u8>,
    /// The blobs it names: hash and length of each.
    pub blobs: Vec<(String, u64)>,
    /// When it arrived, milliseconds since 1970.
    pub received_at_ms: i64,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named_only(f, "Arrival", &self.place, &self.case_id)
    }
}

/// What was done with an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// Inbox or quarantine.
    pub kept: Kept,
    /// Whether it was already there.
    pub again: bool,
    /// When it first arrived; the receipt says this, so that repeating a record repeats its receipt.
    pub received_at_ms: i64,
}

/// Where an arrival was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the inbox.
    Inbox,
    /// In the inbox already; its manifest came a second time with other words, and those are in quarantine.
    InboxOtherManifest,
    /// In quarantine.
    Quarantine(Conflict),
}

/// Why something is in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The same record id with another content or another place.
    OtherContent,
    /// Another record already has this place in the queue.
    PlaceTaken,
    /// The same record, described by another manifest.
    OtherManifest,
    /// From a terminal, a certificate or a key that was revoked.
    Revoked,
    /// With a certificate of a trusted authority that is not on the list.
    Unlisted,
}

impl Conflict {
    const ALL: [Self; 5] =
        [Self::OtherContent, Self::PlaceTaken, Self::OtherManifest, Self::Revoked, Self::Unlisted];

    /// The word in the database.
    pub fn code(self) -> &'static str {
        match self {
            Conflict::OtherContent => "other_content",
            Conflict::PlaceTaken => "place_taken",
            Conflict::OtherManifest => "other_manifest",
            Conflict::Revoked => "revoked",
            Conflict::Unlisted => "unlisted",
        }
    }

    /// The sentence operators read.
    pub fn label(self) -> &'static str {
        match self {
            Conflict::OtherContent => "same id, other content or place",
            Conflict::PlaceTaken => "same place in the queue, other record",
            Conflict::OtherManifest => "same content, other manifest",
            Conflict::Revoked => "from a revoked terminal",
            Conflict::Unlisted => "from a certificate that is not listed",
        }
    }

    /// Reads the word in the database.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|conflict| conflict.code() == code)
    }
}

/// What is held of one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Inclusive ranges in order. May leave out the far end of a queue with very many gaps; never claims more
    /// than is held.
    pub ranges: Vec<(u64, u64)>,
    /// Up to here the records outlive the loss of the machine. An embedded store without a verified backup
    /// answers 0, so that no terminal throws anything away on its word.
    pub durable_seq: u64,
}

/// A record handed to the opener.
#[derive(Clone)]
pub struct Claimed {
    /// Its place, which also names it in the decision.
    pub place: Place,
    /// UUID of the record.
    pub case_id: String,
    /// What is sealed.
    pub kind: Kind,
    /// The case a rating names.
    pub about: Option<String>,
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// The sealed content.
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named_only(f, "Claimed", &self.place, &self.case_id)
    }
}

/// Which record it is, and nothing of what it holds.
fn named_only(f: &mut fmt::Formatter<'_>, kind: &str, place: &Place, case_id: &str) -> fmt::Result {
    f.debug_struct(kind).field("place", place).field("case_id", &case_id).finish_non_exhaustive()
}

/// What the opener found out about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which record.
    pub place: Place,
    /// What became of it.
    pub outcome: Outcome,
    /// When, milliseconds since 1970.
    pub decided_at_ms: i64,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Opened and valid.
    Opened {
        /// Who asked, masked; absent for a rating.
        person: Option<MaskedPerson>,
        /// One line without personal data.
        summary: String,
    },
    /// Opened, valid, and the case that it follows is known.
    Follows {
        /// What it follows its case with.
        follows: FollowUp,
        /// The case.
        case: CaseKey,
        /// Whom to call, masked.
        person: MaskedPerson,
        /// One line without personal data.
        summary: String,
    },
    /// Kept for an operator.
    DeadLetter {
        /// Why.
        reason: DeadLetterReason,
        /// Which fields, without their contents; of what follows a case, that case's number.
        detail: Option<String>,
    },
}

/// A person, recognisable to someone who has the paper in hand and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MaskedPerson {
    /// Surname and a mark.
    pub name: Option<String>,
    /// First three and last two of the document number.
    pub number: Option<String>,
    /// First three and last four of the phone number.
    pub phone: Option<String>,
}

/// Why a record is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterReason {
    /// The seal cannot be opened with the city's key.
    NotOpenable,
    /// What is inside is not a submission or a rating.
    Unreadable,
    /// What is inside speaks of another record than the manifest.
    OtherRecord,
    /// The catalog has no such item or no such version of it.
    UnknownItem,
    /// The answers do not fit the form.
    WrongAnswers,
    /// The opener itself failed on it.
    OpenerFault,
    /// A void: the terminal lost what stood in this place.
    LostAtTerminal,
    /// It follows a case of a number that no opened case bears, yet.
    NoSuchCase,
    /// It follows a case whose number it knows, and whose verification code it does not.
    WrongCode,
}

impl DeadLetterReason {
    const ALL: [Self; 9] = [
        Self::NotOpenable,
        Self::Unreadable,
        Self::OtherRecord,
        Self::UnknownItem,
        Self::WrongAnswers,
        Self::OpenerFault,
        Self::LostAtTerminal,
        Self::NoSuchCase,
        Self::WrongCode,
    ];

    /// The word in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOpenable => "not_openable",
            Self::Unreadable => "unreadable",
            Self::OtherRecord => "other_record",
            Self::UnknownItem => "unknown_item",
            Self::WrongAnswers => "wrong_answers",
            Self::OpenerFault => "opener_fault",
            Self::LostAtTerminal => "lost_at_terminal",
            Self::NoSuchCase => "no_such_case",
            Self::WrongCode => "wrong_code",
        }
    }

    /// The words operators read.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotOpenable => "cannot be opened",
            Self::Unreadable => "unreadable content",
            Self::OtherRecord => "content of another record",
            Self::UnknownItem => "unknown item",
            Self::WrongAnswers => "wrong answers",
            Self::OpenerFault => "opener failed",
            Self::LostAtTerminal => "lost at the terminal",
            Self::NoSuchCase => "its case is not here (yet)",
            Self::WrongCode => "wrong code of its case",
        }
    }

    /// Reads the word in the database.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Which part of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// What arrived after this id, oldest first.
    After(i64),
    /// What arrived before this id, newest first.
    Before(i64),
}

/// One line of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Order of arrival.
    pub id: i64,
    /// Where it belongs.
    pub place: Place,
    /// UUID of the record.
    pub case_id: String,
    /// Case number as printed.
    pub case_number: String,
    /// What is sealed.
    pub kind: Kind,
    /// Code of the service item.
    pub item: String,
    /// Hash of the ciphertext.
    pub sha256: String,
    /// When it arrived.
    pub received_at_ms: i64,
    /// What became of it.
    pub status: Status,
}

/// What became of a record, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not opened yet.
    Received,
    /// Held, but not all of its blobs; it is opened when they are.
    Incomplete,
    /// Opened and valid.
    Opened {
        /// Who asked, masked.
        person: Option<MaskedPerson>,
        /// One line without personal data.
        summary: String,
    },
    /// Kept for an operator.
    DeadLetter {
        /// Why.
        reason: DeadLetterReason,
        /// Which fields, without their contents.
        detail: Option<String>,
    },
    /// Kept aside.
    Quarantined(Conflict),
}

impl Status {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Status::Received => "received",
            Status::Incomplete => "incomplete",
            Status::Opened { .. } => "opened",
            Status::DeadLetter { .. } => "dead_letter",
            Status::Quarantined(_) => "quarantined",
        }
    }
}

/// What the public page may say about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// When it arrived.
    pub received_at_ms: i64,
}

/// How many records are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting for the opener.
    pub waiting: u64,
    /// Opened and valid.
    pub opened: u64,
    /// Kept for an operator.
    pub dead_letters: u64,
    /// Kept aside.
    pub quarantined: u64,
    /// Kept aside, and waiting for a person.
    pub undecided: u64,
    /// Waiting for blobs.
    pub incomplete: u64,
}
