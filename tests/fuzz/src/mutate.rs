//! Mutations for the short run: small, seeded, and the same on every machine.

/// SplitMix64: its sequence is fixed by its definition and not by a crate's version.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From a seed and the name of what it is for, so that two targets do not run in step.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut chance = Self(seed);
        for byte in purpose.bytes() {
            chance.0 = chance.bits().wrapping_add(u64::from(byte));
        }
        chance
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.bits() % end as u64) as usize }
    }
}

/// Words at which readers of text stumble.
const WORDS: [&str; 30] = [
    "null",
    "true",
    "-0",
    "1e400",
    "-1",
    "0",
    "18446744073709551615",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "4294967295",
    "65536",
    "NaN",
    "\"\"",
    "[]",
    "{}",
    "[[[[[[[[",
    "{\"a\":",
    "\\u0000",
    "\\ud800",
    "\u{0}",
    "\u{feff}",
    "../",
    "%00",
    "\r\n",
    "\n",
    "𬱖",
    "０",
    "--",
    ".",
];

/// Numbers at which counters turn over.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX - 1,
    u64::MAX,
];

/// One to four changes to one of these inputs; never longer than `longest`.
pub fn mutated(seeds: &[Vec<u8>], chance: &mut Chance, longest: usize) -> Vec<u8> {
    let mut input = seeds.get(chance.below(seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=chance.below(4) {
        change(&mut input, seeds, chance);
    }
    input.truncate(longest);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    match chance.below(10) {
        0 | 1 => flip_bit(input, chance),
        2 => set_byte(input, chance),
        3 => cut(input, chance),
        4 => {
            let word = WORDS[chance.below(WORDS.len())];
            replace(input, at, chance.below(3), word.as_bytes());
        }
        5 => put_number(input, chance),
        6 => {
            let other = seeds.get(chance.below(seeds.len())).map_or(&[][..], Vec::as_slice);
            let part = piece(other, chance).to_vec();
            let drop = chance.below(part.len() + 1);
            replace(input, at, drop, &part);
        }
        7 => {
            let part = piece(input, chance).to_vec();
            replace(input, at, 0, &part.repeat(1 + chance.below(8)));
        }
        8 => another_number(input, chance),
        _ => input.truncate(at),
    }
}

fn flip_bit(input: &mut [u8], chance: &mut Chance) {
    let (at, bit) = (chance.below(input.len()), chance.below(8));
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn set_byte(input: &mut [u8], chance: &mut Chance) {
    let (at, value) = (chance.below(input.len()), chance.bits() as u8);
    if let Some(byte) = input.get_mut(at) {
        *byte = value;
    }
}

fn cut(input: &mut Vec<u8>, chance: &mut Chance) {
    let from = chance.below(input.len() + 1);
    let to = (from + 1 + chance.below(16)).min(input.len());
    input.drain(from.min(to)..to);
}

/// A number of 1, 2, 4 or 8 bytes, either end first.
fn put_number(input: &mut [u8], chance: &mut Chance) {
    let (number, size) = (NUMBERS[chance.below(NUMBERS.len())], 1 << chance.below(4));
    let bytes = if chance.below(2) == 0 {
        number.to_le_bytes()[..size].to_vec()
    } else {
        number.to_be_bytes()[8 - size..].to_vec()
    };
    let at = chance.below(input.len());
    if let Some(place) = input.get_mut(at..at + size) {
        place.copy_from_slice(&bytes);
    }
}

/// Puts another number in the place of one that is written in digits.
fn another_number(input: &mut Vec<u8>, chance: &mut Chance) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|&at| input[at].is_ascii_digit() && (at == 0 || !input[at - 1].is_ascii_digit()))
        .collect();
    let Some(&at) = starts.get(chance.below(starts.len())) else { return };
    let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = NUMBERS[chance.below(NUMBERS.len())];
    let text = if chance.below(4) == 0 { format!("-{number}") } else { number.to_string() };
    replace(input, at, digits, text.as_bytes());
}

fn piece<'a>(of: &'a [u8], chance: &mut Chance) -> &'a [u8] {
    let from = chance.below(of.len());
    let to = (from + 1 + chance.below(64)).min(of.len());
    &of[from..to]
}

fn replace(input: &mut Vec<u8>, at: usize, drop: usize, with: &[u8]) {
    let to = (at + drop).min(input.len());
    input.splice(at.min(to)..to, with.iter().copied());
}
