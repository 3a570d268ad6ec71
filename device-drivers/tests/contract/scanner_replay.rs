//! The serial code scanner's contract on recordings ([`crate::tape`]). A scanner that types stands on no transport.

use std::time::{Duration, Instant};

use device_drivers::code_scanner::simulator::{
    self, ScannerFault, ScannerKind, ScannerProfile, SimulatedScannerHandle,
};
use device_drivers::code_scanner::{CodeScanner, ScanEnd, ScannerError, SerialCodeScanner};
use device_drivers::recording::ReplayError;
use device_drivers::serial_line::SerialLine;

use crate::tape::{Keep, Scenario, Tape};

/// Of the kind of a health-insurance credential, and nobody's.
const CODE: &str = "4240000000000000001234400000";
/// On a busy machine the simulator may itself be kept waiting in the middle of a code.
const SILENCE: Duration = Duration::from_secs(1);

type Hands = crate::tape::Hands<SimulatedScannerHandle>;
type Scanned = Result<Option<String>, ScannerError>;

/// How scanner and driver are set.
#[derive(Clone, Copy)]
struct Setting {
    suffix: &'static [u8],
    end: ScanEnd,
}

fn tape() -> Tape<SerialCodeScanner, SimulatedScannerHandle, Setting> {
    let suffix = Setting { suffix: b"\r", end: ScanEnd::Suffix };
    let either = Setting { suffix: b"\r\n", end: ScanEnd::SuffixOrSilence };
    let silence = Setting { suffix: b"", end: ScanEnd::SuffixOrSilence };
    let scenario = |name, setting, play| Scenario { name, setting, play };
    Tape {
        device: "code-scanner",
        scenarios: vec![
            scenario("scanned", suffix, scanned),
            scenario("in-pieces", either, in_pieces),
            scenario("ended-by-silence", silence, ended_by_silence),
            scenario("broken-off", suffix, broken_off),
            scenario("doubled", suffix, doubled),
            scenario("noise", suffix, noise),
            scenario("unplugged", suffix, unplugged),
        ],
        driver: Box::new(|transport, Setting { end, .. }| {
            let mut scanner = SerialCodeScanner::over(transport, end);
            scanner.set_silence(SILENCE);
            scanner
        }),
    }
}

fn within(scanner: &mut SerialCodeScanner, time: Duration) -> Scanned {
    let code = scanner.next_code(Instant::now() + time)?;
    Ok(code.map(|code| code.as_str().to_owned()))
}

/// The next code, waited for long enough for any that comes.
fn next(scanner: &mut SerialCodeScanner) -> Scanned {
    within(scanner, Duration::from_secs(20))
}

/// What comes when nothing should.
fn quiet(scanner: &mut SerialCodeScanner) -> Scanned {
    within(scanner, Duration::from_millis(400))
}

fn code(text: &str) -> Scanned {
    Ok(Some(text.to_owned()))
}

fn scanned(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    for text in [CODE, "东莞市 A/1?"] {
        hands.at(|simulator| simulator.scan(text.as_bytes()));
        assert_eq!(next(scanner), code(text));
        assert_eq!(quiet(scanner), Ok(None));
    }
}

fn in_pieces(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan_with(b"ABC123456", ScannerFault::Split { after: 4, millis: 40 }));
    assert_eq!(next(scanner), code("ABC123456"));
}

fn ended_by_silence(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan(CODE.as_bytes()));
    assert_eq!(next(scanner), code(CODE));
}

fn broken_off(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan_with(CODE.as_bytes(), ScannerFault::BreaksOff { after: 9 }));
    assert_eq!(next(scanner), Err(ScannerError::Incomplete));
    hands.at(|simulator| simulator.scan(CODE.as_bytes()));
    assert_eq!(next(scanner), code(CODE));
}

fn doubled(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan_with(b"TWICE", ScannerFault::Doubled));
    assert_eq!(next(scanner), code("TWICE"));
    assert_eq!(quiet(scanner), Ok(None));
    hands.at(|simulator| simulator.scan(b"OTHER"));
    assert_eq!(next(scanner), code("OTHER"));
}

fn noise(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan_with(b"ABC", ScannerFault::Noise));
    assert_eq!(next(scanner), Err(ScannerError::NotText));
    hands.at(|simulator| simulator.scan(CODE.as_bytes()));
    assert_eq!(next(scanner), code(CODE));
}

fn unplugged(scanner: &mut SerialCodeScanner, hands: &Hands) {
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.unplug());
    assert_eq!(next(scanner), Err(ScannerError::Gone));
    assert_eq!(next(scanner), Err(ScannerError::Gone));
    assert_eq!(scanner.clear(), Err(ScannerError::Gone));
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(scanner.clear(), Ok(()));
    hands.at(|simulator| simulator.scan(CODE.as_bytes()));
    assert_eq!(next(scanner), code(CODE));
}

#[test]
fn what_was_recorded_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |port, Setting { suffix, .. }| {
        let simulator = simulator::serve(port, ScannerProfile { kind: ScannerKind::Serial, suffix }).unwrap();
        (simulator, Box::new(SerialLine::new(port, 115_200)))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let beyond = tape().noticed("scanned", |scanner| {
        assert_eq!(scanner.clear(), Ok(()));
        assert_eq!(scanner.clear(), Err(ScannerError::Gone), "once only, then");
    });
    assert_eq!(beyond, ReplayError::Beyond);
    let unfinished = tape().noticed("unplugged", |scanner| assert_eq!(scanner.clear(), Ok(())));
    assert!(matches!(unfinished, ReplayError::Unfinished(_)));
}
