//! The page of a where-to-go item's outcome.

use super::Screen;
use crate::catalog::words;
use crate::present;
use kiosk_core::session::{NoNumber, Number, OutcomePage, Session};
use kiosk_ui as ui;
use service_catalog::{Place, Text, Verdict};
use slint::{ComponentHandle, SharedString};

impl Screen {
    pub(super) fn show_outcome(&self, session: &Session, page: &OutcomePage) {
        let item = session.visit.as_ref().and_then(|visit| self.catalog.item(&visit.item));
        let Some((item, outcome)) = item.and_then(|item| Some((item, item.outcomes.get(page.at)?))) else {
            return;
        };
        let say = |text: &Text| SharedString::from(words(text, session.settings.language));
        let screen = self.window.global::<ui::OutcomeScreen>();
        screen.set_item_title(say(&item.title));
        screen.set_verdict(match outcome.verdict {
            Verdict::Can => ui::Verdict::Can,
            Verdict::Cannot => ui::Verdict::Cannot,
            Verdict::Ask => ui::Verdict::Ask,
        });
        screen.set_title(say(&outcome.title));
        screen.set_advice(say(&outcome.advice));
        self.outcome_bring.show(outcome.bring.iter().map(say).collect());
        let part =
            |of: fn(&Place) -> &Text| outcome.place.as_ref().map(|place| say(of(place))).unwrap_or_default();
        screen.set_window(part(|place| &place.window));
        screen.set_address(part(|place| &place.address));
        screen.set_hours(part(|place| &place.hours));
        screen.set_phone(outcome.place.as_ref().map(|place| place.phone.as_str()).unwrap_or_default().into());
        let printer = session.surroundings.printer;
        screen.set_print_status(present::shown_print(page.print, printer));
        screen.set_can_print(page.can_print(printer));
        let network = session.surroundings.network;
        screen.set_queue(queue(&page.number, network));
        screen.set_can_take_number(page.number.can_be_taken(network));
        let ticket = page.number.ticket();
        screen.set_number(ticket.map(|ticket| ticket.number.as_str()).unwrap_or_default().into());
        let waiting = ticket.and_then(|ticket| i32::try_from(ticket.waiting?).ok());
        screen.set_waiting(waiting.unwrap_or(-1));
    }

    /// What somebody asked about is nobody else's business.
    pub(super) fn forget_outcome(&self) {
        let screen = self.window.global::<ui::OutcomeScreen>();
        screen.set_item_title(SharedString::default());
        screen.set_title(SharedString::default());
        screen.set_advice(SharedString::default());
        screen.set_window(SharedString::default());
        screen.set_number(SharedString::default());
        self.outcome_bring.show(Vec::new());
    }
}

/// Without a network the button says so before anybody touches it.
fn queue(number: &Number, network: bool) -> ui::QueueStatus {
    match number {
        Number::NotOffered => ui::QueueStatus::None,
        Number::Asking => ui::QueueStatus::Asking,
        Number::Taken(_) => ui::QueueStatus::Taken,
        Number::Offered | Number::NotTaken(_) if !network => ui::QueueStatus::Offline,
        Number::Offered => ui::QueueStatus::Offered,
        Number::NotTaken(NoNumber::Away) => ui::QueueStatus::Away,
        Number::NotTaken(NoNumber::Busy) => ui::QueueStatus::Busy,
        Number::NotTaken(NoNumber::Closed) => ui::QueueStatus::Closed,
    }
}
