//! The receipt printer's contract on recordings ([`crate::tape`]).

use device_drivers::receipt_printer::simulator::{PrinterProfile, ProcessIdSupport, SimulatedPrinterHandle};
use device_drivers::receipt_printer::{
    Bitmap, EscPosPrinter, LineSpeed, Part, PrintLevel, PrinterError, PrinterModel, Receipt, ReceiptPrinter,
    TextLine, TextMode,
};
use device_drivers::recording::ReplayError;

use super::printer_desk::{BAUD, CABLES, Cable, connected};
use crate::tape::{Keep, Scenario, Tape};

/// Dots across: few, so that the recordings are small.
const DOTS: u32 = 96;

type Hands = crate::tape::Hands<SimulatedPrinterHandle>;

/// The scenarios, with a head of so many dots.
fn tape(speed: LineSpeed, dots: u32) -> Tape<EscPosPrinter, SimulatedPrinterHandle, PrinterProfile> {
    let profile = PrinterProfile { dots: DOTS, ..PrinterProfile::default() };
    let queued = PrinterProfile { process_id: ProcessIdSupport::Ignores, ..profile };
    let seen = PrinterProfile { exit_sensor: true, ..profile };
    let scenario = |name, setting, play| Scenario { name, setting, play };
    Tape {
        device: "receipt-printer",
        scenarios: vec![
            scenario("printed", profile, printed),
            scenario("queued-status", queued, queued_status),
            scenario("taken", seen, taken),
            scenario("not-ready", profile, not_ready),
            scenario("paper-ends", profile, paper_ends),
            scenario("unplugged", profile, unplugged),
            scenario("noise", profile, noise),
            scenario("silent", profile, silent),
        ],
        driver: Box::new(move |transport, profile| {
            EscPosPrinter::over(transport, speed, PrinterModel { dots, ..narrow(profile) })
        }),
    }
}

/// A receipt of three lines, one of which has a rare name.
fn receipt() -> Receipt {
    let mut picture = Bitmap::blank(DOTS, 90);
    let mut parts = Vec::new();
    for (number, text) in (0..).zip(["受理回执", "测试𬱖㛃", "No 7"]) {
        for x in (number..DOTS).step_by(3) {
            picture.set_black(x, number * 30 + 12);
        }
        parts.push(Part { rows: number * 30..(number + 1) * 30, text: Some(TextLine::plain(text)) });
    }
    Receipt::with_parts(picture, parts).unwrap()
}

fn printed(printer: &mut EscPosPrinter, _: &Hands) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    assert!(printer.status().unwrap().online);
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
    assert_eq!(printer.print(&Bitmap::blank(DOTS, 9).into()), Ok(PrintLevel::COMPLETED));
    assert_eq!(printer.follow(), Ok(PrintLevel::COMPLETED));
}

fn queued_status(printer: &mut EscPosPrinter, _: &Hands) {
    assert_eq!(printer.probe(), Ok(PrintLevel::PROCESSED));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::PROCESSED));
}

fn taken(printer: &mut EscPosPrinter, hands: &Hands) {
    assert_eq!(printer.probe(), Ok(PrintLevel::TAKEN));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::OUT));
    assert_eq!(printer.follow(), Ok(PrintLevel::OUT));
    hands.at(|simulator| assert!(simulator.take_receipt()));
    assert_eq!(printer.follow(), Ok(PrintLevel::TAKEN));
}

fn not_ready(printer: &mut EscPosPrinter, hands: &Hands) {
    hands.at(|simulator| simulator.set_paper(false));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::PaperEnd { started: false }));
    hands.at(|simulator| simulator.set_paper(true));
    hands.at(|simulator| simulator.set_cover_open(true));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::CoverOpen { started: false }));
    hands.at(|simulator| simulator.set_cover_open(false));
    hands.at(|simulator| simulator.set_head_hot(true));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::HeadHot { started: false }));
    hands.at(|simulator| simulator.set_head_hot(false));
    hands.at(|simulator| simulator.jam_at_cut());
    assert_eq!(printer.print(&receipt()), Err(PrinterError::CutterJam { started: true }));
}

fn paper_ends(printer: &mut EscPosPrinter, hands: &Hands) {
    hands.at(|simulator| simulator.end_paper_after(40));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::PaperEnd { started: true }));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::PaperEnd { started: false }));
    hands.at(|simulator| simulator.set_paper(true));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
}

fn unplugged(printer: &mut EscPosPrinter, hands: &Hands) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    hands.at(|simulator| simulator.unplug_after(20));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::Gone { started: true }));
    assert_eq!(printer.status(), Err(PrinterError::Gone { started: false }));
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
}

fn noise(printer: &mut EscPosPrinter, hands: &Hands) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    hands.at(|simulator| simulator.set_noise(9));
    assert!(printer.print(&receipt()).unwrap().is_confirmed());
}

fn silent(printer: &mut EscPosPrinter, hands: &Hands) {
    hands.at(|simulator| simulator.set_silent(true));
    assert_eq!(printer.status(), Err(PrinterError::NoAnswer { started: false }));
    hands.at(|simulator| simulator.set_silent(false));
    assert!(printer.status().unwrap().online);
}

/// The usual model with a head of few dots.
fn narrow(profile: PrinterProfile) -> PrinterModel {
    let name = if profile.exit_sensor { "80mm-exit-sensor" } else { "80mm" };
    let model = PrinterModel::named(name).unwrap();
    let text = model.text.map(|text| TextMode { columns: DOTS / text.cell_width, ..text });
    PrinterModel { dots: DOTS, text, ..model }
}

#[test]
fn what_was_recorded_is_played_back() {
    for cable in CABLES {
        let (speed, keep) = match cable {
            Cable::Serial => (LineSpeed::Serial { baud: BAUD }, Keep::WhenAsked),
            Cable::Usb | Cable::Tcp => (LineSpeed::Fast, Keep::Never),
        };
        tape(speed, DOTS).is_recorded_and_played_back(keep, |path, profile| {
            let (simulator, connection) = connected(cable, path, profile);
            assert_eq!(connection.speed(), speed);
            simulator.set_paced(false);
            (simulator, connection.transport())
        });
    }
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape(LineSpeed::Serial { baud: BAUD }, DOTS).kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    // A wider head takes more white dots to be brought out of an open picture.
    let wider = tape(LineSpeed::Serial { baud: BAUD }, 2 * DOTS);
    let diverged = wider.noticed("printed", |printer| {
        assert_eq!(printer.probe(), Err(PrinterError::Gone { started: false }));
    });
    assert!(matches!(diverged, ReplayError::Diverged(_)));
}
