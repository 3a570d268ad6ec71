//! 打印办事指南 on the screen.

use super::Screen;
use crate::present::pages_print;
use kiosk_core::session::Session;
use kiosk_ui as ui;
use slint::ComponentHandle;

impl Screen {
    pub(super) fn show_guide_print(&self, session: &Session) {
        let guide = self.window.global::<ui::GuideScreen>();
        guide.set_printer(pages_print::printer(session.surroundings.document_printer));
        let status = session.visit.as_ref().map(|visit| visit.guide_print.status).unwrap_or_default();
        guide.set_print(pages_print::progress(status));
        guide.set_can_print(session.can_print_guide());
    }
}
