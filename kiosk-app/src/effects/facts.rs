//! The border to the audit log: what the session and the hands know, as declared events.

use kiosk_core::applicant::DocumentKind;
use kiosk_core::remedy::{Notice, Remedy};
use kiosk_core::session::{
    AuditFact, CannotAsk, DocumentPrinterCondition, EndReason, FetchOutcome, HelpOutcome, PagesEnd, Power,
    PrintStatus, ProgressOutcome, SavedCase, Unfetched,
};
use kiosk_store::{
    Admission, AdmissionClosedCause, AuditCode, AuditEvent, AuditId, CardReadFailedCause, CardReadLayout,
    CaseNotStoredCause, ClosedBecause, DirectionsNotPrintedCause, DocumentNotPrintedCause,
    FetchAnsweredOutcome, GuideNotPrintedCause, HelpEndedOutcome, PowerChangedNow, PrintFailedCause,
    PrintRequestedAgain, ProgressAnsweredOutcome, QueueTicketAnsweredOutcome, SessionEndedReason, StoreError,
    StoreErrorKind,
};
use std::time::Duration;

pub(super) fn event_of(fact: &AuditFact) -> AuditEvent {
    let item_code = |item: &kiosk_core::service::ItemCode| AuditCode::or_dash(&item.0);
    match fact {
        AuditFact::SessionStarted => AuditEvent::SessionStarted,
        AuditFact::SessionEnded { reason, length_ms } => AuditEvent::SessionEnded {
            reason: match reason {
                EndReason::Finished => SessionEndedReason::Finished,
                EndReason::Left => SessionEndedReason::Left,
                EndReason::Idle => SessionEndedReason::Idle,
                EndReason::CabinetOpened => SessionEndedReason::Cabinet,
                EndReason::PowerLow => SessionEndedReason::Power,
            },
            length: *length_ms,
        },
        AuditFact::ItemOpened(item) => AuditEvent::ItemOpened { item: item_code(item) },
        AuditFact::ConsentGiven(item, version) => {
            AuditEvent::ConsentGiven { item: item_code(item), version: u64::from(*version) }
        }
        AuditFact::ConsentDeclined(item, version) => {
            AuditEvent::ConsentDeclined { item: item_code(item), version: u64::from(*version) }
        }
        AuditFact::CardRead { document, took_ms } => AuditEvent::CardRead {
            layout: match document {
                DocumentKind::ResidentIdCard => CardReadLayout::Mainland,
                DocumentKind::HmtResidencePermit => CardReadLayout::HmtResidence,
                DocumentKind::Foreigner2017 => CardReadLayout::Foreigner2017,
                DocumentKind::Foreigner2023 => CardReadLayout::Foreigner2023,
                DocumentKind::SocialSecurityCard => CardReadLayout::SocialSecurityCard,
            },
            took: *took_ms,
        },
        AuditFact::CardReadFailed(remedy) => AuditEvent::CardReadFailed { cause: cause_of(*remedy) },
        AuditFact::NumberTyped(item) => AuditEvent::IdentificationTyped { item: item_code(item) },
        AuditFact::CardForgotten => AuditEvent::CardForgotten,
        AuditFact::PowerChanged(power) => AuditEvent::PowerChanged {
            now: match power {
                Power::Mains => PowerChangedNow::Mains,
                Power::Battery => PowerChangedNow::Battery,
                Power::BatteryLow => PowerChangedNow::BatteryLow,
            },
        },
        AuditFact::CabinetOpened(true) => AuditEvent::CabinetOpened,
        AuditFact::CabinetOpened(false) => AuditEvent::CabinetClosed,
        AuditFact::GuidePrintAsked(item) => AuditEvent::GuidePrintAsked { item: item_code(item) },
        AuditFact::GuidePrintEnded(item, end) => guide_print_ended(item_code(item), *end),
        AuditFact::FetchAsked(item) => AuditEvent::FetchAsked { item: item_code(item) },
        AuditFact::FetchAnswered { item, outcome, took_ms } => AuditEvent::FetchAnswered {
            item: item_code(item),
            outcome: fetch_outcome(*outcome),
            took: *took_ms,
        },
        AuditFact::DocumentPrintAsked(item) => AuditEvent::DocumentPrintAsked { item: item_code(item) },
        AuditFact::DocumentPrintEnded(item, end) => document_print_ended(item_code(item), *end),
        AuditFact::AnotherItem => AuditEvent::AnotherItem,
        AuditFact::DirectionsPrintAsked(item) => AuditEvent::DirectionsPrintAsked { item: item_code(item) },
        AuditFact::DirectionsPrintEnded(item, status) => directions_print_ended(item_code(item), *status),
        AuditFact::ProgressAsked => AuditEvent::ProgressAsked,
        AuditFact::ProgressAnswered { outcome, took_ms } => AuditEvent::ProgressAnswered {
            outcome: match outcome {
                ProgressOutcome::Told => ProgressAnsweredOutcome::Told,
                ProgressOutcome::NotFound => ProgressAnsweredOutcome::NotFound,
                ProgressOutcome::Away => ProgressAnsweredOutcome::Away,
                ProgressOutcome::TooLate => ProgressAnsweredOutcome::TooLate,
                ProgressOutcome::Busy => ProgressAnsweredOutcome::Busy,
                ProgressOutcome::Left => ProgressAnsweredOutcome::Left,
            },
            took: *took_ms,
        },
        AuditFact::QueueTicketAsked(item) => AuditEvent::QueueTicketAsked { item: item_code(item) },
        AuditFact::QueueTicketAnswered { outcome, took_ms } => AuditEvent::QueueTicketAnswered {
            outcome: match outcome {
                ProgressOutcome::Told => QueueTicketAnsweredOutcome::Told,
                ProgressOutcome::NotFound => QueueTicketAnsweredOutcome::NotFound,
                ProgressOutcome::Away => QueueTicketAnsweredOutcome::Away,
                ProgressOutcome::TooLate => QueueTicketAnsweredOutcome::TooLate,
                ProgressOutcome::Busy => QueueTicketAnsweredOutcome::Busy,
                ProgressOutcome::Left => QueueTicketAnsweredOutcome::Left,
            },
            took: *took_ms,
        },
        AuditFact::HelpAsked(item) => {
            AuditEvent::HelpAsked { item: item.as_ref().map_or_else(|| AuditCode::or_dash(""), item_code) }
        }
        AuditFact::HelpEnded { outcome, took_ms } => AuditEvent::HelpEnded {
            outcome: match outcome {
                HelpOutcome::Coming => HelpEndedOutcome::Coming,
                HelpOutcome::Unanswered => HelpEndedOutcome::Unanswered,
                HelpOutcome::Withdrawn => HelpEndedOutcome::Withdrawn,
                HelpOutcome::Left => HelpEndedOutcome::Left,
            },
            took: *took_ms,
        },
        AuditFact::Wiped => AuditEvent::SessionWiped,
    }
}

fn guide_print_ended(item: AuditCode, end: PagesEnd) -> AuditEvent {
    let cause = match end {
        PagesEnd::Printed => return AuditEvent::GuidePrinted { item },
        PagesEnd::Stopped(DocumentPrinterCondition::NoPaper) => GuideNotPrintedCause::NoPaper,
        PagesEnd::Stopped(DocumentPrinterCondition::NoToner) => GuideNotPrintedCause::NoToner,
        PagesEnd::Stopped(DocumentPrinterCondition::Jam) => GuideNotPrintedCause::Jam,
        PagesEnd::Stopped(DocumentPrinterCondition::CoverOpen) => GuideNotPrintedCause::CoverOpen,
        PagesEnd::Stopped(DocumentPrinterCondition::OutputFull) => GuideNotPrintedCause::OutputFull,
        PagesEnd::Stopped(DocumentPrinterCondition::Away) => GuideNotPrintedCause::Away,
        PagesEnd::NotRendered => GuideNotPrintedCause::NotRendered,
        PagesEnd::Failed | PagesEnd::Stopped(DocumentPrinterCondition::Ready) => GuideNotPrintedCause::Other,
    };
    AuditEvent::GuideNotPrinted { item, cause }
}

fn document_print_ended(item: AuditCode, end: PagesEnd) -> AuditEvent {
    let cause = match end {
        PagesEnd::Printed => return AuditEvent::DocumentPrinted { item },
        PagesEnd::Stopped(DocumentPrinterCondition::NoPaper) => DocumentNotPrintedCause::NoPaper,
        PagesEnd::Stopped(DocumentPrinterCondition::NoToner) => DocumentNotPrintedCause::NoToner,
        PagesEnd::Stopped(DocumentPrinterCondition::Jam) => DocumentNotPrintedCause::Jam,
        PagesEnd::Stopped(DocumentPrinterCondition::CoverOpen) => DocumentNotPrintedCause::CoverOpen,
        PagesEnd::Stopped(DocumentPrinterCondition::OutputFull) => DocumentNotPrintedCause::OutputFull,
        PagesEnd::Stopped(DocumentPrinterCondition::Away) => DocumentNotPrintedCause::Away,
        PagesEnd::NotRendered | PagesEnd::Failed | PagesEnd::Stopped(DocumentPrinterCondition::Ready) => {
            DocumentNotPrintedCause::Other
        }
    };
    AuditEvent::DocumentNotPrinted { item, cause }
}

fn fetch_outcome(outcome: FetchOutcome) -> FetchAnsweredOutcome {
    match outcome {
        FetchOutcome::Told => FetchAnsweredOutcome::Told,
        FetchOutcome::Not(Unfetched::NothingHeld) => FetchAnsweredOutcome::NothingHeld,
        FetchOutcome::Not(Unfetched::CannotAsk(CannotAsk::Away)) => FetchAnsweredOutcome::Away,
        FetchOutcome::Not(Unfetched::CannotAsk(CannotAsk::TooLate)) => FetchAnsweredOutcome::TooLate,
        FetchOutcome::Not(Unfetched::CannotAsk(CannotAsk::Busy)) => FetchAnsweredOutcome::Busy,
        FetchOutcome::Not(Unfetched::CannotAsk(CannotAsk::DepartmentAway)) => {
            FetchAnsweredOutcome::DepartmentAway
        }
        FetchOutcome::Left => FetchAnsweredOutcome::Left,
    }
}

fn directions_print_ended(item: AuditCode, status: PrintStatus) -> AuditEvent {
    let cause = match status {
        PrintStatus::Printed { level } => {
            return AuditEvent::DirectionsPrinted { item, level: u64::from(level) };
        }
        PrintStatus::NoPaper => DirectionsNotPrintedCause::NoPaper,
        PrintStatus::CoverOpen => DirectionsNotPrintedCause::CoverOpen,
        PrintStatus::PrinterAway => DirectionsNotPrintedCause::Away,
        PrintStatus::NotPrinted | PrintStatus::Printing | PrintStatus::Failed => {
            DirectionsNotPrintedCause::Other
        }
    };
    AuditEvent::DirectionsNotPrinted { item, cause }
}

fn cause_of(remedy: Remedy) -> CardReadFailedCause {
    match remedy {
        Remedy::AskCitizen(Notice::CardHoldStill | Notice::SocialCardPulled) => CardReadFailedCause::Pulled,
        Remedy::AskCitizen(Notice::CardNotReadable) => CardReadFailedCause::Checksum,
        Remedy::AskCitizen(Notice::SocialCardNotRead) => CardReadFailedCause::Garbage,
        Remedy::AskCitizen(Notice::CardRefused | Notice::SocialCardLocked) => CardReadFailedCause::Refused,
        Remedy::AskCitizen(Notice::CardUnknown | Notice::SocialCardUnknown) => CardReadFailedCause::NotACard,
        Remedy::AskCitizen(_) => CardReadFailedCause::Other,
        Remedy::Retry => CardReadFailedCause::NoAnswer,
        Remedy::CallOperator(_) => CardReadFailedCause::Unplugged,
    }
}

pub(super) fn case_finalised(case: &SavedCase, seq: u64, took: Duration) -> AuditEvent {
    AuditEvent::CaseFinalised {
        record: AuditId::or_nil(&case.case_id),
        item: AuditCode::or_dash(&case.item.0),
        seq,
        took: took.as_millis() as u64,
    }
}

pub(super) fn case_not_stored(error: &anyhow::Error) -> AuditEvent {
    let cause = match error.downcast_ref::<StoreError>().map(StoreError::kind) {
        Some(StoreErrorKind::Retry) => CaseNotStoredCause::Retry,
        Some(StoreErrorKind::DiskFull) => CaseNotStoredCause::DiskFull,
        Some(StoreErrorKind::Corrupt) => CaseNotStoredCause::Corrupt,
        Some(StoreErrorKind::Io) => CaseNotStoredCause::Io,
        None => CaseNotStoredCause::Seal,
    };
    AuditEvent::CaseNotStored { cause }
}

pub(super) fn rating_stored(record: &str, about: &str, stars: u8) -> AuditEvent {
    AuditEvent::RatingStored {
        record: AuditId::or_nil(record),
        about: AuditId::or_nil(about),
        stars: u64::from(stars),
    }
}

pub(super) fn print_requested(case_id: &str, again: bool) -> AuditEvent {
    let again = if again { PrintRequestedAgain::Yes } else { PrintRequestedAgain::No };
    AuditEvent::PrintRequested { record: AuditId::or_nil(case_id), again }
}

pub(super) fn print_ended(case_id: &str, status: PrintStatus) -> AuditEvent {
    let record = AuditId::or_nil(case_id);
    let cause = match status {
        PrintStatus::Printed { level } => {
            return AuditEvent::PrintConfirmed { record, level: u64::from(level) };
        }
        PrintStatus::NoPaper => PrintFailedCause::PaperOut,
        PrintStatus::CoverOpen => PrintFailedCause::CoverOpen,
        PrintStatus::PrinterAway => PrintFailedCause::Unplugged,
        PrintStatus::NotPrinted | PrintStatus::Printing | PrintStatus::Failed => PrintFailedCause::Other,
    };
    AuditEvent::PrintFailed { record, cause }
}

pub(super) fn admission(admission: Admission) -> AuditEvent {
    match admission {
        Admission::Open => AuditEvent::AdmissionOpened,
        Admission::Closed(ClosedBecause::DiskFull) => {
            AuditEvent::AdmissionClosed { cause: AdmissionClosedCause::DiskFull }
        }
        Admission::Closed(ClosedBecause::Unwritable) => {
            AuditEvent::AdmissionClosed { cause: AdmissionClosedCause::Unwritable }
        }
    }
}
