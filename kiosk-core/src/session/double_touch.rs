//! Which touch is a tremor or the tail of a double tap, and counts for nothing.

use super::{Citizen, Turn};

impl Turn<'_> {
    /// The same touch again within the theme's time, or any touch right after the page changed under
    /// the finger, is a tremor or a double tap (EN 301 549, 5.8).
    pub(super) fn is_repeated(&mut self, touch: &Citizen) -> bool {
        if matches!(touch, Citizen::Touched) {
            return false;
        }
        let window_ms = self.rules.limits.same_touch_ms(self.session.settings.theme);
        let now = self.moment.monotonic_ms;
        let within = |at: u64| now.saturating_sub(at) < window_ms;
        let same = self.session.last_touch.as_ref().is_some_and(|(last, at)| last == touch && within(*at));
        let page_just_changed = self.session.page_changed_at_ms.is_some_and(within);
        let repeated = same || page_just_changed;
        if !repeated {
            self.session.last_touch = Some((touch.clone(), now));
        }
        repeated
    }

    /// Something else stands where the finger was: it must not take the tail of a double tap.
    pub(super) fn page_changed(&mut self) {
        self.session.page_changed_at_ms = Some(self.moment.monotonic_ms);
    }
}
