//! From the file to the item: every rule that a well-formed file must still keep. The length limits
//! come from the screen: 1080 px wide at 0.248 mm, capitals 4.8 mm high, one page, no scrolling.

use crate::amount::Amount;
use crate::applicant::{ADDRESS_MAX_CHARS, NAME_MAX_CHARS, NUMBER_MAX_CHARS};
use crate::areas::REST_MAX_CHARS;
use crate::condition::Condition;
use crate::day::DayLimit;
use crate::fetch_rules::fetch;
use crate::file::{
    ChoiceFile, ConsentFile, EligibilityFile, GuideFile, IdentifyFile, ItemFile, QuestionFile,
};
use crate::item::{
    Choice, Consent, Eligibility, Guide, Identify, Prefill, Question, QuestionKind, ServiceItem, Shape,
};
use crate::outcome_rules::outcomes;
use crate::problem::{Fault, ItemProblem};
use crate::shape_rules::{consent_fits_questions, parts_fit_shape, question_fits_shape, shape};
use crate::text::{Language, Text};
use std::ops::Range;
use toml::Spanned;

/// What a text is called, and how many characters fit: Chinese ones, and letters in English.
pub(crate) struct Room(pub(crate) &'static str, pub(crate) usize, pub(crate) usize);

const TITLE: Room = Room("title", 14, 36);
const SUMMARY: Room = Room("summary", 30, 75);
const WHAT: Room = Room("guide.what", 90, 250);
const BRING: Room = Room("guide.bring", 30, 80);
const TIME: Room = Room("guide.time", 50, 140);
const DEPARTMENT: Room = Room("guide.department", 30, 80);
const FEE: Room = Room("guide.fee", 20, 50);
const PURPOSE: Room = Room("consent.purpose", 60, 170);
const DATA: Room = Room("consent.data", 22, 60);
const RETENTION: Room = Room("consent.retention", 60, 170);
const REFUSAL: Room = Room("consent.refusal", 60, 170);
const OTHERWISE: Room = Room("eligibility.otherwise", 110, 300);
const LABEL: Room = Room("label", 22, 48);
const HINT: Room = Room("hint", 30, 75);
const OPTION: Room = Room("option label", 14, 34);
const PHRASE: Room = Room("phrase", 30, 80);
pub(crate) const UNIT: Room = Room("unit", 4, 10);

/// A form that is longer belongs on more than one visit to the screen.
const MOST_QUESTIONS: usize = 12;
/// Items of a life event: as many as the screen shows at a time.
const LEAST_ITEMS: usize = 2;
const MOST_ITEMS: usize = 6;
const MOST_OPTIONS: usize = 10;
const MOST_PHRASES: usize = 6;
const MOST_BRING: usize = 5;
const MOST_DATA: usize = 6;
const MOST_CHARS: usize = 1000;
/// So many stand beside each other on the screen.
const MOST_PHOTOS: usize = 3;

/// Reads one item. `stem` is the file's name without `.toml`.
pub(crate) fn read_item(stem: &str, text: &str) -> Result<ServiceItem, Fault> {
    let file: ItemFile = toml::from_str(text)
        .map_err(|error| Fault { span: error.span(), problem: ItemProblem::Toml(plain(error.message())) })?;
    let code = word("the code", &file.code)?;
    if code != stem {
        let problem = ItemProblem::CodeIsNotFileName { code, file: stem.to_owned() };
        return Err(Fault::at(file.code.span(), problem));
    }
    let shape = shape(&file)?;
    parts_fit_shape(&file, shape)?;
    let title = words(&TITLE, file.title)?;
    let summary = words(&SUMMARY, file.summary)?;
    // What a register keeps about a person can be fetched without a question.
    let fewest = usize::from(!matches!(shape, Shape::Fetch | Shape::LifeEvent));
    count("questions", file.questions.len(), fewest, MOST_QUESTIONS, None)?;
    let mut questions: Vec<Question> = Vec::new();
    for raw in file.questions {
        let (id, place) = (raw.get_ref().id.clone(), raw.span());
        let question = question(raw, &questions)?;
        question_fits_shape(shape, &question, place)?;
        if questions.iter().any(|earlier| earlier.id == question.id) {
            return Err(twice("the question id", question.id, id.span()));
        }
        questions.push(question);
    }
    consent_fits_questions(shape, file.consent.is_some(), &questions)?;
    Ok(ServiceItem {
        code,
        version: version("version", &file.version)?,
        shape,
        order: file.order,
        works_offline: file.works_offline,
        title,
        summary,
        guide: guide(file.guide)?,
        consent: file.consent.map(|raw| consent(raw.into_inner())).transpose()?,
        identify: file.identify.map(|raw| identify(raw.into_inner())).transpose()?.unwrap_or_default(),
        eligibility: file.eligibility.map(|raw| eligibility(raw.into_inner())).transpose()?,
        fetch: file.fetch.map(|raw| fetch(raw.into_inner())).transpose()?,
        outcomes: outcomes(file.outcomes, shape, &questions)?,
        items: file.items.map(items).transpose()?.unwrap_or_default(),
        questions,
    })
}

fn items(raw: Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, Fault> {
    let span = raw.span();
    let raw = raw.into_inner();
    count("items", raw.len(), LEAST_ITEMS, MOST_ITEMS, Some(&span))?;
    let mut items: Vec<String> = Vec::new();
    for code in raw {
        if items.contains(code.get_ref()) {
            return Err(twice("the item", code.get_ref().clone(), code.span()));
        }
        items.push(code.into_inner());
    }
    Ok(items)
}

/// The TOML reader's message on one line.
pub(crate) fn plain(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn guide(raw: GuideFile) -> Result<Guide, Fault> {
    Ok(Guide {
        what: words(&WHAT, raw.what)?,
        bring: list_of_words(&BRING, raw.bring, 1, MOST_BRING)?,
        time: words(&TIME, raw.time)?,
        department: words(&DEPARTMENT, raw.department)?,
        fee: words(&FEE, raw.fee)?,
    })
}

fn consent(raw: ConsentFile) -> Result<Consent, Fault> {
    Ok(Consent {
        version: version("consent.version", &raw.version)?,
        purpose: words(&PURPOSE, raw.purpose)?,
        data: list_of_words(&DATA, raw.data, 1, MOST_DATA)?,
        retention: words(&RETENTION, raw.retention)?,
        refusal: words(&REFUSAL, raw.refusal)?,
    })
}

fn identify(raw: IdentifyFile) -> Result<Identify, Fault> {
    let span = raw.ways.span();
    let ways = raw.ways.into_inner();
    count("identify.ways", ways.len(), 1, 3, Some(&span))?;
    if ways.iter().enumerate().any(|(at, way)| ways[..at].contains(way)) {
        return Err(twice("the way", "id-card, social-security-card or typed".to_owned(), span));
    }
    Ok(Identify { ways, accepts_expired_card: raw.accepts_expired_card })
}

fn eligibility(raw: EligibilityFile) -> Result<Eligibility, Fault> {
    // Asked before the form, so no answer is there to look at.
    Ok(Eligibility { when: condition(raw.when, &[])?, otherwise: words(&OTHERWISE, raw.otherwise)? })
}

fn question(raw: Spanned<QuestionFile>, earlier: &[Question]) -> Result<Question, Fault> {
    let place = raw.span();
    let raw = raw.into_inner();
    let kind = raw.kind;
    keys_fit_kind(&raw, &place)?;
    let options = options(&raw)?;
    let amount = Amount::read(&raw, &place)?;
    let max_chars = match kind {
        QuestionKind::Address => Some(REST_MAX_CHARS),
        _ => raw.max_chars.as_ref().map(max_chars).transpose()?,
    };
    let max_photos = raw.max_photos.as_ref().map(max_photos).transpose()?;
    let phrases = match raw.phrases {
        None => Vec::new(),
        Some(phrases) => phrases_within(phrases, max_chars)?,
    };
    let not_before = raw.not_before.map(day_limit).transpose()?;
    let not_after = raw.not_after.map(day_limit).transpose()?;
    if !limits_leave_a_day(not_before, not_after) {
        return Err(Fault::at(place, ItemProblem::NoDayAllowed));
    }
    let prefill = raw.prefill.map(|prefill| prefill_within(prefill, kind, max_chars)).transpose()?;
    Ok(Question {
        id: word("the question id", &raw.id)?,
        kind,
        label: words(&LABEL, raw.label)?,
        hint: raw.hint.map(|hint| words(&HINT, hint)).transpose()?,
        required: raw.required,
        options,
        options_from: raw.options_from.map(Spanned::into_inner),
        phrases,
        max_chars,
        max_photos,
        amount,
        unit: raw.unit.map(|unit| words(&UNIT, unit)).transpose()?,
        areas: None,
        not_before,
        not_after,
        weekdays_only: raw.weekdays_only.is_some_and(Spanned::into_inner),
        prefill,
        visible_when: raw.visible_when.map(|when| condition(when, earlier)).transpose()?,
    })
}

/// Which keys a question of this kind must and may have.
fn keys_fit_kind(raw: &QuestionFile, place: &Range<usize>) -> Result<(), Fault> {
    let kind = raw.kind;
    let choosing = matches!(kind, QuestionKind::Choice | QuestionKind::Choices);
    let (text, date) = (kind == QuestionKind::Text, kind == QuestionKind::Date);
    let (photo, yes_no) = (kind == QuestionKind::Photo, kind == QuestionKind::YesNo);
    let (number, money) = (kind == QuestionKind::Number, kind == QuestionKind::Money);
    // One or the other says what there is to choose from.
    let elsewhere = raw.options_from.is_some();
    let prefilled = text || kind == QuestionKind::Address;
    let keys = [
        ("options_from", kind == QuestionKind::Choice, false, raw.options_from.as_ref().map(Spanned::span)),
        (
            "options",
            (choosing || yes_no) && !elsewhere,
            choosing && !elsewhere,
            raw.options.as_ref().map(Spanned::span),
        ),
        ("max_chars", text, text, raw.max_chars.as_ref().map(Spanned::span)),
        ("max_photos", photo, photo, raw.max_photos.as_ref().map(Spanned::span)),
        ("phrases", text, false, raw.phrases.as_ref().map(Spanned::span)),
        ("unit", number, false, raw.unit.as_ref().map(Spanned::span)),
        ("least", number || money, false, raw.least.as_ref().map(Spanned::span)),
        ("most", number || money, number || money, raw.most.as_ref().map(Spanned::span)),
        ("prefill", prefilled, false, raw.prefill.as_ref().map(Spanned::span)),
        ("not_before", date, false, raw.not_before.as_ref().map(Spanned::span)),
        ("not_after", date, false, raw.not_after.as_ref().map(Spanned::span)),
        ("weekdays_only", date, false, raw.weekdays_only.as_ref().map(Spanned::span)),
    ];
    let kind = kind.word();
    for (key, allowed, needed, given) in keys {
        match given {
            Some(span) if !allowed => return Err(Fault::at(span, ItemProblem::KeyNotForKind { kind, key })),
            None if needed => return Err(Fault::at(place.clone(), ItemProblem::KeyMissing { kind, key })),
            _ => {}
        }
    }
    Ok(())
}

fn options(raw: &QuestionFile) -> Result<Vec<Choice>, Fault> {
    let Some(list) = &raw.options else {
        return Ok(if raw.kind == QuestionKind::YesNo { yes_and_no() } else { Vec::new() });
    };
    count("options", list.get_ref().len(), 2, MOST_OPTIONS, Some(&list.span()))?;
    let options = listed(list)?;
    let values = options.iter().map(|option| option.value.as_str());
    if raw.kind == QuestionKind::YesNo && !values.eq(["yes", "no"]) {
        return Err(Fault::at(list.span(), ItemProblem::NotYesAndNo));
    }
    Ok(options)
}

/// What a yes-no question offers when its file says no other words.
fn yes_and_no() -> Vec<Choice> {
    let option = |value: &str, chinese: &str, english: &str| Choice {
        value: value.to_owned(),
        label: Text { zh_hans: chinese.to_owned(), zh_hant: chinese.to_owned(), en: english.to_owned() },
    };
    vec![option("yes", "是", "Yes"), option("no", "不是", "No")]
}

pub(crate) fn listed(list: &Spanned<Vec<Spanned<ChoiceFile>>>) -> Result<Vec<Choice>, Fault> {
    let mut options: Vec<Choice> = Vec::new();
    for option in list.get_ref() {
        let option = option.get_ref();
        let value = word("the option value", &option.value)?;
        if options.iter().any(|earlier| earlier.value == value) {
            return Err(twice("the option value", value, option.value.span()));
        }
        options.push(Choice { value, label: words(&OPTION, option.label.clone())? });
    }
    Ok(options)
}

fn phrases_within(
    phrases: Spanned<Vec<Spanned<Text>>>,
    max_chars: Option<usize>,
) -> Result<Vec<Text>, Fault> {
    let span = phrases.span();
    let phrases = list_of_words(&PHRASE, phrases, 1, MOST_PHRASES)?;
    for language in Language::ALL {
        let longest = phrases.iter().map(|phrase| phrase.get(language).chars().count()).max();
        if longest > max_chars {
            return Err(Fault::at(span, ItemProblem::PhraseDoesNotFit { language }));
        }
    }
    Ok(phrases)
}

fn prefill_within(
    prefill: Spanned<Prefill>,
    kind: QuestionKind,
    max_chars: Option<usize>,
) -> Result<Prefill, Fault> {
    if kind == QuestionKind::Address {
        // Only an address has a town; what is left of it may be cut by nobody, so it is measured on the day.
        return match prefill.get_ref() {
            Prefill::Address => Ok(Prefill::Address),
            Prefill::Name | Prefill::Number => Err(Fault::at(
                prefill.span(),
                ItemProblem::KeyNotForKind { kind: kind.word(), key: "prefill" },
            )),
        };
    }
    let needed = match prefill.get_ref() {
        Prefill::Name => NAME_MAX_CHARS,
        Prefill::Number => NUMBER_MAX_CHARS,
        Prefill::Address => ADDRESS_MAX_CHARS,
    };
    if max_chars < Some(needed) {
        return Err(Fault::at(prefill.span(), ItemProblem::PrefillDoesNotFit { needed }));
    }
    Ok(prefill.into_inner())
}

fn max_chars(given: &Spanned<usize>) -> Result<usize, Fault> {
    match *given.get_ref() {
        chars if (1..=MOST_CHARS).contains(&chars) => Ok(chars),
        chars => Err(Fault::at(given.span(), ItemProblem::BadMaxChars { given: chars, most: MOST_CHARS })),
    }
}

fn max_photos(given: &Spanned<usize>) -> Result<usize, Fault> {
    match *given.get_ref() {
        photos if (1..=MOST_PHOTOS).contains(&photos) => Ok(photos),
        photos => {
            Err(Fault::at(given.span(), ItemProblem::BadMaxPhotos { given: photos, most: MOST_PHOTOS }))
        }
    }
}

fn day_limit(text: Spanned<String>) -> Result<DayLimit, Fault> {
    DayLimit::parse(text.get_ref())
        .ok_or_else(|| Fault::at(text.span(), ItemProblem::BadDayLimit { text: text.get_ref().clone() }))
}

/// Two limits of the same kind can be compared now; a fixed and a relative one only on the day.
fn limits_leave_a_day(not_before: Option<DayLimit>, not_after: Option<DayLimit>) -> bool {
    match (not_before, not_after) {
        (Some(DayLimit::Fixed(first)), Some(DayLimit::Fixed(last))) => first <= last,
        (Some(DayLimit::FromToday(first)), Some(DayLimit::FromToday(last))) => first <= last,
        _ => true,
    }
}

pub(crate) fn condition(source: Spanned<String>, questions: &[Question]) -> Result<Condition, Fault> {
    Condition::compile(source.get_ref(), questions).map_err(|fault| {
        let condition = plain(source.get_ref());
        Fault::at(source.span(), ItemProblem::BadCondition { condition, fault })
    })
}

/// A stable word: code, id, value.
pub(crate) fn word(what: &'static str, text: &Spanned<String>) -> Result<String, Fault> {
    let word = text.get_ref();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=40).contains(&word.len())
        && word.starts_with(good)
        && word.chars().all(|c| good(c) || c == '-' || c == '_');
    if fits {
        return Ok(word.clone());
    }
    let word = word.chars().take(60).collect();
    Err(Fault::at(text.span(), ItemProblem::BadWord { what, word }))
}

fn version(what: &'static str, version: &Spanned<u32>) -> Result<u32, Fault> {
    match *version.get_ref() {
        0 => Err(Fault::at(version.span(), ItemProblem::VersionZero { what })),
        version => Ok(version),
    }
}

pub(crate) fn count(
    what: &'static str,
    count: usize,
    least: usize,
    most: usize,
    span: Option<&Range<usize>>,
) -> Result<(), Fault> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(Fault { span: span.cloned(), problem: ItemProblem::WrongCount { what, count, least, most } })
}

pub(crate) fn twice(what: &'static str, word: String, span: Range<usize>) -> Fault {
    Fault::at(span, ItemProblem::Twice { what, word })
}

pub(crate) fn list_of_words(
    room: &Room,
    list: Spanned<Vec<Spanned<Text>>>,
    least: usize,
    most: usize,
) -> Result<Vec<Text>, Fault> {
    count(room.0, list.get_ref().len(), least, most, Some(&list.span()))?;
    list.into_inner().into_iter().map(|text| words(room, text)).collect()
}

/// Words that a resident reads: there, tidy, and short enough, in each language.
pub(crate) fn words(room: &Room, text: Spanned<Text>) -> Result<Text, Fault> {
    let Room(what, chinese, english) = *room;
    for language in Language::ALL {
        let words = text.get_ref().get(language);
        let limit = if language == Language::En { english } else { chinese };
        let chars = if language == Language::En { words.chars().count() } else { chinese_width(words) };
        let problem = if words.trim().is_empty() {
            ItemProblem::EmptyText { what, language }
        } else if words.trim() != words || words.chars().any(char::is_control) {
            ItemProblem::UntidyText { what, language }
        } else if chars > limit {
            ItemProblem::TextTooLong { what, language, chars, limit }
        } else {
            continue;
        };
        return Err(Fault::at(text.span(), problem));
    }
    Ok(text.into_inner())
}

/// Room in Chinese characters: digits and Latin letters take half of one.
fn chinese_width(words: &str) -> usize {
    let halves: usize = words.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    halves.div_ceil(2)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
pub(crate) mod tests;
