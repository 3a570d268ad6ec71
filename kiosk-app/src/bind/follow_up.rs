//! What follows a case: the page where it is chosen with the city away, and the case on the pages of its item.

use super::Screen;
use kiosk_core::service::FollowUp;
use kiosk_core::session::{CaseReference, Rules, Session};
use kiosk_ui as ui;
use slint::{ComponentHandle, SharedString};

/// The number of the case that the visit follows; empty when it follows none.
pub(super) fn about(session: &Session) -> SharedString {
    let about = session.visit.as_ref().and_then(|visit| visit.about.as_ref());
    about.map(|about| about.case_number.expose().as_str().into()).unwrap_or_default()
}

impl Screen {
    pub(super) fn show_follow_up(&self, rules: &Rules, about: &CaseReference) {
        let screen = self.window.global::<ui::FollowUpScreen>();
        screen.set_case_number(about.case_number.expose().as_str().into());
        screen.set_can_supplement(rules.follow_up(FollowUp::Supplement).is_some());
        screen.set_can_withdraw(rules.follow_up(FollowUp::Withdrawal).is_some());
    }

    /// What the item of the visit follows a case with.
    pub(super) fn follows(&self, session: &Session) -> ui::FollowUpKind {
        let item = session.visit.as_ref().and_then(|visit| self.catalog.item(&visit.item));
        match item.and_then(|item| item.shape.follows()) {
            None => ui::FollowUpKind::None,
            Some(service_catalog::FollowUp::Supplement) => ui::FollowUpKind::Supplement,
            Some(service_catalog::FollowUp::Withdrawal) => ui::FollowUpKind::Withdrawal,
        }
    }

    /// Takes the number of the case out of the window.
    pub(super) fn forget_follow_up(&self) {
        self.window.global::<ui::FollowUpScreen>().set_case_number(SharedString::default());
        self.window.global::<ui::ReviewScreen>().set_about(SharedString::default());
        self.window.global::<ui::ReceiptScreen>().set_about(SharedString::default());
    }
}
