//! What a card says. The type zeroes itself on drop and prints as `[redacted]`.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The free records of a social-security card, decoded and not judged. What a card does not hold, or does not show
/// without a key, is empty; number and name are always there.
#[derive(Clone, PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop)]
pub struct SocialSecurityCard {
    /// 社会保障号码, which is the 公民身份号码: 18 characters.
    pub number: String,
    /// 姓名. The card has 30 bytes of GBK for it; what does not fit stands in 姓名拓展, whose coding is not public.
    pub name: String,
    /// Sex code, GB/T 2261.1.
    pub sex: String,
    /// Ethnic code, GB/T 3304, two digits; that the byte is BCD is inferred, not confirmed.
    pub ethnic: String,
    /// Area code of the birth place, six digits.
    pub birth_place: String,
    /// Birth, `YYYYMMDD`.
    pub birth: String,
    /// 卡识别码: 32 digits; the first six are the area code of the issuing place.
    pub card_id: String,
    /// Version of the card's specification: `1.00`, `2.00` or `3.00`.
    pub version: String,
    /// Issue date, `YYYYMMDD`.
    pub issued: String,
    /// Valid until, `YYYYMMDD`.
    pub valid_until: String,
    /// 卡号, nine characters.
    pub card_number: String,
}

impl fmt::Debug for SocialSecurityCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocialSecurityCard([redacted])")
    }
}
