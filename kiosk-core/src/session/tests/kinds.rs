//! Numbers, sums of money and addresses, on their pages.

use super::*;
use crate::address::{Address, Areas, Town};
use crate::amount::Amount;
use crate::answers::Answer;
use std::sync::Arc;

fn areas() -> Arc<Areas> {
    let town = |name: &str, villages: &[&str]| Town {
        name: name.into(),
        villages: villages.iter().map(|&village| village.into()).collect(),
    };
    let towns = vec![town("甲街道", &["一村", "二村"]), town("乙镇", &[])];
    Arc::new(Areas { city: "示例市".into(), towns })
}

/// A resident at the first of these questions.
fn asked(kinds: &[(&str, QuestionKind)]) -> Bench {
    let mut bench = Bench::new();
    bench.items[0].questions =
        kinds.iter().map(|(name, kind)| question(name, kind.clone(), true, None)).collect();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2036-01-01")));
    bench.touch(Citizen::PersonConfirmed);
    bench
}

fn answer(bench: &Bench, name: &str) -> Option<Answer> {
    bench.session.visit.as_ref()?.answers.get(&id(name)).cloned()
}

fn draft(bench: &Bench) -> &Draft {
    match &bench.session.page {
        Page::Question(draft) => draft,
        other => panic!("no question but {other:?}"),
    }
}

fn type_keys(bench: &mut Bench, keys: &str) {
    for key in keys.chars() {
        bench.touch(Citizen::KeyTyped(key));
    }
}

#[test]
fn a_number_is_typed_in_digits_and_held_against_its_limits() {
    let mut bench = asked(&[("people", QuestionKind::Number(Amount { least: 1, most: 20 }))]);
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::AnswerNeeded));
    bench.touch(Citizen::NoticeClosed);
    type_keys(&mut bench, "2a1");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::NumberWrong), "21 is too many");
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Cleared);
    type_keys(&mut bench, "003");
    bench.touch(Citizen::Answered);
    assert_eq!(
        answer(&bench, "people"),
        Some(Answer::One("3".into())),
        "as it is sent, without zeros in front"
    );
    bench.touch(Citizen::ChangeWanted(id("people")));
    assert_eq!(draft(&bench).text.expose(), "3");
}

#[test]
fn money_is_typed_in_yuan_and_kept_in_fen() {
    let mut bench = asked(&[("cost", QuestionKind::Money(Amount { least: 100, most: 500_000 }))]);
    type_keys(&mut bench, ".12.505");
    assert_eq!(draft(&bench).text.expose(), "12.50", "keys that make no sum do nothing");
    bench.touch(Citizen::Answered);
    assert_eq!(answer(&bench, "cost"), Some(Answer::One("1250".into())));
    bench.touch(Citizen::ChangeWanted(id("cost")));
    assert_eq!(draft(&bench).text.expose(), "12.50");
    bench.touch(Citizen::Cleared);
    type_keys(&mut bench, "0.99");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::MoneyWrong));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Cleared);
    type_keys(&mut bench, "5000");
    bench.touch(Citizen::Answered);
    assert_eq!(answer(&bench, "cost"), Some(Answer::One("500000".into())));
}

#[test]
fn an_address_is_touched_from_the_large_to_the_small_and_only_its_rest_is_written() {
    let mut bench = asked(&[("home", QuestionKind::Address(areas()))]);
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::AnswerNeeded));
    bench.touch(Citizen::NoticeClosed);
    bench.touch(Citizen::OptionChosen("丙镇".into())).touch(Citizen::TextTyped("x".into()));
    assert_eq!((draft(&bench).address.stage, draft(&bench).text.expose().as_str()), (AddressStage::Town, ""));
    bench.touch(Citizen::OptionChosen("甲街道".into()));
    assert_eq!(draft(&bench).address.stage, AddressStage::Village);
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice.take(), Some(Notice::AnswerNeeded));
    bench.touch(Citizen::OptionChosen("二村".into())).touch(Citizen::TextTyped("样本路1号".into()));
    bench.touch(Citizen::Answered);
    let given =
        Address { town: "甲街道".into(), village: Some("二村".into()), rest: "样本路1号".into() };
    assert_eq!(answer(&bench, "home"), Some(Answer::Address(given)));
    assert_eq!(bench.session.page, Page::Review);

    // Changed on the check page: another town forgets the village, and what is not listed is left out.
    bench.touch(Citizen::ChangeWanted(id("home"))).touch(Citizen::OptionChosen("甲街道".into()));
    assert!(draft(&bench).address.village.is_some(), "the same town again");
    bench.touch(Citizen::OptionChosen(String::new()));
    bench.touch(Citizen::Answered);
    let Some(Answer::Address(unlisted)) = answer(&bench, "home") else { panic!("an address") };
    assert_eq!(unlisted.village, None);
}

#[test]
fn back_goes_from_the_small_to_the_large_and_then_out() {
    let kinds = [("first", QuestionKind::Phone), ("home", QuestionKind::Address(areas()))];
    let mut bench = asked(&kinds);
    bench.type_in("13800000000");
    bench.touch(Citizen::OptionChosen("甲街道".into())).touch(Citizen::OptionChosen("一村".into()));
    for stage in [AddressStage::Village, AddressStage::Town] {
        bench.touch(Citizen::Back);
        assert_eq!(draft(&bench).address.stage, stage);
    }
    bench.touch(Citizen::Back);
    assert_eq!(bench.shown_question(), "first");
    bench.touch(Citizen::Answered).touch(Citizen::OptionChosen("乙镇".into()));
    assert_eq!(draft(&bench).address.stage, AddressStage::Rest, "a town without a list");
    bench.touch(Citizen::TextTyped("样本村1号".into())).touch(Citizen::Cleared);
    assert_eq!(draft(&bench).address.town, Some("乙镇".into()), "what was touched stays");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::AnswerNeeded));
    bench.touch(Citizen::NoticeClosed).touch(Citizen::Back);
    assert_eq!(draft(&bench).address.stage, AddressStage::Town);
}

#[test]
fn a_card_s_address_is_only_confirmed_where_its_town_is_known() {
    for (city, open) in [("广东省东莞市", false), ("别处", true)] {
        let mut bench = Bench::new();
        let town = Town { name: "示例镇".into(), villages: Vec::new() };
        let areas = Arc::new(Areas { city: city.into(), towns: vec![town] });
        let home = question("home", QuestionKind::Address(areas), true, Some(Prefill::Address));
        bench.items[0].questions = vec![home];
        let ticket = bench.go_to_identify("appeal");
        let mut resident = card("1971-01-01", Some("2036-01-01"));
        resident.address = Some("广东省东莞市示例镇样本路1号".into());
        bench.lay(ticket, resident);
        bench.touch(Citizen::PersonConfirmed);
        assert_eq!(matches!(bench.session.page, Page::Question(_)), open, "{:?}", bench.session.page);
    }
}
