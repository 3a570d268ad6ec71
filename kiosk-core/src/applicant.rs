//! 申请人: the natural person who identified at the kiosk, as the card or the typed number tells.

use crate::calendar::{self, Date};
use crate::private::Private;

/// How a resident identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentificationWay {
    /// An ID card on its reader.
    IdCard,
    /// A social-security card in its reader.
    SocialSecurityCard,
    /// The number typed on the screen.
    Typed,
}

/// The cards that are read, each in a reader of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// 居民身份证 and its relatives: laid on the reader.
    IdCard,
    /// 社会保障卡: put into the reader.
    SocialSecurityCard,
}

impl CardKind {
    /// Both.
    pub const ALL: [CardKind; 2] = [CardKind::IdCard, CardKind::SocialSecurityCard];

    /// The way to identify that this card is.
    pub fn way(self) -> IdentificationWay {
        match self {
            CardKind::IdCard => IdentificationWay::IdCard,
            CardKind::SocialSecurityCard => IdentificationWay::SocialSecurityCard,
        }
    }
}

/// What the resident identified with: the four ID cards (GA/T 490 layouts a to d), or a social-security card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// 居民身份证.
    ResidentIdCard,
    /// 港澳台居民居住证.
    HmtResidencePermit,
    /// 外国人永久居留身份证, 2017 edition.
    Foreigner2017,
    /// 外国人永久居留身份证, 2023 edition.
    Foreigner2023,
    /// 社会保障卡.
    SocialSecurityCard,
}

/// What is known about the applicant. Every field is personal data.
#[derive(Clone, Debug, PartialEq)]
pub struct Applicant {
    /// Which card, or typed.
    pub way: IdentificationWay,
    /// The kind of card.
    pub document: DocumentKind,
    /// Name as on the card; unknown when the number was typed.
    pub name: Option<Private<String>>,
    /// The card's number.
    pub number: Private<String>,
    /// Sex as a GB/T 2261.1 code ("1", "2", …).
    pub sex: Option<Private<String>>,
    /// Ethnic group as a GB/T 3304 code.
    pub ethnic: Option<Private<String>>,
    /// Birth, `YYYY-MM-DD`.
    pub birth: Option<Private<String>>,
    /// Address on the card.
    pub address: Option<Private<String>>,
    /// Issuing authority.
    pub issuer: Option<Private<String>>,
    /// First day of validity.
    pub valid_from: Option<Date>,
    /// Last day of validity; `None` = 长期, or the card does not say.
    pub valid_to: Option<Date>,
}

impl Applicant {
    /// Someone of whom only the number is known.
    pub fn typed(number: &crate::citizen_number::CitizenNumber) -> Self {
        Applicant {
            way: IdentificationWay::Typed,
            document: DocumentKind::ResidentIdCard,
            name: None,
            number: Private::from(number.expose()),
            sex: None,
            ethnic: None,
            birth: Some(Private::new(calendar::iso(number.birth()))),
            address: None,
            issuer: None,
            valid_from: None,
            valid_to: None,
        }
    }

    /// The holder of a social-security card, of whom it tells no address and no issuer. Birth is that of the number,
    /// which has been checked.
    pub fn by_social_security_card(
        name: Private<String>,
        number: &crate::citizen_number::CitizenNumber,
    ) -> Self {
        Applicant {
            way: IdentificationWay::SocialSecurityCard,
            document: DocumentKind::SocialSecurityCard,
            name: Some(name),
            ..Applicant::typed(number)
        }
    }

    /// Full years of age on `today`, when the birth is known and not in the future.
    pub fn age_on(&self, today: Date) -> Option<u32> {
        let birth = calendar::from_iso(self.birth.as_ref()?.expose())?;
        calendar::age_on(birth, today)
    }

    /// Whether the card was no longer valid on `today`. The last day itself is still valid.
    pub fn expired_on(&self, today: Date) -> bool {
        self.valid_to.is_some_and(|last_day| last_day < today)
    }
}

/// Shows a number as "990…11": first three and last two characters. With more, the check character
/// would give the hidden digits away.
pub fn masked_number(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    if characters.len() < 8 {
        return "•".repeat(characters.len());
    }
    let head: String = characters[..3].iter().collect();
    let tail: String = characters[characters.len() - 2..].iter().collect();
    format!("{head}{}{tail}", "•".repeat(characters.len() - 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citizen_number::CitizenNumber;

    #[test]
    fn debug_of_an_applicant_shows_no_personal_text() {
        let applicant = Applicant::typed(&CitizenNumber::parse("11010519491231002X").unwrap());
        let shown = format!("{applicant:?}");
        assert!(!shown.contains("1101") && !shown.contains("1949"), "{shown}");
    }

    #[test]
    fn the_last_day_is_still_valid() {
        let mut applicant = Applicant::typed(&CitizenNumber::parse("11010519491231002X").unwrap());
        applicant.valid_to = calendar::from_iso("2020-06-30");
        assert!(!applicant.expired_on(calendar::from_iso("2020-06-30").unwrap()));
        assert!(applicant.expired_on(calendar::from_iso("2020-07-01").unwrap()));
        applicant.valid_to = None;
        assert!(!applicant.expired_on(calendar::from_iso("2099-07-01").unwrap()));
    }

    #[test]
    fn masking_keeps_three_and_two() {
        assert_eq!(masked_number("11010519491231002X"), "110•••••••••••••2X");
        assert_eq!(masked_number("short"), "•••••");
    }
}
