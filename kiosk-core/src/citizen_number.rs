//! 公民身份号码 and its relatives with the same structure (港澳台居民居住证, 2023 外国人永久居留身份证):
//! 18 characters, birth date inside, ISO 7064 MOD 11-2 at the end (GB 11643-1999).

use crate::calendar::{self, Date};
use crate::check_digit::mod_11_2;
use crate::private::Private;
use zeroize::Zeroize;

/// A number whose structure, birth date and check character are right. Whether it was ever issued,
/// and whether the birth lies in the past, are other questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitizenNumber(Private<String>);

/// What is wrong with a typed number, so that the kiosk can name it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// Not 18 characters.
    Length,
    /// A character that is no digit (or an X before the end).
    Characters,
    /// The eight digits in the middle are no day of the calendar.
    BirthDate,
    /// The last character does not fit the others: a slip of the finger.
    CheckCharacter,
}

impl CitizenNumber {
    /// Reads a number as people type it: spaces, full-width characters and a small x are fine.
    pub fn parse(typed: &str) -> Result<Self, NumberFault> {
        let mut number = normalise(typed);
        match fault_of(&number) {
            None => Ok(CitizenNumber(Private::new(number))),
            Some(fault) => {
                number.zeroize();
                Err(fault)
            }
        }
    }

    /// The 18 characters, X upper-case.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The birth date inside the number. For a 2023 foreigner's number it stands at the same place.
    pub fn birth(&self) -> Date {
        calendar::from_compact(&self.expose()[6..14]).unwrap_or(Date::MIN)
    }
}

/// Removes spaces and turns x to X. A number typed wholly in an input method's full-width mode becomes
/// ASCII; a single full-width character among others is a slip and stays one.
fn normalise(typed: &str) -> String {
    let typed_characters = || typed.chars().filter(|c| !c.is_whitespace());
    let full_width = typed_characters().all(|c| matches!(c, '０'..='９' | 'ｘ' | 'Ｘ'));
    let mut number = String::with_capacity(typed.len());
    for character in typed_characters() {
        number.push(match character {
            '０'..='９' if full_width => char::from(b'0' + (character as u32 - '０' as u32) as u8),
            'ｘ' | 'Ｘ' if full_width => 'X',
            'x' => 'X',
            other => other,
        });
    }
    number
}

fn fault_of(number: &str) -> Option<NumberFault> {
    if number.chars().count() != 18 {
        return Some(NumberFault::Length);
    }
    let digits_only = number.is_ascii() && number.bytes().take(17).all(|b| b.is_ascii_digit());
    let last = number.chars().last()?;
    if !digits_only || !(last.is_ascii_digit() || last == 'X') {
        return Some(NumberFault::Characters);
    }
    // Numbers that start with 9 and numbers of residents both carry the birth at 6..14.
    if calendar::from_compact(&number[6..14]).is_none() {
        return Some(NumberFault::BirthDate);
    }
    if mod_11_2(&number[..17]) != Some(last) {
        return Some(NumberFault::CheckCharacter);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/checkdigits.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn list<'a>(vectors: &'a Value, key: &str) -> Vec<&'a Value> {
        vectors[key].as_array().unwrap().iter().collect()
    }

    #[test]
    fn every_valid_vector_is_accepted() {
        let vectors = vectors();
        let mut seen = 0;
        for key in ["citizen_valid", "hmt_residence_valid", "foreigner_2023_valid"] {
            for entry in list(&vectors, key) {
                let number = entry["number"].as_str().unwrap();
                let parsed = CitizenNumber::parse(number).unwrap_or_else(|e| panic!("{number}: {e:?}"));
                if let Some(birth) = entry["birth"].as_str() {
                    assert_eq!(calendar::iso(parsed.birth()).replace('-', ""), birth);
                }
                seen += 1;
            }
        }
        assert!(seen > 10, "the vectors were read");
    }

    #[test]
    fn every_invalid_vector_is_refused_for_its_reason() {
        let vectors = vectors();
        for key in ["citizen_invalid", "hmt_residence_invalid", "foreigner_2023_invalid"] {
            for entry in list(&vectors, key) {
                let number = entry["number"].as_str().unwrap();
                let wanted = match entry["reason"].as_str().unwrap() {
                    "length" => NumberFault::Length,
                    "character" | "characters" => NumberFault::Characters,
                    "birth_date" => NumberFault::BirthDate,
                    _ => NumberFault::CheckCharacter,
                };
                assert_eq!(CitizenNumber::parse(number).err(), Some(wanted), "{number}");
            }
        }
    }

    #[test]
    fn typed_forms_are_normalised() {
        for entry in list(&vectors(), "citizen_normalise") {
            let parsed = CitizenNumber::parse(entry["input"].as_str().unwrap()).unwrap();
            assert_eq!(parsed.expose(), entry["output"].as_str().unwrap());
        }
    }

    #[test]
    fn every_single_change_and_every_swap_of_neighbours_fails() {
        for entry in list(&vectors(), "citizen_valid") {
            let number = entry["number"].as_str().unwrap();
            for at in 0..18 {
                for other in "0123456789X".chars() {
                    let mut changed: Vec<char> = number.chars().collect();
                    if changed[at] != other {
                        changed[at] = other;
                        let changed: String = changed.into_iter().collect();
                        assert!(CitizenNumber::parse(&changed).is_err(), "{number} → {changed}");
                    }
                }
                let mut swapped: Vec<char> = number.chars().collect();
                if at < 17 && swapped[at] != swapped[at + 1] {
                    swapped.swap(at, at + 1);
                    let swapped: String = swapped.into_iter().collect();
                    assert!(CitizenNumber::parse(&swapped).is_err(), "{number} → {swapped}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_typed_can_panic(text in "\\PC{0,24}") {
            let _ = CitizenNumber::parse(&text);
        }
    }
}
