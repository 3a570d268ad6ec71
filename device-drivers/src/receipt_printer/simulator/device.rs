//! The simulated printer itself: sensors, real-time commands, automatic status. No I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::PrinterProfile;
use super::commands::{Mode, Step};
use super::sensors::Sensors;
use super::strip::{SimulatedReceipt, Strip};
use super::symbol::Symbols;
use super::trouble::Trouble;
use super::typeset::Typesetter;
use crate::receipt_printer::PrinterStatus;
use crate::wire::WireDevice;

/// Time of one row at 150 mm/s.
const ROW_TIME: Duration = Duration::from_micros(833);

/// What a printer makes of GS ( H.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessIdSupport {
    /// Answers when everything before it is printed.
    Answers,
    /// Skips the command.
    Ignores,
    /// Does not know the command and takes its bytes for text.
    PrintsAsText,
}

/// When a sensor changes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trap {
    PaperEnds,
    CoverOpens,
}

/// A simulated printer. Feed it through a [`super::SimulatedPrinterHandle`].
pub struct SimulatedPrinter {
    pub(super) profile: PrinterProfile,
    pub(super) sensors: Sensors,
    pub(super) trouble: Trouble,
    trap: Option<(u32, Trap)>,
    /// The cutter jams at the next cut.
    jams_at_cut: bool,
    asb_mask: u8,
    asb_sent: Option<[u8; 4]>,
    pub(super) buffer: VecDeque<u8>,
    pub(super) mode: Mode,
    pub(super) typesetter: Typesetter,
    pub(super) symbols: Symbols,
    pub(super) strip: Strip,
    pub(super) output: Vec<u8>,
    recent: [u8; 2],
    busy_until: Option<Instant>,
    paced: bool,
    /// The host is made to wait when the buffer is full.
    handshake: bool,
    received: u64,
    lost: u64,
    cleared: u32,
}

impl SimulatedPrinter {
    pub(super) fn new(profile: PrinterProfile, handshake: bool) -> SimulatedPrinter {
        SimulatedPrinter {
            profile,
            sensors: Sensors::ready(),
            trouble: Trouble::default(),
            trap: None,
            jams_at_cut: false,
            asb_mask: 0,
            asb_sent: None,
            buffer: VecDeque::new(),
            mode: Mode::Command,
            typesetter: Typesetter::new(profile.dots),
            symbols: Symbols::default(),
            strip: Strip::new(profile.dots),
            output: Vec::new(),
            recent: [0; 2],
            busy_until: None,
            paced: true,
            handshake,
            received: 0,
            lost: 0,
            cleared: 0,
        }
    }

    /// The printer's state.
    pub fn status(&self) -> PrinterStatus {
        self.sensors.asb().status()
    }

    /// The receipts on the strip, oldest first, the one being printed last.
    pub fn strip(&self) -> Vec<SimulatedReceipt> {
        self.strip.receipts()
    }

    /// Whether a receipt has begun and is not cut.
    pub fn is_printing(&self) -> bool {
        self.strip.is_printing()
    }

    /// Bytes that have come in since the start.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// Bytes that were lost because the receive buffer was full.
    pub fn lost_bytes(&self) -> u64 {
        self.lost
    }

    /// Times that the host had the buffer cleared (DLE ENQ 2).
    pub fn cleared(&self) -> u32 {
        self.cleared
    }

    pub(super) fn clear_strip(&mut self) {
        self.strip.clear();
    }

    /// Changes what the sensors feel; printing stops when it cannot go on.
    pub(super) fn feel(&mut self, change: impl FnOnce(&mut Sensors)) {
        change(&mut self.sensors);
        self.stop_if_unable();
    }

    pub(super) fn set_paper(&mut self, present: bool) {
        self.trap = self.trap.filter(|(_, trap)| *trap != Trap::PaperEnds);
        self.feel(|sensors| sensors.paper = present);
    }

    pub(super) fn end_paper_after(&mut self, rows: u32) {
        self.trap = Some((rows, Trap::PaperEnds));
        self.feel(|sensors| sensors.paper = true);
    }

    pub(super) fn open_cover_after(&mut self, rows: u32) {
        self.trap = Some((rows, Trap::CoverOpens));
    }

    pub(super) fn jam_at_cut(&mut self) {
        self.jams_at_cut = true;
    }

    pub(super) fn set_paced(&mut self, paced: bool) {
        self.paced = paced;
    }

    pub(super) fn row_time(&self) -> Duration {
        if self.paced { ROW_TIME } else { Duration::ZERO }
    }

    /// GS a: the state once at once, then on every change in the categories.
    pub(super) fn enable_asb(&mut self, mask: u8) {
        self.asb_mask = mask;
        self.asb_sent = None;
        self.push_asb();
    }

    /// Prints one row; false when the paper ended or the cover opened before it.
    pub(super) fn print_row(&mut self, row: &[u8]) -> bool {
        if let Some((left, trap)) = &mut self.trap {
            if *left == 0 {
                match trap {
                    Trap::PaperEnds => self.sensors.paper = false,
                    Trap::CoverOpens => self.sensors.cover_open = true,
                }
                self.trap = None;
                self.stop_if_unable();
                return false;
            }
            *left -= 1;
        }
        self.strip.add_row(row);
        true
    }

    /// The cutter cuts, if it can.
    pub(super) fn cut(&mut self) {
        if std::mem::take(&mut self.jams_at_cut) {
            self.feel(|sensors| sensors.error.cutter = true);
            return;
        }
        self.sensors.mouth |= self.profile.exit_sensor && self.strip.is_printing();
        self.strip.cut();
    }

    /// Printing cannot go on: the receipt ends here. What is buffered is lost, or, in printers that keep it, comes out
    /// when they can print again.
    fn stop_if_unable(&mut self) {
        let busy = self.strip.is_printing() || !self.buffer.is_empty() || self.mode != Mode::Command;
        if !self.sensors.cannot_go_on() || !busy {
            return;
        }
        if self.profile.keeps_buffer {
            self.strip.tear();
        } else {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.mode = Mode::Command;
        self.typesetter.clear_line();
        self.strip.tear();
    }

    /// Commands that a printer obeys while they arrive, wherever they stand.
    fn watch_realtime(&mut self, byte: u8) {
        let [before, last] = self.recent;
        self.recent = [last, byte];
        match (before, last, byte) {
            (0x10, 0x04, n @ 1..=4) => {
                let answer = self.sensors.realtime(n);
                self.output.push(answer);
            }
            (0x10, 0x04, 0x14) if self.profile.exit_sensor => {
                let answer = self.sensors.full_status();
                self.output.extend(answer);
            }
            (0x10, 0x05, 2) if self.profile.clears_any_time || self.sensors.is_offline() => {
                self.cleared += 1;
                self.forget();
                self.recent = [0; 2];
            }
            _ => {}
        }
    }

    /// Works off the buffer up to `now`.
    fn work(&mut self, now: Instant) {
        loop {
            if self.sensors.is_offline() || self.trouble.stuck {
                self.busy_until = None;
                return;
            }
            let from = self.busy_until.unwrap_or(now);
            if from > now {
                return;
            }
            match self.step() {
                Step::Waiting => {
                    self.busy_until = None;
                    return;
                }
                Step::Took(time) => self.busy_until = Some(from + time),
            }
        }
    }

    fn push_asb(&mut self) {
        let bytes = self.sensors.asb().bytes();
        if self.asb_mask == 0 || self.asb_sent == Some(bytes) {
            return;
        }
        // Bits of the categories that the host asked for: drawer, online state, errors, paper.
        let wanted = [
            (0x01, [0x04, 0x00, 0x00]),
            (0x02, [0x68, 0x03, 0x00]),
            (0x04, [0x00, 0x6C, 0x00]),
            (0x08, [0x00, 0x00, 0x0F]),
        ];
        let before = self.asb_sent;
        let changed = before.is_none_or(|old| {
            wanted.iter().filter(|(category, _)| self.asb_mask & category != 0).any(|(_, mask)| {
                mask.iter().zip(old.iter().zip(bytes)).any(|(mask, (old, new))| (old ^ new) & mask != 0)
            })
        });
        if changed {
            self.output.extend(bytes);
            self.asb_sent = Some(bytes);
        }
    }
}

impl WireDevice for SimulatedPrinter {
    fn receive(&mut self, bytes: &[u8], _now: Instant) {
        let bytes = &bytes[..self.trouble.let_in(bytes.len())];
        if self.trouble.silent {
            return;
        }
        for &byte in bytes {
            self.received += 1;
            if self.buffer.len() < self.profile.receive_buffer {
                self.buffer.push_back(byte);
            } else {
                self.lost += 1;
            }
            self.watch_realtime(byte);
        }
    }

    fn advance(&mut self, now: Instant) -> Vec<u8> {
        if self.trouble.silent {
            return Vec::new();
        }
        // A sensor that changed during the work speaks before anything that is worked off after it.
        self.push_asb();
        self.work(now);
        self.push_asb();
        let said = std::mem::take(&mut self.output);
        self.trouble.pass(&said, now)
    }

    fn next_due(&self) -> Option<Instant> {
        [self.busy_until, self.trouble.next_due()].into_iter().flatten().min()
    }

    fn power_off(&mut self) {
        self.forget();
        self.typesetter.reset();
        self.trouble.power_off();
        self.asb_mask = 0;
        self.asb_sent = None;
        self.busy_until = None;
        self.output.clear();
        self.recent = [0; 2];
    }

    fn room(&self) -> usize {
        match (self.trouble.stuck, self.handshake) {
            (true, _) => 0,
            (false, true) => self.profile.receive_buffer.saturating_sub(self.buffer.len()),
            (false, false) => usize::MAX,
        }
    }

    fn loses_plug(&self) -> bool {
        self.trouble.has_dropped()
    }
}
