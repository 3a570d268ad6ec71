//! An item that takes the ID card and the social-security card, on a terminal that has readers for both.

use super::Visitor;
use kiosk_core::applicant::{Applicant, CardKind};
use kiosk_core::citizen_number::CitizenNumber;
use kiosk_core::remedy::{Notice, Remedy};
use kiosk_core::service::ItemCode;
use kiosk_core::session::{Citizen, Device, Effect, Event, Ticket};

/// An item of the catalog whose form needs no address. Pictures that bear its name are drawn and not kept.
const ITEM: &str = "pension-living-check";

impl Visitor {
    /// From the home screen and back to it; the terminal has no such reader before and after.
    pub(super) fn use_either_card(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.send(Event::Device(Device::SocialCardReaderPresent(true)));
        for touch in [Citizen::ItemChosen(ItemCode(ITEM.into())), Citizen::Started, Citizen::Agreed] {
            self.touch(touch);
        }
        show("identify-two-cards", self);
        let ticket = self.social_ticket();
        self.send(Event::Device(Device::CardFound(ticket)));
        show(&format!("identify-reading-{ITEM}"), self);
        let locked = Remedy::AskCitizen(Notice::SocialCardLocked);
        self.send(Event::Device(Device::CardFailed(ticket, locked)));
        show(&format!("notice-locked-{ITEM}"), self);
        self.touch(Citizen::NoticeClosed);
        let ticket = self.social_ticket();
        self.send(Event::Device(Device::ReaderPresent(false)));
        show(&format!("identify-one-away-{ITEM}"), self);
        self.send(Event::Device(Device::ReaderPresent(true)));
        let number = CitizenNumber::parse("990001194603080075").expect("a number with its check character");
        let holder = Applicant::by_social_security_card("沈䶮".into(), &number);
        self.send(Event::Device(Device::CardRead(ticket, Box::new(holder))));
        show(&format!("confirm-person-{ITEM}"), self);
        self.touch(Citizen::End);
        show(&format!("leaving-{ITEM}"), self);
        self.touch(Citizen::FarewellDone);
        self.session.surroundings.social_card_reader = None;
    }

    fn social_ticket(&self) -> Ticket {
        self.ticket(|effect| match effect {
            Effect::StartReading(CardKind::SocialSecurityCard, ticket) => Some(*ticket),
            _ => None,
        })
    }
}
