//! The document printer's contract when the line to it is bad: whatever happens to whichever request, nothing comes out
//! twice, and nothing comes out of which the caller was told that it did not.

use std::time::{Duration, Instant};

use device_drivers::document_printer::simulator::LineFault;
use device_drivers::document_printer::{
    DocumentPrinter, DocumentPrinterError, Failure, Go, JobState, PrintOut, Printed,
};
use device_drivers::{Fault, Remedy};

use crate::document_printer::{DEADLINES, Desk, PATIENCE, desk, driver, error, pdf, print};

const GET_PRINTER: u16 = 0x000B;
const GET_JOBS: u16 = 0x000A;
const CREATE: u16 = 0x0005;
const SEND: u16 = 0x0006;
const GET_JOB: u16 = 0x0009;
const CANCEL: u16 = 0x0008;

/// What an outcome promises about the tray and the printer.
fn assert_true_to(desk: &Desk, outcome: Result<Printed, DocumentPrinterError>, case: &str) {
    let quiet = desk.simulator.wait_until(Duration::from_secs(2), |printer| !printer.has_jobs());
    let tray = desk.simulator.tray();
    match outcome {
        Ok(_) => assert!(quiet && tray.len() == 1 && tray[0].complete, "{case}: {tray:?}"),
        Err(error) if error.left_behind => {}
        Err(error) => {
            assert!(quiet, "{case}: {error} says that nothing is left");
            assert!(
                error.started || tray.is_empty(),
                "{case}: {error} says that nothing is on paper: {tray:?}"
            );
            assert!(tray.len() <= 1, "{case}: {tray:?}");
        }
    }
}

#[test]
fn every_fault_at_every_request_is_answered_in_time_and_truly() {
    for operation in [GET_PRINTER, GET_JOBS, CREATE, SEND, GET_JOB] {
        for fault in [
            LineFault::Silence,
            LineFault::Late(Duration::from_millis(100)),
            LineFault::CutBefore,
            LineFault::CutAfter(0),
            LineFault::CutAfter(60),
            LineFault::CutAfter(110),
            LineFault::Trickle(Duration::from_millis(20)),
            LineFault::Flood,
            LineFault::NoHttp,
            LineFault::Garbage,
            LineFault::OtherId,
            LineFault::Http(301),
            LineFault::Http(503),
            LineFault::Status(0x0500),
            LineFault::Status(0x0507),
        ] {
            let case = format!("{fault:?} at {operation:04X}");
            let mut desk = desk();
            desk.simulator.inject(Some(operation), fault);
            let start = Instant::now();
            let outcome = print(&mut desk.printer, &pdf(2));
            assert!(start.elapsed() < Duration::from_secs(5), "{case}: {:?}", start.elapsed());
            assert_true_to(&desk, outcome, &case);
            if matches!(fault, LineFault::Late(_)) {
                assert!(outcome.is_ok(), "{case}: {outcome:?}");
            }
            if operation == GET_PRINTER && !matches!(fault, LineFault::Late(_)) {
                assert_eq!(outcome, Err(error(told_first(fault), false, false)), "{case}");
            }
            // The printer is well again: the next print-out comes out, once.
            let before = desk.simulator.tray().len();
            assert!(print(&mut desk.printer, &pdf(1)).is_ok(), "{case}");
            let tray = desk.simulator.tray();
            assert!(tray.last().is_some_and(|out| out.complete && out.pages == 1), "{case}: {tray:?}");
            assert!(tray.len() <= before + 2, "{case}: {tray:?}");
        }
    }
}

/// What a fault of the very first question is told as.
fn told_first(fault: LineFault) -> Failure {
    match fault {
        LineFault::Silence | LineFault::Late(_) | LineFault::Trickle(_) => Failure::NoAnswer,
        LineFault::CutBefore | LineFault::CutAfter(_) => Failure::Cut,
        LineFault::Flood | LineFault::NoHttp | LineFault::Garbage | LineFault::OtherId => Failure::Garbled,
        LineFault::Http(status) => Failure::Http(status),
        LineFault::Status(0x0507) => Failure::Busy,
        LineFault::Status(status) => Failure::Refused(status),
    }
}

#[test]
fn an_answer_cut_at_any_byte_is_never_half_believed() {
    // Around the length of an answer to Create-Job, HTTP head included.
    for bytes in (0..400).step_by(13) {
        let mut desk = desk();
        desk.simulator.inject(Some(CREATE), LineFault::CutAfter(bytes));
        let outcome = print(&mut desk.printer, &pdf(1));
        assert_true_to(&desk, outcome, &format!("after {bytes} bytes"));
        desk.simulator.inject(Some(SEND), LineFault::CutAfter(bytes));
        let outcome = print(&mut desk.printer, &pdf(1));
        assert!(desk.simulator.tray().len() <= 2, "after {bytes} bytes: {outcome:?}");
    }
}

#[test]
fn a_lost_confirmation_of_the_print_out_does_not_lose_it() {
    let mut desk = desk();
    desk.simulator.inject(Some(SEND), LineFault::CutAfter(0));
    // Taken back, unless it was quicker; either way the caller knows.
    match print(&mut desk.printer, &pdf(1)) {
        Ok(_) => assert!(desk.simulator.tray()[0].complete),
        Err(told) => assert!(told.failure == Failure::Cut && told.started && !told.left_behind, "{told:?}"),
    }
}

#[test]
fn a_printer_that_is_not_there_is_told_at_once_and_can_be_switched_on_later() {
    let mut desk = desk();
    desk.simulator.power_off();
    let gone = error(Failure::Gone, false, false);
    let start = Instant::now();
    assert_eq!(desk.printer.status(), Err(gone));
    assert_eq!(print(&mut desk.printer, &pdf(1)), Err(gone));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(gone.remedy(), Remedy::CallOperator(Fault::DocumentPrinterGone));
    desk.simulator.power_on().unwrap();
    assert!(print(&mut desk.printer, &pdf(1)).is_ok());
    let mut nowhere = driver("ipp://printer.invalid/ipp/print", "DG0001");
    assert_eq!(nowhere.status(), Err(gone));
}

#[test]
fn a_printer_switched_off_in_the_middle_is_told_and_the_next_print_out_is_clean() {
    let mut desk = desk();
    let document = pdf(50);
    let Desk { printer, simulator } = &mut desk;
    let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
        if progress.impressions >= Some(2) {
            simulator.power_off();
        }
        Go::On
    });
    let told = printed.unwrap_err();
    assert!(
        matches!(told.failure, Failure::Gone | Failure::Cut) && told.started && told.left_behind,
        "{told:?}"
    );
    desk.simulator.power_on().unwrap();
    assert!(print(&mut desk.printer, &pdf(1)).is_ok());
    let tray = desk.simulator.tray();
    assert_eq!(tray.iter().map(|out| out.complete).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_sleeping_printer_is_waited_for_by_a_print_and_told_by_a_question() {
    let mut desk = desk();
    desk.simulator.sleep(Duration::from_millis(900));
    let silent = desk.printer.status().unwrap_err();
    assert_eq!(silent, error(Failure::NoAnswer, false, false));
    assert_eq!(silent.remedy(), Remedy::CallOperator(Fault::DocumentPrinterSilent));
    desk.simulator.sleep(Duration::from_millis(900));
    assert!(print(&mut desk.printer, &pdf(1)).is_ok(), "a print waits for its waking");
    desk.simulator.sleep(Duration::from_secs(20));
    let start = Instant::now();
    assert_eq!(print(&mut desk.printer, &pdf(1)), Err(error(Failure::NoAnswer, false, false)));
    assert!(start.elapsed() < DEADLINES.wake + Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_job_that_cannot_be_taken_back_is_told_and_taken_back_by_the_next_print() {
    let mut desk = desk();
    let document = pdf(200);
    // Every attempt in this time is refused.
    for _ in 0..500 {
        desk.simulator.inject(Some(CANCEL), LineFault::Status(0x0500));
    }
    let printed = desk.printer.print(&PrintOut::once(&document), Duration::from_millis(100), &mut |_| Go::On);
    let told = printed.unwrap_err();
    assert_eq!(told, error(Failure::Unfinished, true, true));
    assert_ne!(told.remedy(), Remedy::Retry);
    assert!(desk.simulator.wait_until(Duration::ZERO, |printer| printer.has_jobs()), "it is still at it");
    desk.simulator.end_job(JobState::Cancelled, false);
    assert!(print(&mut desk.printer, &pdf(1)).is_ok());
}

#[test]
fn errors_name_what_is_on_paper_and_no_content() {
    let told = error(Failure::Cut, true, true);
    let text = told.to_string();
    assert_eq!(
        text,
        "the connection to the document printer broke (print begun: true, left in the printer: true)"
    );
}
