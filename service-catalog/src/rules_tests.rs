//! Tests of the loader's rules: each fault is found, named and given its line.

use super::*;
use crate::expression::ExpressionFault;
use serde::Deserialize;

/// A whole item that is right; tests break one thing each.
pub(crate) const ITEM: &str = r#"
code = "sample"
version = 3
shape = "submit"
order = 10
works_offline = true
title = { zh-Hans = "示例事项", zh-Hant = "示例事項", en = "Sample" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "身份证", zh-Hant = "身份證", en = "Card" }]
time = { zh-Hans = "三分钟", zh-Hant = "三分鐘", en = "Three minutes" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }

[consent]
version = 2
purpose = { zh-Hans = "用途", zh-Hant = "用途", en = "Purpose" }
data = [{ zh-Hans = "资料", zh-Hant = "資料", en = "Data" }]
retention = { zh-Hans = "保存", zh-Hant = "保存", en = "Retention" }
refusal = { zh-Hans = "不同意", zh-Hant = "不同意", en = "Refusal" }

[identify]
ways = ["id-card", "typed"]
accepts_expired_card = true

[eligibility]
when = "applicant.age >= 50"
otherwise = { zh-Hans = "去窗口", zh-Hant = "去窗口", en = "Go to the desk" }

[[questions]]
id = "kind"
kind = "choice"
required = true
label = { zh-Hans = "哪种", zh-Hant = "哪種", en = "Which" }
options = [
    { value = "a", label = { zh-Hans = "甲", zh-Hant = "甲", en = "A" } },
    { value = "b", label = { zh-Hans = "乙", zh-Hant = "乙", en = "B" } },
]

[[questions]]
id = "who"
kind = "choices"
required = false
label = { zh-Hans = "哪些", zh-Hant = "哪些", en = "Which ones" }
options = [
    { value = "a", label = { zh-Hans = "甲", zh-Hant = "甲", en = "A" } },
    { value = "b", label = { zh-Hans = "乙", zh-Hant = "乙", en = "B" } },
]

[[questions]]
id = "when"
kind = "date"
required = false
not_before = "2020-01-01"
not_after = "today"
label = { zh-Hans = "哪天", zh-Hant = "哪天", en = "When" }
hint = { zh-Hans = "大概也行", zh-Hant = "大概也可", en = "About will do" }

[[questions]]
id = "words"
kind = "text"
required = true
max_chars = 70
prefill = "card.address"
visible_when = 'answers.kind == "b"'
label = { zh-Hans = "说说", zh-Hant = "說說", en = "Tell" }
phrases = [{ zh-Hans = "一句", zh-Hant = "一句", en = "A phrase" }]

[[questions]]
id = "call"
kind = "phone"
required = true
visible_when = '"a" in answers.who'
label = { zh-Hans = "电话", zh-Hant = "電話", en = "Phone" }
"#;

/// The sample item.
pub(crate) fn sample() -> ServiceItem {
    read_item("sample", ITEM).unwrap_or_else(|fault| panic!("{:?} {}", fault.line(ITEM), fault.problem))
}

/// The sample's questions: `kind`, `who`, `when`, `words`, `call`.
pub(crate) fn questions() -> Vec<Question> {
    sample().questions
}

/// A question `q` with these keys; required and with options a and b unless they say otherwise.
pub(crate) fn question(keys: &str) -> Question {
    #[derive(Deserialize)]
    struct Holder {
        questions: Vec<Spanned<QuestionFile>>,
    }
    let required = if keys.contains("required") { "" } else { "required = true" };
    let options = if keys.contains("choice") {
        r#"options = [{ value = "a", label = { zh-Hans = "甲", zh-Hant = "甲", en = "A" } },
           { value = "b", label = { zh-Hans = "乙", zh-Hant = "乙", en = "B" } }]"#
    } else {
        ""
    };
    let label = r#"label = { zh-Hans = "问", zh-Hant = "問", en = "Ask" }"#;
    let text = format!("[[questions]]\nid = \"q\"\n{required}\n{label}\n{options}\n{keys}\n");
    let mut holder: Holder = toml::from_str(&text).unwrap();
    super::question(holder.questions.remove(0), &[]).unwrap_or_else(|fault| panic!("{}", fault.problem))
}

/// Replaces `from` (which must be there) and gives the fault and its line.
fn broken(from: &str, to: &str) -> (Option<usize>, ItemProblem) {
    assert!(ITEM.contains(from), "the sample has {from}");
    let text = ITEM.replacen(from, to, 1);
    let fault = read_item("sample", &text).expect_err(to);
    (fault.line(&text), fault.problem)
}

/// The line of the sample that starts with `text`.
fn line_of(text: &str) -> Option<usize> {
    ITEM.lines().position(|line| line.starts_with(text)).map(|at| at + 1)
}

#[test]
fn the_sample_is_read_as_written() {
    let item = sample();
    let consent = item.consent.as_ref().unwrap();
    assert_eq!((item.version, item.order, consent.version), (3, 10, 2));
    assert_eq!(item.questions.len(), 5);
    assert_eq!(item.questions[2].not_after, Some(DayLimit::FromToday(0)));
    assert_eq!(item.questions[3].prefill, Some(Prefill::Address));
    assert_eq!(item.questions[3].phrases[0].en, "A phrase");
    assert_eq!(item.question("kind").unwrap().options[1].value, "b");
}

#[test]
fn toml_faults_name_their_line() {
    let (line, problem) = broken("shape = \"submit\"", "shape = submit");
    assert!(matches!(problem, ItemProblem::Toml(_)), "{problem}");
    assert_eq!(line, line_of("shape"));
    let (line, problem) = broken("order = 10", "ordre = 10");
    assert!(problem.to_string().contains("unknown field `ordre`"), "{problem}");
    assert_eq!(line, line_of("order"));
    let (line, problem) = broken("max_chars = 70", "max_chars = 70\nmax_lines = 3");
    assert!(problem.to_string().contains("unknown field `max_lines`"), "{problem}");
    assert_eq!(line, line_of("max_chars").map(|line| line + 1));
    let (_, problem) = broken("zh-Hant = \"示例事項\", ", "");
    assert!(problem.to_string().contains("missing field `zh-Hant`"), "{problem}");
    let (_, problem) = broken("order = 10", "order = 10\norder = 11");
    assert!(problem.to_string().contains("duplicate key"), "{problem}");
    let (_, problem) = broken("kind = \"phone\"", "kind = \"telephone\"");
    assert!(problem.to_string().contains("unknown variant `telephone`"), "{problem}");
    let (_, problem) = broken("[\"id-card\", \"typed\"]", "[\"face\"]");
    assert!(problem.to_string().contains("unknown variant `face`"), "{problem}");
}

#[test]
fn codes_ids_and_values_are_stable_words() {
    let (line, problem) = broken("code = \"sample\"", "code = \"other\"");
    assert!(matches!(problem, ItemProblem::CodeIsNotFileName { .. }));
    assert_eq!(line, line_of("code"));
    for bad in ["Sample", "示例", "", "-a", "a b", &"a".repeat(41)] {
        let (_, problem) = broken("code = \"sample\"", &format!("code = \"{bad}\""));
        assert!(matches!(problem, ItemProblem::BadWord { what: "the code", .. }), "{bad}");
    }
    let (_, problem) = broken("id = \"who\"", "id = \"kind\"");
    assert!(matches!(problem, ItemProblem::Twice { what: "the question id", .. }));
    let (_, problem) = broken("id = \"who\"", "id = \"Who\"");
    assert!(matches!(problem, ItemProblem::BadWord { what: "the question id", .. }));
    let (_, problem) = broken("value = \"b\"", "value = \"a\"");
    assert!(matches!(problem, ItemProblem::Twice { what: "the option value", .. }));
    let (_, problem) = broken("value = \"b\"", "value = \"B!\"");
    assert!(matches!(problem, ItemProblem::BadWord { what: "the option value", .. }));
    let (_, problem) = broken("[\"id-card\", \"typed\"]", "[\"typed\", \"typed\"]");
    assert!(matches!(problem, ItemProblem::Twice { what: "the way", .. }));
}

#[test]
fn versions_start_at_one() {
    let zero = |what| ItemProblem::VersionZero { what };
    assert_eq!(broken("version = 3", "version = 0").1, zero("version"));
    assert_eq!(broken("version = 2", "version = 0").1, zero("consent.version"));
}

#[test]
fn words_must_fit_the_screen_in_each_language() {
    let (line, problem) = broken("en = \"Which ones\"", &format!("en = \"{}\"", "x".repeat(49)));
    let language = Language::En;
    assert_eq!(problem, ItemProblem::TextTooLong { what: "label", language, chars: 49, limit: 48 });
    assert_eq!(line, ITEM.lines().position(|line| line.contains("Which ones")).map(|at| at + 1));
    let (_, problem) = broken("zh-Hant = \"哪些\"", &format!("zh-Hant = \"{}\"", "長".repeat(23)));
    let language = Language::ZhHant;
    assert_eq!(problem, ItemProblem::TextTooLong { what: "label", language, chars: 23, limit: 22 });
    // A digit takes half the room of a Chinese character.
    let half = ITEM.replacen("zh-Hant = \"哪些\"", &format!("zh-Hant = \"{}\"", "1".repeat(44)), 1);
    assert!(read_item("sample", &half).is_ok());
    let (_, problem) = broken("en = \"Which ones\"", "en = \" \"");
    assert_eq!(problem, ItemProblem::EmptyText { what: "label", language: Language::En });
    for untidy in ["One line ", "One\\nline", "One\\u0007line"] {
        let (_, problem) = broken("en = \"One line\"", &format!("en = \"{untidy}\""));
        assert_eq!(problem, ItemProblem::UntidyText { what: "summary", language: Language::En });
    }
}

#[test]
fn lists_have_a_size() {
    let wrong =
        |problem: ItemProblem, name| matches!(problem, ItemProblem::WrongCount { what, .. } if what == name);
    assert!(wrong(broken("[\"id-card\", \"typed\"]", "[]").1, "identify.ways"));
    assert!(wrong(
        broken("data = [{ zh-Hans = \"资料\", zh-Hant = \"資料\", en = \"Data\" }]", "data = []").1,
        "consent.data"
    ));
    let second = "    { value = \"b\", label = { zh-Hans = \"乙\", zh-Hant = \"乙\", en = \"B\" } },\n";
    let (line, problem) = broken(second, "");
    assert!(wrong(problem, "options"));
    assert_eq!(line, line_of("options"));
    let none =
        ITEM.split("[[questions]]").next().unwrap().replace("works_offline", "questions = []\nworks_offline");
    assert!(wrong(read_item("sample", &none).unwrap_err().problem, "questions"));
}

#[test]
fn keys_belong_to_kinds() {
    let (line, problem) = broken("kind = \"phone\"", "kind = \"phone\"\nmax_chars = 3");
    assert_eq!(problem, ItemProblem::KeyNotForKind { kind: "phone", key: "max_chars" });
    assert_eq!(line, line_of("kind = \"phone\"").map(|line| line + 1));
    let (_, problem) = broken("kind = \"phone\"", "kind = \"choice\"");
    assert_eq!(problem, ItemProblem::KeyMissing { kind: "choice", key: "options" });
    let (_, problem) = broken("max_chars = 70\n", "");
    assert_eq!(problem, ItemProblem::KeyMissing { kind: "text", key: "max_chars" });
    let (_, problem) = broken("kind = \"date\"", "kind = \"phone\"");
    assert_eq!(problem, ItemProblem::KeyNotForKind { kind: "phone", key: "not_before" });
    let (_, problem) = broken("kind = \"phone\"", "kind = \"photo\"");
    assert_eq!(problem, ItemProblem::KeyMissing { kind: "photo", key: "max_photos" });
    let (_, problem) = broken("max_chars = 70", "max_chars = 70\nmax_photos = 2");
    assert_eq!(problem, ItemProblem::KeyNotForKind { kind: "text", key: "max_photos" });
}

#[test]
fn numbers_and_days_make_sense() {
    assert_eq!(
        broken("max_chars = 70", "max_chars = 0").1,
        ItemProblem::BadMaxChars { given: 0, most: 1000 }
    );
    for given in [0, 4] {
        let photo = format!("kind = \"photo\"\nmax_photos = {given}");
        let (_, problem) = broken("kind = \"phone\"", &photo);
        assert_eq!(problem, ItemProblem::BadMaxPhotos { given, most: 3 });
    }
    assert_eq!(broken("max_chars = 70", "max_chars = 69").1, ItemProblem::PrefillDoesNotFit { needed: 70 });
    let (_, problem) = broken("max_chars = 70\nprefill = \"card.address\"", "max_chars = 2");
    assert_eq!(problem, ItemProblem::PhraseDoesNotFit { language: Language::En });
    let (line, problem) = broken("not_after = \"today\"", "not_after = \"tomorrow\"");
    assert_eq!(problem, ItemProblem::BadDayLimit { text: "tomorrow".to_owned() });
    assert_eq!(line, line_of("not_after"));
    let (_, problem) = broken("not_after = \"today\"", "not_after = \"2019-12-31\"");
    assert_eq!(problem, ItemProblem::NoDayAllowed);
}

#[test]
fn a_bad_condition_is_named_with_its_line() {
    let (line, problem) = broken("answers.kind == \"b\"", "answers.kind = \"b\"");
    assert!(
        matches!(&problem, ItemProblem::BadCondition { fault: ExpressionFault::Syntax { .. }, .. }),
        "{problem}"
    );
    assert_eq!(line, line_of("visible_when"));
    let (_, problem) = broken("answers.kind == \"b\"", "answers.call == \"b\"");
    // `call` comes later, so it is not known here.
    assert!(matches!(
        &problem,
        ItemProblem::BadCondition { fault: ExpressionFault::UnknownQuestion { .. }, .. }
    ));
    // Eligibility is asked before the form.
    let (line, problem) = broken("applicant.age >= 50", "answers.kind == 'a'");
    assert!(matches!(
        &problem,
        ItemProblem::BadCondition { fault: ExpressionFault::UnknownQuestion { .. }, .. }
    ));
    assert_eq!(line, line_of("when"));
}

#[test]
fn a_hidden_question_hides_what_hangs_on_it() {
    use crate::condition::{ApplicantFacts, Facts};
    let today = time::Date::MIN;
    let text = ITEM.replacen(
        "id = \"who\"\nkind = \"choices\"",
        "id = \"who\"\nkind = \"choices\"\nvisible_when = 'answers.kind == \"b\"'",
        1,
    );
    let item = read_item("sample", &text).unwrap();
    let asked = |kind: &str| {
        let answers = serde_json::json!({ "kind": kind, "who": ["a"] });
        let answers = answers.as_object().unwrap().clone();
        item.is_asked("call", &Facts { answers, applicant: ApplicantFacts::default(), today }).unwrap()
    };
    assert!(asked("b"));
    assert!(!asked("a"), "the answer to who is still there, but who is hidden");
}

#[test]
fn deep_nesting_in_toml_is_refused() {
    for open in ["[", "{a="] {
        let text = format!("x = {}", open.repeat(50_000));
        assert!(matches!(read_item("sample", &text).unwrap_err().problem, ItemProblem::Toml(_)));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_can_make_the_reader_panic(text in "\\PC{0,200}") {
        let _ = read_item("sample", &text);
    }

    /// Close to a real file: a piece of it replaced by another piece or by noise.
    #[test]
    fn no_damage_can_make_the_reader_panic(
        at in 0..ITEM.len(), length in 0..80_usize, from in 0..ITEM.len(), noise in "[\\[\\]{}=\"'#\\n\\\\0-9a-z一-三𬱖.]{0,12}",
        copy in proptest::bool::ANY,
    ) {
        let near = |byte: usize| (byte..=ITEM.len()).find(|at| ITEM.is_char_boundary(*at)).unwrap_or(ITEM.len());
        let (start, end) = (near(at), near((at + length).min(ITEM.len())));
        let piece = if copy { &ITEM[near(from)..near((from + length).min(ITEM.len()))] } else { noise.as_str() };
        let text = [&ITEM[..start], piece, &ITEM[end..]].concat();
        if let Err(fault) = read_item("sample", &text) {
            proptest::prop_assert!(!fault.problem.to_string().is_empty());
            proptest::prop_assert!(fault.line(&text).is_none_or(|line| line <= text.lines().count() + 1));
        }
    }
}
