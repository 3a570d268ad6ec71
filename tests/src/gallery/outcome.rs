//! A where-to-go item in pictures: its questions, what they lead to, and the slip that is printed of it.

use super::Visitor;
use kiosk_core::service::{ItemCode, QuestionKind};
use kiosk_core::session::{
    CannotAsk, Citizen, City, CityAnswer, Device, Effect, Event, Number, Page, QueueTicket, Ticket,
};

impl Visitor {
    /// From the first question home, by two of the item's ways.
    pub(super) fn find_the_way(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        self.answer_all(code, show);
        show(&format!("outcome-{}-last", code.0), self);
        self.change_first_answer(code);
        self.answer_all(code, show);
        show(&format!("outcome-{}-first", code.0), self);
        if self.offers_a_number() {
            self.take_a_number(code, show);
        } else {
            self.touch(Citizen::PrintWanted);
        }
        let ticket = self.ticket(|effect| match effect {
            Effect::PrintDirections(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::Printed(ticket, 2)));
        show(&format!("outcome-{}-printed", code.0), self);
        self.touch(Citizen::AnotherItemWanted);
    }

    fn offers_a_number(&self) -> bool {
        matches!(&self.session.page, Page::Outcome(page) if page.number == Number::Offered)
    }

    /// 取号: why not, being asked, none after all, and one that is printed at once.
    fn take_a_number(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        self.send(Event::Device(Device::NetworkChanged(false)));
        show(&format!("outcome-{}-offline", code.0), self);
        self.send(Event::Device(Device::NetworkChanged(true)));
        let asked = self.ask_for_a_number();
        show(&format!("outcome-{}-asking", code.0), self);
        self.send(Event::City(City::CannotAsk(asked, CannotAsk::Busy)));
        show(&format!("outcome-{}-no-number", code.0), self);
        let asked = self.ask_for_a_number();
        let ticket = QueueTicket { number: "B023".into(), waiting: Some(4) };
        self.send(Event::City(City::Answered(asked, CityAnswer::QueueTicket(ticket))));
        show(&format!("outcome-{}-number", code.0), self);
    }

    fn ask_for_a_number(&mut self) -> Ticket {
        self.touch(Citizen::QueueTicketWanted);
        self.ticket(|effect| match effect {
            Effect::AskCity { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }

    /// Back to the first question, of which the first option is chosen.
    fn change_first_answer(&mut self, code: &ItemCode) {
        let items = self.catalog.clone();
        let item = items.items().iter().find(|item| item.code == *code).expect("the item is shown");
        let first = &item.questions[0];
        while !matches!(&self.session.page, Page::Question(draft) if draft.question == first.id) {
            self.touch(Citizen::Back);
        }
        let QuestionKind::Choice(values) = &first.kind else { return };
        self.touch(Citizen::OptionChosen(values[0].clone()));
        self.touch(Citizen::Answered);
    }
}
