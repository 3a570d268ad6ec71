//! What the simulated printer does with its buffer: one command, or one row of a picture, at a time.

use std::time::Duration;

use super::device::{ProcessIdSupport, SimulatedPrinter};
use crate::receipt_printer::protocol::ProcessId;

/// Line spacing after power-on, in rows: 1/6 inch.
pub(super) const DEFAULT_LINE: u32 = 34;

/// What the next byte of the buffer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// A new command or text.
    Command,
    /// A picture.
    Raster {
        bytes_per_row: usize,
        rows: u32,
        /// Every dot twice as wide, twice as high.
        wide: bool,
        high: bool,
    },
    /// White rows that are still to be fed, then the cut if there is one.
    Feed { rows: u32, cut: bool },
}

/// What came of a step.
pub(super) enum Step {
    /// The buffer does not hold a whole command or row.
    Waiting,
    /// Done, in this time.
    Took(Duration),
}

impl SimulatedPrinter {
    /// Does the next thing in the buffer.
    pub(super) fn step(&mut self) -> Step {
        match self.mode.clone() {
            Mode::Command => self.command(),
            Mode::Raster { bytes_per_row, rows, wide, high } => {
                self.raster_row(bytes_per_row, rows, wide, high)
            }
            Mode::Feed { rows, cut } => self.feed_row(rows, cut),
        }
    }

    fn raster_row(&mut self, bytes_per_row: usize, rows: u32, wide: bool, high: bool) -> Step {
        if self.buffer.len() < bytes_per_row {
            return Step::Waiting;
        }
        let mut row: Vec<u8> = self.buffer.drain(..bytes_per_row).collect();
        self.mode = match rows {
            0 | 1 => Mode::Command,
            _ => Mode::Raster { bytes_per_row, rows: rows - 1, wide, high },
        };
        if wide {
            row = row.iter().flat_map(|byte| doubled(*byte).to_be_bytes()).collect();
        }
        let times = if high { 2 } else { 1 };
        for _ in 0..times {
            if !self.print_row(&row) {
                break;
            }
        }
        Step::Took(self.row_time() * times)
    }

    fn feed_row(&mut self, rows: u32, cut: bool) -> Step {
        if rows == 0 {
            self.mode = Mode::Command;
            if cut {
                self.strip.cut();
            }
            return Step::Took(Duration::ZERO);
        }
        self.mode = Mode::Feed { rows: rows - 1, cut };
        // A failed row has set the mode back itself.
        self.print_row(&[]);
        Step::Took(self.row_time())
    }

    fn command(&mut self) -> Step {
        let Some(&first) = self.buffer.front() else { return Step::Waiting };
        let head = [Some(first), self.buffer.get(1).copied(), self.buffer.get(2).copied()];
        let length = match head {
            [Some(0x10 | 0x1B | 0x1C | 0x1D), None, _] => return Step::Waiting,
            [Some(0x10), Some(0x04 | 0x05), _] => 3,
            [Some(0x1B), Some(0x40 | 0x32), _] => 2,
            [Some(0x1B), Some(0x70), _] => 5,
            [Some(0x1B), ..] => 3,
            [Some(0x1C), Some(0x26 | 0x2E), _] => 2,
            [Some(0x1C), Some(0x53), _] => 4,
            [Some(0x1C), ..] => 3,
            [Some(0x1D), Some(0x76), _] => 8,
            [Some(0x1D), Some(0x56), None] => return Step::Waiting,
            [Some(0x1D), Some(0x56), Some(0x41 | 0x42)] => 4,
            [Some(0x1D), Some(0x28), _] => match self.function_length() {
                Some(length) => length,
                None => return Step::Waiting,
            },
            [Some(0x1D), ..] => 3,
            _ => 1,
        };
        if self.buffer.len() < length {
            return Step::Waiting;
        }
        let bytes: Vec<u8> = self.buffer.drain(..length).collect();
        self.execute(&bytes);
        Step::Took(Duration::ZERO)
    }

    /// GS ( carries its own length. A printer that does not know it takes the two bytes for a command and what
    /// follows for text.
    fn function_length(&self) -> Option<usize> {
        let function = *self.buffer.get(2)?;
        if function == 0x48 && self.profile.process_id == ProcessIdSupport::PrintsAsText {
            return Some(3);
        }
        let (low, high) = (*self.buffer.get(3)?, *self.buffer.get(4)?);
        Some(5 + usize::from(u16::from_le_bytes([low, high])))
    }

    fn execute(&mut self, bytes: &[u8]) {
        match *bytes {
            [0x1B, 0x40] => {
                self.line = 0;
                self.line_spacing = DEFAULT_LINE;
                self.enable_asb(0);
            }
            [0x1B, 0x32] => self.line_spacing = DEFAULT_LINE,
            [0x1B, 0x33, n] => self.line_spacing = u32::from(n),
            [0x1B, 0x4A, n] => self.end_line(u32::from(n)),
            [0x1B, 0x64, n] => self.end_line(u32::from(n) * self.line_spacing),
            [0x0A] => self.end_line(self.line_spacing),
            [0x1D, 0x61, mask] => self.enable_asb(mask),
            [0x1D, 0x72, _] if self.profile.queued_status => {
                let answer = self.roll().queued_byte();
                self.output.push(answer);
            }
            [0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30, a, b, c, d] => {
                let id = ProcessId::new([a, b, c, d]);
                if let (Some(id), ProcessIdSupport::Answers) = (id, self.profile.process_id) {
                    self.output.extend(id.answer());
                }
            }
            [0x1D, 0x49, n] => self.describe(n),
            [0x1D, 0x56, 0x41 | 0x42, n] => self.mode = Mode::Feed { rows: u32::from(n), cut: true },
            [0x1D, 0x56, _] => self.mode = Mode::Feed { rows: 0, cut: true },
            [0x1D, 0x76, 0x30, m, x_low, x_high, y_low, y_high] => {
                self.end_line(0);
                let rows = u32::from(u16::from_le_bytes([y_low, y_high]));
                let bytes_per_row = usize::from(u16::from_le_bytes([x_low, x_high]));
                if rows > 0 && bytes_per_row > 0 {
                    let (wide, high) = (m & 1 != 0, m & 2 != 0);
                    self.mode = Mode::Raster { bytes_per_row, rows, wide, high };
                }
            }
            [byte] if byte >= 0x20 => self.line += 1,
            _ => {}
        }
    }

    /// Prints the characters of the line, of which the strip only keeps the count, and feeds.
    fn end_line(&mut self, rows: u32) {
        let characters = std::mem::take(&mut self.line);
        self.strip.add_stray(characters);
        self.mode = Mode::Feed { rows, cut: false };
    }

    fn describe(&mut self, n: u8) {
        let text: &[u8] = match n {
            65 => b"1.00",
            66 => b"SIMULATED",
            67 => b"STRIP-80",
            69 => b"CHINA GB18030",
            _ => return,
        };
        self.output.push(0x5F);
        self.output.extend_from_slice(text);
        self.output.push(0);
    }
}

/// Every bit of a byte twice.
fn doubled(byte: u8) -> u16 {
    (0..8).filter(|bit| byte & (1 << bit) != 0).map(|bit| 3u16 << (2 * bit)).sum()
}
