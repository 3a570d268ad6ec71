//! Calls for the keeper of a terminal's place: opened by terminals, answered by people. In the store, because several
//! gateways behind one address must all see them.
//!
//! A call belongs to its terminal and bears the name that the terminal gave it. Of one terminal at most one is open; a
//! newer one ends those before it, and a call that was ended never opens again, in whatever order requests arrive.
//! Whether a call is too old is told by the caller's clock.
//!
//! Deliberately absent: anything about a resident; a change without its audit line where a person makes it.

use super::Reply;
use super::desk::AuditEntry;

/// Most calls that are listed.
pub const MOST: usize = 200;

/// Calls for keepers.
pub trait KeeperCalls: Send + Sync {
    /// Opens a call. One with this name that is known already stays as it is. Says how it stands now; `None` when another
    /// call of the terminal was opened at the same moment.
    fn open_call(&self, call: NewCall) -> Reply<'_, Option<CallRow>>;

    /// One call.
    fn keeper_call<'a>(&'a self, terminal: &'a str, name: &'a str) -> Reply<'a, Option<CallRow>>;

    /// Ends a call, also one that comes only later.
    fn end_call<'a>(&'a self, terminal: &'a str, name: &'a str, at_ms: i64) -> Reply<'a, ()>;

    /// Calls of these terminals that were opened after this moment and are not over, oldest first, at most [`MOST`].
    fn calls(&self, of: Sites, after_ms: i64) -> Reply<'_, Vec<CallRow>>;

    /// Notes that these calls were shown to a keeper, unless it is noted already.
    fn calls_heard(&self, ids: Vec<CallId>, at_ms: i64) -> Reply<'_, ()>;

    /// Somebody comes. Only the first who says so does, and only while the call is open and was opened after this moment;
    /// the audit line is written with it.
    fn answer_call(&self, answer: CallAnswer, audit: AuditEntry) -> Reply<'_, Answered>;

    /// Forgets calls that were opened before this moment; returns how many.
    fn forget_calls(&self, before_ms: i64) -> Reply<'_, u64>;
}

/// Which terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sites {
    /// All of them: a demo's own machine.
    All,
    /// These.
    Only(Vec<String>),
}

impl Sites {
    /// Whether this terminal is one of them.
    pub fn hold(&self, terminal: &str) -> bool {
        match self {
            Sites::All => true,
            Sites::Only(codes) => codes.iter().any(|code| code == terminal),
        }
    }
}

/// Names a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallId {
    /// Code of the terminal.
    pub terminal: String,
    /// What the terminal calls it.
    pub name: String,
}

/// A call as it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// Its name.
    pub id: CallId,
    /// Where the terminal stands.
    pub place: String,
    /// Kind of the page that is shown.
    pub page: String,
    /// Code of the item; empty when there is none.
    pub item: String,
    /// Language of the screen.
    pub language: String,
    /// Theme of the screen.
    pub theme: String,
    /// When, milliseconds since 1970 by the city's clock.
    pub opened_at_ms: i64,
}

/// A call as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// As it was opened.
    pub call: NewCall,
    /// When a keeper's page showed it first.
    pub heard_at_ms: Option<i64>,
    /// Who comes, and since when.
    pub answered: Option<(String, i64)>,
    /// When it was ended.
    pub ended_at_ms: Option<i64>,
}

/// "I am coming."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAnswer {
    /// To which call.
    pub id: CallId,
    /// Name of the keeper's account.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// It has to be opened after this moment.
    pub after_ms: i64,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It is the first one.
    Done,
    /// The call was answered before; by whom.
    Before(String),
    /// The call is over.
    Over,
}
