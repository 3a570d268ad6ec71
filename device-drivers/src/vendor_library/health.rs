//! What happened to a library since the kiosk was started, for whoever looks after the terminal.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use super::host::Loss;
use super::protocol::{LoadFault, Refusal};

/// How many happenings are kept.
const KEPT: usize = 32;

/// Something that happened to the library's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// It was started, and the library is open.
    Started,
    /// It was lost.
    Lost(Loss),
    /// The library cannot be used.
    Unusable(LoadFault),
    /// The library did not open.
    NotOpened(Refusal),
    /// `device-host` could not be started.
    NoHost(io::ErrorKind),
}

/// The history of one library.
#[derive(Debug, Default)]
pub struct Health {
    recent: VecDeque<(Instant, Happening)>,
    starts: u64,
    losses: u64,
    failures_in_a_row: u32,
}

impl Health {
    /// How often it was started.
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// How often it was lost.
    pub fn losses(&self) -> u64 {
        self.losses
    }

    /// Failures since a call was last answered.
    pub fn failures_in_a_row(&self) -> u32 {
        self.failures_in_a_row
    }

    /// The last 32 happenings, the oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &(Instant, Happening)> {
        self.recent.iter()
    }

    /// A call was answered, which a library that is started only to fall again never does.
    pub(super) fn answered(&mut self) {
        self.failures_in_a_row = 0;
    }

    pub(super) fn note(&mut self, at: Instant, what: Happening) {
        match what {
            Happening::Started => self.starts += 1,
            Happening::Lost(_) => self.losses += 1,
            Happening::Unusable(_) | Happening::NotOpened(_) | Happening::NoHost(_) => {}
        }
        if what != Happening::Started {
            self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        }
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((at, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_bounded_and_the_counts_are_not() {
        let mut health = Health::default();
        for _ in 0..100 {
            health.note(Instant::now(), Happening::Started);
            health.note(Instant::now(), Happening::Lost(Loss::Hung));
        }
        assert_eq!((health.starts(), health.losses(), health.failures_in_a_row()), (100, 100, 100));
        assert_eq!(health.recent().count(), KEPT);
        assert_eq!(health.recent().last().map(|(_, what)| *what), Some(Happening::Lost(Loss::Hung)));
    }

    #[test]
    fn only_an_answer_ends_a_row_of_failures() {
        let mut health = Health::default();
        health.note(Instant::now(), Happening::Lost(Loss::Hung));
        health.note(Instant::now(), Happening::Started);
        assert_eq!(health.failures_in_a_row(), 1);
        health.answered();
        assert_eq!(health.failures_in_a_row(), 0);
    }
}
