//! 打印办事指南: one touch prints the guide on A4. It holds nothing of the resident, so nobody identifies for it, and it
//! stops nobody: while pages come out, the resident goes on or goes home. What is left is never printed again by itself.

use super::{AuditFact, DocumentPrinterCondition, Effect, Page, Session, Ticket, TimerKind, Turn};
use crate::service::ItemCode;
use crate::settings::Language;

/// A resident may want one for a neighbour, but a stuck finger should not empty the tray.
const PRINTS_MAX: u8 = 4;

/// What is to be printed. The words are the catalog's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuideOrder {
    /// Whose guide.
    pub item: ItemCode,
    /// Language of the print-out.
    pub language: Language,
    /// When it was asked for, wall clock: the sheet names the day.
    pub asked_at_ms: i64,
}

/// What came of printing a guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuidePrintEnd {
    /// The printer said that all of it came out.
    Printed,
    /// Something kept the printer from it: never [`DocumentPrinterCondition::Ready`].
    Stopped(DocumentPrinterCondition),
    /// The pages could not be made.
    NotRendered,
    /// It did not come out, or nobody knows whether it did.
    Failed,
}

/// How far the guide came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GuidePrintStatus {
    /// Nobody asked for it.
    #[default]
    NotAsked,
    /// On its way.
    Printing,
    /// Over.
    Ended(GuidePrintEnd),
}

/// The guide's way to paper, for one visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuidePrint {
    /// How far it came.
    pub status: GuidePrintStatus,
    /// How many times it went to the printer.
    attempts: u8,
    /// Names the order, and the timer that waits for its end.
    awaited: Option<Ticket>,
}

impl Session {
    /// Whether "print this guide" can be touched now.
    pub fn can_print_guide(&self) -> bool {
        let ready = self.surroundings.document_printer == Some(DocumentPrinterCondition::Ready);
        let free = |print: &GuidePrint| print.awaited.is_none() && print.attempts < PRINTS_MAX;
        ready && self.visit.as_ref().is_some_and(|visit| free(&visit.guide_print))
    }
}

pub(super) fn print(turn: &mut Turn) {
    if !turn.session.can_print_guide() {
        return;
    }
    let ticket = turn.new_ticket();
    let (language, asked_at_ms) = (turn.session.settings.language, turn.moment.wall_ms);
    let Some(visit) = &mut turn.session.visit else { return };
    let print = &mut visit.guide_print;
    (print.status, print.awaited) = (GuidePrintStatus::Printing, Some(ticket));
    print.attempts += 1;
    let item = visit.item.clone();
    turn.audit(AuditFact::GuidePrintAsked(item.clone()));
    let patience_ms = turn.rules.limits.guide_print_ms;
    turn.effects.push(Effect::StartTimer(TimerKind::GuidePrint, ticket, patience_ms));
    turn.effects.push(Effect::PrintGuide(ticket, GuideOrder { item, language, asked_at_ms }));
}

pub(super) fn on_ended(turn: &mut Turn, ticket: Ticket, end: GuidePrintEnd) {
    if !settle(turn, ticket, end) {
        return;
    }
    turn.effects.push(Effect::StopTimer(TimerKind::GuidePrint));
    if turn.session.page == Page::Guide {
        turn.somebody_is_there();
    }
}

/// The printer's thread has not answered at all.
pub(super) fn on_timer(turn: &mut Turn, ticket: Ticket) {
    settle(turn, ticket, GuidePrintEnd::Failed);
}

/// The session ends: what comes out now is nobody's, and its end is not waited for.
pub(super) fn leave(turn: &mut Turn) {
    let print = turn.session.visit.as_mut().map(|visit| &mut visit.guide_print);
    if print.is_some_and(|print| print.awaited.take().is_some()) {
        turn.effects.push(Effect::StopTimer(TimerKind::GuidePrint));
    }
}

/// Notes the end of the order with this ticket; false when it is not waited for any more.
fn settle(turn: &mut Turn, ticket: Ticket, end: GuidePrintEnd) -> bool {
    let Some(visit) = &mut turn.session.visit else { return false };
    let print = &mut visit.guide_print;
    if print.awaited != Some(ticket) {
        return false;
    }
    (print.status, print.awaited) = (GuidePrintStatus::Ended(end), None);
    true
}
