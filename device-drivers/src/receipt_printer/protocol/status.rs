//! What the printer's status bytes mean, in both directions: the simulator writes what the driver reads.

use crate::receipt_printer::{Paper, PrinterFault, PrinterStatus};

/// Whether a byte is an answer to DLE EOT: bits 7 and 0 clear, 4 and 1 set.
pub fn is_realtime(byte: u8) -> bool {
    byte & 0x93 == 0x12
}

fn bit(byte: u8, n: u8) -> bool {
    byte & (1 << n) != 0
}

fn flag(set: bool, n: u8) -> u8 {
    u8::from(set) << n
}

/// DLE EOT 1: the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrinterBits {
    /// Pin 3 of the drawer connector is high.
    pub drawer_pin_high: bool,
    /// Not ready to print.
    pub offline: bool,
    /// Waiting for somebody to bring it online.
    pub waiting_recovery: bool,
    /// The feed button is pressed.
    pub feed_button: bool,
}

impl PrinterBits {
    /// Reads the answer; `None` for a byte that is none.
    pub fn from_byte(byte: u8) -> Option<PrinterBits> {
        is_realtime(byte).then(|| PrinterBits {
            drawer_pin_high: bit(byte, 2),
            offline: bit(byte, 3),
            waiting_recovery: bit(byte, 5),
            feed_button: bit(byte, 6),
        })
    }

    /// The answer's byte.
    pub fn byte(&self) -> u8 {
        0x12 | flag(self.drawer_pin_high, 2)
            | flag(self.offline, 3)
            | flag(self.waiting_recovery, 5)
            | flag(self.feed_button, 6)
    }
}

/// DLE EOT 2: why the printer is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfflineCause {
    /// The cover is open.
    pub cover_open: bool,
    /// Paper is being fed with the button.
    pub fed_by_button: bool,
    /// Stopped because the paper ended.
    pub paper_end: bool,
    /// Stopped by an error.
    pub error: bool,
}

impl OfflineCause {
    /// Reads the answer; `None` for a byte that is none.
    pub fn from_byte(byte: u8) -> Option<OfflineCause> {
        is_realtime(byte).then(|| OfflineCause {
            cover_open: bit(byte, 2),
            fed_by_button: bit(byte, 3),
            paper_end: bit(byte, 5),
            error: bit(byte, 6),
        })
    }

    /// The answer's byte.
    pub fn byte(&self) -> u8 {
        0x12 | flag(self.cover_open, 2)
            | flag(self.fed_by_button, 3)
            | flag(self.paper_end, 5)
            | flag(self.error, 6)
    }
}

/// DLE EOT 3: which error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorCause {
    /// Recoverable or mechanical (undefined on some models).
    pub mechanical: bool,
    /// The cutter.
    pub cutter: bool,
    /// Only repair helps.
    pub unrecoverable: bool,
    /// Ends by itself: the print head is hot.
    pub auto_recoverable: bool,
}

impl ErrorCause {
    /// Reads the answer; `None` for a byte that is none.
    pub fn from_byte(byte: u8) -> Option<ErrorCause> {
        is_realtime(byte).then(|| ErrorCause {
            mechanical: bit(byte, 2),
            cutter: bit(byte, 3),
            unrecoverable: bit(byte, 5),
            auto_recoverable: bit(byte, 6),
        })
    }

    /// The answer's byte.
    pub fn byte(&self) -> u8 {
        0x12 | flag(self.mechanical, 2)
            | flag(self.cutter, 3)
            | flag(self.unrecoverable, 5)
            | flag(self.auto_recoverable, 6)
    }

    /// The gravest of the errors.
    pub fn fault(&self) -> Option<PrinterFault> {
        if self.unrecoverable {
            Some(PrinterFault::Unrecoverable)
        } else if self.cutter {
            Some(PrinterFault::Cutter)
        } else if self.mechanical {
            Some(PrinterFault::Mechanical)
        } else {
            self.auto_recoverable.then_some(PrinterFault::HeadHot)
        }
    }
}

/// DLE EOT 4: the paper roll. Each sensor has two bits; one alone counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RollPaper {
    /// Little paper is left.
    pub near_end: bool,
    /// No paper is left.
    pub end: bool,
}

impl RollPaper {
    /// Reads the answer; `None` for a byte that is none.
    pub fn from_byte(byte: u8) -> Option<RollPaper> {
        is_realtime(byte).then_some(RollPaper { near_end: byte & 0x0C != 0, end: byte & 0x60 != 0 })
    }

    /// The answer's byte.
    pub fn byte(&self) -> u8 {
        0x12 | if self.near_end { 0x0C } else { 0 } | if self.end { 0x60 } else { 0 }
    }

    /// Reads the answer to GS r 1; `None` for a byte that is none.
    pub fn from_queued(byte: u8) -> Option<RollPaper> {
        (byte & 0x90 == 0).then_some(RollPaper { near_end: byte & 0x03 != 0, end: byte & 0x0C != 0 })
    }

    /// The byte that answers GS r 1, and the third of an automatic status.
    pub fn queued_byte(&self) -> u8 {
        (if self.near_end { 0x03 } else { 0 }) | if self.end { 0x0C } else { 0 }
    }

    fn paper(&self) -> Paper {
        match (self.end, self.near_end) {
            (true, _) => Paper::End,
            (false, true) => Paper::NearEnd,
            (false, false) => Paper::Present,
        }
    }
}

/// The state in the answers to DLE EOT 1, 2, 3 and 4.
pub fn from_realtime(
    printer: PrinterBits,
    cause: OfflineCause,
    error: ErrorCause,
    paper: RollPaper,
) -> PrinterStatus {
    let fault = error.fault().or(cause.error.then_some(PrinterFault::Mechanical));
    let paper = RollPaper { end: paper.end || cause.paper_end, ..paper };
    PrinterStatus {
        online: !printer.offline,
        cover_open: cause.cover_open,
        paper: paper.paper(),
        error: fault,
        feeding: cause.fed_by_button,
        feed_button: printer.feed_button,
        waiting_recovery: printer.waiting_recovery,
        drawer_pin_high: printer.drawer_pin_high,
    }
}

/// Automatic status: four bytes that the printer sends by itself on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asb {
    /// Pin 3 of the drawer connector is high.
    pub drawer_pin_high: bool,
    /// Not ready to print.
    pub offline: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// Paper is being fed with the button.
    pub feeding: bool,
    /// Waiting for somebody to bring it online.
    pub waiting_recovery: bool,
    /// The feed button is pressed.
    pub feed_button: bool,
    /// The errors.
    pub error: ErrorCause,
    /// The paper roll.
    pub paper: RollPaper,
}

impl Asb {
    /// Reads four bytes; `None` when they are no automatic status. The fourth byte is reserved.
    pub fn from_bytes(bytes: [u8; 4]) -> Option<Asb> {
        let [first, second, third, fourth] = bytes;
        if first & 0x93 != 0x10 || [second, third, fourth].iter().any(|byte| byte & 0x90 != 0) {
            return None;
        }
        Some(Asb {
            drawer_pin_high: bit(first, 2),
            offline: bit(first, 3),
            cover_open: bit(first, 5),
            feeding: bit(first, 6),
            waiting_recovery: bit(second, 0),
            feed_button: bit(second, 1),
            error: ErrorCause {
                mechanical: bit(second, 2),
                cutter: bit(second, 3),
                unrecoverable: bit(second, 5),
                auto_recoverable: bit(second, 6),
            },
            paper: RollPaper { near_end: third & 0x03 != 0, end: third & 0x0C != 0 },
        })
    }

    /// The four bytes.
    pub fn bytes(&self) -> [u8; 4] {
        let first = 0x10
            | flag(self.drawer_pin_high, 2)
            | flag(self.offline, 3)
            | flag(self.cover_open, 5)
            | flag(self.feeding, 6);
        let second = flag(self.waiting_recovery, 0)
            | flag(self.feed_button, 1)
            | flag(self.error.mechanical, 2)
            | flag(self.error.cutter, 3)
            | flag(self.error.unrecoverable, 5)
            | flag(self.error.auto_recoverable, 6);
        [first, second, self.paper.queued_byte(), 0]
    }

    /// The state that the four bytes tell.
    pub fn status(&self) -> PrinterStatus {
        PrinterStatus {
            online: !self.offline,
            cover_open: self.cover_open,
            paper: self.paper.paper(),
            error: self.error.fault(),
            feeding: self.feeding,
            feed_button: self.feed_button,
            waiting_recovery: self.waiting_recovery,
            drawer_pin_high: self.drawer_pin_high,
        }
    }
}
