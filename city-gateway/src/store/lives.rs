//! What the gateway needs from a database about terminals themselves: the [`TerminalBook`] trait. It judges whether a
//! hello comes from the disk it should, keeps each terminal's last word about its own books beside the city's count,
//! and knows how far each queue outlives the loss of the machine.

use sync_protocol::Ledger;

use super::{Kept, Place, Reply};
use crate::continuity::{Doubt, Heard};

/// A hello, as it is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Code of the terminal.
    pub terminal: String,
    /// Life of its queue.
    pub incarnation: String,
    /// What its continuity is judged by; absent for a terminal of version 1, which is not judged.
    pub heard: Option<Heard>,
    /// A token nobody has heard yet.
    pub fresh_token: String,
    /// Its books.
    pub ledger: Option<Ledger>,
    /// Age of the oldest record without a receipt, in seconds.
    pub oldest_unacked_age_s: Option<u64>,
    /// Version of its sync agent.
    pub agent_version: String,
    /// Version of its catalog.
    pub catalog_version: Option<String>,
    /// How full its disk is, 0 to 100.
    pub disk_used_percent: Option<u8>,
    /// When it was heard, milliseconds since 1970.
    pub at_ms: i64,
}

/// What a hello led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The token for the answer.
    pub token: Option<String>,
    /// The doubt that this hello raised.
    pub doubt: Option<Doubt>,
    /// Whether the terminal is asked to begin a new life.
    pub begin_incarnation: bool,
    /// How its books differ from the city's, when they have done so often enough to be believed.
    pub disagreement: Option<Disagreement>,
}

/// How books differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// `issued` is not `acknowledged + waiting`.
    OwnSum,
    /// It has receipts for more than the city holds.
    Lost {
        /// So many more.
        records: u64,
    },
    /// The city holds more than it issued.
    NeverIssued {
        /// So many more.
        records: u64,
    },
}

impl Disagreement {
    /// The words of the alarm.
    pub fn label(self) -> &'static str {
        match self {
            Self::OwnSum => "what it issued is not what it has receipts for and what waits",
            Self::Lost { .. } => "it has receipts for records that the city does not hold",
            Self::NeverIssued { .. } => "the city holds records that it did not issue",
        }
    }

    /// Compares. The terminal wrote its books before the city counted, so the city may be ahead by what arrived
    /// meanwhile; a second hello tells that apart.
    pub fn between(ledger: &Ledger, received: u64) -> Option<Self> {
        if ledger.issued != ledger.acknowledged.saturating_add(ledger.waiting) {
            return Some(Self::OwnSum);
        }
        if ledger.acknowledged > received {
            return Some(Self::Lost { records: ledger.acknowledged - received });
        }
        (received > ledger.issued).then(|| Self::NeverIssued { records: received - ledger.issued })
    }
}

/// The last word of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWord {
    /// Code of the terminal.
    pub terminal: String,
    /// Life of its queue.
    pub incarnation: String,
    /// When, milliseconds since 1970.
    pub heard_at_ms: i64,
    /// Version of its sync agent.
    pub agent_version: String,
    /// Version of its catalog.
    pub catalog_version: Option<String>,
    /// Age of the oldest record without a receipt, in seconds.
    pub oldest_unacked_age_s: Option<u64>,
    /// How full its disk is, 0 to 100.
    pub disk_used_percent: Option<u8>,
    /// Its books.
    pub ledger: Option<Ledger>,
    /// Places the city held of it then.
    pub received: Option<u64>,
    /// Hellos in a row whose books differed.
    pub disagreements: u64,
}

/// A record that is held, as its receipt speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// The manifest as it was signed.
    pub manifest: String,
    /// Where it was put.
    pub kept: Kept,
    /// When it first arrived, milliseconds since 1970.
    pub received_at_ms: i64,
}

/// Sums over all terminals, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FleetSums {
    /// Terminals heard of.
    pub terminals: u64,
    /// Sum of their books.
    pub ledger: Ledger,
    /// Places the city held of them.
    pub received: u64,
    /// The largest age of an oldest record without a receipt, in seconds.
    pub oldest_unacked_age_s_max: u64,
    /// Terminals whose books differ.
    pub disagreeing: u64,
}

impl FleetSums {
    /// Records issued and neither received nor waiting. What is under way makes it less or more than nothing for a
    /// moment.
    pub fn gap(&self) -> i64 {
        let accounted = i128::from(self.received) + i128::from(self.ledger.waiting);
        let gap = i128::from(self.ledger.issued) - accounted;
        i64::try_from(gap).unwrap_or(if gap > 0 { i64::MAX } else { i64::MIN })
    }
}

/// From where on a terminal needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worry {
    /// Not heard since then, milliseconds since 1970.
    pub silent_since_ms: i64,
    /// A record without a receipt for at least so many seconds.
    pub unacked_age_s: u64,
    /// A disk that is at least so full, 0 to 100.
    pub disk_used_percent: u8,
}

/// The book of terminals.
pub trait TerminalBook: Send + Sync {
    /// Judges and notes a hello, in one transaction.
    fn hear(&self, word: Word) -> Reply<'_, Answered>;

    /// The last words of terminals after this code, in order.
    fn last_words<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<LastWord>>;

    /// Terminals that need a look, those with differing books first, then those with a side lane, then by the age of
    /// the oldest record without a receipt, then by how long they have been silent.
    fn worrying(&self, worry: Worry, limit: usize) -> Reply<'_, Vec<LastWord>>;

    /// Sums over all terminals.
    fn fleet(&self) -> Reply<'_, FleetSums>;

    /// A record of this terminal by its id, in the inbox before quarantine; with a hash, the one with this content.
    fn record<'a>(
        &'a self,
        terminal: &'a str,
        case_id: &'a str,
        sha256: Option<&'a str>,
    ) -> Reply<'a, Option<HeldRecord>>;

    /// Notes that these queues outlive the machine up to these positions. Never goes back, and never beyond what is
    /// held without a gap, blobs included.
    fn mark_durable(&self, marks: Vec<Place>) -> Reply<'_, u64>;

    /// The same for everything that was held without a gap, blobs included, at this time.
    fn mark_durable_up_to(&self, at_ms: i64) -> Reply<'_, u64>;
}
