//! What kind of code one is, by rules that are data: a prefix, how long, of which characters.
//!
//! Only the formats that are public are built in; those of other codes (电子社保卡, 粤居码, 粤省事) are not published,
//! so a city that knows them adds rules of its own, and everything else is handed on as unknown.

use super::ScannedCode;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRule {
    /// The kind that codes have which fit.
    pub kind: String,
    /// What they begin with, exactly.
    pub prefix: String,
    /// Of what the rest consists.
    pub characters: Characters,
    /// Characters in all, the prefix included: at least, at most.
    pub length: (usize, usize),
}

/// Of what a code consists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Characters {
    /// 0 to 9.
    Digits,
    /// 0 to 9, A to Z, a to z.
    LettersAndDigits,
    /// Anything.
    Any,
}

impl CodeRule {
    fn fits(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(&self.prefix) else { return false };
        let (least, most) = self.length;
        (least..=most).contains(&text.chars().count())
            && match self.characters {
                Characters::Digits => rest.bytes().all(|b| b.is_ascii_digit()),
                Characters::LettersAndDigits => rest.bytes().all(|b| b.is_ascii_alphanumeric()),
                Characters::Any => true,
            }
    }
}

/// Rules in order: the first that fits counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRules(Vec<CodeRule>);

impl CodeRules {
    /// 医保电子凭证: `424`, 17 digits of its own, 2 random, 2 of the province, 4 of an extension.
    pub const MEDICAL_INSURANCE: &str = "medical-insurance";
    /// The code of the same office for packages: `opc` and the same tail. Public in fewer places than the other, one
    /// of them the source of a hospital system.
    pub const MEDICAL_INSURANCE_PACKAGE: &str = "medical-insurance-package";

    /// The rules for codes whose format is public, after those of the city.
    pub fn with(mut of_the_city: Vec<CodeRule>) -> CodeRules {
        let rule = |kind: &str, prefix: &str| CodeRule {
            kind: kind.into(),
            prefix: prefix.into(),
            characters: Characters::Digits,
            length: (28, 28),
        };
        of_the_city.push(rule(CodeRules::MEDICAL_INSURANCE, "424"));
        of_the_city.push(rule(CodeRules::MEDICAL_INSURANCE_PACKAGE, "opc"));
        CodeRules(of_the_city)
    }

    /// The kind of a code; `None` when no rule fits.
    pub fn kind_of(&self, code: &ScannedCode) -> Option<&str> {
        self.0.iter().find(|rule| rule.fits(code.as_str())).map(|rule| rule.kind.as_str())
    }
}

impl Default for CodeRules {
    fn default() -> CodeRules {
        CodeRules::with(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(rules: &CodeRules, text: &str) -> Option<String> {
        rules.kind_of(&ScannedCode::new(text.to_owned())).map(str::to_owned)
    }

    #[test]
    fn the_medical_insurance_code_is_known_by_its_mark_and_nothing_else_is() {
        let rules = CodeRules::default();
        let code = "4240000000000000001234400000";
        assert_eq!(code.len(), 28);
        assert_eq!(kind(&rules, code).as_deref(), Some("medical-insurance"));
        let package = code.replacen("424", "opc", 1);
        assert_eq!(kind(&rules, &package).as_deref(), Some("medical-insurance-package"));
        let near = [&code[1..], &format!("{code}0"), &code.replace('1', "A"), &format!(" {code}"), "424", ""];
        for other in near {
            assert_eq!(kind(&rules, other), None, "{other}");
        }
        assert_eq!(kind(&rules, &"４２４".repeat(10)), None, "wide digits are other characters");
    }

    #[test]
    fn the_citys_rules_come_first() {
        let rule = CodeRule {
            kind: "queue-ticket".into(),
            prefix: "Q".into(),
            characters: Characters::LettersAndDigits,
            length: (2, 6),
        };
        let wide = CodeRule {
            kind: "any".into(),
            prefix: "424".into(),
            characters: Characters::Any,
            length: (3, 40),
        };
        let rules = CodeRules::with(vec![rule, wide]);
        assert_eq!(kind(&rules, "QA12").as_deref(), Some("queue-ticket"));
        assert_eq!(kind(&rules, "QA-12"), None);
        assert_eq!(kind(&rules, "Q123456"), None);
        assert_eq!(kind(&rules, "4240000000000000001234400000").as_deref(), Some("any"));
        assert_eq!(kind(&rules, "424号").as_deref(), Some("any"), "lengths count characters");
    }
}
