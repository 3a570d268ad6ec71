//! Conditions of an item: CEL, compiled when the item is loaded, evaluated with what is known.

use crate::amount::parse_amount;
use crate::applicant::Document;
use crate::day::iso;
use crate::expression::{
    AnswerForm, ExpressionFault, Uses, as_option_set, check_depth, check_names, check_truth,
};
use crate::item::Question;
use cel::{Context, Env, Program, Value};
use serde_json::Map;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use thiserror::Error;
use time::Date;
use zeroize::Zeroize;

/// Longer conditions cannot be read by people.
const MAX_CHARS: usize = 300;
/// The CEL parser needs some 150 KiB of stack for each nested bracket, and a stack that overflows kills
/// the process. Counted all together, because brackets inside a text cannot then hide others.
const MAX_BRACKETS: usize = 8;

/// The standard functions without macros: conditions cannot loop.
static ENVIRONMENT: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// What conditions may look at. Its `Debug` shows no answer, and dropping it wipes the answers.
pub struct Facts {
    /// Answers so far, by question id: a string, or a list of strings. [`Condition::questions`] tells
    /// which of them a condition looks at; the others may be left out.
    pub answers: Map<String, serde_json::Value>,
    /// The applicant, as far as known.
    pub applicant: ApplicantFacts,
    /// The calendar day in China.
    pub today: Date,
}

/// [`Facts`] as the checks of a submission have them: the day may be unknown.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) answers: &'a Map<String, serde_json::Value>,
    pub(crate) applicant: ApplicantFacts,
    pub(crate) today: Option<Date>,
}

impl Facts {
    pub(crate) fn known(&self) -> Known<'_> {
        Known { answers: &self.answers, applicant: self.applicant, today: Some(self.today) }
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        self.answers.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => text.zeroize(),
        serde_json::Value::Array(list) => list.iter_mut().for_each(wipe),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(wipe),
        _ => {}
    }
}

/// What conditions may know about the applicant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplicantFacts {
    /// Full years.
    pub age: Option<u32>,
    /// Kind of card.
    pub document: Option<Document>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}

/// A condition could not be decided. Names the condition and the fact, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionError {
    /// It hangs on something that is not known.
    #[error("the condition `{condition}` needs {fact}, which is not known")]
    Unknown {
        /// The condition as written.
        condition: String,
        /// What is missing.
        fact: &'static str,
    },
    /// It cannot be evaluated. The checks at loading leave no known way to this.
    #[error("the condition `{condition}` cannot be evaluated")]
    Failed {
        /// The condition as written.
        condition: String,
    },
}

/// A condition in CEL. An unanswered question is the empty text, the empty list for several options, or -1 for a number.
#[derive(Clone)]
pub struct Condition {
    source: String,
    program: Arc<Program>,
    questions: Vec<String>,
    uses: Uses,
}

impl Condition {
    /// Compiles a condition that may look at `questions`.
    pub(crate) fn compile(source: &str, questions: &[Question]) -> Result<Self, ExpressionFault> {
        if source.chars().count() > MAX_CHARS {
            return Err(ExpressionFault::TooLong { limit: MAX_CHARS });
        }
        if source.chars().filter(|c| "([{".contains(*c)).count() > MAX_BRACKETS {
            return Err(ExpressionFault::TooManyBrackets { limit: MAX_BRACKETS });
        }
        let program = ENVIRONMENT.compile(source).map_err(|errors| match errors.errors.first() {
            Some(first) => ExpressionFault::Syntax { message: first.msg.clone(), column: first.pos.1 },
            None => ExpressionFault::Syntax { message: "unreadable".to_owned(), column: 1 },
        })?;
        check_depth(program.expression())?;
        let uses = check_names(program.expression(), questions)?;
        let known = Known {
            answers: &Map::new(),
            applicant: ApplicantFacts { age: Some(60), document: Some(Document::ResidentIdCard) },
            today: Some(Date::MIN),
        };
        check_truth(program.expression(), &context(&uses, &known, &[]))?;
        let questions = uses.answers.iter().map(|(id, _)| id.clone()).collect();
        Ok(Condition { source: source.to_owned(), program: Arc::new(program), questions, uses })
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The questions it looks at.
    pub fn questions(&self) -> &[String] {
        &self.questions
    }

    /// Whether it looks at who has identified.
    pub(crate) fn looks_at_applicant(&self) -> bool {
        self.uses.age || self.uses.document
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> Result<bool, ConditionError> {
        self.holds_without(&facts.known(), &[])
    }

    /// As [`Condition::holds`], taking the answers of the `hidden` questions as not given.
    pub(crate) fn holds_without(&self, facts: &Known, hidden: &[&str]) -> Result<bool, ConditionError> {
        // The crate's own errors quote values, so they stop here.
        match self.program.execute(&context(&self.uses, facts, hidden)) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) | Err(_) => Err(self.why_undecided(facts)),
        }
    }

    fn why_undecided(&self, facts: &Known) -> ConditionError {
        let condition = self.source.clone();
        let fact = match (&self.uses, facts) {
            (Uses { age: true, .. }, Known { applicant: ApplicantFacts { age: None, .. }, .. }) => {
                "the applicant's age"
            }
            (Uses { document: true, .. }, Known { applicant: ApplicantFacts { document: None, .. }, .. }) => {
                "the applicant's kind of card"
            }
            (Uses { today: true, .. }, Known { today: None, .. }) => "today's date",
            _ => return ConditionError::Failed { condition },
        };
        ConditionError::Unknown { condition, fact }
    }

    /// The condition as "this question has one of these options", where it says no more than that.
    pub(crate) fn as_option_set(&self) -> Option<(String, Vec<String>)> {
        as_option_set(self.program.expression())
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.uses == other.uses
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

/// Binds only what the condition looks at: nothing else of the resident is copied.
fn context<'p, 'v>(uses: &Uses, facts: &Known, hidden: &[&str]) -> Context<'p, 'v> {
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    let mut answers = HashMap::new();
    for (id, form) in &uses.answers {
        let given = facts.answers.get(id).filter(|_| !hidden.contains(&id.as_str()));
        let seen = match form {
            AnswerForm::Text => text(given),
            AnswerForm::List => list(given),
            AnswerForm::Number => number(given),
        };
        answers.insert(id.clone(), seen);
    }
    context.add_variable_from_value("answers", answers);
    let mut applicant: HashMap<String, Value> = HashMap::new();
    if let Some(age) = facts.applicant.age {
        applicant.insert("age".to_owned(), Value::Int(i64::from(age)));
    }
    if let Some(document) = facts.applicant.document {
        applicant.insert("document".to_owned(), Value::from(document.word()));
    }
    context.add_variable_from_value("applicant", applicant);
    if let Some(today) = facts.today.filter(|_| uses.today) {
        context.add_variable_from_value("today", iso(today));
    }
    context
}

fn text(answer: Option<&serde_json::Value>) -> Value {
    Value::from(answer.and_then(serde_json::Value::as_str).unwrap_or_default())
}

/// No number is negative, so -1 is no answer.
fn number(answer: Option<&serde_json::Value>) -> Value {
    let digits = answer.and_then(serde_json::Value::as_str).and_then(parse_amount);
    Value::Int(digits.and_then(|number| i64::try_from(number).ok()).unwrap_or(-1))
}

fn list(answer: Option<&serde_json::Value>) -> Value {
    let chosen = answer.and_then(serde_json::Value::as_array).into_iter().flatten();
    Value::from(chosen.filter_map(serde_json::Value::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::parse_day;
    use crate::expression::MAX_DEPTH;
    use crate::rules::tests::questions;
    use serde_json::json;

    /// `kind` (choice a, b), `who` (choices a, b), `when` (date), `words` (text), `call` (phone).
    fn compile(source: &str) -> Result<Condition, ExpressionFault> {
        Condition::compile(source, &questions())
    }

    fn holds(source: &str, answers: serde_json::Value, age: Option<u32>) -> Result<bool, ConditionError> {
        let facts = Facts {
            answers: answers.as_object().unwrap().clone(),
            applicant: ApplicantFacts { age, document: Some(Document::HmtResidencePermit) },
            today: parse_day("2026-11-22").unwrap(),
        };
        compile(source).unwrap().holds(&facts)
    }

    #[test]
    fn conditions_follow_the_answers() {
        assert_eq!(holds(r#"answers.kind == "a""#, json!({"kind": "a"}), None), Ok(true));
        assert_eq!(holds(r#"answers.kind == "a""#, json!({}), None), Ok(false));
        assert_eq!(holds(r#"answers.kind in ["a", "b"]"#, json!({"kind": "b"}), None), Ok(true));
        assert_eq!(holds(r#""b" in answers.who"#, json!({"who": ["a", "b"]}), None), Ok(true));
        assert_eq!(holds(r#""b" in answers.who"#, json!({}), None), Ok(false));
        assert_eq!(holds("size(answers.who) > 1", json!({"who": ["a", "b"]}), None), Ok(true));
        assert_eq!(holds(r#"answers.when != "" && answers.when < today"#, json!({}), None), Ok(false));
        let past = json!({"when": "2026-11-21"});
        assert_eq!(holds(r#"answers.when != "" && answers.when < today"#, past, None), Ok(true));
        let hmt = r#"applicant.document == "hmt-residence-permit""#;
        assert_eq!(holds(hmt, json!({}), None), Ok(true));
    }

    #[test]
    fn unknown_facts_are_an_error_unless_they_do_not_matter() {
        assert_eq!(holds("applicant.age >= 50", json!({}), Some(50)), Ok(true));
        assert_eq!(holds("applicant.age >= 50", json!({}), Some(49)), Ok(false));
        let unknown = holds("applicant.age >= 50", json!({}), None).unwrap_err();
        assert!(
            matches!(&unknown, ConditionError::Unknown { fact, .. } if fact.contains("age")),
            "{unknown}"
        );
        let either = r#"applicant.age >= 50 || answers.kind == "a""#;
        assert_eq!(holds(either, json!({"kind": "a"}), None), Ok(true));
    }

    #[test]
    fn answers_of_the_wrong_shape_count_as_not_given() {
        assert_eq!(holds(r#"answers.kind == "a""#, json!({"kind": ["a"]}), None), Ok(false));
        assert_eq!(holds(r#""a" in answers.who"#, json!({"who": "a"}), None), Ok(false));
    }

    #[test]
    fn each_slip_is_named() {
        type F = ExpressionFault;
        let fault = |source: &str| compile(source).unwrap_err();
        assert!(matches!(fault("answers.kind =="), F::Syntax { .. }));
        assert!(matches!(fault(&"!".repeat(301)), F::TooLong { .. }));
        assert!(matches!(fault("kind == \"a\""), F::UnknownName { name } if name == "kind"));
        assert!(
            matches!(fault("applicant.name == \"a\""), F::UnknownName { name } if name == "applicant.name")
        );
        assert!(matches!(fault("answers.kind.deep == \"a\""), F::UnknownName { .. }));
        assert!(matches!(fault("answers.nothing == \"a\""), F::UnknownQuestion { .. }));
        assert!(matches!(fault("answers.words == \"a\""), F::PersonalText { kind: "text", .. }));
        assert!(matches!(fault("answers.call == \"a\""), F::PersonalText { kind: "phone", .. }));
        assert!(matches!(fault("answers.kind == \"z\""), F::UnknownOption { .. }));
        assert!(matches!(fault("\"z\" == answers.kind"), F::UnknownOption { .. }));
        assert!(matches!(fault("\"z\" in answers.who"), F::UnknownOption { .. }));
        assert!(matches!(fault("answers.kind in [\"a\", \"z\"]"), F::UnknownOption { .. }));
        assert!(matches!(fault("answers.who == \"a\""), F::SeveralOptions { .. }));
        assert!(matches!(fault("applicant.document == \"passport\""), F::UnknownDocument { .. }));
        for outside in
            ["has(answers.kind)", "answers.who.exists(w, w == \"a\")", "answers[\"kind\"] == \"a\""]
        {
            assert!(matches!(fault(outside), F::NotAllowed { .. }), "{outside}");
        }
        for outside in
            ["applicant.age + 1 > 3", "answers.kind.matches(\"a*\")", "{}", "answers.kind.startsWith(\"a\")"]
        {
            assert!(matches!(fault(outside), F::NotAllowed { .. }), "{outside}");
        }
        for untrue in
            ["applicant.age", "answers.kind > 3", "1", "today", "size(answers.who)", "\"a\" in answers.kind"]
        {
            assert_eq!(fault(untrue), F::NotATruth, "{untrue}");
        }
        // The faulty side would be skipped at evaluation; it is found all the same.
        assert_eq!(fault("false && answers.kind > 3"), F::NotATruth);
        assert_eq!(fault("true ? true : 7"), F::NotATruth);
    }

    #[test]
    fn wiping_reaches_every_answer() {
        let mut answers = json!({"kind": "13800000000", "who": ["13800000000"]});
        answers.as_object_mut().unwrap().values_mut().for_each(wipe);
        assert_eq!(answers, json!({"kind": "", "who": [""]}));
    }

    #[test]
    fn simple_conditions_can_be_said_in_a_schema() {
        let set = |source: &str| compile(source).unwrap().as_option_set();
        assert_eq!(set(r#"answers.kind == "a""#), Some(("kind".into(), vec!["a".into()])));
        assert_eq!(set(r#""a" == answers.kind"#), Some(("kind".into(), vec!["a".into()])));
        assert_eq!(set(r#"answers.kind in ["a", "b"]"#), Some(("kind".into(), vec!["a".into(), "b".into()])));
        for wider in [
            r#"answers.kind != "a""#,
            r#"answers.kind == """#,
            "applicant.age >= 50",
            r#""a" in answers.who"#,
        ] {
            assert_eq!(set(wider), None, "{wider}");
        }
    }

    #[test]
    fn errors_and_debug_show_no_answer() {
        let answers = json!({"kind": "13800000000"}).as_object().unwrap().clone();
        let facts = Facts { answers, applicant: ApplicantFacts::default(), today: Date::MIN };
        assert!(!format!("{facts:?}").contains("138"));
        let condition = compile("applicant.age > 3 && answers.kind == \"a\" || applicant.age > 4").unwrap();
        let error = condition.holds(&facts).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("138"));
    }

    #[test]
    fn deep_nesting_is_refused_or_read_but_never_overflows() {
        let nested = |open: &str, times: usize, close: &str| {
            compile(&format!("{}true{}", open.repeat(times), close.repeat(times)))
        };
        assert!(nested("(", MAX_BRACKETS, ")").is_ok());
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("size(", ")"), ("true ? (", ") : true")] {
            let refused = ExpressionFault::TooManyBrackets { limit: MAX_BRACKETS };
            assert_eq!(nested(open, MAX_BRACKETS + 1, close).unwrap_err(), refused);
            let _ = nested(open, MAX_BRACKETS, close);
        }
        for open in ["!", "-", "true?true:", "true||", "true&&", "1 in ", "a.", "1<", "1=="] {
            let _ = nested(open, (MAX_CHARS - 4) / open.len(), "");
        }
        assert_eq!(nested("1 in ", 50, "").unwrap_err(), ExpressionFault::TooDeep { limit: MAX_DEPTH });
    }

    proptest::proptest! {
        #[test]
        fn no_text_can_make_the_compiler_panic(source in "\\PC{0,40}") {
            let _ = compile(&source);
        }

        #[test]
        fn no_mix_of_its_words_can_make_the_compiler_panic(words in proptest::collection::vec(
            proptest::sample::select(vec!["answers.", "kind", "who", "(", ")", "[", "]", "{", "}", "==", "in", "&&",
                "||", "!", "?", ":", "\"a\"", "1", "-", "size", ".", ",", "today", "true", " ", "'", "\\", "r\"", "has"]), 0..40)
        ) {
            let _ = compile(&words.concat());
        }
    }
}
