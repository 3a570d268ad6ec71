//! A simulated ID-card reader with a made-up card.

use std::io;
use std::path::PathBuf;

use device_drivers::id_card_reader::MainlandCard;
use device_drivers::id_card_reader::simulator::{self, CardImage, SimulatedReaderHandle, WireFault};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

const FAULTS: &Faults<WireFault> = &[
    ("checksum", 0, |_| WireFault::WrongChecksum),
    ("noise-before", 0, |_| WireFault::GarbageBefore),
    ("noise-inside", 0, |_| WireFault::GarbageInside),
    ("stale", 0, |_| WireFault::StaleAnswer),
    ("truncated", 200, |bytes| WireFault::Truncated { after_bytes: bytes as usize }),
    ("pulled-at", 200, |bytes| WireFault::PulledMidRead { after_bytes: bytes as usize }),
    ("pulled-after", 100, |millis| WireFault::PulledAfter { millis }),
    ("unplugged-at", 200, |bytes| WireFault::Unplugged { after_bytes: bytes as usize }),
    ("forged", 0, |_| WireFault::Refused),
    ("not-a-card", 0, |_| WireFault::NotACard),
    ("status", 0x66, |code| WireFault::Status(code as u8)),
    ("chip-hangs", 0, |_| WireFault::ChipHangs),
    ("silent", 0, |_| WireFault::Silence),
    ("stuck", 0, |_| WireFault::Stuck),
    ("late", 1500, |millis| WireFault::Late { millis }),
    ("vendor-timeout", 0, |_| WireFault::VendorTimeout),
];

#[derive(clap::Args)]
pub struct SimulatedIdCard {
    /// Path of the serial port that is made
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
    /// Rate at which the reader stands
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Start without a card on the reader
    #[arg(long)]
    empty: bool,
    /// What goes wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedIdCard {
    pub fn start(self) -> Result<Started, Failure> {
        let reader = simulator::serve(&self.link, self.baud).map_err(|error| cannot_start(&error))?;
        let mut hands = Reader(reader);
        if !self.empty {
            hands.obey("lay", "").map_err(Failure::usage)?;
        }
        let way = format!("--port {} --baud {}", self.link.display(), self.baud);
        Ok(Started { hands: Box::new(hands), way, fault: self.fault })
    }
}

struct Reader(SimulatedReaderHandle);

impl Hands for Reader {
    fn known(&self) -> (&'static str, String) {
        ("lay lay-forged lay-unknown pull", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        let wanted = name.map(|name| fault(FAULTS, name)).transpose()?;
        self.0.set_fault(wanted);
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
            "lay" => self.0.lay(made_up()),
            "lay-forged" => self.0.lay(made_up().forged()),
            "lay-unknown" => self.0.lay(CardImage::unknown_chip()),
            "pull" => self.0.pull(),
            _ => return no_such_order(order),
        }
        Ok(String::new())
    }
}

/// The card of nobody: area 990001 does not exist.
fn made_up() -> CardImage {
    let mut card = MainlandCard::default();
    (card.name, card.sex, card.ethnic) = ("测试样本".into(), "2".into(), "01".into());
    (card.birth, card.number) = ("19900101".into(), "990001199001011008".into());
    card.address = "测试省样本市虚构路1号".into();
    card.issuer = "样本市公安局".into();
    (card.valid_from, card.valid_to) = ("20200101".into(), "20400101".into());
    CardImage::mainland(card).expect("every field of the made-up card fits its place")
}
