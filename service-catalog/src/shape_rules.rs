//! The rules of shapes: which parts an item of each has, and what it may ask.

use crate::condition::Condition;
use crate::file::{ItemFile, ShapeWord};
use crate::item::{FollowUp, Question, QuestionKind, Shape, Way};
use crate::problem::{Fault, ItemProblem};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// The shape, with what it follows a case with.
pub(crate) fn shape(file: &ItemFile) -> Result<Shape, Fault> {
    let shape = match (*file.shape.get_ref(), &file.follows) {
        (ShapeWord::FollowUp, Some(follows)) => return Ok(Shape::FollowUp(*follows.get_ref())),
        (ShapeWord::FollowUp, None) => {
            let problem = ItemProblem::PartMissing { shape: "follow-up", part: "`follows`" };
            return Err(Fault::at(file.shape.span(), problem));
        }
        (ShapeWord::Submit, _) => Shape::Submit,
        (ShapeWord::Fetch, _) => Shape::Fetch,
        (ShapeWord::WhereToGo, _) => Shape::WhereToGo,
        (ShapeWord::LifeEvent, _) => Shape::LifeEvent,
    };
    match &file.follows {
        None => Ok(shape),
        Some(follows) => {
            let problem = ItemProblem::PartNotForShape { shape: shape.word(), part: "`follows`" };
            Err(Fault::at(follows.span(), problem))
        }
    }
}

/// Refuses parts that an item of this shape does not have, and asks for those that it needs.
pub(crate) fn parts_fit_shape(file: &ItemFile, shape: Shape) -> Result<(), Fault> {
    let (fetches, directs, bundles) =
        (shape == Shape::Fetch, shape == Shape::WhereToGo, shape == Shape::LifeEvent);
    let identifies = matches!(shape, Shape::Submit | Shape::Fetch);
    let outcomes = file.outcomes.first().map(Spanned::span);
    let parts: [(&str, bool, bool, Option<Range<usize>>); 7] = [
        ("[consent]", !directs && !bundles, identifies, file.consent.as_ref().map(Spanned::span)),
        ("[identify]", identifies, identifies, file.identify.as_ref().map(Spanned::span)),
        ("[eligibility]", identifies, false, file.eligibility.as_ref().map(Spanned::span)),
        ("[fetch]", fetches, fetches, file.fetch.as_ref().map(Spanned::span)),
        ("[[questions]]", !bundles, false, file.questions.first().map(Spanned::span)),
        ("`items`", bundles, bundles, file.items.as_ref().map(Spanned::span)),
        ("[[outcomes]]", directs, directs, outcomes),
    ];
    let shape = shape.word();
    for (part, allowed, needed, given) in parts {
        match given {
            Some(span) if !allowed => {
                return Err(Fault::at(span, ItemProblem::PartNotForShape { shape, part }));
            }
            None if needed => {
                return Err(Fault { span: None, problem: ItemProblem::PartMissing { shape, part } });
            }
            _ => {}
        }
    }
    match &file.identify {
        // A number can be anybody's: what a register keeps about a person is told to who holds the card.
        Some(identify) if fetches && identify.get_ref().ways.get_ref().contains(&Way::Typed) => {
            Err(Fault::at(identify.get_ref().ways.span(), ItemProblem::TypedFetch))
        }
        _ => Ok(()),
    }
}

/// Whether an answer of this kind says something about somebody. A choice among words of ours does not.
fn is_personal(kind: QuestionKind) -> bool {
    match kind {
        QuestionKind::Choice
        | QuestionKind::Choices
        | QuestionKind::YesNo
        | QuestionKind::Date
        | QuestionKind::Number => false,
        QuestionKind::Text
        | QuestionKind::Phone
        | QuestionKind::Photo
        | QuestionKind::Money
        | QuestionKind::Address => true,
    }
}

/// Whoever only asks where to go is asked nothing that is personal, and to fetch is to choose, not to write.
pub(crate) fn question_fits_shape(
    shape: Shape,
    question: &Question,
    span: Range<usize>,
) -> Result<(), Fault> {
    if matches!(shape, Shape::WhereToGo | Shape::Fetch) && is_personal(question.kind) {
        let kind = question.kind.word();
        return Err(Fault::at(span, ItemProblem::KindNotForShape { shape: shape.word(), kind }));
    }
    impersonal(shape, question.visible_when.as_ref(), span)
}

/// Nobody has identified, so a condition cannot look at who it is.
pub(crate) fn impersonal(
    shape: Shape,
    condition: Option<&Condition>,
    span: Range<usize>,
) -> Result<(), Fault> {
    match condition {
        Some(condition)
            if !matches!(shape, Shape::Submit | Shape::Fetch) && condition.looks_at_applicant() =>
        {
            Err(Fault::at(span, ItemProblem::NobodyIdentified))
        }
        _ => Ok(()),
    }
}

/// A follow-up that takes anything personal says first what for.
pub(crate) fn consent_fits_questions(shape: Shape, given: bool, questions: &[Question]) -> Result<(), Fault> {
    let takes = questions.iter().any(|question| is_personal(question.kind));
    if shape.follows().is_some() && takes && !given {
        let problem = ItemProblem::ConsentMissing { shape: shape.word() };
        return Err(Fault { span: None, problem });
    }
    Ok(())
}

/// Refuses a second item that follows a case with the same: nobody could say which of the two is meant.
pub(crate) fn once_in_a_catalog(follows: FollowUp, earlier: &str, text: &str) -> Fault {
    #[derive(Deserialize)]
    struct Part {
        follows: Option<Spanned<String>>,
    }
    let span = toml::from_str::<Part>(text).ok().and_then(|part| part.follows).map(|word| word.span());
    let problem = ItemProblem::FollowsTwice { follows: follows.word(), other: earlier.to_owned() };
    Fault { span, problem }
}

/// Refuses a life event of which an item is missing.
pub(crate) fn no_such_item(code: &str, text: &str) -> Fault {
    #[derive(Deserialize)]
    struct Part {
        items: Vec<Spanned<String>>,
    }
    let part = toml::from_str::<Part>(text).ok();
    let span = part
        .and_then(|part| part.items.into_iter().find(|item| item.get_ref() == code))
        .map(|item| item.span());
    Fault { span, problem: ItemProblem::NoSuchItem { code: code.to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::read_item;

    const ITEM: &str = r#"
code = "sample"
version = 1
shape = "follow-up"
follows = "supplement"
order = 900
works_offline = true
title = { zh-Hans = "补材料", zh-Hant = "補交資料", en = "More papers" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "凭条", zh-Hant = "收條", en = "Receipt" }]
time = { zh-Hans = "一分钟", zh-Hant = "一分鐘", en = "A minute" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }

[consent]
version = 1
purpose = { zh-Hans = "用途", zh-Hant = "用途", en = "Purpose" }
data = [{ zh-Hans = "照片", zh-Hant = "照片", en = "Photos" }]
retention = { zh-Hans = "一年", zh-Hant = "一年", en = "A year" }
refusal = { zh-Hans = "去窗口", zh-Hant = "去窗口", en = "At the window" }

[[questions]]
id = "papers"
kind = "photo"
required = false
max_photos = 3
label = { zh-Hans = "拍材料", zh-Hant = "拍資料", en = "Papers" }
"#;

    fn broken(from: &str, to: &str) -> (Option<usize>, ItemProblem) {
        assert!(ITEM.contains(from), "the sample has {from}");
        let text = ITEM.replacen(from, to, 1);
        let fault = read_item("sample", &text).expect_err(to);
        (fault.line(&text), fault.problem)
    }

    #[test]
    fn a_follow_up_says_what_it_follows_with_and_asks_nobody_who_it_is() {
        let item = read_item("sample", ITEM).unwrap_or_else(|fault| panic!("{}", fault.problem));
        assert_eq!(item.shape.follows(), Some(FollowUp::Supplement));
        assert!(item.identify.ways.is_empty() && item.consent.is_some());
        let (line, problem) = broken("follows = \"supplement\"\n", "");
        assert!(matches!(problem, ItemProblem::PartMissing { part: "`follows`", .. }), "{problem}");
        assert_eq!(line, Some(4), "where the shape is said");
        let (line, problem) = broken("\"follow-up\"", "\"submit\"");
        assert!(matches!(problem, ItemProblem::PartNotForShape { part: "`follows`", .. }), "{problem}");
        assert_eq!(line, Some(5));
        let (line, problem) = broken("\"supplement\"", "\"appeal\"");
        assert!(problem.to_string().contains("unknown variant `appeal`"), "{problem}");
        assert_eq!(line, Some(5));
        let identify = "[identify]\nways = [\"typed\"]\naccepts_expired_card = true\n\n[[questions]]";
        let (_, problem) = broken("[[questions]]", identify);
        assert!(matches!(problem, ItemProblem::PartNotForShape { part: "[identify]", .. }), "{problem}");
        let (_, problem) = broken("required = false", "required = false\nvisible_when = 'applicant.age > 3'");
        assert_eq!(problem, ItemProblem::NobodyIdentified);
    }

    #[test]
    fn what_takes_something_personal_says_what_for() {
        let without = {
            let start = ITEM.find("[consent]").unwrap();
            let end = ITEM.find("[[questions]]").unwrap();
            format!("{}{}", &ITEM[..start], &ITEM[end..])
        };
        let fault = read_item("sample", &without).unwrap_err();
        assert_eq!(fault.problem, ItemProblem::ConsentMissing { shape: "follow-up" });
        let plain = without.replace("kind = \"photo\"", "kind = \"yes-no\"").replace("max_photos = 3\n", "");
        assert!(read_item("sample", &plain).is_ok(), "a choice among our own words needs none");
    }

    const LIFE_EVENT: &str = r#"
code = "sample"
version = 1
shape = "life-event"
order = 900
works_offline = true
items = ["one", "two"]
title = { zh-Hans = "退休", zh-Hant = "退休", en = "Retiring" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "身份证", zh-Hant = "身份證", en = "Card" }]
time = { zh-Hans = "一分钟", zh-Hant = "一分鐘", en = "A minute" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }
"#;

    #[test]
    fn a_life_event_names_its_items_and_collects_nothing() {
        let item = read_item("sample", LIFE_EVENT).unwrap_or_else(|fault| panic!("{}", fault.problem));
        assert_eq!(item.items, ["one", "two"]);
        let broken = |from: &str, to: &str| {
            let text = LIFE_EVENT.replacen(from, to, 1);
            let fault = read_item("sample", &text).expect_err(to);
            (fault.line(&text), fault.problem.to_string())
        };
        let missing = broken("items = [\"one\", \"two\"]\n", "");
        assert!(missing.1.contains("`items`"), "{missing:?}");
        let twice = broken("\"two\"", "\"one\"");
        assert!(twice.0 == Some(7) && twice.1.contains("one"), "{twice:?}");
        let alone = broken(", \"two\"", "");
        assert_eq!(alone.0, Some(7), "{alone:?}");
        let asks = "\n[[questions]]\nid = \"a\"\nkind = \"yes-no\"\nrequired = true\nlabel = { zh-Hans = \"问\", \
                    zh-Hant = \"問\", en = \"Q\" }\n";
        let fault = read_item("sample", &format!("{LIFE_EVENT}{asks}")).unwrap_err();
        assert!(matches!(fault.problem, ItemProblem::PartNotForShape { part: "[[questions]]", .. }));
    }

    #[test]
    fn a_life_event_without_one_of_its_items_names_it_with_its_line() {
        let fault = no_such_item("two", LIFE_EVENT);
        assert_eq!(fault.line(LIFE_EVENT), Some(7));
        assert!(fault.problem.to_string().contains("two"));
    }

    #[test]
    fn a_second_one_is_named_with_its_line() {
        let fault = once_in_a_catalog(FollowUp::Supplement, "case-supplement", ITEM);
        assert_eq!(fault.line(ITEM), Some(5));
        assert!(fault.problem.to_string().contains("case-supplement"), "{}", fault.problem);
    }
}
