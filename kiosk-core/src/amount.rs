//! Numbers and sums of money as residents type them. Money is counted in whole fen (分), never in fractions of yuan.

/// What a question allows, both included: the number itself, or fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Smallest allowed.
    pub least: u64,
    /// Largest allowed.
    pub most: u64,
}

impl Amount {
    /// Whether it lies within.
    pub fn holds(self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

const FEN_IN_YUAN: u64 = 100;
/// 角 and 分.
const DECIMALS: usize = 2;
/// Most digits of a number, or of the yuan of a sum.
pub const DIGITS_MAX: usize = 9;
/// Most characters of a sum as it is typed: yuan, the point, two decimals.
pub const MONEY_CHARS_MAX: usize = DIGITS_MAX + 1 + DECIMALS;

/// The number that was typed; zeros in front do not count.
pub fn number(typed: &str) -> Option<u64> {
    let good = (1..=DIGITS_MAX).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    if good { typed.parse().ok() } else { None }
}

/// The sum that was typed, in fen: `12`, `12.5` and `12.50` are yuan with none, one or two decimals.
pub fn fen(typed: &str) -> Option<u64> {
    let (yuan, decimals) = typed.split_once('.').unwrap_or((typed, ""));
    let digits = decimals.len() <= DECIMALS && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let fen: u64 = if digits { format!("{decimals:0<2}").parse().ok()? } else { return None };
    Some(number(yuan)? * FEN_IN_YUAN + fen)
}

/// Fen as yuan with two decimals.
pub fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / FEN_IN_YUAN, fen % FEN_IN_YUAN)
}

/// Whether this key may follow what was typed of a sum: digits, one point, two decimals.
pub fn fits_sum(typed: &str, key: char) -> bool {
    match (typed.split_once('.'), key) {
        (None, '.') => !typed.is_empty(),
        (None, '0'..='9') => typed.len() < DIGITS_MAX,
        (Some((_, decimals)), '0'..='9') => decimals.len() < DECIMALS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_counted_in_fen() {
        for (typed, expected) in
            [("0", 0), ("12", 1200), ("12.", 1200), ("12.5", 1250), ("12.05", 1205), ("007", 700)]
        {
            assert_eq!(fen(typed), Some(expected), "{typed}");
        }
        for typed in ["", ".", ".5", "1.234", "1.2.3", "1,5", "-1", "1e3", "１", "1234567890"] {
            assert_eq!(fen(typed), None, "{typed}");
        }
        assert_eq!(
            (yuan(1205), yuan(5), yuan(99_999_999_999)),
            ("12.05".into(), "0.05".into(), "999999999.99".into())
        );
    }

    #[test]
    fn what_was_said_can_be_typed_again() {
        for sum in [0, 5, 50, 1205, 123_456_789] {
            assert_eq!(fen(&yuan(sum)), Some(sum));
        }
    }

    #[test]
    fn keys_that_make_no_sum_do_nothing() {
        let typed = |keys: &str| {
            let mut typed = String::new();
            for key in keys.chars().filter(|key| *key != ' ') {
                if fits_sum(&typed, key) {
                    typed.push(key);
                }
            }
            typed
        };
        assert_eq!(typed(".12.3.456"), "12.34");
        assert_eq!(typed("12345678901"), "123456789");
        assert_eq!(typed("12a-"), "12");
        assert!(typed("999999999.999").len() <= MONEY_CHARS_MAX);
    }

    #[test]
    fn numbers_have_digits_alone() {
        assert_eq!((number("007"), number("0")), (Some(7), Some(0)));
        for typed in ["", "1.0", "-1", "１２", "1234567890"] {
            assert_eq!(number(typed), None, "{typed}");
        }
        assert!(Amount { least: 1, most: 3 }.holds(3) && !Amount { least: 1, most: 3 }.holds(0));
    }
}
