//! Every character of GB 18030-2022, level 3, as the typesetter lays it out with the fonts of each template: glyph 0 of a
//! font is the box that it draws for what it does not have.

use std::time::Instant;

use serde_json::Value as Json;
use typst::foundations::{Dict, IntoValue};

use crate::Typesetter;
use crate::render::{boxes, text};

/// The templates, whose own order of fonts is what counts.
const TEMPLATES: [(&str, &str); 3] = [
    ("receipt.typ", include_str!("../../assets/documents/receipt.typ")),
    ("receipt-lines.typ", include_str!("../../assets/documents/receipt-lines.typ")),
    ("guide.typ", include_str!("../../assets/documents/guide.typ")),
];
/// A paragraph of so many characters: long ones make the typesetter slow.
const PARAGRAPH: usize = 100;

fn level_3() -> Vec<char> {
    let vector: Json =
        serde_json::from_str(include_str!("../../tests/vectors/gb18030_level_3.json")).unwrap();
    let code = |value: &Json| u32::from_str_radix(value.as_str().unwrap(), 16).unwrap();
    let list = |key: &str| vector[key].as_array().unwrap().clone();
    let listed = |ranges: &str, single: &str| -> Vec<u32> {
        let ranges = list(ranges).into_iter().flat_map(|range| code(&range[0])..=code(&range[1]));
        ranges.chain(list(single).iter().map(code)).collect()
    };
    let mut codes = listed("ranges", "among_compatibility");
    assert_eq!(codes.len() as u64, vector["ideographs"].as_u64().unwrap());
    let radicals = listed("radical_ranges", "radicals_of_the_supplement");
    assert_eq!(radicals.len() as u64, vector["radicals"].as_u64().unwrap());
    codes.extend(radicals);
    codes.into_iter().map(|code| char::from_u32(code).unwrap()).collect()
}

/// The fonts that a template names, as it writes them.
fn fonts_of(template: &str) -> &str {
    let mut named = template.lines().filter_map(|line| line.trim().strip_prefix("font: ("));
    let fonts = named.next().and_then(|rest| rest.strip_suffix("),")).expect("a template names its fonts");
    assert!(fonts.contains("HanaMinB"), "{fonts}");
    fonts
}

/// How many boxes these characters make with these fonts.
fn boxes_of(typesetter: &Typesetter, fonts: &str, characters: &[char]) -> usize {
    let paragraphs = characters.chunks(PARAGRAPH).map(|chunk| text(&chunk.iter().collect::<String>()));
    let paragraphs: typst::foundations::Array = paragraphs.collect();
    let template = format!(
        "#set page(width: 1000pt, height: auto)\n#set text(font: ({fonts}), fallback: false, lang: \"zh\")\n\
         #for line in sys.inputs.lines {{ par(line) }}\n"
    );
    let inputs = Dict::from_iter([("lines".into(), paragraphs.into_value())]);
    let page = typesetter.typeset(("level-3.typ", &template), inputs).unwrap();
    page.document.pages().iter().map(|page| boxes(&page.frame)).sum()
}

#[test]
fn every_template_has_a_glyph_for_every_character_of_level_3() {
    let characters = level_3();
    let typesetter = Typesetter::new().unwrap();
    // The two that name the same fonts lay out the same.
    let chains = std::collections::BTreeSet::from(TEMPLATES.map(|(_, template)| fonts_of(template)));
    for fonts in chains {
        let start = Instant::now();
        let missing: usize = characters.chunks(5_000).map(|part| boxes_of(&typesetter, fonts, part)).sum();
        let seconds = start.elapsed().as_secs_f32();
        println!("{fonts}: {missing} of {} missing, {seconds:.1} s", characters.len());
        assert_eq!(missing, 0, "with {fonts}");
    }
}

/// Shows that the test above can fail.
#[test]
fn a_shorter_chain_misses_some() {
    let typesetter = Typesetter::new().unwrap();
    // The last of Extension B, of which Noto Sans CJK has few, and a noncharacter, which no font may have.
    let rare: Vec<char> = ('\u{2A600}'..='\u{2A6D6}').chain(['莞', '\u{10FFFE}']).collect();
    assert!(boxes_of(&typesetter, "\"Noto Sans CJK SC\",", &rare) > 100);
    assert_eq!(boxes_of(&typesetter, fonts_of(TEMPLATES[0].1), &rare), 1);
}
