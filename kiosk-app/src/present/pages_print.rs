//! The A4 printer and pages on their way to paper, as the markup knows them. The words stand there.

use kiosk_core::session::{DocumentPrinterCondition, PagesEnd, PagesStatus};
use kiosk_ui::{DocumentPrinter, PagesPrint};

/// The printer; a terminal that has none offers nothing.
pub fn printer(condition: Option<DocumentPrinterCondition>) -> DocumentPrinter {
    match condition {
        None => DocumentPrinter::None,
        Some(DocumentPrinterCondition::Ready) => DocumentPrinter::Ready,
        Some(DocumentPrinterCondition::NoPaper) => DocumentPrinter::NoPaper,
        Some(DocumentPrinterCondition::NoToner) => DocumentPrinter::NoToner,
        Some(DocumentPrinterCondition::Jam) => DocumentPrinter::Jam,
        Some(DocumentPrinterCondition::CoverOpen) => DocumentPrinter::CoverOpen,
        Some(DocumentPrinterCondition::OutputFull) => DocumentPrinter::OutputFull,
        Some(DocumentPrinterCondition::Away) => DocumentPrinter::Away,
    }
}

/// How far the pages came. Why they stopped, the printer says as long as it lasts.
pub fn progress(status: PagesStatus) -> PagesPrint {
    match status {
        PagesStatus::NotAsked => PagesPrint::NotAsked,
        PagesStatus::Printing => PagesPrint::Printing,
        PagesStatus::Ended(PagesEnd::Printed) => PagesPrint::Printed,
        PagesStatus::Ended(PagesEnd::Stopped(_) | PagesEnd::NotRendered | PagesEnd::Failed) => {
            PagesPrint::Failed
        }
    }
}
