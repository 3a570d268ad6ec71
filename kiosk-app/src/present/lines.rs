//! Label and value pairs: the person on the confirm page, person and answers on the check page.

use crate::catalog::{Catalog, words};
use kiosk_core::amount;
use kiosk_core::answers::Answer;
use kiosk_core::applicant::{Applicant, masked_number};
use kiosk_core::calendar::{self, Date};
use kiosk_core::session::{Session, Visit};
use kiosk_core::settings::Language;
use kiosk_ui::Line;
use service_catalog::{Question, QuestionKind};
use slint::SharedString;

/// A day as people of the language write it.
pub fn day(day: Date, language: Language) -> String {
    match language {
        Language::ZhHans | Language::ZhHant => {
            format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day())
        }
        Language::En => calendar::iso(day),
    }
}

/// What the card says, the number masked. `word` gives the markup's translation of a key ("name",
/// "sex", "sex-1", …): the words stand there, in every language.
pub fn person(applicant: &Applicant, language: Language, word: &dyn Fn(&str) -> SharedString) -> Vec<Line> {
    let born = applicant.birth.as_ref().and_then(|birth| calendar::from_iso(birth.expose()));
    let known = [
        ("name", applicant.name.as_ref().map(|name| name.expose().clone())),
        ("sex", applicant.sex.as_ref().map(|code| sex(code.expose(), word))),
        ("birth", born.map(|born| day(born, language))),
        ("number", Some(grouped(&masked_number(applicant.number.expose())))),
        ("address", applicant.address.as_ref().map(|address| address.expose().clone())),
    ];
    known
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)))
        .map(|(key, value)| Line {
            label: word(key),
            value: value.into(),
            field: key.into(),
            changeable: false,
        })
        .collect()
}

/// A number in the groups in which people read it: region, birth, the rest.
pub fn grouped(number: &str) -> String {
    let mut grouped = String::with_capacity(number.len() + 2);
    for (at, character) in number.chars().enumerate() {
        if at == 6 || at == 14 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

/// GB/T 2261.1. Never "not 1, so female".
fn sex(code: &str, word: &dyn Fn(&str) -> SharedString) -> String {
    let key = match code {
        "1" | "2" => format!("sex-{code}"),
        _ => "sex-unknown".to_owned(),
    };
    word(&key).into()
}

/// What only the markup has words for.
pub struct Wording<'a> {
    /// So many photos.
    pub photos: &'a dyn Fn(usize) -> SharedString,
    /// So many yuan.
    pub yuan: &'a dyn Fn(&str) -> SharedString,
}

/// The answers, each in the words of its question.
pub fn answers(session: &Session, catalog: &Catalog, wording: &Wording) -> Vec<Line> {
    let language = session.settings.language;
    let Some(visit) = &session.visit else { return Vec::new() };
    let Some(item) = catalog.item(&visit.item) else { return Vec::new() };
    item.questions.iter().filter_map(|question| answer_line(question, visit, language, wording)).collect()
}

fn answer_line(question: &Question, visit: &Visit, language: Language, wording: &Wording) -> Option<Line> {
    let id = kiosk_core::service::QuestionId(question.id.clone());
    let value = match visit.answers.get(&id) {
        Some(Answer::One(fen)) if question.kind == QuestionKind::Money => {
            let sum = fen.expose().parse().map(amount::yuan).unwrap_or_default();
            (wording.yuan)(&sum).into()
        }
        Some(Answer::Photos(taken)) => (wording.photos)(taken.len()).into(),
        Some(given) => plain_answer(question, given, language)?,
        None if visit.skipped.contains(&id) => "—".to_owned(),
        None => return None,
    };
    Some(Line {
        label: words(&question.label, language).into(),
        value: value.into(),
        field: question.id.as_str().into(),
        changeable: true,
    })
}

/// An answer that says itself what it is; `None` of photos and money, which need the markup's words.
pub fn plain_answer(question: &Question, given: &Answer, language: Language) -> Option<String> {
    match given {
        Answer::One(_) if question.kind == QuestionKind::Money => None,
        Answer::One(value) => Some(shown(question, value.expose(), language)),
        Answer::Many(values) => {
            let separator = if language == Language::En { ", " } else { "、" };
            let all = values.iter().map(|value| shown(question, value.expose(), language));
            Some(all.collect::<Vec<_>>().join(separator))
        }
        Answer::Address(address) => {
            let village = address.village.as_ref().map(|village| village.expose().as_str());
            Some(format!(
                "{} {}",
                area(question, address.town.expose(), village, language),
                address.rest.expose()
            ))
        }
        Answer::Photos(_) => None,
    }
}

/// Town and village in the resident's language.
pub fn area(question: &Question, town: &str, village: Option<&str>, language: Language) -> String {
    let town_words = question.areas.as_ref().and_then(|areas| areas.town(town));
    let village_words = village.and_then(|village| town_words?.village(village));
    let said = town_words.map_or(town, |town| words(&town.name, language));
    match village_words {
        Some(village) => format!("{said} {}", words(village, language)),
        None => said.to_owned(),
    }
}

/// A stored value as the resident reads it.
fn shown(question: &Question, value: &str, language: Language) -> String {
    match question.kind {
        QuestionKind::Choice | QuestionKind::Choices | QuestionKind::YesNo => question
            .options
            .iter()
            .find(|option| option.value == value)
            .map_or(value, |option| words(&option.label, language))
            .to_owned(),
        QuestionKind::Date => {
            calendar::from_iso(value).map_or_else(|| value.to_owned(), |d| day(d, language))
        }
        QuestionKind::Number => match &question.unit {
            Some(unit) => format!("{value} {}", words(unit, language)),
            None => value.to_owned(),
        },
        QuestionKind::Text
        | QuestionKind::Phone
        | QuestionKind::Photo
        | QuestionKind::Money
        | QuestionKind::Address => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn a_number_is_grouped_as_it_is_read() {
        assert_eq!(grouped("11010519491231002X"), "110105 19491231 002X");
        assert_eq!(grouped("110105"), "110105");
        assert_eq!(grouped(""), "");
    }
}
