//! Judging a whole submission, as the city does before it lets a case on to a department.

use crate::answer::check_answer_within;
use crate::applicant::{APPLICANT_FIELDS, Document, applicant_faults};
use crate::condition::{ApplicantFacts, Known};
use crate::day::{age_on, parse_day};
use crate::item::ServiceItem;
use crate::schema::json_schema;
use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Map, Value};
use time::Date;

/// A session may run past midnight: what was within the limits when it was answered stays good.
const SLACK_DAYS: i32 = 1;

/// Judges submissions of one item. Building it compiles the item's JSON Schema, which takes far longer
/// than judging: whoever has many submissions keeps one.
pub struct FormCheck {
    item: ServiceItem,
    schema: Validator,
}

impl FormCheck {
    /// For this item.
    pub fn new(item: &ServiceItem) -> Self {
        let schema = jsonschema::draft202012::options().build(&json_schema(item));
        // The schema is generated here from a checked item, and a test builds it for every kind of question.
        FormCheck { item: item.clone(), schema: schema.expect("the generated schema is a valid schema") }
    }

    /// Judges `{ "applicant": {…}, "answers": {…} }` as finalised on that day in China: first by the JSON
    /// Schema, then by what it cannot say (which questions were asked, limits relative to the day, check
    /// characters). Each reason names a field and the rule, never a value.
    ///
    /// Without a day, limits that hang on today are not judged, and a question whose condition hangs on
    /// age or today may be answered or left out.
    ///
    /// Eligibility and the card's expiry are not judged again: the kiosk asked before the form, and
    /// beyond that the department decides about a person, not a form.
    pub fn judge(&self, submission: &Value, finalised_on: Option<Date>) -> Result<(), Vec<String>> {
        let mut reasons = Reasons::default();
        self.by_schema(submission, &mut reasons);
        let nothing = Map::new();
        let part = |name: &str| submission.get(name).and_then(Value::as_object).unwrap_or(&nothing);
        let (applicant, answers) = (part("applicant"), part("answers"));
        for (field, rule) in applicant_faults(applicant) {
            reasons.add(format!("applicant.{field}"), rule.to_owned());
        }
        by_form(&self.item, &facts(applicant, answers, finalised_on), &mut reasons);
        if reasons.found.is_empty() {
            return Ok(());
        }
        Err(reasons.found.into_iter().map(|(field, rule)| format!("{field} {rule}")).collect())
    }

    fn by_schema(&self, submission: &Value, reasons: &mut Reasons) {
        for error in self.schema.iter_errors(submission) {
            // Hidden questions are judged in the second step, which can say it in plainer words.
            if !error.schema_path().as_str().contains("/allOf/") {
                let (field, rule) = in_plain_words(&self.item, &error);
                reasons.add(field, rule);
            }
        }
    }
}

/// [`FormCheck::judge`] for one submission, without knowing the day. Prefer [`validate_on`].
pub fn validate(item: &ServiceItem, submission: &Value) -> Result<(), Vec<String>> {
    FormCheck::new(item).judge(submission, None)
}

/// [`FormCheck::judge`] for one submission, finalised on that day in China.
pub fn validate_on(item: &ServiceItem, submission: &Value, finalised_on: Date) -> Result<(), Vec<String>> {
    FormCheck::new(item).judge(submission, Some(finalised_on))
}

fn facts<'a>(
    applicant: &Map<String, Value>,
    answers: &'a Map<String, Value>,
    today: Option<Date>,
) -> Known<'a> {
    let field = |name: &str| applicant.get(name).and_then(Value::as_str);
    let document = field("document").and_then(Document::from_word);
    let birth = field("birth").and_then(parse_day).or_else(|| birth_in_number(document?, field("number")?));
    let age = birth.zip(today).and_then(|(birth, today)| age_on(birth, today));
    Known { answers, applicant: ApplicantFacts { age, document }, today }
}

/// All numbers but the 2017 foreigner's carry the birth date.
fn birth_in_number(document: Document, number: &str) -> Option<Date> {
    if document == Document::Foreigner2017 || !number.is_ascii() || number.len() != 18 {
        return None;
    }
    parse_day(&format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]))
}

/// The second step: each question that was asked is judged by the rule that the kiosk uses too; what
/// was not asked must not be answered.
fn by_form(item: &ServiceItem, facts: &Known, reasons: &mut Reasons) {
    for question in &item.questions {
        let field = format!("answers.{}", question.id);
        let answer = facts.answers.get(&question.id);
        // A condition that hangs on something unknown neither demands nor forbids an answer.
        let asked = item.is_asked_given(&question.id, facts).ok();
        match (asked, answer) {
            (Some(false), Some(_)) => reasons.add(field, "was not asked, so it must be left out".to_owned()),
            (Some(false), None) | (None, None) => {}
            (Some(true), _) | (None, Some(_)) => {
                if let Err(problem) = check_answer_within(question, answer, facts.today, SLACK_DAYS) {
                    reasons.add(field, problem.to_string());
                }
            }
        }
    }
}

/// Only names from the schema are repeated, never a key or a value of the submission.
fn in_plain_words(item: &ServiceItem, error: &ValidationError) -> (String, String) {
    let path = error.instance_path().as_str();
    let mut parts = path.split('/').skip(1);
    let field = match (parts.next(), parts.next()) {
        (Some("answers"), Some(id)) if item.question(id).is_some() => format!("answers.{id}"),
        (Some("applicant"), Some(name)) if APPLICANT_FIELDS.contains(&name) => format!("applicant.{name}"),
        (Some("answers"), _) => "answers".to_owned(),
        (Some("applicant"), _) => "applicant".to_owned(),
        _ => "the submission".to_owned(),
    };
    let rule = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let missing = property.as_str().unwrap_or_default();
            let field =
                if field == "the submission" { missing.to_owned() } else { format!("{field}.{missing}") };
            return (field, "is missing".to_owned());
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            return (field, format!("has fields that the form does not have ({})", unexpected.len()));
        }
        ValidationErrorKind::Type { .. } => "has the wrong type".to_owned(),
        ValidationErrorKind::Enum { .. } => "is not one of the options".to_owned(),
        ValidationErrorKind::MaxLength { limit } => format!("is longer than {limit} characters"),
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MinItems { .. } => "is empty".to_owned(),
        ValidationErrorKind::UniqueItems => "names an option twice".to_owned(),
        ValidationErrorKind::Pattern { .. } | ValidationErrorKind::AnyOf { .. } => {
            "does not have the form that the field asks for".to_owned()
        }
        other => format!("breaks the rule \"{}\"", other.keyword()),
    };
    (field, rule)
}

/// One reason per field: the first is the plainest.
#[derive(Default)]
struct Reasons {
    found: Vec<(String, String)>,
}

impl Reasons {
    fn add(&mut self, field: String, rule: String) {
        if !self.found.iter().any(|(known, _)| *known == field) {
            self.found.push((field, rule));
        }
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
