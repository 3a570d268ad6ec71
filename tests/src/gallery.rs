//! Every screen in every look, drawn in this process from the true session machine, the true catalog and the
//! true markup. `cargo xtask ui` writes the pictures to a folder to look at; the snapshot test compares them with
//! those that were looked at and committed, and the measuring test looks into them.

mod fetch;
mod follow_up;
mod guide_print;
mod help;
mod kinds;
mod life_event;
mod look;
mod outcome;
mod photo;
mod picture;
mod progress;
mod two_cards;
mod typing;
mod voice;
mod walk;

pub use look::{Dealer, Look, Panel, pairwise};
pub use picture::Picture;
pub use typing::Finger;
pub use walk::Walk;

use anyhow::Result;
use device_drivers::camera::Picture as CameraPicture;
use kiosk_app::bind::Screen;
use kiosk_app::catalog::Catalog;
use kiosk_app::config::Config;
use kiosk_app::inbox::{Message, inbox};
use kiosk_core::applicant::{Applicant, CardKind, DocumentKind, IdentificationWay};
use kiosk_core::calendar;
use kiosk_core::remedy::{Notice, Remedy};
use kiosk_core::service::{ItemCode, QuestionKind, ServiceItem, Shape};
use kiosk_core::session::{
    Admission, CatalogAge, Citizen, Device, Effect, Event, Limits, Moment, Page, PrintStatus,
    PrinterCondition, Rules, SavedCase, Session, Store, Ticket, TimerKind, step,
};
use kiosk_core::settings::{Language, Theme};
use kiosk_ui::{KioskWindow, ScreenKind, Shell};
use slint::platform::software_renderer::{MinimalSoftwareWindow, PremultipliedRgbaColor, RepaintBufferType};
use slint::platform::{Platform, PointerEventButton, WindowAdapter, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize, PlatformError};
use std::path::Path;
use std::rc::Rc;

/// 2026-11-22 14:05 in China: pictures must not change with the date.
const NOW_MS: i64 = 1_795_327_500_000;

/// A platform that only draws when asked.
struct Easel(Rc<MinimalSoftwareWindow>);

impl Platform for Easel {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.0.clone())
    }
}

/// Draws screens. One a process: Slint has one platform.
pub struct Gallery {
    easel: Rc<MinimalSoftwareWindow>,
    window: KioskWindow,
    screen: Screen,
    catalog: Rc<Catalog>,
    /// What touches mean.
    messages: async_channel::Receiver<Message>,
}

impl Gallery {
    /// Sets up the platform and the window. `catalog` is the folder of the service items.
    pub fn new(catalog: &Path) -> Result<Gallery> {
        let easel = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
        slint::platform::set_platform(Box::new(Easel(easel.clone())))
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let window = KioskWindow::new()?;
        easel.set_size(Panel::Upright.size());
        kiosk_app::fonts::set_fallbacks();
        let catalog = Rc::new(Catalog::load(catalog));
        anyhow::ensure!(catalog.hidden() == 0, "an item of the catalog is broken");
        let (inbox, messages) = inbox();
        let config = config(Panel::Upright.size())?;
        let screen = Screen::new(window.clone_strong(), catalog.clone(), &config, Default::default(), &inbox);
        Screen::show_clock(&window, NOW_MS);
        window.show()?;
        Ok(Gallery { easel, window, screen, catalog, messages })
    }

    /// Shows the session as it stands, in this look. Theme and language are the session's own.
    pub fn show(&self, visitor: &Visitor, look: Look) {
        self.easel.set_size(look.panel.size());
        self.window.global::<kiosk_ui::Panel>().set_sideways(look.panel == Panel::Sideways);
        let mut session = visitor.session.clone();
        session.settings.text_size = look.size;
        session.settings.contrast = look.contrast;
        self.screen.show(&session, &visitor.rules());
        if let Some(picture) = visitor.live.as_ref().filter(|_| session.shows_live()) {
            self.screen.show_picture(picture);
        }
        slint::platform::update_timers_and_animations();
    }

    /// Shows the page with every widget, in this look.
    pub fn show_widgets(&self, look: Look) {
        self.show(&Visitor::new(self.catalog.clone(), look.theme, look.language), look);
        self.window.global::<Shell>().set_screen(ScreenKind::Widgets);
        slint::platform::update_timers_and_animations();
    }

    /// What is shown now, as a picture.
    pub fn draw(&self, name: String) -> Picture {
        self.window.window().request_redraw();
        slint::platform::update_timers_and_animations();
        let PhysicalSize { width, height, .. } = self.window.window().size();
        let mut pixels = vec![PremultipliedRgbaColor::default(); (width * height) as usize];
        self.easel.draw_if_needed(|renderer| {
            renderer.render(&mut pixels, width as usize);
        });
        let rgba = pixels.iter().flat_map(|p| [p.red, p.green, p.blue, p.alpha]).collect();
        Picture { name, width, height, rgba }
    }

    /// The window, to be looked into.
    pub fn window(&self) -> &KioskWindow {
        &self.window
    }

    /// Every item with its shape, in the order of the home screen.
    pub fn items(&self) -> Vec<(ItemCode, Shape)> {
        self.catalog.items().iter().map(|item| (item.code.clone(), item.shape)).collect()
    }

    /// Codes of the items but the first: of them only what the first does not have is worth keeping.
    pub fn other_items(&self) -> Vec<String> {
        self.catalog.items().iter().skip(1).map(|item| item.code.0.clone()).collect()
    }

    /// A finger comes down at this place of the window, in pixels.
    pub fn touch(&self, x: f32, y: f32) -> Result<()> {
        let (position, button) = (LogicalPosition::new(x, y), PointerEventButton::Left);
        self.easel.dispatch_event_with_result(WindowEvent::PointerPressed { position, button })?;
        Ok(())
    }

    /// It slides off what it is on, to where nothing is, and leaves.
    pub fn slide_off(&self) -> Result<()> {
        let (position, button) = (LogicalPosition::new(1.0, 1.0), PointerEventButton::Left);
        self.easel.dispatch_event_with_result(WindowEvent::PointerMoved { position })?;
        self.easel.dispatch_event_with_result(WindowEvent::PointerReleased { position, button })?;
        self.easel.dispatch_event_with_result(WindowEvent::PointerExited)?;
        Ok(())
    }

    /// Every screen in one theme and language, in the order of a visit.
    pub fn visit(&self, theme: Theme, language: Language, mut show: impl FnMut(&str, &Visitor)) {
        let mut visitor = Visitor::new(self.catalog.clone(), theme, language);
        visitor.whole_visit(&mut show);
        let mut writer = Visitor::new(self.catalog.clone(), theme, language);
        writer.go_to_the_place();
        writer.write(&mut |way, writer| show(&format!("typing-{way}"), writer));
    }
}

/// What a screen of that name is drawn as in that look.
pub fn picture_name(look: Look, screen: &str) -> String {
    format!("{screen}-{}", look.name())
}

fn config(size: PhysicalSize) -> Result<Config> {
    Ok(toml::from_str(&format!(
        r#"
        terminal = {{ code = "DG0001", place = "莞城街道示例社区党群服务中心", demo = true, keeper_phone = "0769-00000000" }}
        paths = {{ state = "", catalog = "", keys = "", documents = "" }}
        panel = {{ diagonal_inch = 21.5, width_px = {}, height_px = {} }}
        store = {{ min_free_mib = 1 }}
        city = {{ verify_url = "https://city.example/v/" }}
        "#,
        size.width, size.height
    ))?)
}

/// A made-up resident at the pure session machine.
pub struct Visitor {
    catalog: Rc<Catalog>,
    /// The session as it stands.
    pub session: Session,
    effects: Vec<Effect>,
    at_ms: u64,
    /// What lies under the camera.
    live: Option<CameraPicture>,
}

impl Visitor {
    fn new(catalog: Rc<Catalog>, theme: Theme, language: Language) -> Self {
        let (session, effects) = (Session::default(), Vec::new());
        let mut visitor = Visitor { catalog, session, effects, at_ms: 0, live: None };
        visitor.send(Event::Store(Store::AdmissionChanged(Admission::Open)));
        visitor.send(Event::Device(Device::ReaderPresent(true)));
        visitor.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
        visitor.send(Event::Device(Device::NetworkChanged(true)));
        visitor.dress(theme, language);
        visitor
    }

    /// Whether a second touch on the settings' button counts, so many milliseconds after the first.
    pub fn counts_again(&self, apart_ms: u64) -> bool {
        let rules = self.rules();
        let touch = |session, monotonic_ms| {
            let moment = Moment { monotonic_ms, wall_ms: NOW_MS };
            step(&rules, session, moment, Event::Citizen(Citizen::SettingsWanted)).session
        };
        let once = touch(self.session.clone(), self.at_ms + 1_000);
        let open = once.settings_open;
        touch(once, self.at_ms + 1_000 + apart_ms).settings_open != open
    }

    fn dress(&mut self, theme: Theme, language: Language) {
        if theme != self.session.settings.theme {
            self.touch(Citizen::SeniorToggled);
        }
        self.touch(Citizen::LanguageChosen(language));
    }

    fn rules(&self) -> Rules<'_> {
        Rules { items: self.catalog.items(), conditions: &*self.catalog, limits: Limits::default() }
    }

    fn send(&mut self, event: Event) {
        self.at_ms += 1_000;
        let moment = Moment { monotonic_ms: self.at_ms, wall_ms: NOW_MS };
        let session = std::mem::take(&mut self.session);
        let step = step(&self.rules(), session, moment, event);
        self.session = step.session;
        self.effects = step.effects;
    }

    fn touch(&mut self, touch: Citizen) {
        self.send(Event::Citizen(touch));
    }

    fn ticket<T>(&self, of: impl Fn(&Effect) -> Option<T>) -> T {
        self.effects.iter().find_map(of).expect("the session asked for it")
    }

    fn whole_visit(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        let (theme, language) = (self.session.settings.theme, self.session.settings.language);
        show("home", self);
        self.touch(Citizen::SettingsWanted);
        show("settings", self);
        self.touch(Citizen::SettingsDone);
        let tiles = |item: &ServiceItem| !matches!(item.shape, Shape::FollowUp(_));
        let items: Vec<ServiceItem> =
            self.catalog.items().iter().filter(|item| tiles(item)).cloned().collect();
        for item in items {
            self.touch(Citizen::ItemChosen(item.code.clone()));
            show(&format!("guide-{}", item.code.0), self);
            self.touch(Citizen::Started);
            if item.shape == Shape::LifeEvent {
                self.go_through(&item, show);
                self.dress(theme, language);
                continue;
            }
            if item.shape == Shape::WhereToGo {
                self.find_the_way(&item.code, show);
                self.dress(theme, language);
                continue;
            }
            show(&format!("consent-{}", item.code.0), self);
            self.touch(Citizen::Agreed);
            if item.shape == Shape::Fetch {
                self.fetch(&item.code, show);
                self.dress(theme, language);
                continue;
            }
            self.identify(&item.code, show);
            self.answer_all(&item.code, show);
            show(&format!("review-{}", item.code.0), self);
            self.finish(&item.code, show);
            self.dress(theme, language);
        }
        self.enquire(show);
        self.dress(theme, language);
        self.follow_a_case(show);
        self.dress(theme, language);
        self.print_a_guide(show);
        self.dress(theme, language);
        self.use_either_card(show);
        self.dress(theme, language);
        self.turn_the_voice(show);
        self.dress(theme, language);
        self.broken_things(show);
    }

    fn identify(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        let reading = |effect: &Effect| match effect {
            Effect::StartReading(CardKind::IdCard, ticket) => Some(*ticket),
            _ => None,
        };
        let mut ticket: Ticket = self.ticket(reading);
        if *code == first_item(&self.catalog) {
            show("identify-card", self);
            self.touch(Citizen::TypingChosen);
            for key in "99000119460308".chars() {
                self.touch(Citizen::KeyTyped(key));
            }
            show("identify-typing", self);
            for key in "0011".chars() {
                self.touch(Citizen::KeyTyped(key));
            }
            self.touch(Citizen::NumberSubmitted);
            show("notice-number-slip", self);
            self.touch(Citizen::NoticeClosed);
            self.touch(Citizen::CardChosen);
            ticket = self.ticket(reading);
            let remedy = Remedy::AskCitizen(Notice::CardHoldStill);
            self.send(Event::Device(Device::CardFailed(ticket, remedy)));
            show("notice-hold-still", self);
            self.touch(Citizen::NoticeClosed);
            ticket = self.ticket(reading);
            self.send(Event::Device(Device::CardFound(ticket)));
            self.send(Event::Device(Device::CardRead(ticket, Box::new(card(Some("2020-06-30"))))));
            show("notice-expired", self);
            // "No" ends the visit; the next resident has a valid card.
            let settings = self.session.settings;
            self.touch(Citizen::NoticeClosed);
            self.touch(Citizen::FarewellDone);
            self.dress(settings.theme, settings.language);
            for touch in [Citizen::ItemChosen(code.clone()), Citizen::Started, Citizen::Agreed] {
                self.touch(touch);
            }
            ticket = self.ticket(reading);
        }
        let first = *code == first_item(&self.catalog);
        let holder = if first { card(Some("2036-05-01")) } else { elder() };
        self.send(Event::Device(Device::CardRead(ticket, Box::new(holder))));
        if first {
            show("confirm-person", self);
        }
        self.touch(Citizen::PersonConfirmed);
    }

    /// Answers every question as it comes, with the last option, the first phrase, today.
    fn answer_all(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        while let Page::Question(draft) = &self.session.page {
            let id = draft.question.clone();
            let name = format!("question-{}-{}", code.0, id.0);
            let catalog = self.catalog.clone();
            let kind =
                catalog.items().iter().find(|item| item.code == *code).and_then(|item| item.question(&id));
            match kind.map(|question| question.kind.clone()) {
                Some(QuestionKind::Choice(values)) => {
                    self.touch(Citizen::OptionChosen(values.last().cloned().unwrap_or_default()));
                }
                Some(QuestionKind::Choices(values)) => {
                    for value in values.iter().take(2) {
                        self.touch(Citizen::OptionChosen(value.clone()));
                    }
                }
                Some(QuestionKind::Text { .. }) => {
                    let phrase = catalog.question(code, &id).and_then(|question| question.phrases.first());
                    let text = phrase.map_or("陈桂英", |p| {
                        kiosk_app::catalog::words(p, self.session.settings.language)
                    });
                    self.touch(Citizen::TextTyped(text.into()));
                }
                Some(QuestionKind::Phone) => self.touch(Citizen::TextTyped("13800000000".into())),
                Some(QuestionKind::Date { .. }) => self.touch(Citizen::DateStepped(0, 0, 0)),
                Some(QuestionKind::Photo { .. }) => {
                    self.photograph(&name, show);
                }
                Some(QuestionKind::Number(_)) => self.touch(Citizen::TextTyped("3".into())),
                Some(QuestionKind::Money(_)) => self.touch(Citizen::TextTyped("12800.50".into())),
                Some(QuestionKind::Address(areas)) => self.give_address(&areas, &name, show),
                None => {}
            }
            show(&name, self);
            self.touch(Citizen::Answered);
            assert!(self.session.notice.is_none(), "the sample answer to {} of {} is good", id.0, code.0);
        }
    }

    fn finish(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        let first = *code == first_item(&self.catalog);
        self.touch(Citizen::Confirmed);
        let ticket = self.ticket(|effect| match effect {
            Effect::Finalise(ticket, _) => Some(*ticket),
            _ => None,
        });
        if first {
            show("saving", self);
            let overdue = self.ticket(|effect| match effect {
                Effect::StartTimer(TimerKind::Saving, ticket, _) => Some(*ticket),
                _ => None,
            });
            self.send(Event::Timer(overdue));
            show("saving-overdue", self);
        }
        self.send(Event::Store(Store::Finalised(ticket, saved(code))));
        let printing = |effect: &Effect| match effect {
            Effect::Print(ticket, _) => Some(*ticket),
            _ => None,
        };
        let print = self.ticket(printing);
        if first {
            show("receipt-printing", self);
            self.send(Event::Device(Device::PrinterChanged(PrinterCondition::NoPaper)));
            self.send(Event::Device(Device::PrintFailed {
                ticket: print,
                why: PrintStatus::NoPaper,
                begun: false,
            }));
            show("receipt-no-paper", self);
            self.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
            self.touch(Citizen::PrintWanted);
            let print = self.ticket(printing);
            self.send(Event::Device(Device::Printed(print, 2)));
        } else {
            self.send(Event::Device(Device::Printed(print, 2)));
            self.send(Event::Store(Store::Delivered("case".into())));
            show(&format!("receipt-printed-{}", code.0), self);
        }
        self.touch(Citizen::ReceiptDone);
        if first {
            show("rating", self);
        }
        self.touch(Citizen::RatingSkipped);
        if first {
            show("leaving", self);
        }
        self.touch(Citizen::FarewellDone);
    }

    fn broken_things(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.ask_for_help(show);
        let code = first_item(&self.catalog);
        self.touch(Citizen::ItemChosen(code.clone()));
        let idle = self.ticket(|effect| match effect {
            Effect::StartTimer(TimerKind::Idle, ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Timer(idle));
        show("idle-warning", self);
        let settings = self.session.settings;
        self.touch(Citizen::End);
        self.dress(settings.theme, settings.language);
        self.send(Event::Device(Device::CatalogAged(CatalogAge::Stale)));
        show("home-stale-catalog", self);
        self.touch(Citizen::ItemChosen(code.clone()));
        show("guide-stale-catalog", self);
        self.touch(Citizen::End);
        self.dress(settings.theme, settings.language);
        self.send(Event::Device(Device::ReaderPresent(false)));
        self.send(Event::Device(Device::PrinterChanged(PrinterCondition::NoPaper)));
        self.send(Event::Device(Device::NetworkChanged(false)));
        self.send(Event::Store(Store::AdmissionChanged(Admission::Closed)));
        self.send(Event::Store(Store::RecentCaseFound(saved(&code), PrintStatus::NotPrinted)));
        show("home-everything-broken", self);
        self.touch(Citizen::SavedCaseDismissed);
        show("home-closed", self);
    }
}

/// The first item that makes a case.
fn first_item(catalog: &Catalog) -> ItemCode {
    let item = catalog.items().iter().find(|item| item.shape == Shape::Submit);
    item.expect("a catalog without an item to submit").code.clone()
}

fn saved(item: &ItemCode) -> SavedCase {
    SavedCase {
        case_id: "case".into(),
        case_number: "DG0001-7K3M9QXF-B".into(),
        item: item.clone(),
        verification: "ABCDEFGHJKLMNPQR".into(),
        finalised_at_ms: NOW_MS,
    }
}

/// The same, old enough for every item.
fn elder() -> Applicant {
    let (number, birth) = ("990001194603080075".into(), Some("1946-03-08".into()));
    Applicant { number, birth, ..card(Some("2036-05-01")) }
}

/// A made-up resident with a rare name; area code 990001 is nobody's.
fn card(valid_to: Option<&str>) -> Applicant {
    Applicant {
        way: IdentificationWay::IdCard,
        document: DocumentKind::ResidentIdCard,
        name: Some("𬱖㛃".into()),
        number: "990001196503080019".into(),
        sex: Some("2".into()),
        ethnic: Some("01".into()),
        birth: Some("1965-03-08".into()),
        address: Some("广东省东莞市示例镇样本路18号东侧幸福花园3栋2单元1203室".into()),
        issuer: Some("示例市公安局".into()),
        valid_from: calendar::from_iso("2016-05-01"),
        valid_to: valid_to.and_then(calendar::from_iso),
    }
}
