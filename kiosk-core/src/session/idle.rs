//! Who is still there: the warning, the countdown, and the waits of each theme.

use super::{Effect, EndReason, Page, Session, Ticket, TimerKind, Turn};
use crate::settings::{Settings, Theme};

/// Waits in milliseconds. `Default` is what `docs` and WCAG 2.2.1 ask for; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Standard theme: until the warning.
    pub idle_standard_ms: u64,
    /// Standard theme: the countdown after it, in seconds (≥ 20).
    pub countdown_standard_s: u32,
    /// Senior theme: until the warning.
    pub idle_senior_ms: u64,
    /// Senior theme: the countdown after it, in seconds.
    pub countdown_senior_s: u32,
    /// Standard theme: the same touch again is ignored for so long.
    pub same_touch_standard_ms: u64,
    /// Senior theme: the same touch again is ignored for so long.
    pub same_touch_senior_ms: u64,
    /// Until the warning, while somebody waits for the keeper.
    pub idle_help_ms: u64,
    /// Until the warning, when a sensor sees nobody.
    pub unseen_ms: u64,
    /// How long "take your card" stays.
    pub farewell_ms: u64,
    /// How long a case saved before a restart is offered.
    pub saved_case_offer_ms: u64,
    /// How long saving may take until the page says that it is unusual.
    pub saving_ms: u64,
    /// How long the city may take to answer.
    pub asking_ms: u64,
    /// How long the city may take to answer about a call for the keeper.
    pub keeper_asking_ms: u64,
    /// How long until the city is asked again how a call for the keeper stands.
    pub keeper_poll_ms: u64,
    /// How long the keeper may not have heard of a call before that is said.
    pub keeper_unheard_ms: u64,
    /// How long the keeper may leave a call that was heard unanswered before that is said.
    pub keeper_silent_ms: u64,
    /// How long a receipt may take; longer than the driver's own deadline, for a driver that hangs.
    pub printing_ms: u64,
    /// How long pages may take on A4; longer than the driver's own deadlines together, for a driver that hangs.
    pub pages_print_ms: u64,
    /// How long a photo may take; longer than the driver's own deadline, for a driver that hangs.
    pub photo_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            idle_standard_ms: 60_000,
            countdown_standard_s: 20,
            idle_senior_ms: 120_000,
            countdown_senior_s: 45,
            same_touch_standard_ms: 300,
            same_touch_senior_ms: 500,
            idle_help_ms: 180_000,
            unseen_ms: 10_000,
            farewell_ms: 6_000,
            saved_case_offer_ms: 60_000,
            saving_ms: 15_000,
            asking_ms: 15_000,
            keeper_asking_ms: 6_000,
            keeper_poll_ms: 3_000,
            keeper_unheard_ms: 20_000,
            keeper_silent_ms: 90_000,
            printing_ms: 60_000,
            pages_print_ms: 180_000,
            photo_ms: 8_000,
        }
    }
}

impl Limits {
    /// The wait in which the same touch counts once.
    pub fn same_touch_ms(&self, theme: Theme) -> u64 {
        match theme {
            Theme::Standard => self.same_touch_standard_ms,
            Theme::Senior => self.same_touch_senior_ms,
        }
    }

    fn idle_ms(&self, theme: Theme) -> u64 {
        match theme {
            Theme::Standard => self.idle_standard_ms,
            Theme::Senior => self.idle_senior_ms,
        }
    }

    fn countdown_s(&self, theme: Theme) -> u32 {
        match theme {
            Theme::Standard => self.countdown_standard_s,
            Theme::Senior => self.countdown_senior_s,
        }
    }
}

/// The idle clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    /// The timer that counts now.
    pub(super) ticket: Option<Ticket>,
    /// Seconds left, while the warning is shown.
    pub warning_s: Option<u32>,
}

const SECOND_MS: u64 = 1_000;

impl Turn<'_> {
    /// Any touch takes the warning away and starts the clock anew.
    pub(super) fn somebody_is_there(&mut self) {
        let limits = &self.rules.limits;
        let mut after_ms = limits.idle_ms(self.session.settings.theme);
        // Whoever waits for the keeper has nothing to touch.
        if self.session.keeper.is_called() {
            after_ms = after_ms.max(limits.idle_help_ms);
        }
        self.session.idle.warning_s = None;
        self.start_idle_timer(after_ms);
    }

    /// A sensor sees nobody: the warning comes soon, unless it is there already.
    pub(super) fn nobody_is_seen(&mut self) {
        let limits = &self.rules.limits;
        let after_ms = match self.session.keeper.is_called() {
            // Who waits for the keeper may have sat down.
            true => limits.idle_ms(self.session.settings.theme),
            false => limits.unseen_ms,
        };
        if self.session.idle.warning_s.is_none() {
            self.start_idle_timer(after_ms);
        }
    }

    pub(super) fn on_idle_timer(&mut self) {
        if self.nothing_to_end() {
            self.stop_idle_timer();
            return;
        }
        // While saving is in time, a warning over it would only frighten.
        if matches!(self.session.page, Page::Saving(saving) if !saving.overdue) {
            self.start_idle_timer(SECOND_MS);
            return;
        }
        let left = match self.session.idle.warning_s {
            None => Some(self.rules.limits.countdown_s(self.session.settings.theme)),
            Some(seconds) => seconds.checked_sub(1).filter(|left| *left > 0),
        };
        match left {
            Some(seconds) => {
                self.session.idle.warning_s = Some(seconds);
                self.start_idle_timer(SECOND_MS);
            }
            None => self.leave(EndReason::Idle),
        }
    }

    pub(super) fn stop_idle_timer(&mut self) {
        self.session.idle = Idle::default();
        self.effects.push(Effect::StopTimer(TimerKind::Idle));
    }

    fn start_idle_timer(&mut self, after_ms: u64) {
        let ticket = self.new_ticket();
        self.session.idle.ticket = Some(ticket);
        self.effects.push(Effect::StartTimer(TimerKind::Idle, ticket, after_ms));
    }

    /// On an untouched home screen there is nobody to wait for and nothing to wipe.
    fn nothing_to_end(&self) -> bool {
        matches!(self.session.page, Page::Home(_) | Page::Leaving(_))
            && self.session.visit.is_none()
            && self.session.known.is_none()
            && self.session.settings == Settings::default()
            && self.session.notice.is_none()
            && !self.session.settings_open
            && self.session.keeper.help().is_none()
    }
}

impl Session {
    /// Whether what is offered may change: the home screen as it comes up by itself, with nothing chosen on it that
    /// would have to be waited for.
    pub fn is_unused(&self) -> bool {
        let home = matches!(self.page, Page::Home(None)) && self.visit.is_none();
        home && self.idle.ticket.is_none() && self.notice.is_none() && self.keeper.help().is_none()
    }
}
