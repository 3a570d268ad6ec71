//! Carrying out what the session asks for. Each kind of effect has its own hand: timers on the event
//! loop, the store, the reader, the printer and the city on threads of their own. Answers come back through the inbox.

pub mod city;
mod facts;
pub mod printer;
pub mod reader;
pub mod store;
mod timers;

use crate::catalog::Catalog;
use crate::inbox::Inbox;
use city::CityHand;
use kiosk_core::session::Effect;
use printer::PrinterHand;
use reader::ReaderHand;
use store::StoreHand;
use timers::Timers;

/// All hands together.
pub struct Hands {
    timers: Timers,
    store: StoreHand,
    reader: ReaderHand,
    printer: PrinterHand,
    city: CityHand,
}

impl Hands {
    /// Takes the hands over.
    pub fn new(
        inbox: Inbox,
        store: StoreHand,
        reader: ReaderHand,
        printer: PrinterHand,
        city: CityHand,
    ) -> Self {
        Hands { timers: Timers::new(inbox), store, reader, printer, city }
    }

    /// Records and print-outs name this catalog from now on. False when that could not be said to all: then it must not
    /// be shown either.
    #[must_use]
    pub fn catalog_changed(&self, catalog: &Catalog) -> bool {
        let said = self.printer.titles_are(catalog.titles()) && self.store.catalog_is(catalog.version());
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
            Effect::StartReading(ticket) => self.reader.start(ticket),
            Effect::StopReading => self.reader.stop(),
            Effect::Finalise(ticket, submission) => self.store.finalise(ticket, submission),
            Effect::StoreRating(case, stars) => self.store.rate(case, stars),
            Effect::Print(ticket, order) => self.printer.print(ticket, order),
            // Drafts and answers went with the session value. What is left outside is a card that
            // might still be read, and questions whose answers might still come; a receipt's bitmap lives only
            // while it is printed.
            Effect::WipeSession => {
                self.reader.stop();
                self.city.forget();
            }
            Effect::AskCity { ticket, within_ms, question } => self.city.ask(ticket, within_ms, question),
            Effect::TryNow => self.city.try_now(),
            Effect::Audit(fact) => self.store.audit(fact),
        }
    }
}
