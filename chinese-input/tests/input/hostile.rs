//! Keys and strokes that no resident means: nothing panics, hangs or grows.

use std::path::Path;

use chinese_input::{
    CANDIDATES_MAX, Composition, HandwritingEngine, InputEngine, Key, Mark, Method, PEN_SIDE, Point, Rime,
    Script, Stroke, TEXT_BYTES_MAX,
};

use super::surroundings::{Deployed, Numbers};

/// Keys that are pressed in each of the three ways: a hundred thousand together.
const KEYS_EACH: u32 = 33_400;
/// What this process may grow by, in kilobytes, after the first thousand keys.
const GROWTH_KIB: u64 = 64 * 1024;

fn is_bounded(composition: &Composition) {
    assert!(composition.candidates.len() <= CANDIDATES_MAX);
    assert!(composition.typed.expose().len() <= TEXT_BYTES_MAX);
    assert!(composition.committed.expose().len() <= TEXT_BYTES_MAX);
}

/// Memory of this process in use, in kilobytes.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn bears_random_keys(method: Method, seed: u64) {
    let deployed = Deployed::new();
    let mut engine = Rime::open(&deployed.sources()).unwrap().engine(method, Script::Traditional).unwrap();
    let all: Vec<Key> = ('\0'..='\u{7f}').filter_map(Key::new).collect();
    let strokes: Vec<Key> = "hspnz".chars().filter_map(Key::new).collect();
    let mut numbers = Numbers(seed);
    let mut grown_from = 0;
    for pressed in 0..KEYS_EACH {
        // Strokes know five keys; with them alone a long composition arises there as well.
        let from = if method == Method::Strokes && numbers.below(4) > 0 { &strokes } else { &all };
        let key = from[numbers.below(from.len() as u64) as usize];
        is_bounded(&engine.enter(&Mark::Key(key)).unwrap());
        match numbers.below(24) {
            0 => is_bounded(&engine.choose(numbers.below(80) as usize).unwrap()),
            1 => is_bounded(&engine.take_back().unwrap()),
            2 => engine.clear().unwrap(),
            _ => {}
        }
        if pressed == 1000 {
            grown_from = resident_kib();
        }
    }
    let grown = resident_kib().saturating_sub(grown_from);
    assert!(grown < GROWTH_KIB, "{grown} KiB more than after a thousand keys");
}

#[test]
fn random_keys_are_borne_by_pinyin() {
    bears_random_keys(Method::Pinyin, 0x5EED);
}

#[test]
fn random_keys_are_borne_by_jyutping() {
    bears_random_keys(Method::Jyutping, 0x5EED + 1);
}

#[test]
fn random_keys_are_borne_by_strokes() {
    bears_random_keys(Method::Strokes, 0x5EED + 2);
}

#[test]
fn random_strokes_are_borne() {
    let deployed = Deployed::new();
    let mut engine = HandwritingEngine::open(&deployed.sources()).unwrap();
    let mut numbers = Numbers(0xD0A0);
    for _ in 0..150 {
        let kind = numbers.below(4);
        let count = [1, 2, 300, numbers.below(40) + 1][kind as usize];
        let still = numbers.below(3) == 0;
        let point = |numbers: &mut Numbers| Point {
            x: if still { 0 } else { numbers.below(2 * u64::from(PEN_SIDE)) as u16 },
            y: if still { u16::MAX } else { numbers.below(2 * u64::from(PEN_SIDE)) as u16 },
        };
        let points: Vec<Point> = (0..count).map(|_| point(&mut numbers)).collect();
        is_bounded(&engine.enter(&Mark::Stroke(Stroke::new(&points).unwrap())).unwrap());
        match numbers.below(12) {
            0 => is_bounded(&engine.choose(numbers.below(30) as usize).unwrap()),
            1 | 2 => is_bounded(&engine.take_back().unwrap()),
            3 => engine.clear().unwrap(),
            _ => {}
        }
    }
}
