//! 补正与撤回 in pictures: chosen with the city away, agreed to, answered, checked, and on the receipt's page.

use super::progress::{WANTED, number, told};
use super::{Visitor, first_item, saved};
use kiosk_core::service::{FollowUp, ItemCode};
use kiosk_core::session::{
    CannotAsk, CaseStatus, Citizen, City, CityAnswer, Device, Effect, Event, PrinterCondition, Rules, Store,
};

impl Visitor {
    /// What follows a case, from both pages where it begins.
    pub(super) fn follow_a_case(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.type_the_receipt();
        let ticket = self.ask();
        self.send(Event::City(City::CannotAsk(ticket, CannotAsk::Away)));
        self.touch(Citizen::NoticeContinued);
        show("follow-up", self);
        self.touch(Citizen::Back);

        let code = self.begin_to_follow(FollowUp::Supplement);
        show(&format!("guide-{}", code.0), self);
        self.touch(Citizen::Started);
        show(&format!("consent-{}", code.0), self);
        self.touch(Citizen::Agreed);
        for _ in 0..4 {
            self.touch(Citizen::Skipped);
        }
        self.touch(Citizen::Confirmed);
        show("notice-nothing-supplied", self);
        let settings = self.session.settings;
        self.touch(Citizen::NoticeClosed);
        self.touch(Citizen::End);
        self.touch(Citizen::FarewellDone);
        self.dress(settings.theme, settings.language);

        self.type_the_receipt();
        let code = self.begin_to_follow(FollowUp::Supplement);
        self.touch(Citizen::Started);
        self.touch(Citizen::Agreed);
        self.answer_all(&code, show);
        self.send_what_follows(&code, show);
        self.dress(settings.theme, settings.language);
        self.type_the_receipt();
        let code = self.begin_to_follow(FollowUp::Withdrawal);
        show(&format!("guide-{}", code.0), self);
        self.touch(Citizen::Started);
        show(&format!("consent-{}", code.0), self);
        self.touch(Citizen::Agreed);
        self.answer_all(&code, show);
        self.send_what_follows(&code, show);
    }

    fn type_the_receipt(&mut self) {
        self.touch(Citizen::ProgressWanted);
        self.touch(Citizen::TextTyped(number().as_str().into()));
        self.touch(Citizen::EnquirySubmitted);
        self.touch(Citizen::TextTyped("WWMMQQGGHHJJKKLL".into()));
    }

    /// The city asks for more, and the resident begins with this.
    fn begin_to_follow(&mut self, follows: FollowUp) -> ItemCode {
        let ticket = self.ask();
        let life = [(CaseStatus::PreReview, "", ""), WANTED];
        let progress = told(&number(), first_item(&self.catalog), &life);
        self.send(Event::City(City::Answered(ticket, CityAnswer::CaseProgress(Box::new(progress)))));
        self.touch(Citizen::FollowUpWanted(follows));
        let rules: Rules = self.rules();
        rules.follow_up(follows).expect("the catalog has both").code.clone()
    }

    fn send_what_follows(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        show(&format!("review-{}", code.0), self);
        self.touch(Citizen::Confirmed);
        let ticket = self.ticket(|effect| match effect {
            Effect::Finalise(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Store(Store::Finalised(ticket, saved(code))));
        self.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
        show(&format!("receipt-{}", code.0), self);
        for touch in [Citizen::ReceiptDone, Citizen::RatingSkipped, Citizen::FarewellDone] {
            self.touch(touch);
        }
    }
}
