//! Writing on the screen: what is asked of the engine, what of its answers counts, and what happens without it.

use super::*;
use crate::private::Private;
use crate::remedy::{FaultCode, Notice};
use crate::settings::Theme;

/// At the question "detail", which takes five characters, in these settings.
fn at_the_text(language: Language, theme: Theme) -> Bench {
    let mut bench = Bench::new();
    bench.touch(Citizen::LanguageChosen(language));
    if theme == Theme::Senior {
        bench.touch(Citizen::SeniorToggled);
    }
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2036-01-01")));
    bench.touch(Citizen::PersonConfirmed).choose("other");
    assert_eq!(bench.shown_question(), "detail");
    bench
}

fn simplified() -> Bench {
    at_the_text(Language::ZhHans, Theme::Standard)
}

impl Bench {
    fn asked(&self) -> Option<(Ticket, EngineQuestion)> {
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::AskEngine(ticket, question) => Some((*ticket, question.clone())),
            _ => None,
        });
        asked.last()
    }

    /// Touches the keyboard; the ticket of what is asked then.
    fn typed(&mut self, touch: TypingTouch) -> Ticket {
        self.touch(Citizen::Typing(touch));
        self.asked().expect("the engine is asked").0
    }

    fn key(&mut self, key: char) -> Ticket {
        self.typed(TypingTouch::Marked(Mark::Key(key)))
    }

    fn answer(&mut self, ticket: Ticket, typed: &str, candidates: &[&str], committed: &str) {
        self.send_at_once(Event::Engine(EngineAnswer::Composed {
            ticket,
            typed: typed.into(),
            candidates: candidates.iter().map(|text| Private::from(*text)).collect(),
            committed: committed.into(),
        }));
    }

    fn lose(&mut self, ticket: Ticket, remedy: Remedy) {
        self.send_at_once(Event::Engine(EngineAnswer::Lost(ticket, remedy)));
    }

    fn typing(&self) -> &Typing {
        self.session.typing().expect("a field of text")
    }

    fn text(&self) -> String {
        let Page::Question(draft) = &self.session.page else { panic!("no question") };
        draft.text.expose().clone()
    }

    fn shown(&self) -> Vec<&str> {
        self.typing().composition.candidates.iter().map(|text| text.expose().as_str()).collect()
    }
}

fn stroke(x: u16) -> Mark {
    Mark::Stroke(Private::new(vec![PenPoint { x, y: 100 }, PenPoint { x, y: 900 }]))
}

const GONE: Remedy = Remedy::CallOperator(FaultCode::Typing);

#[test]
fn a_text_question_opens_the_engine_ahead_of_the_first_key() {
    for (language, theme, open) in [
        (Language::ZhHans, Theme::Standard, Some((Method::Pinyin, Script::Simplified))),
        (Language::ZhHans, Theme::Senior, Some((Method::Handwriting, Script::Simplified))),
        (Language::ZhHant, Theme::Standard, Some((Method::Strokes, Script::Traditional))),
        (Language::ZhHant, Theme::Senior, Some((Method::Strokes, Script::Traditional))),
        (Language::En, Theme::Standard, None),
        (Language::En, Theme::Senior, None),
    ] {
        let bench = at_the_text(language, theme);
        let asked = bench.asked().map(|(_, question)| question);
        let wanted = open.map(|(method, script)| EngineQuestion::Open(method, script));
        assert_eq!(asked, wanted, "{language:?} {theme:?}");
        assert_eq!(bench.typing().way.method(), open.map(|(method, _)| method));
    }
}

#[test]
fn every_way_is_offered_once_in_every_setting() {
    for language in Language::ALL {
        for theme in [Theme::Standard, Theme::Senior] {
            let offered = TypingWay::offered(Settings { language, theme, ..Settings::default() });
            let distinct: std::collections::HashSet<TypingWay> = offered.into_iter().collect();
            assert_eq!(distinct.len(), 7, "{language:?} {theme:?}");
        }
    }
}

#[test]
fn keys_lead_to_candidates_and_a_candidate_into_the_field() {
    let mut bench = simplified();
    let first = bench.key('n');
    assert_eq!(bench.asked(), Some((first, EngineQuestion::Enter(Mark::Key('n')))));
    bench.answer(first, "n", &["你", "那"], "");
    let second = bench.key('i');
    bench.answer(second, "ni", &["你", "尼"], "");
    assert_eq!(bench.shown(), ["你", "尼"]);
    assert_eq!(bench.text(), "");
    let chosen = bench.typed(TypingTouch::CandidateChosen(1));
    assert_eq!(bench.asked(), Some((chosen, EngineQuestion::Choose(1))));
    bench.answer(chosen, "", &[], "尼");
    assert_eq!(bench.text(), "尼");
    assert!(bench.shown().is_empty() && !bench.typing().is_composing());
    bench.touch(Citizen::Answered);
    assert_eq!(bench.shown_question(), "day", "the text is the answer");
}

#[test]
fn only_the_newest_answer_is_shown_and_no_choice_is_made_from_an_older_list() {
    let mut bench = simplified();
    let first = bench.key('n');
    let second = bench.key('i');
    bench.answer(first, "n", &["那"], "");
    assert!(bench.shown().is_empty(), "it is of a shorter composition");
    bench.answer(second, "ni", &["你"], "");
    let third = bench.key('h');
    bench.touch(Citizen::Typing(TypingTouch::CandidateChosen(0)));
    assert_eq!(bench.asked(), None, "the engine may see another list already");
    bench.answer(third, "ni h", &["你好"], "");
    bench.touch(Citizen::Typing(TypingTouch::CandidateChosen(1)));
    assert_eq!(bench.asked(), None, "there is no second candidate");
}

#[test]
fn a_word_that_was_chosen_is_kept_although_another_key_came_first() {
    let mut bench = simplified();
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    let chosen = bench.typed(TypingTouch::CandidateChosen(0));
    let next = bench.key('h');
    bench.answer(chosen, "", &[], "那");
    assert_eq!(bench.text(), "那");
    bench.answer(next, "h", &["好"], "");
    assert_eq!(bench.shown(), ["好"]);
}

#[test]
fn answers_to_another_field_another_visit_or_nobody_change_nothing() {
    let mut bench = simplified();
    let key = bench.key('n');
    bench.touch(Citizen::Back);
    bench.choose("other");
    assert_eq!(bench.shown_question(), "detail");
    bench.answer(key, "n", &["那"], "那");
    assert!(bench.text().is_empty() && bench.shown().is_empty(), "the field was left in between");

    let key = bench.key('n');
    bench.touch(Citizen::End);
    bench.answer(key, "n", &["那"], "那");
    assert!(bench.session.typing().is_none());
    bench.touch(Citizen::FarewellDone);
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2036-01-01")));
    bench.touch(Citizen::PersonConfirmed).choose("other");
    bench.answer(key, "n", &["那"], "那");
    assert_eq!((bench.text().as_str(), bench.shown().len()), ("", 0));
}

#[test]
fn erasing_takes_marks_back_before_characters() {
    let mut bench = simplified();
    bench.touch(Citizen::TextTyped("东莞".into()));
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    bench.touch(Citizen::Erased);
    let (ticket, question) = bench.asked().unwrap();
    assert_eq!(question, EngineQuestion::TakeBack);
    assert_eq!(bench.text(), "东莞");
    bench.answer(ticket, "", &[], "");
    bench.touch(Citizen::Erased);
    assert_eq!((bench.text().as_str(), bench.asked()), ("东", None));
    // A key that is not answered yet is a mark as well.
    bench.key('n');
    bench.touch(Citizen::Erased);
    assert_eq!(bench.text(), "东");
}

#[test]
fn a_drawing_is_taken_back_stroke_by_stroke_and_goes_with_its_choice() {
    let mut bench = at_the_text(Language::ZhHans, Theme::Senior);
    for x in [200, 800] {
        let ticket = bench.typed(TypingTouch::Marked(stroke(x)));
        bench.answer(ticket, "", &["川", "三"], "");
    }
    assert_eq!(bench.typing().ink.len(), 2);
    bench.touch(Citizen::Erased);
    let (ticket, question) = bench.asked().unwrap();
    assert_eq!((question, bench.typing().ink.len()), (EngineQuestion::TakeBack, 1));
    bench.answer(ticket, "", &["一"], "");
    let chosen = bench.typed(TypingTouch::CandidateChosen(0));
    assert!(bench.typing().ink.is_empty());
    bench.answer(chosen, "", &[], "一");
    assert_eq!(bench.text(), "一");
    let ticket = bench.typed(TypingTouch::Marked(stroke(500)));
    bench.answer(ticket, "", &["一"], "");
    bench.typed(TypingTouch::CompositionCleared);
    assert!(bench.typing().ink.is_empty() && bench.shown().is_empty());
    for x in 0..60 {
        bench.touch(Citizen::Typing(TypingTouch::Marked(stroke(x))));
    }
    assert_eq!(bench.typing().ink.len(), super::super::typing::STROKES_MAX, "a drawing has its limit");
}

#[test]
fn marks_that_the_way_has_no_use_for_are_not_asked() {
    let mut bench = simplified();
    bench.touch(Citizen::Typing(TypingTouch::Marked(stroke(500))));
    assert_eq!(bench.asked(), None);
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::Letters)));
    bench.touch(Citizen::Typing(TypingTouch::Marked(Mark::Key('n'))));
    assert_eq!(bench.asked(), None);
    bench.touch(Citizen::KeyTyped('n'));
    assert_eq!(bench.text(), "n");
}

#[test]
fn the_text_keeps_its_limit() {
    let mut bench = simplified();
    bench.touch(Citizen::TextTyped("东莞市示".into()));
    let key = bench.key('c');
    bench.answer(key, "ceshi", &["测试"], "");
    let chosen = bench.typed(TypingTouch::CandidateChosen(0));
    bench.answer(chosen, "", &[], "测试");
    assert_eq!((bench.text().as_str(), bench.session.notice), ("东莞市示测", Some(Notice::TextTooLong)));
    bench.touch(Citizen::NoticeClosed);
    bench.touch(Citizen::Typing(TypingTouch::Marked(Mark::Key('n'))));
    assert_eq!((bench.asked(), bench.session.notice), (None, Some(Notice::TextTooLong)));
}

#[test]
fn nobody_goes_on_with_something_unfinished() {
    let mut bench = simplified();
    bench.touch(Citizen::TextTyped("东莞".into()));
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::TypingUnfinished));
    assert_eq!(bench.shown_question(), "detail");
    bench.touch(Citizen::NoticeClosed);
    let cleared = bench.typed(TypingTouch::CompositionCleared);
    bench.answer(cleared, "", &[], "");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.shown_question(), "day");
}

#[test]
fn a_chosen_way_lasts_for_the_session_and_no_longer() {
    let mut bench = simplified();
    let opened = bench.typed(TypingTouch::WayChosen(TypingWay::Strokes));
    let open = |method| EngineQuestion::Open(method, Script::Simplified);
    assert_eq!(bench.asked(), Some((opened, open(Method::Strokes))));
    bench.touch(Citizen::TextTyped("东莞".into())).touch(Citizen::Answered).touch(Citizen::Back);
    assert_eq!((bench.shown_question(), bench.typing().way), ("detail", TypingWay::Strokes));
    // Another language changes what 粤拼 shows, not the way.
    bench.touch(Citizen::LanguageChosen(Language::ZhHant));
    let (_, question) = bench.asked().unwrap();
    assert_eq!(question, EngineQuestion::Open(Method::Strokes, Script::Traditional));
    bench.touch(Citizen::End).touch(Citizen::FarewellDone);
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", Some("2036-01-01")));
    bench.touch(Citizen::PersonConfirmed).choose("other");
    assert_eq!(bench.typing().way, TypingWay::Pinyin);
}

#[test]
fn leaving_a_way_drops_what_was_typed_in_it() {
    let mut bench = simplified();
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::Digits)));
    assert!(!bench.typing().is_composing() && bench.shown().is_empty());
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::Pinyin)));
    let (_, question) = bench.asked().unwrap();
    assert_eq!(question, EngineQuestion::Open(Method::Pinyin, Script::Simplified));
}

#[test]
fn a_lost_engine_is_said_and_replaced() {
    let mut bench = simplified();
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    let lost = bench.key('i');
    bench.lose(lost, Remedy::Retry);
    assert_eq!(bench.session.notice, Some(Notice::TypingLost));
    let (opened, question) = bench.asked().expect("another one is started");
    assert_eq!(question, EngineQuestion::Open(Method::Pinyin, Script::Simplified));
    assert!(!bench.typing().is_composing() && bench.shown().is_empty());
    // An answer from before, and one more loss of the old one, belong to nobody.
    bench.answer(key, "n", &["那"], "");
    bench.lose(lost, GONE);
    assert_eq!((bench.typing().way, bench.shown().len()), (TypingWay::Pinyin, 0));
    bench.answer(opened, "", &[], "");
    bench.touch(Citizen::NoticeClosed);
    let key = bench.key('n');
    bench.answer(key, "n", &["那"], "");
    assert_eq!(bench.shown(), ["那"]);
}

#[test]
fn without_an_engine_there_are_letters_and_a_word_only_for_who_asked() {
    let mut bench = simplified();
    let (opened, _) = bench.asked().unwrap();
    bench.lose(opened, GONE);
    assert_eq!((bench.typing().way, bench.session.notice), (TypingWay::Letters, None));
    bench.touch(Citizen::KeyTyped('a'));
    assert_eq!(bench.text(), "a");
    let again = bench.typed(TypingTouch::WayChosen(TypingWay::Handwriting));
    bench.lose(again, Remedy::Retry);
    assert_eq!(bench.session.notice, Some(Notice::TypingAway), "a start that fails is not tried for ever");
    bench.touch(Citizen::NoticeClosed);
    assert_eq!(bench.typing().way, TypingWay::Letters);
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::RareCharacters)));
    assert_eq!(bench.typing().way, TypingWay::RareCharacters, "which needs no engine");
    bench.touch(Citizen::Answered);
    assert_eq!(bench.shown_question(), "day", "and the visit goes on");
}

#[test]
fn a_rare_character_is_picked_in_four_steps_and_each_can_be_taken_back() {
    let mut bench = simplified();
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::RareCharacters)));
    let pick = |bench: &mut Bench, pick| {
        bench.touch(Citizen::Typing(TypingTouch::Picked(pick)));
    };
    pick(&mut bench, Pick::Radical(Private::new('龙')));
    assert_eq!(bench.typing().picker, Picker::default(), "that was not the question");
    pick(&mut bench, Pick::RadicalStrokes(5));
    bench.touch(Citizen::Typing(TypingTouch::NextPage));
    assert_eq!(bench.typing().page, 1);
    pick(&mut bench, Pick::Radical(Private::new('龙')));
    assert_eq!(bench.typing().page, 0, "another list begins at its first page");
    pick(&mut bench, Pick::ResidualStrokes(3));
    bench.touch(Citizen::Typing(TypingTouch::PickedBack));
    assert_eq!(bench.typing().picker.residual_strokes, None);
    pick(&mut bench, Pick::ResidualStrokes(4));
    pick(&mut bench, Pick::Character(Private::new('䶮')));
    assert_eq!((bench.text().as_str(), &bench.typing().picker), ("䶮", &Picker::default()));
    for _ in 0..3 {
        bench.touch(Citizen::Typing(TypingTouch::PickedBack));
    }
    assert_eq!(bench.typing().picker, Picker::default());
}

#[test]
fn pages_are_turned_and_begin_anew_with_every_key() {
    let mut bench = simplified();
    bench.touch(Citizen::Typing(TypingTouch::Expanded));
    assert!(!bench.typing().expanded, "there is nothing to show");
    let key = bench.key('n');
    bench.answer(key, "n", &["那", "你"], "");
    bench.touch(Citizen::Typing(TypingTouch::NextPage)).touch(Citizen::Typing(TypingTouch::Expanded));
    assert_eq!((bench.typing().page, bench.typing().expanded), (0, true));
    bench.touch(Citizen::Typing(TypingTouch::NextPage)).touch(Citizen::Typing(TypingTouch::PreviousPage));
    bench.touch(Citizen::Typing(TypingTouch::PreviousPage));
    assert_eq!(bench.typing().page, 0);
    let chosen = bench.typed(TypingTouch::CandidateChosen(0));
    bench.answer(chosen, "", &[], "那");
    assert!(!bench.typing().expanded, "the keys are back");
}

#[test]
fn nothing_typed_or_drawn_is_in_a_debug_text() {
    let mut bench = at_the_text(Language::ZhHans, Theme::Senior);
    let ticket = bench.typed(TypingTouch::Marked(stroke(357)));
    bench.answer(ticket, "yang", &["样本"], "");
    bench.touch(Citizen::Typing(TypingTouch::WayChosen(TypingWay::RareCharacters)));
    bench.touch(Citizen::Typing(TypingTouch::Picked(Pick::RadicalStrokes(5))));
    bench.touch(Citizen::Typing(TypingTouch::Picked(Pick::Radical(Private::new('龙')))));
    let text = format!("{:?} {:?}", bench.session, bench.effects);
    for typed in ["357", "yang", "样本", "龙"] {
        assert!(!text.contains(typed), "{typed} in {text}");
    }
}
