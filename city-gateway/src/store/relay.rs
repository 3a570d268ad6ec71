//! What the relay needs from a database: which opened cases which department is owed, who is at them, and what became
//! of it.
//!
//! A case is owed from the transaction that accepts it. It leaves that state in one way only: its department has it. A
//! dead letter stays with its reason until an operator releases it. A lease that ends without a word is handed out
//! again, so a department gets each case at least once, and knows it by its id.
//!
//! Deliberately absent: content (but for one record at a time, still sealed), a cursor over anything that is not
//! visible in order, a way to drop what is owed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::desk::{AuditEntry, CaseKey};
use super::{Claimed, Place, Reply};

/// No wait lasts longer than this; a moment further ahead comes from a clock that was wrong, and is no wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Owed cases, from the side of whoever hands them on.
pub trait RelayStore: Send + Sync {
    /// Says of up to `limit` opened cases, oldest first, which department they are for. A case of a department that
    /// nobody configured becomes a dead letter.
    fn route(&self, routes: Arc<Routes>, limit: usize, now_ms: i64) -> Reply<'_, Routed>;

    /// Takes back what was routed to departments other than these, so that it is routed anew.
    fn keep_departments(&self, known: Vec<String>) -> Reply<'_, u64>;

    /// Hands out cases of a department, oldest first. None is handed out again before the lease ends, or the gateway
    /// that took it stops or starts again.
    fn claim_owed<'a>(&'a self, department: &'a str, limit: usize, lease: Duration) -> Reply<'a, Vec<Owed>>;

    /// The sealed content of a case; `None` when it was deleted by rule.
    fn owed_content<'a>(&'a self, place: &'a Place) -> Reply<'a, Option<OwedContent>>;

    /// Writes down what became of cases; returns of how many. Delivered is delivered, whoever says so; everything else
    /// is believed only of whoever holds the lease.
    fn settle(&self, settlements: Vec<Settlement>) -> Reply<'_, u64>;

    /// Gives numbers in a department's pull feed to up to `limit` of its cases that have none; returns to how many.
    fn list_owed<'a>(&'a self, department: &'a str, limit: usize) -> Reply<'a, u64>;

    /// Cases of a department's pull feed after a number. Whoever sees a number has seen, or sees now, all lower ones
    /// that are not acknowledged.
    fn feed<'a>(&'a self, department: &'a str, after: i64, limit: usize) -> Reply<'a, Vec<Listed>>;

    /// The department has everything up to this number; returns how many cases that were.
    fn acknowledge<'a>(&'a self, department: &'a str, up_to: i64, now_ms: i64) -> Reply<'a, u64>;

    /// Takes cases out of a department's pull feed as dead letters; returns how many.
    fn withdraw<'a>(
        &'a self,
        department: &'a str,
        numbers: Vec<i64>,
        reason: UndeliveredReason,
        now_ms: i64,
    ) -> Reply<'a, u64>;

    /// Dead letters of the relay, oldest first.
    fn undelivered(&self, limit: usize) -> Reply<'_, Vec<Undelivered>>;

    /// Puts dead letters back to be routed anew, at most 1,000; returns how many. The line is written when there were
    /// any.
    fn release(&self, which: Release, audit: AuditEntry) -> Reply<'_, u64>;

    /// How much is owed.
    fn relay_counts(&self) -> Reply<'_, Vec<RelayCount>>;
}

/// Which department an item's cases are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// By code of the item.
    pub items: HashMap<String, Route>,
    /// For items that are not among them.
    pub others: Route,
}

impl Routes {
    /// Where cases of this item go.
    pub fn of(&self, item: &str) -> &Route {
        self.items.get(item).unwrap_or(&self.others)
    }
}

/// A department as the catalog names it, and the code under which it is configured, if it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Name in the catalog.
    pub name: String,
    /// Code in the configuration.
    pub code: Option<String>,
}

/// What [`RelayStore::route`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Routed {
    /// Cases that have a department now.
    pub routed: u64,
    /// Cases whose department nobody configured.
    pub unknown: u64,
}

/// What is said about a case on the way to its department. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedCase {
    /// Its place at its terminal.
    pub place: Place,
    /// UUID of the record.
    pub case_id: String,
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Hash of what the terminal sealed.
    pub sha256: String,
    /// When it arrived, milliseconds since 1970.
    pub received_at_ms: i64,
}

/// A case that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Which.
    pub case: OwedCase,
    /// How often it was handed out, this time included.
    pub attempts: u32,
    /// How often its department refused it.
    pub refusals: u32,
    /// Names this handing-out.
    pub lease: String,
}

/// A case in a pull feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub case: OwedCase,
    /// Its place in the feed.
    pub number: i64,
    /// Bytes of the sealed content.
    pub bytes: u64,
}

/// A case's sealed content, the blobs it names (hash and length of each), and the case that it follows.
#[derive(Debug, Clone)]
pub struct OwedContent {
    /// As it came from the terminal.
    pub record: Claimed,
    /// What it names.
    pub blobs: Vec<(String, u64)>,
    /// The case that it follows, if it follows one; that case's department gets it.
    pub about: Option<CaseKey>,
}

/// What became of a case that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub place: Place,
    /// Under which lease.
    pub lease: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The department has it, since then.
    Delivered(i64),
    /// To be tried again.
    Again {
        /// After so long.
        after: Duration,
        /// Whether the department refused it, rather than could not be reached.
        refused: bool,
    },
    /// Somebody has to look.
    Dead {
        /// Why.
        reason: UndeliveredReason,
        /// In numbers or words without personal data.
        detail: Option<String>,
        /// When.
        at_ms: i64,
    },
}

/// Why a case is not delivered, and nobody tries any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndeliveredReason {
    /// Its item names a department that is not configured.
    UnknownDepartment,
    /// The department's server refused it again and again.
    Refused,
    /// The department said that it cannot take it.
    Declined,
    /// Its content was deleted by rule before the department had it.
    Erased,
    /// The city's key does not open it any more.
    NotOpenable,
    /// Longer than the way to the department takes.
    TooLarge,
}

impl UndeliveredReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UnknownDepartment,
        Self::Refused,
        Self::Declined,
        Self::Erased,
        Self::NotOpenable,
        Self::TooLarge,
    ];

    /// The word in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownDepartment => "unknown_department",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::Erased => "erased",
            Self::NotOpenable => "not_openable",
            Self::TooLarge => "too_large",
        }
    }

    /// Reads the word in the database.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// A dead letter of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Which.
    pub case: OwedCase,
    /// Code of its department, when it has one.
    pub department: Option<String>,
    /// How often it was handed out.
    pub attempts: u32,
    /// Why.
    pub reason: UndeliveredReason,
    /// In numbers or words without personal data.
    pub detail: Option<String>,
    /// Since when, milliseconds since 1970.
    pub dead_at_ms: i64,
}

/// Which dead letters are released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// One.
    One(Place),
    /// All with this reason.
    All(UndeliveredReason),
}

/// Cases of one department in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayCount {
    /// Code of the department; `None` before a case is routed.
    pub department: Option<String>,
    /// In which state.
    pub state: RelayState,
    /// How many.
    pub cases: u64,
    /// When the oldest of them was accepted, milliseconds since 1970.
    pub oldest_ms: i64,
}

/// Where an owed case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    /// Opened; which department it is for was not looked up yet.
    Unrouted,
    /// Its department is to get it.
    Routed,
    /// Somebody has to look.
    DeadLetter,
}

impl RelayState {
    const ALL: [Self; 3] = [Self::Unrouted, Self::Routed, Self::DeadLetter];

    /// The word in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unrouted => "unrouted",
            Self::Routed => "routed",
            Self::DeadLetter => "dead_letter",
        }
    }

    /// Reads the word in the database.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}
