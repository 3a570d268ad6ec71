//! The rules of `[fetch]`: what a result may hold so that it fits on a page, and how its words are written.

use crate::fetch::{Fetch, Field, FieldKind};
use crate::file::{FetchFile, FieldFile};
use crate::problem::{Fault, ItemProblem};
use crate::rules::{Room, UNIT, count, list_of_words, listed, twice, word, words};
use toml::Spanned;

const TITLE: Room = Room("fetch.title", 16, 40);
const FACT: Room = Room("fetch.facts label", 12, 30);
const COLUMN: Room = Room("fetch.columns label", 6, 14);
const NOTE: Room = Room("fetch.notes", 60, 170);
const NOTHING: Room = Room("fetch.nothing", 60, 170);

const MOST_FACTS: usize = 10;
const MOST_COLUMNS: usize = 4;
const MOST_NOTES: usize = 3;
const MOST_WORDS: usize = 12;

/// Reads what is fetched.
pub(crate) fn fetch(raw: FetchFile) -> Result<Fetch, Fault> {
    Ok(Fetch {
        register: word("fetch.register", &raw.register)?,
        title: words(&TITLE, raw.title)?,
        facts: fields(&FACT, raw.facts, "fetch.facts", 1, MOST_FACTS)?,
        columns: fields(&COLUMN, raw.columns, "fetch.columns", 0, MOST_COLUMNS)?,
        notes: match raw.notes {
            None => Vec::new(),
            Some(notes) => list_of_words(&NOTE, notes, 1, MOST_NOTES)?,
        },
        nothing: words(&NOTHING, raw.nothing)?,
    })
}

fn fields(
    room: &Room,
    raw: Vec<Spanned<FieldFile>>,
    what: &'static str,
    least: usize,
    most: usize,
) -> Result<Vec<Field>, Fault> {
    count(what, raw.len(), least, most, raw.first().map(Spanned::span).as_ref())?;
    let mut fields: Vec<Field> = Vec::new();
    for raw in raw {
        let place = raw.get_ref().key.span();
        let field = field(room, raw)?;
        if fields.iter().any(|earlier| earlier.key == field.key) {
            return Err(twice("the key", field.key, place));
        }
        fields.push(field);
    }
    Ok(fields)
}

fn field(room: &Room, raw: Spanned<FieldFile>) -> Result<Field, Fault> {
    let place = raw.span();
    let raw = raw.into_inner();
    let kind = raw.kind;
    let (word_kind, number) = (kind == FieldKind::Word, kind == FieldKind::Number);
    let keys = [
        ("words", word_kind, word_kind, raw.words.as_ref().map(Spanned::span)),
        ("unit", number, false, raw.unit.as_ref().map(Spanned::span)),
    ];
    for (key, allowed, needed, given) in keys {
        match given {
            Some(span) if !allowed => return Err(Fault::at(span, ItemProblem::KeyNotForField { key })),
            None if needed => return Err(Fault::at(place, ItemProblem::FieldKeyMissing { key })),
            _ => {}
        }
    }
    if let Some(list) = &raw.words {
        count("words", list.get_ref().len(), 1, MOST_WORDS, Some(&list.span()))?;
    }
    Ok(Field {
        key: word("the key", &raw.key)?,
        kind,
        label: words(room, raw.label)?,
        unit: raw.unit.map(|unit| words(&UNIT, unit)).transpose()?,
        words: raw.words.as_ref().map(listed).transpose()?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::read_item;

    /// A whole item; `{fetch}` is what is under test.
    const ITEM: &str = r#"
code = "sample"
version = 1
shape = "fetch"
order = 10
works_offline = false
title = { zh-Hans = "示例查询", zh-Hant = "示例查詢", en = "Sample" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "身份证", zh-Hant = "身份證", en = "Card" }]
time = { zh-Hans = "一分钟", zh-Hant = "一分鐘", en = "A minute" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }

[consent]
version = 1
purpose = { zh-Hans = "用途", zh-Hant = "用途", en = "Purpose" }
data = [{ zh-Hans = "信息", zh-Hant = "資料", en = "Data" }]
retention = { zh-Hans = "不保存", zh-Hant = "不保存", en = "Not kept" }
refusal = { zh-Hans = "可以到窗口", zh-Hant = "可到窗口", en = "Go to the desk" }

[identify]
ways = ["id-card"]
accepts_expired_card = false
"#;

    const FETCH: &str = r#"
[fetch]
register = "social-insurance"
title = { zh-Hans = "证明", zh-Hant = "證明", en = "Certificate" }
nothing = { zh-Hans = "没有", zh-Hant = "沒有", en = "Nothing" }
[[fetch.facts]]
key = "months"
kind = "number"
unit = { zh-Hans = "个月", zh-Hant = "個月", en = "months" }
label = { zh-Hans = "缴费月数", zh-Hant = "繳費月數", en = "Months paid" }
"#;

    fn problem(item: &str, fetch: &str) -> ItemProblem {
        read_item("sample", &format!("{item}{fetch}")).expect_err("refused").problem
    }

    #[test]
    fn a_fetch_is_read_and_needs_no_question() {
        let item = read_item("sample", &format!("{ITEM}{FETCH}")).unwrap();
        let fetch = item.fetch.unwrap();
        assert_eq!((fetch.register.as_str(), fetch.facts.len()), ("social-insurance", 1));
        assert!(item.questions.is_empty() && fetch.columns.is_empty() && fetch.notes.is_empty());
    }

    #[test]
    fn what_does_not_belong_is_named() {
        let part = |part| ItemProblem::PartMissing { shape: "fetch", part };
        assert_eq!(problem(ITEM, ""), part("[fetch]"));
        let submit = ITEM.replace("\"fetch\"", "\"submit\"");
        assert_eq!(
            problem(&submit, FETCH),
            ItemProblem::PartNotForShape { shape: "submit", part: "[fetch]" }
        );
        let typed = ITEM.replace("[\"id-card\"]", "[\"id-card\", \"typed\"]");
        assert_eq!(problem(&typed, FETCH), ItemProblem::TypedFetch);
        let word = FETCH.replace("\"number\"", "\"word\"");
        assert_eq!(problem(ITEM, &word), ItemProblem::FieldKeyMissing { key: "words" });
        let money = FETCH.replace("\"number\"", "\"money\"");
        assert_eq!(problem(ITEM, &money), ItemProblem::KeyNotForField { key: "unit" });
        let again = &FETCH[FETCH.find("[[fetch.facts]]").unwrap()..];
        let twice = ItemProblem::Twice { what: "the key", word: "months".into() };
        assert_eq!(problem(ITEM, &format!("{FETCH}{again}")), twice);
    }
}
