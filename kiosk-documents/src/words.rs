//! The words of print-outs, from `assets/documents/words.toml`: the same for the picture and for the lines.

use toml::Table;
use typst::foundations::{Dict, IntoValue, Value};

use crate::Language;

/// The table, part of the program: a terminal cannot lose it.
const WORDS: &str = include_str!("../../assets/documents/words.toml");
const READ: &str = "a test reads the words that are compiled in";

/// The words of one language.
pub(crate) struct Words(Table);

impl Words {
    pub(crate) fn of(language: Language) -> Words {
        let mut all: Table = toml::from_str(WORDS).expect(READ);
        match all.remove(language.tag()) {
            Some(toml::Value::Table(words)) => Words(words),
            _ => unreachable!("{READ}"),
        }
    }

    /// What is printed for a key.
    pub(crate) fn say(&self, key: &str) -> &str {
        self.0[key].as_str().expect(READ)
    }

    /// All of them, for a template.
    pub(crate) fn to_dict(&self) -> Dict {
        let text = |value: &toml::Value| -> Value { value.as_str().expect(READ).into_value() };
        self.0.iter().map(|(key, value)| (key.as_str().into(), text(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_everything() {
        let keys = |language| -> Vec<String> {
            let words = Words::of(language);
            assert!(words.0.keys().all(|key| !words.say(key).is_empty()), "{language:?}");
            assert_eq!(words.to_dict().len(), words.0.len());
            words.0.keys().cloned().collect()
        };
        let simplified = keys(Language::ZhHans);
        assert!(simplified.len() > 10);
        assert_eq!(keys(Language::ZhHant), simplified);
        assert_eq!(keys(Language::En), simplified);
    }
}
