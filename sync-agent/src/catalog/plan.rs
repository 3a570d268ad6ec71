//! When to look for a newer catalog in the city. Pure: time and randomness are arguments.

use crate::backoff::{Backoff, below_or_equal};

/// Waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Mean time between two looks when the city says nothing new: signatures are renewed too.
    pub(crate) refresh_ms: u64,
    /// After the city names another catalog, terminals come within this time and not all at once.
    pub(crate) spread_ms: u64,
    /// After a failure.
    pub(crate) backoff: Backoff,
}

/// What was heard, and when to look.
#[derive(Clone, Debug)]
pub(crate) struct LookPlan {
    waits: Waits,
    /// What the city calls its catalog.
    named: Option<String>,
    due_ms: u64,
    failures: u32,
}

impl LookPlan {
    pub(crate) fn new(waits: Waits) -> Self {
        Self { waits, named: None, due_ms: u64::MAX, failures: 0 }
    }

    /// The city named its catalog. A new name is worth a look soon, whatever was planned; without one there is nothing
    /// for this terminal.
    pub(crate) fn heard(&mut self, name: &str, now_ms: u64, entropy: u64) {
        if name.is_empty() {
            self.named = None;
            return;
        }
        if self.named.as_deref() != Some(name) {
            self.named = Some(name.to_owned());
            self.failures = 0;
            self.due_ms = now_ms + below_or_equal(self.waits.spread_ms, entropy);
        }
    }

    /// The city asked this terminal to look, whatever its catalog is called. A look that failed keeps its wait, so that
    /// a city that asks with every hello is not asked in return as often.
    pub(crate) fn asked_by_city(&mut self, now_ms: u64, entropy: u64) {
        if self.failures == 0 {
            self.due_ms = self.due_ms.min(now_ms + below_or_equal(self.waits.spread_ms, entropy));
        }
    }

    /// Whether to look now. Never before the city was heard: then there is a way to it.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.named.is_some() && now_ms >= self.due_ms
    }

    /// The look went well.
    pub(crate) fn went_well(&mut self, now_ms: u64, entropy: u64) {
        self.failures = 0;
        self.due_ms = now_ms + self.waits.refresh_ms / 2 + below_or_equal(self.waits.refresh_ms, entropy);
    }

    /// The look failed.
    pub(crate) fn failed(&mut self, now_ms: u64, entropy: u64) {
        self.failures = self.failures.saturating_add(1);
        self.due_ms = now_ms + self.waits.backoff.delay_ms(self.failures, entropy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits =
        Waits { refresh_ms: 1000, spread_ms: 100, backoff: Backoff { base_ms: 10, cap_ms: 40 } };

    #[test]
    fn it_looks_when_the_name_changes_and_from_time_to_time() {
        let mut plan = LookPlan::new(WAITS);
        assert!(!plan.is_due(u64::MAX - 1), "not before the city was heard");
        plan.heard("a", 0, u64::MAX);
        assert!(!plan.is_due(99) && plan.is_due(100), "spread over the fleet");
        plan.went_well(100, 0);
        plan.heard("a", 200, 0);
        assert!(!plan.is_due(599) && plan.is_due(600), "half the mean at the earliest");
        plan.went_well(600, u64::MAX);
        plan.heard("b", 700, 0);
        assert!(plan.is_due(700), "a new name overrides");
        plan.heard("", 701, 0);
        assert!(!plan.is_due(u64::MAX), "a terminal that was taken off the city's list leaves it alone");
    }

    #[test]
    fn the_city_can_ask_for_a_look_but_not_past_a_failure() {
        let mut plan = LookPlan::new(WAITS);
        plan.heard("a", 0, 0);
        plan.went_well(0, 0);
        plan.asked_by_city(50, u64::MAX);
        assert!(!plan.is_due(149) && plan.is_due(150), "spread over the fleet");
        plan.asked_by_city(149, u64::MAX);
        assert!(plan.is_due(150), "asking again postpones nothing");
        plan.failed(150, u64::MAX);
        plan.asked_by_city(151, 0);
        assert!(!plan.is_due(159) && plan.is_due(160), "after a failure its wait counts");
    }

    #[test]
    fn failures_wait_longer_up_to_the_cap_and_never_for_ever() {
        let mut plan = LookPlan::new(WAITS);
        plan.heard("a", 0, 0);
        for (failure, wait) in [(1, 10), (2, 20), (3, 40), (4, 40), (5, 40)] {
            plan.failed(1000, u64::MAX);
            assert!(!plan.is_due(1000 + wait - 1) && plan.is_due(1000 + wait), "failure {failure}");
        }
    }
}
