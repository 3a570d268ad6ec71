//! Tests of yes-no, number, money and address questions, from the file to the city's judgement.

use crate::areas::tests::AREAS;
use crate::condition::{ApplicantFacts, Condition, ConditionError, Facts};
use crate::day::parse_day;
use crate::expression::ExpressionFault;
use crate::load::Catalog;
use crate::rules::read_item;
use crate::rules::tests::{ITEM, question};
use crate::{ServiceItem, json_schema, validate_on};
use serde_json::{Value, json};
use std::fs;

/// What the sample is asked besides.
const MORE: &str = r#"
[[questions]]
id = "sure"
kind = "yes-no"
required = true
label = { zh-Hans = "确定吗", zh-Hant = "確定嗎", en = "Sure?" }

[[questions]]
id = "people"
kind = "number"
required = true
least = 1
most = 20
unit = { zh-Hans = "人", zh-Hant = "人", en = "people" }
label = { zh-Hans = "几个人", zh-Hant = "幾個人", en = "How many" }

[[questions]]
id = "cost"
kind = "money"
required = false
most = 5000
visible_when = 'answers.people > 2 && answers.sure == "yes"'
label = { zh-Hans = "多少钱", zh-Hant = "多少錢", en = "How much" }

[[questions]]
id = "home"
kind = "address"
required = true
prefill = "card.address"
label = { zh-Hans = "住哪里", zh-Hant = "住哪裏", en = "Where" }
"#;

fn text() -> String {
    ITEM.to_owned() + MORE
}

/// The sample with these kinds, from a folder with two towns.
fn item() -> ServiceItem {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("items")).unwrap();
    fs::write(folder.path().join("items/sample.toml"), text()).unwrap();
    fs::write(folder.path().join("areas.toml"), AREAS).unwrap();
    let mut catalog = Catalog::load(folder.path());
    assert_eq!(catalog.rejected, []);
    catalog.items.remove(0)
}

/// A good submission with one change; what is wrong with it.
fn after(id: &str, answer: Value) -> Vec<String> {
    let mut answers = json!({
        "kind": "a", "sure": "yes", "people": "3", "cost": "120850",
        "home": { "town": "甲街道", "village": "一社区", "rest": "样本路 1 号" },
    });
    match answer {
        Value::Null => answers.as_object_mut().unwrap().remove(id),
        answer => answers.as_object_mut().unwrap().insert(id.to_owned(), answer),
    };
    let applicant = json!({ "document": "resident-id-card", "number": "11010519491231002X" });
    let submission = json!({ "applicant": applicant, "answers": answers });
    validate_on(&item(), &submission, parse_day("2026-11-22").unwrap()).err().unwrap_or_default()
}

#[test]
fn the_city_judges_each_kind() {
    assert_eq!(after("who", Value::Null), [""; 0]);
    assert!(jsonschema::meta::is_valid(&json_schema(&item())));
    let form = "does not have the form that the field asks for";
    for (id, answer, rule) in [
        ("sure", json!("perhaps"), "is not one of the options"),
        ("people", json!(3), "has the wrong type"),
        ("people", json!("03"), form),
        ("people", json!("21"), "is more than 20"),
        ("people", json!("0"), "is less than 1"),
        ("cost", json!("12.50"), form),
        ("cost", json!("500001"), "is more than 500000"),
        ("home", json!("甲街道"), "has the wrong type"),
        ("home", json!({ "town": "丙镇", "rest": "1" }), "is not one of the options"),
        (
            "home",
            json!({ "town": "乙镇", "village": "一社区", "rest": "1" }),
            "is not an address in a town that the catalog knows",
        ),
    ] {
        let reasons = after(id, answer.clone());
        assert!(reasons.contains(&format!("answers.{id} {rule}")), "{answer}: {reasons:?}");
    }
    let halved = after("home", json!({ "town": "甲街道" }));
    assert!(halved.contains(&"answers.home.rest is missing".to_owned()), "{halved:?}");
}

#[test]
fn a_sum_is_asked_only_where_number_and_yes_say_so() {
    assert_eq!(after("people", json!("2")), ["answers.cost was not asked, so it must be left out"]);
    assert_eq!(after("sure", json!("no")), ["answers.cost was not asked, so it must be left out"]);
    assert_eq!(after("cost", Value::Null), [""; 0], "it need not be answered");
}

#[test]
fn conditions_compare_numbers_and_see_nothing_personal() {
    let questions = item().questions;
    let compile = |source: &str| Condition::compile(source, &questions);
    let holds = |source: &str, answers: Value| -> Result<bool, ConditionError> {
        let answers = answers.as_object().unwrap().clone();
        let today = parse_day("2026-11-22").unwrap();
        compile(source).unwrap().holds(&Facts { answers, applicant: ApplicantFacts::default(), today })
    };
    assert_eq!(holds("answers.people >= 10", json!({ "people": "10" })), Ok(true));
    assert_eq!(holds("answers.people >= 10", json!({ "people": "9" })), Ok(false), "numbers, not texts");
    assert_eq!(holds("answers.people == -1", json!({})), Ok(true), "not answered");
    assert_eq!(holds("answers.people > -1", json!({ "people": "many" })), Ok(false));
    for personal in ["answers.cost == \"1\"", "answers.home == \"1\""] {
        assert!(matches!(compile(personal), Err(ExpressionFault::PersonalText { .. })), "{personal}");
    }
    for other in ["answers.people == \"3\"", "answers.people < \"3\"", "answers.people"] {
        assert_eq!(compile(other).unwrap_err(), ExpressionFault::NotATruth, "{other}");
    }
    assert!(matches!(compile("answers.sure == \"perhaps\""), Err(ExpressionFault::UnknownOption { .. })));
}

#[test]
fn yes_and_no_have_words_of_their_own_or_the_usual_ones() {
    let usual = question("kind = \"yes-no\"");
    let values: Vec<_> = usual.options.iter().map(|o| (o.value.as_str(), o.label.en.as_str())).collect();
    assert_eq!(values, [("yes", "Yes"), ("no", "No")]);
    let label = r#"label = { zh-Hans = "有", zh-Hant = "有", en = "I have" }"#;
    let options = |first: &str, second: &str| {
        let options =
            format!("options = [{{ value = \"{first}\", {label} }}, {{ value = \"{second}\", {label} }}]");
        text().replacen("kind = \"yes-no\"", &format!("kind = \"yes-no\"\n{options}"), 1)
    };
    assert!(read_item("sample", &options("yes", "no")).is_ok());
    for (first, second) in [("no", "yes"), ("a", "b")] {
        let fault = read_item("sample", &options(first, second)).unwrap_err();
        assert!(fault.problem.to_string().contains("in this order"), "{}", fault.problem);
    }
}

#[test]
fn a_slip_in_the_file_is_named() {
    for (from, to, said) in [
        ("most = 20", "most = 0", "least must not be more than most"),
        ("most = 5000", "most = 100000000", "most at most 99999999"),
        ("most = 5000\n", "", "a money question needs most"),
        (
            "most = 5000",
            "most = 5000\nunit = { zh-Hans = \"元\", zh-Hant = \"元\", en = \"y\" }",
            "has no unit",
        ),
        (
            "prefill = \"card.address\"\nlabel = { zh-Hans = \"住",
            "prefill = \"card.name\"\nlabel = { zh-Hans = \"住",
            "has no prefill",
        ),
        ("kind = \"address\"", "kind = \"address\"\nmax_chars = 9", "has no max_chars"),
        ("most = 20", "most = -1", "-1"),
    ] {
        let text = text();
        assert!(text.contains(from), "{from}");
        let fault = read_item("sample", &text.replacen(from, to, 1)).expect_err(to);
        assert!(fault.problem.to_string().contains(said), "{}", fault.problem);
    }
}

#[test]
fn a_choice_of_towns_has_the_towns_of_the_areas() {
    let towns = r#"
[[questions]]
id = "hall"
kind = "choice"
options_from = "towns"
required = true
label = { zh-Hans = "哪个镇街", zh-Hant = "哪個鎮街", en = "Which town" }
"#;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("items")).unwrap();
    fs::write(folder.path().join("items/sample.toml"), ITEM.to_owned() + towns).unwrap();
    assert!(Catalog::load(folder.path()).items.is_empty(), "there are no towns");
    fs::write(folder.path().join("areas.toml"), AREAS).unwrap();
    let catalog = Catalog::load(folder.path());
    let hall = catalog.items[0].questions.last().unwrap();
    assert!(hall.areas.is_some() && hall.options.len() == 2, "{:?}", hall.options);
    assert_eq!(
        (hall.options[0].value.as_str(), hall.options[0].label.zh_hant.as_str()),
        ("甲街道", "甲街道")
    );
    let with = |answer: &str| {
        let applicant = json!({ "document": "resident-id-card", "number": "11010519491231002X" });
        let submission = json!({ "applicant": applicant, "answers": { "kind": "a", "hall": answer } });
        validate_on(&catalog.items[0], &submission, parse_day("2026-11-22").unwrap())
    };
    assert_eq!(with("甲街道"), Ok(()));
    assert!(with("丙街道").is_err(), "no town of the catalog");
    for wrong in [
        towns.replace("\"towns\"", "\"villages\""),
        towns.replace("\"choice\"", "\"choices\""),
        towns.replace("required", "options = [{ value = \"a\", label = { zh-Hans = \"甲\", zh-Hant = \"甲\", en = \"A\" } }]\nrequired"),
    ] {
        assert!(read_item("sample", &(ITEM.to_owned() + &wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn without_areas_an_item_that_needs_them_is_left_out_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("items")).unwrap();
    fs::write(folder.path().join("items/sample.toml"), text()).unwrap();
    fs::write(folder.path().join("items/plain.toml"), ITEM.replace("\"sample\"", "\"plain\"")).unwrap();
    let load = || {
        let catalog = Catalog::load(folder.path());
        let reasons = catalog.rejected.iter().map(|r| format!("{}:{:?} {}", r.file, r.line, r.reason));
        (catalog.items.len(), reasons.collect::<Vec<_>>().join("\n"), catalog.version)
    };
    let (items, reasons, without) = load();
    assert_eq!(items, 1);
    assert!(reasons.contains("items/sample.toml:None an address question needs areas.toml"), "{reasons}");
    fs::write(folder.path().join("areas.toml"), AREAS.replacen("甲街道\"", "甲街道", 1)).unwrap();
    let (items, reasons, _) = load();
    assert_eq!(items, 1);
    assert!(reasons.contains("areas.toml:Some("), "{reasons}");
    fs::write(folder.path().join("areas.toml"), AREAS).unwrap();
    let (items, reasons, with) = load();
    assert_eq!((items, reasons.as_str()), (2, ""));
    assert_ne!(without, with, "other towns are another catalog");
}
