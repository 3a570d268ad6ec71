//! `devctl document-printer` against a simulated IPP printer.

use std::process::{Command, Stdio};
use std::time::Duration;

use device_drivers::document_printer::simulator::{self, MachineProfile};

use crate::run::{DEVCTL, Simulated, run};

#[test]
fn the_state_is_told_and_an_obstacle_is_a_no() {
    let mut printer = Simulated::start("document-printer");
    let status = |printer: &Simulated| run(&format!("document-printer {} status", printer.way));
    let told = status(&printer).good();
    for (word, value) in [("obstacle", "-"), ("attention", "-"), ("accepting", "yes"), ("two-sided", "yes")] {
        assert_eq!(told.fact(word), value, "{word}");
    }
    for (fault, obstacle, remedy) in [
        ("paper-out", "paper-end", "document-printer-paper-end"),
        ("jam", "jam", "document-printer-jam"),
        ("cover-open", "cover-open", "document-printer-cover-open"),
        ("output-full", "output-full", "document-printer-output-full"),
        ("toner-out", "toner-empty", "document-printer-toner"),
        ("paused", "paused", "document-printer-fault"),
    ] {
        printer.order(&format!("fault {fault}"));
        let told = status(&printer).refused(&format!("call-operator {remedy}"));
        assert_eq!(told.fact("obstacle"), obstacle, "{fault}");
    }
    printer.order("fault none");
    for (fault, remedy) in [
        ("cut-after:40", "call-operator document-printer-gone"),
        ("no-http", "call-operator document-printer-fault"),
        ("http:503", "call-operator document-printer-fault"),
    ] {
        printer.order(&format!("fault {fault}"));
        status(&printer).refused(remedy);
    }
    printer.order("unplug");
    status(&printer).refused("call-operator document-printer-gone");
    printer.order("plug");
    status(&printer).good();
    printer.quit();
}

#[test]
fn a_test_page_is_a_pdf_with_the_pages_that_were_asked_for() {
    let quick = Duration::from_millis(20);
    let profile = MachineProfile { first_page: quick, next_page: quick, ..MachineProfile::default() };
    let printer = simulator::serve(profile).unwrap();
    let told = run(&format!("document-printer --uri {} test-page --copies 2 --two-sided", printer.uri()));
    assert!(told.good().facts.ends_with("job: printed\n"));
    let heard = printer.heard();
    let message = heard.iter().map(|request| &request.message).max_by_key(|message| message.len()).unwrap();
    let start = message.windows(5).position(|five| five == b"%PDF-").unwrap();
    let text = String::from_utf8_lossy(&message[start..]);
    assert_eq!(text.matches("/Type /Page ").count(), 2);
    assert!(text.contains("devctl test page 2 of 2") && text.trim_end().ends_with("%%EOF"));
    // Where the table of objects says that they are, they are.
    let places = text.lines().filter(|line| line.ends_with(" 00000 n "));
    for (number, place) in (1..).zip(places) {
        let place: usize = place[..10].parse().unwrap();
        assert!(text[place..].starts_with(&format!("{number} 0 obj")), "{number}");
    }
    assert_eq!(printer.tray().len(), 1);
}

#[test]
fn a_job_that_cannot_end_is_taken_back_and_the_obstacle_is_told() {
    let mut printer = Simulated::start("document-printer --page 100 --fault jam-after:0");
    let told = run(&format!("document-printer {} test-page --wait 3", printer.way));
    let told = told.refused("call-operator document-printer-jam");
    assert!(told.facts.contains("obstacle: jam"), "{told:?}");
    run(&format!("document-printer {} test-page", printer.way)).refused("call-operator document-printer-jam");
    printer.order("fault none");
    run(&format!("document-printer {} test-page", printer.way)).good();
}

#[test]
fn jobs_of_a_killed_run_are_taken_back() {
    let profile = MachineProfile { first_page: Duration::from_secs(60), ..MachineProfile::default() };
    let printer = simulator::serve(profile).unwrap();
    let mut killed = Command::new(DEVCTL)
        .args(["document-printer", "--uri", &printer.uri(), "test-page"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Send-Document: the job is in the printer.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !printer.heard().iter().any(|request| request.operation == 0x0006) {
        assert!(std::time::Instant::now() < deadline, "no job came");
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let cancel = || run(&format!("document-printer --uri {} cancel", printer.uri())).good();
    assert_eq!(cancel().fact("taken-back"), "1");
    assert_eq!(cancel().fact("taken-back"), "0");
}

#[test]
fn an_address_that_is_none_is_a_wrong_call() {
    run("document-printer --uri http://127.0.0.1/ipp/print status").misused();
    run("document-printer --uri ipp://127.0.0.1:9/ipp/print test-page --copies 0").misused();
    run("document-printer --uri ipp://127.0.0.1:9/ipp/print cancel")
        .refused("call-operator document-printer-gone");
}
