//! The catalog of service items, and submissions judged by it.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use service_catalog::{
    ApplicantFacts, Catalog, ConditionError, Document, Facts, FormCheck, ServiceItem, json_schema, parse_day,
};

use crate::privacy::assert_quiet;
use crate::{Target, golden, scratch};

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "catalog-item",
            decodes: "items/*.toml of the catalog, signed or shipped: Catalog::load, its schema and its form",
            inputs: 600,
            seeds: item_seeds,
            run: item,
        },
        Target {
            name: "catalog-condition",
            decodes: "a condition (CEL) in an item: compiled, then evaluated",
            inputs: 2500,
            seeds: condition_seeds,
            run: condition,
        },
        Target {
            name: "catalog-submission",
            decodes: "applicant and answers of an opened submission: FormCheck::judge",
            inputs: 2500,
            seeds: submission_seeds,
            run: submission,
        },
    ]
}

/// Items of every shape and with questions of most kinds.
const ITEMS: [(&str, &str); 6] = [
    ("12345-appeal", include_str!("../../../../assets/catalog/items/12345-appeal.toml")),
    ("minsheng-wish", include_str!("../../../../assets/catalog/items/minsheng-wish.toml")),
    ("pension-living-check", include_str!("../../../../assets/catalog/items/pension-living-check.toml")),
    ("id-card-renewal", include_str!("../../../../assets/catalog/items/id-card-renewal.toml")),
    ("medical-elsewhere", include_str!("../../../../assets/catalog/items/medical-elsewhere.toml")),
    ("urgent-help", include_str!("../../../../assets/catalog/items/urgent-help.toml")),
];

/// Towns and villages, which items with an address need.
const AREAS: &str = include_str!("../../../../assets/catalog/areas.toml");

/// A catalog of one item, loaded from a file.
fn load(stem: &str, text: &[u8]) -> Catalog {
    thread_local! {
        static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(scratch::folder).path();
        let items = folder.join("items");
        if !items.exists() {
            fs::create_dir_all(&items).expect("a folder can be made");
            fs::write(folder.join("areas.toml"), AREAS).expect("a file can be written");
        }
        let file = items.join(format!("{stem}.toml"));
        fs::write(&file, text).expect("a file can be written");
        let catalog = Catalog::load(folder);
        fs::remove_file(file).expect("our own file can be removed");
        catalog
    })
}

fn item_seeds() -> Vec<Vec<u8>> {
    ITEMS.iter().map(|(_, text)| text.as_bytes().to_vec()).collect()
}

fn item(bytes: &[u8]) {
    // A file is named by the code in it, or else it is refused for its name alone.
    let text = as_text(bytes);
    let code =
        text.split_once("code = \"").and_then(|(_, rest)| rest.split_once('"')).map_or("x", |(code, _)| code);
    let is_name =
        !code.is_empty() && code.len() < 60 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let catalog = load(if is_name { code } else { "x" }, bytes);
    assert_eq!(catalog.items.len() + catalog.rejected.len(), 1, "a file is used or said to be unusable");
    assert_eq!(catalog.version.len(), 64);
    for item in &catalog.items {
        assert!(json_schema(item).is_object());
        let form = FormCheck::new(item);
        let _ = form.judge(&json!({"applicant": {}, "answers": {}}), parse_day("2026-11-22"));
        for age in [None, Some(0), Some(150)] {
            walk(item, &Map::new(), age);
        }
    }
}

/// Asks every condition of the item; none may fail in another way than by not knowing.
fn walk(item: &ServiceItem, answers: &Map<String, Value>, age: Option<u32>) {
    let facts = Facts {
        answers: answers.clone(),
        applicant: ApplicantFacts { age, document: age.map(|_| Document::Foreigner2017) },
        today: parse_day("2026-11-22").expect("a day"),
    };
    let outcomes = item.questions.iter().map(|question| item.is_asked(&question.id, &facts));
    for outcome in outcomes.chain([item.is_eligible(&facts)]) {
        if let Err(error) = outcome {
            assert!(
                matches!(error, ConditionError::Unknown { .. }),
                "a condition that was accepted cannot be evaluated"
            );
        }
    }
}

/// An item with a question of every kind that a condition may look at, and a condition to come.
static WITH_CONDITION: LazyLock<String> = LazyLock::new(|| {
    let label =
        |name: &str| format!("[questions.{name}]\nzh-Hans = \"问\"\nzh-Hant = \"問\"\nen = \"Ask\"\n");
    let option = |value: &str| {
        format!("{{ value = \"{value}\", label = {{ zh-Hans = \"甲\", zh-Hant = \"甲\", en = \"A\" }} }}")
    };
    let options = format!("options = [{}, {}]\n", option("noise"), option("road"));
    let question = |id: &str, kind: &str, more: &str| {
        format!(
            "\n[[questions]]\nid = \"{id}\"\nkind = \"{kind}\"\nrequired = false\n{more}{}",
            label("label")
        )
    };
    let mut text = include_str!("../../../../city-gateway/tests/gateway/item.toml").to_owned();
    text.push_str(&question("kind", "choice", &options));
    text.push_str(&question("who", "choices", &options));
    text.push_str(&question("day", "date", ""));
    text.push_str(&question("more", "choice", &format!("{options}visible_when = CONDITION\n")));
    text
});

/// So many of the examples are good ones; the others are what a parser may stumble over.
const GOOD_CONDITIONS: usize = 4;

fn condition_seeds() -> Vec<Vec<u8>> {
    [
        r#"answers.kind == "noise""#,
        r#"answers.kind in ["noise", "road"] && !(applicant.age > 59)"#,
        r#""road" in answers.who || answers.day != """#,
        r#"applicant.document == "resident-id-card" ? answers.kind != "" : today > "2026-01-01""#,
        r#"applicant.age >= 60 && (answers.who == ["noise"] || answers.kind == "")"#,
        r#"today in ["2026-01-01"] && size(answers.kind) < 3 && has(answers.kind)"#,
        "((((((((1 == 1))))))))",
        "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!true",
        "1 - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -1 > 0",
        "true ? true : true ? true : true ? true : true ? true : true ? true : false",
        "1 == 1 == true == true == true == true",
        r#"answers.kind.startsWith("n") || [1, 2].exists(x, x > 1) || {"a": 1}.a == 1 || b"a" == b"\x61""#,
        r#"answers.day < "2026-01-01" && 1u + 2u == 3u && 1.5e3 > -0.5 && 9223372036854775807 > 0"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn condition(bytes: &[u8]) {
    let quoted = Value::from(as_text(bytes).replace('\u{7f}', " ")).to_string();
    // A basic string of TOML and a string of JSON escape alike but for the solidus, which JSON leaves alone here.
    let text = WITH_CONDITION.replacen("CONDITION", &quoted, 1);
    let catalog = load("test-appeal", text.as_bytes());
    assert_eq!(catalog.items.len() + catalog.rejected.len(), 1);
    let Some(item) = catalog.items.first() else { return };
    let some = json!({"kind": "noise", "who": ["road"], "day": "2026-02-03"});
    for answers in [Map::new(), some.as_object().cloned().unwrap_or_default()] {
        for age in [None, Some(0), Some(60), Some(150)] {
            walk(item, &answers, age);
        }
    }
}

/// The project's own catalog with the forms made ready.
fn with_forms<T>(look: impl FnOnce(&[(ServiceItem, FormCheck)]) -> T) -> T {
    thread_local! {
        static FORMS: Vec<(ServiceItem, FormCheck)> = {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/catalog");
            let items = Catalog::load(&folder).items;
            let codes: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
            assert!(ITEMS.iter().all(|(code, _)| codes.contains(code)), "the project's own items are good: {codes:?}");
            items.into_iter().map(|item| { let form = FormCheck::new(&item); (item, form) }).collect()
        };
    }
    FORMS.with(|forms| look(forms))
}

fn submission_seeds() -> Vec<Vec<u8>> {
    let good = r#"{"applicant":{"document":"resident-id-card","name":"𬱖㛃","number":"990001199001011008","sex":"female",
        "ethnic":"汉","birth":"1990-01-01","address":"示例市","issuer":"示例","valid_from":"2020-01-01","valid_to":"长期"},
        "answers":{"kind":"noise","what":"路灯不亮","place":"示例市","phone":"13800000000","reply":"call",
        "for_whom":"neighbour","payment":"late","contact":"13800000000","since":"2026-02-29"}}"#;
    let vectors = golden::VECTORS.iter().map(|vectors| {
        let part = &vectors["submission"];
        json!({"applicant": part["applicant"], "answers": part["answers"]}).to_string().into_bytes()
    });
    vectors.chain([good.into(), b"{}".to_vec(), b"[]".to_vec()]).collect()
}

fn submission(bytes: &[u8]) {
    let Ok(submission) = serde_json::from_slice::<Value>(bytes) else { return };
    let today = parse_day("2026-11-22");
    with_forms(|forms| {
        for (item, form) in forms {
            let (on_the_day, without) = (form.judge(&submission, today), form.judge(&submission, None));
            assert!(on_the_day.is_err() || without.is_ok(), "less knowledge never forbids more");
            for reason in [on_the_day, without].into_iter().filter_map(Result::err).flatten() {
                assert_quiet(&reason);
            }
            let answers = submission.get("answers").and_then(Value::as_object).cloned().unwrap_or_default();
            walk(item, &answers, Some(60));
        }
    });
}

/// The good conditions are conditions, and the project's own items are items.
pub(super) fn reaches() {
    for seed in condition_seeds().iter().take(GOOD_CONDITIONS) {
        let quoted = Value::from(as_text(seed)).to_string();
        let catalog = load("test-appeal", WITH_CONDITION.replacen("CONDITION", &quoted, 1).as_bytes());
        assert!(catalog.items.len() == 1, "{:?}", catalog.rejected);
    }
    for (code, text) in ITEMS {
        assert_eq!(load(code, text.as_bytes()).rejected, []);
    }
}
