//! The UPS, behind a server of the Network UPS Tools.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use device_drivers::ups::simulator::{ServerFault, SimulatedUpsServer};
use serde_json::{Value, json};

use super::device::{Control, ControlKind, DeskDevice, Turn};
use super::fault::{self, Fault, FaultKind, Known, plain};

/// What its server calls it.
const UPS_NAME: &str = "kiosk";
/// Where the power comes from, and what the UPS says then: status, charge in per cent, seconds that it lasts.
const POWERS: [(&str, [(&str, &str); 3]); 3] = [
    ("mains", [("ups.status", "OL"), ("battery.charge", "100"), ("battery.runtime", "1800")]),
    ("battery", [("ups.status", "OB DISCHRG"), ("battery.charge", "70"), ("battery.runtime", "1200")]),
    ("low-battery", [("ups.status", "OB DISCHRG LB"), ("battery.charge", "9"), ("battery.runtime", "110")]),
];
const CHOICES: [&str; 3] = [POWERS[0].0, POWERS[1].0, POWERS[2].0];

const FAULTS: &[Known<ServerFault>] = &[
    plain("silent", |_| ServerFault::Silence),
    plain("stale", |_| ServerFault::Error("DATA-STALE")),
    plain("driver-away", |_| ServerFault::Error("DRIVER-NOT-CONNECTED")),
    plain("denied", |_| ServerFault::Error("ACCESS-DENIED")),
    plain("unknown-ups", |_| ServerFault::Error("UNKNOWN-UPS")),
    plain("hangs-up", |_| ServerFault::Close),
    plain("truncated", |_| ServerFault::CloseInside),
    plain("byte-by-byte", |_| ServerFault::ByteByByte),
    plain("garbage", |_| ServerFault::NoText),
    plain("open-quote", |_| ServerFault::OpenQuote),
    plain("endless-line", |_| ServerFault::EndlessLine),
    plain("endless-list", |_| ServerFault::EndlessList),
    plain("other-ups", |_| ServerFault::OtherUps),
    plain("other-variable", |_| ServerFault::OtherVariable),
];

const CONTROLS: &[Control] =
    &[Control { name: "power", kind: ControlKind::Choice { choices: &CHOICES, none: false } }];

struct Hands {
    server: SimulatedUpsServer,
    plugged: bool,
    power: &'static str,
    fault: Option<Fault>,
}

pub(super) struct UpsAtDesk {
    hands: Mutex<Hands>,
}

impl UpsAtDesk {
    /// On a free port of this machine.
    pub(super) fn set_up() -> io::Result<Self> {
        let server = SimulatedUpsServer::start(UPS_NAME)?;
        let hands = Hands { server, plugged: true, power: CHOICES[0], fault: None };
        let ups = Self { hands: Mutex::new(hands) };
        ups.set_power(CHOICES[0]);
        Ok(ups)
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "server": self.hands().server.address(), "name": UPS_NAME })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_power(&self, power: &'static str) {
        let mut hands = self.hands();
        hands.power = power;
        for (_, variables) in POWERS.iter().filter(|(name, _)| *name == power) {
            for (name, value) in variables {
                hands.server.set(name, Some(value));
            }
        }
    }
}

impl DeskDevice for UpsAtDesk {
    fn name(&self) -> &'static str {
        "ups"
    }

    fn is_plugged(&self) -> bool {
        self.hands().plugged
    }

    fn plug(&self, plugged: bool) -> io::Result<()> {
        let mut hands = self.hands();
        if plugged {
            hands.server.plug()?;
        } else {
            hands.server.unplug();
        }
        hands.plugged = plugged;
        Ok(())
    }

    fn faults(&self) -> Vec<FaultKind> {
        fault::kinds(FAULTS)
    }

    fn fault(&self) -> Option<Fault> {
        self.hands().fault
    }

    fn set_fault(&self, fault: Option<Fault>) {
        let mut hands = self.hands();
        hands.fault = fault;
        hands.server.set_fault(fault.and_then(|fault| fault::made(FAULTS, fault)));
    }

    fn controls(&self) -> &'static [Control] {
        CONTROLS
    }

    fn settings(&self) -> Value {
        json!({ "power": self.hands().power })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        match turn {
            Turn::Choice(Some(power)) => self.set_power(power),
            Turn::Choice(None) | Turn::Switch(_) | Turn::Press | Turn::Text(_) => {
                unreachable!("{control} is a choice")
            }
        }
        Ok(())
    }

    fn shows(&self) -> Value {
        json!({})
    }
}
