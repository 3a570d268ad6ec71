//! A made-up social-security card in the virtual reader of a running `vpcd`.

use std::io;
use std::net::SocketAddr;

use device_drivers::social_security_card::simulator::{
    CardFault, CardManners, VirtualCard, VirtualSlot, made_up_person,
};

use super::{Faults, Hands, Started, fault, names, no_such_order};
use crate::answer::Failure;

/// At which of the card's commands something goes wrong: the first record of its holder is read by then.
const AT: usize = 5;

const FAULTS: &Faults<CardFault> = &[
    ("pulled-before", 0, |_| CardFault::PulledBefore),
    ("pulled-after", 4, |bytes| CardFault::PulledAfter(bytes as usize)),
    ("silent", 0, |_| CardFault::Silence),
    ("status", 0x6982, |status| CardFault::Status(status as u16)),
    ("flipped", 0, |byte| CardFault::Flipped(byte as usize)),
];

#[derive(clap::Args)]
pub struct SimulatedSocialSecurityCard {
    /// Where vpcd listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:35963")]
    vpcd: SocketAddr,
    /// Start without a card in the reader
    #[arg(long)]
    empty: bool,
    /// What goes wrong, once, in the middle of the next read
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedSocialSecurityCard {
    pub fn start(self) -> Result<Started, Failure> {
        let mut hands = Slot(VirtualSlot::new(self.vpcd));
        if !self.empty {
            hands.obey("insert", "").map_err(Failure::usage)?;
        }
        Ok(Started { hands: Box::new(hands), way: "--reader Virtual".to_owned(), fault: self.fault })
    }
}

struct Slot(VirtualSlot);

impl Hands for Slot {
    fn known(&self) -> (&'static str, String) {
        ("insert insert-locked insert-another insert-turned pull", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        let Some(name) = name else { return Err("a card's fault happens once and is over".to_owned()) };
        self.0.set_fault(AT, fault(FAULTS, name)?);
        Ok(())
    }

    fn plug(&mut self, _plugged: bool) -> io::Result<()> {
        Err(io::Error::other("the reader is pcscd's: stop and start that"))
    }

    fn obey(&mut self, order: &str, _value: &str) -> Result<String, String> {
        let card = VirtualCard::of(&made_up_person("2.00")).map_err(|error| error.to_string())?;
        let inserted = match order {
            "insert" => self.0.insert(card),
            "insert-locked" => {
                self.0.insert(card.with_manners(CardManners { locked: true, ..CardManners::default() }))
            }
            "insert-another" => self.0.insert(VirtualCard::of_another_kind()),
            "insert-turned" => self.0.insert(card.turned_round()),
            "pull" => {
                self.0.pull();
                Ok(())
            }
            _ => return no_such_order(order),
        };
        inserted.map(|()| String::new()).map_err(|error| format!("vpcd: {error}"))
    }
}
