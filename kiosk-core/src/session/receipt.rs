//! 受理回执: the case number, its QR, and how far the paper really came.

use super::{
    Citizen, Effect, EndReason, Page, PrinterCondition, ReceiptOrder, SavedCase, Ticket, TimerKind, Turn,
};

/// How far a receipt came. Never more is claimed than the printer confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintStatus {
    /// Nothing was sent to the printer yet.
    NotPrinted,
    /// Sent, not confirmed.
    Printing,
    /// The printer answered after the last line, at this level (1: status answered behind the data,
    /// 2: process id answered and no error).
    Printed {
        /// Level of confirmation.
        level: u8,
    },
    /// The paper ran out.
    NoPaper,
    /// The cover was opened.
    CoverOpen,
    /// The printer is unplugged or silent.
    PrinterAway,
    /// It could not be printed.
    Failed,
}

/// State of the receipt page.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptPage {
    /// The case.
    pub case: SavedCase,
    /// How far the receipt came.
    pub print: PrintStatus,
    /// The city has confirmed it.
    pub sent: bool,
    /// How many times it went to the printer in this session.
    attempts: u8,
    /// Whether paper (or part of one) came out before.
    before: bool,
    printing: Option<Ticket>,
}

/// A resident may want it again, but a stuck finger should not empty the roll.
const PRINTS_MAX: u8 = 4;

impl ReceiptPage {
    pub(super) fn new(case: SavedCase) -> Self {
        ReceiptPage {
            case,
            print: PrintStatus::NotPrinted,
            sent: false,
            attempts: 0,
            before: false,
            printing: None,
        }
    }

    /// The page of a case that was saved before a restart. What was "printing" then is unknown now.
    pub(super) fn recovered(case: SavedCase, print: PrintStatus) -> Self {
        let print = if print == PrintStatus::Printing { PrintStatus::Failed } else { print };
        let before = print != PrintStatus::NotPrinted;
        ReceiptPage { case, print, sent: false, attempts: 0, before, printing: None }
    }

    /// Whether paper has come, or is just coming.
    pub(super) fn is_on_paper(&self) -> bool {
        matches!(self.print, PrintStatus::Printing | PrintStatus::Printed { .. })
    }

    /// Whether "print" is offered now.
    pub fn can_print(&self, printer: PrinterCondition) -> bool {
        self.print != PrintStatus::Printing
            && self.attempts < PRINTS_MAX
            && printer == PrinterCondition::Ready
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let printer = turn.session.surroundings.printer;
    let Page::Receipt(page) = &turn.session.page else { return };
    match touch {
        Citizen::PrintWanted if page.can_print(printer) => {
            let before = page.before;
            print(turn, before);
        }
        Citizen::ReceiptDone if turn.session.visit.is_some() => {
            turn.session.page = Page::Rating(page.clone());
        }
        Citizen::ReceiptDone => turn.leave(EndReason::Finished),
        _ => {}
    }
}

/// Sends the receipt to the printer. Called once by itself, right after saving; after that only when
/// the resident asks.
pub(super) fn print(turn: &mut Turn, reprint: bool) {
    let ticket = turn.new_ticket();
    let applicant_name = turn
        .session
        .visit
        .as_ref()
        .and_then(|visit| visit.applicant.as_ref())
        .and_then(|applicant| applicant.name.clone());
    let about = turn.session.visit.as_ref().and_then(|visit| visit.about.as_ref());
    let about = about.map(|about| about.case_number.clone());
    let language = turn.session.settings.language;
    let Page::Receipt(page) = &mut turn.session.page else { return };
    page.print = PrintStatus::Printing;
    page.printing = Some(ticket);
    page.attempts += 1;
    let case = page.case.clone();
    let usual = turn.rules.limits.printing_ms;
    turn.start_page_timer(TimerKind::Printing, usual);
    let order = ReceiptOrder { case, applicant_name, about, language, reprint };
    turn.effects.push(Effect::Print(ticket, order));
}

pub(super) fn on_print_answer(turn: &mut Turn, ticket: Ticket, status: PrintStatus, begun: bool) {
    let Page::Receipt(page) = &mut turn.session.page else { return };
    if page.printing != Some(ticket) {
        return;
    }
    page.printing = None;
    page.print = status;
    page.before |= begun;
    stop_timer(turn);
    turn.somebody_is_there();
}

/// The printer's thread has not answered at all. What it may still print is not taken for printed; asked for again, it
/// is a reprint.
pub(super) fn on_timeout(turn: &mut Turn) {
    let Page::Receipt(page) = &turn.session.page else { return };
    if let Some(ticket) = page.printing {
        on_print_answer(turn, ticket, PrintStatus::Failed, true);
    }
}

fn stop_timer(turn: &mut Turn) {
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Printing));
}

pub(super) fn on_delivered(turn: &mut Turn, case_id: &str) {
    if let Page::Receipt(page) = &mut turn.session.page
        && page.case.case_id == case_id
    {
        page.sent = true;
    }
}
