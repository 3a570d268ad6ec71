//! The receipt printer's contract on recordings: scenarios that are recorded through the true driver and played back
//! to it, just now and from the files in `tests/recordings`.
//!
//! A scenario asserts all that it promises, so a replay that gets through has kept the contract. To make the files
//! anew, run these tests with `KEEP_RECORDINGS=1`.

use std::path::{Path, PathBuf};

use device_drivers::receipt_printer::simulator::{PrinterProfile, ProcessIdSupport, SimulatedPrinterHandle};
use device_drivers::receipt_printer::{
    Bitmap, Connection, EscPosPrinter, LineSpeed, Part, PrintLevel, PrinterError, PrinterModel, Receipt,
    ReceiptPrinter, TextLine, TextMode,
};
use device_drivers::recording::{Recorder, Replay, ReplayError};

use super::printer_desk::{BAUD, CABLES, Cable, connected};

const DEVICE: &str = "receipt-printer";
/// Dots across: few, so that the recordings are small.
const DOTS: u32 = 96;

/// Hands at the simulated printer; in a replay there is nothing to touch.
struct Hands<'a>(Option<&'a SimulatedPrinterHandle>);

impl Hands<'_> {
    fn at(&self, touch: impl FnOnce(&SimulatedPrinterHandle)) {
        if let Some(simulator) = self.0 {
            touch(simulator);
        }
    }
}

struct Scenario {
    name: &'static str,
    profile: PrinterProfile,
    play: fn(&mut EscPosPrinter, &Hands<'_>),
}

fn scenarios() -> [Scenario; 8] {
    let profile = PrinterProfile { dots: DOTS, ..PrinterProfile::default() };
    let queued = PrinterProfile { process_id: ProcessIdSupport::Ignores, ..profile };
    let seen = PrinterProfile { exit_sensor: true, ..profile };
    [
        Scenario { name: "printed", profile, play: printed },
        Scenario { name: "queued-status", profile: queued, play: queued_status },
        Scenario { name: "taken", profile: seen, play: taken },
        Scenario { name: "not-ready", profile, play: not_ready },
        Scenario { name: "paper-ends", profile, play: paper_ends },
        Scenario { name: "unplugged", profile, play: unplugged },
        Scenario { name: "noise", profile, play: noise },
        Scenario { name: "silent", profile, play: silent },
    ]
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

fn printed(printer: &mut EscPosPrinter, _: &Hands<'_>) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    assert!(printer.status().unwrap().online);
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
    assert_eq!(printer.print(&Bitmap::blank(DOTS, 9).into()), Ok(PrintLevel::COMPLETED));
    assert_eq!(printer.follow(), Ok(PrintLevel::COMPLETED));
}

fn queued_status(printer: &mut EscPosPrinter, _: &Hands<'_>) {
    assert_eq!(printer.probe(), Ok(PrintLevel::PROCESSED));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::PROCESSED));
}

fn taken(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
    assert_eq!(printer.probe(), Ok(PrintLevel::TAKEN));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::OUT));
    assert_eq!(printer.follow(), Ok(PrintLevel::OUT));
    hands.at(|simulator| assert!(simulator.take_receipt()));
    assert_eq!(printer.follow(), Ok(PrintLevel::TAKEN));
}

fn not_ready(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
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

fn paper_ends(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
    hands.at(|simulator| simulator.end_paper_after(40));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::PaperEnd { started: true }));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::PaperEnd { started: false }));
    hands.at(|simulator| simulator.set_paper(true));
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
}

fn unplugged(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    hands.at(|simulator| simulator.unplug_after(20));
    assert_eq!(printer.print(&receipt()), Err(PrinterError::Gone { started: true }));
    assert_eq!(printer.status(), Err(PrinterError::Gone { started: false }));
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(printer.print(&receipt()), Ok(PrintLevel::COMPLETED));
}

fn noise(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
    assert_eq!(printer.probe(), Ok(PrintLevel::COMPLETED));
    hands.at(|simulator| simulator.set_noise(9));
    assert!(printer.print(&receipt()).unwrap().is_confirmed());
}

fn silent(printer: &mut EscPosPrinter, hands: &Hands<'_>) {
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

/// Records the scenario and plays it back.
fn record_and_replay(cable: Cable, scenario: &Scenario, folder: &Path) -> PathBuf {
    let (simulator, connection) = connected(cable, &folder.join("printer"), scenario.profile);
    simulator.set_paced(false);
    let recording = folder.join(scenario.name).with_extension("jsonl");
    let recorder = Recorder::to_file(connection.transport(), DEVICE, &recording).unwrap();
    let mut printer = EscPosPrinter::over(recorder, connection.speed(), narrow(scenario.profile));
    (scenario.play)(&mut printer, &Hands(Some(&simulator)));
    drop((printer, simulator));
    replay(connection.speed(), scenario, &recording);
    recording
}

fn replay(speed: LineSpeed, scenario: &Scenario, recording: &Path) {
    let replay = Replay::open(recording).unwrap_or_else(|error| panic!("{}: {error}", recording.display()));
    assert_eq!(replay.device(), DEVICE, "{}", scenario.name);
    let mut printer = EscPosPrinter::over(replay.clone(), speed, narrow(scenario.profile));
    (scenario.play)(&mut printer, &Hands(None));
    assert_eq!(replay.finish(), Ok(()), "{}", scenario.name);
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(DEVICE)
}

#[test]
fn what_was_recorded_is_played_back() {
    for cable in CABLES {
        let folder = tempfile::tempdir().unwrap();
        for scenario in scenarios() {
            let recording = record_and_replay(cable, &scenario, folder.path());
            if cable == Cable::Serial && std::env::var_os("KEEP_RECORDINGS").is_some() {
                std::fs::copy(&recording, kept().join(recording.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    let serial = Connection::Serial { port: PathBuf::new(), baud: BAUD };
    for scenario in scenarios() {
        replay(serial.speed(), &scenario, &kept().join(scenario.name).with_extension("jsonl"));
    }
    assert_eq!(std::fs::read_dir(kept()).unwrap().count(), scenarios().len(), "none that nobody plays");
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let recording = Replay::open(&kept().join("printed.jsonl")).unwrap();
    let serial = LineSpeed::Serial { baud: BAUD };
    let model = PrinterModel { dots: 2 * DOTS, ..narrow(PrinterProfile::default()) };
    let mut printer = EscPosPrinter::over(recording.clone(), serial, model);
    // A wider head takes more white dots to be brought out of an open picture.
    assert_eq!(printer.probe(), Err(PrinterError::Gone { started: false }));
    assert!(matches!(recording.finish(), Err(ReplayError::Diverged(_))));
}
