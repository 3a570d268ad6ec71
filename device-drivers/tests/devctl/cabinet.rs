//! `devctl cabinet` against a simulated board, and on files like those of Linux's LEDs.

use std::time::{Duration, Instant};

use crate::run::{Simulated, run};

#[test]
fn board_presence_and_doors_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut board = Simulated::start(&format!("cabinet --link {}/board", folder.path().display()));
    let look = |board: &Simulated| run(&format!("cabinet {} look", board.way));
    let told = look(&board).good();
    assert!(told.fact("board").contains("number 7"), "{told:?}");
    assert_eq!(
        (told.fact("presence"), told.fact("door 0"), told.fact("door 1")),
        ("far", "closed", "closed")
    );
    board.order("near");
    board.order("open 1");
    // The board believes it when it has lasted.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = look(&board).good();
        if (told.fact("presence"), told.fact("door 0"), told.fact("door 1")) == ("near", "closed", "open") {
            break;
        }
        assert!(Instant::now() < deadline, "{told:?}");
    }
    board.order("fault sensor-failed");
    let told = look(&board).refused("call-operator cabinet-fault");
    assert_eq!(told.fact("presence"), "unknown");
    board.quit();
}

#[test]
fn lights_are_lit_and_the_self_test_tells_each_part() {
    let folder = tempfile::tempdir().unwrap();
    let mut board = Simulated::start(&format!("cabinet --link {}/board", folder.path().display()));
    let way = board.way.clone();
    assert_eq!(run(&format!("cabinet {way} light 1 slow")).good().fact("light 1"), "slow");
    assert_eq!(board.answer("lights"), "done: off slow off");
    run(&format!("cabinet {way} light 2 on --seconds 1")).good();
    run(&format!("cabinet {way} light 9 on")).refused("call-operator cabinet-fault");
    run(&format!("cabinet {way} light 1 purple")).misused();
    let told = run(&format!("cabinet {way} self-test")).good();
    assert_eq!((told.fact("supply"), told.fact("lights")), ("good", "good"));
    board.order("fault lights-fail");
    let told = run(&format!("cabinet {way} self-test")).refused("call-operator cabinet-fault");
    assert_eq!((told.fact("supply"), told.fact("lights")), ("good", "bad"));
    board.order("fault silent");
    run(&format!("cabinet {way} look")).refused("call-operator cabinet-silent");
    board.order("unplug");
    run(&format!("cabinet {way} look")).refused("call-operator cabinet-gone");
}

#[test]
fn an_led_of_linux_is_lit_and_lines_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in [("brightness", "0"), ("max_brightness", "255"), ("trigger", "[none] timer")] {
        std::fs::write(folder.path().join(file), content).unwrap();
    }
    let led = folder.path().display();
    assert_eq!(run(&format!("cabinet --led {led} light 0 on")).good().fact("led"), "on");
    assert_eq!(std::fs::read_to_string(folder.path().join("brightness")).unwrap(), "255");
    run("cabinet --led nobodys::led light 0 on").refused("call-operator cabinet-gone");
    run("cabinet --gpio /nonexistent/gpiochip0:5:low look").refused("call-operator cabinet-gone");
    run("cabinet --gpio /dev/gpiochip0 look").misused();
    run(&format!("cabinet --led {led} self-test")).misused();
}

#[test]
fn a_look_at_the_board_is_recorded_and_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut board = Simulated::start(&format!("cabinet --link {}/board", folder.path().display()));
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.display();
    board.order("fault sensor-failed");
    run(&format!("cabinet {} --record {tape} look", board.way)).refused("call-operator cabinet-fault");
    board.quit();
    let told = run(&format!("cabinet --replay {tape} look")).refused("call-operator cabinet-fault");
    assert_eq!((told.fact("presence"), told.fact("replay")), ("unknown", "as recorded"));
    let told = run(&format!("cabinet --replay {tape} light 0 on")).refused("call-operator cabinet-gone");
    assert!(told.fact("replay").contains("leaves the recording"), "{told:?}");
    let led = folder.path().join("led.jsonl");
    run(&format!("cabinet --led nobodys::led --record {} light 0 on", led.display())).misused();
    assert!(!led.exists());
    run("cabinet look").misused();
}
