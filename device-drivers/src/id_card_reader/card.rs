//! What a card says. Every type here zeroes itself on drop and prints as `[redacted]`.
//!
//! Fields hold exactly what the chip holds, without the padding: codes stay codes, dates stay `YYYYMMDD`.
//! Methods translate. Nothing is judged: an impossible date or number is still shown to the caller as it is.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::protocol::codes;

/// The text block of one of the four known documents.
#[derive(Clone, PartialEq, Eq)]
pub enum CardText {
    /// 居民身份证.
    Mainland(MainlandCard),
    /// 港澳台居民居住证.
    HmtResidence(HmtResidenceCard),
    /// 外国人永久居留身份证, 2017 layout.
    Foreigner2017(Foreigner2017Card),
    /// 外国人永久居留身份证, 2023 layout.
    Foreigner2023(Foreigner2023Card),
}

macro_rules! card {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop)]
        pub struct $name { $($(#[$field_doc])* pub $field: String),+ }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

card! {
    /// 居民身份证 of a mainland resident.
    MainlandCard {
        /// 姓名.
        name,
        /// Sex code, GB/T 2261.1.
        sex,
        /// Ethnic code, GB/T 3304, two digits.
        ethnic,
        /// Birth, `YYYYMMDD`.
        birth,
        /// 住址.
        address,
        /// 公民身份号码.
        number,
        /// 签发机关.
        issuer,
        /// Valid from, `YYYYMMDD`.
        valid_from,
        /// Valid to, `YYYYMMDD` or 长期.
        valid_to,
    }
}

card! {
    /// 港澳台居民居住证: residence permit of residents of Hong Kong, Macao and Taiwan.
    HmtResidenceCard {
        /// 姓名.
        name,
        /// Sex code, GB/T 2261.1.
        sex,
        /// Birth, `YYYYMMDD`.
        birth,
        /// 住址.
        address,
        /// 公民身份号码, starting 810000, 820000 or 830000.
        number,
        /// 签发机关.
        issuer,
        /// Valid from, `YYYYMMDD`.
        valid_from,
        /// Valid to, `YYYYMMDD`.
        valid_to,
        /// 通行证号码, 9 characters.
        travel_permit_number,
        /// 签发次数.
        issue_count,
    }
}

card! {
    /// 外国人永久居留身份证, 2017 layout.
    Foreigner2017Card {
        /// English name, upper case.
        english_name,
        /// Sex code, GB/T 2261.1.
        sex,
        /// Card number: 3 letters and 12 digits.
        number,
        /// Nationality, 3 letters.
        nationality,
        /// Chinese name, may be empty.
        chinese_name,
        /// Issue date, `YYYYMMDD`.
        issue_date,
        /// Expiry date, `YYYYMMDD`.
        expiry_date,
        /// Birth, `YYYYMMDD`.
        birth,
        /// Version of the card.
        card_version,
        /// Code of the accepting authority.
        authority_code,
    }
}

card! {
    /// 外国人永久居留身份证, 2023 layout.
    Foreigner2023Card {
        /// Chinese name.
        chinese_name,
        /// Sex code, GB/T 2261.1.
        sex,
        /// How often the card was renewed.
        renewal_count,
        /// Birth, `YYYYMMDD`.
        birth,
        /// English name, its two parts on the chip joined.
        english_name,
        /// Number, 18 digits.
        number,
        /// Valid from, `YYYYMMDD`.
        valid_from,
        /// Valid to, `YYYYMMDD`.
        valid_to,
        /// Nationality, 3 letters.
        nationality,
        /// Link to the previous card's number, 3 characters or empty.
        previous_number_link,
    }
}

impl CardText {
    /// The document's official name.
    pub fn document(&self) -> &'static str {
        match self {
            CardText::Mainland(_) => "居民身份证",
            CardText::HmtResidence(_) => "港澳台居民居住证",
            CardText::Foreigner2017(_) => "外国人永久居留身份证 (2017)",
            CardText::Foreigner2023(_) => "外国人永久居留身份证 (2023)",
        }
    }

    /// The Chinese name, or the English one where the card has no other.
    pub fn name(&self) -> &str {
        match self {
            CardText::Mainland(card) => &card.name,
            CardText::HmtResidence(card) => &card.name,
            CardText::Foreigner2017(card) if card.chinese_name.is_empty() => &card.english_name,
            CardText::Foreigner2017(card) => &card.chinese_name,
            CardText::Foreigner2023(card) if card.chinese_name.is_empty() => &card.english_name,
            CardText::Foreigner2023(card) => &card.chinese_name,
        }
    }

    /// Whether every character of the name was read. A name with a rare character may not fit its place; then
    /// the last character is cut in two on the chip and stands here as U+FFFD.
    pub fn name_is_whole(&self) -> bool {
        !self.name().contains(char::REPLACEMENT_CHARACTER)
    }

    /// The number of the document.
    pub fn number(&self) -> &str {
        match self {
            CardText::Mainland(card) => &card.number,
            CardText::HmtResidence(card) => &card.number,
            CardText::Foreigner2017(card) => &card.number,
            CardText::Foreigner2023(card) => &card.number,
        }
    }

    /// The sex code as the chip holds it.
    pub fn sex_code(&self) -> &str {
        match self {
            CardText::Mainland(card) => &card.sex,
            CardText::HmtResidence(card) => &card.sex,
            CardText::Foreigner2017(card) => &card.sex,
            CardText::Foreigner2023(card) => &card.sex,
        }
    }

    /// The sex in a word, `None` for a code outside GB/T 2261.1.
    pub fn sex(&self) -> Option<&'static str> {
        codes::sex(self.sex_code())
    }

    /// The ethnic group, only on mainland cards.
    pub fn ethnic(&self) -> Option<&'static str> {
        match self {
            CardText::Mainland(card) => codes::ethnic_group(&card.ethnic),
            _ => None,
        }
    }

    /// The address, where the document has one.
    pub fn address(&self) -> Option<&str> {
        match self {
            CardText::Mainland(card) => Some(&card.address),
            CardText::HmtResidence(card) => Some(&card.address),
            CardText::Foreigner2017(_) | CardText::Foreigner2023(_) => None,
        }
    }

    /// The issuing authority, where the chip holds its name.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            CardText::Mainland(card) => Some(&card.issuer),
            CardText::HmtResidence(card) => Some(&card.issuer),
            CardText::Foreigner2017(_) | CardText::Foreigner2023(_) => None,
        }
    }

    /// Birth as `YYYY-MM-DD`, `None` when the chip holds no date.
    pub fn birth_iso(&self) -> Option<String> {
        iso_date(match self {
            CardText::Mainland(card) => &card.birth,
            CardText::HmtResidence(card) => &card.birth,
            CardText::Foreigner2017(card) => &card.birth,
            CardText::Foreigner2023(card) => &card.birth,
        })
    }

    /// First day of validity as `YYYY-MM-DD`.
    pub fn valid_from_iso(&self) -> Option<String> {
        iso_date(match self {
            CardText::Mainland(card) => &card.valid_from,
            CardText::HmtResidence(card) => &card.valid_from,
            CardText::Foreigner2017(card) => &card.issue_date,
            CardText::Foreigner2023(card) => &card.valid_from,
        })
    }

    /// Last day of validity as `YYYY-MM-DD`; `None` for 长期 (see [`CardText::is_long_term`]) and for no date.
    pub fn valid_to_iso(&self) -> Option<String> {
        iso_date(self.valid_to())
    }

    /// Whether the card is valid without end (长期).
    pub fn is_long_term(&self) -> bool {
        self.valid_to() == "长期"
    }

    fn valid_to(&self) -> &str {
        match self {
            CardText::Mainland(card) => &card.valid_to,
            CardText::HmtResidence(card) => &card.valid_to,
            CardText::Foreigner2017(card) => &card.expiry_date,
            CardText::Foreigner2023(card) => &card.valid_to,
        }
    }
}

impl fmt::Debug for CardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardText({}, [redacted])", self.document())
    }
}

impl HmtResidenceCard {
    /// The region that the number's first digits name: 香港, 澳门 or 台湾.
    pub fn region(&self) -> Option<&'static str> {
        match self.number.get(..6)? {
            "810000" => Some("香港"),
            "820000" => Some("澳门"),
            "830000" => Some("台湾"),
            _ => None,
        }
    }
}

impl Foreigner2023Card {
    /// The number of the holder's card of the old kind, where the link to it is not blank (one source).
    pub fn derived_old_number(&self) -> Option<Zeroizing<String>> {
        let (number, link) = (self.number.as_str(), self.previous_number_link.as_str());
        let ascii = [self.nationality.as_str(), number, link].iter().all(|part| part.is_ascii());
        if !ascii || self.nationality.len() != 3 || number.len() != 18 || link.len() != 3 {
            return None;
        }
        let mut old = Zeroizing::new(String::with_capacity(16));
        for part in [&self.nationality[..], &number[1..3], &link[..2], &number[8..14], &link[2..]] {
            old.push_str(part);
        }
        let mut sum = 0;
        for (character, weight) in old.chars().zip([7, 3, 1].into_iter().cycle()) {
            sum += character.to_digit(36)? * weight;
        }
        old.push(char::from_digit(sum % 10, 10)?);
        Some(old)
    }
}

/// `YYYYMMDD` as `YYYY-MM-DD`, when it is a date of the calendar.
fn iso_date(text: &str) -> Option<String> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (&text[..4], &text[4..6], &text[6..]);
    let number: u32 = year.parse().ok()?;
    let leap = number.is_multiple_of(4) && (!number.is_multiple_of(100) || number.is_multiple_of(400));
    let last = match month.parse::<u32>().ok()? {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    let day_number: u32 = day.parse().ok()?;
    (1..=last).contains(&day_number).then(|| format!("{year}-{month}-{day}"))
}
