//! Tests of submissions: good ones pass, each kind of bad one is refused with a reason that names the
//! field and the rule, and never the value.

use super::*;
use crate::load::Catalog;
use crate::rules::tests::sample;
use serde_json::json;
use std::path::Path;

fn shipped(code: &str) -> ServiceItem {
    let catalog = Catalog::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/catalog")));
    catalog.item(code).unwrap().clone()
}

fn day(text: &str) -> Date {
    parse_day(text).unwrap()
}

/// A made-up resident: the sample number of GB 11643.
fn applicant() -> Value {
    json!({
        "document": "resident-id-card", "name": "𬱖㛃", "number": "11010519491231002X", "sex": "2", "ethnic": "01",
        "birth": "1949-12-31", "address": "广东省东莞市莞城街道示例路 1 号", "issuer": "东莞市公安局",
        "valid_from": "2016-01-01", "valid_to": "长期",
    })
}

fn appeal() -> Value {
    json!({ "applicant": applicant(), "answers": {
        "kind": "noise", "what": "晚上施工声音很大", "place": "示例路 1 号", "date": "2026-11-20", "reply": "call",
        "phone": "13800000000",
    }})
}

fn reasons(item: &ServiceItem, submission: &Value) -> Vec<String> {
    validate_on(item, submission, day("2026-11-22")).err().unwrap_or_default()
}

/// The reasons after one change to a good appeal; `None` removes.
fn after(pointer: &str, value: Option<Value>) -> Vec<String> {
    let mut submission = appeal();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = submission.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(key.to_owned(), value),
        None => parent.remove(key),
    };
    reasons(&shipped("12345-appeal"), &submission)
}

#[test]
fn good_submissions_pass() {
    assert_eq!(reasons(&shipped("12345-appeal"), &appeal()), [""; 0]);
    let typed = json!({ "document": "resident-id-card", "number": "11010519491231002X" });
    let wish = json!({ "applicant": typed, "answers": {
        "wishes": ["appliance", "visit"], "for_whom": "self", "story": "天气热", "phone": "076922222222",
    }});
    assert_eq!(reasons(&shipped("minsheng-wish"), &wish), [""; 0]);
    let pension = json!({ "applicant": applicant(), "answers": {
        "living": "hmt", "payment": "late", "payment_note": "比平时晚", "phone": "0085212345678",
        "contact": "child", "contact_phone": "13900000000",
    }});
    assert_eq!(reasons(&shipped("pension-living-check"), &pension), [""; 0]);
    assert_eq!(validate(&shipped("pension-living-check"), &pension), Ok(()));
}

#[test]
fn each_bad_answer_is_refused_with_its_field() {
    let cases = [
        ("/answers/kind", Some(json!("fire")), "answers.kind is not one of the options"),
        ("/answers/kind", Some(json!(["noise"])), "answers.kind is not one of the options"),
        ("/answers/kind", None, "answers.kind is missing"),
        ("/answers/what", Some(json!("长".repeat(301))), "answers.what is longer than 300 characters"),
        ("/answers/what", Some(json!("")), "answers.what is empty"),
        (
            "/answers/what",
            Some(json!(" \u{3000} ")),
            "answers.what does not have the form that the field asks for",
        ),
        (
            "/answers/what",
            Some(json!("a\u{1b}b")),
            "answers.what does not have the form that the field asks for",
        ),
        ("/answers/what", Some(json!(7)), "answers.what has the wrong type"),
        (
            "/answers/phone",
            Some(json!("12345")),
            "answers.phone does not have the form that the field asks for",
        ),
        ("/answers/phone", None, "answers.phone is missing"),
        ("/answers/date", Some(json!("2026-02-30")), "answers.date is not a day of the calendar"),
        (
            "/answers/date",
            Some(json!("yesterday")),
            "answers.date does not have the form that the field asks for",
        ),
        (
            "/answers/date",
            Some(json!("2026-11-24")),
            "answers.date is after 2026-11-23, the last day allowed",
        ),
        (
            "/answers/date",
            Some(json!("2020-01-01")),
            "answers.date is before 2024-11-21, the first day allowed",
        ),
        ("/answers/secret", Some(json!("x")), "answers has fields that the form does not have (1)"),
        ("/answers", None, "answers is missing"),
        ("/answers", Some(json!("x")), "answers has the wrong type"),
        ("/photo", Some(json!("x")), "the submission has fields that the form does not have (1)"),
    ];
    for (pointer, value, expected) in cases {
        let found = after(pointer, value.clone());
        assert!(found.iter().any(|reason| reason == expected), "{pointer} {value:?}: {found:?}");
    }
}

#[test]
fn each_bad_applicant_is_refused_with_its_field() {
    let form = "does not have the form that the field asks for";
    let cases = [
        ("document", Some(json!("passport")), "is not one of the options".to_owned()),
        ("document", None, "is missing".to_owned()),
        (
            "number",
            Some(json!("110105194912310021")),
            "is not a valid number for this kind of card".to_owned(),
        ),
        ("number", Some(json!("11010519491231002x")), form.to_owned()),
        ("number", None, "is missing".to_owned()),
        ("name", Some(json!("长".repeat(61))), "is longer than 60 characters".to_owned()),
        ("name", Some(json!("")), "is empty".to_owned()),
        ("birth", Some(json!("1949-02-30")), "is not a day of the calendar".to_owned()),
        ("birth", Some(json!("19491231")), form.to_owned()),
        ("valid_to", Some(json!("never")), form.to_owned()),
        ("valid_to", Some(json!("2030-02-30")), "is not a day of the calendar".to_owned()),
        ("address", Some(json!("长".repeat(71))), "is longer than 70 characters".to_owned()),
    ];
    for (field, value, rule) in cases {
        let found = after(&format!("/applicant/{field}"), value.clone());
        assert_eq!(found, [format!("applicant.{field} {rule}")], "{value:?}");
    }
    assert_eq!(
        after("/applicant/photo", Some(json!("x"))),
        ["applicant has fields that the form does not have (1)"]
    );
}

#[test]
fn a_card_only_item_wants_the_name() {
    let mut item = shipped("12345-appeal");
    let mut submission = appeal();
    submission["applicant"].as_object_mut().unwrap().remove("name");
    assert_eq!(reasons(&item, &submission), [""; 0]);
    item.identify.ways.retain(|way| *way == crate::item::Way::IdCard);
    assert_eq!(reasons(&item, &submission), ["applicant.name is missing"]);
}

#[test]
fn a_hidden_question_is_neither_required_nor_accepted() {
    // Said by the schema too: the condition is about options of one question.
    let none = json!("none");
    assert_eq!(
        after("/answers/reply", Some(none.clone())),
        ["answers.phone was not asked, so it must be left out"]
    );
    let item = shipped("12345-appeal");
    let mut submission = appeal();
    submission["answers"]["reply"] = none;
    submission["answers"].as_object_mut().unwrap().remove("phone");
    assert_eq!(reasons(&item, &submission), [""; 0]);
    // Only CEL can say this one: contact_phone hangs on contact being answered at all.
    let pension = shipped("pension-living-check");
    let mut submission = json!({ "applicant": applicant(), "answers": {
        "living": "dongguan", "payment": "normal", "phone": "13800000000",
    }});
    assert_eq!(reasons(&pension, &submission), [""; 0]);
    submission["answers"]["contact_phone"] = json!("13900000000");
    assert_eq!(
        reasons(&pension, &submission),
        ["answers.contact_phone was not asked, so it must be left out"]
    );
    submission["answers"]["contact"] = json!("spouse");
    assert_eq!(reasons(&pension, &submission), [""; 0]);
    submission["answers"].as_object_mut().unwrap().remove("contact_phone");
    assert_eq!(reasons(&pension, &submission), ["answers.contact_phone is missing"]);
}

#[test]
fn the_schema_alone_says_simple_conditions() {
    let schema = json_schema(&shipped("12345-appeal"));
    assert!(jsonschema::meta::is_valid(&schema));
    let accepts = |submission: &Value| jsonschema::draft202012::is_valid(&schema, submission);
    let mut submission = appeal();
    assert!(accepts(&submission));
    submission["answers"].as_object_mut().unwrap().remove("phone");
    assert!(!accepts(&submission), "asked, so required");
    submission["answers"]["reply"] = json!("none");
    assert!(accepts(&submission));
    submission["answers"]["phone"] = json!("13800000000");
    assert!(!accepts(&submission), "not asked, so refused");
}

#[test]
fn midnight_and_an_unknown_day_do_not_spoil_a_case() {
    let item = shipped("12345-appeal");
    // Answered "today" at 23:59 for a limit of not after today; and two years back to the day.
    let mut submission = appeal();
    submission["answers"]["date"] = json!("2024-11-22");
    assert_eq!(validate_on(&item, &submission, day("2026-11-23")), Ok(()));
    submission["answers"]["date"] = json!("1990-01-01");
    assert_eq!(validate(&item, &submission), Ok(()), "without a day, relative limits are not judged");
    assert!(validate_on(&item, &submission, day("2026-11-23")).is_err());
}

#[test]
fn an_undecidable_condition_neither_demands_nor_forbids() {
    let mut item = sample();
    let condition = crate::condition::Condition::compile("applicant.age >= 60", &item.questions).unwrap();
    item.questions.iter_mut().find(|question| question.id == "call").unwrap().visible_when = Some(condition);
    let mut submission = json!({
        "applicant": { "document": "foreigner-2017", "number": "USA440099010100" }, "answers": { "kind": "a" },
    });
    assert_eq!(reasons(&item, &submission), [""; 0], "the age is not known");
    submission["answers"]["call"] = json!("13800000000");
    assert_eq!(reasons(&item, &submission), [""; 0]);
    submission["answers"]["call"] = json!("1");
    assert_eq!(reasons(&item, &submission).len(), 1);
    submission["answers"].as_object_mut().unwrap().remove("call");
    submission["applicant"] = json!({ "document": "resident-id-card", "number": "11010519491231002X" });
    assert_eq!(reasons(&item, &submission), ["answers.call is missing"], "the age stands in the number");
}

#[test]
fn no_reason_repeats_a_key_or_a_value() {
    let item = shipped("minsheng-wish");
    let secret = "张三13800000000";
    let submissions = [
        json!(secret),
        json!([secret]),
        json!({ secret: secret, "applicant": { secret: secret }, "answers": { secret: { secret: secret } } }),
        json!({ "applicant": secret, "answers": secret }),
        json!({
            "applicant": { "document": secret, "number": secret, "name": [secret], "birth": secret, "valid_to": secret },
            "answers": { "wishes": [secret, secret], "for_whom": secret, "they_agree": secret, "story": [secret],
                "phone": secret, "wished_by": secret },
        }),
    ];
    for submission in submissions {
        for reason in reasons(&item, &submission) {
            assert!(!reason.contains("张三") && !reason.contains("138"), "{reason}");
        }
        assert!(validate(&item, &submission).is_err());
    }
}

#[test]
fn every_schema_is_a_schema() {
    for code in ["12345-appeal", "minsheng-wish", "pension-living-check"] {
        let schema = json_schema(&shipped(code));
        assert!(jsonschema::meta::is_valid(&schema), "{code}");
        assert_eq!(schema["additionalProperties"], false);
    }
    assert!(jsonschema::meta::is_valid(&json_schema(&sample())));
}

/// What the kiosk, the schema and the second step say of photos is the same.
#[test]
fn photos_are_judged_by_schema_and_form_alike() {
    let item = shipped("12345-appeal");
    let photo = |digit: &str| json!({ "sha256": digit.repeat(64), "bytes": 200_000 });
    for (photos, good) in [
        (json!([photo("a")]), true),
        (json!([photo("a"), photo("b"), photo("c")]), true),
        (json!([photo("a"), photo("b"), photo("c"), photo("d")]), false),
        (json!([]), false),
        (json!([{ "sha256": "a", "bytes": 1 }]), false),
        (json!([photo("a"), photo("a")]), false),
    ] {
        let faults = after("/answers/photos", Some(photos.clone()));
        assert_eq!(faults.is_empty(), good, "{photos}: {faults:?}");
        assert!(faults.iter().all(|fault| fault.starts_with("answers.photos ")), "{faults:?}");
        let question = item.question("photos").unwrap();
        assert_eq!(crate::check_answer(question, Some(&photos), day("2026-11-22")).is_ok(), good, "{photos}");
    }
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let names =
        ["applicant", "answers", "kind", "who", "words", "when", "call", "document", "number", "birth"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("a")),
        Just(json!("resident-id-card")),
        Just(json!("2026-11-22")),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(names.to_vec()), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn no_submission_can_make_it_panic(submission in any_json()) {
        thread_local! {
            static CHECK: FormCheck = FormCheck::new(&sample());
        }
        let _ = CHECK.with(|check| check.judge(&submission, Some(day("2026-11-22"))));
    }
}
