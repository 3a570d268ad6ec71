//! A simulated A4 printer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use device_drivers::document_printer::simulator::{
    self, LineFault, MachineProfile, SimulatedDocumentPrinterHandle, Trouble,
};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

/// What a fault does to the printer.
type Fault = Box<dyn Fn(&SimulatedDocumentPrinterHandle)>;

fn trouble(trouble: Trouble) -> Fault {
    Box::new(move |printer| printer.set_trouble(Some(trouble)))
}

/// With the next request.
fn line(fault: LineFault) -> Fault {
    Box::new(move |printer| printer.inject(None, fault))
}

const FAULTS: &Faults<Fault> = &[
    ("paper-out", 0, |_| trouble(Trouble::PaperOut)),
    ("jam", 0, |_| trouble(Trouble::Jam)),
    ("jam-after", 1, |pages| Box::new(move |printer| printer.trouble_after(pages as u32, Trouble::Jam))),
    ("cover-open", 0, |_| trouble(Trouble::CoverOpen)),
    ("output-full", 0, |_| trouble(Trouble::OutputFull)),
    ("toner-out", 0, |_| trouble(Trouble::TonerOut)),
    ("paused", 0, |_| trouble(Trouble::Paused)),
    ("sleeps", 3, |seconds| Box::new(move |printer| printer.sleep(Duration::from_secs(seconds)))),
    ("silent", 0, |_| line(LineFault::Silence)),
    ("late", 1000, |millis| line(LineFault::Late(Duration::from_millis(millis)))),
    ("cut-before", 0, |_| line(LineFault::CutBefore)),
    ("cut-after", 100, |bytes| line(LineFault::CutAfter(bytes as usize))),
    ("garbage", 0, |_| line(LineFault::Garbage)),
    ("no-http", 0, |_| line(LineFault::NoHttp)),
    ("http", 503, |status| line(LineFault::Http(status as u16))),
    ("status", 0x0507, |status| line(LineFault::Status(status as u16))),
];

#[derive(clap::Args)]
pub struct SimulatedDocumentPrinter {
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Milliseconds that each page takes
    #[arg(long, value_name = "MILLIS", default_value_t = 3000)]
    page: u64,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedDocumentPrinter {
    pub fn start(self) -> Result<Started, Failure> {
        let page = Duration::from_millis(self.page);
        let profile = MachineProfile { first_page: page * 2, next_page: page, ..MachineProfile::default() };
        let printer = simulator::serve_at(self.listen, profile).map_err(|error| cannot_start(&error))?;
        let way = format!("--uri {}", printer.uri());
        Ok(Started { hands: Box::new(Printer(printer)), way, fault: self.fault })
    }
}

struct Printer(SimulatedDocumentPrinterHandle);

impl Hands for Printer {
    fn known(&self) -> (&'static str, String) {
        ("tray", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        match name {
            Some(name) => fault(FAULTS, name)?(&self.0),
            None => self.0.set_trouble(None),
        }
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.0.power_on();
        }
        self.0.power_off();
        Ok(())
    }

    fn obey(&mut self, order: &str, _value: &str) -> Result<String, String> {
        match order {
            "tray" => Ok(format!("{} print-outs", self.0.tray().len())),
            _ => no_such_order(order),
        }
    }
}
