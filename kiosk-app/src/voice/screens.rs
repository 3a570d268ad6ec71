//! The spoken text of each page: the words of `assets/voice/screens.toml`, filled with words of the catalog. Nothing of a
//! resident can get in: only what [`Value`] lists has a place in a text.

use anyhow::{Context, Result, bail, ensure};
use kiosk_core::session::Topic;
use kiosk_core::settings::Language;
use std::collections::HashMap;

const SCREENS: &str = include_str!("../../../assets/voice/screens.toml");

/// A named value of a text. All of them are the catalog's own words, or figures of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "described at the head of screens.toml")]
pub enum Value {
    Items,
    Item,
    What,
    Bring,
    Purpose,
    Data,
    Question,
    Hint,
    Options,
    Number,
    Total,
}

impl Value {
    const NAMES: [(&'static str, Value); 11] = [
        ("items", Value::Items),
        ("item", Value::Item),
        ("what", Value::What),
        ("bring", Value::Bring),
        ("purpose", Value::Purpose),
        ("data", Value::Data),
        ("question", Value::Question),
        ("hint", Value::Hint),
        ("options", Value::Options),
        ("number", Value::Number),
        ("total", Value::Total),
    ];

    fn named(name: &str) -> Option<Value> {
        Value::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A piece of a text.
#[derive(Debug, PartialEq)]
enum Piece {
    Words(String),
    Value(Value),
}

/// The texts of all topics, in every language.
pub struct Screens(HashMap<(Topic, Language), Vec<Piece>>);

impl Screens {
    /// Reads them. A topic without a text in some language, or with a value that nobody knows, is an error.
    pub fn load() -> Result<Screens> {
        Screens::parse(SCREENS).context("assets/voice/screens.toml")
    }

    fn parse(text: &str) -> Result<Screens> {
        let mut written: HashMap<String, HashMap<String, String>> = toml::from_str(text)?;
        let mut screens = HashMap::new();
        for topic in Topic::all() {
            let (name, mut texts) = (topic.name(), written.remove(topic.name()).unwrap_or_default());
            for language in Language::ALL {
                let text = texts.remove(language.tag()).unwrap_or_default();
                ensure!(!text.trim().is_empty(), "no {name} in {}", language.tag());
                let pieces = pieces(&text).with_context(|| format!("{name} in {}", language.tag()))?;
                screens.insert((topic, language), pieces);
            }
            ensure!(texts.is_empty(), "{name} in a language that nobody speaks here: {:?}", texts.keys());
        }
        ensure!(written.is_empty(), "texts that nobody says: {:?}", written.keys());
        Ok(Screens(screens))
    }

    /// What is read out about this topic.
    pub fn spoken(&self, topic: Topic, language: Language, value: impl Fn(Value) -> String) -> String {
        let pieces = self.0.get(&(topic, language)).map_or(&[][..], Vec::as_slice);
        let said = pieces.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Value(wanted) => value(*wanted),
        });
        said.collect()
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').context("a brace that does not close")?;
        let Some(value) = Value::named(name) else { bail!("nobody knows {{{name}}}") };
        pieces.push(Piece::Words(words.to_owned()));
        pieces.push(Piece::Value(value));
        rest = after;
    }
    ensure!(!rest.contains('}'), "a brace that does not open");
    pieces.push(Piece::Words(rest.to_owned()));
    Ok(pieces)
}

/// A text that others follow: with a full stop where it ends with no mark of its own, or all would be said in one breath.
pub fn sentence(text: &str, language: Language) -> String {
    let ends = text.is_empty() || text.ends_with(['。', '？', '！', '；', '：', '.', '?', '!', ';', ':']);
    let stop = match language {
        _ if ends => "",
        Language::ZhHans | Language::ZhHant => "。",
        Language::En => ".",
    };
    format!("{text}{stop}")
}

/// Things in their order: "第一，…。第二，…" and "One, …. Two, …".
pub fn in_order(words: impl IntoIterator<Item = String>, language: Language) -> String {
    let one = |(at, words): (usize, String)| match language {
        Language::ZhHans | Language::ZhHant => format!("第{}，{words}", chinese_number(at + 1)),
        Language::En => format!("{}, {words}", english_number(at + 1)),
    };
    let said: Vec<String> = words.into_iter().enumerate().map(one).collect();
    said.join(if language == Language::En { ". " } else { "。" })
}

/// Up to 99, as they are spoken.
fn chinese_number(number: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match (number / 10, number % 10) {
        (0, ones) => DIGITS[ones].to_owned(),
        (1, ones) => format!("十{}", DIGITS[ones]),
        (tens @ 2..=9, ones) => format!("{}十{}", DIGITS[tens], DIGITS[ones]),
        _ => number.to_string(),
    }
}

fn english_number(number: usize) -> String {
    const WORDS: [&str; 10] = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];
    let word = number.checked_sub(1).and_then(|at| WORDS.get(at));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_text_without_an_end_gets_one() {
        assert_eq!(sentence("跟我们说说您的情况", Language::ZhHans), "跟我们说说您的情况。");
        assert_eq!(sentence("什么事？", Language::ZhHant), "什么事？");
        assert_eq!(sentence("You may skip this", Language::En), "You may skip this.");
        assert_eq!(sentence("", Language::En), "");
    }

    #[test]
    fn every_topic_has_a_text_of_its_own_in_every_language() {
        let screens = Screens::load().unwrap();
        for language in Language::ALL {
            let said = |topic| screens.spoken(topic, language, |_| String::new());
            let texts: BTreeSet<String> = Topic::all().map(said).collect();
            assert_eq!(texts.len(), Topic::all().count(), "two topics are said alike in {}", language.tag());
            assert!(texts.iter().all(|text| text.chars().count() >= 8), "{texts:?}");
        }
        for topic in Topic::all() {
            let [hans, hant, en] =
                Language::ALL.map(|language| screens.spoken(topic, language, |_| String::new()));
            assert!(hans != hant && hant != en, "{topic:?} was not translated");
            assert!(en.is_ascii(), "{topic:?}: an English voice reads this: {en}");
        }
    }

    #[test]
    fn every_language_says_the_same_values() {
        let screens = Screens::load().unwrap();
        for topic in Topic::all() {
            let [hans, hant, en] = Language::ALL.map(|language| {
                let pieces = &screens.0[&(topic, language)];
                let values = pieces.iter().filter_map(|piece| match piece {
                    Piece::Value(value) => Some(*value),
                    Piece::Words(_) => None,
                });
                values.collect::<Vec<_>>()
            });
            assert!(hans == hant && hant == en, "{topic:?}");
        }
    }

    #[test]
    fn a_text_that_is_missing_empty_or_too_many_is_an_error() {
        let whole: toml::Table = toml::from_str(SCREENS).unwrap();
        let parsed = |change: &dyn Fn(&mut toml::Table)| {
            let mut table = whole.clone();
            change(&mut table);
            Screens::parse(&toml::to_string(&table).unwrap()).map(drop)
        };
        let text = |table: &mut toml::Table, text: &str| {
            table["saving"].as_table_mut().unwrap()["en"] = toml::Value::String(text.to_owned());
        };
        assert!(parsed(&|_| ()).is_ok());
        assert!(parsed(&|table| drop(table.remove("rating"))).is_err());
        assert!(parsed(&|table| drop(table["rating"].as_table_mut().unwrap().remove("zh-Hant"))).is_err());
        assert!(parsed(&|table| text(table, " ")).is_err());
        assert!(parsed(&|table| text(table, "Hello {name}")).is_err(), "a resident's name has no place");
        assert!(parsed(&|table| text(table, "Hello {item")).is_err());
        assert!(parsed(&|table| text(table, "Hello }")).is_err());
        let again = whole["saving"].clone();
        assert!(parsed(&|table| drop(table.insert("nobody".into(), again.clone()))).is_err());
    }

    #[test]
    fn values_stand_where_they_are_named_and_lists_have_an_order() {
        let screens = Screens::load().unwrap();
        let said = screens.spoken(Topic::Home, Language::ZhHans, |value| {
            assert_eq!(value, Value::Items);
            in_order(["诉求".to_owned(), "心愿".to_owned()], Language::ZhHans)
        });
        assert_eq!(said, "您好。您想办什么事？第一，诉求。第二，心愿。点一下就开始。");
        assert_eq!(in_order(["a".to_owned(), "b".to_owned()], Language::En), "One, a. Two, b");
        let numbers = [1, 10, 11, 20, 21, 99, 100].map(chinese_number);
        assert_eq!(numbers, ["一", "十", "十一", "二十", "二十一", "九十九", "100"]);
        assert_eq!(english_number(11), "11");
    }
}
