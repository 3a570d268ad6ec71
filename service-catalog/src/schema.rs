//! The JSON Schema (draft 2020-12) of an item's submissions: `{ "applicant": {…}, "answers": {…} }`.
//! It is generated from the form, so the two cannot drift apart.

use crate::amount::amount_schema;
use crate::answer::{PHONE_PATTERN, PHOTO_BYTES_MAX};
use crate::applicant::{applicant_schema, day_schema};
use crate::item::{Question, QuestionKind, ServiceItem};
use serde_json::{Map, Value, json};

/// Something to read, and no control character but the line break.
pub(crate) const PLAIN_TEXT: &str =
    r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x09\x0b-\x1f\x7f-\x9f]*$";

/// The schema of what a kiosk may submit for this item.
///
/// A question that may be hidden is not required. Where its condition only says that another question
/// has certain options, the schema says so too (`if`/`then`/`else`); other conditions stand in
/// `$comment` and are judged by [`crate::validate_on`], as are limits that hang on today.
pub fn json_schema(item: &ServiceItem) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{} version {}", item.code, item.version),
        "type": "object",
        "additionalProperties": false,
        "required": ["applicant", "answers"],
        "properties": { "applicant": applicant_schema(item), "answers": answers_schema(item) },
    })
}

fn answers_schema(item: &ServiceItem) -> Value {
    let properties: Map<String, Value> =
        item.questions.iter().map(|question| (question.id.clone(), question_schema(question))).collect();
    let always = |question: &&Question| question.required && question.visible_when.is_none();
    let required: Vec<_> =
        item.questions.iter().filter(always).map(|question| question.id.as_str()).collect();
    let conditional: Vec<Value> = item.questions.iter().filter_map(conditional_rule).collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    });
    if !conditional.is_empty() {
        schema["allOf"] = Value::Array(conditional);
    }
    schema
}

fn question_schema(question: &Question) -> Value {
    let values: Vec<_> = question.options.iter().map(|option| option.value.as_str()).collect();
    let mut schema = match question.kind {
        QuestionKind::Choice | QuestionKind::YesNo => json!({ "enum": values }),
        QuestionKind::Choices => json!({
            "type": "array", "minItems": 1, "maxItems": values.len(), "uniqueItems": true, "items": { "enum": values },
        }),
        QuestionKind::Text => {
            json!({ "type": "string", "minLength": 1, "maxLength": question.max_chars, "pattern": PLAIN_TEXT })
        }
        QuestionKind::Phone => json!({ "type": "string", "pattern": PHONE_PATTERN }),
        QuestionKind::Date => day_schema(),
        QuestionKind::Number | QuestionKind::Money => amount_schema(),
        // Without areas the item is not loaded; nothing fits then.
        QuestionKind::Address => question.areas.as_ref().map_or(json!({ "not": {} }), |areas| areas.schema()),
        QuestionKind::Photo => json!({
            "type": "array", "minItems": 1, "maxItems": question.max_photos, "uniqueItems": true,
            "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["sha256", "bytes"],
                "properties": {
                    "sha256": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                    "bytes": { "type": "integer", "minimum": 1, "maximum": PHOTO_BYTES_MAX },
                },
            },
        }),
    };
    schema["title"] = Value::from(question.label.zh_hans.as_str());
    let comment = comment(question);
    if !comment.is_empty() {
        schema["$comment"] = Value::from(comment);
    }
    schema
}

fn comment(question: &Question) -> String {
    let mut rules = Vec::new();
    if let Some(limit) = question.not_before {
        rules.push(format!("not before {limit}"));
    }
    if let Some(limit) = question.not_after {
        rules.push(format!("not after {limit}"));
    }
    if let Some(amount) = question.amount {
        let unit = if question.kind == QuestionKind::Money { " fen" } else { "" };
        rules.push(format!("from {} to {}{unit}", amount.least, amount.most));
    }
    if let Some(condition) = &question.visible_when {
        rules.push(format!("only when {}", condition.source()));
    }
    rules.join("; ")
}

/// Asked when another question has certain options: required then (if it is), refused otherwise.
fn conditional_rule(question: &Question) -> Option<Value> {
    let (other, values) = question.visible_when.as_ref()?.as_option_set()?;
    let required = if question.required { vec![question.id.as_str()] } else { Vec::new() };
    Some(json!({
        "if": { "properties": { other.as_str(): { "enum": values } }, "required": [other] },
        "then": { "required": required },
        "else": { "properties": { question.id.as_str(): false } },
    }))
}
