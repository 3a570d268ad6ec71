//! What the simulated printer feels: paper, cover, errors, the button, the mouth.

use crate::receipt_printer::protocol::{Asb, ErrorCause, OfflineCause, PrinterBits, RollPaper};

/// The sensors' present state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sensors {
    pub(super) paper: bool,
    pub(super) near_end: bool,
    pub(super) cover_open: bool,
    pub(super) error: ErrorCause,
    /// Somebody holds the feed button.
    pub(super) feed_button: bool,
    pub(super) waiting_recovery: bool,
    pub(super) drawer_pin_high: bool,
    /// A cut receipt is in the mouth.
    pub(super) mouth: bool,
}

impl Sensors {
    /// A printer that is ready.
    pub(super) fn ready() -> Sensors {
        Sensors {
            paper: true,
            near_end: false,
            cover_open: false,
            error: ErrorCause::default(),
            feed_button: false,
            waiting_recovery: false,
            drawer_pin_high: false,
            mouth: false,
        }
    }

    pub(super) fn roll(&self) -> RollPaper {
        RollPaper { near_end: self.near_end || !self.paper, end: !self.paper }
    }

    /// Nothing is printed in this state.
    pub(super) fn is_offline(&self) -> bool {
        self.cannot_go_on() || self.error.auto_recoverable || self.feed_button || self.waiting_recovery
    }

    /// What was begun cannot be finished. A hot head and a pressed button only pause.
    pub(super) fn cannot_go_on(&self) -> bool {
        let error = self.error;
        self.cover_open || !self.paper || error.cutter || error.mechanical || error.unrecoverable
    }

    /// The automatic status.
    pub(super) fn asb(&self) -> Asb {
        Asb {
            drawer_pin_high: self.drawer_pin_high,
            offline: self.is_offline(),
            cover_open: self.cover_open,
            feeding: self.feed_button,
            waiting_recovery: self.waiting_recovery,
            feed_button: self.feed_button,
            error: self.error,
            paper: self.roll(),
        }
    }

    /// The answer to DLE EOT 1 to 4.
    pub(super) fn realtime(&self, n: u8) -> u8 {
        match n {
            1 => PrinterBits {
                drawer_pin_high: self.drawer_pin_high,
                offline: self.is_offline(),
                waiting_recovery: self.waiting_recovery,
                feed_button: self.feed_button,
            }
            .byte(),
            2 => OfflineCause {
                cover_open: self.cover_open,
                fed_by_button: self.feed_button,
                paper_end: !self.paper,
                error: self.error.fault().is_some(),
            }
            .byte(),
            3 => self.error.byte(),
            _ => self.roll().byte(),
        }
    }

    /// The answer of printers with a sensor at the mouth to DLE EOT 20: paper, user, recoverable, unrecoverable.
    pub(super) fn full_status(&self) -> [u8; 6] {
        let flag = |set: bool, bit: u8| u8::from(set) << bit;
        let paper = flag(!self.paper, 0) | flag(self.near_end, 2) | flag(self.mouth, 5);
        let user = flag(self.cover_open, 1) | flag(self.feed_button, 5);
        let recoverable = flag(self.error.auto_recoverable, 0) | flag(self.error.mechanical, 1);
        let unrecoverable = flag(self.error.cutter, 0) | flag(self.error.unrecoverable, 2);
        [0x10, 0x0F, paper, user, recoverable, unrecoverable]
    }
}
