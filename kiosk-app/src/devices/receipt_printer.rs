//! The receipt printer: watches paper and cover, renders a receipt in a short-lived child process, prints it once, and
//! reports only what the printer confirmed. Which of that it can confirm is asked when it comes.

pub mod layout;

use super::declared::PrinterDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::catalog::{PrintedWords, words};
use crate::config::Config;
use crate::directions;
use crate::effects::store::StoreHand;
use crate::inbox::Inbox;
use anyhow::Context;
use device_drivers::receipt_printer::{
    Connection, EscPosPrinter, Paper, PrintLevel, PrinterError, PrinterModel, PrinterStatus, ReceiptPrinter,
};
use kiosk_core::session::{
    AuditFact, Device, DirectionsOrder, PrintStatus, PrinterCondition, ReceiptOrder, Ticket,
};
use kiosk_core::settings::Language;
use kiosk_core::{calendar, receipt_code, verification_code};
use kiosk_documents::{Directions, DocumentError, Receipt, Renderer, Rendering};
use std::path::PathBuf;
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "receipt-printer";
/// Time between two looks at paper and cover.
const WATCH: Duration = Duration::from_millis(500);
/// What the session asks of the printer.
pub enum Order {
    /// Print; report with this ticket.
    Print(Ticket, Box<ReceiptOrder>),
    /// Print where to go; report with this ticket.
    Directions(Ticket, Box<DirectionsOrder>),
    /// Print-outs carry these words from now on.
    WordsAre(Box<PrintedWords>),
}

/// What every receipt of this terminal says.
pub struct Letterhead {
    demo: bool,
    place: String,
    terminal: String,
    verify_url: String,
    words: PrintedWords,
}

impl Letterhead {
    /// From the configuration and the catalog's words.
    pub fn new(config: &Config, words: PrintedWords) -> Self {
        Letterhead {
            demo: config.terminal.demo,
            place: config.terminal.place.clone(),
            terminal: config.terminal.code.clone(),
            verify_url: config.city.verify_url.clone(),
            words,
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
                .words
                .titles
                .get(code)
                .map_or(code.as_str(), |title| words(title, order.language))
                .to_owned(),
            applicant_name: order.applicant_name.as_ref().map(|name| name.expose().clone()),
            about: order.about.as_ref().map(|about| about.expose().clone()),
            finalised_at: calendar::minute_in_china(order.case.finalised_at_ms),
            verification: verification_code::grouped(&order.case.verification),
            verification_url: receipt_code::compose(
                &self.verify_url,
                &order.case.verification,
                &order.case.case_number,
            ),
            remarks: Vec::new(),
            reprint: order.reprint,
        }
    }

    /// `None` when the catalog has no such item or outcome any more.
    fn directions(&self, order: &DirectionsOrder) -> Option<Directions> {
        let item = self.words.directions.iter().find(|item| item.code == order.item.0)?;
        let directions = directions::compose(item, order)?;
        Some(Directions {
            demo: self.demo,
            place: self.place.clone(),
            terminal: self.terminal.clone(),
            ..directions
        })
    }
}

/// Starts the printer's thread. `documents` is the program that renders.
pub fn spawn(
    device: PrinterDevice,
    letterhead: Letterhead,
    documents: PathBuf,
    store: StoreHand,
    inbox: Inbox,
    health: HealthBook,
) -> anyhow::Result<Hand<Order>> {
    let model = PrinterModel::named(&device.model)
        .with_context(|| format!("devices.receipt_printer.model: no printer is called {:?}", device.model))?;
    let connection = device.connection;
    let desk = PrinterDesk {
        renderer: Renderer::new(documents, layout::of(connection.speed(), &model)),
        connection,
        model,
        letterhead,
        store,
        inbox,
        health: health.clone(),
        printer: None,
        confirms: None,
        condition: None,
    };
    Ok(station::spawn(NAME, desk, health)?)
}

struct PrinterDesk {
    connection: Connection,
    model: PrinterModel,
    letterhead: Letterhead,
    renderer: Renderer,
    store: StoreHand,
    inbox: Inbox,
    health: HealthBook,
    printer: Option<EscPosPrinter>,
    /// What this printer can confirm, once it is known.
    confirms: Option<PrintLevel>,
    condition: Option<PrinterCondition>,
}

impl Station for PrinterDesk {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        let printer = EscPosPrinter::open(&self.connection, self.model.clone()).map_err(trouble_of)?;
        self.printer = Some(printer);
        // Another printer may hang on the cable now.
        self.confirms = None;
        self.turn()
    }

    fn close(&mut self) {
        self.printer = None;
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        let Some(printer) = &mut self.printer else { return Ok(()) };
        let status = printer.status().map_err(trouble_of)?;
        self.tell(condition_of(&status));
        if status.obstacle(false).is_none() {
            self.learn()?;
            self.renderer.get_ready();
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Print(ticket, order) => self.print(ticket, &order),
            Order::Directions(ticket, order) => self.print_directions(ticket, &order),
            Order::WordsAre(words) => {
                self.letterhead.words = *words;
                Ok(())
            }
        }
    }

    fn pause(&self) -> Duration {
        WATCH
    }

    fn report(&mut self, here: bool) {
        if !here {
            self.tell(PrinterCondition::Away);
        }
    }
}

impl PrinterDesk {
    fn tell(&mut self, condition: PrinterCondition) {
        if self.condition.replace(condition) != Some(condition) {
            self.inbox.device(Device::PrinterChanged(condition));
        }
    }

    /// Finds out once how far this printer can confirm a print. It is also brought out of whatever an earlier print
    /// left in it, so that the first resident does not wait for that.
    fn learn(&mut self) -> Result<(), Trouble> {
        if let (None, Some(printer)) = (self.confirms, &mut self.printer) {
            let level = printer.probe().map_err(trouble_of)?;
            tracing::info!(level = level.get(), "the receipt printer confirms prints up to this level");
            self.health.note_print_level(NAME, level.get());
            self.confirms = Some(level);
        }
        Ok(())
    }

    fn print(&mut self, ticket: Ticket, order: &ReceiptOrder) -> Result<(), Trouble> {
        self.store.print_started(&order.case.case_id, order.reprint);
        let rendered = self.renderer.render(&self.letterhead.receipt(order));
        let (status, begun) = self.put_out(rendered);
        self.store.print_ended(&order.case.case_id, status, begun || order.reprint);
        self.answer(ticket, status, begun)
    }

    fn print_directions(&mut self, ticket: Ticket, order: &DirectionsOrder) -> Result<(), Trouble> {
        let (status, begun) = match self.letterhead.directions(order) {
            Some(directions) => {
                let rendered = self.renderer.render_directions(&directions);
                self.put_out(rendered)
            }
            None => (PrintStatus::Failed, false),
        };
        self.store.audit(AuditFact::DirectionsPrintEnded(order.item.clone(), status));
        self.answer(ticket, status, begun)
    }

    fn answer(&mut self, ticket: Ticket, status: PrintStatus, begun: bool) -> Result<(), Trouble> {
        // What the printer is now is told first: the page offers another try only when there is a printer for it.
        let lost = self.turn();
        if lost.is_err() {
            self.tell(PrinterCondition::Away);
        }
        self.inbox.device(match status {
            PrintStatus::Printed { level } => Device::Printed(ticket, level),
            why => Device::PrintFailed { ticket, why, begun },
        });
        lost
    }

    /// Prints it: how far it came, and whether a part of it may be on paper.
    fn put_out(&mut self, rendered: Result<Rendering, DocumentError>) -> (PrintStatus, bool) {
        match self.try_print(rendered) {
            Ok(level) => (PrintStatus::Printed { level }, true),
            Err(NotOut { why, begun }) => (why, begun),
        }
    }

    fn try_print(&mut self, rendered: Result<Rendering, DocumentError>) -> Result<u8, NotOut> {
        let rendering = rendered.map_err(|error| {
            tracing::error!(%error, "the print-out could not be rendered");
            NotOut { why: PrintStatus::Failed, begun: false }
        })?;
        let printer = self.printer.as_mut();
        let printer = printer.ok_or(NotOut { why: PrintStatus::PrinterAway, begun: false })?;
        printer.print(&layout::for_driver(rendering)).map(|level| level.get()).map_err(|error| {
            tracing::warn!(%error, "the print-out did not come out");
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

fn condition_of(status: &PrinterStatus) -> PrinterCondition {
    match status {
        status if status.cover_open => PrinterCondition::CoverOpen,
        status if status.paper == Paper::End => PrinterCondition::NoPaper,
        status if status.online => PrinterCondition::Ready,
        _ => PrinterCondition::Away,
    }
}

fn trouble_of(error: PrinterError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::PrinterSilent.into()
        }
    }
}
