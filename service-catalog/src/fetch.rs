//! What an item of the shape `fetch` shows of a department's register (查询结果): which values there are, what they are
//! called, and how a raw value is written for a resident. The register sends values only; all words are the catalog's.

use crate::amount::parse_amount;
use crate::day::parse_day;
use crate::item::Choice;
use crate::text::{Language, Text};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;
use time::{Date, Month};

/// Longest text that a register may send, in Unicode characters.
const MOST_CHARS: usize = 60;
/// Most rows that a register may send: five years of months.
const MOST_ROWS: usize = 60;
/// 一元等于一百分.
const FEN_IN_YUAN: u64 = 100;

/// What is fetched, and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// Which register of a department is asked.
    pub register: String,
    /// Title of the document.
    pub title: Text,
    /// Values that stand by themselves.
    pub facts: Vec<Field>,
    /// Columns of the table; none when there is no table.
    pub columns: Vec<Field>,
    /// What stands under it.
    pub notes: Vec<Text>,
    /// What to do when the register keeps nothing about a person.
    pub nothing: Text,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The register's name for it.
    pub key: String,
    /// What the raw value is.
    pub kind: FieldKind,
    /// What it is called.
    pub label: Text,
    /// What is counted (number).
    pub unit: Option<Text>,
    /// Words for the values that there may be (word).
    pub words: Vec<Choice>,
}

/// Kinds of raw value; each is a text on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// As the department writes it, such as the name of an employer.
    Text,
    /// One of the field's words.
    Word,
    /// A whole number, in digits.
    Number,
    /// A sum of money, in digits: whole fen.
    Money,
    /// `YYYY-MM-DD`.
    Day,
    /// `YYYY-MM`.
    Month,
}

/// What a register sent, by key.
pub type Values = BTreeMap<String, String>;

/// Why a register's answer cannot be shown. Names keys, never values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchFault {
    /// A value is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A value is not of its kind.
    #[error("{0} is not what its kind asks for")]
    Unfit(String),
    /// A value that the catalog has no field for.
    #[error("{0} is not in the catalog")]
    Unknown(String),
    /// More rows than can be shown.
    #[error("there are more than {MOST_ROWS} rows")]
    TooManyRows,
}

impl Fetch {
    /// Whether everything that the register sent can be shown, and nothing is missing.
    pub fn check(&self, facts: &Values, rows: &[Values]) -> Result<(), FetchFault> {
        if rows.len() > MOST_ROWS {
            return Err(FetchFault::TooManyRows);
        }
        check_against(&self.facts, facts)?;
        rows.iter().try_for_each(|row| check_against(&self.columns, row))
    }
}

fn check_against(fields: &[Field], values: &Values) -> Result<(), FetchFault> {
    if let Some(key) = values.keys().find(|key| !fields.iter().any(|field| field.key == **key)) {
        return Err(FetchFault::Unknown(key.chars().take(40).collect()));
    }
    for field in fields {
        let raw = values.get(&field.key).ok_or_else(|| FetchFault::Missing(field.key.clone()))?;
        field.show(raw, Language::ZhHans).ok_or_else(|| FetchFault::Unfit(field.key.clone()))?;
    }
    Ok(())
}

impl Field {
    /// A raw value as a resident reads it; `None` when it is not of the field's kind.
    pub fn show(&self, raw: &str, language: Language) -> Option<String> {
        match self.kind {
            FieldKind::Text => {
                let fits = raw.chars().count() <= MOST_CHARS && !raw.chars().any(char::is_control);
                (fits && !raw.trim().is_empty()).then(|| raw.to_owned())
            }
            FieldKind::Word => {
                let word = self.words.iter().find(|word| word.value == raw)?;
                Some(word.label.get(language).to_owned())
            }
            FieldKind::Number => {
                let number = parse_amount(raw)?;
                Some(match &self.unit {
                    None => number.to_string(),
                    Some(unit) => format!("{number} {}", unit.get(language)),
                })
            }
            FieldKind::Money => parse_amount(raw).map(|fen| money(fen, language)),
            FieldKind::Day => parse_day(raw).map(|date| day(date, language)),
            FieldKind::Month => {
                parse_day(&format!("{raw}-01")).map(|first| month(first.year(), first.month(), language))
            }
        }
    }
}

/// A sum with its thousands apart, as bank statements write it.
fn money(fen: u64, language: Language) -> String {
    let yuan = (fen / FEN_IN_YUAN).to_string();
    let mut grouped = String::with_capacity(yuan.len() + 4);
    for (at, digit) in yuan.chars().enumerate() {
        if at > 0 && (yuan.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = fen % FEN_IN_YUAN;
    match language {
        Language::ZhHans | Language::ZhHant => format!("{grouped}.{rest:02} 元"),
        Language::En => format!("RMB {grouped}.{rest:02}"),
    }
}

/// A day as residents read it.
pub fn day(date: Date, language: Language) -> String {
    match language {
        Language::ZhHans | Language::ZhHant => {
            format!("{}年{}月{}日", date.year(), u8::from(date.month()), date.day())
        }
        Language::En => format!("{} {} {}", date.day(), date.month(), date.year()),
    }
}

fn month(year: i32, month: Month, language: Language) -> String {
    match language {
        Language::ZhHans | Language::ZhHant => format!("{year}年{}月", u8::from(month)),
        Language::En => format!("{month} {year}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(words: &str) -> Text {
        Text { zh_hans: words.into(), zh_hant: words.into(), en: words.into() }
    }

    fn field(key: &str, kind: FieldKind) -> Field {
        let words = vec![Choice { value: "paid".into(), label: same("已缴") }];
        Field { key: key.into(), kind, label: same(key), unit: Some(same("个月")), words }
    }

    fn shown(kind: FieldKind, raw: &str) -> Option<String> {
        field("x", kind).show(raw, Language::ZhHans)
    }

    #[test]
    fn each_kind_is_written_as_people_read_it() {
        assert_eq!(shown(FieldKind::Money, "123456789").as_deref(), Some("1,234,567.89 元"));
        assert_eq!(shown(FieldKind::Money, "5").as_deref(), Some("0.05 元"));
        assert_eq!(shown(FieldKind::Number, "18").as_deref(), Some("18 个月"));
        assert_eq!(shown(FieldKind::Day, "2026-03-05").as_deref(), Some("2026年3月5日"));
        assert_eq!(shown(FieldKind::Month, "2026-11").as_deref(), Some("2026年11月"));
        assert_eq!(shown(FieldKind::Word, "paid").as_deref(), Some("已缴"));
        let english = |kind, raw| field("x", kind).show(raw, Language::En);
        assert_eq!(english(FieldKind::Money, "100000").as_deref(), Some("RMB 1,000.00"));
        assert_eq!(english(FieldKind::Month, "2026-11").as_deref(), Some("November 2026"));
    }

    #[test]
    fn what_is_not_of_its_kind_is_not_shown() {
        for (kind, raw) in [
            (FieldKind::Money, "1.5"),
            (FieldKind::Money, "-1"),
            (FieldKind::Number, "01"),
            (FieldKind::Day, "2026-02-30"),
            (FieldKind::Month, "2026-13"),
            (FieldKind::Month, "2026-1"),
            (FieldKind::Word, "unpaid"),
            (FieldKind::Text, " "),
            (FieldKind::Text, "a\u{202e}\u{7}"),
        ] {
            assert_eq!(shown(kind, raw), None, "{kind:?} {raw:?}");
        }
    }

    #[test]
    fn an_answer_is_whole_or_refused() {
        let fetch = Fetch {
            register: "r".into(),
            title: same("t"),
            facts: vec![field("since", FieldKind::Month)],
            columns: vec![field("sum", FieldKind::Money)],
            notes: Vec::new(),
            nothing: same("n"),
        };
        let values = |pairs: &[(&str, &str)]| -> Values {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let facts = values(&[("since", "2020-01")]);
        assert_eq!(fetch.check(&facts, &[values(&[("sum", "1")])]), Ok(()));
        assert_eq!(fetch.check(&facts, &[]), Ok(()));
        assert_eq!(fetch.check(&values(&[]), &[]), Err(FetchFault::Missing("since".into())));
        assert_eq!(fetch.check(&facts, &[values(&[("sum", "x")])]), Err(FetchFault::Unfit("sum".into())));
        let more = values(&[("since", "2020-01"), ("name", "x")]);
        assert_eq!(fetch.check(&more, &[]), Err(FetchFault::Unknown("name".into())));
        let rows = vec![values(&[("sum", "1")]); MOST_ROWS + 1];
        assert_eq!(fetch.check(&facts, &rows), Err(FetchFault::TooManyRows));
    }
}
