//! Makes the rare-character picker's tables from the Unicode files of Debian's `unicode-data`: about 400 KiB that lie
//! in the program, sorted, so that nothing is read or parsed when a terminal starts.
//!
//! Fields as in UAX #38 (kRSUnicode, kTotalStrokes) and the heads of `CJKRadicals.txt` and
//! `EquivalentUnifiedIdeograph.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's `unicode-data` lies.
const UNICODE: &str = "/usr/share/unicode";
/// The compressed file with radicals and strokes of every ideograph.
const IRG_SOURCES: &str = "Unihan_IRGSources.txt.bz2";
/// More residual strokes than this are counted as this many; no ideograph of Unicode 15 has them.
const RESIDUAL_MAX: i32 = 63;
/// Ideographs that only look up others; they are no characters of their own (but twelve are, see `unified`).
const COMPATIBILITY: [std::ops::RangeInclusive<u32>; 2] = [0xF900..=0xFAFF, 0x2F800..=0x2FA1F];
/// The unified ideographs that stand among the compatibility ones, by the Unicode Standard, chapter 18.
const UNIFIED_AMONG_THEM: [u32; 12] =
    [0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F, 0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29];

/// A radical's number (1 to 214) and how many marks of simplification follow it: 120 is 糸, 120' is 纟.
type Radical = (u8, u8);

/// What Unihan says of the ideographs.
#[derive(Default)]
struct Unihan {
    places: BTreeMap<u32, Vec<(Radical, i32)>>,
    strokes: BTreeMap<u32, u8>,
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={UNICODE}/{IRG_SOURCES}");
    let unihan = unihan(&unpacked(&Path::new(UNICODE).join(IRG_SOURCES)));
    let radicals = radicals(&text("CJKRadicals.txt"));
    let numbers: Vec<Radical> = radicals.keys().copied().collect();
    assert!(numbers.len() <= 256, "a radical's place no longer fits in a byte");

    let mut tables = String::new();
    writeln!(tables, "static RADICALS: [Radical; {}] = [", numbers.len()).unwrap();
    for (number, marks) in &numbers {
        writeln!(tables, "    Radical {{ number: {number}, marks: {marks} }},").unwrap();
    }
    tables.push_str("];\n");
    write_shapes(&mut tables, &shapes(&unihan, &radicals, &numbers));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("radicals.rs"), tables).expect("cargo's own folder can be written");
    std::fs::write(out.join("ideographs.bin"), ideographs(&unihan, &numbers))
        .expect("cargo's own folder can be written");
}

fn text(name: &str) -> String {
    let path = Path::new(UNICODE).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; Debian's package unicode-data brings it (`cargo xtask test` installs it)",
            path.display()
        )
    })
}

fn unpacked(path: &Path) -> String {
    assert!(
        path.exists(),
        "{} is missing; Debian's package unicode-data brings it (`cargo xtask test` installs it)",
        path.display()
    );
    let output = Command::new("bzip2").args(["--decompress", "--stdout"]).arg(path).output();
    let output = output.unwrap_or_else(|error| panic!("bzip2: {error}; the package bzip2 brings it"));
    assert!(output.status.success(), "bzip2 could not unpack {}", path.display());
    String::from_utf8(output.stdout).expect("Unihan is UTF-8")
}

fn unihan(text: &str) -> Unihan {
    let mut unihan = Unihan::default();
    for line in text.lines().filter(|line| line.starts_with("U+")) {
        let mut fields = line.split('\t');
        let (Some(code), Some(field), Some(value)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let code = u32::from_str_radix(&code[2..], 16).expect("a code point");
        match field {
            "kRSUnicode" => {
                let places = value.split(' ').map(|place| {
                    let (radical, residual) = place.split_once('.').expect("radical.strokes");
                    (radical_of(radical), residual.parse().expect("a number of strokes"))
                });
                unihan.places.insert(code, places.collect());
            }
            "kTotalStrokes" => {
                let first = value.split(' ').next().expect("split gives at least one");
                unihan.strokes.insert(code, first.parse().expect("a number of strokes"));
            }
            _ => {}
        }
    }
    unihan
}

fn radical_of(text: &str) -> Radical {
    let number = text.trim_end_matches('\'');
    (number.parse().expect("a radical's number"), (text.len() - number.len()) as u8)
}

/// Every radical with the ideograph that is it alone.
fn radicals(text: &str) -> BTreeMap<Radical, u32> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(';'));
    lines
        .filter_map(|line| {
            let mut fields = line.split(';').map(str::trim);
            let radical = radical_of(fields.next()?);
            // The third field may be empty for a form that is no ideograph.
            let ideograph = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
            Some((radical, ideograph))
        })
        .collect()
}

/// What a radical looks like: by itself, and as a part of characters (氵 beside 水). Strokes, character, radical's place.
fn shapes(
    unihan: &Unihan,
    radicals: &BTreeMap<Radical, u32>,
    numbers: &[Radical],
) -> BTreeSet<(u8, u32, usize)> {
    let mut shapes = BTreeSet::new();
    for (place, radical) in numbers.iter().enumerate() {
        let ideograph = radicals[radical];
        shapes.insert((unihan.strokes[&ideograph], ideograph, place));
    }
    for line in text("EquivalentUnifiedIdeograph.txt").lines() {
        let Some((forms, rest)) = line.split_once(';') else { continue };
        let Some(ideograph) =
            rest.split('#').next().and_then(|code| u32::from_str_radix(code.trim(), 16).ok())
        else {
            continue;
        };
        // Only forms of radicals (CJK Radicals Supplement), not strokes.
        let first = forms.trim().split("..").next().and_then(|code| u32::from_str_radix(code, 16).ok());
        if !first.is_some_and(|code| (0x2E80..=0x2EF3).contains(&code)) {
            continue;
        }
        for (radical, residual) in unihan.places.get(&ideograph).into_iter().flatten() {
            if *residual <= 0
                && let Some(place) = numbers.iter().position(|number| number == radical)
            {
                shapes.insert((unihan.strokes[&ideograph], ideograph, place));
            }
        }
    }
    shapes
}

fn write_shapes(tables: &mut String, shapes: &BTreeSet<(u8, u32, usize)>) {
    writeln!(tables, "static SHAPES: [Shape; {}] = [", shapes.len()).unwrap();
    for (strokes, code, place) in shapes {
        let character = char::from_u32(*code).expect("an ideograph");
        writeln!(
            tables,
            "    Shape {{ character: '{character}', strokes: {strokes}, radical: RADICALS[{place}] }},"
        )
        .unwrap();
    }
    tables.push_str("];\n");
}

/// Four bytes each: the radical's place (8 bits), residual strokes (6 bits), code point (18 bits). Sorted by radical and
/// strokes; within them the characters that are met most often come first.
fn ideographs(unihan: &Unihan, numbers: &[Radical]) -> Vec<u8> {
    let mut entries = BTreeSet::new();
    for (code, places) in &unihan.places {
        if !unified(*code) {
            continue;
        }
        assert!(*code < 1 << 18, "a code point no longer fits in 18 bits");
        for (radical, residual) in places {
            let place = numbers.iter().position(|number| number == radical);
            let place =
                place.unwrap_or_else(|| panic!("U+{code:04X} has a radical that is no radical")) as u32;
            let residual = (*residual).clamp(0, RESIDUAL_MAX) as u32;
            entries.insert((place, residual, seldom(*code), *code));
        }
    }
    let packed = entries.iter().map(|(place, residual, _, code)| place << 24 | residual << 18 | code);
    packed.flat_map(u32::to_le_bytes).collect()
}

/// The block of 1993 holds what is met every day; the later ones follow in the order in which they were added.
fn seldom(code: u32) -> bool {
    !(0x4E00..=0x9FFF).contains(&code)
}

fn unified(code: u32) -> bool {
    UNIFIED_AMONG_THEM.contains(&code) || !COMPATIBILITY.iter().any(|range| range.contains(&code))
}
