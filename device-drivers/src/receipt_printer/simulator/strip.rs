//! The paper that has come out.

use std::collections::VecDeque;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::receipt_printer::Bitmap;

/// Receipts kept; older ones fall off the end.
const MAX_RECEIPTS: usize = 256;
/// Rows of one receipt; what is printed beyond is not kept.
const MAX_ROWS: u32 = 32_000;
/// Lines of text of one receipt; what is printed beyond is not kept.
const MAX_LINES: usize = 2_000;

/// One piece of the strip.
#[derive(Clone, PartialEq, Eq)]
pub struct SimulatedReceipt {
    /// Counts up from 1.
    pub id: u64,
    /// When its first row came out, Unix milliseconds.
    pub at_ms: u64,
    /// What is on the paper, as wide as the print head.
    pub bitmap: Bitmap,
    /// Cut off by the cutter.
    pub cut: bool,
    /// Printed from the first row to the cut without a stop.
    pub complete: bool,
    /// Still being printed.
    pub in_progress: bool,
    /// Its lines of text, as far as it was printed as text. Empty for a picture; characters in one are a sign of a lost
    /// command.
    pub text: Vec<String>,
    /// Bytes that came out as something that is no character of the printer's font.
    pub stray_bytes: u32,
}

impl fmt::Debug for SimulatedReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedReceipt")
            .field("id", &self.id)
            .field("bitmap", &self.bitmap)
            .field("cut", &self.cut)
            .field("complete", &self.complete)
            .field("in_progress", &self.in_progress)
            .field("lines_of_text", &self.text.len())
            .field("stray_bytes", &self.stray_bytes)
            .finish_non_exhaustive()
    }
}

/// The strip: finished receipts and the one in the printer.
pub(super) struct Strip {
    dots: u32,
    done: VecDeque<SimulatedReceipt>,
    current: Option<SimulatedReceipt>,
    last_id: u64,
}

impl Strip {
    pub(super) fn new(dots: u32) -> Strip {
        Strip { dots, done: VecDeque::new(), current: None, last_id: 0 }
    }

    fn current(&mut self) -> &mut SimulatedReceipt {
        let (last_id, dots) = (&mut self.last_id, self.dots);
        self.current.get_or_insert_with(|| {
            *last_id += 1;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            SimulatedReceipt {
                id: *last_id,
                at_ms: now.as_millis() as u64,
                bitmap: Bitmap::blank(dots, 0),
                cut: false,
                complete: false,
                in_progress: true,
                text: Vec::new(),
                stray_bytes: 0,
            }
        })
    }

    /// Adds one row; bytes beyond the head are lost, missing ones are white.
    pub(super) fn add_row(&mut self, row: &[u8]) {
        let bytes = self.dots.div_ceil(8) as usize;
        let bitmap = &mut self.current().bitmap;
        if bitmap.height < MAX_ROWS {
            bitmap.rows.extend(row.iter().copied().chain(std::iter::repeat(0)).take(bytes));
            bitmap.height += 1;
        }
    }

    /// Notes a line of text, the dots of which are added row by row.
    pub(super) fn add_line(&mut self, text: String, stray: u32) {
        let receipt = self.current();
        if !text.is_empty() && receipt.text.len() < MAX_LINES {
            receipt.text.push(text);
        }
        receipt.stray_bytes += stray;
    }

    /// The cutter cuts. Nothing printed since the last cut: no receipt.
    pub(super) fn cut(&mut self) {
        self.close(true);
    }

    /// Printing stopped in the middle.
    pub(super) fn tear(&mut self) {
        self.close(false);
    }

    fn close(&mut self, cut: bool) {
        if let Some(mut receipt) = self.current.take() {
            receipt.cut = cut;
            receipt.complete = cut;
            receipt.in_progress = false;
            self.done.push_back(receipt);
            if self.done.len() > MAX_RECEIPTS {
                self.done.pop_front();
            }
        }
    }

    pub(super) fn receipts(&self) -> Vec<SimulatedReceipt> {
        self.done.iter().chain(&self.current).cloned().collect()
    }

    pub(super) fn is_printing(&self) -> bool {
        self.current.is_some()
    }

    pub(super) fn clear(&mut self) {
        self.done.clear();
        self.current = None;
    }
}
