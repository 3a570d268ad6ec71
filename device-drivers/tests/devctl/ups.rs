//! `devctl ups` against a simulated server of NUT.

use crate::run::{Simulated, run};

#[test]
fn power_battery_and_variables_are_told() {
    let mut server = Simulated::start("ups --name kiosk");
    let way = server.way.clone();
    let told = run(&format!("ups {way} look")).good();
    assert_eq!((told.fact("power"), told.fact("charge")), ("on-line", "100 %"));
    assert_eq!((told.fact("runtime"), told.fact("replace-battery")), ("1800 s", "no"));
    server.order("set ups.status OB LB RB");
    // A terminal obeys no device's control characters.
    assert_eq!(server.answer("set device.model Made\u{1b}[2Jup"), "done: set device.model Made?[2Jup");
    let told = run(&format!("ups {way} look")).good();
    assert_eq!((told.fact("power"), told.fact("replace-battery")), ("low-battery", "yes"));
    let told = run(&format!("ups {way} variables")).good();
    assert_eq!((told.fact("ups.status"), told.fact("device.model")), ("OB LB RB", "Made?[2Jup"));
    server.quit();
}

#[test]
fn what_the_server_does_wrong_is_told() {
    let mut server = Simulated::start("ups");
    let way = server.way.clone();
    for (fault, remedy) in [
        ("silent", "call-operator ups-silent"),
        ("closes", "call-operator ups-gone"),
        ("no-text", "retry"),
        ("data-stale", "call-operator ups-silent"),
        ("access-denied", "call-operator ups-fault"),
    ] {
        server.order(&format!("fault {fault}"));
        run(&format!("ups {way} look")).refused(remedy);
    }
    server.order("fault none");
    let other = way.replace("--name kiosk", "--name other");
    run(&format!("ups {other} look")).refused("call-operator ups-fault");
    server.order("unplug");
    run(&format!("ups {way} look")).refused("call-operator ups-gone");
    run("ups --name a/b look").misused();
    run("ups look").misused();
}

#[test]
fn a_look_is_recorded_and_played_back() {
    let mut server = Simulated::start("ups");
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.display();
    server.order("set ups.status OB LB");
    run(&format!("ups {} --record {tape} look", server.way)).good();
    server.quit();
    let told = run(&format!("ups --name kiosk --replay {tape} look")).good();
    assert_eq!((told.fact("power"), told.fact("replay")), ("low-battery", "as recorded"));
    // Another UPS is asked for than then.
    let told = run(&format!("ups --name other --replay {tape} look")).refused("call-operator ups-gone");
    assert!(told.fact("replay").contains("leaves the recording"), "{told:?}");
    run(&format!("ups --name kiosk --server 127.0.0.1:1 --replay {tape} look")).misused();
    run(&format!("speaker --replay {tape} look")).misused();
}
