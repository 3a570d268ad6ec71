//! The receipt printer's contract.

use std::io::Write;
use std::time::{Duration, Instant};

use device_drivers::receipt_printer::simulator::{
    self, PrinterProfile, ProcessIdSupport, SimulatedPrinterHandle,
};
use device_drivers::receipt_printer::{
    Bitmap, BitmapError, Paper, PrintLevel, PrinterError, PrinterFault, ReceiptPrinter,
};
use device_drivers::{Fault, Remedy};

use super::printer_desk::{CABLES, Cable, DOTS, Desk, assert_good, black, only, receipt};

/// Long enough for anything unwanted to come out of an unpaced printer.
const QUIET: Duration = Duration::from_millis(300);

fn desk_of(profile: PrinterProfile) -> Desk {
    Desk::on(Cable::Serial, profile)
}

fn desk() -> Desk {
    desk_of(PrinterProfile::default())
}

fn paced_desk(profile: PrinterProfile) -> Desk {
    Desk::paced(Cable::Serial, profile, "80mm")
}

/// The first `rows` rows.
fn top(bitmap: &Bitmap, rows: u32) -> Bitmap {
    let bytes = bitmap.bytes_per_row() * rows as usize;
    Bitmap { width: bitmap.width, height: rows, rows: bitmap.rows[..bytes].to_vec() }
}

#[test]
fn a_receipt_is_printed_cut_and_confirmed() {
    for cable in CABLES {
        let mut desk = Desk::on(cable, PrinterProfile::default());
        let bitmap = receipt(300);
        for count in 1..=3 {
            assert_eq!(desk.print(&bitmap), Ok(PrintLevel::COMPLETED), "{cable:?}");
            let strip = desk.simulator.strip();
            assert_eq!(strip.len(), count, "once per call");
            assert_good(&strip[count - 1], &bitmap);
        }
    }
}

#[test]
fn a_narrow_bitmap_stands_at_the_left() {
    let mut desk = desk();
    let mut bitmap = Bitmap::blank(10, 3);
    bitmap.set_black(9, 2);
    desk.print(&bitmap).unwrap();
    let shown = only(desk.simulator.strip()).bitmap;
    assert_eq!((shown.width, shown.height), (DOTS, 3));
    assert!(shown.is_black(9, 2) && shown.rows.iter().map(|byte| byte.count_ones()).sum::<u32>() == 1);
}

#[test]
fn the_level_is_what_the_printer_can_confirm() {
    let base = PrinterProfile::default();
    for (process_id, queued_status, level) in [
        (ProcessIdSupport::Answers, true, PrintLevel::COMPLETED),
        (ProcessIdSupport::Answers, false, PrintLevel::COMPLETED),
        (ProcessIdSupport::Ignores, true, PrintLevel::PROCESSED),
        (ProcessIdSupport::PrintsAsText, true, PrintLevel::PROCESSED),
        (ProcessIdSupport::Ignores, false, PrintLevel::SENT),
    ] {
        let mut desk = desk_of(PrinterProfile { process_id, queued_status, ..base });
        let bitmap = receipt(200);
        assert_eq!(desk.print(&bitmap), Ok(level), "{process_id:?} {queued_status}");
        assert!(desk.simulator.wait_until(Duration::from_secs(5), |printer| !printer.is_printing()));
        assert_good(&only(desk.simulator.strip()), &bitmap);
    }
}

#[test]
fn printing_takes_the_time_of_the_line() {
    let mut desk = paced_desk(PrinterProfile::default());
    let black = black(120);
    desk.print(&receipt(40)).unwrap();
    let start = Instant::now();
    assert_eq!(desk.print(&black), Ok(PrintLevel::COMPLETED));
    // 8,640 bytes of picture at 11,520 bytes per second.
    assert!(start.elapsed() >= Duration::from_millis(750), "{:?}", start.elapsed());
    assert_good(&desk.simulator.strip()[1], &black);
}

#[test]
fn every_state_is_seen_and_keeps_a_receipt_from_being_started() {
    let mut desk = desk();
    let ready = desk.printer.status().unwrap();
    assert!(ready.online && ready.paper == Paper::Present && ready.error.is_none());
    type Switch = fn(&SimulatedPrinterHandle, bool);
    let cases: [(Switch, PrinterError, Remedy); 4] = [
        (
            |printer, on| printer.set_paper(!on),
            PrinterError::PaperEnd { started: false },
            Remedy::CallOperator(Fault::PrinterPaperEnd),
        ),
        (
            SimulatedPrinterHandle::set_cover_open,
            PrinterError::CoverOpen { started: false },
            Remedy::CallOperator(Fault::PrinterCoverOpen),
        ),
        (
            SimulatedPrinterHandle::set_cutter_jam,
            PrinterError::CutterJam { started: false },
            Remedy::CallOperator(Fault::PrinterCutter),
        ),
        (SimulatedPrinterHandle::set_head_hot, PrinterError::HeadHot { started: false }, Remedy::Retry),
    ];
    for (switch, error, remedy) in cases {
        switch(&desk.simulator, true);
        assert!(!desk.printer.status().unwrap().online);
        assert_eq!(desk.printer.status().unwrap(), desk.simulator.status());
        assert_eq!(desk.print(&receipt(100)), Err(error));
        assert_eq!((error.remedy(), error.started()), (remedy, false));
        assert_eq!(desk.simulator.strip(), [], "nothing was printed");
        switch(&desk.simulator, false);
    }
    assert_eq!(desk.print(&receipt(100)), Ok(PrintLevel::COMPLETED));
}

#[test]
fn little_paper_is_said_and_still_prints() {
    let mut desk = desk();
    desk.simulator.set_near_end(true);
    assert_eq!(desk.printer.status().unwrap().paper, Paper::NearEnd);
    assert_eq!(desk.print(&receipt(100)), Ok(PrintLevel::COMPLETED));
}

/// Breaks a print off after `rows` rows, then checks the torn piece, the quiet afterwards and the next print.
fn break_off(cable: Cable, profile: PrinterProfile, rows: u32, cover: bool) {
    let mut desk = Desk::on(cable, profile);
    let (first, second) = (receipt(400), receipt(333));
    assert!(desk.print(&second).is_ok());
    desk.simulator.clear_strip();
    let error = if cover {
        desk.simulator.open_cover_after(rows);
        PrinterError::CoverOpen { started: true }
    } else {
        desk.simulator.end_paper_after(rows);
        PrinterError::PaperEnd { started: true }
    };
    assert_eq!(desk.print(&first), Err(error), "after {rows} rows");
    assert!(!desk.print(&first).unwrap_err().started(), "and not even begun again");
    let torn = desk.simulator.strip();
    if rows == 0 {
        assert_eq!(torn, []);
    } else {
        let torn = only(torn);
        assert!(!torn.complete && !torn.cut);
        assert!(torn.bitmap == top(&first, rows), "printed up to the row and not beyond");
    }
    desk.simulator.set_paper(true);
    desk.simulator.set_cover_open(false);
    let before = desk.simulator.strip();
    assert!(
        !desk.simulator.wait_until(QUIET, |printer| printer.strip() != before),
        "nothing comes by itself"
    );
    assert!(desk.print(&second).is_ok(), "after {rows} rows");
    let strip = desk.simulator.strip();
    assert_eq!(strip.len(), before.len() + 1);
    assert_good(strip.last().unwrap(), &second);
}

#[test]
fn paper_that_ends_during_a_print_is_noticed_and_the_next_print_is_clean() {
    let base = PrinterProfile::default();
    for cable in CABLES {
        for rows in [0, 1, 100, 399] {
            break_off(cable, base, rows, false);
        }
        break_off(cable, PrinterProfile { process_id: ProcessIdSupport::Ignores, ..base }, 100, false);
        break_off(cable, PrinterProfile { clears_any_time: false, ..base }, 100, false);
        break_off(cable, PrinterProfile { keeps_buffer: true, ..base }, 100, false);
    }
}

#[test]
fn a_cover_opened_during_a_print_is_noticed_and_the_next_print_is_clean() {
    let base = PrinterProfile::default();
    for cable in CABLES {
        for rows in [1, 100, 399] {
            break_off(cable, base, rows, true);
        }
        break_off(cable, PrinterProfile { process_id: ProcessIdSupport::Ignores, ..base }, 100, true);
    }
}

#[test]
fn a_print_that_breaks_off_is_noticed_before_its_time_is_over() {
    let mut desk = paced_desk(PrinterProfile::default());
    desk.print(&receipt(40)).unwrap();
    desk.simulator.end_paper_after(60);
    let start = Instant::now();
    assert_eq!(desk.print(&black(800)), Err(PrinterError::PaperEnd { started: true }));
    // All 57,600 bytes would take 5 s.
    assert!(start.elapsed() < Duration::from_millis(3500), "{:?}", start.elapsed());
}

#[test]
fn a_cutter_that_jams_during_a_print_is_noticed() {
    let mut desk = paced_desk(PrinterProfile::default());
    let printed = desk.print_while(&receipt(400), |simulator| simulator.set_cutter_jam(true));
    assert_eq!(printed, Err(PrinterError::CutterJam { started: true }));
    desk.simulator.set_cutter_jam(false);
    desk.simulator.jam_at_cut();
    assert_eq!(desk.print(&receipt(100)), Err(PrinterError::CutterJam { started: true }));
}

#[test]
fn a_hot_head_pauses_a_print_and_does_not_fail_it() {
    let mut desk = paced_desk(PrinterProfile::default());
    let bitmap = receipt(400);
    let printed = desk.print_while(&bitmap, |simulator| {
        simulator.set_head_hot(true);
        assert_eq!(simulator.status().error, Some(PrinterFault::HeadHot));
        assert!(!simulator.wait_until(Duration::from_millis(500), |printer| !printer.is_printing()));
        simulator.set_head_hot(false);
    });
    assert_eq!(printed, Ok(PrintLevel::COMPLETED));
    assert_good(&only(desk.simulator.strip()), &bitmap);
}

#[test]
fn a_printer_unplugged_during_a_print_is_gone_and_comes_back_clean() {
    for cable in CABLES {
        unplug_during_a_print(cable);
    }
}

fn unplug_during_a_print(cable: Cable) {
    let mut desk = Desk::paced(cable, PrinterProfile::default(), "80mm");
    let bitmap = receipt(400);
    let printed = desk.print_while(&bitmap, |simulator| simulator.unplug());
    assert_eq!(printed, Err(PrinterError::Gone { started: true }));
    let gone = PrinterError::Gone { started: false };
    assert_eq!(desk.printer.status(), Err(gone));
    assert_eq!(desk.print(&bitmap), Err(gone));
    assert_eq!(gone.remedy(), Remedy::CallOperator(Fault::PrinterGone));
    desk.simulator.plug().unwrap();
    desk.simulator.set_paced(false);
    assert_eq!(desk.print(&bitmap), Ok(PrintLevel::COMPLETED));
    let strip = desk.simulator.strip();
    assert!(!strip[0].complete);
    assert_good(strip.last().unwrap(), &bitmap);
}

#[test]
fn a_printer_replugged_while_nothing_happens_is_not_even_noticed() {
    for cable in CABLES {
        let mut desk = Desk::on(cable, PrinterProfile::default());
        desk.print(&receipt(100)).unwrap();
        desk.simulator.unplug();
        desk.simulator.plug().unwrap();
        assert_eq!(desk.print(&receipt(100)), Ok(PrintLevel::COMPLETED), "{cable:?}");
    }
}

#[test]
fn a_kiosk_killed_during_a_print_leaves_nothing_in_the_next_one() {
    for clears_any_time in [true, false] {
        let mut desk = desk_of(PrinterProfile { clears_any_time, ..PrinterProfile::default() });
        // The dead process got as far as the middle of a row, twelve rows into a band.
        let mut dead = std::fs::File::options().write(true).open(desk.dir.path().join("printer")).unwrap();
        let torn = [&[0x1D, 0x76, 0x30, 0, 72, 0, 48, 0][..], &[0xAA; 72 * 12 + 30]].concat();
        dead.write_all(&torn).unwrap();
        drop(dead);
        let printed = |rows: u32| {
            move |printer: &simulator::SimulatedPrinter| {
                printer.strip().last().is_some_and(|receipt| receipt.bitmap.height == rows)
            }
        };
        assert!(desk.simulator.wait_until(Duration::from_secs(5), printed(12)));
        let bitmap = receipt(300);
        assert_eq!(desk.print(&bitmap), Ok(PrintLevel::COMPLETED));
        let strip = desk.simulator.strip();
        assert_eq!(strip.len(), 2, "the torn piece does not hang on the next receipt");
        assert_good(&strip[1], &bitmap);
    }
}

#[test]
fn a_picture_that_looks_like_real_time_commands_is_printed() {
    let mut desk = desk();
    let row: Vec<u8> = [0x10, 0x05, 0x02, 0x10, 0x04, 0x01].into_iter().cycle().take(72).collect();
    let bitmap = Bitmap { width: DOTS, height: 50, rows: row.repeat(50) };
    assert_eq!(desk.print(&bitmap), Ok(PrintLevel::COMPLETED));
    let shown = only(desk.simulator.strip());
    assert!(shown.complete && shown.stray_bytes == 0);
    assert_eq!(shown.bitmap.height, 50);
}

#[test]
fn a_silent_printer_is_told_before_and_during_a_print() {
    let mut desk = paced_desk(PrinterProfile::default());
    desk.simulator.set_silent(true);
    let silent = PrinterError::NoAnswer { started: false };
    assert_eq!(desk.print(&receipt(100)), Err(silent));
    assert_eq!(silent.remedy(), Remedy::CallOperator(Fault::PrinterSilent));
    desk.simulator.set_silent(false);
    let printed = desk.print_while(&receipt(100), |simulator| simulator.set_silent(true));
    assert_eq!(printed, Err(PrinterError::NoAnswer { started: true }));
}

#[test]
fn bitmaps_that_cannot_be_printed_are_refused() {
    let mut desk = desk();
    let broken = Bitmap { width: 16, height: 2, rows: vec![0; 3] };
    for (bitmap, error) in [
        (Bitmap::blank(DOTS + 1, 1), BitmapError::TooWide),
        (Bitmap::blank(0, 1), BitmapError::Size),
        (Bitmap::blank(8, 0), BitmapError::Size),
        (broken, BitmapError::Data),
    ] {
        assert_eq!(desk.print(&bitmap), Err(PrinterError::Bitmap(error)));
    }
    assert_eq!(desk.simulator.strip(), []);
}

#[test]
fn receipts_are_redacted_in_debug() {
    let bitmap = receipt(2);
    assert_eq!(format!("{bitmap:?}"), "Bitmap(576 × 2, [redacted])");
}
