//! The words of the fixed prompts, in every language.

use anyhow::{Context, Result};
use kiosk_core::session::Prompt;
use kiosk_core::settings::Language;
use std::collections::HashMap;

const PROMPTS: &str = include_str!("../../../assets/voice/prompts.toml");

/// The prompts' words, in every language.
pub struct Prompts(HashMap<(Prompt, Language), String>);

impl Prompts {
    /// Reads them; a prompt without words in some language is an error.
    pub fn load() -> Result<Prompts> {
        let mut written: HashMap<String, HashMap<String, String>> =
            toml::from_str(PROMPTS).context("assets/voice/prompts.toml")?;
        let mut words = HashMap::new();
        for prompt in Prompt::ALL {
            for language in Language::ALL {
                let text = written.get_mut(prompt.name()).and_then(|texts| texts.remove(language.tag()));
                let text = text.with_context(|| {
                    format!("assets/voice/prompts.toml: no {} in {}", prompt.name(), language.tag())
                })?;
                words.insert((prompt, language), text);
            }
        }
        Ok(Prompts(words))
    }

    /// The words of one.
    pub fn of(&self, prompt: Prompt, language: Language) -> &str {
        // Every pair is there, or `load` had failed.
        self.0.get(&(prompt, language)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_is_written_in_every_language_and_nothing_else_is() {
        let prompts = Prompts::load().unwrap();
        for prompt in Prompt::ALL {
            let mut texts: Vec<&str> = Language::ALL.map(|language| prompts.of(prompt, language)).to_vec();
            assert!(texts.iter().all(|text| text.chars().count() > 5), "{texts:?}");
            texts.dedup();
            assert_eq!(texts.len(), Language::ALL.len(), "each is another text: {texts:?}");
        }
        let written: HashMap<String, HashMap<String, String>> = toml::from_str(PROMPTS).unwrap();
        assert_eq!(written.len(), Prompt::ALL.len(), "a prompt that nobody says");
        assert!(written.values().all(|texts| texts.len() == Language::ALL.len()));
    }
}
