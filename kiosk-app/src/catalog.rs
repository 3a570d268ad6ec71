//! The border between the catalog's items (words, CEL) and the session's items (structure only).

use kiosk_core::answers::{Answer, Answers};
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::calendar::Date;
use kiosk_core::service as core;
use kiosk_core::service::{BrokenCondition, Conditions, ItemCode, QuestionId};
use kiosk_core::settings::Language;
use serde_json::{Map, Value};
use service_catalog as data;
use std::path::Path;

/// The catalog as this process has loaded it, pinned until the next start.
pub struct Catalog {
    /// The items with their words.
    data: data::Catalog,
    /// The same items, in the same order, as the session sees them.
    items: Vec<core::ServiceItem>,
}

impl Catalog {
    /// Loads the folder. Broken items are left out and counted; a missing folder is an empty catalog.
    pub fn load(folder: &Path) -> Catalog {
        let data = data::Catalog::load(folder);
        for rejected in &data.rejected {
            tracing::error!(file = %rejected.file, line = rejected.line, reason = %rejected.reason, "a service item is hidden");
        }
        let items = data.items.iter().map(item_of).collect();
        Catalog { data, items }
    }

    /// Version of the whole catalog.
    pub fn version(&self) -> &str {
        &self.data.version
    }

    /// How many items are hidden because their data is broken.
    pub fn hidden(&self) -> usize {
        self.data.rejected.len()
    }

    /// The items as the session sees them.
    pub fn items(&self) -> &[core::ServiceItem] {
        &self.items
    }

    /// The items with their words, in the order of the home screen.
    pub fn words(&self) -> &[data::ServiceItem] {
        &self.data.items
    }

    /// One item with its words.
    pub fn item(&self, code: &ItemCode) -> Option<&data::ServiceItem> {
        self.data.items.iter().find(|item| item.code == code.0)
    }

    /// One question with its words.
    pub fn question(&self, code: &ItemCode, id: &QuestionId) -> Option<&data::Question> {
        self.item(code)?.questions.iter().find(|question| question.id == id.0)
    }
}

/// A text in the resident's language.
pub fn words(text: &data::Text, language: Language) -> &str {
    text.get(match language {
        Language::ZhHans => data::Language::ZhHans,
        Language::ZhHant => data::Language::ZhHant,
        Language::En => data::Language::En,
    })
}

/// The kinds of document are the same in both crates; this is where they meet.
pub fn document_of(kind: DocumentKind) -> data::Document {
    match kind {
        DocumentKind::ResidentIdCard => data::Document::ResidentIdCard,
        DocumentKind::HmtResidencePermit => data::Document::HmtResidencePermit,
        DocumentKind::Foreigner2017 => data::Document::Foreigner2017,
        DocumentKind::Foreigner2023 => data::Document::Foreigner2023,
    }
}

impl Conditions for Catalog {
    fn is_asked(
        &self,
        item: &ItemCode,
        question: &QuestionId,
        facts: &core::Facts,
    ) -> Result<bool, BrokenCondition> {
        let item = self.item(item).ok_or(BrokenCondition)?;
        item.is_asked(&question.0, &facts_of(facts)).map_err(|error| broken(&item.code, &error))
    }

    fn is_eligible(&self, item: &ItemCode, facts: &core::Facts) -> Result<bool, BrokenCondition> {
        let item = self.item(item).ok_or(BrokenCondition)?;
        item.is_eligible(&facts_of(facts)).map_err(|error| broken(&item.code, &error))
    }
}

fn broken(item: &str, error: &data::ConditionError) -> BrokenCondition {
    tracing::error!(item, %error, "a condition of the catalog cannot be evaluated");
    BrokenCondition
}

fn facts_of(facts: &core::Facts) -> data::Facts {
    data::Facts {
        answers: answers_as_json(facts.answers),
        applicant: facts
            .applicant
            .map(|applicant| applicant_facts(applicant, facts.today))
            .unwrap_or_default(),
        today: facts.today,
    }
}

fn applicant_facts(applicant: &Applicant, today: Date) -> data::ApplicantFacts {
    data::ApplicantFacts { age: applicant.age_on(today), document: Some(document_of(applicant.document)) }
}

/// Answers as the submission and the conditions hold them.
pub fn answers_as_json(answers: &Answers) -> Map<String, Value> {
    let value_of = |answer: &Answer| match answer {
        Answer::One(text) => Value::from(text.expose().clone()),
        Answer::Many(chosen) => chosen.iter().map(|value| Value::from(value.expose().clone())).collect(),
    };
    answers.iter().map(|(id, answer)| (id.0.clone(), value_of(answer))).collect()
}

fn item_of(item: &data::ServiceItem) -> core::ServiceItem {
    let ways = item
        .identify
        .ways
        .iter()
        .map(|way| match way {
            data::Way::IdCard => IdentificationWay::IdCard,
            data::Way::Typed => IdentificationWay::Typed,
        })
        .collect();
    core::ServiceItem {
        code: ItemCode(item.code.clone()),
        version: item.version,
        consent_version: item.consent.version,
        ways,
        accepts_expired_card: item.identify.accepts_expired_card,
        questions: item.questions.iter().map(question_of).collect(),
    }
}

fn question_of(question: &data::Question) -> core::Question {
    let values = || question.options.iter().map(|option| option.value.clone()).collect();
    let limit = |limit: data::DayLimit| match limit {
        data::DayLimit::Fixed(day) => core::DayLimit::Fixed(day),
        data::DayLimit::FromToday(days) => core::DayLimit::FromToday(days),
    };
    core::Question {
        id: QuestionId(question.id.clone()),
        kind: match question.kind {
            data::QuestionKind::Choice => core::QuestionKind::Choice(values()),
            data::QuestionKind::Choices => core::QuestionKind::Choices(values()),
            data::QuestionKind::Text => {
                core::QuestionKind::Text { max_chars: question.max_chars.unwrap_or(TEXT_CHARS_DEFAULT) }
            }
            data::QuestionKind::Phone => core::QuestionKind::Phone,
            data::QuestionKind::Date => core::QuestionKind::Date {
                first: question.not_before.map(limit),
                last: question.not_after.map(limit),
            },
        },
        required: question.required,
        prefill: question.prefill.map(|source| match source {
            data::Prefill::Name => core::Prefill::Name,
            data::Prefill::Number => core::Prefill::Number,
            data::Prefill::Address => core::Prefill::Address,
        }),
    }
}

/// A text question without a limit of its own.
const TEXT_CHARS_DEFAULT: usize = 200;
