//! The border to the markup: sets the globals' properties from the session, and turns taps into events.

mod enquiry;
mod fetched;
mod follow_up;
mod guide_print;
mod ink;
mod outcome;
mod photo;
mod pictures;
mod rows;
mod taps;
mod typing;
pub mod voice;

use crate::catalog::{Catalog, words};
use crate::config::Config;
use crate::inbox::Inbox;
use crate::present::lines::grouped;
use crate::present::{self, lines, question};
use crate::screen::platform::PageName;
use kiosk_core::applicant::CardKind;
use kiosk_core::remedy::Notice;
use kiosk_core::service::ItemCode;
use kiosk_core::session::{
    AddressStage, CardStatus, CatalogAge, Draft, Identify, Known, Page, Power, PrinterCondition, ReceiptPage,
    Rules, Session, progress,
};
use kiosk_core::settings::{Contrast, Language};
use kiosk_core::{calendar, receipt_code, verification_code};
use kiosk_ui as ui;
use kiosk_ui::KioskWindow;
use pictures::Pictures;
use rows::Rows;
use service_catalog::{Question, QuestionKind, Shape};
use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer, SharedString};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use typing::Keyboard;

/// The window and what was last told to it.
pub struct Screen {
    window: KioskWindow,
    catalog: Rc<Catalog>,
    verify_url: String,
    page: PageName,
    language: Cell<Option<Language>>,
    items: Rows<ui::ItemTile>,
    life_event_items: Rows<ui::ItemTile>,
    bring: Rows<SharedString>,
    consent_data: Rows<SharedString>,
    person: Rows<ui::Line>,
    options: Rows<ui::Option>,
    phrases: Rows<SharedString>,
    answers: Rows<ui::Line>,
    steps: Rows<ui::CaseStep>,
    photos: Rows<Image>,
    outcome_bring: Rows<SharedString>,
    facts: Rows<ui::Line>,
    fetched_rows: Rows<ui::FetchedRow>,
    fetched_notes: Rows<SharedString>,
    pictures: RefCell<Pictures>,
    keyboard: Keyboard,
}

impl Screen {
    /// Connects the window's taps to the inbox and sets what never changes.
    pub fn new(
        window: KioskWindow,
        catalog: Rc<Catalog>,
        config: &Config,
        page: PageName,
        inbox: &Inbox,
    ) -> Self {
        taps::connect(&window, inbox, &config.terminal.code);
        voice::connect(&window, inbox);
        window.global::<ui::Panel>().set_mm(config.panel.pixels_per_mm());
        window.global::<ui::Panel>().set_sideways(config.panel.width_px > config.panel.height_px);
        let shell = window.global::<ui::Shell>();
        shell.set_demo(config.terminal.demo);
        shell.set_place(config.terminal.place.as_str().into());
        shell.set_keeper_phone(config.terminal.keeper_phone.as_deref().unwrap_or_default().into());
        window.global::<ui::EnquiryScreen>().set_terminal(config.terminal.code.as_str().into());
        let verify_url = config.city.verify_url.clone();
        let screen = Screen {
            window,
            catalog,
            verify_url,
            page,
            language: Cell::new(None),
            items: Rows::default(),
            life_event_items: Rows::default(),
            bring: Rows::default(),
            consent_data: Rows::default(),
            person: Rows::default(),
            options: Rows::default(),
            phrases: Rows::default(),
            answers: Rows::default(),
            steps: Rows::default(),
            photos: Rows::default(),
            outcome_bring: Rows::default(),
            facts: Rows::default(),
            fetched_rows: Rows::default(),
            fetched_notes: Rows::default(),
            pictures: RefCell::default(),
            keyboard: Keyboard::default(),
        };
        screen.keyboard.connect(&screen.window, inbox);
        screen.hang_rows();
        screen
    }

    /// Gives the window its lists, once: a new list under a finger would take the pressed element away.
    fn hang_rows(&self) {
        let window = &self.window;
        window.global::<ui::HomeScreen>().set_items(self.items.model());
        window.global::<ui::LifeEventScreen>().set_items(self.life_event_items.model());
        window.global::<ui::GuideScreen>().set_bring(self.bring.model());
        window.global::<ui::ConsentScreen>().set_data(self.consent_data.model());
        window.global::<ui::ConfirmPersonScreen>().set_lines(self.person.model());
        let question = window.global::<ui::QuestionScreen>();
        question.set_options(self.options.model());
        question.set_phrases(self.phrases.model());
        window.global::<ui::PhotoScreen>().set_kept(self.photos.model());
        let review = window.global::<ui::ReviewScreen>();
        review.set_person(self.person.model());
        review.set_answers(self.answers.model());
        window.global::<ui::ProgressScreen>().set_steps(self.steps.model());
        window.global::<ui::OutcomeScreen>().set_bring(self.outcome_bring.model());
        let fetched = window.global::<ui::FetchedScreen>();
        fetched.set_facts(self.facts.model());
        fetched.set_rows(self.fetched_rows.model());
        fetched.set_notes(self.fetched_notes.model());
    }

    /// Shows the session. Called after every event; setting an equal value repaints nothing.
    pub fn show(&self, session: &Session, rules: &Rules) {
        self.speak(session.settings.language);
        self.show_page(session, rules);
        self.show_shell(session);
        self.show_voice(session.settings);
        self.page.set(session.page.name());
    }

    /// Shows another catalog from now on.
    pub fn catalog_changed(&mut self, catalog: Rc<Catalog>) {
        self.catalog = catalog;
    }

    fn speak(&self, language: Language) {
        if self.language.replace(Some(language)) == Some(language) {
            return;
        }
        // The texts in the markup are simplified Chinese; "" selects them.
        let translation = if language == Language::ZhHans { "" } else { language.tag() };
        if let Err(error) = slint::select_bundled_translation(translation) {
            tracing::error!(%error, language = language.tag(), "this language is not bundled");
        }
    }

    fn show_shell(&self, session: &Session) {
        let shell = self.window.global::<ui::Shell>();
        let around = &session.surroundings;
        shell.set_language(present::language_kind(session.settings.language));
        shell.set_theme(present::theme_kind(session.settings.theme));
        shell.set_text_size(present::text_size_kind(session.settings.text_size));
        shell.set_high_contrast(session.settings.contrast == Contrast::High);
        shell.set_settings_open(session.settings_open);
        shell.set_network_ok(around.network);
        shell.set_printer_ok(around.printer == PrinterCondition::Ready);
        shell.set_reader_ok(around.reader_present);
        let may_end = match &session.page {
            // Who goes on with another item may also stop.
            Page::Home(_) => session.known.is_some(),
            Page::Leaving(_) => false,
            Page::Saving(saving) => saving.overdue,
            _ => true,
        };
        let over = matches!(
            session.page,
            Page::Home(_)
                | Page::Saving(_)
                | Page::Receipt(_)
                | Page::Rating(_)
                | Page::Progress(_)
                | Page::Fetched(_)
        );
        shell.set_can_go_back(session.settings_open || (may_end && !over));
        shell.set_can_end(may_end);
        shell.set_notice_detail(present::notice_detail(session, &self.catalog).into());
        shell.set_notice_can_continue(session.notice.is_some_and(|notice| self.may_go_on(notice)));
        shell.set_notice(present::notice_kind(session.notice));
        shell.set_help_open(session.keeper.help().is_some());
        shell.set_idle_seconds(session.idle.warning_s.unwrap_or_default() as i32);
        shell.set_idle_warning(session.idle.warning_s.is_some());
        shell.set_screen(present::screen_of(&session.page));
    }

    /// Whether the resident may go on all the same.
    fn may_go_on(&self, notice: Notice) -> bool {
        match notice {
            Notice::CardExpiredAccepted | Notice::SocialCardExpiredAccepted => true,
            Notice::CityAway | Notice::CitySlow | Notice::CityBusy => self.catalog.follows_cases(),
            _ => false,
        }
    }

    /// Sets the clock in the header.
    pub fn show_clock(window: &KioskWindow, wall_ms: i64) {
        let minute = calendar::minute_in_china(wall_ms);
        let clock = minute.split_once(' ').map_or("", |(_, clock)| clock);
        window.global::<ui::Shell>().set_clock(clock.into());
    }

    fn show_page(&self, session: &Session, rules: &Rules) {
        let item = session.visit.as_ref().map(|visit| visit.item.clone());
        if !matches!(session.page, Page::Question(_)) {
            self.forget_photos();
        }
        self.keyboard.show(&self.window, session);
        match &session.page {
            Page::Home(_) => self.show_home(session),
            Page::Guide => self.show_guide(session, item.as_ref()),
            Page::LifeEvent => self.show_life_event(session),
            Page::Consent => self.show_consent(session, item.as_ref()),
            Page::Identify(identify) => self.show_identify(session, identify),
            Page::ConfirmPerson => self.person.show(self.person_lines(session)),
            Page::Question(draft) => self.show_question(session, rules, draft),
            Page::Review => self.show_review(session, item.as_ref()),
            Page::Outcome(page) => self.show_outcome(session, page),
            Page::Receipt(receipt) => self.show_receipt(session, receipt),
            Page::Saving(saving) => {
                self.window.global::<ui::SavingScreen>().set_overdue(saving.overdue);
            }
            Page::Rating(_) | Page::Asking(_) | Page::Fetching(_) => {}
            Page::Fetched(page) => self.show_fetched(session, page),
            Page::Unfetched(why) => self.show_unfetched(session, *why),
            Page::Enquiry(enquiry) => self.show_enquiry(session, enquiry),
            Page::Progress(page) => self.show_progress(session, rules, page),
            Page::FollowUp(about) => self.show_follow_up(rules, about),
            Page::Leaving(to_take) => {
                self.forget();
                let leaving = self.window.global::<ui::LeavingScreen>();
                leaving.set_take_card(to_take.card);
                leaving.set_card_seen(to_take.card_seen);
                leaving.set_take_social_card(to_take.social_card);
                leaving.set_take_receipt(to_take.receipt);
                leaving.set_take_papers(to_take.papers);
            }
        }
    }

    fn show_home(&self, session: &Session) {
        self.forget();
        let home = self.window.global::<ui::HomeScreen>();
        let tiles = present::tiles(&self.catalog, session);
        home.set_some_away(tiles.iter().any(|tile| !tile.available));
        self.items.show(tiles);
        home.set_submissions_open(session.why_not_begin().is_none());
        home.set_power_out(session.surroundings.power != Power::Mains);
        home.set_hidden_items(self.catalog.hidden() as i32);
        home.set_catalog_stale(session.surroundings.catalog == CatalogAge::Stale);
        let Page::Home(offer) = &session.page else { return };
        home.set_goes_on(session.known.is_some());
        home.set_same_person(session.known.as_ref().is_some_and(Known::is_identified));
        home.set_saved_case(offer.is_some());
        if let Some(offer) = offer {
            home.set_saved_case_number(offer.case.case_number.as_str().into());
            home.set_saved_case_title(self.title(&offer.case.item, session).into());
        }
    }

    fn show_life_event(&self, session: &Session) {
        let Some(life_event) = &session.life_event else { return };
        let screen = self.window.global::<ui::LifeEventScreen>();
        let tiles = present::tiles_of(&self.catalog, session, life_event);
        screen.set_some_told(tiles.iter().any(|tile| tile.done || !tile.available));
        self.life_event_items.show(tiles);
        screen.set_title(self.title(&life_event.item, session).into());
        screen.set_same_person(session.known.as_ref().is_some_and(Known::is_identified));
    }

    fn show_guide(&self, session: &Session, code: Option<&ItemCode>) {
        let Some(item) = code.and_then(|code| self.catalog.item(code)) else { return };
        let language = session.settings.language;
        let guide = self.window.global::<ui::GuideScreen>();
        guide.set_title(words(&item.title, language).into());
        guide.set_what(words(&item.guide.what, language).into());
        self.bring.show(item.guide.bring.iter().map(|text| words(text, language).into()).collect());
        guide.set_time(words(&item.guide.time, language).into());
        guide.set_department(words(&item.guide.department, language).into());
        guide.set_fee(words(&item.guide.fee, language).into());
        let looks_up = matches!(item.shape, Shape::WhereToGo | Shape::Fetch);
        guide.set_available(looks_up || session.why_not_begin().is_none());
        self.show_guide_print(session);
        guide.set_catalog_stale(session.surroundings.catalog == CatalogAge::Stale);
    }

    fn show_consent(&self, session: &Session, code: Option<&ItemCode>) {
        let Some(item) = code.and_then(|code| self.catalog.item(code)) else { return };
        let language = session.settings.language;
        let Some(said) = &item.consent else { return };
        let consent = self.window.global::<ui::ConsentScreen>();
        consent.set_title(words(&item.title, language).into());
        consent.set_purpose(words(&said.purpose, language).into());
        self.consent_data.show(said.data.iter().map(|text| words(text, language).into()).collect());
        consent.set_retention(words(&said.retention, language).into());
        consent.set_refusal(words(&said.refusal, language).into());
    }

    fn show_identify(&self, session: &Session, identify: &Identify) {
        let screen = self.window.global::<ui::IdentifyScreen>();
        let around = &session.surroundings;
        let status = |card| match (around.reads(card), identify.status) {
            (false, _) => ui::CardStatus::ReaderAway,
            (true, CardStatus::Reading(read)) if read == card => ui::CardStatus::Reading,
            (true, CardStatus::Waiting | CardStatus::Reading(_)) => ui::CardStatus::Waiting,
        };
        screen.set_status(status(CardKind::IdCard));
        screen.set_social_status(status(CardKind::SocialSecurityCard));
        let ways = session.visit.as_ref().and_then(|visit| self.catalog.item(&visit.item));
        let offered = |way| ways.is_some_and(|item| item.identify.ways.contains(&way));
        screen.set_can_type(offered(service_catalog::Way::Typed));
        screen.set_can_lay(offered(service_catalog::Way::IdCard));
        // Of a reader that this terminal does not have, nothing is said.
        let has_slot = around.social_card_reader.is_some();
        screen.set_can_insert(has_slot && offered(service_catalog::Way::SocialSecurityCard));
        screen.set_typing(identify.typing);
        screen.set_typed(grouped(identify.typed.expose()).into());
        screen.set_can_submit(!identify.typed.expose().is_empty());
    }

    fn show_question(&self, session: &Session, rules: &Rules, draft: &Draft) {
        let Some(visit) = &session.visit else { return };
        let Some(asked) = self.catalog.question(&visit.item, &draft.question) else { return };
        let language = session.settings.language;
        let screen = self.window.global::<ui::QuestionScreen>();
        let (number, total) = progress(rules, session).unwrap_or((1, 1));
        screen.set_item_title(self.title(&visit.item, session).into());
        screen.set_number(number as i32);
        screen.set_total(total as i32);
        screen.set_kind(question::kind(asked, draft));
        screen.set_label(words(&asked.label, language).into());
        screen.set_hint(self.hint(asked, draft, language));
        screen.set_unit(asked.unit.as_ref().map(|unit| words(unit, language)).unwrap_or_default().into());
        screen.set_stage(question::stage(asked, draft));
        screen.set_required(asked.required);
        self.options.show(question::options(asked, draft, language));
        screen.set_text(draft.text.expose().as_str().into());
        screen.set_characters_left(question::characters_left(asked, draft));
        self.phrases.show(question::phrases(asked, language));
        let shown_day = draft.date.unwrap_or(session.today);
        screen.set_year(shown_day.year());
        screen.set_month(i32::from(u8::from(shown_day.month())));
        screen.set_day(i32::from(shown_day.day()));
        screen.set_date_chosen(draft.date.is_some());
        match asked.kind {
            QuestionKind::Photo => self.show_photos(session, draft, asked.max_photos.unwrap_or(1)),
            _ => self.forget_photos(),
        }
    }

    /// Beside the rest of an address stands which town and village were chosen.
    fn hint(&self, asked: &Question, draft: &Draft, language: Language) -> SharedString {
        if asked.kind == QuestionKind::Address && draft.address.stage == AddressStage::Rest {
            let area = question::area(asked, draft, language);
            return self.window.global::<ui::AnswerWords>().invoke_rest_of(area.into());
        }
        asked.hint.as_ref().map(|hint| words(hint, language)).unwrap_or_default().into()
    }

    fn show_review(&self, session: &Session, code: Option<&ItemCode>) {
        let review = self.window.global::<ui::ReviewScreen>();
        review.set_item_title(code.map(|code| self.title(code, session)).unwrap_or_default().into());
        self.person.show(self.person_lines(session));
        review.set_follows(self.follows(session));
        review.set_about(follow_up::about(session));
        let words = self.window.global::<ui::AnswerWords>();
        let photos = |count: usize| words.invoke_photos(count as i32);
        let yuan = |sum: &str| words.invoke_yuan(sum.into());
        let wording = lines::Wording { photos: &photos, yuan: &yuan };
        self.answers.show(lines::answers(session, &self.catalog, &wording));
    }

    fn show_receipt(&self, session: &Session, page: &ReceiptPage) {
        let printer = session.surroundings.printer;
        let receipt = self.window.global::<ui::ReceiptScreen>();
        let number: SharedString = page.case.case_number.as_str().into();
        if receipt.get_case_number() != number {
            let code = receipt_code::compose(&self.verify_url, &page.case.verification, &number);
            receipt.set_qr(qr_image(&code));
        }
        receipt.set_case_number(number);
        receipt.set_verification(verification_code::grouped(&page.case.verification).into());
        receipt.set_item_title(self.title(&page.case.item, session).into());
        receipt.set_follows(self.follows(session));
        receipt.set_about(follow_up::about(session));
        receipt.set_print_status(present::shown_print(page.print, printer));
        receipt.set_can_print(page.can_print(printer));
        receipt.set_sent(page.sent);
    }

    /// Takes everything personal out of the window: it must not wait there for the next resident.
    fn forget(&self) {
        let window = &self.window;
        window.global::<ui::IdentifyScreen>().set_typed(SharedString::default());
        window.global::<ui::QuestionScreen>().set_text(SharedString::default());
        window.global::<ui::QuestionScreen>().set_hint(SharedString::default());
        self.options.show(Vec::new());
        self.person.show(Vec::new());
        self.answers.show(Vec::new());
        let receipt = window.global::<ui::ReceiptScreen>();
        receipt.set_case_number(SharedString::default());
        receipt.set_verification(SharedString::default());
        self.forget_enquiry();
        self.forget_follow_up();
        self.forget_outcome();
        self.forget_fetched();
        receipt.set_qr(Image::default());
    }

    fn person_lines(&self, session: &Session) -> Vec<ui::Line> {
        let person_words = self.window.global::<ui::PersonWords>();
        let word = |key: &str| person_words.invoke_word(key.into());
        let applicant = session.visit.as_ref().and_then(|visit| visit.applicant.as_ref());
        applicant.map(|a| lines::person(a, session.settings.language, &word)).unwrap_or_default()
    }

    fn title(&self, code: &ItemCode, session: &Session) -> String {
        let item = self.catalog.item(code);
        item.map_or(code.0.as_str(), |item| words(&item.title, session.settings.language)).to_owned()
    }
}

/// A QR code, one pixel a module, with its quiet zone; the markup scales it up.
fn qr_image(text: &str) -> Image {
    let Ok(modules) = kiosk_documents::qr::modules(text) else { return Image::default() };
    let quiet = kiosk_documents::qr::QUIET_ZONE;
    let side = modules.size_with_quiet_zone();
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side as u32, side as u32);
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at % side, at / side);
        let inside = |v: usize| v.checked_sub(quiet).filter(|v| *v < modules.size);
        let dark = inside(x).zip(inside(y)).is_some_and(|(x, y)| modules.is_dark(x, y));
        let shade = if dark { 0 } else { 255 };
        *pixel = Rgb8Pixel { r: shade, g: shade, b: shade };
    }
    Image::from_rgb8(pixels)
}
