//! What the simulated printer does with its buffer: one command, one character, or one row of dots at a time.

use std::collections::VecDeque;
use std::time::Duration;

use encoding_rs::GB18030;

use super::device::{ProcessIdSupport, SimulatedPrinter};
use super::length::command_length;
use super::symbol;
use super::typeset::DEFAULT_SPACING;
use crate::receipt_printer::Bitmap;
use crate::receipt_printer::protocol::ProcessId;

/// The longest feed of one command: 40 inches. What asks for more gets this.
const FEED_MAX: u32 = 8128;

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
    /// Rows that are ready for the head, then white ones.
    Rows { rows: VecDeque<Vec<u8>>, feed: u32 },
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
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Command => self.command(),
            Mode::Raster { bytes_per_row, rows, wide, high } => {
                self.raster_row(bytes_per_row, rows, wide, high)
            }
            Mode::Rows { rows, feed } => self.ready_row(rows, feed),
            Mode::Feed { rows, cut } => self.feed_row(rows, cut),
        }
    }

    fn raster_row(&mut self, bytes_per_row: usize, rows: u32, wide: bool, high: bool) -> Step {
        if self.buffer.len() < bytes_per_row {
            self.mode = Mode::Raster { bytes_per_row, rows, wide, high };
            return Step::Waiting;
        }
        let mut row: Vec<u8> = self.buffer.drain(..bytes_per_row).collect();
        if rows > 1 {
            self.mode = Mode::Raster { bytes_per_row, rows: rows - 1, wide, high };
        }
        if wide {
            row = row.iter().flat_map(|byte| doubled(*byte).to_be_bytes()).collect();
        }
        let row = self.typesetter.place_row(&row, row.len() as u32 * 8);
        let times = if high { 2 } else { 1 };
        for _ in 0..times {
            if !self.print_row(&row) {
                break;
            }
        }
        Step::Took(self.row_time() * times)
    }

    fn ready_row(&mut self, mut rows: VecDeque<Vec<u8>>, feed: u32) -> Step {
        let Some(row) = rows.pop_front() else {
            self.mode = Mode::Feed { rows: feed, cut: false };
            return Step::Took(Duration::ZERO);
        };
        // A row that fails sets the mode back itself.
        self.mode = Mode::Rows { rows, feed };
        self.print_row(&row);
        Step::Took(self.row_time())
    }

    fn feed_row(&mut self, rows: u32, cut: bool) -> Step {
        if rows == 0 {
            if cut {
                self.cut();
            }
            return Step::Took(Duration::ZERO);
        }
        self.mode = Mode::Feed { rows: rows - 1, cut };
        self.print_row(&[]);
        Step::Took(self.row_time())
    }

    fn command(&mut self) -> Step {
        let chinese = self.typesetter.style.chinese;
        let prints_id = self.profile.process_id == ProcessIdSupport::PrintsAsText;
        let bytes = self.buffer.make_contiguous();
        // A printer that does not know GS ( takes the two bytes for a command and what follows for text.
        let as_text = prints_id && bytes.starts_with(&[0x1D, 0x28, 0x48]);
        let length = if as_text { Some(3) } else { command_length(bytes, chinese) };
        let Some(length) = length.filter(|length| *length <= bytes.len()) else { return Step::Waiting };
        if self.typesetter.has_line() && ends_line(&bytes[..length]) {
            self.end_line(0);
            return Step::Took(Duration::ZERO);
        }
        let bytes: Vec<u8> = self.buffer.drain(..length).collect();
        self.execute(&bytes);
        Step::Took(Duration::ZERO)
    }

    fn execute(&mut self, bytes: &[u8]) {
        match *bytes {
            [0x1B, 0x40] => {
                self.typesetter.reset();
                self.symbols = symbol::Symbols::default();
                self.enable_asb(0);
            }
            [0x1B, 0x4A, n] => self.end_line(u32::from(n)),
            [0x1B, 0x64, n] => self.end_line(u32::from(n) * self.typesetter.style.spacing),
            [0x0A] => self.end_line(self.typesetter.style.spacing),
            [0x1B, 0x2A, density, _, _, ref data @ ..] => {
                self.typesetter.put_picture(symbol::columns(density, data));
            }
            [0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30, a, b, c, d] => {
                let id = ProcessId::new([a, b, c, d]);
                if let (Some(id), ProcessIdSupport::Answers) = (id, self.profile.process_id) {
                    self.output.extend(id.answer());
                }
            }
            [0x1D, 0x28, 0x6B, _, _, ref function @ ..] => {
                let picture = self.symbols.code(function);
                self.print_picture(picture);
            }
            [0x1D, 0x28, 0x4C, _, _, ref function @ ..]
            | [0x1D, 0x38, 0x4C, _, _, _, _, ref function @ ..] => {
                let picture = self.symbols.graphics(function);
                self.print_picture(picture);
            }
            [0x1D, 0x49, n] => self.describe(n),
            [0x1D, 0x56, 0x41 | 0x42, n] => self.mode = Mode::Feed { rows: u32::from(n), cut: true },
            [0x1D, 0x56, ..] | [0x1B, 0x69 | 0x6D] => self.mode = Mode::Feed { rows: 0, cut: true },
            [0x1D, 0x61, mask] => self.enable_asb(mask),
            [0x1D, 0x72, _] if self.profile.queued_status => {
                let answer = self.sensors.roll().queued_byte();
                self.output.push(answer);
            }
            [0x1D, 0x76, _, m, x_low, x_high, y_low, y_high] => {
                let rows = u32::from(u16::from_le_bytes([y_low, y_high]));
                let bytes_per_row = usize::from(u16::from_le_bytes([x_low, x_high]));
                if rows > 0 && bytes_per_row > 0 {
                    let (wide, high) = (m & 1 != 0, m & 2 != 0);
                    self.mode = Mode::Raster { bytes_per_row, rows, wide, high };
                }
            }
            [0x10 | 0x1B..=0x1D, ..] => self.restyle(bytes),
            [0x20..=0xFF, ..] => self.put(bytes),
            // Control characters that nobody listens to.
            _ => {}
        }
    }

    /// Commands that change how the next characters look or where they stand.
    fn restyle(&mut self, bytes: &[u8]) {
        let at_line_start = !self.typesetter.has_line();
        let style = &mut self.typesetter.style;
        let dots = |low, high| u32::from(u16::from_le_bytes([low, high]));
        match *bytes {
            [0x1B, 0x20, n] => style.right_space = u32::from(n),
            [0x1B, 0x21, n] => {
                (style.times_wide, style.times_high) = (1 + u32::from(n >> 5 & 1), 1 + u32::from(n >> 4 & 1));
                (style.bold, style.underline) = (n & 8 != 0, u32::from(n >> 7));
            }
            [0x1B, 0x24, low, high] => self.typesetter.move_to(dots(low, high)),
            [0x1B, 0x5C, low, high] => self.typesetter.move_by(i16::from_le_bytes([low, high])),
            [0x1B, 0x2D, n] | [0x1C, 0x2D, n] => style.underline = u32::from(n & 3),
            [0x1B, 0x32] => style.spacing = DEFAULT_SPACING,
            [0x1B, 0x33, n] => style.spacing = u32::from(n),
            [0x1B, 0x45 | 0x47, n] => style.bold = n & 1 != 0,
            // Only understood at the start of a line.
            [0x1B, 0x61, n] if at_line_start => style.align = (n & 3).min(2),
            [0x1C, 0x21, n] => {
                (style.times_wide, style.times_high) = (1 + u32::from(n >> 2 & 1), 1 + u32::from(n >> 3 & 1));
                style.underline = u32::from(n >> 7);
            }
            [0x1C, 0x26] => style.chinese = true,
            [0x1C, 0x2E] => style.chinese = false,
            [0x1C, 0x53, left, right] => style.chinese_space = (u32::from(left), u32::from(right)),
            [0x1D, 0x21, n] => {
                (style.times_wide, style.times_high) = (1 + u32::from(n >> 4 & 7), 1 + u32::from(n & 7));
            }
            [0x1D, 0x42, n] => style.invert = n & 1 != 0,
            [0x1D, 0x4C, low, high] => style.margin = dots(low, high),
            [0x1D, 0x57, low, high] => style.area = Some(dots(low, high)),
            // Skipped: drawer, sounds, code pages, fonts, bar codes, what stands in no list.
            _ => {}
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let character = match *bytes {
            [byte @ 0x20..=0x7E] => Some(char::from(byte)),
            [_] => None,
            _ => {
                let (text, malformed) = GB18030.decode_without_bom_handling(bytes);
                // Four bytes: characters beyond the font, which real printers turn into something else.
                text.chars().next().filter(|_| !malformed && bytes.len() == 2)
            }
        };
        if !self.typesetter.put(character, bytes.len()) {
            self.end_line(self.typesetter.style.spacing);
            for byte in bytes.iter().rev() {
                self.buffer.push_front(*byte);
            }
        }
    }

    /// Prints the characters of the line, and feeds as many rows as are asked for, the line's own included.
    fn end_line(&mut self, feed: u32) {
        let feed = feed.min(FEED_MAX);
        self.mode = match self.typesetter.take() {
            Some((line, rows)) => {
                self.strip.add_line(line.text, line.stray);
                let feed = feed.saturating_sub(rows.len() as u32);
                Mode::Rows { rows, feed }
            }
            None => Mode::Feed { rows: feed, cut: false },
        };
    }

    fn print_picture(&mut self, picture: Option<Bitmap>) {
        if let Some(picture) = picture {
            self.mode = Mode::Rows { rows: self.typesetter.place(&picture), feed: 0 };
        }
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

/// Whether a command prints something of its own, before which the line has to come out.
fn ends_line(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1D, 0x76 | 0x56, ..] | [0x1D, 0x28, 0x6B | 0x4C, ..] | [0x1D, 0x38, 0x4C, ..])
        || matches!(bytes, [0x1B, 0x69 | 0x6D])
}

/// Every bit of a byte twice.
fn doubled(byte: u8) -> u16 {
    (0..8).filter(|bit| byte & (1 << bit) != 0).map(|bit| 3u16 << (2 * bit)).sum()
}
