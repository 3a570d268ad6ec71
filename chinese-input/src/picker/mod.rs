//! Rare characters by radical and number of further strokes: the way that reaches every unified ideograph.
//!
//! The handwriting model knows 6,763 characters and the stroke schema lacks thousands that names are made of. Here a
//! resident touches a radical (found by its own strokes), says how many strokes the rest has, and sees the characters.
//! The tables are made by `build.rs` from Unihan and lie in the program: finding needs no file and no memory.
//!
//! Absent: a guess at a wrong count, sounds, any memory of what was picked.

/// A radical's number, 1 to 214, and how often it was simplified: 糸 is 120 without a mark, 纟 is 120 with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Radical {
    number: u8,
    marks: u8,
}

impl Radical {
    /// Its number in the dictionary of Kangxi, 1 to 214.
    pub fn number(self) -> u8 {
        self.number
    }

    /// Whether it is a simplified form with characters of its own.
    pub fn is_simplified(self) -> bool {
        self.marks > 0
    }
}

/// One form in which a radical is seen. Several may lead to the same radical: 水 and 氵.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    character: char,
    strokes: u8,
    radical: Radical,
}

impl Shape {
    /// What is drawn on the key.
    pub fn character(&self) -> char {
        self.character
    }

    /// How many strokes this form has.
    pub fn strokes(&self) -> u8 {
        self.strokes
    }

    /// The radical it stands for.
    pub fn radical(&self) -> Radical {
        self.radical
    }
}

include!(concat!(env!("OUT_DIR"), "/radicals.rs"));

/// Packed as `build.rs` says: place of the radical, residual strokes, code point.
static IDEOGRAPHS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ideographs.bin"));
const ENTRY_BYTES: usize = 4;

/// All radicals, by number.
pub fn radicals() -> &'static [Radical] {
    &RADICALS
}

/// Every form of every radical, those with the fewest strokes first.
pub fn shapes() -> &'static [Shape] {
    &SHAPES
}

/// How many strokes the rest of a character may have with this radical, rising; only counts that lead somewhere.
pub fn residual_strokes(radical: Radical) -> Vec<u8> {
    let mut counts: Vec<u8> = entries(radical).map(|entry| residual(entry) as u8).collect();
    counts.dedup();
    counts
}

/// The characters with this radical and this many further strokes, the usual ones first.
pub fn characters(radical: Radical, residual_strokes: u8) -> impl Iterator<Item = char> {
    entries(radical)
        .skip_while(move |entry| residual(*entry) < u32::from(residual_strokes))
        .take_while(move |entry| residual(*entry) == u32::from(residual_strokes))
        .map(character)
}

/// A radical's entries; they lie side by side.
fn entries(radical: Radical) -> impl Iterator<Item = u32> {
    let place = RADICALS.iter().position(|other| *other == radical).unwrap_or(RADICALS.len()) as u32;
    let count = IDEOGRAPHS.len() / ENTRY_BYTES;
    let mut range = 0..count;
    // Binary search for the first entry whose radical is not an earlier one.
    while !range.is_empty() {
        let middle = range.start + range.len() / 2;
        if entry(middle) >> 24 < place { range.start = middle + 1 } else { range.end = middle }
    }
    (range.start..count).map(entry).take_while(move |entry| entry >> 24 == place)
}

fn entry(index: usize) -> u32 {
    let at = index * ENTRY_BYTES;
    u32::from_le_bytes(IDEOGRAPHS[at..at + ENTRY_BYTES].try_into().expect("four bytes"))
}

fn residual(entry: u32) -> u32 {
    entry >> 18 & 0x3F
}

fn character(entry: u32) -> char {
    char::from_u32(entry & 0x3_FFFF).expect("build.rs wrote ideographs only")
}

#[cfg(test)]
mod tests;
