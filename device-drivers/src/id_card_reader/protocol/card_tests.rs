//! The card's text block against every vector: four layouts, rare names, odd dates.

use serde_json::Value;

use super::tests::by;
use super::*;
use crate::id_card_reader::card::{CardText, Foreigner2023Card, MainlandCard};
use crate::vectors::{hex, list, load, text};

fn raw_fields(card: &CardText) -> Vec<(&'static str, String)> {
    macro_rules! fields {
        ($card:ident, $($field:ident),+) => { vec![$((stringify!($field), $card.$field.clone())),+] };
    }
    match card {
        CardText::Mainland(c) => {
            fields!(c, name, sex, ethnic, birth, address, number, issuer, valid_from, valid_to)
        }
        CardText::HmtResidence(c) => fields!(
            c,
            name,
            sex,
            birth,
            address,
            number,
            issuer,
            valid_from,
            valid_to,
            travel_permit_number,
            issue_count
        ),
        CardText::Foreigner2017(c) => fields!(
            c,
            english_name,
            sex,
            number,
            nationality,
            chinese_name,
            issue_date,
            expiry_date,
            birth,
            card_version,
            authority_code
        ),
        CardText::Foreigner2023(c) => fields!(
            c,
            chinese_name,
            sex,
            renewal_count,
            birth,
            number,
            valid_from,
            valid_to,
            nationality,
            previous_number_link
        ),
    }
}

#[test]
fn all_four_layouts_are_decoded_and_encoded() {
    let vectors = load("idcard.json");
    assert_eq!(list(&vectors, "text_blocks").len(), 4);
    for vector in list(&vectors, "text_blocks") {
        let block = hex(text(vector, "hex"));
        let card = decode_text(&block).unwrap();
        let (raw, expected) = (&vector["raw_fields"], &vector["expected"]);
        let fields = raw_fields(&card);
        for (name, value) in &fields {
            assert_eq!(value, text(raw, name), "{name}");
        }
        // Every listed field is one of ours, apart from the mark and the two halves of the English name.
        let rest = ["type_mark", "english_name_1", "english_name_2"];
        for name in raw.as_object().unwrap().keys().filter(|name| !rest.contains(&name.as_str())) {
            assert!(fields.iter().any(|(ours, _)| ours == name), "{name} is not decoded");
        }
        assert_eq!(card.document(), text(expected, "document"));
        assert_eq!(card.sex(), expected["sex_text"].as_str());
        assert_eq!(card.ethnic(), expected["ethnic_text"].as_str());
        assert_eq!(card.birth_iso().as_deref(), expected["birth_iso"].as_str());
        assert_eq!(card.valid_from_iso().as_deref(), expected["valid_from_iso"].as_str());
        assert_eq!(card.valid_to_iso().as_deref(), expected["valid_to_iso"].as_str());
        assert_eq!(card.is_long_term(), expected["long_term"].as_bool().unwrap());
        match &card {
            CardText::HmtResidence(card) => assert_eq!(card.region(), expected["region"].as_str()),
            CardText::Foreigner2023(card) => {
                assert_eq!(card.english_name, text(expected, "english_name_full"));
                assert_eq!(card.derived_old_number().unwrap().as_str(), text(expected, "derived_old_number"));
            }
            CardText::Mainland(_) | CardText::Foreigner2017(_) => {}
        }
        assert_eq!(encode_text(&card).unwrap().to_vec(), block, "{}", card.document());
    }
}

#[test]
fn every_field_stands_at_its_listed_place() {
    let vectors = load("idcard.json");
    for (id, layout) in vectors["layouts"].as_object().unwrap() {
        let block = hex(text(by(list(&vectors, "text_blocks"), "id", id), "hex"));
        let fields = raw_fields(&decode_text(&block).unwrap());
        let mut next = 0;
        for place in layout.as_array().unwrap() {
            let number = |key: &str| place[key].as_u64().unwrap() as usize;
            let (name, at, bytes) = (text(place, "field"), number("offset"), number("bytes"));
            assert_eq!(at, next, "{id}: the places leave no gap");
            next = at + bytes;
            let Some((_, value)) = fields.iter().find(|(ours, _)| *ours == name) else {
                let known = ["type_mark", "english_name_1", "english_name_2"];
                assert!(known.contains(&name) || name.starts_with("reserved"), "{id}: nobody reads {name}");
                continue;
            };
            // A letter in the field's first place, alone in an empty block, comes out of this field.
            let mut probe = [b' ', 0].repeat(TEXT_BYTES / 2);
            probe[248..250].copy_from_slice(&block[248..250]);
            probe[at] = b'Q';
            let found = raw_fields(&decode_text(&probe).unwrap());
            assert!(found.iter().all(|(ours, value)| (*ours == name) == (value == "Q")), "{id}: {name}");
            assert!(value.encode_utf16().count() * 2 <= bytes);
        }
        assert_eq!(next, TEXT_BYTES, "{id}");
    }
}

#[test]
fn rare_names_are_read_and_written_as_they_are() {
    let rare = load("rare_names.json");
    for vector in list(&rare, "names") {
        let mut block = [b' ', 0].repeat(TEXT_BYTES / 2);
        block[..30].copy_from_slice(&hex(text(vector, "id_field_30")));
        let card = decode_text(&block).unwrap();
        let name = text(vector, "name");
        assert_eq!(name.encode_utf16().count() as u64, vector["utf16_units"].as_u64().unwrap());
        let mut written = MainlandCard::default();
        written.name = name.to_owned();
        let written = encode_text(&CardText::Mainland(written));
        if vector["fits"] == Value::Bool(false) {
            assert_eq!(card.name(), text(vector, "decoded_from_field"));
            assert!(!card.name_is_whole());
            assert_eq!(written, Err(TextError::TooLong("name")), "we do not cut a character in two");
        } else {
            // No normal form, and no mapping of old private codes: the name is what the chip says.
            assert_eq!(card.name(), name);
            assert!(card.name_is_whole());
            assert_eq!(written.unwrap()[..30], block[..30], "{name}");
        }
    }
}

#[test]
fn every_listed_character_survives_the_block() {
    let rare = load("rare_names.json");
    let characters = list(&rare, "characters").iter().map(|entry| text(entry, "char").to_owned());
    let compatibility = list(&rare["nine_compatibility"], "entries").iter();
    let codes = list(&rare, "beyond_bmp_edges").iter().chain(list(&rare["middle_dots"], "variants"));
    let private = rare["legacy_private_use"]["map"].as_object().unwrap().keys().map(String::as_str);
    let of_code = |code: &str| {
        let number = u32::from_str_radix(code.trim_start_matches("U+"), 16).unwrap();
        char::from_u32(number).unwrap().to_string()
    };
    let all: Vec<String> = characters
        .chain(compatibility.map(|entry| text(entry, "char").to_owned()))
        .chain(codes.map(|entry| of_code(text(entry, "code_point"))))
        .chain(private.map(of_code))
        .collect();
    assert!(all.len() > 100, "{}", all.len());
    for character in all {
        let mut card = MainlandCard::default();
        card.name = format!("测{character}样{character}本");
        let card = CardText::Mainland(card);
        assert_eq!(decode_text(&encode_text(&card).unwrap()).unwrap().name(), card.name(), "{character}");
    }
}

#[test]
fn the_old_number_behind_a_new_one_is_derived() {
    let vectors = load("idcard.json");
    let vector = &vectors["derived_old_number"];
    let mut card = Foreigner2023Card::default();
    card.number = text(vector, "number").to_owned();
    card.nationality = text(vector, "nationality").to_owned();
    card.previous_number_link = text(vector, "link").to_owned();
    assert_eq!(card.derived_old_number().unwrap().as_str(), text(vector, "result"));
    for blank in ["", "0", "00"] {
        card.previous_number_link = blank.to_owned();
        assert_eq!(card.derived_old_number(), None, "{blank:?}");
    }
}

#[test]
fn a_space_at_the_joint_of_the_english_name_stays() {
    let mut card = Foreigner2023Card::default();
    card.english_name = format!("{} {}", "A".repeat(34), "B".repeat(11));
    let card = CardText::Foreigner2023(card);
    let block = encode_text(&card).unwrap();
    assert_eq!(block[52 + 68..52 + 70], [b' ', 0], "the space is the last character of the first place");
    assert_eq!(decode_text(&block).unwrap(), card);
}

#[test]
fn fields_that_do_not_fit_are_named_without_their_content() {
    let mut card = MainlandCard::default();
    card.name = "测".repeat(16);
    let error = encode_text(&CardText::Mainland(card.clone())).unwrap_err();
    assert_eq!(error, TextError::TooLong("name"));
    assert!(!error.to_string().contains('测'));
    card.name.truncate("测".len() * 15);
    assert!(encode_text(&CardText::Mainland(card)).is_ok());
}

#[test]
fn impossible_dates_are_no_dates() {
    let card = |birth: &str| {
        let mut card = MainlandCard::default();
        card.birth = birth.to_owned();
        CardText::Mainland(card)
    };
    assert_eq!(card("20240229").birth_iso().as_deref(), Some("2024-02-29"));
    for wrong in
        ["20230229", "19000229", "20241301", "20240001", "20240100", "20240431", "2024010", "2024-1-1"]
    {
        assert_eq!(card(wrong).birth_iso(), None, "{wrong}");
    }
}
