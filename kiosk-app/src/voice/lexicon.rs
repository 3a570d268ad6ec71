//! How words are written so that a synthesizer reads them right: place names of the city above all
//! (`assets/voice/lexicon.toml`).

use anyhow::{Context, Result, ensure};
use kiosk_core::settings::Language;
use std::collections::{BTreeMap, HashMap};

const LEXICON: &str = include_str!("../../../assets/voice/lexicon.toml");

/// For each language the words and what is read instead, longer words first.
pub struct Lexicon(HashMap<Language, Vec<(String, String)>>);

impl Lexicon {
    /// Reads it.
    pub fn load() -> Result<Lexicon> {
        Lexicon::parse(LEXICON).context("assets/voice/lexicon.toml")
    }

    fn parse(text: &str) -> Result<Lexicon> {
        let mut written: HashMap<String, BTreeMap<String, String>> = toml::from_str(text)?;
        let mut lexicon = HashMap::new();
        for language in Language::ALL {
            let words = written.remove(language.tag()).unwrap_or_default();
            ensure!(words.iter().all(|(word, said)| !word.is_empty() && !said.is_empty()), "an empty word");
            let mut words: Vec<(String, String)> = words.into_iter().collect();
            words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
            lexicon.insert(language, words);
        }
        ensure!(written.is_empty(), "a language that nobody speaks here: {:?}", written.keys());
        Ok(Lexicon(lexicon))
    }

    /// The text as it is given to the synthesizer. Each place is replaced once, by the longest word that stands there.
    pub fn spelled(&self, text: &str, language: Language) -> String {
        let words = self.0.get(&language).map_or(&[][..], Vec::as_slice);
        let mut spelled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (read, said) = words
                .iter()
                .find(|(word, _)| rest.starts_with(word.as_str()))
                .map_or((&rest[..first.len_utf8()], &rest[..first.len_utf8()]), |(word, said)| (word, said));
            spelled.push_str(said);
            rest = &rest[read.len()..];
        }
        spelled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// By which sounds espeak-ng reads a text. Of spaces and stress nothing is left: only the sounds count.
    fn sounds(voice: &str, text: &str) -> String {
        let said = Command::new("espeak-ng").args(["-v", voice, "-q", "-x", text]).output();
        let said = said.expect("espeak-ng is installed by `cargo xtask test`");
        assert!(said.status.success(), "{voice}");
        let said = String::from_utf8(said.stdout).unwrap();
        said.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '|' | '\'' | ',')).collect()
    }

    /// In how many characters of a text these sounds are, whatever stands around them.
    fn is_heard(voice: &str, text: &str, wanted: &str) -> bool {
        sounds(voice, text).contains(&sounds(voice, wanted))
    }

    #[test]
    fn mandarin_place_names_sound_right_and_without_the_lexicon_some_do_not() {
        let lexicon = Lexicon::load().unwrap();
        let voice = "cmn-latn-pinyin";
        // Each with its reading in pinyin, which this voice reads for what it is, and whether espeak-ng knows it by itself.
        for (name, pinyin, known) in [
            ("道滘", "dao4 jiao4", true),
            ("高埗", "gao1 bu4", true),
            ("麻涌", "ma2 chong1", false),
            ("莞城", "guan3 cheng2", false),
            ("东莞", "dong1 guan3", false),
            ("塘厦", "tang2 xia4", false),
            ("长辈", "zhang3 bei4", false),
            ("校验码", "jiao4 yan4 ma3", false),
            ("重拍", "chong2 pai1", false),
        ] {
            let spelled = lexicon.spelled(name, Language::ZhHans);
            assert!(is_heard(voice, &spelled, pinyin), "{name} as {spelled}: {}", sounds(voice, &spelled));
            assert_eq!(
                is_heard(voice, name, pinyin),
                known,
                "{name} without the lexicon: {}",
                sounds(voice, name)
            );
        }
    }

    #[test]
    fn cantonese_place_names_sound_right() {
        let lexicon = Lexicon::load().unwrap();
        // espeak-ng's own notation of the syllables, its mark of stress left out.
        for (name, syllables, known) in [
            ("道滘", "dou6gaau3", true),
            ("高埗", "gou1bou6", true),
            ("麻涌", "maa4cung1", false),
            ("東莞", "dung1gu2n", true),
            ("莞城", "gu2nsing4", false),
        ] {
            let spelled = lexicon.spelled(name, Language::ZhHant);
            assert_eq!(sounds("yue", &spelled), syllables, "{name} as {spelled}");
            assert_eq!(sounds("yue", name) == syllables, known, "{name} without the lexicon");
        }
    }

    #[test]
    fn the_longest_word_counts_and_nothing_is_replaced_twice() {
        let lexicon =
            Lexicon::parse("[zh-Hans]\n\"莞尔\" = \"宛尔\"\n\"莞\" = \"管\"\n\"管\" = \"关\"").unwrap();
        assert_eq!(lexicon.spelled("莞家莞尔，管", Language::ZhHans), "管家宛尔，关");
        assert_eq!(lexicon.spelled("莞", Language::En), "莞");
        assert_eq!(lexicon.spelled("", Language::ZhHans), "");
        assert!(Lexicon::parse("[fr]\n\"a\" = \"b\"").is_err());
        assert!(Lexicon::parse("[en]\n\"a\" = \"\"").is_err());
    }

    #[test]
    fn every_town_of_the_city_can_be_spelled() {
        let text = include_str!("../../../tests/vectors/divisions_dongguan.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let lexicon = Lexicon::load().unwrap();
        for town in vectors["divisions"].as_array().unwrap() {
            let name = town["name"].as_str().unwrap();
            let spelled = lexicon.spelled(name, Language::ZhHans);
            assert_eq!(spelled.chars().count(), name.chars().count(), "{name}: {spelled}");
            assert!(!spelled.contains('莞') && !spelled.contains('涌'), "{spelled}");
        }
    }
}
