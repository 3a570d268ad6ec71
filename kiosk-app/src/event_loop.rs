//! The loop: a message in, one pure step, its effects out, the screen shown anew.

use crate::bind::Screen;
use crate::catalog::Catalog;
use crate::effects::Hands;
use crate::inbox::Message;
use crate::meaning;
use crate::present::lights::lights;

use crate::voice::screens::Screens;
use kiosk_core::session::{Device, Effect, Event, Limits, Moment, Passage, Rules, Session, step};
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Everything the loop owns.
pub struct EventLoop {
    session: Session,
    catalog: Rc<Catalog>,
    limits: Limits,
    hands: Hands,
    screen: Screen,
    screens: Screens,
    /// To be read once the screen shows what it is about; a newer passage takes its place.
    to_read: Option<Passage>,
    started: Instant,
}

impl EventLoop {
    /// A loop that has seen nothing yet.
    pub fn new(catalog: Rc<Catalog>, limits: Limits, hands: Hands, screen: Screen, screens: Screens) -> Self {
        let session = Session::default();
        let started = Instant::now();
        EventLoop { session, catalog, limits, hands, screen, screens, to_read: None, started }
    }

    /// Runs until the inbox is closed. The session lives in this future and nowhere else.
    pub async fn run(mut self, messages: async_channel::Receiver<Message>) {
        self.screen.show(&self.session, &self.rules());
        while let Ok(message) = messages.recv().await {
            let mut changed = self.take(message);
            // What has already arrived belongs to the same picture.
            while let Ok(message) = messages.try_recv() {
                changed |= self.take(message);
            }
            if !changed {
                continue;
            }
            self.take_newer_catalog();
            self.hands.light_up(lights(&self.session));
            self.screen.show(&self.session, &self.rules());
            self.read_aloud();
        }
    }

    fn read_aloud(&mut self) {
        let Some(passage) = self.to_read.take() else { return };
        let words = self.screen.words_of(&self.screens, &self.session, &self.rules(), passage);
        self.hands.read_aloud(words, self.session.settings.language);
    }

    /// Does one thing, or has it read once the screen is drawn: until then what the words are taken from is not there.
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::ReadAloud(passage, _) => self.to_read = Some(passage),
            effect => {
                if matches!(effect, Effect::Say(..) | Effect::Hush | Effect::WipeSession) {
                    self.to_read = None;
                }
                self.hands.carry_out(effect);
            }
        }
    }

    /// True when the session may look different now: a picture of the camera alone changes nothing else.
    fn take(&mut self, message: Message) -> bool {
        if matches!(message, Message::PreviewMoved) {
            if let Some(picture) = self.hands.newest_picture() {
                self.screen.show_picture(&picture);
            }
            return false;
        }
        for event in self.events_of(message) {
            let moment = self.now();
            let page_before = self.session.page.name();
            let session = std::mem::take(&mut self.session);
            let step = step(&self.rules(), session, moment, event);
            self.session = step.session;
            let page = self.session.page.name();
            if page != page_before {
                tracing::debug!(from = page_before, to = page, "the page changed");
            }
            for effect in step.effects {
                self.carry_out(effect);
            }
        }
        true
    }

    /// Goes over to a newer catalog, but only while nobody uses the kiosk: a session ends with the one it began with.
    fn take_newer_catalog(&mut self) {
        let Some(newer) = self.session.is_unused().then(|| self.catalog.newer()).flatten() else { return };
        if !self.hands.catalog_changed(&newer) {
            return tracing::warn!("the store or the printer is busy: another catalog is shown later");
        }
        tracing::info!(version = newer.version(), hidden = newer.hidden(), "another catalog is shown");
        self.catalog = Rc::new(newer);
        self.screen.catalog_changed(self.catalog.clone());
    }

    fn rules(&self) -> Rules<'_> {
        Rules { items: self.catalog.items(), conditions: &*self.catalog, limits: self.limits }
    }

    fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        Moment { monotonic_ms: self.started.elapsed().as_millis() as u64, wall_ms: wall }
    }

    fn events_of(&self, message: Message) -> Vec<Event> {
        match message {
            Message::Event(event) => vec![event],
            Message::LookForCatalog => self.aged().into_iter().collect(),
            Message::PreviewMoved => Vec::new(),
            Message::PhraseTapped(at) => {
                let phrase = meaning::phrase(&self.session, &self.catalog, at);
                phrase.into_iter().map(Event::Citizen).collect()
            }
            Message::PickerTapped(at) => {
                meaning::picked(&self.session, at).into_iter().map(Event::Citizen).collect()
            }
            Message::KeyboardTyped(text) => {
                meaning::keyboard(&self.session, &text).into_iter().map(Event::Keyboard).collect()
            }
        }
    }

    /// The catalog's age, when it changed.
    fn aged(&self) -> Option<Event> {
        let age = self.catalog.age();
        (age != self.session.surroundings.catalog).then_some(Event::Device(Device::CatalogAged(age)))
    }
}
