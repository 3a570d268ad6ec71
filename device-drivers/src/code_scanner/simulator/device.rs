//! The simulated scanner itself: codes in, bytes out, no I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::protocol::keys;
use crate::wire::WireDevice;

/// Time between two reports of a keyboard on a full-speed USB port. A key is two reports.
const REPORT: Duration = Duration::from_millis(8);
/// Bytes that the scanner's binary noise consists of.
const NOISE: [u8; 12] = [0x00, 0xFF, 0xFE, 0x01, 0x80, 0x81, 0x00, 0x7F, 0x10, 0xC0, 0xC0, 0xFF];

/// How the scanner speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScannerKind {
    /// Lines on a serial port.
    Serial,
    /// Key events.
    Keyboard,
}

/// The scanner's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannerProfile {
    /// How it speaks.
    pub kind: ScannerKind,
    /// What it sends after a code: CR, LF, both or nothing.
    pub suffix: &'static [u8],
}

/// Something that goes wrong with one scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScannerFault {
    /// The scanner pauses after so many bytes.
    Split {
        /// Bytes before the pause.
        after: usize,
        /// Milliseconds.
        millis: u64,
    },
    /// The rest after so many bytes, and the end, never come.
    BreaksOff {
        /// Bytes that come.
        after: usize,
    },
    /// The same code is sent twice.
    Doubled,
    /// Binary noise stands before the code.
    Noise,
    /// A keyboard's events after so many bytes are dropped by the kernel, which says so.
    EventsDropped {
        /// Bytes that come.
        after: usize,
    },
}

/// A simulated scanner. Feed it through a [`super::SimulatedScannerHandle`].
pub struct SimulatedScanner {
    profile: ScannerProfile,
    leaving: VecDeque<(Instant, Vec<u8>)>,
    /// When the last thing that is on its way has left.
    free: Instant,
}

impl SimulatedScanner {
    pub(super) fn new(profile: ScannerProfile) -> SimulatedScanner {
        SimulatedScanner { profile, leaving: VecDeque::new(), free: Instant::now() }
    }

    /// Whether nothing is on its way any more.
    pub fn has_sent_all(&self) -> bool {
        self.leaving.is_empty()
    }

    pub(super) fn scan(&mut self, code: &[u8], fault: Option<ScannerFault>) {
        self.free = self.free.max(Instant::now());
        let line = [code, self.profile.suffix].concat();
        match fault {
            None => self.say(&line),
            Some(ScannerFault::Split { after, millis }) => {
                let (first, rest) = line.split_at(after.min(line.len()));
                self.say(first);
                self.free += Duration::from_millis(millis);
                self.say(rest);
            }
            Some(ScannerFault::BreaksOff { after }) => self.say(&line[..after.min(code.len())]),
            Some(ScannerFault::Doubled) => {
                self.say(&line);
                self.say(&line);
            }
            Some(ScannerFault::Noise) => self.say(&[&NOISE, &line[..]].concat()),
            Some(ScannerFault::EventsDropped { after }) => {
                let (first, rest) = line.split_at(after.min(line.len()));
                self.say(first);
                self.leaving.push_back((self.free, keys::dropped().to_vec()));
                // What was dropped is a key; what follows comes again.
                self.say(rest.get(1..).unwrap_or_default());
            }
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        match self.profile.kind {
            ScannerKind::Serial => self.leaving.push_back((self.free, bytes.to_vec())),
            ScannerKind::Keyboard => {
                for byte in bytes {
                    self.leaving.push_back((self.free, keys::typed(*byte).concat()));
                    self.free += 2 * REPORT;
                }
            }
        }
    }
}

impl WireDevice for SimulatedScanner {
    /// Triggers and settings that a host may send are not known here.
    fn receive(&mut self, _bytes: &[u8], _now: Instant) {}

    fn advance(&mut self, now: Instant) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((_, due)) = self.leaving.pop_front_if(|(at, _)| *at <= now) {
            bytes.extend(due);
        }
        bytes
    }

    fn next_due(&self) -> Option<Instant> {
        self.leaving.front().map(|(at, _)| *at)
    }

    fn power_off(&mut self) {
        self.leaving.clear();
    }
}
