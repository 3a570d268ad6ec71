//! The simulated printer itself: sensors, real-time commands, automatic status. No I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::PrinterProfile;
use super::commands::{Mode, Step};
use super::strip::{SimulatedReceipt, Strip};
use crate::receipt_printer::PrinterStatus;
use crate::receipt_printer::protocol::{Asb, ErrorCause, OfflineCause, PrinterBits, RollPaper};
use crate::wire::WireDevice;

/// Bytes that wait to be worked off; what comes on top is lost, as in a printer without handshake.
const RECEIVE_BUFFER: usize = 64 * 1024;
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
    paper: bool,
    near_end: bool,
    cover_open: bool,
    cutter_jam: bool,
    head_hot: bool,
    silent: bool,
    trap: Option<(u32, Trap)>,
    asb_mask: u8,
    asb_sent: Option<[u8; 4]>,
    pub(super) buffer: VecDeque<u8>,
    pub(super) mode: Mode,
    /// Characters in the line that is not printed yet.
    pub(super) line: u32,
    pub(super) line_spacing: u32,
    pub(super) strip: Strip,
    pub(super) output: Vec<u8>,
    recent: [u8; 2],
    busy_until: Option<Instant>,
    paced: bool,
    lost: u64,
}

impl SimulatedPrinter {
    pub(super) fn new(profile: PrinterProfile) -> SimulatedPrinter {
        SimulatedPrinter {
            profile,
            paper: true,
            near_end: false,
            cover_open: false,
            cutter_jam: false,
            head_hot: false,
            silent: false,
            trap: None,
            asb_mask: 0,
            asb_sent: None,
            buffer: VecDeque::new(),
            mode: Mode::Command,
            line: 0,
            line_spacing: super::commands::DEFAULT_LINE,
            strip: Strip::new(profile.dots),
            output: Vec::new(),
            recent: [0; 2],
            busy_until: None,
            paced: true,
            lost: 0,
        }
    }

    /// The printer's state.
    pub fn status(&self) -> PrinterStatus {
        self.asb().status()
    }

    /// The receipts on the strip, oldest first, the one being printed last.
    pub fn strip(&self) -> Vec<SimulatedReceipt> {
        self.strip.receipts()
    }

    /// Whether a receipt has begun and is not cut.
    pub fn is_printing(&self) -> bool {
        self.strip.is_printing()
    }

    /// Bytes that were lost because the receive buffer was full.
    pub fn lost_bytes(&self) -> u64 {
        self.lost
    }

    pub(super) fn clear_strip(&mut self) {
        self.strip.clear();
    }

    pub(super) fn set_paper(&mut self, present: bool) {
        self.trap = self.trap.filter(|(_, trap)| *trap != Trap::PaperEnds);
        self.paper = present;
        self.stop_if_unable();
    }

    pub(super) fn end_paper_after(&mut self, rows: u32) {
        self.trap = Some((rows, Trap::PaperEnds));
    }

    pub(super) fn set_near_end(&mut self, near: bool) {
        self.near_end = near;
    }

    pub(super) fn set_cover_open(&mut self, open: bool) {
        self.cover_open = open;
        self.stop_if_unable();
    }

    pub(super) fn open_cover_after(&mut self, rows: u32) {
        self.trap = Some((rows, Trap::CoverOpens));
    }

    pub(super) fn set_cutter_jam(&mut self, jammed: bool) {
        self.cutter_jam = jammed;
        self.stop_if_unable();
    }

    pub(super) fn set_head_hot(&mut self, hot: bool) {
        self.head_hot = hot;
    }

    pub(super) fn set_silent(&mut self, silent: bool) {
        self.silent = silent;
    }

    pub(super) fn set_paced(&mut self, paced: bool) {
        self.paced = paced;
    }

    pub(super) fn row_time(&self) -> Duration {
        if self.paced { ROW_TIME } else { Duration::ZERO }
    }

    pub(super) fn roll(&self) -> RollPaper {
        RollPaper { near_end: self.near_end || !self.paper, end: !self.paper }
    }

    fn error(&self) -> ErrorCause {
        ErrorCause { cutter: self.cutter_jam, auto_recoverable: self.head_hot, ..ErrorCause::default() }
    }

    fn is_offline(&self) -> bool {
        self.cover_open || !self.paper || self.cutter_jam || self.head_hot
    }

    fn asb(&self) -> Asb {
        Asb {
            offline: self.is_offline(),
            cover_open: self.cover_open,
            error: self.error(),
            paper: self.roll(),
            ..Asb::default()
        }
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
                    Trap::PaperEnds => self.paper = false,
                    Trap::CoverOpens => self.cover_open = true,
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

    /// Printing cannot go on: what is buffered is lost, and the receipt ends here. A hot head only pauses.
    fn stop_if_unable(&mut self) {
        let unable = self.cover_open || !self.paper || self.cutter_jam;
        if unable && (self.strip.is_printing() || !self.buffer.is_empty() || self.mode != Mode::Command) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.mode = Mode::Command;
        self.line = 0;
        self.strip.tear();
    }

    /// Commands that a printer obeys while they arrive, wherever they stand.
    fn watch_realtime(&mut self, byte: u8) {
        let [before, last] = self.recent;
        self.recent = [last, byte];
        match (before, last, byte) {
            (0x10, 0x04, n @ 1..=4) => {
                let answer = self.realtime_answer(n);
                self.output.push(answer);
            }
            (0x10, 0x05, 2) if self.profile.clears_any_time || self.is_offline() => {
                self.forget();
                self.recent = [0; 2];
            }
            _ => {}
        }
    }

    fn realtime_answer(&self, n: u8) -> u8 {
        let error = self.error();
        match n {
            1 => PrinterBits { offline: self.is_offline(), ..PrinterBits::default() }.byte(),
            2 => OfflineCause {
                cover_open: self.cover_open,
                fed_by_button: false,
                paper_end: !self.paper,
                error: error.fault().is_some(),
            }
            .byte(),
            3 => error.byte(),
            _ => self.roll().byte(),
        }
    }

    /// Works off the buffer up to `now`.
    fn work(&mut self, now: Instant) {
        loop {
            if self.is_offline() {
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
        let bytes = self.asb().bytes();
        if self.asb_mask == 0 || self.asb_sent == Some(bytes) {
            return;
        }
        // Bits of the categories that the host asked for: online state, errors, paper.
        let wanted = [(0x02, [0x68, 0x03, 0x00]), (0x04, [0x00, 0x6C, 0x00]), (0x08, [0x00, 0x00, 0x0F])];
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
        if self.silent {
            return;
        }
        for &byte in bytes {
            if self.buffer.len() < RECEIVE_BUFFER {
                self.buffer.push_back(byte);
            } else {
                self.lost += 1;
            }
            self.watch_realtime(byte);
        }
    }

    fn advance(&mut self, now: Instant) -> Vec<u8> {
        if self.silent {
            return Vec::new();
        }
        // A sensor that changed during the work speaks before anything that is worked off after it.
        self.push_asb();
        self.work(now);
        self.push_asb();
        std::mem::take(&mut self.output)
    }

    fn next_due(&self) -> Option<Instant> {
        self.busy_until
    }

    fn power_off(&mut self) {
        self.forget();
        self.asb_mask = 0;
        self.asb_sent = None;
        self.busy_until = None;
        self.output.clear();
        self.recent = [0; 2];
    }
}
