//! The end of a session, from one place: everything of the resident is dropped and wiped *before* the
//! farewell is shown, so the farewell has nothing to hide.

use super::{
    AuditFact, CardsShown, Citizen, Effect, EndReason, Page, Prompt, SavedCaseOffer, Settings, TimerKind,
    Turn, asking, fetch, home, keeper, left_card, next_item, number, pages_print, photo, saving,
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
    /// Pages came out of the A4 printer.
    pub papers: bool,
}

impl ToTake {
    pub(super) fn prompt(self) -> Option<Prompt> {
        Some(match (self.card, self.social_card, self.receipt, self.papers) {
            (true, true, _, _) => Prompt::TakeBothCards,
            (true, false, _, true) => Prompt::TakeCardAndPapers,
            (true, false, true, false) => Prompt::TakeCardAndReceipt,
            (true, false, false, false) => Prompt::TakeCard,
            (false, true, _, true) => Prompt::TakeSocialCardAndPapers,
            (false, true, true, false) => Prompt::TakeSocialCardAndReceipt,
            (false, true, false, false) => Prompt::TakeSocialCard,
            (false, false, _, true) => Prompt::TakePapers,
            (false, false, true, false) => Prompt::TakeReceipt,
            (false, false, false, false) => return None,
        })
    }

    pub(super) fn is_nothing(self) -> bool {
        !self.card && !self.social_card && !self.receipt && !self.papers
    }
}

impl Turn<'_> {
    /// Ends the session. The farewell is shown when there may be something to take along.
    pub(super) fn leave(&mut self, reason: EndReason) {
        let nothing_begun = self.session.visit.is_none()
            && self.session.known.is_none()
            && matches!(self.session.page, Page::Home(_) | Page::Leaving(_));
        let to_take = self.to_take();

        saving::leave(self);
        asking::leave(self);
        fetch::leave(self);
        keeper::leave(self);
        number::leave(self);
        pages_print::leave(self);
        photo::give_up(self);
        self.session.visit = None;
        self.session.known = None;
        self.session.life_event = None;
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

    /// What this session has laid down or brought out, and nobody has seen taken.
    pub(super) fn to_take(&self) -> ToTake {
        let before = self.session.known.as_ref().map(next_item::Known::to_take).unwrap_or_default();
        let cards = self.session.visit.as_ref().map(|visit| visit.cards);
        let CardsShown { id_card, social_card } =
            cards.unwrap_or(CardsShown { id_card: before.card, social_card: before.social_card });
        // What it asks about is typed from a receipt, which lies here now.
        let brought = self.session.visit.as_ref().is_some_and(|visit| visit.about.is_some());
        let printed = match &self.session.page {
            Page::Receipt(receipt) | Page::Rating(receipt) => receipt.is_on_paper(),
            Page::Outcome(page) => page.is_on_paper(),
            Page::Progress(_) | Page::FollowUp(_) => true,
            _ => false,
        };
        let papers = matches!(&self.session.page, Page::Fetched(page) if page.print.is_on_paper());
        ToTake {
            card: id_card,
            card_seen: false,
            social_card,
            receipt: brought || printed || before.receipt,
            papers: papers || before.papers,
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
    // Help that was asked for at the farewell: somebody still stands there.
    if turn.session.keeper.help().is_some() {
        turn.somebody_is_there();
    }
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
