//! A simulated code scanner.

use std::io;
use std::path::PathBuf;

use device_drivers::code_scanner::simulator::{
    self, ScannerFault, ScannerKind, ScannerProfile, SimulatedScannerHandle,
};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

const FAULTS: &Faults<ScannerFault> = &[
    ("split", 5, |after| ScannerFault::Split { after: after as usize, millis: 40 }),
    ("breaks-off", 5, |after| ScannerFault::BreaksOff { after: after as usize }),
    ("doubled", 0, |_| ScannerFault::Doubled),
    ("noise", 0, |_| ScannerFault::Noise),
    ("events-dropped", 5, |after| ScannerFault::EventsDropped { after: after as usize }),
];

#[derive(clap::Args)]
pub struct SimulatedCodeScanner {
    /// Path of the port or input device that is made
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
    /// Types as a keyboard does
    #[arg(long)]
    keyboard: bool,
    /// What goes wrong with every scan
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedCodeScanner {
    pub fn start(self) -> Result<Started, Failure> {
        let kind = if self.keyboard { ScannerKind::Keyboard } else { ScannerKind::Serial };
        let profile = ScannerProfile { kind, suffix: b"\r\n" };
        let scanner = simulator::serve(&self.link, profile).map_err(|error| cannot_start(&error))?;
        let option = if self.keyboard { "--evdev" } else { "--port" };
        let way = format!("{option} {} --end suffix", self.link.display());
        Ok(Started { hands: Box::new(Scanner { scanner, fault: None }), way, fault: self.fault })
    }
}

struct Scanner {
    scanner: SimulatedScannerHandle,
    fault: Option<ScannerFault>,
}

impl Hands for Scanner {
    fn known(&self) -> (&'static str, String) {
        ("scan", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        self.fault = name.map(|name| fault(FAULTS, name)).transpose()?;
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.scanner.plug();
        }
        self.scanner.unplug();
        Ok(())
    }

    fn obey(&mut self, order: &str, value: &str) -> Result<String, String> {
        if order != "scan" || value.is_empty() {
            return no_such_order(order);
        }
        match self.fault {
            None => self.scanner.scan(value.as_bytes()),
            Some(fault) => self.scanner.scan_with(value.as_bytes(), fault),
        }
        Ok(String::new())
    }
}
