//! The pages of what was fetched, and of why it was not.

use super::{Screen, qr_image};
use crate::catalog::words;
use crate::present::{fetched, pages_print, progress};
use kiosk_core::session::{FetchedPage, Session, Unfetched};
use kiosk_ui as ui;
use slint::{ComponentHandle, Image, SharedString};

impl Screen {
    pub(super) fn show_fetched(&self, session: &Session, page: &FetchedPage) {
        let told = &page.fetched;
        let Some(fetch) = self.catalog.item(&told.item).and_then(|item| item.fetch.as_ref()) else { return };
        let language = session.settings.language;
        let screen = self.window.global::<ui::FetchedScreen>();
        screen.set_title(words(&fetch.title, language).into());
        screen.set_issued_at(progress::minute(told.issued_at_ms, language).into());
        self.facts.show(fetched::facts(&fetch.facts, &told.facts, language));
        screen.set_columns(fetch.columns.len() as i32);
        screen.set_names(fetched::names(&fetch.columns, language));
        let row = |values: &Vec<_>| fetched::row(&fetch.columns, values, language);
        self.fetched_rows.show(told.rows.iter().map(row).collect());
        self.fetched_notes.show(fetch.notes.iter().map(|note| words(note, language).into()).collect());
        // Drawing the code takes longer than all the rest: only when the page is new.
        let number = SharedString::from(told.number.expose().as_str());
        if screen.get_number() != number {
            screen.set_qr(qr_image(told.address.expose()));
            screen.set_number(number);
        }
        let printer = session.surroundings.document_printer;
        screen.set_printer(pages_print::printer(printer));
        screen.set_print(pages_print::progress(page.print.status));
        screen.set_can_print(page.print.is_offered(printer));
    }

    pub(super) fn show_unfetched(&self, session: &Session, why: Unfetched) {
        let item = session.visit.as_ref().and_then(|visit| self.catalog.item(&visit.item));
        let Some(item) = item else { return };
        let language = session.settings.language;
        let screen = self.window.global::<ui::UnfetchedScreen>();
        screen.set_item_title(words(&item.title, language).into());
        screen.set_kind(fetched::why_not(why));
        let advice = item.fetch.as_ref().map(|fetch| words(&fetch.nothing, language));
        screen.set_advice(advice.unwrap_or_default().into());
        screen.set_can_leave(session.why_not_submit().is_none());
    }

    /// Takes what was fetched out of the window.
    pub(super) fn forget_fetched(&self) {
        let screen = self.window.global::<ui::FetchedScreen>();
        screen.set_number(SharedString::default());
        screen.set_title(SharedString::default());
        screen.set_issued_at(SharedString::default());
        screen.set_qr(Image::default());
        self.facts.show(Vec::new());
        self.fetched_rows.show(Vec::new());
        self.window.global::<ui::UnfetchedScreen>().set_item_title(SharedString::default());
    }
}
