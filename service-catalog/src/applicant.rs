//! The applicant (申请人) part of a submission: which fields there are and what they may hold.

use crate::day::parse_day;
use crate::item::{ServiceItem, Way};
use serde_json::{Map, Value, json};

/// Longest name on any of the cards: the English name of the 2017 foreigner's card.
pub(crate) const NAME_MAX_CHARS: usize = 60;
/// The card holds 35 characters; typed or joined addresses may be longer.
pub(crate) const ADDRESS_MAX_CHARS: usize = 70;
/// Longest number of the cards.
pub(crate) const NUMBER_MAX_CHARS: usize = 18;
/// What the card says instead of a last day of validity.
const NO_LAST_DAY: &str = "长期";
const DAY_PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

/// What a resident may identify with; `document` of the applicant and of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// 居民身份证.
    ResidentIdCard,
    /// 港澳台居民居住证.
    HmtResidencePermit,
    /// 外国人永久居留身份证, 2017 edition.
    Foreigner2017,
    /// 外国人永久居留身份证, 2023 edition.
    Foreigner2023,
    /// 社会保障卡. Its number is the citizen number; it says no address.
    SocialSecurityCard,
}

impl Document {
    /// All of them.
    pub const ALL: [Document; 5] = [
        Document::ResidentIdCard,
        Document::HmtResidencePermit,
        Document::Foreigner2017,
        Document::Foreigner2023,
        Document::SocialSecurityCard,
    ];

    /// The word in submissions and conditions.
    pub fn word(self) -> &'static str {
        match self {
            Document::ResidentIdCard => "resident-id-card",
            Document::HmtResidencePermit => "hmt-residence-permit",
            Document::Foreigner2017 => "foreigner-2017",
            Document::Foreigner2023 => "foreigner-2023",
            Document::SocialSecurityCard => "social-security-card",
        }
    }

    /// The document with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Document::ALL.into_iter().find(|document| document.word() == word)
    }
}

/// Whether `number` can be the number of such a card: structure, birth date and check character
/// (GB 11643-1999; the 2017 foreigner's card has its own form without one that we can check).
pub fn number_is_valid(document: Document, number: &str) -> bool {
    let bytes = number.as_bytes();
    if document == Document::Foreigner2017 {
        return bytes.len() == 15
            && bytes[..3].iter().all(u8::is_ascii_uppercase)
            && bytes[3..].iter().all(u8::is_ascii_digit);
    }
    bytes.len() == 18
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && parse_day(&format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14])).is_some()
        && check_character(&bytes[..17]) == bytes[17]
}

/// ISO 7064 MOD 11-2 over 17 digits.
fn check_character(digits: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    b"10X98765432"[(sum % 11) as usize]
}

/// Names of the fields, as in the schema.
pub(crate) const APPLICANT_FIELDS: [&str; 10] =
    ["document", "name", "number", "sex", "ethnic", "birth", "address", "issuer", "valid_from", "valid_to"];

/// The schema of the applicant. A field that is not known is absent. Where an item does not allow the
/// typed number, a card was read, so the name must be there. Of a follow-up nothing is known: its case knows who asks.
pub(crate) fn applicant_schema(item: &ServiceItem) -> Value {
    if item.shape.follows().is_some() {
        return json!({ "type": "object", "maxProperties": 0 });
    }
    let documents: Vec<_> = Document::ALL.iter().map(|document| document.word()).collect();
    let mut required = vec!["document", "number"];
    if !item.identify.ways.contains(&Way::Typed) {
        required.push("name");
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": {
            "document": { "enum": documents },
            "name": words(NAME_MAX_CHARS),
            "number": { "type": "string", "pattern": "^([0-9]{17}[0-9X]|[A-Z]{3}[0-9]{12})$" },
            "sex": words(4),
            "ethnic": words(10),
            "birth": { "type": "string", "pattern": DAY_PATTERN },
            "address": words(ADDRESS_MAX_CHARS),
            "issuer": words(30),
            "valid_from": { "type": "string", "pattern": DAY_PATTERN },
            "valid_to": { "anyOf": [{ "type": "string", "pattern": DAY_PATTERN }, { "const": NO_LAST_DAY }] },
        }
    })
}

fn words(max_chars: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": max_chars, "pattern": crate::schema::PLAIN_TEXT })
}

pub(crate) fn day_schema() -> Value {
    json!({ "type": "string", "format": "date", "pattern": DAY_PATTERN })
}

/// What a JSON Schema cannot say: check characters, and days that exist. Gives (field, rule).
pub(crate) fn applicant_faults(applicant: &Map<String, Value>) -> Vec<(&'static str, &'static str)> {
    let field = |name: &str| applicant.get(name).and_then(Value::as_str);
    let mut faults = Vec::new();
    if let (Some(document), Some(number)) = (field("document").and_then(Document::from_word), field("number"))
        && !number_is_valid(document, number)
    {
        faults.push(("number", "is not a valid number for this kind of card"));
    }
    for name in ["birth", "valid_from", "valid_to"] {
        let no_last_day = name == "valid_to" && field(name) == Some(NO_LAST_DAY);
        if field(name).is_some_and(|text| parse_day(text).is_none()) && !no_last_day {
            faults.push((name, "is not a day of the calendar"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(key: &str) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/checkdigits.json");
        let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        all[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["number"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn published_numbers_pass() {
        for (document, key) in [
            (Document::ResidentIdCard, "citizen_valid"),
            (Document::SocialSecurityCard, "citizen_valid"),
            (Document::HmtResidencePermit, "hmt_residence_valid"),
            (Document::Foreigner2023, "foreigner_2023_valid"),
        ] {
            let numbers = vectors(key);
            assert!(!numbers.is_empty());
            for number in numbers {
                assert!(number_is_valid(document, &number), "{key} {number}");
            }
        }
        assert!(number_is_valid(Document::Foreigner2017, "USA440099010100"));
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for key in ["citizen_invalid", "hmt_residence_invalid", "foreigner_2023_invalid"] {
            for number in vectors(key) {
                assert!(!number_is_valid(Document::ResidentIdCard, &number), "{key} {number}");
                assert!(!number_is_valid(Document::SocialSecurityCard, &number), "{key} {number}");
            }
        }
        for number in ["", "usa440099010100", "USA44009901010", "１１０１０５１９４９１２３１００２X"]
        {
            assert!(!number_is_valid(Document::Foreigner2017, number), "{number}");
            assert!(!number_is_valid(Document::ResidentIdCard, number), "{number}");
        }
    }

    #[test]
    fn words_of_documents_are_unique() {
        for document in Document::ALL {
            assert_eq!(Document::from_word(document.word()), Some(document));
        }
        assert_eq!(Document::from_word("passport"), None);
    }
}
