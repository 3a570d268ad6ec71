//! `devctl code-scanner` listens to simulated scanners; no code is ever told.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use crate::run::{DEVCTL, Simulated, Told, run};

const CODE: &str = "4240000000000000001234400000";

/// Listens, has the scanner do `orders` once it listens, and returns what was told.
fn listen(scanner: &mut Simulated, options: &str, orders: &[&str]) -> Told {
    // On a busy machine the simulator may itself be kept waiting in the middle of a code.
    let arguments = format!("code-scanner {} --silence-ms 1000 listen {options}", scanner.way);
    let mut command = Command::new(DEVCTL);
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = Vec::new();
    told.read_until(b'\n', &mut stdout).unwrap();
    assert!(stdout.starts_with(b"listening"), "{:?}", String::from_utf8_lossy(&stdout));
    orders.iter().for_each(|order| scanner.order(order));
    told.read_to_end(&mut stdout).unwrap();
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    let told = Told::by(Output { status: child.wait().unwrap(), stdout, stderr });
    told.hides(&[CODE, "东莞"]);
    told
}

#[test]
fn codes_are_told_by_kind_and_length_from_either_scanner() {
    let folder = tempfile::tempdir().unwrap();
    for keyboard in ["", "--keyboard"] {
        let mut scanner =
            Simulated::start(&format!("code-scanner --link {}/scanner {keyboard}", folder.path().display()));
        let scan = format!("scan {CODE}");
        let told = listen(&mut scanner, "", &[&scan]).good();
        assert_eq!(told.fact("code"), "medical-insurance, 28 characters, digits");
        let told = listen(&mut scanner, "--codes 2", &["scan A1B2", "scan https://990001.example/"]).good();
        assert!(told.facts.contains("code: unknown, 4 characters, letters and digits\n"), "{told:?}");
        assert!(told.facts.contains("code: unknown, 23 characters, ASCII\n"), "{told:?}");
        scanner.quit();
    }
}

#[test]
fn broken_scans_and_silence_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut scanner = Simulated::start(&format!("code-scanner --link {}/scanner", folder.path().display()));
    let told = listen(&mut scanner, "", &["scan 东莞市政务服务"]).good();
    assert_eq!(told.fact("code"), "unknown, 7 characters, Unicode");
    scanner.order("fault breaks-off:5");
    let scan = format!("scan {CODE}");
    listen(&mut scanner, "", &[&scan]).refused("ask-citizen scan-again");
    scanner.order("fault noise");
    listen(&mut scanner, "", &[&scan]).refused("ask-citizen scan-another-code");
    listen(&mut scanner, "--seconds 1", &[]).refused("ask-citizen scan-again");
    listen(&mut scanner, "", &["unplug"]).refused("call-operator scanner-gone");
    run(&format!("code-scanner {} listen", scanner.way)).refused("call-operator scanner-gone");
    run("code-scanner listen").misused();
    run("code-scanner --evdev /nonexistent/event0 listen").refused("call-operator scanner-gone");
}

#[test]
fn a_scan_is_recorded_and_played_back_and_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut scanner = Simulated::start(&format!("code-scanner --link {}/scanner", folder.path().display()));
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.display();
    scanner.way.push_str(&format!(" --record {tape}"));
    let scan = format!("scan {CODE}");
    listen(&mut scanner, "", &[&scan]).good();
    scanner.quit();
    let told = run(&format!("code-scanner --replay {tape} listen")).good();
    assert_eq!(told.fact("code"), "medical-insurance, 28 characters, digits");
    assert_eq!(told.fact("replay"), "as recorded");
    told.hides(&[CODE]);
    // No more codes came then.
    let told = run(&format!("code-scanner --replay {tape} listen --codes 2"));
    told.refused("ask-citizen scan-again");
    let typed = folder.path().join("typed.jsonl");
    run(&format!("code-scanner --evdev /nonexistent/event0 --record {} listen", typed.display())).misused();
    assert!(!typed.exists());
}
