//! Contacts that bounce, and the rule that makes edges of them.

use std::time::{Duration, Instant};

/// An input that changes only when its level held long enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Debounced {
    hold: Duration,
    level: bool,
    stable: bool,
    changed: Option<Instant>,
    edges: u16,
}

impl Debounced {
    pub(super) fn new(hold: Duration) -> Debounced {
        Debounced { hold, level: false, stable: false, changed: None, edges: 0 }
    }

    /// The level at the pin.
    pub(super) fn set(&mut self, level: bool, now: Instant) {
        self.advance(now);
        if level != self.level {
            self.level = level;
            self.changed = (level != self.stable).then_some(now);
        }
    }

    /// Believes the level when it has held.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.due().is_some_and(|due| due <= now) {
            self.stable = self.level;
            self.changed = None;
            self.edges = self.edges.wrapping_add(1);
        }
    }

    /// When the level will be believed, unless it changes before.
    pub(super) fn due(&self) -> Option<Instant> {
        self.changed.map(|at| at + self.hold)
    }

    pub(super) fn is_set(&self) -> bool {
        self.stable
    }

    pub(super) fn edges(&self) -> u16 {
        self.edges
    }

    /// After a start the pin is believed at once, and nothing was counted.
    pub(super) fn restart(&mut self) {
        self.stable = self.level;
        self.changed = None;
        self.edges = 0;
    }
}
