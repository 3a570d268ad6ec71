//! Text mode: against the vectors, and what may and may not go as text.

use proptest::prelude::*;

use super::text::{self, encode_line, encode_receipt_as_text};
use crate::receipt_printer::{Align, Bitmap, Characters, Part, PrinterModel, Receipt, TextLine, TextMode};
use crate::vectors::{hex, list, load, text as word};

fn mode(characters: Characters) -> TextMode {
    let text = PrinterModel::named("80mm").unwrap().text.unwrap();
    TextMode { characters, ..text }
}

fn encoded(line: &str, characters: Characters) -> Option<Vec<u8>> {
    encode_line(&TextLine::plain(line), mode(characters)).map(|bytes| bytes.to_vec())
}

#[test]
fn commands_of_text_mode_are_the_listed_bytes() {
    let vectors = load("escpos.json");
    let example = |name: &str| {
        let all = list(&vectors, "commands");
        hex(word(all.iter().find(|command| command["name"] == name).unwrap(), "example"))
    };
    assert_eq!(text::CHINESE_ON.to_vec(), example("chinese_on"));
    assert_eq!(text::CHINESE_OFF.to_vec(), example("chinese_off"));
    assert_eq!(text::CHINESE_SPACING_NONE.to_vec(), example("chinese_spacing"));
    assert_eq!(text::align(Align::Centre).to_vec(), example("align"));
    assert_eq!(text::size(2, 2).to_vec(), example("size"));
    assert_eq!(text::bold(true).to_vec(), example("bold"));
    assert_eq!(text::line_spacing(0x18).to_vec(), example("line_spacing"));
    let sample = &vectors["text_sample"];
    let bytes = encoded(word(sample, "text"), Characters::Gb2312).unwrap();
    assert_eq!(bytes, hex(word(sample, "gb18030")));
}

#[test]
fn what_the_font_may_not_have_does_not_go_as_text() {
    use Characters::{Gb2312, Gbk};
    let both = |line: &str| (encoded(line, Gb2312).is_some(), encoded(line, Gbk).is_some());
    assert_eq!(both("示例市第1号：（张三）ABC～"), (true, true));
    // In GBK and not in GB 2312; in neither, though GB 18030 gives it two bytes; four bytes.
    assert_eq!(both("朱镕"), (false, true));
    assert_eq!(both("䶮"), (false, false));
    assert_eq!(both("𠮷"), (false, false));
    assert_eq!(both("𬱖㛃"), (false, false));
    // A control character would be a command.
    for line in ["a\nb", "\u{10}\u{4}\u{1}", "\u{1B}@", "a\u{7F}", "é\u{301}", "😀"] {
        assert!(!both(line).0, "{line:?}");
    }
    assert!(encoded(&"x".repeat(48), Gb2312).is_some() && encoded(&"x".repeat(49), Gb2312).is_none());
    assert!(encoded(&"东".repeat(24), Gb2312).is_some() && encoded(&"东".repeat(25), Gb2312).is_none());
    let mut wide = TextLine::plain("东".repeat(13));
    wide.times_wide = 2;
    assert_eq!(encode_line(&wide, mode(Gb2312)), None);
}

#[test]
fn the_rare_characters_and_names_of_the_vectors_go_as_pictures() {
    let vectors = load("rare_names.json");
    let mut pictures = 0;
    for (table, key) in [("characters", "char"), ("names", "name")] {
        for entry in list(&vectors, table) {
            let name = word(entry, key);
            let as_picture = entry["needs_raster_on_receipt"].as_bool().unwrap();
            let bytes = encoded(name, Characters::Gbk);
            assert_eq!(bytes.is_none(), as_picture, "{name}");
            if let Some(bytes) = bytes {
                assert_eq!(bytes, hex(word(entry, "gb18030")), "{name}");
            }
            pictures += u32::from(as_picture);
        }
    }
    assert!(pictures > 10, "{pictures}");
    // A font of GB 2312 has none of them.
    for entry in list(&vectors, "characters") {
        assert_eq!(encoded(word(entry, "char"), Characters::Gb2312), None);
    }
}

#[test]
fn the_printer_is_told_what_changes_and_pictures_stand_at_the_left() {
    let mut picture = Bitmap::blank(576, 120);
    picture.set_black(0, 75);
    let mut title = TextLine::plain("受理回执");
    (title.align, title.times_wide, title.times_high, title.bold) = (Align::Centre, 2, 2, true);
    let part = |rows, text| Part { rows, text };
    let parts = vec![
        part(0..60, Some(title.clone())),
        part(60..90, Some(TextLine::plain("𠮷"))),
        part(90..120, Some(TextLine::plain("A"))),
    ];
    let receipt = Receipt::with_parts(picture, parts).unwrap();
    let bytes = encode_receipt_as_text(&receipt, mode(Characters::Gb2312)).to_vec();
    let expected = "1C 26 1C 53 00 00 \
         1B 61 01 1D 21 11 1B 45 01 1B 33 3C CA DC C0 ED BB D8 D6 B4 0A \
         1B 61 00 1B 4A 0F 1D 76 30 00 01 00 01 00 80 1B 4A 0E \
         1D 21 00 1B 45 00 1B 33 1E 41 0A \
         1C 2E 1D 56 42 00";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn a_line_that_is_higher_than_its_rows_goes_as_a_picture() {
    let mut line = TextLine::plain("A");
    line.times_high = 2;
    for (rows, as_text) in [(47, false), (48, true), (255, true), (256, false)] {
        let parts = vec![Part { rows: 0..rows, text: Some(line.clone()) }];
        let receipt = Receipt::with_parts(Bitmap::blank(576, rows), parts).unwrap();
        let bytes = encode_receipt_as_text(&receipt, mode(Characters::Gbk));
        assert_eq!(bytes.contains(&b'A'), as_text, "{rows} rows");
    }
}

proptest! {
    /// Whatever a line says, what goes as text says the same and holds no command.
    #[test]
    fn text_is_text(line in "\\PC{0,30}|[ -~一-龥]{0,24}") {
        for characters in [Characters::Gb2312, Characters::Gbk] {
            if let Some(bytes) = encoded(&line, characters) {
                let (again, damaged) = encoding_rs::GB18030.decode_without_bom_handling(&bytes);
                prop_assert!(!damaged);
                prop_assert_eq!(&*again, &*line);
                prop_assert!(bytes.iter().all(|byte| *byte >= 0x20));
            }
        }
    }
}
