//! The things that pass through a [`super::DeskStore`].
//!
//! Deliberately absent: anything that says who a resident is beyond [`MaskedPerson`].

use std::fmt;

use crate::store::{Claimed, MaskedPerson};

/// Declares an enum whose members are words in the database.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $member,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The word in the database.
            pub fn code(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }

            /// Reads the word in the database.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.code() == code)
            }
        }
    };
}
pub(super) use words;

words! {
    /// What an operator is there for. One each; whoever decides about cases does not hand out accounts, and whoever
    /// checks does neither.
    Role {
        /// Gives out and takes back accounts.
        Administrator = "administrator",
        /// Reads and verifies the audit chain.
        Auditor = "auditor",
        /// Takes the cases of one department through their life.
        DepartmentWorker = "department_worker",
        /// Looks after records that could not be opened.
        Support = "support",
        /// Looks after the places where some terminals stand, and comes when somebody there asks for help. Knows nothing
        /// of cases.
        SiteKeeper = "site_keeper",
    }
}

words! {
    /// Where a case stands.
    CaseState {
        /// Nobody has decided about it.
        PreReview = "pre_review",
        /// The department has taken it on.
        Accepted = "accepted",
        /// The resident is asked for more.
        SupplementRequested = "supplement_requested",
        /// Given back undone.
        Returned = "returned",
        /// Done.
        Closed = "closed",
    }
}

words! {
    /// What an audit line is about.
    AuditAct {
        /// Signed in.
        SignIn = "sign_in",
        /// Tried to, and could not.
        SignInFailed = "sign_in_failed",
        /// Signed out.
        SignOut = "sign_out",
        /// An account was made.
        AccountAdded = "account_added",
        /// Password and code secret were made anew by an administrator.
        AccountReset = "account_reset",
        /// An account may not sign in any more.
        AccountDisabled = "account_disabled",
        /// It may again.
        AccountEnabled = "account_enabled",
        /// Role or department changed.
        RoleChanged = "role_changed",
        /// An operator chose a new password.
        PasswordChanged = "password_changed",
        /// A case went one step on.
        CaseStep = "case_step",
        /// The content of a case is about to be shown.
        Unmask = "unmask",
        /// A dead letter was put back on the opener's list.
        Retry = "retry",
        /// A record that was kept aside was given to the inbox.
        AsideReleased = "aside_released",
        /// A record that is kept aside was looked at, and stays there.
        AsideReviewed = "aside_reviewed",
        /// A keeper said that somebody is coming to a terminal.
        CallAnswered = "call_answered",
        /// Cases that no department had were put back, to be relayed anew.
        RelayReleased = "relay_released",
        /// A register was asked about somebody, and keeps nothing.
        NothingHeld = "nothing_held",
        /// A register was asked about somebody, and a document was issued.
        DocumentIssued = "document_issued",
        /// A document was taken back.
        DocumentRevoked = "document_revoked",
        /// The chain was verified.
        AuditVerified = "audit_verified",
        /// The content of a record was deleted by rule.
        Erased = "erased",
        /// Old audit lines were removed by rule.
        AuditPruned = "audit_pruned",
    }
}

words! {
    /// Why content is deleted.
    ErasureRule {
        /// Closed or returned long enough ago.
        FinishedCase = "finished_case",
        /// A dead letter nobody could help for long enough.
        DeadLetter = "dead_letter",
        /// In quarantine long enough.
        Quarantine = "quarantine",
    }
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorRow {
    /// Name to sign in with: small letters, digits, `.`, `-`.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Whose cases; for department workers only.
    pub department: Option<String>,
    /// Codes of the terminals that are kept; for site keepers only.
    pub sites: Vec<String>,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// Secret of the time-based codes.
    pub code_secret: Vec<u8>,
    /// Time step of the last code that was used; 0 before the first.
    pub code_step: i64,
    /// Whether the password was given by somebody else and must be replaced first.
    pub must_change: bool,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// Raised by every change; sessions of an earlier version have ended.
    pub version: i64,
    /// When it was made, milliseconds since 1970.
    pub created_at_ms: i64,
}

impl fmt::Debug for OperatorRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorRow")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What an account is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The role.
    pub role: Role,
    /// Whose cases; for department workers only.
    pub department: Option<String>,
    /// Which terminals; for site keepers only.
    pub sites: Vec<String>,
}

impl From<Role> for Duty {
    /// A role that needs nothing beside it.
    fn from(role: Role) -> Self {
        Self { role, department: None, sites: Vec::new() }
    }
}

/// A change of an account.
#[derive(Clone, PartialEq, Eq)]
pub enum OperatorChange {
    /// A new password and, when an administrator resets the account, a new code secret.
    Secrets {
        /// Argon2id, as a PHC string.
        password_hash: String,
        /// The new code secret; the old one stays when absent.
        code_secret: Option<Vec<u8>>,
        /// Whether the password must be replaced at the next sign-in.
        must_change: bool,
    },
    /// What the account is there for.
    Duty(Duty),
    /// Whether it may sign in.
    Disabled(bool),
}

impl fmt::Debug for OperatorChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorChange")
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Done.
    Done,
    /// Somebody else changed it first, or there is no such thing.
    Stale,
}

/// An operator's session.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the token in the cookie, in hex.
    pub token_hash: String,
    /// Whose it is.
    pub operator: String,
    /// Version of the account when it signed in.
    pub operator_version: i64,
    /// What a form must repeat.
    pub form_token: String,
    /// When it began, milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was last used, give or take a minute.
    pub seen_at_ms: i64,
}

impl fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRow").field("operator", &self.operator).finish_non_exhaustive()
    }
}

/// Names a case: the terminal first, so that tables can be divided by it. Survives a restore, unlike a count of
/// arrivals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseKey {
    /// Code of the terminal.
    pub terminal: String,
    /// UUID of the record.
    pub case_id: String,
}

/// Some of the service items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemSet {
    /// These.
    Only(Vec<String>),
    /// All others.
    AllBut(Vec<String>),
}

/// Which cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFilter {
    /// Before this arrival.
    pub before: i64,
    /// Of these items; every set has to hold it.
    pub items: Vec<ItemSet>,
    /// In one of these states; in any, when empty.
    pub states: Vec<CaseState>,
    /// Received at or after, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Received before.
    pub until_ms: Option<i64>,
    /// With exactly this number.
    pub case_number: Option<String>,
}

impl Default for CaseFilter {
    fn default() -> Self {
        Self {
            before: i64::MAX,
            items: Vec::new(),
            states: Vec::new(),
            from_ms: None,
            until_ms: None,
            case_number: None,
        }
    }
}

/// A case as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// Order of arrival.
    pub id: i64,
    /// Its name.
    pub key: CaseKey,
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Hash of the ciphertext.
    pub sha256: String,
    /// When it arrived.
    pub received_at_ms: i64,
    /// Who asked, masked.
    pub person: MaskedPerson,
    /// Where it stands.
    pub state: CaseState,
    /// How many steps it has made.
    pub version: i64,
    /// When it made the last one; when it was opened, before the first.
    pub changed_at_ms: i64,
    /// When its content was deleted, and why.
    pub erased: Option<(i64, ErasureRule)>,
}

/// One step of a case, decided on a state and a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseStep {
    /// Which case.
    pub key: CaseKey,
    /// The version it was decided on.
    pub version: i64,
    /// The state it was decided on.
    pub from: CaseState,
    /// The new state.
    pub to: CaseState,
    /// Who.
    pub operator: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Why, as a word.
    pub reason: String,
    /// What the resident reads; may be empty.
    pub note: String,
}

/// One step that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Which one, from 1.
    pub version: i64,
    /// From where.
    pub from: CaseState,
    /// To where.
    pub to: CaseState,
    /// By whom.
    pub operator: String,
    /// When.
    pub at_ms: i64,
    /// Why, as a word.
    pub reason: String,
    /// What the resident reads; empty when there was none, or when it was deleted by rule.
    pub note: String,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// Made; the case has this version now.
    Done(i64),
    /// Somebody else was first.
    Stale,
    /// There is no such case.
    Missing,
}

/// How many cases ask for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenWork {
    /// Before review.
    pub pre_review: u64,
    /// Taken on.
    pub accepted: u64,
    /// Waiting for the resident.
    pub supplement_requested: u64,
}

/// Where a case stands, for the resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressRow {
    /// Code of the service item.
    pub item: String,
    /// When it arrived.
    pub received_at_ms: i64,
    /// Where it stands.
    pub state: CaseState,
    /// Since when.
    pub changed_at_ms: i64,
    /// Why, as a word; absent before the first step.
    pub reason: Option<String>,
    /// What the department says; may be empty.
    pub note: String,
}

/// A case with its sealed content.
#[derive(Clone)]
pub struct SealedCase {
    /// What the opener takes.
    pub record: Claimed,
    /// Which item decides whose it is.
    pub item: String,
}

/// A line of the audit chain before it has a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Name of the operator's account; `console` for the command line, `gateway` for the gateway itself, `-` for
    /// somebody unknown. Never what somebody typed.
    pub actor: String,
    /// Network address of the operator's machine; empty when there is none.
    pub address: String,
    /// What.
    pub act: AuditAct,
    /// To what: an account's name, or `terminal/case id`.
    pub subject: String,
    /// Words of our own about it.
    pub detail: String,
}

/// A line of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// The line.
    pub entry: AuditEntry,
    /// Hash over the line and the hash before it, in hex.
    pub hash: String,
}

/// Both ends of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of the last line removed by rule; 0 when all are there.
    pub base_seq: i64,
    /// Its hash, from which the chain goes on.
    pub base_hash: String,
    /// Number of the last line.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// The moments before which something is to be deleted; absent: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// Cases finished before.
    pub finished_ms: Option<i64>,
    /// Dead letters decided before.
    pub dead_letters_ms: Option<i64>,
    /// Quarantine received before.
    pub quarantine_ms: Option<i64>,
    /// Audit lines written before.
    pub audit_ms: Option<i64>,
}

/// How much is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// Finished cases.
    pub finished: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Records in quarantine.
    pub quarantine: u64,
    /// Audit lines.
    pub audit: u64,
}
