//! What is heard instead of seen: what each page reads out, and every text that could be touched, with whose it is.

use super::{Gallery, Look, NOW_MS, Visitor};
use anyhow::Result;
use kiosk_app::bind::voice::whose;
use kiosk_app::screen::elements;
use kiosk_app::voice::screens::Screens;
use kiosk_core::remedy::Notice;
use kiosk_core::session::{Citizen, Effect, Event, Moment, Passage, Whose, step};
use kiosk_core::settings::{Language, Theme};
use slint::ComponentHandle;

/// A page, as it is heard.
pub struct Heard {
    /// The page's name among the pictures.
    pub name: String,
    /// What was read out when it came up, and is when it is asked for again.
    pub read: Vec<String>,
    /// What a touch would read, or refuse.
    pub texts: Vec<(String, Whose)>,
}

impl Gallery {
    /// Every page of a visit with the voice on.
    pub fn listen(&self, theme: Theme, language: Language, mut tell: impl FnMut(Heard)) -> Result<()> {
        let screens = Screens::load()?;
        let mut visitor = Visitor::new(self.catalog.clone(), theme, language);
        visitor.whole_visit(&mut |name, visitor| {
            // Lists have elements once they are drawn.
            self.show(visitor, Look { theme, language, ..Look::USUAL });
            self.draw(String::new());
            let effects = visitor.effects.iter().cloned().chain(visitor.asked_again());
            let read = effects.filter_map(|effect| match effect {
                Effect::ReadAloud(passage, _) => Some(self.words(&screens, visitor, passage)),
                _ => None,
            });
            let read = read.collect();
            let spots = elements::spots(self.window.window());
            let texts = spots.iter().map(|spot| (spot.text(), whose(&self.window, spot))).collect();
            tell(Heard { name: name.to_owned(), read, texts });
        });
        Ok(())
    }

    /// The words of every notice.
    pub fn notices(&self, language: Language) -> Result<Vec<(Notice, String)>> {
        let screens = Screens::load()?;
        let mut visitor = Visitor::new(self.catalog.clone(), Theme::Standard, language);
        visitor.touch(Citizen::VoiceToggled);
        self.screen.show(&visitor.session, &visitor.rules());
        let words = |notice| (notice, self.words(&screens, &visitor, Passage::Notice(notice)));
        Ok(Notice::ALL.map(words).into())
    }

    fn words(&self, screens: &Screens, visitor: &Visitor, passage: Passage) -> String {
        self.screen.words_of(screens, &visitor.session, &visitor.rules(), passage).expose().clone()
    }
}

impl Visitor {
    /// What 再听一遍 would do on this page.
    fn asked_again(&self) -> Vec<Effect> {
        let moment = Moment { monotonic_ms: self.at_ms + 1_000, wall_ms: NOW_MS };
        step(&self.rules(), self.session.clone(), moment, Event::Citizen(Citizen::VoiceRepeated)).effects
    }

    /// The voice turned to what the theme does not do by itself, and the place where speed and loudness are set.
    pub(super) fn turn_the_voice(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.touch(Citizen::VoiceToggled);
        let speaks = self.session.settings.speaks();
        show(if speaks { "home-voice-on" } else { "home-voice-off" }, self);
        if !speaks {
            self.touch(Citizen::VoiceToggled);
        }
        self.touch(Citizen::SettingsWanted);
        for _ in 0..2 {
            self.touch(Citizen::SpeedStepped(-1));
        }
        self.touch(Citizen::VolumeStepped(1));
        show("settings-voice", self);
        self.touch(Citizen::End);
    }
}
