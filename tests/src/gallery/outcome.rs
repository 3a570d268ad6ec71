//! A where-to-go item in pictures: its questions, what they lead to, and the slip that is printed of it.

use super::Visitor;
use kiosk_core::service::{ItemCode, QuestionKind};
use kiosk_core::session::{Citizen, Device, Effect, Event, Page};

impl Visitor {
    /// From the first question home, by two of the item's ways.
    pub(super) fn find_the_way(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        self.answer_all(code, show);
        show(&format!("outcome-{}-last", code.0), self);
        self.change_first_answer(code);
        self.answer_all(code, show);
        show(&format!("outcome-{}-first", code.0), self);
        self.touch(Citizen::PrintWanted);
        let ticket = self.ticket(|effect| match effect {
            Effect::PrintDirections(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::Printed(ticket, 2)));
        show(&format!("outcome-{}-printed", code.0), self);
        self.touch(Citizen::AnotherItemWanted);
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
