//! What an arrival is that was not new: the same record again, or one that contradicts what is held. Decided
//! without a database, so that every store decides alike.

use std::borrow::Cow;

use super::{Arrival, Conflict};

/// What the inbox holds at a place.
pub(super) struct Held {
    pub(super) case_id: String,
    pub(super) sha256: String,
    pub(super) manifest_hash: String,
    pub(super) received_at_ms: i64,
    /// Its content was deleted by rule.
    pub(super) erased: bool,
}

/// An arrival beside what is held.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The same record; it first arrived then.
    Again { received_at_ms: i64 },
    /// The same record, so the same receipt; but what the second manifest says is not thrown away either.
    OtherManifest { received_at_ms: i64, erased: bool },
    /// Not the record that is held: kept aside.
    Aside(Conflict),
}

/// Compares an arrival that could not become a new row with what is held at its place.
pub(super) fn compare(arrival: &Arrival, held: Option<Held>) -> Comparison {
    // The place is free, so it was the id that is taken: by a record in another place.
    let Some(held) = held else { return Comparison::Aside(Conflict::OtherContent) };
    let Held { received_at_ms, erased, .. } = held;
    if held.case_id != arrival.case_id {
        Comparison::Aside(Conflict::PlaceTaken)
    } else if held.sha256 != arrival.sha256 {
        Comparison::Aside(Conflict::OtherContent)
    } else if held.manifest_hash != arrival.manifest_hash {
        Comparison::OtherManifest { received_at_ms, erased }
    } else {
        Comparison::Again { received_at_ms }
    }
}

/// The arrival as it may be kept beside one whose content was deleted by rule: that does not come back through a
/// second manifest.
pub(super) fn beside(arrival: &Arrival, erased: bool) -> Cow<'_, Arrival> {
    if erased {
        Cow::Owned(Arrival { ciphertext: Vec::new(), blobs: Vec::new(), ..arrival.clone() })
    } else {
        Cow::Borrowed(arrival)
    }
}
