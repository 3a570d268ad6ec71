//! Live questions: what a resident asks while standing there, and nobody needs to keep. The question is sealed to the
//! city and the answer to a key that lives as long as the session, so the agent between them relays two ciphertexts
//! and can read neither. Losing one loses nothing: the kiosk says that the city cannot be asked just now.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use crate::submission::wipe;
use crate::{ProtocolError, limits};

/// Body of `POST /v1/query`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRequest {
    /// Version of this protocol.
    pub version: u16,
    /// Names this question; the answer repeats it. A UUID.
    pub ticket: String,
    /// How long the terminal will still wait, in milliseconds; the city gives up after it.
    pub within_ms: u32,
    /// age file with a [`Question`] for the city, in base64 (RFC 4648, padded).
    pub question: String,
}

/// Body of a 200 to `POST /v1/query`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryReply {
    /// The question's ticket.
    pub ticket: String,
    /// age file with an [`Answer`] for the session's key, in base64.
    pub answer: String,
}

/// What is inside the question's seal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The ticket of the request, so that a question cannot be put under another one.
    pub ticket: String,
    /// Code of the terminal that asks.
    pub terminal: String,
    /// age recipient of the session, `age1…`.
    pub reply_to: String,
    /// What is asked.
    pub body: QuestionBody,
}

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QuestionBody {
    /// Does the whole way to the city's opener and back work?
    Reach,
    /// How is this case getting on? The verification code is the proof that the asker holds the receipt.
    CaseProgress {
        /// Case number as printed.
        case_number: String,
        /// Verification code as printed.
        verification: String,
    },
    /// What an item fetches from a department's register, for instance a certificate.
    Fetch(Box<FetchQuestion>),
    /// A resident asks for somebody: ring the keeper of this terminal's place. Nothing of it says who stands there. The
    /// same call again changes nothing, so that it can be repeated until an answer comes.
    CallKeeper(KeeperCall),
    /// How does this call stand? Asked while it is open.
    CallKeeperState {
        /// Name of the call.
        call: String,
    },
    /// Nobody has to come any more: the resident said so, or has left.
    CallKeeperCancelled {
        /// Name of the call.
        call: String,
    },
    /// A number of a window's queue, today.
    QueueTicket {
        /// Names this request; made by the terminal. The same one again is the same number.
        request: String,
        /// Name of the queue, as the catalog has it.
        queue: String,
    },
    /// From a newer terminal.
    #[serde(other)]
    Unknown,
}

/// What is asked of a department's register, and for whom. Wipes itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchQuestion {
    /// Code of the service item, of the shape `fetch`.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Version of the consent text the resident agreed to.
    pub consent_version: u32,
    /// Language the resident uses: `zh-Hans`, `zh-Hant` or `en`.
    pub language: String,
    /// How the resident identified, as in [`crate::Submission::identification`].
    pub identification: String,
    /// Who asks, as in [`crate::Submission::applicant`].
    pub applicant: Map<String, Value>,
    /// Answers by question id, as in [`crate::Submission::answers`].
    pub answers: Map<String, Value>,
}

impl Drop for FetchQuestion {
    fn drop(&mut self) {
        self.applicant.values_mut().chain(self.answers.values_mut()).for_each(wipe);
    }
}

/// What a keeper reads of a call, all of it the machine's own words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperCall {
    /// Names the call; made by the terminal, and never again for another one.
    pub call: String,
    /// Where the terminal stands, in the words of its configuration.
    pub place: String,
    /// Which kind of page is shown, one word: `home`, `question`.
    pub page: String,
    /// Code of the item that is being done; empty when none is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub item: String,
    /// Language of the screen: `zh-Hans`, `zh-Hant`, `en`.
    pub language: String,
    /// Theme of the screen: `standard`, `senior`.
    pub theme: String,
}

/// A number of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueTicket {
    /// As it is shown and called: `A023`.
    pub number: String,
    /// The day on which it is good, `2026-11-22`.
    pub day: String,
    /// How many wait before it, when the window tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
}

/// How a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeeperCallState {
    /// The city keeps it; no keeper's page has shown it yet.
    Ringing,
    /// A keeper's page shows it, and rings.
    Heard,
    /// A keeper said "I am coming".
    Coming,
    /// It is over: nobody answered in its time, it was cancelled, or there is no such call.
    Over,
}

/// What is inside the answer's seal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's ticket.
    pub ticket: String,
    /// Clock of the city, milliseconds since 1970.
    pub server_time_ms: i64,
    /// What is answered.
    pub body: AnswerBody,
}

/// What can be answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerBody {
    /// To [`QuestionBody::Reach`].
    Reached,
    /// To [`QuestionBody::CaseProgress`].
    CaseProgress(CaseProgress),
    /// To [`QuestionBody::Fetch`].
    Fetched(Box<Fetched>),
    /// To [`QuestionBody::Fetch`]: the register keeps nothing about this person.
    NothingHeld,
    /// To [`QuestionBody::Fetch`]: the department cannot be asked now.
    DepartmentAway,
    /// To [`QuestionBody::CallKeeper`] and what is asked about a call afterwards.
    KeeperCall {
        /// How it stands.
        state: KeeperCallState,
    },
    /// To [`QuestionBody::QueueTicket`].
    QueueTicket(QueueTicket),
    /// No such case, or the code is wrong: the two are not told apart. Or no such queue.
    NotFound,
    /// The city knows the question but cannot answer it now.
    NotNow,
    /// The city does not know this kind of question.
    NotKnown,
}

/// 查询结果: what a register keeps about a person, as raw values that the catalog has words for, and the document that
/// the city made of it. Wipes itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Code of the service item.
    pub item: String,
    /// Number of the document, as printed on it.
    pub number: String,
    /// When it was issued, milliseconds since 1970 by the city's clock.
    pub issued_at_ms: i64,
    /// Values by the keys of the item's `fetch.facts`.
    pub facts: BTreeMap<String, String>,
    /// Rows, each with values by the keys of the item's `fetch.columns`.
    pub rows: Vec<BTreeMap<String, String>>,
    /// The address behind the document's QR code, with the city's signature in it.
    pub address: String,
    /// The document, a PDF in base64.
    pub pdf: String,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        self.facts
            .values_mut()
            .chain(self.rows.iter_mut().flat_map(BTreeMap::values_mut))
            .for_each(Zeroize::zeroize);
        self.address.zeroize();
        self.pdf.zeroize();
    }
}

/// How a case is getting on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseProgress {
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Where it stands now.
    pub state: ProgressState,
    /// How it came there, oldest first.
    pub steps: Vec<ProgressStep>,
}

/// One step of a case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressStep {
    /// Where it came to.
    pub state: ProgressState,
    /// When, milliseconds since 1970 by the city's clock.
    pub at_ms: i64,
    /// Why, as the city's word for programs (`missing_material`), so that a screen says it in its own language; empty
    /// when there is none to give.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the department writes to the resident; may be empty.
    pub note: String,
}

/// The life of a case at a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgressState {
    /// The city holds it; nobody has looked at it yet.
    PreReview,
    /// A department took it up.
    Accepted,
    /// The resident is asked for more.
    SupplementRequested,
    /// Given back with a reason.
    Returned,
    /// Done.
    Closed,
}

macro_rules! json_within_limit {
    ($name:ident, $what:literal, $limit:expr) => {
        impl $name {
            /// As it is sealed.
            pub fn to_plaintext(&self) -> zeroize::Zeroizing<Vec<u8>> {
                zeroize::Zeroizing::new(serde_json::to_vec(self).expect("strings, numbers and lists"))
            }

            /// Reads what was sealed.
            pub fn from_plaintext(bytes: &[u8]) -> Result<Self, ProtocolError> {
                if bytes.len() > $limit {
                    return Err(ProtocolError::TooLarge { what: $what, limit: $limit });
                }
                serde_json::from_slice(bytes).map_err(|_| ProtocolError::BadJson($what))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("ticket", &self.ticket).finish_non_exhaustive()
            }
        }
    };
}

json_within_limit!(Question, "question", limits::MAX_QUERY);
json_within_limit!(Answer, "answer", limits::MAX_ANSWER);

impl fmt::Debug for QueryRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryRequest").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl fmt::Debug for QueryReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryReply").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
