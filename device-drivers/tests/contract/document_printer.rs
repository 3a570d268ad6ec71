//! The document printer's contract: what comes out, and what an error says about it.

use std::time::{Duration, Instant};

use device_drivers::document_printer::simulator::{
    self, LineFault, MachineProfile, SimulatedDocumentPrinterHandle, SimulatedPrintOut, Trouble,
};
use device_drivers::document_printer::{
    AddressError, Deadlines, DocumentPrinter, DocumentPrinterError, Failure, Go, IppDocumentPrinter,
    JobProgress, JobState, MAX_PDF_BYTES, Obstacle, PrintOut, Printed, Sides,
};
use device_drivers::{Fault, Remedy};

/// Longer than any job here takes that nothing stands in the way of.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for anything unwanted to come out.
const QUIET: Duration = Duration::from_millis(300);

/// Short ones, so that a lost printer costs a test no minute.
pub(crate) const DEADLINES: Deadlines = Deadlines {
    answer: Duration::from_millis(400),
    wake: Duration::from_millis(1500),
    hand_over: Duration::from_millis(1000),
    poll: Duration::from_millis(10),
    lost: Duration::from_millis(900),
    withdraw: Duration::from_millis(1200),
    settle: Duration::from_millis(200),
};

/// A printer of fast pages.
pub(crate) const FAST: MachineProfile = MachineProfile {
    first_page: Duration::from_millis(60),
    next_page: Duration::from_millis(30),
    pdf: true,
    two_sided: true,
    copies: 9,
    counts: true,
    forgets: false,
    suffixes: true,
};

pub(crate) struct Desk {
    pub printer: IppDocumentPrinter,
    pub simulator: SimulatedDocumentPrinterHandle,
}

pub(crate) fn desk_of(profile: MachineProfile) -> Desk {
    let simulator = simulator::serve(profile).unwrap();
    let printer = driver(&simulator.uri(), "DG0001");
    Desk { printer, simulator }
}

pub(crate) fn desk() -> Desk {
    desk_of(FAST)
}

pub(crate) fn driver(uri: &str, terminal: &str) -> IppDocumentPrinter {
    IppDocumentPrinter::new(uri, terminal).unwrap().with_deadlines(DEADLINES)
}

/// A PDF of so many empty A4 pages, as small as one can be written by hand.
pub(crate) fn pdf(pages: usize) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", page + 3)).collect();
    let mut objects = vec![
        "<</Type /Catalog /Pages 2 0 R>>".to_owned(),
        format!("<</Type /Pages /Kids [{}] /Count {pages}>>", kids.join(" ")),
    ];
    objects.extend((0..pages).map(|_| "<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]>>".to_owned()));
    let mut text = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(format!("{:010} 00000 n \n", text.len()));
        text += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let table = text.len();
    let count = objects.len() + 1;
    text += &format!("xref\n0 {count}\n0000000000 65535 f \n{}", places.concat());
    text += &format!("trailer\n<</Size {count} /Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    text.into_bytes()
}

pub(crate) fn print(printer: &mut IppDocumentPrinter, pdf: &[u8]) -> Result<Printed, DocumentPrinterError> {
    printer.print(&PrintOut::once(pdf), PATIENCE, &mut |_| Go::On)
}

fn only(tray: Vec<SimulatedPrintOut>) -> SimulatedPrintOut {
    assert_eq!(tray.len(), 1, "{tray:?}");
    tray.into_iter().next().unwrap()
}

pub(crate) fn error(failure: Failure, started: bool, left_behind: bool) -> DocumentPrinterError {
    DocumentPrinterError { failure, started, left_behind }
}

/// Nothing comes out any more, and nothing waits to.
fn assert_quiet(desk: &Desk) {
    let before = desk.simulator.tray();
    assert!(!desk.simulator.wait_until(QUIET, |printer| printer.tray() != before || printer.has_jobs()));
}

#[test]
fn a_print_out_comes_out_whole_and_once_per_call() {
    let mut desk = desk();
    for count in 1..=3 {
        assert_eq!(print(&mut desk.printer, &pdf(3)), Ok(Printed { impressions: Some(3) }));
        let tray = desk.simulator.tray();
        assert_eq!(tray.len(), count);
        assert!(tray.iter().all(|out| out.complete && out.pages == 3 && out.pdf == pdf(3)));
    }
    assert_quiet(&desk);
}

/// What the hands at the simulator see and do; the demo's page stands on it.
#[test]
fn pages_are_seen_while_they_come_out_and_a_lasting_fault_lasts() {
    let Desk { mut printer, simulator } = desk();
    simulator.set_pace(Duration::ZERO, Duration::from_secs(20));
    let mut seen = None;
    let withdrawn = printer.print(&PrintOut::once(&pdf(3)), PATIENCE, &mut |progress| {
        seen = simulator.look(|printer| printer.coming_out());
        if progress.impressions == Some(1) { Go::Withdraw } else { Go::On }
    });
    assert_eq!(withdrawn.unwrap_err().failure, Failure::Withdrawn);
    let seen = seen.expect("the first page was out");
    assert_eq!((seen.pages, seen.complete, &seen.pdf), (1, false, &pdf(3)));
    let torn = only(simulator.tray());
    assert_eq!((torn.job, torn.pages), (seen.job, 1));
    assert!(simulator.look(|printer| printer.coming_out()).is_none());

    simulator.set_line_fault(Some(LineFault::Garbage));
    assert!(printer.status().is_err() && printer.status().is_err());
    simulator.set_line_fault(None);
    simulator.set_pace(Duration::ZERO, Duration::ZERO);
    simulator.trouble_after(0, Trouble::Jam);
    simulator.disarm();
    assert!(print(&mut printer, &pdf(1)).is_ok() && simulator.is_powered());
}

#[test]
fn a_large_print_out_arrives_byte_by_byte() {
    let mut desk = desk();
    let mut large = pdf(2);
    large.extend((0..4_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    assert!(print(&mut desk.printer, &large).is_ok());
    assert!(only(desk.simulator.tray()).pdf == large);
}

#[test]
fn copies_and_both_sides_are_asked_for() {
    let mut desk = desk();
    let document = pdf(2);
    let print_out = PrintOut { pdf: &document, copies: 3, sides: Sides::Both };
    assert_eq!(
        desk.printer.print(&print_out, PATIENCE, &mut |_| Go::On),
        Ok(Printed { impressions: Some(6) })
    );
    let out = only(desk.simulator.tray());
    assert_eq!((out.copies, out.two_sided, out.pages), (3, true, 6));
    assert_eq!(format!("{print_out:?}"), "PrintOut([redacted] × 3, Both)");
}

#[test]
fn a_printer_that_cannot_turn_paper_prints_one_side() {
    let mut desk = desk_of(MachineProfile { two_sided: false, ..FAST });
    assert!(!desk.printer.status().unwrap().two_sided);
    let document = pdf(2);
    let print_out = PrintOut { pdf: &document, copies: 1, sides: Sides::Both };
    assert!(desk.printer.print(&print_out, PATIENCE, &mut |_| Go::On).is_ok());
    assert!(!only(desk.simulator.tray()).two_sided);
}

#[test]
fn what_cannot_be_printed_is_refused_before_anything_is_sent() {
    let mut desk = desk();
    let document = pdf(1);
    let copies = |copies| PrintOut { copies, ..PrintOut::once(&document) };
    let huge = [b"%PDF-1.4".to_vec(), vec![0; MAX_PDF_BYTES]].concat();
    for (print_out, failure) in [
        (PrintOut::once(b"PK\x03\x04"), Failure::BadPrintOut),
        (PrintOut::once(b""), Failure::BadPrintOut),
        (PrintOut::once(&huge), Failure::BadPrintOut),
        (copies(0), Failure::BadPrintOut),
        (copies(10), Failure::Copies),
    ] {
        let refused = desk.printer.print(&print_out, PATIENCE, &mut |_| Go::On);
        assert_eq!(refused, Err(error(failure, false, false)));
    }
    let mut raster_only = desk_of(MachineProfile { pdf: false, ..FAST });
    assert_eq!(print(&mut raster_only.printer, &document), Err(error(Failure::NoPdf, false, false)));
    // Nothing but the question after the printer's state.
    for heard in desk.simulator.heard().into_iter().chain(raster_only.simulator.heard()) {
        assert_eq!(heard.operation, 0x000B);
    }
}

#[test]
fn every_trouble_is_seen_and_keeps_a_print_out_from_being_started() {
    for suffixes in [true, false] {
        let mut desk = desk_of(MachineProfile { suffixes, ..FAST });
        assert_eq!(desk.printer.status().unwrap().obstacle, None);
        for (trouble, obstacle, fault) in [
            (Trouble::PaperOut, Obstacle::PaperEnd, Fault::DocumentPrinterPaperEnd),
            (Trouble::Jam, Obstacle::Jam, Fault::DocumentPrinterJam),
            (Trouble::CoverOpen, Obstacle::CoverOpen, Fault::DocumentPrinterCoverOpen),
            (Trouble::OutputFull, Obstacle::OutputFull, Fault::DocumentPrinterOutputFull),
            (Trouble::TonerOut, Obstacle::TonerEmpty, Fault::DocumentPrinterToner),
            (Trouble::Paused, Obstacle::Paused, Fault::DocumentPrinterFault),
        ] {
            desk.simulator.set_trouble(Some(trouble));
            assert_eq!(desk.printer.status().unwrap().obstacle, Some(obstacle));
            let refused = print(&mut desk.printer, &pdf(1)).unwrap_err();
            assert_eq!(refused, error(Failure::Obstacle(obstacle), false, false));
            assert_eq!(refused.remedy(), Remedy::CallOperator(fault));
            desk.simulator.set_trouble(None);
        }
        assert!(print(&mut desk.printer, &pdf(1)).is_ok());
        only(desk.simulator.tray());
    }
}

#[test]
fn a_warning_is_told_and_does_not_keep_from_printing() {
    let mut desk = desk();
    desk.simulator.set_warning(Some(Trouble::PaperOut));
    let status = desk.printer.status().unwrap();
    assert_eq!((status.obstacle, status.attention), (None, Some(Obstacle::PaperEnd)));
    assert!(print(&mut desk.printer, &pdf(2)).is_ok());
}

#[test]
fn trouble_at_any_page_that_is_not_put_right_ends_in_a_job_taken_back() {
    for page in 0..3 {
        for (trouble, obstacle) in [
            (Trouble::PaperOut, Obstacle::PaperEnd),
            (Trouble::Jam, Obstacle::Jam),
            (Trouble::CoverOpen, Obstacle::CoverOpen),
        ] {
            let mut desk = desk();
            desk.simulator.trouble_after(page, trouble);
            let document = pdf(3);
            let mut told = Vec::new();
            let printed = desk.printer.print(
                &PrintOut::once(&document),
                Duration::from_millis(600),
                &mut |progress: JobProgress| {
                    told.push(progress);
                    Go::On
                },
            );
            assert_eq!(printed, Err(error(Failure::Obstacle(obstacle), true, false)), "page {page}");
            let last = told.last().unwrap();
            assert_eq!((last.state, last.obstacle), (JobState::Stopped, Some(obstacle)));
            assert_eq!(last.impressions, Some(page));
            desk.simulator.set_trouble(None);
            assert_quiet(&desk);
            let torn = desk.simulator.tray();
            assert_eq!(torn.len(), usize::from(page > 0), "nothing comes by itself");
            assert!(torn.iter().all(|out| !out.complete && out.pages == page));
            assert!(print(&mut desk.printer, &pdf(1)).is_ok(), "and the next print-out is clean");
            assert!(desk.simulator.tray().last().unwrap().complete);
        }
    }
}

#[test]
fn trouble_that_is_put_right_in_time_costs_nothing() {
    let mut desk = desk();
    desk.simulator.trouble_after(1, Trouble::PaperOut);
    let Desk { printer, simulator } = &mut desk;
    let document = pdf(3);
    let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
        if progress.obstacle == Some(Obstacle::PaperEnd) {
            simulator.set_trouble(None);
        }
        Go::On
    });
    assert_eq!(printed, Ok(Printed { impressions: Some(3) }));
    assert!(only(desk.simulator.tray()).complete);
}

#[test]
fn a_jam_behind_the_last_page_is_no_print_out() {
    let mut desk = desk();
    desk.simulator.trouble_after(2, Trouble::Jam);
    let printed = print(&mut desk.printer, &pdf(2));
    assert_eq!(printed, Err(error(Failure::Obstacle(Obstacle::Jam), true, false)));
    // Paper that ends with the last page is another matter.
    desk.simulator.set_trouble(None);
    desk.simulator.trouble_after(2, Trouble::PaperOut);
    assert!(print(&mut desk.printer, &pdf(2)).is_ok());
}

#[test]
fn a_caller_who_changes_his_mind_gets_the_job_back() {
    let mut desk = desk();
    let document = pdf(100);
    let printed = desk.printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
        if progress.impressions >= Some(2) { Go::Withdraw } else { Go::On }
    });
    assert_eq!(printed, Err(error(Failure::Withdrawn, true, false)));
    let out = only(desk.simulator.tray());
    assert!(!out.complete && out.pages < 100);
    assert_quiet(&desk);
}

#[test]
fn a_job_that_takes_too_long_or_is_stuck_is_taken_back() {
    let patience = Duration::from_millis(400);
    let stuck = MachineProfile { next_page: Duration::from_secs(3600), ..FAST };
    for (profile, pages) in [(FAST, 100), (stuck, 2)] {
        let mut desk = desk_of(profile);
        let document = pdf(pages);
        let start = Instant::now();
        let printed = desk.printer.print(&PrintOut::once(&document), patience, &mut |_| Go::On);
        assert_eq!(printed, Err(error(Failure::Unfinished, true, false)));
        assert!(start.elapsed() < patience + DEADLINES.withdraw + QUIET, "{:?}", start.elapsed());
        assert_quiet(&desk);
        assert!(!only(desk.simulator.tray()).complete);
    }
}

#[test]
fn what_somebody_does_at_the_panel_is_told() {
    for (state, with_errors, failure) in [
        (JobState::Cancelled, false, Failure::Cancelled),
        (JobState::Aborted, false, Failure::Aborted),
        (JobState::Completed, true, Failure::Unconfirmed),
    ] {
        let mut desk = desk();
        let Desk { printer, simulator } = &mut desk;
        let document = pdf(50);
        let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
            if progress.impressions >= Some(1) {
                simulator.end_job(state, with_errors);
            }
            Go::On
        });
        assert_eq!(printed, Err(error(failure, true, false)));
    }
}

#[test]
fn a_printer_that_forgets_its_jobs_confirms_nothing() {
    let mut desk = desk_of(MachineProfile { forgets: true, ..FAST });
    assert_eq!(print(&mut desk.printer, &pdf(1)), Err(error(Failure::Unconfirmed, true, false)));
    let mut counting_nothing = desk_of(MachineProfile { counts: false, ..FAST });
    assert_eq!(print(&mut counting_nothing.printer, &pdf(1)), Ok(Printed { impressions: None }));
}

#[test]
fn a_killed_kiosk_leaves_nothing_in_the_printer() {
    let mut desk = desk();
    desk.simulator.trouble_after(1, Trouble::PaperOut);
    // The dead process had handed a print-out over and could not take it back any more.
    let mut dead = driver(&desk.simulator.uri(), "DG0001");
    dead = dead.with_deadlines(Deadlines { withdraw: Duration::ZERO, ..DEADLINES });
    desk.simulator.inject(Some(0x0008), LineFault::CutBefore);
    let document = pdf(50);
    let broken_off = dead.print(&PrintOut::once(&document), Duration::from_millis(300), &mut |_| Go::On);
    assert!(broken_off.unwrap_err().left_behind);
    drop(dead);
    desk.simulator.set_trouble(None);
    assert!(print(&mut desk.printer, &pdf(1)).is_ok());
    let tray = desk.simulator.tray();
    assert_eq!(tray.iter().map(|out| out.complete).collect::<Vec<_>>(), [false, true], "{tray:?}");
}

#[test]
fn a_printer_at_somebody_elses_job_is_busy_and_the_job_stays() {
    let mut desk = desk_of(MachineProfile { first_page: Duration::from_secs(2), ..FAST });
    desk.simulator.put_job_of("DG0002");
    let refused = print(&mut desk.printer, &pdf(1)).unwrap_err();
    assert_eq!(refused, error(Failure::Busy, false, false));
    assert_eq!(refused.remedy(), Remedy::Retry);
    assert!(desk.simulator.wait_until(PATIENCE, |printer| !printer.has_jobs()));
    assert!(only(desk.simulator.tray()).complete);
}

#[test]
fn addresses_that_cannot_be_used_are_refused() {
    let new = |address: &str| IppDocumentPrinter::new(address, "DG0001").err();
    for address in ["", "printer", "http://printer/ipp/print", "ipps://printer/ipp/print", "ipp:///ipp/print"]
    {
        assert_eq!(new(address), Some(AddressError::Address), "{address}");
    }
    assert_eq!(new(&format!("ipp://printer/{}", "x".repeat(1100))), Some(AddressError::TooLong));
    for address in
        ["ipp://printer/ipp/print", "ipp://192.0.2.1:60000/ipp/print", "ipp://[2001:db8::1]/ipp/print"]
    {
        assert_eq!(new(address), None, "{address}");
    }
}
