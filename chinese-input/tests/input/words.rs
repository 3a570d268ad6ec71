//! Words whose keys are known, and characters whose strokes are.

use chinese_input::{InputEngine, Method, Rime, Script};

use super::drawn::{DRAWN, marks};
use super::surroundings::{Deployed, enter_all, keys, texts};

#[test]
fn known_keys_lead_to_known_words() {
    let deployed = Deployed::new();
    let rime = Rime::open(&deployed.sources()).unwrap();
    let (pinyin, jyutping, strokes) = (Method::Pinyin, Method::Jyutping, Method::Strokes);
    let (simplified, traditional) = (Script::Simplified, Script::Traditional);
    // The last number: among so many first candidates.
    for (method, script, typed, word, within) in [
        (pinyin, simplified, "nihao", "你好", 1),
        (pinyin, simplified, "dongguan", "东莞", 1),
        (pinyin, simplified, "guangdong", "广东", 1),
        (pinyin, simplified, "shenfenzheng", "身份证", 1),
        (pinyin, simplified, "xi'an", "西安", 1),
        (pinyin, simplified, "nvshi", "女士", 1),
        (pinyin, simplified, "shfz", "身份证", 20),
        (jyutping, simplified, "dung1gun2", "东莞", 1),
        (jyutping, traditional, "dung1gun2", "東莞", 1),
        (jyutping, simplified, "dunggun", "东莞", 1),
        (jyutping, simplified, "nei5hou2", "你好", 1),
        (jyutping, traditional, "gwong2zau1", "廣州", 1),
        (strokes, simplified, "hs", "十", 1),
        (strokes, simplified, "pn", "人", 3),
        (strokes, simplified, "szhs", "中", 3),
        (strokes, simplified, "szhh", "日", 3),
        (strokes, simplified, "hhsh", "王", 5),
    ] {
        let mut engine = rime.engine(method, script).unwrap();
        let composition = enter_all(&mut engine, &keys(typed));
        let place = texts(&composition).iter().position(|text| *text == word);
        assert!(place.is_some_and(|place| place < within), "{typed}: {word} at {place:?}");
    }
}

#[test]
fn a_long_word_can_be_chosen_in_parts() {
    let deployed = Deployed::new();
    let rime = Rime::open(&deployed.sources()).unwrap();
    let mut engine = rime.engine(Method::Pinyin, Script::Simplified).unwrap();
    let composition = enter_all(&mut engine, &keys("yangben"));
    let part = texts(&composition).iter().position(|text| *text == "羊").unwrap();
    let rest = engine.choose(part).unwrap();
    assert!(rest.committed.expose().is_empty());
    assert!(rest.typed.expose().starts_with('羊'));
    let second = texts(&rest).iter().position(|text| *text == "奔").unwrap();
    assert_eq!(engine.choose(second).unwrap().committed.expose(), "羊奔");
}

#[test]
fn drawn_characters_are_recognised() {
    let deployed = Deployed::new();
    let mut client = deployed.client(Method::Handwriting, Script::Simplified);
    for (character, strokes) in DRAWN {
        let composition = enter_all(&mut client, &marks(strokes));
        let place = texts(&composition).iter().position(|text| **text == character.to_string());
        assert!(place.is_some_and(|place| place < 5), "{character} at {place:?}");
        client.clear().unwrap();
    }
}
