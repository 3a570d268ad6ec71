//! 打印办事指南: the guide of a terminal that has an A4 printer, whatever state that is in.

use super::{Visitor, first_item};
use kiosk_core::session::{Citizen, Device, DocumentPrinterCondition, Effect, Event, PagesEnd};

impl Visitor {
    /// From the home screen and back to it; the terminal has no A4 printer before and after.
    pub(super) fn print_a_guide(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        let code = first_item(&self.catalog);
        self.touch(Citizen::ItemChosen(code));
        self.page_printer_is(DocumentPrinterCondition::NoPaper);
        show("guide-print-no-paper", self);
        self.page_printer_is(DocumentPrinterCondition::Ready);
        self.touch(Citizen::GuidePrintWanted);
        show("guide-print-printing", self);
        let ticket = self.ticket(|effect| match effect {
            Effect::PrintGuide(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.page_printer_is(DocumentPrinterCondition::Jam);
        let jam = PagesEnd::Stopped(DocumentPrinterCondition::Jam);
        self.send(Event::Device(Device::PagesPrintEnded(ticket, jam)));
        show("guide-print-jam", self);
        self.page_printer_is(DocumentPrinterCondition::Ready);
        self.touch(Citizen::GuidePrintWanted);
        let ticket = self.ticket(|effect| match effect {
            Effect::PrintGuide(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::PagesPrintEnded(ticket, PagesEnd::Printed)));
        show("guide-print-printed", self);
        self.touch(Citizen::End);
        self.session.surroundings.document_printer = None;
    }

    fn page_printer_is(&mut self, condition: DocumentPrinterCondition) {
        self.send(Event::Device(Device::DocumentPrinterChanged(condition)));
    }
}
