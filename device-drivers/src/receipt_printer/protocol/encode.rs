//! Bytes to the printer.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::receipt_printer::Bitmap;

/// Initialise: forget modes and an unfinished line.
pub const INITIALISE: [u8; 2] = [0x1B, 0x40];
/// Leave an error state and clear the printer's buffers, in real time.
pub const RECOVER_AND_CLEAR: [u8; 3] = [0x10, 0x05, 0x02];
/// Feed to the cutter, then cut all but a point.
pub const FEED_AND_CUT: [u8; 4] = [0x1D, 0x56, 0x42, 0x00];
/// Report changes of online state, errors and paper by itself (not the drawer).
pub const ENABLE_ASB: [u8; 3] = [0x1D, 0x61, 0x0E];
/// Paper state, answered when everything before it has been worked off.
pub const QUEUED_STATUS: [u8; 3] = [0x1D, 0x72, 0x01];

/// Rows per raster command: short enough that trimming the right edge follows the picture, and that a printer
/// left inside one is brought out of it with little.
pub const BAND_ROWS: u32 = 48;
/// White rows from which a feed is cheaper and calmer than raster data.
const FEED_FROM: u32 = 8;

/// DLE EOT n, n = 1 to 4: one answer byte at once, even when the printer is offline.
pub fn realtime_status(n: u8) -> [u8; 3] {
    [0x10, 0x04, n]
}

/// The identifier of a print, four printable ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId([u8; 4]);

impl ProcessId {
    /// An identifier of these characters, 20 to 7E each.
    pub fn new(characters: [u8; 4]) -> Option<ProcessId> {
        characters.iter().all(|c| (0x20..=0x7E).contains(c)).then_some(ProcessId(characters))
    }

    /// The identifier with a number, four decimal digits.
    pub fn from_number(number: u16) -> ProcessId {
        let digit = |unit: u16| b'0' + (number / unit % 10) as u8;
        ProcessId([digit(1000), digit(100), digit(10), digit(1)])
    }

    /// The four characters.
    pub fn characters(self) -> [u8; 4] {
        self.0
    }

    /// GS ( H: asks for this identifier when everything before it has been printed.
    pub fn request(self) -> [u8; 11] {
        let [a, b, c, d] = self.0;
        [0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, a, b, c, d]
    }

    /// The printer's answer.
    pub fn answer(self) -> [u8; 7] {
        let [a, b, c, d] = self.0;
        [0x37, 0x22, a, b, c, d, 0x00]
    }
}

/// The head of a raster command: GS v 0.
pub fn raster_header(bytes_per_row: u16, rows: u16) -> [u8; 8] {
    let [x_low, x_high] = bytes_per_row.to_le_bytes();
    let [y_low, y_high] = rows.to_le_bytes();
    [0x1D, 0x76, 0x30, 0x00, x_low, x_high, y_low, y_high]
}

/// Feeds `rows` rows of dots.
pub fn feed(rows: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut left = rows;
    while left > 0 {
        let step = left.min(255);
        bytes.extend_from_slice(&[0x1B, 0x4A, step as u8]);
        left -= step;
    }
    bytes
}

/// White dots that finish a raster command the printer may be left in, whatever its size up to a full band of
/// ours. Outside a raster command NUL does nothing.
pub fn finish_open_raster(dots: u32) -> Vec<u8> {
    vec![0; (dots.div_ceil(8) * BAND_ROWS) as usize]
}

/// A whole receipt: bands of raster with white gaps as feeds, then the cut. Long serial time is saved by not
/// sending what is white: gaps of rows, and the right edge of every band.
pub fn encode_receipt(bitmap: &Bitmap) -> Zeroizing<Vec<u8>> {
    // Room for everything at once, so that growing leaves no copies of a receipt behind.
    let bands = (bitmap.height / FEED_FROM + 2) as usize;
    let mut bytes = Zeroizing::new(Vec::with_capacity(bitmap.rows.len() + bands * 16));
    put_rows(&mut bytes, bitmap, 0..bitmap.height);
    bytes.extend_from_slice(&FEED_AND_CUT);
    bytes
}

/// Adds some rows of a picture.
pub(super) fn put_rows(bytes: &mut Vec<u8>, bitmap: &Bitmap, rows: Range<u32>) {
    let mut y = rows.start;
    while y < rows.end {
        let white = (y..rows.end).take_while(|&row| is_white(bitmap, row)).count() as u32;
        bytes.extend_from_slice(&feed(white));
        y += white;
        let band = band_rows(bitmap, y..rows.end);
        if band > 0 {
            put_band(bytes, bitmap, y, band);
        }
        y += band;
    }
}

/// Rows of the band at the top of `within`: up to a gap worth feeding, at most [`BAND_ROWS`].
fn band_rows(bitmap: &Bitmap, within: Range<u32>) -> u32 {
    let y = within.start;
    let mut rows = 0;
    let mut white = 0;
    for row in within.take(BAND_ROWS as usize) {
        if is_white(bitmap, row) {
            white += 1;
            if white == FEED_FROM {
                break;
            }
        } else {
            rows = row - y + 1;
            white = 0;
        }
    }
    rows
}

fn put_band(bytes: &mut Vec<u8>, bitmap: &Bitmap, y: u32, rows: u32) {
    let width = (y..y + rows).map(|row| used_bytes(bitmap, row)).max().unwrap_or(0).max(1);
    bytes.extend_from_slice(&raster_header(width as u16, rows as u16));
    let start = bytes.len();
    for row in y..y + rows {
        bytes.extend_from_slice(&bitmap.row(row)[..width]);
        if let (Some(last), Some(mask)) = (bytes.last_mut(), padding_mask(bitmap, width)) {
            *last &= mask;
        }
    }
    defuse(&mut bytes[start..]);
}

/// A printer looks for real-time commands in everything that comes in, also inside a picture, where `10 05 02`
/// would clear its buffer. One more black dot beside a black one takes such a sequence apart.
fn defuse(data: &mut [u8]) {
    for at in 0..data.len().saturating_sub(2) {
        if let [0x10, 0x04 | 0x05 | 0x14, 0x00..=0x08] = data[at..at + 3] {
            data[at] = 0x18;
        }
    }
}

fn is_white(bitmap: &Bitmap, row: u32) -> bool {
    used_bytes(bitmap, row) == 0
}

/// Bytes of a row up to its last black dot.
fn used_bytes(bitmap: &Bitmap, row: u32) -> usize {
    let bytes = bitmap.row(row);
    let mask = padding_mask(bitmap, bytes.len()).unwrap_or(0xFF);
    let last = bytes.len().saturating_sub(1);
    bytes
        .iter()
        .enumerate()
        .rposition(|(at, byte)| byte & if at == last { mask } else { 0xFF } != 0)
        .map_or(0, |at| at + 1)
}

/// The bits of a row's last byte that are part of the picture, where that byte is among the first `width`.
fn padding_mask(bitmap: &Bitmap, width: usize) -> Option<u8> {
    let rest = bitmap.width % 8;
    (width == bitmap.bytes_per_row() && rest != 0).then(|| 0xFFu8 << (8 - rest))
}
