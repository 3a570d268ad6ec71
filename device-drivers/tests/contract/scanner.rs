//! The code scanner's contract, on a serial line and as a keyboard.

use std::time::{Duration, Instant};

use device_drivers::code_scanner::simulator::{
    self, ScannerFault, ScannerKind, ScannerProfile, SimulatedScannerHandle,
};
use device_drivers::code_scanner::{
    CodeRules, CodeScanner, KeyboardCodeScanner, MAX_CODE_BYTES, ScanEnd, ScannedCode, ScannerError,
    SerialCodeScanner,
};
use device_drivers::{Fault, Hint, Remedy};

/// Synthetic: the mark, seventeen digits, two, the province, the extension.
const INSURANCE: &str = "4240000000000000001234400000";
const BOTH: [ScannerKind; 2] = [ScannerKind::Serial, ScannerKind::Keyboard];

/// On a busy machine the simulator may itself be kept waiting in the middle of a code.
const SILENCE: Duration = Duration::from_secs(1);

struct Desk {
    scanner: Box<dyn CodeScanner>,
    simulator: SimulatedScannerHandle,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn within(&mut self, time: Duration) -> Result<Option<String>, ScannerError> {
        let code = self.scanner.next_code(Instant::now() + time)?;
        Ok(code.map(|code| code.as_str().to_owned()))
    }

    /// The next code, waited for long enough for any that comes.
    fn next(&mut self) -> Result<Option<String>, ScannerError> {
        self.within(Duration::from_secs(5))
    }

    /// What comes when nothing should.
    fn quiet(&mut self) -> Result<Option<String>, ScannerError> {
        self.within(Duration::from_millis(400))
    }
}

fn desk_of(profile: ScannerProfile, end: ScanEnd) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("scanner");
    let simulator = simulator::serve(&port, profile).unwrap();
    let mut scanner: Box<dyn CodeScanner> = match profile.kind {
        ScannerKind::Serial => {
            let mut scanner = SerialCodeScanner::new(&port, 115_200, end);
            scanner.set_silence(SILENCE);
            Box::new(scanner)
        }
        ScannerKind::Keyboard => {
            let mut scanner = KeyboardCodeScanner::new(&port, end);
            scanner.set_silence(SILENCE);
            Box::new(scanner)
        }
    };
    scanner.clear().unwrap();
    Desk { scanner, simulator, _dir: dir }
}

fn desk(kind: ScannerKind) -> Desk {
    desk_of(ScannerProfile { kind, suffix: b"\r" }, ScanEnd::Suffix)
}

fn code(text: &str) -> Result<Option<String>, ScannerError> {
    Ok(Some(text.to_owned()))
}

#[test]
fn a_code_is_read_whatever_its_end() {
    for kind in BOTH {
        for suffix in [&b"\r"[..], b"\n", b"\r\n", b""] {
            // A keyboard has no key for LF.
            if kind == ScannerKind::Keyboard && suffix == b"\n" {
                continue;
            }
            let mut desk = desk_of(ScannerProfile { kind, suffix }, ScanEnd::SuffixOrSilence);
            desk.simulator.scan(INSURANCE.as_bytes());
            assert_eq!(desk.next(), code(INSURANCE), "{kind:?} {suffix:?}");
            assert_eq!(desk.quiet(), Ok(None));
        }
    }
}

#[test]
fn the_kind_of_a_code_is_known_by_rule() {
    let mut desk = desk(ScannerKind::Serial);
    let rules = CodeRules::default();
    desk.simulator.scan(INSURANCE.as_bytes());
    let read = desk.scanner.next_code(Instant::now() + Duration::from_secs(5)).unwrap().unwrap();
    assert_eq!(rules.kind_of(&read), Some(CodeRules::MEDICAL_INSURANCE));
    assert_eq!(rules.kind_of(&ScannedCode::new("whatever".to_owned())), None);
    assert_eq!(format!("{read:?}"), "ScannedCode([redacted])");
}

#[test]
fn chinese_comes_over_both_roads() {
    for kind in BOTH {
        let mut desk = desk(kind);
        desk.simulator.scan("东莞市 A/1?".as_bytes());
        assert_eq!(desk.next(), code("东莞市 A/1?"), "{kind:?}");
    }
}

#[test]
fn a_code_in_two_pieces_is_one() {
    for kind in BOTH {
        let mut desk = desk_of(ScannerProfile { kind, suffix: b"\r" }, ScanEnd::SuffixOrSilence);
        desk.simulator.scan_with(b"ABC123456", ScannerFault::Split { after: 4, millis: 40 });
        assert_eq!(desk.next(), code("ABC123456"), "{kind:?}");
        // A call that ends in the middle of a code loses nothing.
        desk.simulator.scan_with(b"DEF123456", ScannerFault::Split { after: 4, millis: 60 });
        let mut read = Ok(None);
        while read == Ok(None) {
            read = desk.within(Duration::from_millis(15));
        }
        assert_eq!(read, code("DEF123456"), "{kind:?}");
    }
}

#[test]
fn a_code_that_breaks_off_is_refused_and_the_next_is_whole() {
    for kind in BOTH {
        let mut desk = desk(kind);
        desk.simulator.scan_with(INSURANCE.as_bytes(), ScannerFault::BreaksOff { after: 9 });
        let error = desk.next().unwrap_err();
        assert_eq!((error, error.remedy()), (ScannerError::Incomplete, Remedy::AskCitizen(Hint::ScanAgain)));
        desk.simulator.scan(INSURANCE.as_bytes());
        assert_eq!(desk.next(), code(INSURANCE), "{kind:?}");
    }
    let mut desk = desk(ScannerKind::Keyboard);
    desk.simulator.scan_with(INSURANCE.as_bytes(), ScannerFault::EventsDropped { after: 9 });
    assert_eq!(desk.next(), Err(ScannerError::Incomplete));
    desk.simulator.scan(b"NEXT");
    assert_eq!(desk.next(), code("NEXT"));
}

#[test]
fn the_same_code_at_once_is_one_scan_and_later_another() {
    for kind in BOTH {
        let mut desk = desk(kind);
        desk.simulator.scan_with(b"TWICE", ScannerFault::Doubled);
        assert_eq!(desk.next(), code("TWICE"));
        assert_eq!(desk.quiet(), Ok(None), "{kind:?}");
        desk.simulator.scan(b"OTHER");
        assert_eq!(desk.next(), code("OTHER"));
        desk.simulator.scan(b"OTHER");
        assert_eq!(desk.within(Duration::from_millis(1500)), Ok(None), "held on");
        // Held away for longer than a scan lasts.
        assert_eq!(desk.within(Duration::from_millis(2600)), Ok(None));
        desk.simulator.scan(b"OTHER");
        assert_eq!(desk.next(), code("OTHER"), "{kind:?}");
    }
}

#[test]
fn what_is_binary_or_too_long_is_refused_and_the_next_is_whole() {
    let mut desk = desk(ScannerKind::Serial);
    desk.simulator.scan_with(b"ABC", ScannerFault::Noise);
    let error = desk.next().unwrap_err();
    assert_eq!((error, error.remedy()), (ScannerError::NotText, Remedy::AskCitizen(Hint::ScanAnotherCode)));
    desk.simulator.scan(&vec![b'7'; MAX_CODE_BYTES + 1]);
    assert_eq!(desk.next(), Err(ScannerError::TooLong));
    desk.simulator.scan(&vec![b'7'; MAX_CODE_BYTES]);
    assert_eq!(desk.next().unwrap().map(|code| code.len()), Some(MAX_CODE_BYTES));
}

#[test]
fn what_was_scanned_before_clearing_never_comes() {
    for kind in BOTH {
        let mut desk = desk(kind);
        desk.simulator.scan(b"OF-THE-ONE-BEFORE");
        assert!(desk.simulator.wait_until_sent(Duration::from_secs(5)));
        desk.simulator.scan_with(b"HALF-OF-THE-ONE-BEFORE", ScannerFault::BreaksOff { after: 4 });
        assert!(desk.simulator.wait_until_sent(Duration::from_secs(5)));
        // The last bytes may still be on the wire: read until nothing more comes.
        while let Ok(Some(_)) = desk.within(Duration::from_millis(60)) {}
        desk.scanner.clear().unwrap();
        assert_eq!(desk.quiet(), Ok(None), "{kind:?}");
        desk.simulator.scan(b"MINE");
        assert_eq!(desk.next(), code("MINE"), "{kind:?}");
    }
}

#[test]
fn an_unplugged_scanner_is_gone_at_once_and_comes_back() {
    for kind in BOTH {
        let mut desk = desk(kind);
        std::thread::scope(|scope| {
            let scanner = &mut desk.scanner;
            let waiting = scope.spawn(move || scanner.next_code(Instant::now() + Duration::from_secs(20)));
            desk.simulator.scan_with(b"ABCDEF", ScannerFault::BreaksOff { after: 3 });
            desk.simulator.unplug();
            let start = Instant::now();
            let error = waiting.join().unwrap().unwrap_err();
            // Half a code may have been noticed first.
            assert!(matches!(error, ScannerError::Gone | ScannerError::Incomplete), "{kind:?} {error}");
            assert!(start.elapsed() < Duration::from_secs(1));
        });
        let error = desk.next().unwrap_err();
        assert_eq!((error, error.remedy()), (ScannerError::Gone, Remedy::CallOperator(Fault::ScannerGone)));
        assert_eq!(desk.scanner.clear(), Err(ScannerError::Gone));
        desk.simulator.plug().unwrap();
        desk.scanner.clear().unwrap();
        desk.simulator.scan(INSURANCE.as_bytes());
        assert_eq!(desk.next(), code(INSURANCE), "{kind:?}");
    }
}
