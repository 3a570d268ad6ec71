//! Text mode: a line of text as the printer's own characters, in GB 18030, where the printer surely has them all.

use encoding_rs::{EncoderResult, GB18030};
use zeroize::Zeroizing;

use super::encode::{FEED_AND_CUT, put_rows};
use crate::receipt_printer::{Align, Characters, Receipt, TextLine, TextMode};

/// FS &: what follows is GB 18030.
pub const CHINESE_ON: [u8; 2] = [0x1C, 0x26];
/// FS .: what follows is a code page again.
pub const CHINESE_OFF: [u8; 2] = [0x1C, 0x2E];
/// FS S 0 0: no space beside Chinese characters.
pub const CHINESE_SPACING_NONE: [u8; 4] = [0x1C, 0x53, 0x00, 0x00];

/// ESC a: where lines stand; only understood at the start of a line.
pub fn align(align: Align) -> [u8; 3] {
    let n = match align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    [0x1B, 0x61, n]
}

/// GS !: times as wide and as high as usual, 1 to 8 each.
pub fn size(times_wide: u8, times_high: u8) -> [u8; 3] {
    [0x1D, 0x21, (times_wide.clamp(1, 8) - 1) << 4 | (times_high.clamp(1, 8) - 1)]
}

/// ESC E: darker, or not.
pub fn bold(on: bool) -> [u8; 3] {
    [0x1B, 0x45, u8::from(on)]
}

/// ESC 3: rows from a line to the next.
pub fn line_spacing(rows: u8) -> [u8; 3] {
    [0x1B, 0x33, rows]
}

/// The line in GB 18030; none when the printer cannot surely show it as it is: a character that its font may not
/// have, a control character, which would be a command, or more than fits into the width.
pub fn encode_line(line: &TextLine, mode: TextMode) -> Option<Zeroizing<Vec<u8>>> {
    let columns = mode.columns / u32::from(line.times_wide.clamp(1, 8));
    let mut bytes = Zeroizing::new(Vec::with_capacity(line.text.len() + 1));
    let mut used = 0;
    for character in line.text.chars() {
        if (' '..='~').contains(&character) {
            bytes.push(character as u8);
            used += 1;
        } else {
            let (code, length) = gb18030(character)?;
            if !is_in(&code[..length], mode.characters) {
                return None;
            }
            bytes.extend_from_slice(&code[..length]);
            used += 2;
        }
    }
    (used <= columns).then_some(bytes)
}

/// The character's code and its length. Nothing of a line is left behind in memory, so this does not allocate.
fn gb18030(character: char) -> Option<([u8; 16], usize)> {
    let (mut utf8, mut code) = ([0u8; 4], [0u8; 16]);
    let mut encoder = GB18030.new_encoder();
    let (result, _, length) =
        encoder.encode_from_utf8_without_replacement(character.encode_utf8(&mut utf8), &mut code, true);
    (result == EncoderResult::InputEmpty).then_some((code, length))
}

/// Whether a font surely has the character with this GB 18030 code.
fn is_in(code: &[u8], characters: Characters) -> bool {
    let [first, second] = *code else { return false };
    let upper = (0xA1..=0xFE).contains(&second);
    // Signs of rows 1 and 3, which are full, and the Chinese characters, but for the last five places of row 55.
    let gb2312 = matches!(first, 0xA1 | 0xA3 | 0xB0..=0xF7) && upper && !(first == 0xD7 && second >= 0xFA);
    // Parts 3 and 4 of GBK. What GB 18030 has put behind FE 4F, a GBK font does not have.
    let gbk = (0x81..=0xA0).contains(&first) || (0xAA..=0xFE).contains(&first) && !upper;
    gb2312 || characters == Characters::Gbk && gbk && !(first == 0xFE && second > 0x4F)
}

/// A whole receipt for a slow line: its lines of text as text, the rest as rows of its picture, then the cut.
pub fn encode_receipt_as_text(receipt: &Receipt, mode: TextMode) -> Zeroizing<Vec<u8>> {
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(receipt.picture().rows.len() + receipt.parts().len() * 64));
    bytes.extend_from_slice(&CHINESE_ON);
    bytes.extend_from_slice(&CHINESE_SPACING_NONE);
    let mut state = State::default();
    for part in receipt.parts() {
        let rows = part.rows.end - part.rows.start;
        let text = part.text.as_ref().filter(|line| fits(line, rows, mode));
        match text.and_then(|line| encode_line(line, mode).map(|encoded| (line, encoded))) {
            Some((line, encoded)) => {
                state.change_to(line, rows as u8, &mut bytes);
                bytes.extend_from_slice(&encoded);
                bytes.push(0x0A);
            }
            None => {
                // A picture that is narrower than the paper follows the alignment as text does.
                state.align_to(Align::Left, &mut bytes);
                put_rows(&mut bytes, receipt.picture(), part.rows.clone());
            }
        }
    }
    bytes.extend_from_slice(&CHINESE_OFF);
    bytes.extend_from_slice(&FEED_AND_CUT);
    bytes
}

/// Whether characters of this size fit into so many rows, and the rows into one command.
fn fits(line: &TextLine, rows: u32, mode: TextMode) -> bool {
    (mode.cell_height * u32::from(line.times_high.clamp(1, 8))..=255).contains(&rows)
}

/// What the printer was last told, so that it is told changes only.
#[derive(Default)]
struct State {
    align: Align,
    size: Option<(u8, u8)>,
    bold: bool,
    spacing: Option<u8>,
}

impl State {
    fn change_to(&mut self, line: &TextLine, rows: u8, bytes: &mut Vec<u8>) {
        self.align_to(line.align, bytes);
        let wanted = (line.times_wide, line.times_high);
        if self.size.unwrap_or((1, 1)) != wanted {
            bytes.extend_from_slice(&size(wanted.0, wanted.1));
            self.size = Some(wanted);
        }
        if self.bold != line.bold {
            bytes.extend_from_slice(&bold(line.bold));
            self.bold = line.bold;
        }
        if self.spacing != Some(rows) {
            bytes.extend_from_slice(&line_spacing(rows));
            self.spacing = Some(rows);
        }
    }

    fn align_to(&mut self, wanted: Align, bytes: &mut Vec<u8>) {
        if self.align != wanted {
            bytes.extend_from_slice(&align(wanted));
            self.align = wanted;
        }
    }
}
