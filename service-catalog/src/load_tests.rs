//! Tests of the loader on real folders, and of the items that ship with the project.

use super::*;
use crate::answer::check_answer;
use crate::condition::{ApplicantFacts, Facts};
use crate::day::parse_day;
use crate::item::{FollowUp, Question, QuestionKind, Shape};
use crate::rules::tests::ITEM;
use crate::text::{Language, Text};
use serde_json::{Map, Value, json};

/// A catalog folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(ITEMS)).unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(ITEMS).join(name), content).unwrap();
    }
    dir
}

fn named(code: &str, order: u32) -> String {
    ITEM.replace("\"sample\"", &format!("\"{code}\"")).replace("order = 10", &format!("order = {order}"))
}

/// The catalog that ships, whole: tests over its items must not pass because one is missing.
fn shipped() -> Catalog {
    let catalog = Catalog::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/catalog")));
    assert_eq!(catalog.rejected, []);
    catalog
}

#[test]
fn one_broken_file_never_hurts_another() {
    let (first, last) = (named("first", 2), named("last", 1));
    let dir = folder(&[
        ("first.toml", first.as_bytes()),
        ("broken.toml", b"code = \"broken\"\nversion = \n"),
        ("last.toml", last.as_bytes()),
        ("bytes.toml", b"\xff\xfe"),
        ("large.toml", &vec![b'#'; 300 * 1024]),
        (".hidden.toml", b"not an item"),
        ("notes.txt", b"not an item"),
    ]);
    fs::create_dir(dir.path().join(ITEMS).join("folder.toml")).unwrap();
    let catalog = Catalog::load(dir.path());
    let codes: Vec<_> = catalog.items.iter().map(|item| item.code.as_str()).collect();
    assert_eq!(codes, ["last", "first"], "in the order of the home screen");
    assert!(catalog.item("first").is_some() && catalog.item("broken").is_none());
    let rejected: Vec<_> = catalog.rejected.iter().map(|r| (r.file.as_str(), r.line)).collect();
    assert_eq!(
        rejected,
        [
            ("items/broken.toml", Some(2)),
            ("items/bytes.toml", None),
            ("items/folder.toml", None),
            ("items/large.toml", None),
        ]
    );
    let reasons: Vec<_> = catalog.rejected.iter().map(|r| r.reason.as_str()).collect();
    assert_eq!(reasons[1], "the file is not UTF-8 text");
    assert_eq!(reasons[2], "it is a folder or a device, not a file");
    assert_eq!(reasons[3], "the file is larger than 256 KiB");
}

#[test]
fn a_missing_folder_is_reported_and_not_fatal() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::load(dir.path());
    assert!(catalog.items.is_empty());
    assert_eq!(catalog.rejected.len(), 1);
    assert_eq!(catalog.rejected[0].file, "items");
    assert!(catalog.rejected[0].reason.contains("not found"), "{}", catalog.rejected[0].reason);
}

#[test]
fn too_many_files_are_cut_off_and_said() {
    let names: Vec<String> = (0..=MAX_FILES).map(|n| format!("n{n:04}.toml")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let catalog = Catalog::load(folder(&files).path());
    assert_eq!(catalog.rejected.len(), MAX_FILES + 1);
    assert!(catalog.rejected[0].reason.contains("more than 500 files"));
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_reported() {
    let dir = folder(&[]);
    std::os::unix::fs::symlink("nowhere", dir.path().join(ITEMS).join("lost.toml")).unwrap();
    let catalog = Catalog::load(dir.path());
    assert!(catalog.rejected[0].reason.contains("cannot be read"), "{}", catalog.rejected[0].reason);
}

#[test]
fn the_version_follows_names_and_contents() {
    let version = |files: &[(&str, &[u8])]| Catalog::load(folder(files).path()).version;
    let one = named("one", 1);
    let base = version(&[("one.toml", one.as_bytes())]);
    assert_eq!(base.len(), 64);
    assert_eq!(base, version(&[("one.toml", one.as_bytes()), ("notes.txt", b"x")]));
    assert_ne!(base, version(&[("two.toml", one.as_bytes())]), "another name");
    assert_ne!(base, version(&[("one.toml", named("one", 2).as_bytes())]), "another content");
    assert_ne!(version(&[("a.toml", b"b"), ("c.toml", b"d")]), version(&[("a.toml", b"bc.tomld")]));
    assert_eq!(version(&[]).len(), 64);
}

#[test]
fn a_byte_order_mark_is_forgiven() {
    let marked = format!("\u{feff}{}", named("one", 1));
    assert_eq!(Catalog::load(folder(&[("one.toml", marked.as_bytes())]).path()).rejected, []);
}

/// Item files that ship.
const FILES: usize = 21;

#[test]
fn all_shipped_items_load() {
    let catalog = shipped();
    let codes: Vec<_> = catalog.items.iter().map(|item| item.code.as_str()).collect();
    assert_eq!(codes.len(), FILES, "{codes:?}");
    // What most people come for stands on the first page, large.
    assert_eq!(codes[..3], ["12345-appeal", "insurance-certificate", "senior-allowance"]);
    for item in &catalog.items {
        // What a register keeps cannot be known without asking.
        assert_eq!(item.works_offline, item.fetch.is_none(), "{}", item.code);
        assert!(item.questions.len() <= 7, "{}", item.code);
    }
}

/// Every text of an item.
fn texts(item: &ServiceItem) -> Vec<&Text> {
    let guide = &item.guide;
    let mut all = vec![&item.title, &item.summary, &guide.what, &guide.time, &guide.department, &guide.fee];
    all.extend(&guide.bring);
    if let Some(consent) = &item.consent {
        all.extend([&consent.purpose, &consent.retention, &consent.refusal]);
        all.extend(&consent.data);
    }
    for outcome in &item.outcomes {
        all.extend([&outcome.title, &outcome.advice]);
        all.extend(outcome.bring.iter());
        all.extend(outcome.place.iter().flat_map(|place| [&place.window, &place.address, &place.hours]));
    }
    if let Some(fetch) = &item.fetch {
        all.extend([&fetch.title, &fetch.nothing]);
        all.extend(&fetch.notes);
        for field in fetch.facts.iter().chain(&fetch.columns) {
            all.push(&field.label);
            all.extend(&field.unit);
            all.extend(field.words.iter().map(|word| &word.label));
        }
    }
    all.extend(item.eligibility.iter().map(|eligibility| &eligibility.otherwise));
    for question in &item.questions {
        all.push(&question.label);
        all.extend(question.hint.iter().chain(&question.phrases));
        all.extend(question.options.iter().map(|option| &option.label));
    }
    all
}

#[test]
fn shipped_words_are_in_the_language_they_claim() {
    // Characters of the items that Hong Kong and Macao write differently: one in that column is a slip.
    let simplified = "们说话电费证转给负责单认请没关现写发诉东码区务办处时间产经网络维养资领银续应该对谁让见听买卖开门车马鸟鱼钱铁头气热烦难题听闻风问国图书条约级红绿纸纷线练习运动里来两严为么义乐个丰临举亲仅从仓价众优会伤传体";
    for item in shipped().items {
        for text in texts(&item) {
            let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            assert!(text.zh_hans.chars().any(|c| han(c) || c.is_ascii_digit()), "{}", text.zh_hans);
            assert!(!text.zh_hant.chars().any(|c| simplified.contains(c)), "{}", text.zh_hant);
            assert!(!text.en.chars().any(han), "{}", text.en);
        }
        for part in
            item.consent.iter().map(|c| &c.refusal).chain(item.eligibility.iter().map(|e| &e.otherwise))
        {
            for language in Language::ALL {
                assert!(part.get(language).contains("12345"), "{}: a way on without the kiosk", item.code);
            }
        }
    }
}

/// Every answer to the questions on which this one hangs, directly or by another.
fn ways_to(item: &ServiceItem, question: &Question) -> Vec<Map<String, Value>> {
    let mut ways = vec![Map::new()];
    for other in question.visible_when.iter().flat_map(|condition| condition.questions()) {
        let looked_at = item.question(other).unwrap();
        let values: Vec<String> = match looked_at.amount {
            Some(amount) => vec![amount.least.to_string(), amount.most.to_string()],
            None if looked_at.kind == QuestionKind::Date => vec!["1950-01-01".into(), "2030-01-01".into()],
            None => looked_at.options.iter().map(|option| option.value.clone()).collect(),
        };
        let before: Vec<_> = ways.iter().flat_map(|way| with_all(way, ways_to(item, looked_at))).collect();
        ways = values
            .iter()
            .flat_map(|value| with_all(&Map::from_iter([(other.clone(), json!(value))]), before.clone()))
            .collect();
    }
    ways
}

fn with_all(answers: &Map<String, Value>, ways: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
    ways.into_iter().map(|way| answers.clone().into_iter().chain(way).collect()).collect()
}

#[test]
fn every_shipped_question_can_be_asked_and_every_optional_one_skipped() {
    let today = parse_day("2026-11-22").unwrap();
    for item in shipped().items {
        for question in item.questions.iter().filter(|question| !question.required) {
            assert_eq!(check_answer(question, None, today), Ok(()), "{}", question.id);
        }
        for question in item.questions.iter().filter(|question| question.visible_when.is_some()) {
            let verdicts: Vec<bool> = ways_to(&item, question)
                .into_iter()
                .map(|answers| {
                    let applicant = ApplicantFacts::default();
                    item.is_asked(&question.id, &Facts { answers, applicant, today }).unwrap()
                })
                .collect();
            assert!(verdicts.contains(&true), "{} is asked for some option", question.id);
        }
        let reached = item.questions.iter().any(|question| question.kind == QuestionKind::Phone);
        assert!(reached || item.shape != Shape::Submit, "{}", item.code);
    }
}

#[test]
fn the_pension_item_is_for_people_from_fifty() {
    let catalog = shipped();
    let item = catalog.item("pension-living-check").unwrap();
    let eligible = |age| {
        let applicant = ApplicantFacts { age, document: None };
        item.is_eligible(&Facts { answers: Map::new(), applicant, today: time::Date::MIN })
    };
    assert_eq!(eligible(Some(49)), Ok(false));
    assert_eq!(eligible(Some(50)), Ok(true));
    assert!(eligible(None).is_err(), "nobody is refused by a guess");
    assert!(!item.identify.accepts_expired_card);
}

#[test]
fn one_item_follows_a_case_with_the_same() {
    let shipped = shipped();
    for follows in FollowUp::ALL {
        let item = shipped.follow_up(follows).unwrap_or_else(|| panic!("no {}", follows.word()));
        assert_eq!(item.shape.follows(), Some(follows));
        let schema = crate::schema::json_schema(item);
        assert_eq!(schema["properties"]["applicant"]["maxProperties"], 0, "its case knows who asks");
    }
    let supplement = include_str!("../../assets/catalog/items/case-supplement.toml");
    let other = supplement.replace("\"case-supplement\"", "\"more-papers\"");
    let dir =
        folder(&[("case-supplement.toml", supplement.as_bytes()), ("more-papers.toml", other.as_bytes())]);
    let catalog = Catalog::load(dir.path());
    assert_eq!(
        catalog.follow_up(FollowUp::Supplement).map(|item| item.code.as_str()),
        Some("case-supplement")
    );
    let line = other.lines().position(|line| line.starts_with("follows")).map(|at| at + 1);
    assert_eq!(catalog.rejected.len(), 1);
    assert_eq!(
        (catalog.rejected[0].file.as_str(), catalog.rejected[0].line),
        ("items/more-papers.toml", line)
    );
}
