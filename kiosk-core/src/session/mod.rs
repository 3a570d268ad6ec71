//! 一次使用: the machine that decides what happens next.
//!
//! [`step`] is the only door: an event in, a new session and a list of effects out. Each page is one
//! state in one file with one `on` function; what all pages share (idle clock, back, end, language) is
//! here and in [`idle`]. Nothing of a resident lives outside [`Visit`], and [`leaving::leave`] is the
//! only place that drops it.

pub mod effect;
pub mod event;
pub mod surroundings;
pub mod voice;

mod address;
mod around;
mod asking;
mod case_progress;
mod confirm_person;
mod consent;
mod double_touch;
mod enquiry;
mod fetch;
mod follow_up;
mod guide;
mod guide_print;
mod home;
mod identify;
mod idle;
mod keeper;
mod leaving;
mod left_card;
mod life_event;
mod next_item;
mod number;
mod outcome;
mod page;
mod pages_print;
mod photo;
mod question;
mod rating;
mod receipt;
mod review;
mod saving;
mod scanning;
mod settings_panel;
#[cfg(test)]
mod tests;
mod typing;
mod visit;

pub use address::{AddressDraft, AddressStage};
pub use asking::Asking;
pub use case_progress::{CaseProgress, CaseStatus, CaseStep, ProgressPage};
pub use effect::{
    AuditFact, CityQuestion, Effect, EndReason, HelpOutcome, ProgressOutcome, Prompt, ReceiptOrder,
    Submission, Submitter, TimerKind, Whereabouts,
};
pub use enquiry::{Enquiry, EnquiryField};
pub use event::{CallState, CannotAsk, Citizen, City, CityAnswer, Device, Event, Moment, Store};
pub use fetch::{
    DocumentOrder, FetchOutcome, FetchRequest, Fetched, FetchedPage, FetchedValue, Fetching, Unfetched,
};
pub use follow_up::CaseReference;
pub use guide_print::GuideOrder;
pub use home::SavedCaseOffer;
pub use identify::{CardStatus, CardsShown, Identify};
pub use idle::{Idle, Limits};
pub use keeper::{Help, Keeper};
pub use leaving::ToTake;
pub use life_event::LifeEvent;
pub use next_item::Known;
pub use number::{NoNumber, Number, QueueTicket};
pub use outcome::{DirectionsOrder, OutcomePage};
pub use page::Page;
pub use pages_print::{PagesEnd, PagesPrint, PagesStatus};
pub use photo::{PhotoDraft, PhotoStage};
pub use question::{Draft, progress};
pub use receipt::{PrintStatus, ReceiptPage};
pub use saving::{RECENT_MS, Saving};
pub use surroundings::{
    Admission, CatalogAge, DocumentPrinterCondition, Power, PrinterCondition, Surroundings,
};
pub use typing::{
    Composition, EngineAnswer, EngineQuestion, Mark, Method, PenPoint, Pick, Picker, Script, Typing,
    TypingTouch, TypingWay,
};
pub use visit::Visit;
pub use voice::{Passage, Topic, Whose};

use crate::applicant::CardKind;
use crate::calendar::{self, Date};
use crate::remedy::Notice;
use crate::service::{Conditions, FollowUp, ItemCode, ServiceItem, Shape};
use crate::settings::{Settings, Theme};

/// Ties an answer to the question it belongs to. Numbers never repeat in the life of the process, so a
/// card read that arrives after 结束 can never reach the next resident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A case that is on disk, in the words of its stub: no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCase {
    /// Random id of the record.
    pub case_id: String,
    /// 办件编号.
    pub case_number: String,
    /// 事项.
    pub item: ItemCode,
    /// Code behind the QR.
    pub verification: String,
    /// When it was finalised, wall clock.
    pub finalised_at_ms: i64,
}

/// What the catalog says, pinned for a session.
pub struct Rules<'a> {
    /// Every item that can be submitted.
    pub items: &'a [ServiceItem],
    /// The catalog's conditions.
    pub conditions: &'a dyn Conditions,
    /// Waits and limits.
    pub limits: Limits,
}

impl Rules<'_> {
    /// The item with this code.
    pub fn item(&self, code: &ItemCode) -> Option<&ServiceItem> {
        self.items.iter().find(|item| item.code == *code)
    }

    /// The item that follows a case with this.
    pub fn follow_up(&self, follows: FollowUp) -> Option<&ServiceItem> {
        self.items.iter().find(|item| item.shape == Shape::FollowUp(follows))
    }
}

/// The whole state of the kiosk's screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The page shown.
    pub page: Page,
    /// The resident, once an item is chosen.
    pub visit: Option<Visit>,
    /// 另办一件: who goes on with another item, from the end of the one before.
    pub known: Option<Known>,
    /// 一件事 that is being gone through.
    pub life_event: Option<LifeEvent>,
    /// Language, theme, text size, contrast.
    pub settings: Settings,
    /// The panel with the settings lies over the page.
    pub settings_open: bool,
    /// The machine around.
    pub surroundings: Surroundings,
    /// A message over the page.
    pub notice: Option<Notice>,
    /// The call for the keeper.
    pub keeper: Keeper,
    /// Who is still there.
    pub idle: Idle,
    /// The day in China, by the latest event.
    pub today: Date,
    last_ticket: Ticket,
    page_timer: Option<Ticket>,
    /// A submission that the store has not answered and whose resident has left.
    unsettled: Option<Ticket>,
    /// A case that was saved while its resident was being seen off.
    offer_at_home: Option<SavedCaseOffer>,
    left_card: left_card::LeftCard,
    scanning: scanning::Scanning,
    /// The camera shows its picture; what it sees must name this.
    preview: Option<Ticket>,
    /// The way of typing that the resident chose.
    typing_way: Option<TypingWay>,
    last_touch: Option<(Citizen, u64)>,
    voice: voice::VoiceState,
    started_at_ms: u64,
    page_changed_at_ms: Option<u64>,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            page: Page::Home(None),
            visit: None,
            known: None,
            life_event: None,
            settings: Settings::default(),
            settings_open: false,
            surroundings: Surroundings::default(),
            notice: None,
            keeper: Keeper::default(),
            idle: Idle::default(),
            today: calendar::day_in_china(0),
            last_ticket: Ticket(0),
            page_timer: None,
            unsettled: None,
            offer_at_home: None,
            left_card: left_card::LeftCard::default(),
            scanning: scanning::Scanning::default(),
            preview: None,
            typing_way: None,
            last_touch: None,
            voice: voice::VoiceState::default(),
            started_at_ms: 0,
            page_changed_at_ms: None,
        }
    }
}

/// The outcome of one event.
#[derive(Debug)]
pub struct Step {
    /// The session afterwards.
    pub session: Session,
    /// What to do, in this order.
    pub effects: Vec<Effect>,
}

/// Decides. Pure: the same rules, session and event always give the same step.
pub fn step(rules: &Rules, session: Session, moment: Moment, event: Event) -> Step {
    let page_before = std::mem::discriminant(&session.page);
    let mut turn = Turn { rules, session, moment, effects: Vec::new() };
    turn.session.today = calendar::day_in_china(moment.wall_ms);
    match event {
        Event::Citizen(touch) => turn.on_touch(touch),
        Event::Keyboard(key) => turn.on_key(key),
        Event::Device(report) => turn.on_device(report),
        Event::Timer(ticket) => turn.on_timer(ticket),
        Event::Store(answer) => turn.on_store(answer),
        Event::City(answer) => turn.on_city(answer),
        Event::Engine(answer) => typing::on_answer(&mut turn, answer),
    }
    keeper::follow(&mut turn);
    photo::follow(&mut turn);
    typing::follow(&mut turn);
    if std::mem::discriminant(&turn.session.page) != page_before {
        turn.session.page_changed_at_ms = Some(moment.monotonic_ms);
    }
    scanning::follow(&mut turn);
    voice::follow(&mut turn);
    Step { session: turn.session, effects: turn.effects }
}

/// One event being worked on: what the pages' functions may read, change and ask for.
struct Turn<'a> {
    rules: &'a Rules<'a>,
    session: Session,
    moment: Moment,
    effects: Vec<Effect>,
}

impl Turn<'_> {
    fn on_touch(&mut self, touch: Citizen) {
        let repeated = self.is_repeated(&touch);
        self.somebody_is_there();
        if !repeated {
            self.on_citizen(touch);
        }
    }

    /// A finger on glass may touch twice; a key that came twice was pressed twice, and both count.
    fn on_key(&mut self, key: Citizen) {
        self.somebody_is_there();
        self.on_citizen(key);
    }

    fn on_citizen(&mut self, touch: Citizen) {
        let Some(touch) = voice::on(self, touch) else { return };
        match touch {
            Citizen::Touched => {}
            Citizen::SeniorToggled => {
                self.session.settings.theme = match self.session.settings.theme {
                    Theme::Standard => Theme::Senior,
                    Theme::Senior => Theme::Standard,
                };
                self.somebody_is_there();
            }
            Citizen::LanguageChosen(language) => self.session.settings.language = language,
            Citizen::HelpWanted => keeper::ring(self),
            Citizen::HelpNotNeeded => keeper::withdraw(self),
            Citizen::End => self.leave(EndReason::Left),
            touch => {
                if let Some(touch) = settings_panel::on(self, touch) {
                    self.below_the_panel(touch);
                }
            }
        }
    }

    fn below_the_panel(&mut self, touch: Citizen) {
        match touch {
            Citizen::NoticeClosed if self.session.notice.is_some() => self.close_notice(),
            touch if self.session.notice.is_some() && touch != Citizen::NoticeContinued => {
                // A notice covers the page: what lies beneath cannot have been touched.
            }
            touch => self.on_page(touch),
        }
    }

    fn on_page(&mut self, touch: Citizen) {
        match &self.session.page {
            Page::Home(_) => home::on(self, touch),
            Page::Guide => guide::on(self, touch),
            Page::LifeEvent => life_event::on(self, touch),
            Page::Consent => consent::on(self, touch),
            Page::Identify(_) => identify::on(self, touch),
            Page::ConfirmPerson => confirm_person::on(self, touch),
            Page::Question(_) => question::on(self, touch),
            Page::Review => review::on(self, touch),
            Page::Outcome(_) => outcome::on(self, touch),
            Page::Fetching(_) => fetch::on_asking(self, touch),
            Page::Fetched(_) => fetch::on_fetched_page(self, touch),
            Page::Unfetched(_) => fetch::on_unfetched(self, touch),
            Page::Saving(_) => {}
            Page::Receipt(_) => receipt::on(self, touch),
            Page::Rating(_) => rating::on(self, touch),
            Page::Enquiry(_) => enquiry::on(self, touch),
            Page::Asking(_) => asking::on(self, touch),
            Page::Progress(_) => case_progress::on(self, touch),
            Page::FollowUp(_) => follow_up::on(self, touch),
            Page::Leaving(_) => leaving::on(self, touch),
        }
    }

    fn on_device(&mut self, report: Device) {
        match report {
            Device::ReaderPresent(present) => {
                self.session.surroundings.reader_present = present;
                identify::on_reader_present(self, CardKind::IdCard, present);
            }
            Device::SocialCardReaderPresent(present) => {
                self.session.surroundings.social_card_reader = Some(present);
                identify::on_reader_present(self, CardKind::SocialSecurityCard, present);
            }
            Device::CameraPresent(present) => photo::on_camera_present(self, present),
            Device::CameraSees(ticket, wrong) => photo::on_sees(self, ticket, wrong),
            Device::PhotoTaken { ticket, photo, doubt } => photo::on_taken(self, ticket, photo, doubt),
            Device::PhotoFailed(ticket, remedy) => photo::on_failed(self, ticket, remedy),
            Device::PrinterChanged(condition) => self.session.surroundings.printer = condition,
            Device::DocumentPrinterChanged(condition) => {
                self.session.surroundings.document_printer = Some(condition);
            }
            Device::PagesPrintEnded(ticket, end) => pages_print::on_ended(self, ticket, end),
            Device::NetworkChanged(network) => self.session.surroundings.network = network,
            Device::CatalogAged(age) => self.session.surroundings.catalog = age,
            Device::PowerChanged(power) => around::on_power(self, power),
            Device::HeadphonesPlugged(plugged) => voice::on_headphones(self, plugged),
            Device::SomebodyNear(near) => around::on_somebody(self, near),
            Device::CabinetOpened(open) => around::on_cabinet(self, open),
            Device::CardLeft(ticket, there) => left_card::on_answer(self, ticket, there),
            Device::CardFound(ticket) => identify::on_card_found(self, ticket),
            Device::CardRead(ticket, applicant) => identify::on_card_read(self, ticket, *applicant),
            Device::CardFailed(ticket, remedy) => identify::on_card_failed(self, ticket, remedy),
            Device::ScannerPresent(present) => self.session.surroundings.scanner_present = present,
            Device::CodeScanned(ticket, code) => scanning::on_code(self, ticket, &code),
            Device::ScanFailed(ticket, remedy) => scanning::on_failed(self, ticket, remedy),
            Device::Printed(ticket, level) => {
                self.on_print_answer(ticket, PrintStatus::Printed { level }, true);
            }
            Device::PrintFailed { ticket, why, begun } => self.on_print_answer(ticket, why, begun),
        }
    }

    /// One printer, two things that it prints: tickets tell which.
    fn on_print_answer(&mut self, ticket: Ticket, status: PrintStatus, begun: bool) {
        receipt::on_print_answer(self, ticket, status, begun);
        outcome::on_print_answer(self, ticket, status);
    }

    fn on_store(&mut self, answer: Store) {
        match answer {
            Store::AdmissionChanged(admission) => self.session.surroundings.admission = admission,
            Store::Finalised(ticket, case) => saving::on_finalised(self, ticket, case),
            Store::FinaliseFailed(ticket, remedy) => saving::on_failed(self, ticket, remedy),
            Store::RecentCaseFound(case, print) => home::offer_saved_case(self, case, print),
            Store::Delivered(case_id) => receipt::on_delivered(self, &case_id),
        }
    }

    fn on_city(&mut self, answer: City) {
        match answer {
            City::Answered(ticket, CityAnswer::KeeperCall(state)) if self.session.keeper.asked(ticket) => {
                keeper::on_state(self, state);
            }
            City::CannotAsk(ticket, _) | City::Answered(ticket, _) if self.session.keeper.asked(ticket) => {
                keeper::on_silence(self);
            }
            City::Answered(ticket, answer) if number::is_awaited(self, ticket) => {
                number::on_answered(self, answer)
            }
            City::CannotAsk(ticket, why) if number::is_awaited(self, ticket) => number::on_cannot(self, why),
            City::Answered(ticket, answer) => asking::on_answered(self, ticket, answer),
            City::CannotAsk(ticket, why) => asking::on_cannot_ask(self, ticket, why),
        }
    }

    fn on_timer(&mut self, ticket: Ticket) {
        if self.session.idle.ticket == Some(ticket) {
            self.on_idle_timer();
        } else if self.session.keeper.waits_for(ticket) {
            keeper::on_timer(self);
        } else if self.session.page_timer == Some(ticket) {
            self.session.page_timer = None;
            match &self.session.page {
                Page::Home(_) => self.session.page = Page::Home(None),
                Page::Leaving(_) => leaving::on_timeout(self),
                Page::Saving(_) => saving::on_timeout(self),
                Page::Receipt(_) => receipt::on_timeout(self),
                Page::Asking(_) => asking::on_timeout(self),
                Page::Fetching(_) => fetch::on_nothing(self, Unfetched::CannotAsk(CannotAsk::TooLate)),
                Page::Question(_) => photo::on_timeout(self),
                Page::Outcome(_) => outcome::on_timeout(self),
                Page::Guide
                | Page::LifeEvent
                | Page::Consent
                | Page::Identify(_)
                | Page::ConfirmPerson
                | Page::Review
                | Page::Fetched(_)
                | Page::Unfetched(_)
                | Page::Rating(_)
                | Page::Enquiry(_)
                | Page::Progress(_)
                | Page::FollowUp(_) => {}
            }
        } else {
            pages_print::on_timer(self, ticket);
        }
    }

    fn close_notice(&mut self) {
        let notice = self.session.notice.take();
        if notice.is_some_and(identify::asks_to_go_on) {
            // Beside "go on" the other button says "no": the resident stops here.
            return self.leave(EndReason::Left);
        }
        if matches!(self.session.page, Page::Identify(_)) {
            identify::read_again(self);
        }
    }

    fn new_ticket(&mut self) -> Ticket {
        self.session.last_ticket.0 += 1;
        self.session.last_ticket
    }

    fn start_page_timer(&mut self, kind: TimerKind, after_ms: u64) {
        let ticket = self.new_ticket();
        self.session.page_timer = Some(ticket);
        self.effects.push(Effect::StartTimer(kind, ticket, after_ms));
    }

    /// Somebody begins to use the kiosk.
    fn start(&mut self) {
        self.session.started_at_ms = self.moment.monotonic_ms;
        self.audit(AuditFact::SessionStarted);
        // What the footer says about the network is then of now, not of the last try.
        self.effects.push(Effect::TryNow);
    }

    fn audit(&mut self, fact: AuditFact) {
        self.effects.push(Effect::Audit(fact));
    }

    /// Reads out, in the language of the screen.
    fn say(&mut self, prompt: Prompt) {
        self.effects.push(Effect::Say(prompt, self.session.settings.language));
    }

    fn item(&self) -> Option<&ServiceItem> {
        self.rules.item(&self.session.visit.as_ref()?.item)
    }

    /// The way out when a page finds itself without what it needs. It cannot happen by touching.
    fn lost(&mut self) {
        self.leave(EndReason::Left);
    }
}
