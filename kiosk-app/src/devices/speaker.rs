//! The voice: says prompts in the language of the screen. Nothing depends on it; a terminal without one is silent.

use super::declared::SpeakerDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use anyhow::{Context, Result};
use device_drivers::speaker::{Speaker, SpeakerError, SpeechDispatcher, Voice};
use kiosk_core::session::Prompt;
use kiosk_core::settings::Language;
use std::collections::HashMap;
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "speaker";
/// Time between two looks whether the server is still there.
const PRESENCE: Duration = Duration::from_secs(2);
const PROMPTS: &str = include_str!("../../../assets/voice/prompts.toml");

/// What the session asks of the voice.
pub enum Order {
    /// Read this out.
    Say(Prompt, Language),
    /// Break off.
    Hush,
}

/// Starts the voice's thread.
pub fn spawn(device: SpeakerDevice, health: HealthBook) -> Result<Hand<Order>> {
    let desk = SpeakerDesk { speaker: SpeechDispatcher::new(device.socket), words: Words::load()? };
    Ok(station::spawn(NAME, desk, health)?)
}

struct SpeakerDesk<S> {
    speaker: S,
    words: Words,
}

impl<S: Speaker + 'static> Station for SpeakerDesk<S> {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        self.turn()
    }

    fn close(&mut self) {}

    fn turn(&mut self) -> Result<(), Trouble> {
        self.speaker.look().map_err(trouble_of)
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Say(prompt, language) => {
                self.speaker.say(voice_of(language), self.words.of(prompt, language))
            }
            Order::Hush => self.speaker.hush(),
        }
        .map_err(trouble_of)
    }

    fn pause(&self) -> Duration {
        PRESENCE
    }

    fn report(&mut self, _here: bool) {}
}

/// The prompts' words, in every language.
struct Words(HashMap<(Prompt, Language), String>);

impl Words {
    fn load() -> Result<Words> {
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
        Ok(Words(words))
    }

    fn of(&self, prompt: Prompt, language: Language) -> &str {
        // Every pair is there, or `load` had failed.
        self.0.get(&(prompt, language)).map_or("", String::as_str)
    }
}

/// In Guangdong, who reads traditional characters speaks Cantonese.
fn voice_of(language: Language) -> Voice {
    match language {
        Language::ZhHans => Voice::Mandarin,
        Language::ZhHant => Voice::Cantonese,
        Language::En => Voice::English,
    }
}

fn trouble_of(error: SpeakerError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::SpeakerFault.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_is_written_in_every_language_and_nothing_else_is() {
        let words = Words::load().unwrap();
        for prompt in Prompt::ALL {
            let mut texts: Vec<&str> = Language::ALL.map(|language| words.of(prompt, language)).to_vec();
            assert!(texts.iter().all(|text| text.chars().count() > 5), "{texts:?}");
            texts.dedup();
            assert_eq!(texts.len(), Language::ALL.len(), "each is another text: {texts:?}");
        }
        let written: HashMap<String, HashMap<String, String>> = toml::from_str(PROMPTS).unwrap();
        assert_eq!(written.len(), Prompt::ALL.len(), "a prompt that nobody says");
        assert!(written.values().all(|texts| texts.len() == Language::ALL.len()));
    }
}
