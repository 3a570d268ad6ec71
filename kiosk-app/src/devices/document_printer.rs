//! The A4 printer: watches paper, toner and jams, renders a guide in a short-lived child process or takes a document as
//! the city made it, hands it over once,
//! and reports only what the printer confirmed. What something keeps from coming out is taken back, so that no page
//! comes out when its resident has gone.

use super::declared::DocumentPrinterDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::effects::store::StoreHand;
use crate::guide_sheet::{GuideSheets, GuideWords};
use crate::inbox::Inbox;
use anyhow::Context;
use device_drivers::document_printer::{
    Deadlines, DocumentPrinter, DocumentPrinterError, DocumentPrinterStatus, Failure, Go, IppDocumentPrinter,
    JobProgress, Obstacle, PrintOut, Sides,
};
use kiosk_core::session::{
    AuditFact, Device, DocumentOrder, DocumentPrinterCondition, GuideOrder, PagesEnd, Ticket,
};
use kiosk_documents::GuideRenderer;
use std::collections::HashMap;
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "document-printer";
/// Time between two looks at paper, toner and cover.
const WATCH: Duration = Duration::from_secs(1);
/// How long a guide may take from the moment the printer holds it: a slow printer warms up first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Somebody stands and waits, so less than the driver's own. All together, with rendering and [`PATIENCE`], take less
/// than `Limits::pages_print_ms`.
const DEADLINES: Deadlines = Deadlines {
    answer: Duration::from_secs(3),
    wake: Duration::from_secs(30),
    hand_over: Duration::from_secs(20),
    poll: Duration::from_millis(300),
    lost: Duration::from_secs(5),
    withdraw: Duration::from_secs(10),
    settle: Duration::from_secs(2),
};

/// What the session asks of the printer.
pub enum Order {
    /// Print; report with this ticket.
    Print(Ticket, GuideOrder),
    /// Print a document that the city made; report with this ticket.
    Document(Ticket, DocumentOrder),
    /// These are the guides from now on.
    GuidesAre(HashMap<String, GuideWords>),
}

/// Starts the printer's thread.
pub fn spawn(
    device: &DocumentPrinterDevice,
    sheets: GuideSheets,
    renderer: GuideRenderer,
    store: StoreHand,
    inbox: Inbox,
    health: HealthBook,
) -> anyhow::Result<Hand<Order>> {
    let printer = IppDocumentPrinter::new(&device.uri, sheets.terminal())
        .with_context(|| format!("devices.document_printer.uri: {:?}", device.uri))?
        .with_deadlines(DEADLINES);
    let sides = if device.two_sided { Sides::Both } else { Sides::One };
    let told = Told { inbox, condition: None };
    let desk = PageDesk { printer, sides, sheets, renderer, store, told, here: false };
    Ok(station::spawn(NAME, desk, health)?)
}

struct PageDesk {
    printer: IppDocumentPrinter,
    sides: Sides,
    sheets: GuideSheets,
    renderer: GuideRenderer,
    store: StoreHand,
    told: Told,
    here: bool,
}

/// What the session knows of the printer.
struct Told {
    inbox: Inbox,
    condition: Option<DocumentPrinterCondition>,
}

impl Told {
    fn tell(&mut self, condition: DocumentPrinterCondition) {
        if self.condition.replace(condition) != Some(condition) {
            self.inbox.device(Device::DocumentPrinterChanged(condition));
        }
    }
}

impl Station for PageDesk {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        let status = self.printer.status().map_err(trouble_of)?;
        self.take_back()?;
        self.here = true;
        self.told.tell(condition_of(&status));
        Ok(())
    }

    fn close(&mut self) {
        self.here = false;
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        let status = self.printer.status().map_err(trouble_of)?;
        self.told.tell(condition_of(&status));
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Print(ticket, order) => self.print(
                ticket,
                |desk| desk.print_guide(&order),
                |end| AuditFact::GuidePrintEnded(order.item.clone(), end),
            ),
            Order::Document(ticket, order) => self.print(
                ticket,
                |desk| desk.hand_over(order.pdf.expose()),
                |end| AuditFact::DocumentPrintEnded(order.item.clone(), end),
            ),
            Order::GuidesAre(guides) => {
                self.sheets.guides_are(guides);
                Ok(())
            }
        }
    }

    fn pause(&self) -> Duration {
        WATCH
    }

    fn report(&mut self, here: bool) {
        if !here {
            self.told.tell(DocumentPrinterCondition::Away);
        }
    }
}

impl PageDesk {
    /// What an earlier life of the kiosk, or a broken line, left in the printer would come out for nobody.
    fn take_back(&mut self) -> Result<(), Trouble> {
        match self.printer.take_back() {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "what was left in the document printer is taken back"),
            Err(error) if is_lost(error.failure) => return Err(trouble_of(error)),
            Err(error) => tracing::warn!(%error, "what is left in the document printer cannot be taken back"),
        }
        Ok(())
    }

    fn print(
        &mut self,
        ticket: Ticket,
        try_print: impl FnOnce(&mut Self) -> PagesEnd,
        ended: impl FnOnce(PagesEnd) -> AuditFact,
    ) -> Result<(), Trouble> {
        let end = if self.here { try_print(self) } else { PagesEnd::Stopped(DocumentPrinterCondition::Away) };
        self.store.audit(ended(end));
        // What the printer is now is told first: the page offers another try only when there is a printer for it.
        let lost = if self.here { self.turn() } else { Ok(()) };
        if lost.is_err() {
            self.told.tell(DocumentPrinterCondition::Away);
        }
        self.told.inbox.device(Device::PagesPrintEnded(ticket, end));
        lost
    }

    fn print_guide(&mut self, order: &GuideOrder) -> PagesEnd {
        let Some(sheet) = self.sheets.sheet(order) else { return PagesEnd::NotRendered };
        match self.renderer.render(&sheet) {
            Ok(pdf) => self.hand_over(&pdf),
            Err(error) => {
                tracing::error!(%error, "the guide could not be rendered");
                PagesEnd::NotRendered
            }
        }
    }

    fn hand_over(&mut self, pdf: &[u8]) -> PagesEnd {
        let mut stopped = None;
        let told = &mut self.told;
        let mut watch = |progress: JobProgress| {
            let Some(obstacle) = progress.obstacle else { return Go::On };
            let condition = condition_behind(obstacle);
            // Words at once; whether the printer lets go of the job may take a while.
            told.tell(condition);
            stopped = Some(condition);
            Go::Withdraw
        };
        let print_out = PrintOut { pdf, copies: 1, sides: self.sides };
        match self.printer.print(&print_out, PATIENCE, &mut watch) {
            Ok(printed) => {
                tracing::info!(sides = printed.impressions, "pages were printed");
                PagesEnd::Printed
            }
            Err(error) => {
                tracing::warn!(%error, "the pages did not come out");
                stopped.map_or_else(|| end_of(error.failure), PagesEnd::Stopped)
            }
        }
    }
}

fn end_of(failure: Failure) -> PagesEnd {
    match failure {
        Failure::Obstacle(obstacle) => PagesEnd::Stopped(condition_behind(obstacle)),
        failure if is_lost(failure) => PagesEnd::Stopped(DocumentPrinterCondition::Away),
        _ => PagesEnd::Failed,
    }
}

/// Whether nobody answers at the other end.
fn is_lost(failure: Failure) -> bool {
    matches!(failure, Failure::Gone | Failure::Cut | Failure::NoAnswer)
}

fn condition_of(status: &DocumentPrinterStatus) -> DocumentPrinterCondition {
    match status.obstacle {
        Some(obstacle) => condition_behind(obstacle),
        None if status.accepting => DocumentPrinterCondition::Ready,
        None => DocumentPrinterCondition::Away,
    }
}

fn condition_behind(obstacle: Obstacle) -> DocumentPrinterCondition {
    match obstacle {
        Obstacle::PaperEnd => DocumentPrinterCondition::NoPaper,
        Obstacle::TonerEmpty => DocumentPrinterCondition::NoToner,
        Obstacle::Jam => DocumentPrinterCondition::Jam,
        Obstacle::CoverOpen => DocumentPrinterCondition::CoverOpen,
        Obstacle::OutputFull => DocumentPrinterCondition::OutputFull,
        Obstacle::Paused | Obstacle::Fault => DocumentPrinterCondition::Away,
    }
}

fn trouble_of(error: DocumentPrinterError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::DocumentPrinterSilent.into()
        }
    }
}
