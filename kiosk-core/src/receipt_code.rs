//! What the QR code on a receipt holds: the address at which a phone sees that the receipt is genuine, and behind `#` the
//! case number. A browser keeps that part to itself, so the city is asked as by the address alone; a kiosk takes number and
//! verification code from it, and nobody has to type them.
//!
//! ```text
//! https://city.example/v/ABCDEFGHJKLMNPQR#DG0001-7K3M9QXF-B
//!       city.verify_url │ 校验码         │ 办件编号
//! ```

use crate::case_number;
use crate::private::Private;
use crate::verification_code;

/// Between what the city is asked and what only a kiosk reads.
const MARK: char = '#';

/// What a kiosk takes from the code.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptCode {
    /// Case number as printed.
    pub case_number: Private<String>,
    /// Verification code as printed, without spaces.
    pub verification: Private<String>,
}

/// The text of a receipt's QR code.
pub fn compose(verify_url: &str, verification: &str, case_number: &str) -> String {
    format!("{verify_url}{verification}{MARK}{case_number}")
}

/// Reads a scanned text; `None` when it is not that of a receipt. Whose address it is does not matter: it is never
/// opened here, and only the terminal's own city is asked.
pub fn parse(text: &str) -> Option<ReceiptCode> {
    let (address, number) = text.rsplit_once(MARK)?;
    let case_number = case_number::parse(number).ok().map(Private::new)?;
    let start = address.len().checked_sub(verification_code::CHARACTERS)?;
    let (head, code) = address.split_at_checked(start)?;
    // A longer run of letters and digits is something else that happens to end like a code.
    let stands_alone = head.ends_with(|character: char| !character.is_alphanumeric());
    let is_code = code.chars().all(verification_code::may_hold);
    (stands_alone && is_code).then(|| ReceiptCode { case_number, verification: code.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "ABCDEFGHJKLMNPQR";

    fn number() -> String {
        case_number::compose("DG0001", [7; case_number::RANDOM_BYTES])
    }

    #[test]
    fn what_was_composed_is_read_back_whatever_the_address() {
        for url in
            ["https://city.example/v/", "http://127.0.0.1:1/v/", "https://城.example/verify?lang=zh&code="]
        {
            let text = compose(url, CODE, &number());
            assert!(text.starts_with(url) && !url.contains('#'), "a browser asks for {url}{CODE}");
            let read = parse(&text).unwrap();
            assert_eq!((read.case_number.expose(), read.verification.expose().as_str()), (&number(), CODE));
            assert!(!format!("{read:?}").contains(CODE));
        }
    }

    #[test]
    fn what_is_not_a_receipts_code_is_none() {
        let whole = compose("https://city.example/v/", CODE, &number());
        let slip = number().replacen('D', "E", 1);
        for other in [
            "",
            "#",
            "4240000000000000001234400000",
            "https://city.example/v/ABCDEFGHJKLMNPQR",
            &whole[..whole.len() - 1],
            &whole.replace(CODE, &CODE[1..]),
            &whole.replace(CODE, "ABCDEFGHJKLMNPQ0"),
            &whole.replace("/v/", "/v/X"),
            &whole.replace(&number(), &slip),
            &format!("{CODE}#{}", number()),
            &format!("号{CODE}#{}", number()),
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,80}", tail in "[A-Z0-9#-]{0,40}") {
            let scanned = format!("{text}{tail}");
            if let Some(read) = parse(&scanned) {
                let again = compose("https://city.example/v/", read.verification.expose(), read.case_number.expose());
                proptest::prop_assert_eq!(parse(&again), Some(read));
            }
        }
    }
}
