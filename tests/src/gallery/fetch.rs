//! An item that fetches in pictures: what a register keeps about a made-up resident, on its way to paper, and what is
//! said when there is nothing to show.

use super::{NOW_MS, Visitor, elder};
use kiosk_core::applicant::CardKind;
use kiosk_core::private::Private;
use kiosk_core::service::{ItemCode, Shape};
use kiosk_core::session::{
    CannotAsk, Citizen, City, CityAnswer, Device, DocumentPrinterCondition, Effect, Event, Fetched,
    FetchedValue, PagesEnd, Ticket,
};
use service_catalog::{Field, FieldKind};
use std::sync::Arc;

/// Rows of a sample table: a year of months.
const ROWS: u32 = 12;

impl Visitor {
    /// From the consent home, where the same person may go on.
    pub(super) fn fetch(&mut self, code: &ItemCode, show: &mut impl FnMut(&str, &Visitor)) {
        let ticket = self.ticket(|effect| match effect {
            Effect::StartReading(CardKind::IdCard, ticket) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::CardRead(ticket, Box::new(elder()))));
        self.touch(Citizen::PersonConfirmed);
        self.answer_all(code, show);
        let first = self.is_first_fetch(code);
        if first {
            self.show_why_not(show);
        }
        let (asked, fetched) = (self.fetch_asked(), self.sample(code));
        self.answer_with(City::Answered(asked, CityAnswer::Fetched(Box::new(fetched))));
        if first {
            self.document_printer_is(Some(DocumentPrinterCondition::Ready));
        }
        show(&format!("fetched-{}", code.0), self);
        if first {
            self.print_it(show);
        }
        self.touch(Citizen::AnotherItemWanted);
        if first {
            show("home-next-item", self);
        }
        self.document_printer_is(None);
        self.touch(Citizen::End);
        self.touch(Citizen::FarewellDone);
    }

    fn is_first_fetch(&self, code: &ItemCode) -> bool {
        let first = self.catalog.items().iter().find(|item| item.shape == Shape::Fetch);
        first.is_some_and(|item| item.code == *code)
    }

    fn fetch_asked(&self) -> Ticket {
        self.ticket(|effect| match effect {
            Effect::AskCity { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }

    fn answer_with(&mut self, answer: City) {
        self.send(Event::City(answer));
    }

    fn document_printer_is(&mut self, condition: Option<DocumentPrinterCondition>) {
        match condition {
            Some(condition) => self.send(Event::Device(Device::DocumentPrinterChanged(condition))),
            // No event says so: a terminal has one or has none.
            None => self.session.surroundings.document_printer = None,
        }
    }

    /// Both pages without a result, then the city is asked once more.
    fn show_why_not(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        let asked = self.fetch_asked();
        self.answer_with(City::CannotAsk(asked, CannotAsk::Away));
        show("unfetched-away", self);
        self.touch(Citizen::AskedAgain);
        let asked = self.fetch_asked();
        self.answer_with(City::Answered(asked, CityAnswer::NothingHeld));
        show("unfetched-nothing", self);
        self.touch(Citizen::Back);
        self.touch(Citizen::PersonConfirmed);
    }

    fn print_it(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.touch(Citizen::PrintWanted);
        show("fetched-printing", self);
        let ticket = self.ticket(|effect| match effect {
            Effect::PrintDocument(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::PagesPrintEnded(ticket, PagesEnd::Printed)));
        self.document_printer_is(Some(DocumentPrinterCondition::NoPaper));
        show("fetched-printed-no-paper", self);
    }

    /// What a register might keep: the longest word, a large sum, a long name.
    pub(super) fn sample(&self, code: &ItemCode) -> Fetched {
        let item = self.catalog.item(code).expect("the item is shown");
        let fetch = item.fetch.as_ref().expect("it fetches");
        let values = |fields: &[Field], at: u32| fields.iter().map(|field| sample_of(field, at)).collect();
        let rows = if fetch.columns.is_empty() { 0 } else { ROWS };
        Fetched {
            item: code.clone(),
            number: Private::from("DG-2026-7K3M9QXF-B"),
            issued_at_ms: NOW_MS,
            facts: values(&fetch.facts, 1),
            rows: (1..=rows).map(|at| values(&fetch.columns, at)).collect(),
            address: Private::new(format!("https://city.example/d/{}", "Ab3-".repeat(90))),
            pdf: Arc::new(Private::new(b"%PDF-1.7".to_vec())),
        }
    }
}

fn sample_of(field: &Field, at: u32) -> FetchedValue {
    let longest = field.words.iter().max_by_key(|word| word.label.en.len());
    let raw = match field.kind {
        FieldKind::Text => "东莞市示例镇样本电子有限公司".to_owned(),
        FieldKind::Word => longest.map(|word| word.value.clone()).unwrap_or_default(),
        FieldKind::Number => "186".to_owned(),
        FieldKind::Money => "12345678".to_owned(),
        FieldKind::Day => format!("2026-{at:02}-28"),
        FieldKind::Month => format!("2026-{at:02}"),
    };
    (field.key.clone(), Private::new(raw))
}
