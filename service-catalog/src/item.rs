//! A service item as the kiosk and the gateway use it: already checked, nothing optional by accident.

use crate::amount::Amount;
use crate::areas::Areas;
use crate::condition::{Condition, ConditionError, Facts, Known};
use crate::day::DayLimit;
use crate::fetch::Fetch;
use crate::outcome::Outcome;
use crate::text::Text;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 事项: one thing that residents come for.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceItem {
    /// 实施编码, the same as the file's name, such as `12345-appeal`.
    pub code: String,
    /// Version of the item, raised with every change of the form.
    pub version: u32,
    /// The shape of the journey.
    pub shape: Shape,
    /// Place on the home screen, small first.
    pub order: u32,
    /// Whether it can be done while the network is down.
    pub works_offline: bool,
    /// Name of the item.
    pub title: Text,
    /// One line about it.
    pub summary: Text,
    /// 办事指南.
    pub guide: Guide,
    /// What the resident agrees to before anything is collected; nothing where nothing is.
    pub consent: Option<Consent>,
    /// How the resident identifies.
    pub identify: Identify,
    /// Who may use the item; asked as soon as the age is known, before the form.
    pub eligibility: Option<Eligibility>,
    /// The form, in order.
    pub questions: Vec<Question>,
    /// What is fetched, of [`Shape::Fetch`].
    pub fetch: Option<Fetch>,
    /// Where it leads, of [`Shape::WhereToGo`]: the first that holds.
    pub outcomes: Vec<Outcome>,
    /// Codes of the items that belong together, of [`Shape::LifeEvent`], in the order in which most people do them.
    pub items: Vec<String>,
}

/// The shape of an item's journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Identify → consent → form → check → confirm → receipt.
    Submit,
    /// Identify → consent → choose → ask the city → what the register says, on screen and on paper. While the city
    /// cannot be asked, the same request can be submitted as a case.
    Fetch,
    /// A few questions → what can be done, what to bring, which window. Nobody identifies and nothing is kept.
    WhereToGo,
    /// What follows a case: the holder of its receipt begins it there, and nobody identifies again. No tile of the home
    /// screen.
    FollowUp(FollowUp),
    /// 一件事: what an event of a life, such as retiring, brings with it. Other items, done one after the other by a
    /// person who identifies once; it collects nothing of its own.
    LifeEvent,
}

impl Shape {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Shape::Submit => "submit",
            Shape::Fetch => "fetch",
            Shape::WhereToGo => "where-to-go",
            Shape::FollowUp(_) => "follow-up",
            Shape::LifeEvent => "life-event",
        }
    }

    /// What the item follows a case with, if it does.
    pub fn follows(self) -> Option<FollowUp> {
        match self {
            Shape::FollowUp(follows) => Some(follows),
            Shape::Submit | Shape::Fetch | Shape::WhereToGo | Shape::LifeEvent => None,
        }
    }
}

/// What follows a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowUp {
    /// 补正: what the city asked the resident for.
    Supplement,
    /// 撤回: the resident does not want it any more.
    Withdrawal,
}

impl FollowUp {
    /// Both.
    pub const ALL: [FollowUp; 2] = [FollowUp::Supplement, FollowUp::Withdrawal];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            FollowUp::Supplement => "supplement",
            FollowUp::Withdrawal => "withdrawal",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<FollowUp> {
        FollowUp::ALL.into_iter().find(|follows| follows.word() == word)
    }
}

/// 办事指南: what a resident wants to know before starting.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// What it is.
    pub what: Text,
    /// What to bring.
    pub bring: Vec<Text>,
    /// How long it takes.
    pub time: Text,
    /// Who handles it.
    pub department: Text,
    /// What it costs.
    pub fee: Text,
}

/// What the resident agrees to.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// Version of these words, raised with every change of them.
    pub version: u32,
    /// What the data is for.
    pub purpose: Text,
    /// Which data.
    pub data: Vec<Text>,
    /// How long it is kept.
    pub retention: Text,
    /// What to do instead when one does not agree.
    pub refusal: Text,
}

/// How the resident identifies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identify {
    /// Ways offered, at least one; none where nobody identifies.
    pub ways: Vec<Way>,
    /// Whether a card past its last day will do.
    pub accepts_expired_card: bool,
}

/// A way to identify. Biometrics are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// An ID card on its reader.
    IdCard,
    /// A social-security card in its reader.
    SocialSecurityCard,
    /// The number typed on the screen.
    Typed,
}

/// Who may use an item, and what the others do instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Eligibility {
    /// True for those who may.
    pub when: Condition,
    /// For the others: why not, and where to go.
    pub otherwise: Text,
}

/// One question of the form: one page in the elder-care version.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Stable id, the key of the answer.
    pub id: String,
    /// Kind of answer.
    pub kind: QuestionKind,
    /// The question.
    pub label: Text,
    /// A line of help under it.
    pub hint: Option<Text>,
    /// Whether it must be answered when it is asked.
    pub required: bool,
    /// What to choose from (choice and choices); yes and no (yes-no).
    pub options: Vec<Choice>,
    /// Where the options come from, when the file does not list them (choice).
    pub options_from: Option<OptionsFrom>,
    /// Ready sentences to touch instead of writing (text).
    pub phrases: Vec<Text>,
    /// Limit in Unicode characters (text).
    pub max_chars: Option<usize>,
    /// How many photos at most (photo).
    pub max_photos: Option<usize>,
    /// What is allowed (number, money).
    pub amount: Option<Amount>,
    /// What is counted, such as 人 (number).
    pub unit: Option<Text>,
    /// What to choose from (address, and a choice of towns); set once the catalog's areas are known.
    pub areas: Option<Arc<Areas>>,
    /// First day allowed (date).
    pub not_before: Option<DayLimit>,
    /// Last day allowed (date).
    pub not_after: Option<DayLimit>,
    /// Whether Saturdays and Sundays are not allowed (date).
    pub weekdays_only: bool,
    /// What the card already says (text, address).
    pub prefill: Option<Prefill>,
    /// When it is asked; always, if absent.
    pub visible_when: Option<Condition>,
}

/// Options that the catalog has anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionsFrom {
    /// The towns of `areas.toml`.
    Towns,
}

/// Kinds of answer. In JSON: a string, a list of strings for [`QuestionKind::Choices`], a list of
/// `{ "sha256", "bytes" }` for [`QuestionKind::Photo`], or `{ "town", "village", "rest" }` for
/// [`QuestionKind::Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// One option.
    Choice,
    /// Any of the options.
    Choices,
    /// Free text.
    Text,
    /// A telephone number.
    Phone,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// Photos of papers, named by hash and size: the files are attachments of the case.
    Photo,
    /// `yes` or `no`.
    YesNo,
    /// A whole number, in digits.
    Number,
    /// A sum of money, in digits: whole fen.
    Money,
    /// A town of the city, perhaps a village of it, and the rest as written.
    Address,
}

impl QuestionKind {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            QuestionKind::Choice => "choice",
            QuestionKind::Choices => "choices",
            QuestionKind::Text => "text",
            QuestionKind::Phone => "phone",
            QuestionKind::Date => "date",
            QuestionKind::Photo => "photo",
            QuestionKind::YesNo => "yes-no",
            QuestionKind::Number => "number",
            QuestionKind::Money => "money",
            QuestionKind::Address => "address",
        }
    }
}

/// One option of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Stable value: it is stored and sent, the label is only shown.
    pub value: String,
    /// What the resident reads.
    pub label: Text,
}

/// Which field of the card fills a question in; the resident only confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Prefill {
    /// Name on the card.
    #[serde(rename = "card.name")]
    Name,
    /// Number of the card.
    #[serde(rename = "card.number")]
    Number,
    /// Address on the card.
    #[serde(rename = "card.address")]
    Address,
}

impl ServiceItem {
    /// The question with this id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Whether the question is asked, given the answers so far. The answer of a hidden question
    /// counts as not given, so hiding one question also hides what hangs on it.
    pub fn is_asked(&self, id: &str, facts: &Facts) -> Result<bool, ConditionError> {
        self.is_asked_given(id, &facts.known())
    }

    pub(crate) fn is_asked_given(&self, id: &str, facts: &Known) -> Result<bool, ConditionError> {
        let Some(question) = self.question(id) else { return Ok(false) };
        let Some(condition) = &question.visible_when else { return Ok(true) };
        self.holds_given(condition, facts)
    }

    /// Whether a condition holds when what is hidden counts as not answered.
    pub(crate) fn holds_given(&self, condition: &Condition, facts: &Known) -> Result<bool, ConditionError> {
        let mut hidden: Vec<&str> = Vec::new();
        // A condition looks at earlier questions only, so this ends.
        for earlier in condition.questions() {
            if !self.is_asked_given(earlier, facts)? {
                hidden.push(earlier);
            }
        }
        condition.holds_without(facts, &hidden)
    }

    /// Whether the applicant may use the item. Unknown facts (a typed number without a known age) are
    /// an error, so that nobody is refused by a guess.
    pub fn is_eligible(&self, facts: &Facts) -> Result<bool, ConditionError> {
        self.eligibility.as_ref().map_or(Ok(true), |eligibility| eligibility.when.holds(facts))
    }
}
