//! What was used last comes first, for the same keys, until the session ends.

use chinese_input::{InputEngine, Method, RecentFirst, Script};

use super::surroundings::{Deployed, enter_all, keys, texts};

#[test]
fn what_was_chosen_comes_first_until_it_is_forgotten() {
    let deployed = Deployed::new();
    let mut engine = RecentFirst::new(deployed.client(Method::Pinyin, Script::Simplified));
    let before = enter_all(&mut engine, &keys("li"));
    let (first, fifth) = (texts(&before)[0], texts(&before)[4]);
    assert_eq!(engine.choose(4).unwrap().committed.expose(), fifth);

    let after = enter_all(&mut engine, &keys("li"));
    assert_eq!(texts(&after)[..2], [fifth, first]);
    // The place on the screen is what counts.
    assert_eq!(engine.choose(1).unwrap().committed.expose(), first);
    assert_eq!(texts(&enter_all(&mut engine, &keys("li")))[..2], [first, fifth]);
    engine.clear().unwrap();

    // Other keys are not touched by it.
    let word = enter_all(&mut engine, &keys("liu"));
    assert_ne!(texts(&word)[0], first);
    engine.clear().unwrap();

    engine.forget().unwrap();
    assert!(enter_all(&mut engine, &keys("li")) == before);
}

#[test]
fn a_lost_child_takes_nothing_of_it_along() {
    let deployed = Deployed::new();
    let mut engine = RecentFirst::new(deployed.client(Method::Pinyin, Script::Simplified));
    let before = enter_all(&mut engine, &keys("wang"));
    let third = texts(&before)[2];
    engine.choose(2).unwrap();
    let child = rustix::process::Pid::from_raw(engine.engine_mut().process_id().unwrap() as i32).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
    engine.enter(&keys("w")[0]).unwrap_err();
    assert_eq!(texts(&enter_all(&mut engine, &keys("wang")))[0], third);
}
