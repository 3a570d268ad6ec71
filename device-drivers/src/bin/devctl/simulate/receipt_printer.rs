//! A simulated receipt printer.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use device_drivers::receipt_printer::protocol::ErrorCause;
use device_drivers::receipt_printer::simulator::{self, PrinterProfile, SimulatedPrinterHandle};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

/// What a fault does to the printer.
type Trouble = Box<dyn Fn(&SimulatedPrinterHandle)>;

const FAULTS: &Faults<Trouble> = &[
    ("paper-end", 0, |_| Box::new(|printer| printer.set_paper(false))),
    ("paper-ends", 100, |rows| Box::new(move |printer| printer.end_paper_after(rows as u32))),
    ("near-end", 0, |_| Box::new(|printer| printer.set_near_end(true))),
    ("cover-open", 0, |_| Box::new(|printer| printer.set_cover_open(true))),
    ("cover-opens", 100, |rows| Box::new(move |printer| printer.open_cover_after(rows as u32))),
    ("cutter-jam", 0, |_| Box::new(|printer| printer.set_cutter_jam(true))),
    ("jam-at-cut", 0, |_| Box::new(SimulatedPrinterHandle::jam_at_cut)),
    ("head-hot", 0, |_| Box::new(|printer| printer.set_head_hot(true))),
    ("silent", 0, |_| Box::new(|printer| printer.set_silent(true))),
    ("stuck", 0, |_| Box::new(|printer| printer.set_stuck(true))),
    ("noise", 3, |every| Box::new(move |printer| printer.set_noise(every as u32))),
    ("late", 300, |millis| Box::new(move |printer| printer.set_delay(Duration::from_millis(millis)))),
    ("unplugged-at", 500, |bytes| Box::new(move |printer| printer.unplug_after(bytes))),
];

#[derive(clap::Args)]
pub struct SimulatedReceiptPrinter {
    #[command(flatten)]
    place: Place,
    /// Rate at which a serial printer stands
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Dots of the head
    #[arg(long, default_value_t = 576)]
    dots: u32,
    /// A sensor at the mouth sees what comes out
    #[arg(long)]
    exit_sensor: bool,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Path of the serial port that is made
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Path of the USB printer's device file that is made
    #[arg(long, value_name = "PATH")]
    usb_link: Option<PathBuf>,
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl SimulatedReceiptPrinter {
    pub fn start(self) -> Result<Started, Failure> {
        let (printer, way) = self.place(self.profile()).map_err(|error| cannot_start(&error))?;
        Ok(Started { hands: Box::new(Printer(printer)), way, fault: self.fault })
    }

    fn profile(&self) -> PrinterProfile {
        PrinterProfile { dots: self.dots, exit_sensor: self.exit_sensor, ..PrinterProfile::default() }
    }

    fn place(&self, profile: PrinterProfile) -> io::Result<(SimulatedPrinterHandle, String)> {
        match &self.place {
            Place { link: Some(link), .. } => {
                let printer = simulator::serve(link, self.baud, profile)?;
                Ok((printer, format!("--port {} --baud {}", link.display(), self.baud)))
            }
            Place { usb_link: Some(link), .. } => {
                Ok((simulator::serve_usb(link, profile)?, format!("--usb {}", link.display())))
            }
            Place { listen, .. } => {
                let printer = simulator::serve_tcp(listen.ok_or(io::ErrorKind::InvalidInput)?, profile)?;
                let address = printer.address().ok_or(io::ErrorKind::AddrNotAvailable)?;
                Ok((printer, format!("--tcp {address}")))
            }
        }
    }
}

struct Printer(SimulatedPrinterHandle);

impl Hands for Printer {
    fn known(&self) -> (&'static str, String) {
        ("take receipts", names(FAULTS))
    }

    /// Faults add up; `none` ends them all, and a new roll is in.
    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        match name {
            Some(name) => fault(FAULTS, name)?(&self.0),
            None => {
                self.0.set_paper(true);
                self.0.set_near_end(false);
                self.0.set_cover_open(false);
                self.0.set_error(ErrorCause::default());
                self.0.set_silent(false);
                self.0.set_stuck(false);
                self.0.set_noise(0);
                self.0.set_delay(Duration::ZERO);
            }
        }
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.0.plug();
        }
        self.0.unplug();
        Ok(())
    }

    fn obey(&mut self, order: &str, _value: &str) -> Result<String, String> {
        match order {
            "take" if self.0.take_receipt() => Ok("taken".to_owned()),
            "take" => Err("there is no receipt in the mouth".to_owned()),
            "receipts" => Ok(format!("{} on the strip", self.0.strip().len())),
            _ => no_such_order(order),
        }
    }
}
