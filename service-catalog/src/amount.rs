//! Numbers and sums of money. Both are stored and sent as digits in a text, so that no reader of JSON ever makes a
//! fraction of them: a number as it is, money in whole fen (分).

use crate::answer::AnswerProblem;
use crate::file::QuestionFile;
use crate::item::QuestionKind;
use crate::problem::{Fault, ItemProblem};
use serde_json::{Value, json};
use std::ops::Range;
use toml::Spanned;

/// Nine digits can still be read.
const MOST_NUMBER: u32 = 999_999_999;
/// A sum of eight digits can still be read.
const MOST_YUAN: u32 = 99_999_999;
/// 一元等于一百分.
const FEN_IN_YUAN: u64 = 100;

/// What a number or money question allows, both included: the number itself, or fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Smallest allowed.
    pub least: u64,
    /// Largest allowed.
    pub most: u64,
}

impl Amount {
    /// The limits of a question, written as numbers or as whole yuan; `None` for other kinds.
    pub(crate) fn read(raw: &QuestionFile, place: &Range<usize>) -> Result<Option<Amount>, Fault> {
        let (unit, limit) = match raw.kind {
            QuestionKind::Number => (1, MOST_NUMBER),
            QuestionKind::Money => (FEN_IN_YUAN, MOST_YUAN),
            _ => return Ok(None),
        };
        let written = |key: &Option<Spanned<u32>>| key.as_ref().map_or(0, |value| *value.get_ref());
        let (least, most) = (written(&raw.least), written(&raw.most));
        if least > most || most > limit {
            let span = raw.most.as_ref().map_or_else(|| place.clone(), Spanned::span);
            return Err(Fault::at(span, ItemProblem::NoAmountAllowed { limit }));
        }
        Ok(Some(Amount { least: u64::from(least) * unit, most: u64::from(most) * unit }))
    }

    /// Digits without a leading zero, within the limits.
    pub(crate) fn check(self, text: &str) -> Result<(), AnswerProblem> {
        let value = parse_amount(text).ok_or(AnswerProblem::NotANumber)?;
        if value < self.least {
            return Err(AnswerProblem::TooSmall { least: self.least });
        }
        if value > self.most {
            return Err(AnswerProblem::TooLarge { most: self.most });
        }
        Ok(())
    }
}

/// Reads digits without a leading zero.
pub(crate) fn parse_amount(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 11 && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// The same rule as [`parse_amount`]. A schema cannot compare digits in a text: the limits stand in `$comment`.
pub(crate) fn amount_schema() -> Value {
    json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,10})$" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::question;

    #[test]
    fn limits_of_money_are_written_in_yuan_and_kept_in_fen() {
        let number = question("kind = \"number\"\nleast = 1\nmost = 20");
        assert_eq!(number.amount, Some(Amount { least: 1, most: 20 }));
        let money = question("kind = \"money\"\nmost = 5000");
        assert_eq!(money.amount, Some(Amount { least: 0, most: 500_000 }));
    }

    #[test]
    fn amounts_are_digits_within_the_limits() {
        let amount = Amount { least: 1, most: 20 };
        for good in ["1", "20"] {
            assert_eq!(amount.check(good), Ok(()));
        }
        for bad in ["", "01", "+1", "1.0", "１", "-1", "1e1", "123456789012"] {
            assert_eq!(amount.check(bad), Err(AnswerProblem::NotANumber), "{bad}");
        }
        assert_eq!(amount.check("0"), Err(AnswerProblem::TooSmall { least: 1 }));
        assert_eq!(amount.check("21"), Err(AnswerProblem::TooLarge { most: 20 }));
    }

    proptest::proptest! {
        #[test]
        fn pattern_and_function_agree(text in "[0-9x.]{0,13}") {
            proptest::prop_assert_eq!(jsonschema::is_valid(&amount_schema(), &json!(text)), parse_amount(&text).is_some());
        }
    }
}
