//! The end of a session, from one place: everything of the resident is dropped and wiped *before* the
//! farewell is shown, so the farewell has nothing to hide.

use super::{
    AuditFact, Citizen, Effect, EndReason, Page, Prompt, SavedCaseOffer, Settings, TimerKind, Turn, asking,
    guide_print, home, left_card, photo, saving,
};
use crate::applicant::IdentificationWay;

/// What the resident should not forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToTake {
    /// The card was laid on the reader.
    pub card: bool,
    /// The reader is sure that the card still lies there.
    pub card_seen: bool,
    /// A receipt came out on paper, or was brought along to ask about its case.
    pub receipt: bool,
}

impl ToTake {
    fn prompt(self) -> Option<Prompt> {
        match (self.card, self.receipt) {
            (true, true) => Some(Prompt::TakeCardAndReceipt),
            (true, false) => Some(Prompt::TakeCard),
            (false, true) => Some(Prompt::TakeReceipt),
            (false, false) => None,
        }
    }
}

impl Turn<'_> {
    /// Ends the session. The farewell is shown when there may be something to take along.
    pub(super) fn leave(&mut self, reason: EndReason) {
        let nothing_begun =
            self.session.visit.is_none() && matches!(self.session.page, Page::Home(_) | Page::Leaving(_));
        let applicant = self.session.visit.as_ref().and_then(|visit| visit.applicant.as_ref());
        let card = match &self.session.page {
            Page::Identify(identify) => identify.saw_a_card(),
            _ => applicant.is_some_and(|applicant| applicant.way == IdentificationWay::IdCard),
        };
        let receipt = match &self.session.page {
            Page::Receipt(receipt) | Page::Rating(receipt) => receipt.is_on_paper(),
            // What it says was typed from the receipt, which lies here now.
            Page::Progress(_) => true,
            _ => false,
        };

        saving::leave(self);
        asking::leave(self);
        guide_print::leave(self);
        photo::give_up(self);
        self.session.visit = None;
        self.session.notice = None;
        self.session.last_touch = None;
        self.effects.push(Effect::StopReading);
        self.effects.push(Effect::WipeSession);
        if !nothing_begun {
            let length_ms = self.moment.monotonic_ms.saturating_sub(self.session.started_at_ms);
            self.audit(AuditFact::SessionEnded { reason, length_ms });
            self.audit(AuditFact::Wiped);
        }
        if card || receipt || reason == EndReason::Finished {
            self.session.idle.warning_s = None;
            let to_take = ToTake { card, card_seen: false, receipt };
            self.session.page = Page::Leaving(to_take);
            if let Some(prompt) = to_take.prompt() {
                self.say(prompt);
            }
            let wait = self.rules.limits.farewell_ms;
            self.start_page_timer(TimerKind::Page, wait);
            if card {
                left_card::look(self);
            }
        } else {
            go_home(self);
        }
    }
}

/// Back to a home screen that knows nothing of the last resident, not even the language.
pub(super) fn go_home(turn: &mut Turn) {
    left_card::leave(turn);
    turn.session.settings = Settings::default();
    turn.session.page = Page::Home(None);
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Page));
    turn.stop_idle_timer();
    if let Some(SavedCaseOffer { case, print }) = turn.session.offer_at_home.take() {
        home::offer_saved_case(turn, case, print);
    }
}

/// The farewell's time is over.
pub(super) fn on_timeout(turn: &mut Turn) {
    if !left_card::stays(turn) {
        go_home(turn);
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    if touch == Citizen::FarewellDone {
        turn.effects.push(Effect::Hush);
        go_home(turn);
    }
}
