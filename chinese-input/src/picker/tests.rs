//! Every unified ideograph can be reached, and the usual ways lead where a resident expects.

use std::collections::BTreeSet;

use super::*;

/// What can be reached by touching a shape and a count, as the screen does it.
fn reachable() -> BTreeSet<char> {
    let through = |shape: &Shape| {
        let radical = shape.radical();
        residual_strokes(radical).into_iter().flat_map(move |count| characters(radical, count))
    };
    shapes().iter().flat_map(through).collect()
}

/// The ideographs of GB 18030-2022, level 3: the block of 1993 up to U+9FEF, Extensions A to F as of Unicode 10, and the
/// twelve unified ones among the compatibility ideographs. Together 87,887.
fn level_3() -> Vec<char> {
    let ranges = [
        0x3400..=0x4DB5,
        0x4E00..=0x9FEF,
        0x20000..=0x2A6D6,
        0x2A700..=0x2B734,
        0x2B740..=0x2B81D,
        0x2B820..=0x2CEA1,
        0x2CEB0..=0x2EBE0,
    ];
    let among_compatibility =
        [0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F, 0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29];
    let codes = ranges.into_iter().flatten().chain(among_compatibility);
    codes.map(|code| char::from_u32(code).unwrap()).collect()
}

#[test]
fn every_ideograph_of_level_3_can_be_reached() {
    let reachable = reachable();
    let level_3 = level_3();
    assert_eq!(level_3.len(), 87_887);
    let missing: Vec<&char> = level_3.iter().filter(|character| !reachable.contains(character)).collect();
    assert!(missing.is_empty(), "{} missing, such as {:?}", missing.len(), &missing[..missing.len().min(10)]);
}

#[test]
fn every_unified_ideograph_of_unicode_15_can_be_reached() {
    // UnicodeData.txt names the same blocks by their ends, independently of Unihan.
    let data = std::fs::read_to_string("/usr/share/unicode/UnicodeData.txt").unwrap();
    let reachable = reachable();
    let (mut first, mut count) = (0, 0);
    for line in data.lines().filter(|line| line.contains("<CJK Ideograph")) {
        let code = u32::from_str_radix(line.split(';').next().unwrap(), 16).unwrap();
        if line.contains(", First>") {
            first = code;
            continue;
        }
        for code in first..=code {
            assert!(reachable.contains(&char::from_u32(code).unwrap()), "U+{code:04X} cannot be reached");
            count += 1;
        }
    }
    // And twelve among the compatibility ideographs.
    assert_eq!(reachable.len(), count + 12);
    println!("{} unified ideographs can be reached", reachable.len());
}

#[test]
fn rare_characters_of_names_are_where_their_strokes_say() {
    for (shape, strokes, residual, character) in [
        ('龙', 5, 4, '䶮'),
        ('钅', 5, 7, '𬭎'),
        ('氵', 3, 4, '𣲘'),
        ('女', 3, 6, '㛃'),
        ('日', 4, 4, '𬀩'),
        ('馬', 10, 0, '馬'),
    ] {
        let form = shapes().iter().find(|form| form.character() == shape);
        let form = form.unwrap_or_else(|| panic!("{shape} is no shape of a radical"));
        assert_eq!(form.strokes(), strokes, "{shape}");
        let counts = residual_strokes(form.radical());
        let found = counts.iter().find(|count| characters(form.radical(), **count).any(|c| c == character));
        assert_eq!(found, Some(&residual), "{character} under {shape}");
    }
}

#[test]
fn all_characters_of_the_vectors_of_rare_names_can_be_reached() {
    let vectors = include_str!("../../../tests/vectors/rare_names.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let reachable = reachable();
    let listed = vectors["characters"].as_array().unwrap();
    assert!(listed.len() >= 13);
    for entry in listed {
        let character = entry["char"].as_str().unwrap().chars().next().unwrap();
        assert!(reachable.contains(&character), "{character}");
    }
    for entry in vectors["names"].as_array().unwrap() {
        // Other entries are about middle dots, variation selectors, and codes of private use in old data.
        let ideographs =
            |character: &char| matches!(character, '\u{3400}'..'\u{E000}' | '\u{20000}'..'\u{40000}');
        for character in entry["name"].as_str().unwrap().chars().filter(ideographs) {
            assert!(reachable.contains(&character), "{character}");
        }
    }
}

#[test]
fn there_are_214_radicals_and_the_simplified_ones_beside_them() {
    let plain: Vec<u8> = radicals().iter().filter(|r| !r.is_simplified()).map(|r| r.number()).collect();
    assert_eq!(plain, (1..=214).collect::<Vec<u8>>());
    assert!(shapes().is_sorted_by_key(|shape| shape.strokes()));
    for shape in ['讠', '纟', '亻', '扌', '忄', '艹', '辶', '阝', '灬'] {
        assert!(shapes().iter().any(|form| form.character() == shape), "{shape}");
    }
}

#[test]
fn usual_characters_come_before_rare_ones() {
    let water = shapes().iter().find(|form| form.character() == '氵').unwrap().radical();
    let found: Vec<char> = characters(water, 5).collect();
    let place = |character| found.iter().position(|c| *c == character);
    assert!(place('河').is_some() && place('河') < place('㳋'), "{found:?}");
}
