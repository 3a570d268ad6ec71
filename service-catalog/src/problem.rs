//! What can be wrong with an item's file, in words for the person who wrote it.

use crate::expression::ExpressionFault;
use crate::text::Language;
use std::ops::Range;
use thiserror::Error;

/// One fault and where it stands, in bytes from the start of the file.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) span: Option<Range<usize>>,
    pub(crate) problem: ItemProblem,
}

impl Fault {
    /// A fault at a place.
    pub(crate) fn at(span: Range<usize>, problem: ItemProblem) -> Self {
        Fault { span: Some(span), problem }
    }

    /// The line, counted from 1.
    pub(crate) fn line(&self, file: &str) -> Option<usize> {
        let start = self.span.as_ref()?.start.min(file.len());
        Some(file.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1)
    }
}

/// Why an item is left out.
#[derive(Debug, PartialEq, Error)]
pub(crate) enum ItemProblem {
    #[error("the file cannot be read ({0})")]
    Unreadable(std::io::ErrorKind),
    #[error("it is a folder or a device, not a file")]
    NotAFile,
    #[error("there are more than {limit} files; the ones after that are left out")]
    TooManyFiles { limit: usize },
    #[error("the file is larger than {limit} KiB")]
    TooLarge { limit: u64 },
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    #[error("{0}")]
    Toml(String),
    #[error("the code is \"{code}\", but the file is named \"{file}\": both must be the same")]
    CodeIsNotFileName { code: String, file: String },
    #[error(
        "{what} \"{word}\" must be 1 to 40 small letters, digits, \"-\" or \"_\", starting with a letter or digit"
    )]
    BadWord { what: &'static str, word: String },
    #[error("{what} starts at 1")]
    VersionZero { what: &'static str },
    #[error("{what} is empty in {}", language.code())]
    EmptyText { what: &'static str, language: Language },
    #[error("{what} takes the room of {chars} characters in {}, but at most {limit} fit on the screen", language.code())]
    TextTooLong { what: &'static str, language: Language, chars: usize, limit: usize },
    #[error("{what} has a line break, a control character, or a space at its start or end in {}", language.code())]
    UntidyText { what: &'static str, language: Language },
    #[error("{what}: {count} given, but {least} to {most} are allowed")]
    WrongCount { what: &'static str, count: usize, least: usize, most: usize },
    #[error("{what} \"{word}\" is there twice")]
    Twice { what: &'static str, word: String },
    #[error("a {kind} question needs {key}")]
    KeyMissing { kind: &'static str, key: &'static str },
    #[error("a {kind} question has no {key}")]
    KeyNotForKind { kind: &'static str, key: &'static str },
    #[error("a fetched value of this kind needs {key}")]
    FieldKeyMissing { key: &'static str },
    #[error("a fetched value of this kind has no {key}")]
    KeyNotForField { key: &'static str },
    #[error("an item that fetches is for who holds the card: identify.ways must not have \"typed\"")]
    TypedFetch,
    #[error("max_chars is {given}, but 1 to {most} are allowed")]
    BadMaxChars { given: usize, most: usize },
    #[error("an item of the shape {shape} has no {part}")]
    PartNotForShape { shape: &'static str, part: &'static str },
    #[error("an item of the shape {shape} needs {part}")]
    PartMissing { shape: &'static str, part: &'static str },
    #[error("an item of the shape {shape} that asks for words, photos, a number or a sum needs [consent]")]
    ConsentMissing { shape: &'static str },
    #[error("there is no item {code:?} in this catalog that can be begun at the home screen")]
    NoSuchItem { code: String },
    #[error("{other} follows a case with \"{follows}\" already: there is one in a catalog")]
    FollowsTwice { follows: &'static str, other: String },
    #[error(
        "an item of the shape {shape} has no {kind} question: what is answered there is chosen, not written"
    )]
    KindNotForShape { shape: &'static str, kind: &'static str },
    #[error("nobody identifies for an item of this shape, so a condition cannot look at the applicant")]
    NobodyIdentified,
    #[error(
        "every outcome but the last needs `when`, and the last has none: it is for everybody who is left"
    )]
    LastOutcome,
    #[error("a telephone number is made of digits, spaces, \"-\" and \"、\", 3 to {most} of them")]
    BadPhone { most: usize },
    #[error("the name of a queue is a letter, \"-\" and a word of small letters and digits: a-general")]
    BadQueue,
    #[error("least must not be more than most, and most at most {limit}")]
    NoAmountAllowed { limit: u32 },
    #[error("yes-no options are \"yes\" and \"no\", in this order")]
    NotYesAndNo,
    #[error("an address question needs areas.toml beside the folder of the items")]
    NoAreas,
    #[error("max_photos is {given}, but 1 to {most} are allowed")]
    BadMaxPhotos { given: usize, most: usize },
    #[error("a {language} phrase is longer than max_chars", language = language.code())]
    PhraseDoesNotFit { language: Language },
    #[error("this card field can hold {needed} characters: max_chars must not be less")]
    PrefillDoesNotFit { needed: usize },
    #[error("\"{text}\" is not a day: write \"2026-01-31\", \"today\", \"today+30d\" or \"today-365d\"")]
    BadDayLimit { text: String },
    #[error("not_before comes after not_after: no day would be allowed")]
    NoDayAllowed,
    #[error("the condition `{condition}` cannot be used: {fault}")]
    BadCondition { condition: String, fault: ExpressionFault },
}
