//! Judging one answer. The kiosk calls it page by page, the gateway for the whole form: one rule, one place.

use crate::day::{DayLimit, iso, parse_day};
use crate::item::{Question, QuestionKind};
use serde_json::Value;
use thiserror::Error;
use time::{Date, Weekday};

/// What is wrong with an answer. Says the rule, never the answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnswerProblem {
    /// Required, and not there.
    #[error("is missing")]
    Missing,
    /// Not a string, or not a list of strings.
    #[error("has the wrong type")]
    WrongType,
    /// There, but empty or only spaces. An optional question without an answer is left out.
    #[error("is empty")]
    Empty,
    /// Too many characters.
    #[error("is longer than {limit} characters")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A control character.
    #[error("holds a character that cannot be shown")]
    Unprintable,
    /// Not one of the options.
    #[error("is not one of the options")]
    NotAnOption,
    /// The same option twice.
    #[error("names an option twice")]
    OptionTwice,
    /// Not the hash and size of a photo.
    #[error("is not a list of photos, each by its hash and size")]
    NotAPhoto,
    /// Too many photos.
    #[error("has more than {limit} photos")]
    TooManyPhotos {
        /// The limit.
        limit: usize,
    },
    /// The same photo twice.
    #[error("names a photo twice")]
    PhotoTwice,
    /// Not a whole number in digits.
    #[error("is not a whole number in digits")]
    NotANumber,
    /// Below the smallest allowed.
    #[error("is less than {least}")]
    TooSmall {
        /// The smallest allowed, in the units in which it is sent.
        least: u64,
    },
    /// Above the largest allowed.
    #[error("is more than {most}")]
    TooLarge {
        /// The largest allowed, in the units in which it is sent.
        most: u64,
    },
    /// No town of the catalog, or a village that it does not have.
    #[error("is not an address in a town that the catalog knows")]
    NotAnAddress,
    /// Not a telephone number.
    #[error("is not a telephone number")]
    NotAPhone,
    /// Not a day of the calendar.
    #[error("is not a day of the calendar")]
    NotADay,
    /// Before the first day allowed.
    #[error("is before {}, the first day allowed", iso(*first))]
    TooEarly {
        /// The first day allowed.
        first: Date,
    },
    /// A Saturday or a Sunday, and only weekdays are allowed.
    #[error("is not a weekday")]
    NotAWeekday,
    /// After the last day allowed.
    #[error("is after {}, the last day allowed", iso(*last))]
    TooLate {
        /// The last day allowed.
        last: Date,
    },
}

/// Judges the answer to a question that is asked; `None` = not answered.
pub fn check_answer(question: &Question, answer: Option<&Value>, today: Date) -> Result<(), AnswerProblem> {
    check_answer_within(question, answer, Some(today), 0)
}

/// As [`check_answer`]. Without a day, limits that hang on today are not judged; `slack_days` widens them.
pub(crate) fn check_answer_within(
    question: &Question,
    answer: Option<&Value>,
    today: Option<Date>,
    slack_days: i32,
) -> Result<(), AnswerProblem> {
    let Some(answer) = answer else {
        return if question.required { Err(AnswerProblem::Missing) } else { Ok(()) };
    };
    match question.kind {
        QuestionKind::Choices => return check_choices(question, answer),
        QuestionKind::Photo => return check_photos(question, answer),
        QuestionKind::Address => {
            let areas = question.areas.as_ref().ok_or(AnswerProblem::NotAnAddress)?;
            return areas.check(answer);
        }
        QuestionKind::Choice
        | QuestionKind::YesNo
        | QuestionKind::Text
        | QuestionKind::Phone
        | QuestionKind::Date
        | QuestionKind::Number
        | QuestionKind::Money => {}
    }
    let text = answer.as_str().ok_or(AnswerProblem::WrongType)?;
    if text.trim().is_empty() {
        return Err(AnswerProblem::Empty);
    }
    match question.kind {
        QuestionKind::Choice | QuestionKind::YesNo if !is_option(question, text) => {
            Err(AnswerProblem::NotAnOption)
        }
        QuestionKind::Phone if !phone_is_valid(text) => Err(AnswerProblem::NotAPhone),
        QuestionKind::Text => check_text(question, text),
        QuestionKind::Date => check_day(question, text, today, slack_days),
        QuestionKind::Number | QuestionKind::Money => {
            question.amount.map_or(Ok(()), |amount| amount.check(text))
        }
        QuestionKind::Choice
        | QuestionKind::YesNo
        | QuestionKind::Choices
        | QuestionKind::Phone
        | QuestionKind::Photo
        | QuestionKind::Address => Ok(()),
    }
}

fn is_option(question: &Question, value: &str) -> bool {
    question.options.iter().any(|option| option.value == value)
}

fn check_choices(question: &Question, answer: &Value) -> Result<(), AnswerProblem> {
    let chosen = answer.as_array().ok_or(AnswerProblem::WrongType)?;
    if chosen.is_empty() {
        return Err(AnswerProblem::Empty);
    }
    for (at, value) in chosen.iter().enumerate() {
        let value = value.as_str().ok_or(AnswerProblem::WrongType)?;
        if !is_option(question, value) {
            return Err(AnswerProblem::NotAnOption);
        }
        if chosen[..at].iter().any(|earlier| earlier == value) {
            return Err(AnswerProblem::OptionTwice);
        }
    }
    Ok(())
}

/// No photo is larger; a blob of the delivery has the same limit.
pub(crate) const PHOTO_BYTES_MAX: u64 = 64 * 1024 * 1024;

fn check_photos(question: &Question, answer: &Value) -> Result<(), AnswerProblem> {
    let photos = answer.as_array().ok_or(AnswerProblem::WrongType)?;
    let limit = question.max_photos.unwrap_or(usize::MAX);
    if photos.is_empty() {
        return Err(AnswerProblem::Empty);
    }
    if photos.len() > limit {
        return Err(AnswerProblem::TooManyPhotos { limit });
    }
    for (at, photo) in photos.iter().enumerate() {
        if !is_photo(photo) {
            return Err(AnswerProblem::NotAPhoto);
        }
        if photos[..at].iter().any(|earlier| earlier["sha256"] == photo["sha256"]) {
            return Err(AnswerProblem::PhotoTwice);
        }
    }
    Ok(())
}

/// `{ "sha256": "…", "bytes": 1 }` and no more.
fn is_photo(photo: &Value) -> bool {
    let Some(fields) = photo.as_object() else { return false };
    let hash = fields.get("sha256").and_then(Value::as_str).unwrap_or_default();
    let bytes = fields.get("bytes").and_then(Value::as_u64).unwrap_or_default();
    fields.len() == 2
        && hash.len() == 64
        && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && (1..=PHOTO_BYTES_MAX).contains(&bytes)
}

fn check_text(question: &Question, text: &str) -> Result<(), AnswerProblem> {
    check_words(text, question.max_chars.unwrap_or(usize::MAX))
}

/// What a resident wrote: not too long, and nothing that cannot be shown.
pub(crate) fn check_words(text: &str, limit: usize) -> Result<(), AnswerProblem> {
    if text.chars().count() > limit {
        return Err(AnswerProblem::TooLong { limit });
    }
    // A line break is the only control character that the screen and the print-out can show.
    if text.chars().any(|c| c != '\n' && c.is_control()) {
        return Err(AnswerProblem::Unprintable);
    }
    Ok(())
}

fn check_day(
    question: &Question,
    text: &str,
    today: Option<Date>,
    slack_days: i32,
) -> Result<(), AnswerProblem> {
    let day = parse_day(text).ok_or(AnswerProblem::NotADay)?;
    let resolve = |limit: DayLimit, slack: i32| match (limit, today) {
        (DayLimit::Fixed(fixed), _) => Some(fixed),
        (DayLimit::FromToday(days), Some(today)) => Some(DayLimit::FromToday(days + slack).on(today)),
        (DayLimit::FromToday(_), None) => None,
    };
    if let Some(first) = question.not_before.and_then(|limit| resolve(limit, -slack_days))
        && day < first
    {
        return Err(AnswerProblem::TooEarly { first });
    }
    if let Some(last) = question.not_after.and_then(|limit| resolve(limit, slack_days))
        && day > last
    {
        return Err(AnswerProblem::TooLate { last });
    }
    if question.weekdays_only && matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return Err(AnswerProblem::NotAWeekday);
    }
    Ok(())
}

/// The same rule as [`phone_is_valid`], for the JSON Schema.
pub(crate) const PHONE_PATTERN: &str = "^(1[3-9][0-9]{9}|0[1-9][0-9]{8,10}|0085[23][0-9]{8})$";

/// Whether `number` can be called back: a mainland mobile (11 digits from 13 to 19), a landline with its
/// area code (10 to 12 digits from 0), or a Hong Kong or Macao number after 00852 or 00853. Digits only.
pub fn phone_is_valid(number: &str) -> bool {
    let digits = number.as_bytes();
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match digits.len() {
        11 if digits[0] == b'1' => (b'3'..=b'9').contains(&digits[1]),
        10..=12 => digits[0] == b'0' && digits[1] != b'0',
        13 => number.starts_with("00852") || number.starts_with("00853"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::question;
    use serde_json::json;

    fn judge(kind_and_keys: &str, answer: Value) -> Result<(), AnswerProblem> {
        let today = parse_day("2026-11-22").unwrap();
        let answer = if answer.is_null() { None } else { Some(answer) };
        check_answer(&question(kind_and_keys), answer.as_ref(), today)
    }

    const CHOICE: &str = r#"kind = "choice""#;
    const CHOICES: &str = r#"kind = "choices""#;

    #[test]
    fn weekdays_alone_are_allowed_where_the_item_says_so() {
        let keys = "kind = \"date\"\nweekdays_only = true";
        assert_eq!(judge(keys, json!("2026-11-23")), Ok(()), "a Monday");
        for weekend in ["2026-11-21", "2026-11-22"] {
            assert_eq!(judge(keys, json!(weekend)), Err(AnswerProblem::NotAWeekday), "{weekend}");
        }
        assert_eq!(judge("kind = \"date\"", json!("2026-11-22")), Ok(()));
    }

    #[test]
    fn choices() {
        assert_eq!(judge(CHOICE, json!("a")), Ok(()));
        assert_eq!(judge(CHOICE, json!("z")), Err(AnswerProblem::NotAnOption));
        assert_eq!(judge(CHOICE, json!(["a"])), Err(AnswerProblem::WrongType));
        assert_eq!(judge(CHOICE, json!("")), Err(AnswerProblem::Empty));
        assert_eq!(judge(CHOICE, Value::Null), Err(AnswerProblem::Missing));
        assert_eq!(judge(CHOICES, json!(["a", "b"])), Ok(()));
        assert_eq!(judge(CHOICES, json!([])), Err(AnswerProblem::Empty));
        assert_eq!(judge(CHOICES, json!("a")), Err(AnswerProblem::WrongType));
        assert_eq!(judge(CHOICES, json!([1])), Err(AnswerProblem::WrongType));
        assert_eq!(judge(CHOICES, json!(["a", "z"])), Err(AnswerProblem::NotAnOption));
        assert_eq!(judge(CHOICES, json!(["a", "a"])), Err(AnswerProblem::OptionTwice));
    }

    #[test]
    fn photos_are_named_by_hash_and_size() {
        let kind = "kind = \"photo\"\nmax_photos = 2";
        let photo = |digit: &str| json!({ "sha256": digit.repeat(64), "bytes": 1000 });
        assert_eq!(judge(kind, json!([photo("a"), photo("b")])), Ok(()));
        assert_eq!(judge(kind, json!([photo("a"), photo("a")])), Err(AnswerProblem::PhotoTwice));
        let three = json!([photo("a"), photo("b"), photo("c")]);
        assert_eq!(judge(kind, three), Err(AnswerProblem::TooManyPhotos { limit: 2 }));
        assert_eq!(judge(kind, json!([])), Err(AnswerProblem::Empty));
        assert_eq!(judge(kind, json!("a")), Err(AnswerProblem::WrongType));
        for wrong in [
            json!("a"),
            json!({}),
            photo("A"),
            json!({ "sha256": "a".repeat(64), "bytes": 0 }),
            json!({ "sha256": "a".repeat(64), "bytes": 1.5 }),
            json!({ "sha256": "a".repeat(63), "bytes": 1 }),
            json!({ "sha256": "a".repeat(64), "bytes": 1, "jpeg": "…" }),
        ] {
            assert_eq!(judge(kind, json!([wrong])), Err(AnswerProblem::NotAPhoto), "{wrong}");
        }
        assert_eq!(judge(kind, Value::Null), Err(AnswerProblem::Missing));
        let optional = format!("required = false\n{kind}");
        assert_eq!(judge(&optional, Value::Null), Ok(()));
    }

    #[test]
    fn text_is_counted_in_characters() {
        let text = "kind = \"text\"\nmax_chars = 4";
        assert_eq!(judge(text, json!("𬱖㛃䶮𣲘")), Ok(()));
        assert_eq!(judge(text, json!("𬱖㛃䶮𣲘一")), Err(AnswerProblem::TooLong { limit: 4 }));
        assert_eq!(judge(text, json!("a\nb")), Ok(()));
        assert_eq!(judge(text, json!("a\u{7}b")), Err(AnswerProblem::Unprintable));
        assert_eq!(judge(text, json!("a\u{9f}b")), Err(AnswerProblem::Unprintable));
        assert_eq!(judge(text, json!(" \u{3000}")), Err(AnswerProblem::Empty));
        assert_eq!(judge("required = false\nkind = \"text\"\nmax_chars = 4", Value::Null), Ok(()));
    }

    #[test]
    fn days_stay_within_the_limits() {
        let date = "kind = \"date\"\nnot_before = \"2026-11-01\"\nnot_after = \"today\"";
        let [first, last] = ["2026-11-01", "2026-11-22"].map(|day| parse_day(day).unwrap());
        assert_eq!(judge(date, json!("2026-11-01")), Ok(()));
        assert_eq!(judge(date, json!("2026-11-22")), Ok(()));
        assert_eq!(judge(date, json!("2026-10-31")), Err(AnswerProblem::TooEarly { first }));
        assert_eq!(judge(date, json!("2026-11-23")), Err(AnswerProblem::TooLate { last }));
        assert_eq!(judge(date, json!("2026-11-31")), Err(AnswerProblem::NotADay));
    }

    #[test]
    fn slack_and_an_unknown_today_only_widen() {
        let date = question("kind = \"date\"\nnot_before = \"today\"");
        let (day, today) = (json!("2026-11-21"), parse_day("2026-11-22"));
        assert!(check_answer_within(&date, Some(&day), today, 0).is_err());
        assert!(check_answer_within(&date, Some(&day), today, 1).is_ok());
        assert!(check_answer_within(&date, Some(&day), None, 0).is_ok());
    }

    #[test]
    fn telephone_numbers() {
        for good in ["13800000000", "19900000000", "076922222222", "0108888888", "0085212345678"] {
            assert!(phone_is_valid(good), "{good}");
        }
        for bad in ["", "12800000000", "1380000000", "22222222", "0769-22222222", "0086138000000", "００"] {
            assert!(!phone_is_valid(bad), "{bad}");
        }
        assert_eq!(judge("kind = \"phone\"", json!("110")), Err(AnswerProblem::NotAPhone));
    }

    #[test]
    fn no_problem_repeats_the_answer() {
        for (kind, answer) in
            [(CHOICE, "secret"), ("kind = \"phone\"", "secret"), ("kind = \"date\"", "secret")]
        {
            assert!(!judge(kind, json!(answer)).unwrap_err().to_string().contains("secret"));
        }
    }

    proptest::proptest! {
        #[test]
        fn pattern_and_function_agree_on_telephones(number in "(0085[23]|00|0|1)?[0-9x]{0,13}") {
            let schema = json!({ "type": "string", "pattern": PHONE_PATTERN });
            proptest::prop_assert_eq!(jsonschema::is_valid(&schema, &json!(number)), phone_is_valid(&number));
        }
    }
}
