//! Carrying out what the session asks for. Each kind of effect has its own hand: timers on the event
//! loop, the store, each device and the city on threads of their own. Answers come back through the inbox.

pub mod city;
mod facts;
pub mod store;
mod timers;
pub mod typing;

use crate::catalog::Catalog;
use crate::devices::preview::Preview;
use crate::devices::station::Hand;
use crate::devices::{
    code_scanner, document_camera, document_printer, id_card_reader, receipt_printer,
    social_security_card_reader as social_card_reader, speaker,
};
use crate::guide_sheet;
use crate::inbox::Inbox;
use crate::present::lights::Lights;
use city::CityHand;
use device_drivers::camera::Picture;
use kiosk_core::applicant::CardKind;
use kiosk_core::private::Private;
use kiosk_core::remedy::{FaultCode, Remedy};
use kiosk_core::session::{
    AuditFact, Device, DirectionsOrder, DocumentOrder, DocumentPrinterCondition, Effect, GuideOrder,
    PagesEnd, PrintStatus, ReceiptOrder, Ticket,
};
use kiosk_core::settings::Language;
use std::convert::Infallible;
use store::StoreHand;
use timers::Timers;
use typing::TypingHand;

/// All hands together.
pub struct Hands {
    timers: Timers,
    store: StoreHand,
    devices: Devices,
    lights: Lights,
    city: CityHand,
    typing: TypingHand,
    inbox: Inbox,
}

/// The devices' hands; what this terminal does not have is `None`.
pub struct Devices {
    /// 身份证阅读器.
    pub id_card_reader: Option<Hand<id_card_reader::Order>>,
    /// 社保卡读卡器.
    pub social_card_reader: Option<Hand<social_card_reader::Order>>,
    /// 凭条打印机.
    pub receipt_printer: Option<Hand<receipt_printer::Order>>,
    /// A4 打印机.
    pub document_printer: Option<Hand<document_printer::Order>>,
    /// 高拍仪.
    pub document_camera: Option<Hand<document_camera::Order>>,
    /// Where its live picture lies.
    pub preview: Preview,
    /// The cabinet's lights.
    pub cabinet: Option<Hand<Lights>>,
    /// The voice.
    pub speaker: Option<Hand<speaker::Order>>,
    /// UPS; it takes no orders, and is watched as long as this lives.
    pub ups: Option<Hand<Infallible>>,
    /// 扫码器.
    pub code_scanner: Option<Hand<code_scanner::Order>>,
}

impl Hands {
    /// Takes the hands over.
    pub fn new(inbox: Inbox, store: StoreHand, devices: Devices, city: CityHand, typing: TypingHand) -> Self {
        let (timers, lights) = (Timers::new(inbox.clone()), Lights::default());
        Hands { timers, store, devices, lights, city, typing, inbox }
    }

    /// Records and print-outs name this catalog from now on. False when that could not be said to all: then it must not
    /// be shown either.
    #[must_use]
    pub fn catalog_changed(&self, catalog: &Catalog) -> bool {
        let printed = || receipt_printer::Order::WordsAre(Box::new(catalog.printed_words()));
        let printer = self.devices.receipt_printer.as_ref();
        let guides = || document_printer::Order::GuidesAre(guide_sheet::guides(catalog));
        let sheets = self.devices.document_printer.as_ref();
        let said = printer.is_none_or(|printer| printer.order(printed()).is_ok())
            && sheets.is_none_or(|printer| printer.order(guides()).is_ok())
            && self.store.catalog_is(catalog.version());
        if said && catalog.hidden() > 0 {
            self.store.items_hidden(catalog.hidden(), catalog.items().len());
        }
        said
    }

    /// Does one thing, or starts doing it. Never blocks.
    pub fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::StartTimer(kind, ticket, after_ms) => self.timers.start(kind, ticket, after_ms),
            Effect::StopTimer(kind) => self.timers.stop(kind),
            Effect::StartReading(CardKind::IdCard, ticket) => {
                self.tell_reader(id_card_reader::Order::Start(ticket));
            }
            Effect::StartReading(CardKind::SocialSecurityCard, ticket) => {
                self.tell_social_card_reader(social_card_reader::Order::Start(ticket));
            }
            Effect::StopReading => {
                self.tell_reader(id_card_reader::Order::Stop);
                self.tell_social_card_reader(social_card_reader::Order::Stop);
            }
            Effect::LookForCardLeft(CardKind::IdCard, ticket) => {
                self.tell_reader(id_card_reader::Order::LookForCardLeft(ticket));
            }
            Effect::LookForCardLeft(CardKind::SocialSecurityCard, ticket) => {
                self.tell_social_card_reader(social_card_reader::Order::LookForCardLeft(ticket));
            }
            Effect::Say(prompt, language) => self.tell_speaker(speaker::Order::Say(prompt, language)),
            // The loop finds the words and has them read with [`Hands::read_aloud`].
            Effect::ReadAloud(..) => {}
            Effect::SpeakLike(manner) => self.tell_speaker(speaker::Order::SpeakLike(manner)),
            Effect::Hush => self.tell_speaker(speaker::Order::Hush),
            Effect::StartScanning(ticket) => self.tell_scanner(code_scanner::Order::Start(ticket)),
            Effect::StopScanning => self.tell_scanner(code_scanner::Order::Stop),
            Effect::StartPreview(ticket) => {
                self.devices.preview.open(ticket);
                self.tell_camera(document_camera::Order::Look);
            }
            Effect::StopPreview => self.stop_preview(),
            Effect::TakePhoto(ticket) => self.take_photo(ticket),
            Effect::Finalise(ticket, submission) => self.store.finalise(ticket, submission),
            Effect::StoreRating(case, stars) => self.store.rate(case, stars),
            Effect::Print(ticket, order) => self.print(ticket, order),
            Effect::PrintDirections(ticket, order) => self.print_directions(ticket, order),
            Effect::PrintGuide(ticket, order) => self.print_guide(ticket, order),
            Effect::PrintDocument(ticket, order) => self.print_document(ticket, order),
            // Drafts, answers and photos went with the session value. What is left outside is a card that might still be
            // read, a code that might still be scanned, what the camera last saw, the engine that typed text went through,
            // and questions whose answers might still come; a receipt's bitmap lives only while it is printed.
            Effect::WipeSession => {
                self.tell_reader(id_card_reader::Order::Stop);
                self.tell_social_card_reader(social_card_reader::Order::SessionOver);
                self.tell_speaker(speaker::Order::Hush);
                self.tell_scanner(code_scanner::Order::Stop);
                self.stop_preview();
                self.city.forget();
                self.typing.forget();
            }
            Effect::AskCity { ticket, within_ms, question } => self.city.ask(ticket, within_ms, question),
            Effect::TellCity(question) => self.city.tell(question),
            Effect::AskEngine(ticket, question) => self.typing.ask(ticket, question),
            Effect::TryNow => self.city.try_now(),
            Effect::Audit(fact) => self.store.audit(fact),
        }
    }

    /// Lets the cabinet's lights follow the screen. When the cabinet is busy, the next step says it again.
    pub fn light_up(&mut self, lights: Lights) {
        if self.lights != lights
            && self.devices.cabinet.as_ref().is_none_or(|cabinet| cabinet.order(lights).is_ok())
        {
            self.lights = lights;
        }
    }

    /// A reader that is not there, or too busy to hear, finds no card: the resident can type.
    fn tell_reader(&self, order: id_card_reader::Order) {
        if let Some(reader) = &self.devices.id_card_reader
            && reader.order(order).is_err()
        {
            tracing::warn!("the id card reader hangs");
        }
    }

    /// The same.
    fn tell_social_card_reader(&self, order: social_card_reader::Order) {
        if let Some(reader) = &self.devices.social_card_reader
            && reader.order(order).is_err()
        {
            tracing::warn!("the social-security card reader hangs");
        }
    }

    /// Who is not heard is read: the screen says the same.
    fn tell_speaker(&self, order: speaker::Order) {
        if let Some(speaker) = &self.devices.speaker
            && speaker.order(order).is_err()
        {
            tracing::warn!("the voice hangs");
        }
    }

    /// Reads these words out.
    pub fn read_aloud(&self, words: Private<String>, language: Language) {
        self.tell_speaker(speaker::Order::Read(words, language));
    }

    /// A scanner that is not there scans nothing: the resident can type.
    fn tell_scanner(&self, order: code_scanner::Order) {
        if let Some(scanner) = &self.devices.code_scanner
            && scanner.order(order).is_err()
        {
            tracing::warn!("the code scanner hangs");
        }
    }

    /// What the camera last saw, unless it was shown already.
    pub fn newest_picture(&self) -> Option<Picture> {
        self.devices.preview.take()
    }

    fn stop_preview(&self) {
        if self.devices.preview.wanted().is_some() {
            self.devices.preview.close();
            self.tell_camera(document_camera::Order::Look);
        }
    }

    fn tell_camera(&self, order: document_camera::Order) {
        if let Some(camera) = &self.devices.document_camera
            && camera.order(order).is_err()
        {
            tracing::warn!("the document camera hangs");
        }
    }

    /// Every order has an answer, also when there is no camera, or one that hangs.
    fn take_photo(&self, ticket: Ticket) {
        let camera = self.devices.document_camera.as_ref();
        if camera.is_none_or(|camera| camera.order(document_camera::Order::Photo(ticket)).is_err()) {
            let remedy = Remedy::CallOperator(FaultCode::Camera);
            self.inbox.device(Device::PhotoFailed(ticket, remedy));
        }
    }

    /// Every order has an answer, also when nobody is there to print.
    fn print(&self, ticket: Ticket, order: ReceiptOrder) {
        let order = receipt_printer::Order::Print(ticket, Box::new(order));
        let printer = self.devices.receipt_printer.as_ref();
        if printer.is_none_or(|printer| printer.order(order).is_err()) {
            let why = PrintStatus::PrinterAway;
            self.inbox.device(Device::PrintFailed { ticket, why, begun: false });
        }
    }

    fn print_directions(&self, ticket: Ticket, order: Box<DirectionsOrder>) {
        let item = order.item.clone();
        let order = receipt_printer::Order::Directions(ticket, order);
        let printer = self.devices.receipt_printer.as_ref();
        if printer.is_none_or(|printer| printer.order(order).is_err()) {
            let why = PrintStatus::PrinterAway;
            self.store.audit(AuditFact::DirectionsPrintEnded(item, why));
            self.inbox.device(Device::PrintFailed { ticket, why, begun: false });
        }
    }

    fn print_document(&self, ticket: Ticket, order: DocumentOrder) {
        let item = order.item.clone();
        let order = document_printer::Order::Document(ticket, order);
        let printer = self.devices.document_printer.as_ref();
        if printer.is_none_or(|printer| printer.order(order).is_err()) {
            let end = PagesEnd::Stopped(DocumentPrinterCondition::Away);
            self.store.audit(AuditFact::DocumentPrintEnded(item, end));
            self.inbox.device(Device::PagesPrintEnded(ticket, end));
        }
    }

    fn print_guide(&self, ticket: Ticket, order: GuideOrder) {
        let item = order.item.clone();
        let order = document_printer::Order::Print(ticket, order);
        let printer = self.devices.document_printer.as_ref();
        if printer.is_none_or(|printer| printer.order(order).is_err()) {
            let end = PagesEnd::Stopped(DocumentPrinterCondition::Away);
            self.store.audit(AuditFact::GuidePrintEnded(item, end));
            self.inbox.device(Device::PagesPrintEnded(ticket, end));
        }
    }
}
