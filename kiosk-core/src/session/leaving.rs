//! The end of a session, from one place: everything of the resident is dropped and wiped *before* the
//! farewell is shown, so the farewell has nothing to hide.

use super::{
    AuditFact, CardsShown, Citizen, Effect, EndReason, Page, Prompt, SavedCaseOffer, Settings, TimerKind,
    Turn, asking, guide_print, home, left_card, photo, saving,
};

/// What the resident should not forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToTake {
    /// An ID card was laid on its reader.
    pub card: bool,
    /// That reader is sure that the card still lies there.
    pub card_seen: bool,
    /// A social-security card was put into its reader, which has not seen it taken.
    pub social_card: bool,
    /// A receipt came out on paper, or was brought along to ask about its case.
    pub receipt: bool,
}

impl ToTake {
    pub(super) fn prompt(self) -> Option<Prompt> {
        match (self.card, self.social_card, self.receipt) {
            (true, true, _) => Some(Prompt::TakeBothCards),
            (true, false, true) => Some(Prompt::TakeCardAndReceipt),
            (true, false, false) => Some(Prompt::TakeCard),
            (false, true, true) => Some(Prompt::TakeSocialCardAndReceipt),
            (false, true, false) => Some(Prompt::TakeSocialCard),
            (false, false, true) => Some(Prompt::TakeReceipt),
            (false, false, false) => None,
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        !self.card && !self.social_card && !self.receipt
    }
}

impl Turn<'_> {
    /// Ends the session. The farewell is shown when there may be something to take along.
    pub(super) fn leave(&mut self, reason: EndReason) {
        let nothing_begun =
            self.session.visit.is_none() && matches!(self.session.page, Page::Home(_) | Page::Leaving(_));
        let CardsShown { id_card, social_card } =
            self.session.visit.as_ref().map(|visit| visit.cards).unwrap_or_default();
        // What it asks about is typed from a receipt, which lies here now.
        let brought = self.session.visit.as_ref().is_some_and(|visit| visit.about.is_some());
        let printed = match &self.session.page {
            Page::Receipt(receipt) | Page::Rating(receipt) => receipt.is_on_paper(),
            Page::Outcome(page) => page.is_on_paper(),
            Page::Progress(_) | Page::FollowUp(_) => true,
            _ => false,
        };
        let receipt = brought || printed;

        saving::leave(self);
        asking::leave(self);
        guide_print::leave(self);
        photo::give_up(self);
        self.session.visit = None;
        self.session.notice = None;
        self.session.settings_open = false;
        self.session.last_touch = None;
        self.session.typing_way = None;

        self.effects.push(Effect::StopReading);
        self.effects.push(Effect::WipeSession);
        if !nothing_begun {
            let length_ms = self.moment.monotonic_ms.saturating_sub(self.session.started_at_ms);
            self.audit(AuditFact::SessionEnded { reason, length_ms });
            self.audit(AuditFact::Wiped);
        }
        let to_take = ToTake { card: id_card, card_seen: false, social_card, receipt };
        if !to_take.is_nothing() || reason == EndReason::Finished {
            self.session.idle.warning_s = None;
            self.session.page = Page::Leaving(to_take);
            // Of the social-security card nothing is said before its reader has looked: it may be taken already.
            if let Some(prompt) = (ToTake { social_card: false, ..to_take }).prompt() {
                self.say(prompt);
            }
            let wait = self.rules.limits.farewell_ms;
            self.start_page_timer(TimerKind::Page, wait);
            left_card::begin(self, reason);
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
