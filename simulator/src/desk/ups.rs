//! The UPS, behind a server of the Network UPS Tools.

use std::io;
use std::sync::{Mutex, MutexGuard};

use device_drivers::ups::simulator::{ServerFault, SimulatedUpsServer};
use serde_json::{Value, json};

use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, plain};

/// What its server calls it.
const UPS_NAME: &str = "kiosk";
/// Where the power comes from, and what the UPS says then: status, charge in per cent, seconds that it lasts.
const POWERS: [(&str, [(&str, &str); 3]); 3] = [
    ("mains", [("ups.status", "OL"), ("battery.charge", "100"), ("battery.runtime", "1800")]),
    ("battery", [("ups.status", "OB DISCHRG"), ("battery.charge", "70"), ("battery.runtime", "1200")]),
    ("low-battery", [("ups.status", "OB DISCHRG LB"), ("battery.charge", "9"), ("battery.runtime", "110")]),
];
const CHOICES: [&str; 3] = [POWERS[0].0, POWERS[1].0, POWERS[2].0];

struct Hands {
    server: SimulatedUpsServer,
    plugged: bool,
    power: &'static str,
}

pub(super) struct Ups {
    hands: Mutex<Hands>,
}

impl Ups {
    /// On a free port of this machine.
    pub(super) fn set_up() -> io::Result<AtDesk<Self>> {
        let server = SimulatedUpsServer::start(UPS_NAME)?;
        let hands = Hands { server, plugged: true, power: CHOICES[0] };
        let ups = Self { hands: Mutex::new(hands) };
        ups.set_power(CHOICES[0]);
        Ok(AtDesk::new(ups))
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "server": self.hands().server.address(), "name": UPS_NAME })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
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

impl Hardware for Ups {
    const NAME: &'static str = "ups";
    type Fault = ServerFault;
    const FAULTS: &'static [Known<ServerFault>] = &[
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
    const CONTROLS: &'static [Control] =
        &[Control { name: "power", kind: ControlKind::Choice { choices: &CHOICES, none: false } }];

    fn is_plugged(&self) -> bool {
        self.hands().plugged
    }

    fn plug(&self) -> io::Result<()> {
        let mut hands = self.hands();
        hands.server.plug()?;
        hands.plugged = true;
        Ok(())
    }

    fn unplug(&self) -> io::Result<()> {
        let mut hands = self.hands();
        hands.server.unplug();
        hands.plugged = false;
        Ok(())
    }

    fn set_fault(&self, fault: Option<ServerFault>) {
        self.hands().server.set_fault(fault);
    }

    fn settings(&self) -> Value {
        json!({ "power": self.hands().power })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        let Turn::Choice(Some(power)) = turn else { unreachable!("{control} is a choice") };
        self.set_power(power);
        Ok(())
    }
}
