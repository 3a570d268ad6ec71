//! Calling the program wrongly, and asking how it is called.

use crate::run::run;

#[test]
fn wrong_calls_end_with_two_and_say_why() {
    for line in [
        "",
        "toaster look",
        "id-card",
        "id-card sam-id",
        "id-card --port /dev/null --usb 0400:c35a find",
        "id-card --usb 0400 find",
        "id-card --usb 0400:c35a --pipes 81,02 find",
        "id-card --usb 0400:c35a detect-baud",
        "id-card --replay /nonexistent.jsonl read",
        "simulate id-card",
        "simulate id-card --link /nonexistent/reader",
        "fault 127.0.0.1:1 reader",
        "fault 127.0.0.1:1 ../state none",
    ] {
        run(line).misused();
    }
}

#[test]
fn help_names_every_kind_in_both_languages() {
    let told = run("--help").good();
    for word in
        ["id-card", "身份证阅读器", "receipt-printer", "camera", "watchdog", "看门狗", "simulate", "fault"]
    {
        assert!(told.facts.contains(word), "{word}");
    }
}

#[test]
fn an_attached_device_ends_with_whoever_started_it() {
    let told = run("simulate --attached ups").good();
    assert!(told.fact("ready").starts_with("--server 127.0.0.1:"), "{told:?}");
}

#[test]
fn a_fault_that_does_not_exist_is_told_and_the_device_stays() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("reader");
    run(&format!("simulate id-card --link {} --fault flood", link.display())).misused();
    let mut reader = crate::run::Simulated::start(&format!("id-card --link {}", link.display()));
    assert_eq!(reader.answer("fault flood"), "error: there is no fault \"flood\"");
    assert_eq!(reader.answer("fault late:soon"), "error: \"soon\" is no number");
    assert_eq!(reader.answer("dance"), "error: there is no order \"dance\"");
    run(&format!("id-card {} find", reader.way)).good();
}
