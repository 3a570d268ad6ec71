//! What one resident does with one item.

use super::{CardsShown, CaseReference, PagesPrint, QueueTicket};
use crate::answers::Answers;
use crate::applicant::Applicant;
use crate::calendar::Date;
use crate::service::{Facts, ItemCode, QuestionId};
use std::collections::BTreeSet;

/// Everything of one resident. Dropped in one place, erased on drop.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// The chosen item.
    pub item: ItemCode,
    /// The case that the item follows; its receipt is the proof, and nobody identifies.
    pub about: Option<CaseReference>,
    /// Who identified.
    pub applicant: Option<Applicant>,
    /// Answers so far.
    pub answers: Answers,
    /// Optional questions left out.
    pub skipped: BTreeSet<QuestionId>,
    /// Which cards a reader has found.
    pub cards: CardsShown,
    /// What became of printing the item's guide.
    pub guide_print: PagesPrint,
    /// A number that was taken, and of which queue: whoever goes back and forth keeps it.
    pub queue_ticket: Option<(String, QueueTicket)>,
}

impl Visit {
    pub(super) fn new(item: ItemCode) -> Self {
        Visit {
            item,
            about: None,
            applicant: None,
            answers: Answers::new(),
            skipped: BTreeSet::new(),
            cards: CardsShown::default(),
            guide_print: PagesPrint::default(),
            queue_ticket: None,
        }
    }

    pub(super) fn facts(&self, today: Date) -> Facts<'_> {
        Facts { answers: &self.answers, applicant: self.applicant.as_ref(), today }
    }
}
