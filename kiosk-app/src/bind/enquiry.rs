//! The pages of 办件进度: what is typed, and what the city told.

use super::Screen;
use crate::present::progress;
use kiosk_core::service::FollowUp;
use kiosk_core::session::{Enquiry, EnquiryField, ProgressPage, Rules, Session};
use kiosk_core::{case_number, verification_code};
use kiosk_ui as ui;
use slint::{ComponentHandle, SharedString};

impl Screen {
    pub(super) fn show_enquiry(&self, session: &Session, enquiry: &Enquiry) {
        let screen = self.window.global::<ui::EnquiryScreen>();
        let typed = match enquiry.field {
            EnquiryField::Number => case_number::grouped(enquiry.typed()),
            EnquiryField::Code => verification_code::grouped(enquiry.typed()),
        };
        screen.set_code(enquiry.field == EnquiryField::Code);
        screen.set_can_submit(!typed.is_empty());
        screen.set_can_scan(session.can_scan());
        screen.set_typed(typed.into());
    }

    pub(super) fn show_progress(&self, session: &Session, rules: &Rules, page: &ProgressPage) {
        let told = &page.told;
        let language = session.settings.language;
        let screen = self.window.global::<ui::ProgressScreen>();
        screen.set_item_title(self.title(&told.item, session).into());
        screen.set_case_number(told.case_number.expose().as_str().into());
        screen.set_status(progress::status(told.status));
        let steps: Vec<ui::CaseStep> = told.steps.iter().map(|step| progress::step(step, language)).collect();
        screen.set_latest(steps.last().cloned().unwrap_or_default());
        self.steps.show(steps);
        let may = |follows| told.may_follow(follows) && rules.follow_up(follows).is_some();
        screen.set_can_supplement(may(FollowUp::Supplement));
        screen.set_can_withdraw(may(FollowUp::Withdrawal));
    }

    /// Takes what was typed and told out of the window.
    pub(super) fn forget_enquiry(&self) {
        self.window.global::<ui::EnquiryScreen>().set_typed(SharedString::default());
        let progress = self.window.global::<ui::ProgressScreen>();
        progress.set_case_number(SharedString::default());
        progress.set_item_title(SharedString::default());
        progress.set_latest(ui::CaseStep::default());
        self.steps.show(Vec::new());
    }
}
