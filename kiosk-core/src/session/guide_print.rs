//! 打印办事指南: one touch prints the guide on A4. It holds nothing of the resident, so nobody identifies for it.

use super::{AuditFact, Effect, Page, Session, Turn, pages_print};
use crate::service::ItemCode;
use crate::settings::Language;

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

impl Session {
    /// Whether "print this guide" can be touched now.
    pub fn can_print_guide(&self) -> bool {
        let printer = self.surroundings.document_printer;
        self.visit.as_ref().is_some_and(|visit| visit.guide_print.is_offered(printer))
    }
}

pub(super) fn print(turn: &mut Turn) {
    if !turn.session.can_print_guide() {
        return;
    }
    let ticket = turn.new_ticket();
    let (language, asked_at_ms) = (turn.session.settings.language, turn.moment.wall_ms);
    let Some(visit) = &mut turn.session.visit else { return };
    visit.guide_print.begin(ticket);
    let item = visit.item.clone();
    turn.audit(AuditFact::GuidePrintAsked(item.clone()));
    pages_print::wait_for(turn, ticket);
    turn.effects.push(Effect::PrintGuide(ticket, GuideOrder { item, language, asked_at_ms }));
}

/// Whether the resident sees what becomes of it.
pub(super) fn is_shown(turn: &Turn) -> bool {
    turn.session.page == Page::Guide
}
