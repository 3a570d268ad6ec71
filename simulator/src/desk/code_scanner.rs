//! The code scanner, and what can be held before it: a receipt from the strip, one that is torn, somebody's
//! health-insurance code on a phone, any text.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use device_drivers::code_scanner::simulator::{
    self, ScannerFault, ScannerKind, ScannerProfile, SimulatedScannerHandle,
};
use serde_json::{Value, json};

use super::BAUD;
use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, bytes, millis, numbered, plain};
use super::receipt_printer::ReceiptPrinter;

/// 医保电子凭证, made up: the mark and 25 digits.
const INSURANCE: &str = "4240000000000000001234400000";
/// The largest QR code holds 2,953 bytes, and the driver takes 4,096: enough to try what is too long.
const TEXT_MAX: usize = 8192;
/// Bytes of a code before a pause.
const BEFORE_PAUSE: usize = 10;

struct Hands {
    /// What goes wrong with each.
    fault: Option<ScannerFault>,
    scans: u64,
}

pub(super) struct CodeScanner {
    port: PathBuf,
    quick: bool,
    scanner: SimulatedScannerHandle,
    /// Where receipts come from.
    printer: Arc<AtDesk<ReceiptPrinter>>,
    hands: Mutex<Hands>,
}

impl CodeScanner {
    pub(super) fn set_up(
        folder: &Path,
        paced: bool,
        printer: Arc<AtDesk<ReceiptPrinter>>,
    ) -> io::Result<AtDesk<Self>> {
        let port = folder.join("code-scanner");
        let profile = ScannerProfile { kind: ScannerKind::Serial, suffix: b"\r\n" };
        let scanner = simulator::serve(&port, profile)?;
        let hands = Mutex::new(Hands { fault: None, scans: 0 });
        Ok(AtDesk::new(Self { port, quick: !paced, scanner, printer, hands }))
    }

    pub(super) fn declared(&self) -> Value {
        let mut declared = json!({ "transport": "serial", "port": self.port, "baud": BAUD, "suffix": true });
        // Many tests at once may keep this thread waiting in the middle of a code.
        if self.quick {
            declared["silence_ms"] = json!(1000);
        }
        declared
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    /// Holds a code before the scanner, which sees it when it has power.
    fn hold(&self, code: &[u8], torn: Option<ScannerFault>) {
        if !self.scanner.is_plugged() {
            return;
        }
        let mut hands = self.hands();
        hands.scans += 1;
        match torn.or(hands.fault) {
            None => self.scanner.scan(code),
            Some(fault) => self.scanner.scan_with(code, fault),
        }
    }

    /// The code on the latest receipt, read from its paper.
    fn on_the_receipt(&self) -> io::Result<String> {
        let nothing = || io::Error::new(io::ErrorKind::NotFound, "there is no receipt with a code yet");
        self.printer.latest_code().ok_or_else(nothing)
    }
}

impl Hardware for CodeScanner {
    const NAME: &'static str = "code-scanner";
    type Fault = ScannerFault;
    /// What goes wrong with every scan until somebody repairs it.
    const FAULTS: &'static [Known<ScannerFault>] = &[
        numbered("pause", millis(40), |n| ScannerFault::Split { after: BEFORE_PAUSE, millis: n }),
        numbered("breaks-off", bytes(0, 4096, 20), |n| ScannerFault::BreaksOff { after: n as usize }),
        plain("doubled", |_| ScannerFault::Doubled),
        plain("noise", |_| ScannerFault::Noise),
    ];
    const CONTROLS: &'static [Control] = &[
        Control { name: "scan_receipt", kind: ControlKind::Press },
        Control { name: "scan_torn", kind: ControlKind::Press },
        Control { name: "scan_insurance", kind: ControlKind::Press },
        Control { name: "scan_text", kind: ControlKind::Text { most: TEXT_MAX } },
    ];

    fn is_plugged(&self) -> bool {
        self.scanner.is_plugged()
    }

    fn plug(&self) -> io::Result<()> {
        self.scanner.plug()
    }

    fn unplug(&self) -> io::Result<()> {
        self.scanner.unplug();
        Ok(())
    }

    fn set_fault(&self, fault: Option<ScannerFault>) {
        self.hands().fault = fault;
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        match (control, turn) {
            ("scan_receipt", Turn::Press) => self.hold(self.on_the_receipt()?.as_bytes(), None),
            ("scan_torn", Turn::Press) => {
                let code = self.on_the_receipt()?;
                self.hold(code.as_bytes(), Some(ScannerFault::BreaksOff { after: code.len() / 2 }));
            }
            (_, Turn::Press) => self.hold(INSURANCE.as_bytes(), None),
            (_, Turn::Text(text)) => self.hold(text.as_bytes(), None),
            (_, Turn::Switch(_) | Turn::Choice(_)) => unreachable!("{control} is pressed or given a text"),
        }
        Ok(())
    }

    fn shows(&self) -> Value {
        json!({ "scans": self.hands().scans })
    }
}
