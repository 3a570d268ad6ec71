//! One question of the form, as its page shows it.

use crate::catalog::{Catalog, words};
use kiosk_core::amount;
use kiosk_core::session::{AddressStage, Draft, Page, Session};
use kiosk_core::settings::Language;
use kiosk_ui::{Option as Choice, QuestionKind as ShownKind};
use service_catalog::{Question, QuestionKind};
use slint::SharedString;

/// The kind as the markup knows it. The rest of an address is written like any text.
pub fn kind(question: &Question, draft: &Draft) -> ShownKind {
    match question.kind {
        // Towns are many, and stand as those of an address do.
        QuestionKind::Choice if question.areas.is_some() => ShownKind::Address,
        QuestionKind::Choice => ShownKind::Choice,
        QuestionKind::Choices => ShownKind::Choices,
        QuestionKind::Text => ShownKind::Text,
        QuestionKind::Phone => ShownKind::Phone,
        QuestionKind::Date => ShownKind::Date,
        QuestionKind::Photo => ShownKind::Photo,
        QuestionKind::YesNo => ShownKind::YesNo,
        QuestionKind::Number => ShownKind::Number,
        QuestionKind::Money => ShownKind::Money,
        QuestionKind::Address if draft.address.stage == AddressStage::Rest => ShownKind::Text,
        QuestionKind::Address => ShownKind::Address,
    }
}

/// The options with the resident's choice; of an address the towns, or the villages of the one that was chosen.
pub fn options(question: &Question, draft: &Draft, language: Language) -> Vec<Choice> {
    if question.kind == QuestionKind::Address {
        return areas(question, draft, language);
    }
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

fn areas(question: &Question, draft: &Draft, language: Language) -> Vec<Choice> {
    let Some(areas) = &question.areas else { return Vec::new() };
    let address = &draft.address;
    let town = address.town.as_ref().and_then(|name| areas.town(name.expose()));
    let (names, chosen): (Vec<_>, _) = match address.stage {
        AddressStage::Town => (areas.towns.iter().map(|town| &town.name).collect(), &address.town),
        AddressStage::Village => {
            (town.into_iter().flat_map(|town| &town.villages).collect(), &address.village)
        }
        AddressStage::Rest => return Vec::new(),
    };
    let is_chosen = |name: &str| chosen.as_ref().is_some_and(|chosen| chosen.expose() == name);
    let option = |name: &service_catalog::Text| Choice {
        value: name.zh_hans.as_str().into(),
        label: words(name, language).into(),
        chosen: is_chosen(&name.zh_hans),
    };
    names.into_iter().map(option).collect()
}

/// What of an address is asked for: 0 the town, 1 the village, 2 the rest; -1 where a town is all.
pub fn stage(question: &Question, draft: &Draft) -> i32 {
    if question.kind != QuestionKind::Address && question.areas.is_some() {
        return -1;
    }
    match draft.address.stage {
        AddressStage::Town => 0,
        AddressStage::Village => 1,
        AddressStage::Rest => 2,
    }
}

/// Town and village as far as they were chosen, in the resident's language.
pub fn area(question: &Question, draft: &Draft, language: Language) -> String {
    let address = &draft.address;
    let village = address.village.as_ref().map(|village| village.expose().as_str());
    let town = address.town.as_ref().map(|town| town.expose().as_str()).unwrap_or_default();
    super::lines::area(question, town, village, language)
}

/// What a number or a sum may be, where the one that was typed may not.
pub fn allowed(session: &Session, catalog: &Catalog) -> Option<String> {
    let Page::Question(draft) = &session.page else { return None };
    let question = catalog.question(&session.visit.as_ref()?.item, &draft.question)?;
    let limits = question.amount?;
    Some(match question.kind {
        QuestionKind::Money => format!("{} – {}", amount::yuan(limits.least), amount::yuan(limits.most)),
        _ => format!("{} – {}", limits.least, limits.most),
    })
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
