//! `devctl id-card` against `devctl simulate id-card`.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::run::{Simulated, Told, run};

const SECRETS: [&str; 4] = ["测试样本", "990001199001011008", "19900101", "虚构路"];

struct Desk {
    folder: TempDir,
    reader: Simulated,
}

impl Desk {
    fn new(options: &str) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let reader =
            Simulated::start(&format!("id-card --link {}/reader {options}", folder.path().display()));
        Desk { folder, reader }
    }

    fn run(&self, verb: &str) -> Told {
        let told = run(&format!("id-card {} {verb}", self.reader.way));
        told.hides(&SECRETS);
        told
    }
}

#[test]
fn a_card_is_found_read_once_and_told_masked() {
    let mut desk = Desk::new("");
    assert_eq!(desk.run("find").good().fact("card"), "found");
    let told = desk.run("read").good();
    assert_eq!(told.fact("card"), "居民身份证");
    assert_eq!((told.fact("name"), told.fact("name-whole")), ("测*", "yes"));
    assert_eq!(told.fact("number"), "990***********1008");
    assert_eq!(told.fact("filled"), "name sex ethnic birth address number issuer valid-from valid-to");
    assert_eq!((told.fact("empty"), told.fact("photo")), ("-", "1024 bytes, closed format"));
    assert_eq!(told.fact("fingerprint"), "not asked");
    desk.run("find").refused("ask-citizen lay-card");
    desk.reader.order("lay");
    let told = desk.run("read --fingerprint --additional-address").good();
    assert_eq!((told.fact("fingerprint"), told.fact("additional-address")), ("absent", "absent"));
    desk.reader.order("pull");
    desk.run("read").refused("ask-citizen lay-card");
    desk.reader.quit();
}

#[test]
fn the_module_says_its_number_is_reset_and_its_rate_is_found() {
    let desk = Desk::new("--baud 19200");
    assert_eq!(desk.run("sam-id").good().fact("sam-id"), "05.01-20240101-0000123456-0987654321");
    assert_eq!(desk.run("reset").good().fact("reset"), "done");
    let port = desk.folder.path().join("reader");
    let told = run(&format!("id-card --port {} --baud 115200 detect-baud", port.display())).good();
    assert_eq!(told.fact("baud"), "19200");
}

#[test]
fn what_goes_wrong_is_told_with_its_remedy() {
    let mut desk = Desk::new("--fault noise-inside");
    desk.run("read").refused("ask-citizen lay-card-again");
    for (fault, remedy) in [
        ("truncated:20", "ask-citizen hold-card-still"),
        ("forged", "ask-citizen card-refused"),
        ("not-a-card", "ask-citizen not-an-id-card"),
        ("status:102", "call-operator reader-fault"),
        ("silent", "retry"),
        ("pulled-after:100", "ask-citizen hold-card-still"),
        ("unplugged-at:40", "call-operator reader-gone"),
    ] {
        desk.reader.order(&format!("fault {fault}"));
        desk.reader.order("lay");
        desk.run("read").refused(remedy);
    }
    desk.reader.order("fault none");
    desk.reader.order("plug");
    for (order, remedy) in
        [("lay-forged", "ask-citizen card-refused"), ("lay-unknown", "ask-citizen not-an-id-card")]
    {
        desk.reader.order(order);
        desk.run("read").refused(remedy);
    }
    desk.reader.order("fault chip-hangs");
    desk.reader.order("lay");
    desk.run("read").refused("ask-citizen hold-card-still");
    desk.run("reset").good();
    desk.reader.order("unplug");
    desk.run("sam-id").refused("call-operator reader-gone");
    desk.reader.order("plug");
    desk.run("sam-id").good();
}

#[test]
fn a_usb_reader_that_is_not_there_is_gone() {
    run("id-card --usb 0400:c35a --pipes 02,81 sam-id").refused("call-operator reader-gone");
    run("id-card --usb 0400:c35a --usb-serial A1 find").refused("call-operator reader-gone");
}

#[test]
fn a_read_is_recorded_and_played_back() {
    let desk = Desk::new("");
    let tape = desk.folder.path().join("tape.jsonl");
    let tape = tape.display();
    desk.run(&format!("--record {tape} read")).good();
    assert_eq!(std::fs::metadata(tape.to_string()).unwrap().permissions().mode() & 0o777, 0o600);
    let told = run(&format!("id-card --replay {tape} read")).good();
    assert_eq!((told.fact("number"), told.fact("replay")), ("990***********1008", "as recorded"));
    told.hides(&SECRETS);
    // Another verb than was recorded.
    let told = run(&format!("id-card --replay {tape} reset")).refused("call-operator reader-gone");
    assert!(told.fact("replay").contains("leaves the recording"), "{told:?}");
    desk.run(&format!("--record {tape} read")).misused();
    run(&format!("receipt-printer --replay {tape} status")).misused();
}

#[test]
fn a_recording_of_the_contract_is_played_back() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/id-card-reader");
    let told = run(&format!("id-card --replay {folder}/silent.jsonl find")).refused("retry");
    // The recording goes on with a second look, which this program does not take.
    assert!(told.fact("replay").contains("stops before line"), "{told:?}");
}
