//! Pages on A4: how far they came, be they a guide or a document. They stop nobody: while they come out, the resident goes
//! on. What is left is never printed again by itself.

use super::{DocumentPrinterCondition, Effect, Ticket, TimerKind, Turn, fetch, guide_print};

/// A resident may want another copy, but a stuck finger should not empty the tray.
const PRINTS_MAX: u8 = 4;

/// What came of printing pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PagesEnd {
    /// The printer said that all of them came out.
    Printed,
    /// Something kept the printer from it: never [`DocumentPrinterCondition::Ready`].
    Stopped(DocumentPrinterCondition),
    /// The pages could not be made.
    NotRendered,
    /// They did not come out, or nobody knows whether they did.
    Failed,
}

/// How far the pages came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PagesStatus {
    /// Nobody asked for them.
    #[default]
    NotAsked,
    /// On their way.
    Printing,
    /// Over.
    Ended(PagesEnd),
}

/// The way of one thing to A4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagesPrint {
    /// How far it came.
    pub status: PagesStatus,
    /// How many times it went to the printer.
    attempts: u8,
    /// Names the order, and the timer that waits for its end.
    awaited: Option<Ticket>,
}

impl PagesPrint {
    /// Whether "print" can be touched now.
    pub fn is_offered(&self, printer: Option<DocumentPrinterCondition>) -> bool {
        let ready = printer == Some(DocumentPrinterCondition::Ready);
        ready && self.awaited.is_none() && self.attempts < PRINTS_MAX
    }

    /// Whether pages have come, or are just coming.
    pub(super) fn is_on_paper(&self) -> bool {
        matches!(self.status, PagesStatus::Printing | PagesStatus::Ended(PagesEnd::Printed))
    }

    /// It goes to the printer under this ticket.
    pub(super) fn begin(&mut self, ticket: Ticket) {
        (self.status, self.awaited) = (PagesStatus::Printing, Some(ticket));
        self.attempts += 1;
    }

    /// Notes the end of the order with this ticket; false when it is not waited for any more.
    fn settle(&mut self, ticket: Ticket, end: PagesEnd) -> bool {
        let awaited = self.awaited == Some(ticket);
        if awaited {
            (self.status, self.awaited) = (PagesStatus::Ended(end), None);
        }
        awaited
    }

    /// Waits no longer; true when it did.
    fn let_go(&mut self) -> bool {
        self.awaited.take().is_some()
    }
}

/// Waits for the end of an order: the printer's thread may never answer.
pub(super) fn wait_for(turn: &mut Turn, ticket: Ticket) {
    let patience_ms = turn.rules.limits.pages_print_ms;
    turn.effects.push(Effect::StartTimer(TimerKind::PagesPrint, ticket, patience_ms));
}

/// One printer, two things that it prints: tickets tell which.
pub(super) fn on_ended(turn: &mut Turn, ticket: Ticket, end: PagesEnd) {
    if settle(turn, ticket, end) {
        turn.effects.push(Effect::StopTimer(TimerKind::PagesPrint));
        if guide_print::is_shown(turn) || fetch::is_shown(turn) {
            turn.somebody_is_there();
        }
    }
}

/// The printer's thread has not answered at all.
pub(super) fn on_timer(turn: &mut Turn, ticket: Ticket) {
    settle(turn, ticket, PagesEnd::Failed);
}

/// The session ends: the end of what comes out now is not waited for.
pub(super) fn leave(turn: &mut Turn) {
    let guide = turn.session.visit.as_mut().is_some_and(|visit| visit.guide_print.let_go());
    let document = fetch::print_of(turn).is_some_and(PagesPrint::let_go);
    if guide || document {
        turn.effects.push(Effect::StopTimer(TimerKind::PagesPrint));
    }
}

fn settle(turn: &mut Turn, ticket: Ticket, end: PagesEnd) -> bool {
    let guide = turn.session.visit.as_mut().map(|visit| &mut visit.guide_print);
    let is_guide = guide.is_some_and(|print| print.settle(ticket, end));
    is_guide || fetch::print_of(turn).is_some_and(|print| print.settle(ticket, end))
}
