//! A simulated cabinet board.

use std::io;
use std::path::PathBuf;

use device_drivers::cabinet::{DoorState, LightPattern, Presence};
use device_drivers::cabinet_board::protocol::{Refusal, SelfTest};
use device_drivers::cabinet_board::simulator::{self, BoardFault, BoardProfile, SimulatedBoardHandle};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

const FAULTS: &Faults<Trouble> = &[
    ("checksum", 0, |_| Trouble::Line(BoardFault::WrongChecksum)),
    ("noise-before", 0, |_| Trouble::Line(BoardFault::NoiseBefore)),
    ("noise-inside", 0, |_| Trouble::Line(BoardFault::NoiseInside)),
    ("false-start", 0, |_| Trouble::Line(BoardFault::FalseStartBefore)),
    ("truncated", 3, |bytes| Trouble::Line(BoardFault::Truncated { after_bytes: bytes as usize })),
    ("silent", 0, |_| Trouble::Line(BoardFault::Silence)),
    ("late", 600, |millis| Trouble::Line(BoardFault::Late { millis })),
    ("stale", 0, |_| Trouble::Line(BoardFault::StaleBefore)),
    ("refuses", 0, |_| Trouble::Line(BoardFault::Refusal(Refusal::UnknownRequest))),
    ("nonsense", 0, |_| Trouble::Line(BoardFault::Nonsense)),
    ("sensor-failed", 0, |_| Trouble::Sensor),
    ("lights-fail", 0, |_| Trouble::Lights),
];

enum Trouble {
    Line(BoardFault),
    /// The presence sensor does not work.
    Sensor,
    /// The self-test finds a light that does not burn.
    Lights,
}

#[derive(clap::Args)]
pub struct SimulatedCabinet {
    /// Path of the serial port that is made
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
    /// Rate at which the board stands
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedCabinet {
    pub fn start(self) -> Result<Started, Failure> {
        let board = simulator::serve(&self.link, self.baud, BoardProfile::default());
        let board = board.map_err(|error| cannot_start(&error))?;
        let way = format!("--port {} --baud {}", self.link.display(), self.baud);
        Ok(Started { hands: Box::new(Board(board)), way, fault: self.fault })
    }
}

struct Board(SimulatedBoardHandle);

impl Hands for Board {
    fn known(&self) -> (&'static str, String) {
        ("near far open close lights restart", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        let trouble = name.map(|name| fault(FAULTS, name)).transpose()?;
        self.0.set_sensor_failed(matches!(trouble, Some(Trouble::Sensor)));
        let lights = matches!(trouble, Some(Trouble::Lights));
        self.0.set_self_test(SelfTest { lights, ..SelfTest::default() });
        self.0.set_fault(match trouble {
            Some(Trouble::Line(fault)) => Some(fault),
            _ => None,
        });
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.0.plug();
        }
        self.0.unplug();
        Ok(())
    }

    fn obey(&mut self, order: &str, value: &str) -> Result<String, String> {
        let door = || value.parse().map_err(|_| "which door? as `open 0`".to_owned());
        match order {
            "near" => self.0.set_presence(Presence::Near),
            "far" => self.0.set_presence(Presence::Far),
            "open" => self.0.set_door(door()?, DoorState::Open),
            "close" => self.0.set_door(door()?, DoorState::Closed),
            "lights" => return Ok(self.lights()),
            "restart" => self.0.restart(),
            _ => return no_such_order(order),
        }
        Ok(String::new())
    }
}

impl Board {
    /// What each light shows now.
    fn lights(&self) -> String {
        let word = |pattern| match pattern {
            LightPattern::Off => "off",
            LightPattern::On => "on",
            LightPattern::Slow => "slow",
            LightPattern::Fast => "fast",
        };
        let shown: Vec<_> = (0..).map_while(|light| self.0.light(light)).map(word).collect();
        shown.join(" ")
    }
}
