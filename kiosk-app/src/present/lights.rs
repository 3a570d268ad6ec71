//! The lights of the cabinet are a picture of the state too: they point to where the resident should look.

use device_drivers::cabinet::LightPattern;
use kiosk_core::applicant::CardKind;
use kiosk_core::remedy::Notice;
use kiosk_core::session::{CardStatus, Page, PrintStatus, Session};

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
    if session.notice == Some(Notice::Help) {
        lights.help = LightPattern::Slow;
    }
    lights
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_core::session::ToTake;

    #[test]
    fn an_idle_kiosk_is_dark_and_the_farewell_points_to_what_is_left() {
        let mut session = Session::default();
        assert_eq!(lights(&session), Lights::default());
        session.page = Page::Leaving(ToTake { card: true, ..ToTake::default() });
        session.notice = Some(Notice::Help);
        let shown = lights(&session);
        assert_eq!((shown.card, shown.receipt), (LightPattern::Fast, LightPattern::Off));
        assert_eq!(shown.help, LightPattern::Slow);
    }
}
