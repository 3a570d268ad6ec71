//! What operators decide about records that are kept aside: release one to the inbox, or leave it where it is with a
//! reason.
//!
//! Deliberately absent: a release that moves or overwrites anything. The inbox has one place for each position of a
//! queue and one record for each id; what holds it stays, and says [`Obstacle`].

use super::rows::{CaseKey, words};
use crate::store::InboxRow;

words! {
    /// What was decided.
    Verdict {
        /// Given to the inbox; the opener judges it like any other. Final.
        Released = "released",
        /// Looked at, and stays aside. May be released later.
        KeptAside = "kept_aside",
    }
}

/// Why a record cannot be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its content was deleted by rule.
    Erased,
    /// The inbox holds the same content in the same place.
    Held,
    /// The inbox holds another record in this place of the queue.
    PlaceTaken,
    /// The inbox holds a record with this id in another place.
    IdTaken,
}

impl Obstacle {
    /// What stands in the way: `place` says whether what the inbox holds in the record's place is the same content,
    /// `id` whether it holds the record's id anywhere.
    pub(in crate::store) fn find(erased: bool, place: Option<bool>, id: bool) -> Option<Self> {
        match (erased, place, id) {
            (true, ..) => Some(Self::Erased),
            (false, Some(true), _) => Some(Self::Held),
            (false, Some(false), _) => Some(Self::PlaceTaken),
            (false, None, true) => Some(Self::IdTaken),
            (false, None, false) => None,
        }
    }
}

/// Names one record that is kept aside. A number alone could mean another record after the database was restored, so
/// the rest has to fit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsideName {
    /// Order of arrival.
    pub id: i64,
    /// Terminal and id of the record.
    pub key: CaseKey,
    /// Hash of the ciphertext.
    pub sha256: String,
}

/// Which records that are kept aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsideFilter {
    /// Before this arrival.
    pub before: i64,
    /// Only those that wait for a person.
    pub undecided: bool,
}

/// A record that is kept aside. It waits for a person until somebody decides, its content is deleted by rule, or its
/// terminal, taken back, has sent the very same record into the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsideRow {
    /// The record.
    pub row: InboxRow,
    /// What stands in the way of its release.
    pub obstacle: Option<Obstacle>,
    /// How often somebody has decided about it.
    pub version: i64,
    /// The last decision.
    pub last: Option<Decided>,
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub verdict: Verdict,
    /// By whom.
    pub operator: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Why, as a word.
    pub reason: String,
    /// Number of a file or a call; may be empty.
    pub reference: String,
}

/// A decision about a record, made on the version that the operator saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsideDecision {
    /// Which record.
    pub name: AsideName,
    /// How many decisions there were.
    pub version: i64,
    /// What is decided, by whom, when and why.
    pub decided: Decided,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Made.
    Done,
    /// Somebody else was first.
    Stale,
    /// There is no such record.
    Missing,
    /// It cannot be made; nothing was changed.
    Blocked(Obstacle),
}

impl AsideRow {
    /// Whether this decision can be made now. The store holds the record still while it asks.
    pub(in crate::store) fn admits(&self, decision: &AsideDecision) -> Result<(), Settled> {
        let released = self.last.as_ref().is_some_and(|last| last.verdict == Verdict::Released);
        if released || self.version != decision.version {
            return Err(Settled::Stale);
        }
        match (decision.decided.verdict, self.obstacle) {
            (_, Some(Obstacle::Erased)) => Err(Settled::Blocked(Obstacle::Erased)),
            (Verdict::Released, Some(obstacle)) => Err(Settled::Blocked(obstacle)),
            (Verdict::Released, None) | (Verdict::KeptAside, _) => Ok(()),
        }
    }
}
