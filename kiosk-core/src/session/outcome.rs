//! 去处: what the answers of a where-to-go item lead to. It is shown, printed when somebody wants it on paper, and kept
//! nowhere: nobody has identified, and nothing is sent but for the wish for a number ([`super::number`]).

use super::{
    AuditFact, Citizen, Effect, Number, Page, PrintStatus, PrinterCondition, QueueTicket, Ticket, TimerKind,
    Turn,
};
use super::{next_item, number, question};
use crate::answers::Answers;
use crate::remedy::Notice;
use crate::service::ItemCode;
use crate::settings::Language;

/// State of the outcome page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomePage {
    /// Which of the item's outcomes, from 0.
    pub at: usize,
    /// How far the directions came.
    pub print: PrintStatus,
    /// A number of the window.
    pub number: Number,
    /// How many times they went to the printer.
    attempts: u8,
    printing: Option<Ticket>,
    pub(super) wanted: Option<number::Wanted>,
}

/// One for a neighbour, too; but a stuck finger should not empty the roll.
const PRINTS_MAX: u8 = 4;

/// 指引凭条: what the receipt printer is to print. The words are the catalog's.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectionsOrder {
    /// Of which item.
    pub item: ItemCode,
    /// Which outcome, from 0.
    pub outcome: usize,
    /// What was answered: choices, days and numbers.
    pub answers: Answers,
    /// The number that was taken.
    pub queue_ticket: Option<QueueTicket>,
    /// Language of the print-out.
    pub language: Language,
    /// When it was asked for, wall clock.
    pub asked_at_ms: i64,
}

impl OutcomePage {
    fn new(at: usize, number: Number) -> Self {
        OutcomePage { at, print: PrintStatus::NotPrinted, number, attempts: 0, printing: None, wanted: None }
    }

    /// Whether paper has come, or is just coming.
    pub(super) fn is_on_paper(&self) -> bool {
        matches!(self.print, PrintStatus::Printing | PrintStatus::Printed { .. })
    }

    /// Whether "print" is offered now.
    pub fn can_print(&self, printer: PrinterCondition) -> bool {
        self.printing.is_none() && self.attempts < PRINTS_MAX && printer == PrinterCondition::Ready
    }
}

/// All questions are answered.
pub(super) fn show(turn: &mut Turn) {
    let found =
        turn.session.visit.as_ref().and_then(|visit| {
            turn.rules.conditions.outcome(&visit.item, &visit.facts(turn.session.today)).ok()
        });
    match found {
        Some(at) => turn.session.page = Page::Outcome(OutcomePage::new(at, number::at_first(turn, at))),
        None => turn.session.notice = Some(Notice::ItemBroken),
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::PrintWanted => print(turn),
        Citizen::QueueTicketWanted => number::take(turn),
        Citizen::Back => {
            number::leave(turn);
            stop_waiting(turn);
            question::go_to_last_asked(turn);
        }
        Citizen::OutcomeRead => next_item::begin_or_leave(turn),
        Citizen::AnotherItemWanted => next_item::begin(turn),
        _ => {}
    }
}

pub(super) fn print(turn: &mut Turn) {
    let printer = turn.session.surroundings.printer;
    let ticket = turn.new_ticket();
    let (language, asked_at_ms) = (turn.session.settings.language, turn.moment.wall_ms);
    let Page::Outcome(page) = &mut turn.session.page else { return };
    if !page.can_print(printer) {
        return;
    }
    (page.print, page.printing) = (PrintStatus::Printing, Some(ticket));
    page.attempts += 1;
    let (outcome, queue_ticket) = (page.at, page.number.ticket().cloned());
    let Some(visit) = &turn.session.visit else { return };
    let (item, answers) = (visit.item.clone(), visit.answers.clone());
    turn.audit(AuditFact::DirectionsPrintAsked(item.clone()));
    let patience_ms = turn.rules.limits.printing_ms;
    turn.start_page_timer(TimerKind::Printing, patience_ms);
    let order = DirectionsOrder { item, outcome, answers, queue_ticket, language, asked_at_ms };
    turn.effects.push(Effect::PrintDirections(ticket, Box::new(order)));
}

pub(super) fn on_print_answer(turn: &mut Turn, ticket: Ticket, status: PrintStatus) {
    let Page::Outcome(page) = &mut turn.session.page else { return };
    if page.printing != Some(ticket) {
        return;
    }
    page.print = status;
    stop_waiting(turn);
    turn.somebody_is_there();
}

/// The printer's thread has not answered at all.
pub(super) fn on_timeout(turn: &mut Turn) {
    if let Page::Outcome(page) = &turn.session.page
        && let Some(ticket) = page.printing
    {
        on_print_answer(turn, ticket, PrintStatus::Failed);
    }
}

fn stop_waiting(turn: &mut Turn) {
    let Page::Outcome(page) = &mut turn.session.page else { return };
    if page.printing.take().is_some() {
        turn.session.page_timer = None;
        turn.effects.push(Effect::StopTimer(TimerKind::Printing));
    }
}
