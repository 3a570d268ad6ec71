//! What `InputEngine` promises, as one suite that runs on every implementation.

use chinese_input::{
    CANDIDATES_MAX, Composition, HandwritingEngine, InputEngine, KEYS_MAX, Mark, Method, RecentFirst, Rime,
    Script, TEXT_BYTES_MAX,
};

use super::drawn::drawn;
use super::surroundings::{Deployed, enter_all, keys};

/// The four ways of typing, each with marks that lead to candidates.
fn ways() -> [(Method, Script, Vec<Mark>); 5] {
    [
        (Method::Pinyin, Script::Simplified, keys("zhongguo")),
        (Method::Jyutping, Script::Simplified, keys("zung1gwok3")),
        (Method::Jyutping, Script::Traditional, keys("zunggwok")),
        (Method::Strokes, Script::Simplified, keys("szhs")),
        (Method::Handwriting, Script::Simplified, drawn('中')),
    ]
}

fn is_bounded(composition: &Composition) {
    assert!(composition.candidates.len() <= CANDIDATES_MAX);
    let texts = composition.candidates.iter().chain([&composition.typed, &composition.committed]);
    for text in texts {
        assert!(text.expose().len() <= TEXT_BYTES_MAX);
    }
    assert!(composition.candidates.iter().all(|candidate| !candidate.expose().is_empty()));
}

fn keeps_its_promises(engine: &mut dyn InputEngine, marks: &[Mark]) {
    // With nothing typed, nothing happens.
    engine.clear().unwrap();
    assert!(engine.take_back().unwrap() == Composition::empty());
    assert!(engine.choose(0).unwrap() == Composition::empty());

    let first = enter_all(engine, marks);
    is_bounded(&first);
    assert!(!first.candidates.is_empty(), "no candidates for what should have some");
    assert!(first.committed.expose().is_empty(), "something became final without being chosen");

    // What it has no use for, and what is not there, changes nothing.
    let foreign = if matches!(marks[0], Mark::Key(_)) { drawn('十').remove(0) } else { keys("a").remove(0) };
    assert!(engine.enter(&foreign).unwrap() == first);
    assert!(engine.choose(first.candidates.len()).unwrap() == first);
    assert!(engine.choose(usize::MAX).unwrap() == first);

    // Each mark can be taken back, and the same marks lead to the same again.
    for _ in marks {
        is_bounded(&engine.take_back().unwrap());
    }
    assert!(engine.take_back().unwrap() == Composition::empty());
    assert!(enter_all(engine, marks) == first);

    // The first candidate, and what it leaves over, until all is final.
    let mut text = String::new();
    for _ in 0..marks.len() {
        let chosen = engine.choose(0).unwrap();
        is_bounded(&chosen);
        text.push_str(chosen.committed.expose());
        if chosen.candidates.is_empty() {
            break;
        }
    }
    assert!(!text.is_empty(), "choosing led to nothing final");
    assert!(text.starts_with(first.candidates[0].expose().as_str()));
    assert!(engine.take_back().unwrap() == Composition::empty(), "what is final cannot be taken back");

    // Dropped is dropped.
    enter_all(engine, marks);
    engine.clear().unwrap();
    assert!(engine.take_back().unwrap() == Composition::empty());

    // More than there is room for is not taken.
    let many: Vec<Mark> = marks.iter().cycle().take(KEYS_MAX + 20).cloned().collect();
    let long = enter_all(engine, &many);
    is_bounded(&long);
    engine.clear().unwrap();

    // A session ends like the first began.
    enter_all(engine, marks);
    engine.forget().unwrap();
    assert!(engine.take_back().unwrap() == Composition::empty());
    assert!(enter_all(engine, marks) == first);
    engine.forget().unwrap();
}

#[test]
fn the_engines_in_this_process_keep_the_contract() {
    let deployed = Deployed::new();
    let rime = Rime::open(&deployed.sources()).unwrap();
    for (method, script, marks) in ways() {
        if method == Method::Handwriting {
            let mut engine = HandwritingEngine::open(&deployed.sources()).unwrap();
            keeps_its_promises(&mut engine, &marks);
        } else {
            keeps_its_promises(&mut rime.engine(method, script).unwrap(), &marks);
        }
    }
}

#[test]
fn the_client_keeps_the_contract() {
    let deployed = Deployed::new();
    for (method, script, marks) in ways() {
        keeps_its_promises(&mut deployed.client(method, script), &marks);
    }
}

#[test]
fn the_client_with_what_was_used_last_in_front_keeps_the_contract() {
    let deployed = Deployed::new();
    for (method, script, marks) in ways() {
        keeps_its_promises(&mut RecentFirst::new(deployed.client(method, script)), &marks);
    }
}

#[test]
fn one_child_serves_all_ways_in_turn() {
    let deployed = Deployed::new();
    let mut client = deployed.client(Method::Pinyin, Script::Simplified);
    client.start().unwrap();
    let child = client.process_id().unwrap();
    for (method, script, marks) in ways().into_iter().chain(ways()) {
        client.switch(method, script).unwrap();
        assert!(!enter_all(&mut client, &marks).candidates.is_empty(), "{method:?}");
    }
    assert_eq!(client.process_id(), Some(child));
}
