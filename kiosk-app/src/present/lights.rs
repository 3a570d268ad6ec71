//! The lights of the cabinet are a picture of the state too: they point to where the resident should look.

use device_drivers::cabinet::LightPattern;
use kiosk_core::applicant::CardKind;
use kiosk_core::session::{CardStatus, Help, Page, PrintStatus, Session};

/// What each light shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lights {
    /// Beside the ID-card reader.
    pub card: LightPattern,
    /// Beside the receipt's mouth.
    pub receipt: LightPattern,
    /// Seen from afar: somebody asks for help.
    pub help: LightPattern,
}

impl Default for Lights {
    /// All dark.
    fn default() -> Self {
        Lights { card: LightPattern::Off, receipt: LightPattern::Off, help: LightPattern::Off }
    }
}

/// What the lights show now.
pub fn lights(session: &Session) -> Lights {
    let mut lights = Lights::default();
    match &session.page {
        Page::Identify(identify) if !identify.typing => {
            lights.card = match identify.status {
                CardStatus::Waiting => LightPattern::Slow,
                CardStatus::Reading(CardKind::IdCard) => LightPattern::On,
                // It stands beside the other reader.
                CardStatus::Reading(CardKind::SocialSecurityCard) => LightPattern::Off,
            };
        }
        Page::Receipt(page) => {
            lights.receipt = match page.print {
                PrintStatus::Printing => LightPattern::On,
                PrintStatus::Printed { .. } => LightPattern::Slow,
                _ => LightPattern::Off,
            };
        }
        Page::Outcome(page) => {
            lights.receipt = match page.print {
                PrintStatus::Printing => LightPattern::On,
                PrintStatus::Printed { .. } => LightPattern::Slow,
                _ => LightPattern::Off,
            };
        }
        Page::Leaving(to_take) => {
            let forgotten = |wanted| if wanted { LightPattern::Fast } else { LightPattern::Off };
            (lights.card, lights.receipt) = (forgotten(to_take.card), forgotten(to_take.receipt));
        }
        _ => {}
    }
    lights.help = match session.keeper.help() {
        None => LightPattern::Off,
        // Found: now it only says which machine it is.
        Some(Help::Coming) => LightPattern::On,
        // Also without a network: who is in the hall sees it.
        Some(Help::Calling | Help::Called | Help::Away | Help::Unanswered | Help::GivenUp) => {
            LightPattern::Slow
        }
    };
    lights
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_core::session::{
        CallState, Citizen, City, CityAnswer, Effect, Event, Limits, Moment, Rules, ToTake, step,
    };

    #[test]
    fn an_idle_kiosk_is_dark_and_the_farewell_points_to_what_is_left() {
        let mut session = Session::default();
        assert_eq!(lights(&session), Lights::default());
        session.page = Page::Leaving(ToTake { card: true, ..ToTake::default() });
        let shown = lights(&session);
        assert_eq!((shown.card, shown.receipt), (LightPattern::Fast, LightPattern::Off));
        assert_eq!(shown.help, LightPattern::Off);
    }

    #[test]
    fn who_asks_for_help_is_seen_until_somebody_comes() {
        let catalog = crate::catalog::Catalog::load(std::path::Path::new("/nowhere"));
        let rules = Rules { items: catalog.items(), conditions: &catalog, limits: Limits::default() };
        let mut session = Session::default();
        let mut send = |event| {
            let moment = Moment { monotonic_ms: 10_000, wall_ms: 0 };
            let step = step(&rules, std::mem::take(&mut session), moment, event);
            session = step.session;
            (lights(&session).help, step.effects)
        };
        let (light, effects) = send(Event::Citizen(Citizen::HelpWanted));
        assert_eq!(light, LightPattern::Slow, "although there is no network");
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::AskCity { ticket, .. } => Some(*ticket),
            _ => None,
        });
        let coming = CityAnswer::KeeperCall(CallState::Coming);
        assert_eq!(send(Event::City(City::Answered(asked.unwrap(), coming))).0, LightPattern::On);
        assert_eq!(send(Event::Citizen(Citizen::HelpNotNeeded)).0, LightPattern::Off);
    }
}
