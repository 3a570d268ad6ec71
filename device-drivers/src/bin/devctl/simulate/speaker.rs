//! A simulated Speech Dispatcher.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use device_drivers::speaker::simulator::{SimulatedSpeaker, SpeakerFault};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

const FAULTS: &Faults<SpeakerFault> = &[
    ("silent", 0, |_| SpeakerFault::Silence),
    ("closes", 0, |_| SpeakerFault::Close),
    ("closes-inside", 0, |_| SpeakerFault::CloseInside),
    ("byte-by-byte", 0, |_| SpeakerFault::ByteByByte),
    ("events", 0, |_| SpeakerFault::Events),
    ("garbage", 0, |_| SpeakerFault::Garbage),
    ("refuses", 300, |code| SpeakerFault::Refuse(u16::try_from(code).unwrap_or(300))),
];

#[derive(clap::Args)]
pub struct SimulatedVoice {
    /// The socket to listen at
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedVoice {
    pub fn start(self) -> Result<Started, Failure> {
        let server = SimulatedSpeaker::start(&self.socket).map_err(|error| cannot_start(&error))?;
        let way = format!("--socket {}", self.socket.display());
        Ok(Started { hands: Box::new(Server(server)), way, fault: self.fault })
    }
}

struct Server(SimulatedSpeaker);

impl Hands for Server {
    fn known(&self) -> (&'static str, String) {
        ("said", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        self.0.set_fault(name.map(|name| fault(FAULTS, name)).transpose()?);
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.0.plug();
        }
        self.0.unplug();
        Ok(())
    }

    /// `said`: the latest text.
    fn obey(&mut self, order: &str, _value: &str) -> Result<String, String> {
        if order != "said" {
            return no_such_order(order);
        }
        let Some(text) = self.0.said().pop() else { return Ok("nothing".into()) };
        let state = match (text.broken_off, text.until > Instant::now()) {
            (true, _) => "broken off",
            (false, true) => "being said",
            (false, false) => "said",
        };
        Ok(format!("{} {state}: {}", text.language, text.text))
    }
}
