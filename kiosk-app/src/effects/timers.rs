//! Timers of the session, on the event loop's own clock. At most one of each kind runs.

use crate::inbox::Inbox;
use kiosk_core::session::{Ticket, TimerKind};
use slint::{Timer, TimerMode};
use std::collections::HashMap;
use std::time::Duration;

pub(super) struct Timers {
    running: HashMap<TimerKind, Timer>,
    inbox: Inbox,
}

impl Timers {
    pub(super) fn new(inbox: Inbox) -> Self {
        Timers { running: HashMap::new(), inbox }
    }

    pub(super) fn start(&mut self, kind: TimerKind, ticket: Ticket, after_ms: u64) {
        let inbox = self.inbox.clone();
        let timer = self.running.entry(kind).or_default();
        timer.start(TimerMode::SingleShot, Duration::from_millis(after_ms), move || inbox.timer(ticket));
    }

    pub(super) fn stop(&mut self, kind: TimerKind) {
        if let Some(timer) = self.running.get(&kind) {
            timer.stop();
        }
    }
}
