//! 请人帮忙 in pictures: how it stands with the keeper of the place, from the touch to the answer.

use super::Visitor;
use kiosk_core::session::{
    CallState, CannotAsk, Citizen, City, CityAnswer, Effect, Event, Ticket, TimerKind,
};

impl Visitor {
    /// From "being told" to "is coming", with what is said instead.
    pub(super) fn ask_for_help(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.touch(Citizen::HelpWanted);
        show("notice-help", self);
        let asked = self.asked();
        self.send(Event::City(City::CannotAsk(asked, CannotAsk::Away)));
        show("notice-help-away", self);
        for (name, state) in [
            ("notice-help-called", CallState::Heard),
            ("notice-help-coming", CallState::Coming),
            ("notice-help-unanswered", CallState::Over),
        ] {
            if self.session.keeper.help().is_none() {
                self.touch(Citizen::HelpWanted);
            } else {
                let timer = self.ticket(|effect| match effect {
                    Effect::StartTimer(TimerKind::Keeper, ticket, _) => Some(*ticket),
                    _ => None,
                });
                self.send(Event::Timer(timer));
            }
            let asked = self.asked();
            self.send(Event::City(City::Answered(asked, CityAnswer::KeeperCall(state))));
            show(name, self);
            if state != CallState::Heard {
                self.touch(Citizen::HelpNotNeeded);
            }
        }
    }

    fn asked(&self) -> Ticket {
        self.ticket(|effect| match effect {
            Effect::AskCity { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }
}
