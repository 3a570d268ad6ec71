//! The voice: says prompts and pages in the language of the screen. Nothing depends on it; a terminal without one is
//! silent.

use super::declared::SpeakerDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::voice::lexicon::Lexicon;
use crate::voice::prompts::Prompts;
use anyhow::Result;
use device_drivers::speaker::{Manner, Speaker, SpeakerError, SpeechDispatcher, Voice};
use kiosk_core::private::Private;
use kiosk_core::session::Prompt;
use kiosk_core::settings::{self, Language, Level};
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "speaker";
/// Time between two looks whether the server is still there.
const PRESENCE: Duration = Duration::from_secs(2);
/// SSIP's measure of each step of speed: two steps slower is calm, two steps faster is for who hears it often.
const RATE_STEP: i8 = 25;
/// SSIP's measure of loudness: five steps from a quarter up to the loudest; the usual one leaves room to both sides.
const USUAL_VOLUME: i8 = 40;
const VOLUME_STEP: i8 = 30;

/// What the session asks of the voice.
pub enum Order {
    /// Read this prompt out.
    Say(Prompt, Language),
    /// Read these words out. They may be a resident's own.
    Read(Private<String>, Language),
    /// Speak like this from now on.
    SpeakLike(settings::Manner),
    /// Break off.
    Hush,
}

/// Starts the voice's thread.
pub fn spawn(device: SpeakerDevice, health: HealthBook) -> Result<Hand<Order>> {
    let (prompts, lexicon) = (Prompts::load()?, Lexicon::load()?);
    let mut speaker = SpeechDispatcher::new(device.socket);
    speaker.set_manner(manner_of(settings::Manner::default()));
    Ok(station::spawn(NAME, SpeakerDesk { speaker, prompts, lexicon }, health)?)
}

struct SpeakerDesk<S> {
    speaker: S,
    prompts: Prompts,
    lexicon: Lexicon,
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
                let spelled = self.lexicon.spelled(self.prompts.of(prompt, language), language);
                self.speaker.say(voice_of(&spelled, language), &spelled)
            }
            Order::Read(words, language) => {
                let spelled = Private::new(self.lexicon.spelled(words.expose(), language));
                self.speaker.say(voice_of(spelled.expose(), language), spelled.expose())
            }
            Order::SpeakLike(manner) => {
                self.speaker.set_manner(manner_of(manner));
                Ok(())
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

/// In Guangdong, who reads traditional characters speaks Cantonese. A Chinese name or place on an English screen is read
/// in Mandarin: an English voice would say "Chinese letter".
fn voice_of(text: &str, language: Language) -> Voice {
    match language {
        Language::ZhHans => Voice::Mandarin,
        Language::ZhHant => Voice::Cantonese,
        Language::En if text.chars().any(is_chinese) && !text.contains(|c: char| c.is_ascii_alphabetic()) => {
            Voice::Mandarin
        }
        Language::En => Voice::English,
    }
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn manner_of(manner: settings::Manner) -> Manner {
    let steps = |level: Level, step: i8| level.steps().saturating_mul(step);
    Manner { rate: steps(manner.speed, RATE_STEP), volume: USUAL_VOLUME + steps(manner.volume, VOLUME_STEP) }
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
    fn every_step_is_in_the_range_of_the_server_and_another_one() {
        let all = || (-Level::MOST..=Level::MOST).map(|by| Level::default().stepped(by));
        let manners: Vec<Manner> =
            all().map(|level| manner_of(settings::Manner { speed: level, volume: level })).collect();
        assert!(manners.is_sorted_by(|a, b| a.rate < b.rate && a.volume < b.volume));
        assert!(manners.iter().all(|manner| (-100..=100).contains(&manner.rate)));
        assert_eq!((manners[0].volume, manners[4].volume), (-20, 100));
    }

    #[test]
    fn chinese_on_an_english_screen_has_a_chinese_voice() {
        assert_eq!(voice_of("陈桂英", Language::En), Voice::Mandarin);
        assert_eq!(voice_of("Please take your card", Language::En), Voice::English);
        assert_eq!(voice_of("12345", Language::En), Voice::English);
        assert_eq!(voice_of("莞城 community", Language::En), Voice::English);
        assert_eq!(voice_of("ID", Language::ZhHant), Voice::Cantonese);
    }
}
