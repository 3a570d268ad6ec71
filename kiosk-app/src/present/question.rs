//! One question of the form, as its page shows it.

use crate::catalog::words;
use kiosk_core::session::Draft;
use kiosk_core::settings::Language;
use kiosk_ui::{Option as Choice, QuestionKind as ShownKind};
use service_catalog::{Question, QuestionKind};
use slint::SharedString;

/// The kind as the markup knows it.
pub fn kind(question: &Question) -> ShownKind {
    match question.kind {
        QuestionKind::Choice => ShownKind::Choice,
        QuestionKind::Choices => ShownKind::Choices,
        QuestionKind::Text => ShownKind::Text,
        QuestionKind::Phone => ShownKind::Phone,
        QuestionKind::Date => ShownKind::Date,
        QuestionKind::Photo => ShownKind::Photo,
    }
}

/// The options with the resident's choice.
pub fn options(question: &Question, draft: &Draft, language: Language) -> Vec<Choice> {
    question
        .options
        .iter()
        .map(|option| Choice {
            value: option.value.as_str().into(),
            label: words(&option.label, language).into(),
            chosen: draft.chosen.iter().any(|chosen| *chosen.expose() == option.value),
        })
        .collect()
}

/// The ready phrases.
pub fn phrases(question: &Question, language: Language) -> Vec<SharedString> {
    question.phrases.iter().map(|phrase| words(phrase, language).into()).collect()
}

/// How many characters still fit.
pub fn characters_left(question: &Question, draft: &Draft) -> i32 {
    let limit = question.max_chars.unwrap_or_default();
    let used = draft.text.expose().chars().count();
    i32::try_from(limit.saturating_sub(used)).unwrap_or(i32::MAX)
}
