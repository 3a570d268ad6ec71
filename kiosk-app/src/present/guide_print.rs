//! The A4 printer and the guide on its way to paper, as the markup knows them. The words stand there.

use kiosk_core::session::{DocumentPrinterCondition, GuidePrintEnd, GuidePrintStatus};
use kiosk_ui::{DocumentPrinter, GuidePrint};

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

/// How far the guide came. Why it stopped, the printer says as long as it lasts.
pub fn progress(status: GuidePrintStatus) -> GuidePrint {
    match status {
        GuidePrintStatus::NotAsked => GuidePrint::NotAsked,
        GuidePrintStatus::Printing => GuidePrint::Printing,
        GuidePrintStatus::Ended(GuidePrintEnd::Printed) => GuidePrint::Printed,
        GuidePrintStatus::Ended(
            GuidePrintEnd::Stopped(_) | GuidePrintEnd::NotRendered | GuidePrintEnd::Failed,
        ) => GuidePrint::Failed,
    }
}
