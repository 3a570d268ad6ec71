//! 一件事 in pictures.

use super::Visitor;
use kiosk_core::service::ServiceItem;
use kiosk_core::session::Citizen;

impl Visitor {
    /// 一件事: nothing of it done, and two of its items.
    pub(super) fn go_through(&mut self, item: &ServiceItem, show: &mut impl FnMut(&str, &Visitor)) {
        show("life-event", self);
        let life_event = self.session.life_event.as_mut().expect("it is being gone through");
        life_event.done.extend(item.items.iter().take(2).cloned());
        show("life-event-begun", self);
        self.touch(Citizen::LifeEventDone);
        self.touch(Citizen::FarewellDone);
    }
}
