//! Whether all of a baseline JPEG's picture is there, counted block by block (ITU-T T.81, Annex F.2).
//!
//! A decoder makes a picture of whatever it is given: when packets were lost in the middle of a frame, the rest of it
//! is made up. This walks through the scan without making pixels: every block must be there, and every restart must
//! stand where it belongs. It is no checksum: a small hole may by chance leave as many blocks as there were.
//!
//! Before restarts and the end, cameras leave bytes that belong to nothing ("extraneous bytes before marker" in the
//! issue trackers of motion, OpenCV and libavg: up to nine, with several webcams). They are found here, so that they can
//! be taken out: the decoder would take them for blocks.

use std::ops::Range;

use super::FrameError;
use super::mjpg::segment;

/// Coefficients of a block.
const COEFFICIENTS: u32 = 64;
/// Bytes that belong to nothing may stand before a marker: so many.
const MAX_LEFT_OVER: usize = 16;
/// Restart markers are counted from 0 to 7.
const RESTARTS: u8 = 8;
/// Bits that are looked up at once; longer codes are rare.
const QUICK_BITS: u32 = 9;

/// Shows that the scan is complete, and returns where in it are bytes that belong to nothing. The header is taken as
/// [`header`](super::mjpg::header) has found it good.
///
/// # Errors
/// [`FrameError::CutShort`] when blocks are missing, [`FrameError::Damaged`] when the scan breaks the rules or holds more
/// than the picture, [`FrameError::Unsupported`] for one scan a component.
pub(super) fn left_over(bytes: &[u8]) -> Result<Vec<Range<usize>>, FrameError> {
    let (frame, at) = Frame::read(bytes)?;
    let mut bits = Bits { bytes, at, buffer: 0, count: 0 };
    let mut found = Vec::new();
    for at in 0..frame.units {
        if frame.interval > 0 && at > 0 && at % frame.interval == 0 {
            found.push(bits.left_over()?);
            bits.restart((at / frame.interval - 1) as u8 % RESTARTS)?;
        }
        for Part { blocks, dc, ac } in &frame.parts {
            let tables = frame.dc[*dc].as_ref().zip(frame.ac[*ac].as_ref());
            let (dc, ac) = tables.ok_or(FrameError::Damaged)?;
            (0..*blocks).try_for_each(|_| bits.block(dc, ac))?;
        }
    }
    found.push(bits.left_over()?);
    found.retain(|range| !range.is_empty());
    if bits.is_at(0xD9) { Ok(found) } else { Err(FrameError::Damaged) }
}

/// A component's part of a unit: its blocks, and which tables they are coded with.
#[derive(Clone, Copy, Default)]
struct Part {
    blocks: u32,
    dc: usize,
    ac: usize,
}

/// What of the header says how the scan is built.
struct Frame {
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    parts: Vec<Part>,
    /// Units (MCU) of the picture, and after how many a restart stands; 0 for never.
    units: u32,
    interval: u32,
}

impl Frame {
    /// Reads the header; returns where the scan begins as well.
    fn read(bytes: &[u8]) -> Result<(Frame, usize), FrameError> {
        let mut frame = Frame {
            dc: Default::default(),
            ac: Default::default(),
            parts: Vec::new(),
            units: 0,
            interval: 0,
        };
        let (mut at, mut start) = (2, &[][..]);
        loop {
            let (marker, body, next) = segment(bytes, at)?;
            match marker {
                0xC0 => start = body,
                0xC4 => frame.take_tables(body)?,
                0xDD => {
                    let interval = body.get(..2).ok_or(FrameError::Damaged)?;
                    frame.interval = u32::from(u16::from_be_bytes([interval[0], interval[1]]));
                }
                0xDA => {
                    frame.lay_out(start, body)?;
                    return Ok((frame, next));
                }
                _ => {}
            }
            at = next;
        }
    }

    /// A segment of Huffman tables: class and place, 16 counts, the symbols (T.81 B.2.4.2).
    fn take_tables(&mut self, mut body: &[u8]) -> Result<(), FrameError> {
        while let Some((place, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(FrameError::Damaged)?;
            let all = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(all).ok_or(FrameError::Damaged)?;
            let tables = if place >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let table = tables.get_mut(usize::from(place & 15)).ok_or(FrameError::Damaged)?;
            *table = Some(Table::new(counts, symbols)?);
            body = rest;
        }
        Ok(())
    }

    /// How many units there are and of which blocks (T.81 A.2), from the start of frame (B.2.2) and of scan (B.2.3).
    fn lay_out(&mut self, start: &[u8], scan: &[u8]) -> Result<(), FrameError> {
        let [_, h1, h0, w1, w0, count, components @ ..] = start else { return Err(FrameError::Damaged) };
        let count = usize::from(*count);
        let [scanned, selectors @ ..] = scan else { return Err(FrameError::Damaged) };
        if usize::from(*scanned) != count {
            return Err(FrameError::Unsupported);
        }
        let mut most = (1, 1);
        for (component, selector) in components.chunks_exact(3).zip(selectors.chunks_exact(2)).take(count) {
            let (across, down) = (u32::from(component[1] >> 4), u32::from(component[1] & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || selector[0] != component[0] {
                return Err(FrameError::Damaged);
            }
            let (dc, ac) = (usize::from(selector[1] >> 4), usize::from(selector[1] & 15));
            if dc >= 4 || ac >= 4 {
                return Err(FrameError::Damaged);
            }
            // A component alone is not interleaved: its units are single blocks.
            let (across, down) = if count == 1 { (1, 1) } else { (across, down) };
            most = (most.0.max(across), most.1.max(down));
            self.parts.push(Part { blocks: across * down, dc, ac });
        }
        if self.parts.len() != count {
            return Err(FrameError::Damaged);
        }
        let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
        self.units = u32::from(width).div_ceil(8 * most.0) * u32::from(height).div_ceil(8 * most.1);
        Ok(())
    }
}

/// A Huffman table: codes of up to 16 bits (T.81 C.2).
struct Table {
    /// For the first bits of a code: its length and symbol; length 0 for codes that are longer.
    quick: Box<[(u8, u8)]>,
    /// For each length: one past the last code, from the left of 16 bits, and where its symbols end, backwards.
    ends: [u32; 17],
    places: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Table, FrameError> {
        let mut table = Table {
            quick: vec![(0, 0); 1 << QUICK_BITS].into(),
            ends: [0; 17],
            places: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut used) = (0u32, 0usize);
        for (length, count) in (1u32..=16).zip(counts) {
            table.places[length as usize] = used as i32 - code as i32;
            for _ in 0..*count {
                if code >= 1 << length {
                    return Err(FrameError::Damaged);
                }
                if length <= QUICK_BITS {
                    let first = (code << (QUICK_BITS - length)) as usize;
                    let symbol = *symbols.get(used).ok_or(FrameError::Damaged)?;
                    table.quick[first..first + (1 << (QUICK_BITS - length))].fill((length as u8, symbol));
                }
                code += 1;
                used += 1;
            }
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// Length and symbol of the code that these 16 bits begin with.
    fn look_up(&self, bits: u32) -> Option<(u32, u8)> {
        let (length, symbol) = self.quick[(bits >> (16 - QUICK_BITS)) as usize];
        if length > 0 {
            return Some((u32::from(length), symbol));
        }
        let length = (QUICK_BITS + 1..=16).find(|length| bits < self.ends[*length as usize])?;
        let place = (bits >> (16 - length)) as i32 + self.places[length as usize];
        Some((length, *self.symbols.get(place as usize)?))
    }
}

/// The bits of a scan, up to the next marker.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Where the next byte stands.
    at: usize,
    /// The next bits, from the left.
    buffer: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, used) = match self.bytes.get(self.at..).unwrap_or_default() {
                [0xFF, 0x00, ..] => (0xFF, 2),
                [0xFF, ..] | [] => return,
                [byte, ..] => (*byte, 1),
            };
            self.at += used;
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Whether a marker stands here.
    fn is_at(&self, marker: u8) -> bool {
        self.bytes.get(self.at..self.at + 2) == Some(&[0xFF, marker])
    }

    /// Goes on to the next marker; returns the whole bytes that were left before it.
    fn left_over(&mut self) -> Result<Range<usize>, FrameError> {
        let mut from = self.at;
        for _ in 0..self.count / 8 {
            // Back over bytes that were read ahead; FF comes with a zero behind it.
            from -= if self.bytes[..from].ends_with(&[0xFF, 0]) { 2 } else { 1 };
        }
        // Any number of FF may stand before a marker as well (T.81 B.1.1.2).
        while !matches!(self.bytes.get(self.at..), Some([0xFF, 0x01..=0xFE, ..])) {
            self.at += 1;
            if self.at >= self.bytes.len() {
                return Err(FrameError::CutShort);
            }
            if self.at - from > MAX_LEFT_OVER {
                return Err(FrameError::Damaged);
            }
        }
        (self.buffer, self.count) = (0, 0);
        Ok(from..self.at)
    }

    fn skip(&mut self, bits: u32) -> Result<(), FrameError> {
        if self.count < bits {
            self.fill();
            if self.count < bits {
                return Err(self.early_end());
            }
        }
        self.buffer = self.buffer.checked_shl(bits).unwrap_or(0);
        self.count -= bits;
        Ok(())
    }

    /// Why there are no more bits: the end is there already, or something else that may not be there.
    fn early_end(&self) -> FrameError {
        let at_end = self.at >= self.bytes.len() || self.is_at(0xD9);
        if at_end { FrameError::CutShort } else { FrameError::Damaged }
    }

    fn symbol(&mut self, table: &Table) -> Result<u8, FrameError> {
        if self.count < 16 {
            self.fill();
        }
        match table.look_up((self.buffer >> 48) as u32) {
            Some((length, symbol)) => self.skip(length).map(|()| symbol),
            // The scan may just have ended inside a code.
            None if self.count < 16 => Err(self.early_end()),
            None => Err(FrameError::Damaged),
        }
    }

    /// Goes past one block: the first coefficient, then runs of zeros and what follows them (T.81 F.2.2).
    fn block(&mut self, dc: &Table, ac: &Table) -> Result<(), FrameError> {
        let size = self.symbol(dc)?;
        self.skip(u32::from(size & 15))?;
        let mut at = 1;
        while at < COEFFICIENTS {
            let symbol = self.symbol(ac)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run < 15 {
                break;
            }
            at += run + 1;
            self.skip(size)?;
        }
        if at > COEFFICIENTS { Err(FrameError::Damaged) } else { Ok(()) }
    }

    /// Goes past a restart marker of this number.
    fn restart(&mut self, number: u8) -> Result<(), FrameError> {
        if !self.is_at(0xD0 | number) {
            return Err(self.early_end());
        }
        self.at += 2;
        Ok(())
    }
}
