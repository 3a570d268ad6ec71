//! The receipt printer's thread: watches paper and cover, renders a receipt in a short-lived child
//! process, prints it once, and reports only what the printer confirmed.

use crate::catalog::words;
use crate::config::{Config, SerialDevice};
use crate::effects::store::StoreHand;
use crate::inbox::Inbox;
use device_drivers::receipt_printer::{
    Bitmap, Connection, EscPosPrinter, Paper, PrinterError, PrinterModel, ReceiptPrinter,
};
use kiosk_core::session::{Device, PrintStatus, PrinterCondition, ReceiptOrder, Ticket};
use kiosk_core::settings::Language;
use kiosk_core::{calendar, verification_code};
use kiosk_documents::{Receipt, Renderer};
use service_catalog::Text;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Time between two looks at paper and cover.
const WATCH: Duration = Duration::from_millis(500);
const COMMANDS_MAX: usize = 8;
/// The model that every terminal has.
const MODEL: &str = "80mm";

enum Command {
    Print(Ticket, Box<ReceiptOrder>),
    TitlesAre(HashMap<String, Text>),
}

/// The session's hand on the printer.
pub struct PrinterHand(SyncSender<Command>);

/// What every receipt of this terminal says.
pub struct Letterhead {
    demo: bool,
    place: String,
    terminal: String,
    verify_url: String,
    titles: HashMap<String, Text>,
}

impl Letterhead {
    /// From the configuration and the catalog's titles.
    pub fn new(config: &Config, titles: HashMap<String, Text>) -> Self {
        Letterhead {
            demo: config.terminal.demo,
            place: config.terminal.place.clone(),
            terminal: config.terminal.code.clone(),
            verify_url: config.city.verify_url.clone(),
            titles,
        }
    }

    fn receipt(&self, order: &ReceiptOrder) -> Receipt {
        let code = &order.case.item.0;
        Receipt {
            language: match order.language {
                Language::ZhHans => kiosk_documents::Language::ZhHans,
                Language::ZhHant => kiosk_documents::Language::ZhHant,
                Language::En => kiosk_documents::Language::En,
            },
            demo: self.demo,
            place: self.place.clone(),
            terminal: self.terminal.clone(),
            case_number: order.case.case_number.clone(),
            item_title: self
                .titles
                .get(code)
                .map_or(code.as_str(), |title| words(title, order.language))
                .to_owned(),
            applicant_name: order.applicant_name.as_ref().map(|name| name.expose().clone()),
            finalised_at: calendar::minute_in_china(order.case.finalised_at_ms),
            verification: verification_code::grouped(&order.case.verification),
            verification_url: format!("{}{}", self.verify_url, order.case.verification),
            remarks: Vec::new(),
            reprint: order.reprint,
        }
    }
}

impl PrinterHand {
    /// Starts the thread.
    pub fn spawn(
        device: SerialDevice,
        letterhead: Letterhead,
        renderer: Renderer,
        store: StoreHand,
        inbox: Inbox,
    ) -> std::io::Result<Self> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let worker = Worker { device, letterhead, renderer, store, inbox, printer: None, condition: None };
        std::thread::Builder::new().name("receipt-printer".into()).spawn(move || worker.run(&commands))?;
        Ok(PrinterHand(sender))
    }

    /// Print; report with this ticket.
    pub fn print(&self, ticket: Ticket, order: ReceiptOrder) {
        let _ = self.0.try_send(Command::Print(ticket, Box::new(order)));
    }

    /// Receipts carry these titles from now on. False when the queue is full: then they do not, and it has to be said
    /// again.
    #[must_use]
    pub fn titles_are(&self, titles: HashMap<String, Text>) -> bool {
        self.0.try_send(Command::TitlesAre(titles)).is_ok()
    }
}

struct Worker {
    device: SerialDevice,
    letterhead: Letterhead,
    renderer: Renderer,
    store: StoreHand,
    inbox: Inbox,
    printer: Option<EscPosPrinter>,
    condition: Option<PrinterCondition>,
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            self.watch();
            match commands.recv_timeout(WATCH) {
                Ok(Command::Print(ticket, order)) => self.print(ticket, &order),
                Ok(Command::TitlesAre(titles)) => self.letterhead.titles = titles,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn watch(&mut self) {
        if self.printer.is_none() {
            let connection = Connection::Serial { port: self.device.port.clone(), baud: self.device.baud };
            let model = PrinterModel::named(MODEL).expect("a model that comes with the driver");
            self.printer = EscPosPrinter::open(&connection, model).ok();
        }
        let condition = match self.printer.as_mut().map(|printer| printer.status()) {
            None => PrinterCondition::Away,
            Some(Ok(status)) if status.cover_open => PrinterCondition::CoverOpen,
            Some(Ok(status)) if status.paper == Paper::End => PrinterCondition::NoPaper,
            Some(Ok(status)) if status.online => PrinterCondition::Ready,
            Some(Ok(_)) => PrinterCondition::Away,
            Some(Err(error)) => {
                tracing::warn!(%error, "the receipt printer");
                self.printer = None;
                PrinterCondition::Away
            }
        };
        if self.condition.replace(condition) != Some(condition) {
            self.inbox.device(Device::PrinterChanged(condition));
        }
    }

    fn print(&mut self, ticket: Ticket, order: &ReceiptOrder) {
        self.store.print_started(&order.case.case_id, order.reprint);
        let (status, begun) = match self.try_print(order) {
            Ok(level) => (PrintStatus::Printed { level }, true),
            Err(NotOut { why, begun }) => (why, begun),
        };
        self.store.print_ended(&order.case.case_id, status, begun || order.reprint);
        self.watch();
        self.inbox.device(match status {
            PrintStatus::Printed { level } => Device::Printed(ticket, level),
            why => Device::PrintFailed { ticket, why, begun },
        });
    }

    fn try_print(&mut self, order: &ReceiptOrder) -> Result<u8, NotOut> {
        let picture = self.renderer.render(&self.letterhead.receipt(order)).map_err(|error| {
            tracing::error!(%error, "the receipt could not be rendered");
            NotOut { why: PrintStatus::Failed, begun: false }
        })?;
        let (width, height, rows) = picture.into_parts();
        let printer = self.printer.as_mut();
        let printer = printer.ok_or(NotOut { why: PrintStatus::PrinterAway, begun: false })?;
        printer.print(&Bitmap { width, height, rows }.into()).map(|level| level.get()).map_err(|error| {
            tracing::warn!(%error, "the receipt did not come out");
            NotOut { why: status_of(&error), begun: error.started() }
        })
    }
}

/// A receipt that is not, or not wholly, out.
struct NotOut {
    why: PrintStatus,
    /// Whether a part of it may be on paper.
    begun: bool,
}

fn status_of(error: &PrinterError) -> PrintStatus {
    match error {
        PrinterError::PaperEnd { .. } => PrintStatus::NoPaper,
        PrinterError::CoverOpen { .. } => PrintStatus::CoverOpen,
        PrinterError::Gone { .. } => PrintStatus::PrinterAway,
        _ => PrintStatus::Failed,
    }
}
