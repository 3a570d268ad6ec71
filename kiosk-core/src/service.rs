//! 事项 as the session sees it: which questions there are and what counts as an answer. The words, and
//! the language that conditions are written in, stay outside.

use crate::address::Areas;
use crate::amount::Amount;
use crate::answers::Answers;
use crate::applicant::{Applicant, IdentificationWay};
use crate::calendar::Date;
use std::sync::Arc;

/// 实施编码: the stable code of a service item, such as `12345-appeal`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemCode(pub String);

/// The stable id of a question within its item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(pub String);

/// The shape of an item's journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Consent → identify → form → check → confirm → receipt.
    Submit,
    /// Consent → identify → choose → what the city says. While it cannot be asked, the request can be submitted.
    Fetch,
    /// A few questions → where to go. Nobody identifies, nothing is kept or sent.
    WhereToGo,
    /// What follows a case: (consent →) form → check → confirm → receipt. Its case's receipt is the proof.
    FollowUp(FollowUp),
    /// 一件事: other items, done one after the other.
    LifeEvent,
}

/// What follows a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FollowUp {
    /// 补正: what the city asked the resident for.
    Supplement,
    /// 撤回: the resident does not want it any more.
    Withdrawal,
}

/// A service item of the kiosk.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceItem {
    /// 实施编码.
    pub code: ItemCode,
    /// Version of the item's data.
    pub version: u32,
    /// The shape of its journey.
    pub shape: Shape,
    /// Version of the consent text that the resident agrees to; 0 where there is none.
    pub consent_version: u32,
    /// Ways to identify, at least one; none where nobody does.
    pub ways: Vec<IdentificationWay>,
    /// Whether a card past its last day will do.
    pub accepts_expired_card: bool,
    /// The form, in order.
    pub questions: Vec<Question>,
    /// Of each outcome of a where-to-go item: the queue of its window, when numbers of it are given here.
    pub queues: Vec<Option<String>>,
    /// Of a life event: the items that belong together.
    pub items: Vec<ItemCode>,
}

impl ServiceItem {
    /// The queue of this outcome's window.
    pub fn queue(&self, outcome: usize) -> Option<&str> {
        self.queues.get(outcome)?.as_deref()
    }

    /// The question with this id.
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }
}

/// One question of the form.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Stable id.
    pub id: QuestionId,
    /// What kind of answer it takes.
    pub kind: QuestionKind,
    /// Whether it must be answered.
    pub required: bool,
    /// What the card already says; then the question is not asked, only confirmed.
    pub prefill: Option<Prefill>,
}

/// Kinds of answer.
#[derive(Clone, Debug, PartialEq)]
pub enum QuestionKind {
    /// One of these values; a yes-no question has "yes" and "no".
    Choice(Vec<String>),
    /// Any of these values.
    Choices(Vec<String>),
    /// Free text of at most so many characters.
    Text {
        /// Limit in Unicode characters.
        max_chars: usize,
    },
    /// A telephone number.
    Phone,
    /// A day between two days, both included.
    Date {
        /// First day allowed.
        first: Option<DayLimit>,
        /// Last day allowed.
        last: Option<DayLimit>,
        /// No Saturdays and no Sundays.
        weekdays_only: bool,
    },
    /// Photos of papers, by the document camera.
    Photo {
        /// How many at most.
        most: usize,
    },
    /// A whole number within these limits.
    Number(Amount),
    /// A sum of money within these limits, in fen.
    Money(Amount),
    /// An address in one of these towns.
    Address(Arc<Areas>),
}

/// A limit for a date question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayLimit {
    /// This day.
    Fixed(Date),
    /// Today plus so many days (negative: before today).
    FromToday(i32),
}

impl DayLimit {
    /// The limit as a day.
    pub fn on(self, today: Date) -> Date {
        match self {
            DayLimit::Fixed(day) => day,
            DayLimit::FromToday(days) => crate::calendar::moved(today, 0, 0, days),
        }
    }
}

/// Which field of the card fills a question in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefill {
    /// Name on the card.
    Name,
    /// Number of the card.
    Number,
    /// Address on the card.
    Address,
}

/// What conditions may look at.
pub struct Facts<'a> {
    /// Answers so far.
    pub answers: &'a Answers,
    /// The applicant, once identified.
    pub applicant: Option<&'a Applicant>,
    /// The calendar day in China.
    pub today: Date,
}

/// The item's condition could not be evaluated: its data is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenCondition;

/// Answers the conditions of the catalog. The session never sees the language they are written in.
pub trait Conditions {
    /// Whether the question is asked, given what is known.
    fn is_asked(
        &self,
        item: &ItemCode,
        question: &QuestionId,
        facts: &Facts,
    ) -> Result<bool, BrokenCondition>;
    /// Whether the applicant is eligible for the item.
    fn is_eligible(&self, item: &ItemCode, facts: &Facts) -> Result<bool, BrokenCondition>;
    /// Which of the outcomes of a where-to-go item the answers lead to, from 0.
    fn outcome(&self, item: &ItemCode, facts: &Facts) -> Result<usize, BrokenCondition>;
}
