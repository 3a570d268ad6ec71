//! The rules of outcomes: what a where-to-go item must lead to.

use crate::file::{OutcomeFile, PlaceFile};
use crate::item::{Question, Shape};
use crate::outcome::{Outcome, Place};
use crate::problem::{Fault, ItemProblem};
use crate::rules::{Room, condition, count, list_of_words, words};
use crate::shape_rules::impersonal;
use toml::Spanned;

const TITLE: Room = Room("outcomes.title", 16, 40);
const ADVICE: Room = Room("outcomes.advice", 90, 240);
const BRING: Room = Room("outcomes.bring", 30, 80);
const WINDOW: Room = Room("outcomes.where.window", 24, 60);
const ADDRESS: Room = Room("outcomes.where.address", 40, 110);
const HOURS: Room = Room("outcomes.where.hours", 30, 80);

const MOST_OUTCOMES: usize = 8;
const MOST_BRING: usize = 6;
/// Longest telephone number that is shown, characters.
const MOST_PHONE_CHARS: usize = 24;
/// Longest name of a queue.
const MOST_QUEUE_CHARS: usize = 40;

/// The outcomes in their order; the last one holds for everybody who is left.
pub(crate) fn outcomes(
    raw: Vec<Spanned<OutcomeFile>>,
    shape: Shape,
    questions: &[Question],
) -> Result<Vec<Outcome>, Fault> {
    count("outcomes", raw.len(), 0, MOST_OUTCOMES, raw.first().map(Spanned::span).as_ref())?;
    let last = raw.len().saturating_sub(1);
    let mut outcomes = Vec::new();
    for (at, raw) in raw.into_iter().enumerate() {
        let span = raw.span();
        let outcome = outcome(raw.into_inner(), questions)?;
        if outcome.when.is_none() != (at == last) {
            return Err(Fault::at(span, ItemProblem::LastOutcome));
        }
        impersonal(shape, outcome.when.as_ref(), span)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn outcome(raw: OutcomeFile, questions: &[Question]) -> Result<Outcome, Fault> {
    Ok(Outcome {
        when: raw.when.map(|when| condition(when, questions)).transpose()?,
        verdict: raw.verdict,
        title: words(&TITLE, raw.title)?,
        advice: words(&ADVICE, raw.advice)?,
        bring: raw
            .bring
            .map(|bring| list_of_words(&BRING, bring, 1, MOST_BRING))
            .transpose()?
            .unwrap_or_default(),
        place: raw.place.map(place).transpose()?,
    })
}

fn place(raw: PlaceFile) -> Result<Place, Fault> {
    let phone = raw.phone.get_ref();
    let written = |c: char| c.is_ascii_digit() || matches!(c, '-' | ' ' | '、');
    let good = (3..=MOST_PHONE_CHARS).contains(&phone.chars().count()) && phone.chars().all(written);
    if !good {
        return Err(Fault::at(raw.phone.span(), ItemProblem::BadPhone { most: MOST_PHONE_CHARS }));
    }
    Ok(Place {
        window: words(&WINDOW, raw.window)?,
        address: words(&ADDRESS, raw.address)?,
        hours: words(&HOURS, raw.hours)?,
        phone: phone.clone(),
        queue: raw.queue.map(queue).transpose()?,
    })
}

/// A letter, a dash, and a word: `a-general` gives A001, A002.
fn queue(name: Spanned<String>) -> Result<String, Fault> {
    let text = name.get_ref().as_bytes();
    let written = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let good = (3..=MOST_QUEUE_CHARS).contains(&text.len())
        && text[0].is_ascii_lowercase()
        && text[1] == b'-'
        && text[2] != b'-'
        && text.iter().all(written);
    if good { Ok(name.into_inner()) } else { Err(Fault::at(name.span(), ItemProblem::BadQueue)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{ApplicantFacts, Facts};
    use crate::day::parse_day;
    use crate::outcome::Verdict;
    use crate::rules::read_item;
    use serde_json::{Value, json};

    /// Three questions, three outcomes.
    const ITEM: &str = r#"
code = "sample"
version = 1
shape = "where-to-go"
order = 10
works_offline = true
title = { zh-Hans = "示例去处", zh-Hant = "示例去處", en = "Sample" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "身份证", zh-Hant = "身份證", en = "Card" }]
time = { zh-Hans = "一分钟", zh-Hant = "一分鐘", en = "A minute" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }

[[questions]]
id = "lost"
kind = "yes-no"
required = true
label = { zh-Hans = "丢了吗", zh-Hant = "丟了嗎", en = "Lost?" }

[[questions]]
id = "age"
kind = "number"
required = true
most = 130
visible_when = 'answers.lost == "no"'
label = { zh-Hans = "几岁", zh-Hant = "幾歲", en = "Age" }

[[questions]]
id = "until"
kind = "date"
required = true
visible_when = 'answers.age >= 16'
label = { zh-Hans = "到哪天", zh-Hant = "到哪天", en = "Until" }

[[outcomes]]
when = 'answers.lost == "yes"'
verdict = "can"
title = { zh-Hans = "可以补领", zh-Hant = "可以補領", en = "Replace it" }
advice = { zh-Hans = "请去窗口", zh-Hant = "請去窗口", en = "Go to the window" }
bring = [{ zh-Hans = "照片", zh-Hant = "照片", en = "Photo" }]
[outcomes.where]
window = { zh-Hans = "窗口", zh-Hant = "窗口", en = "Window" }
address = { zh-Hans = "地址", zh-Hant = "地址", en = "Address" }
hours = { zh-Hans = "白天", zh-Hant = "日間", en = "Daytime" }
phone = "12345"

[[outcomes]]
when = 'answers.until < today && answers.age < 100'
verdict = "can"
title = { zh-Hans = "可以换", zh-Hant = "可以換", en = "Renew" }
advice = { zh-Hans = "过期了", zh-Hant = "過期了", en = "Expired" }

[[outcomes]]
verdict = "cannot"
title = { zh-Hans = "还不用", zh-Hant = "還不用", en = "Not yet" }
advice = { zh-Hans = "不用来", zh-Hant = "不用來", en = "No need" }
"#;

    fn broken(from: &str, to: &str) -> (Option<usize>, ItemProblem) {
        assert!(ITEM.contains(from), "the sample has {from}");
        let text = ITEM.replacen(from, to, 1);
        let fault = read_item("sample", &text).expect_err(to);
        (fault.line(&text), fault.problem)
    }

    fn line_of(text: &str) -> Option<usize> {
        ITEM.lines().position(|line| line.starts_with(text)).map(|at| at + 1)
    }

    #[test]
    fn the_first_outcome_that_holds_is_the_one() {
        let item = read_item("sample", ITEM).unwrap_or_else(|fault| panic!("{}", fault.problem));
        let outcome = |answers: Value| {
            let answers = answers.as_object().unwrap().clone();
            let today = parse_day("2026-11-22").unwrap();
            item.outcome(&Facts { answers, applicant: ApplicantFacts::default(), today })
        };
        assert_eq!(outcome(json!({"lost": "yes"})), Ok(Some(0)));
        assert_eq!(outcome(json!({"lost": "no", "age": "30", "until": "2026-11-21"})), Ok(Some(1)));
        assert_eq!(outcome(json!({"lost": "no", "age": "30", "until": "2036-11-21"})), Ok(Some(2)));
        let forgotten = json!({"lost": "no", "age": "9", "until": "2026-11-21"});
        assert_eq!(outcome(forgotten), Ok(Some(1)), "\"\" < today, too: a hidden day counts as not given");
        assert!(item.consent.is_none() && item.identify.ways.is_empty());
        assert_eq!(item.outcomes[0].place.as_ref().unwrap().phone, "12345");
        assert_eq!(item.outcomes[2].verdict, Verdict::Cannot);
    }

    #[test]
    fn each_shape_has_its_parts_and_no_others() {
        let (line, problem) = broken("shape = \"where-to-go\"", "shape = \"submit\"");
        assert!(matches!(problem, ItemProblem::PartMissing { part: "[consent]", .. }), "{problem}");
        assert_eq!(line, None);
        let identify = "[identify]\nways = [\"typed\"]\naccepts_expired_card = true\n\n[[questions]]";
        let (_, problem) = broken("[[questions]]", identify);
        assert!(matches!(problem, ItemProblem::PartNotForShape { part: "[identify]", .. }), "{problem}");
        let end = ITEM.find("[[outcomes]]").unwrap();
        let fault = read_item("sample", &ITEM[..end]).unwrap_err();
        assert!(matches!(fault.problem, ItemProblem::PartMissing { part: "[[outcomes]]", .. }));
        let other = crate::rules::tests::ITEM.to_owned() + &ITEM[end..];
        let fault = read_item("sample", &other).unwrap_err();
        assert!(matches!(fault.problem, ItemProblem::PartNotForShape { part: "[[outcomes]]", .. }));
    }

    #[test]
    fn nothing_personal_is_asked_or_looked_at() {
        let (line, problem) = broken("kind = \"yes-no\"", "kind = \"phone\"");
        assert!(matches!(problem, ItemProblem::KindNotForShape { kind: "phone", .. }), "{problem}");
        assert!(line >= line_of("[[questions]]"));
        let (_, problem) = broken("answers.age >= 16", "applicant.age >= 16");
        assert_eq!(problem, ItemProblem::NobodyIdentified);
        let (_, problem) = broken("when = 'answers.lost == \"yes\"'", "when = 'applicant.age > 3'");
        assert_eq!(problem, ItemProblem::NobodyIdentified);
    }

    #[test]
    fn the_last_outcome_alone_is_for_everybody() {
        let (line, problem) = broken("when = 'answers.lost == \"yes\"'\n", "");
        assert_eq!((line, problem), (line_of("[[outcomes]]"), ItemProblem::LastOutcome));
        let (_, problem) =
            broken("verdict = \"cannot\"", "when = 'today > \"2020-01-01\"'\nverdict = \"cannot\"");
        assert_eq!(problem, ItemProblem::LastOutcome);
        let (line, problem) = broken("phone = \"12345\"", "phone = \"twelve\"");
        assert!(matches!(problem, ItemProblem::BadPhone { .. }));
        assert_eq!(line, line_of("phone"));
        let named = ITEM.replacen("phone = \"12345\"", "phone = \"12345\"\nqueue = \"a-general\"", 1);
        let item = read_item("sample", &named).unwrap_or_else(|fault| panic!("{}", fault.problem));
        assert_eq!(item.outcomes[0].place.as_ref().unwrap().queue.as_deref(), Some("a-general"));
        for bad in ["", "a", "a-", "general", "A-general", "a--b", "1-general", "a-号"] {
            let (_, problem) = broken("phone = \"12345\"", &format!("phone = \"12345\"\nqueue = \"{bad}\""));
            assert_eq!(problem, ItemProblem::BadQueue, "{bad}");
        }
        let (_, problem) = broken("verdict = \"can\"", "verdict = \"maybe\"");
        assert!(problem.to_string().contains("unknown variant `maybe`"), "{problem}");
    }
}
