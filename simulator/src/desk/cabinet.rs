//! The cabinet: its board, somebody before it, its doors, its lights.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use device_drivers::cabinet::{DoorState, LightPattern, Presence};
use device_drivers::cabinet_board::protocol::Refusal;
use device_drivers::cabinet_board::simulator::{self, BoardFault, BoardProfile, SimulatedBoardHandle};
use serde_json::{Map, Value, json};

use super::BAUD;
use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, bytes, millis, numbered, plain};

/// The lights, by their numbers on the board.
const LIGHTS: [&str; 3] = ["card", "receipt", "help"];
/// The doors, by their numbers on the board.
const DOORS: [&str; 2] = ["door_1_open", "door_2_open"];
/// The jack's switch is wired like a door, behind the doors.
const HEADPHONES: &str = "headphones";
const HEADPHONES_NUMBER: usize = DOORS.len();

/// Something wrong with the board.
#[derive(Debug, Clone, Copy)]
pub(super) enum CabinetFault {
    OnTheWire(BoardFault),
    Sensor,
}

const fn wire(fault: BoardFault) -> CabinetFault {
    CabinetFault::OnTheWire(fault)
}

struct Hands {
    near: bool,
    open: [bool; DOORS.len()],
    headphones: bool,
    paced: bool,
}

pub(super) struct Cabinet {
    port: PathBuf,
    board: SimulatedBoardHandle,
    hands: Mutex<Hands>,
}

impl Cabinet {
    /// Somebody stands before it from the start: who looks at the demo.
    pub(super) fn set_up(folder: &Path, paced: bool) -> io::Result<AtDesk<Self>> {
        let port = folder.join("cabinet-board");
        let (lights, doors) = (LIGHTS.len() as u8, HEADPHONES_NUMBER as u8 + 1);
        let board = simulator::serve(&port, BAUD, BoardProfile { lights, doors, ..BoardProfile::default() })?;
        board.set_paced(paced);
        board.set_presence(Presence::Near);
        let hands = Hands { near: true, open: [false; DOORS.len()], headphones: false, paced };
        Ok(AtDesk::new(Self { port, board, hands: Mutex::new(hands) }))
    }

    pub(super) fn declared(&self) -> Value {
        let on_board = |number: usize| json!({ "on": "board", "number": number });
        json!({
            "board": { "port": self.port, "baud": BAUD },
            "presence": { "on": "board" },
            "doors": (0..DOORS.len()).map(on_board).collect::<Vec<_>>(),
            "headphones": on_board(HEADPHONES_NUMBER),
            "card_light": on_board(0),
            "receipt_light": on_board(1),
            "help_light": on_board(2),
        })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    fn set(&self, control: &'static str, on: bool) {
        let mut hands = self.hands();
        if let Some(door) = DOORS.iter().position(|door| *door == control) {
            hands.open[door] = on;
            self.board.set_door(door as u8, if on { DoorState::Open } else { DoorState::Closed });
        } else if control == HEADPHONES {
            hands.headphones = on;
            let state = if on { DoorState::Open } else { DoorState::Closed };
            self.board.set_door(HEADPHONES_NUMBER as u8, state);
        } else if control == "near" {
            hands.near = on;
            self.board.set_presence(if on { Presence::Near } else { Presence::Far });
        } else {
            hands.paced = on;
            self.board.set_paced(on);
        }
    }
}

impl Hardware for Cabinet {
    const NAME: &'static str = "cabinet";
    type Fault = CabinetFault;
    const FAULTS: &'static [Known<CabinetFault>] = &[
        plain("checksum", |_| wire(BoardFault::WrongChecksum)),
        plain("garbage", |_| wire(BoardFault::NoiseInside)),
        plain("garbage-before", |_| wire(BoardFault::NoiseBefore)),
        plain("false-start", |_| wire(BoardFault::FalseStartBefore)),
        plain("stale", |_| wire(BoardFault::StaleBefore)),
        numbered("truncated", bytes(0, 39, 5), |n| wire(BoardFault::Truncated { after_bytes: n as usize })),
        numbered("delay", millis(1500), |n| wire(BoardFault::Late { millis: n })),
        plain("refused", |_| wire(BoardFault::Refusal(Refusal::UnknownRequest))),
        plain("nonsense", |_| wire(BoardFault::Nonsense)),
        plain("silent", |_| wire(BoardFault::Silence)),
        plain("sensor", |_| CabinetFault::Sensor),
    ];
    const CONTROLS: &'static [Control] = &[
        Control::switch("near"),
        Control::switch(DOORS[0]),
        Control::switch(DOORS[1]),
        Control::switch(HEADPHONES),
        Control::switch("paced"),
        Control { name: "restart", kind: ControlKind::Press },
    ];

    fn is_plugged(&self) -> bool {
        self.board.is_plugged()
    }

    fn plug(&self) -> io::Result<()> {
        self.board.plug()
    }

    fn unplug(&self) -> io::Result<()> {
        self.board.unplug();
        Ok(())
    }

    fn set_fault(&self, fault: Option<CabinetFault>) {
        let (wire, sensor) = match fault {
            None => (None, false),
            Some(CabinetFault::OnTheWire(fault)) => (Some(fault), false),
            Some(CabinetFault::Sensor) => (None, true),
        };
        self.board.set_fault(wire);
        self.board.set_sensor_failed(sensor);
    }

    fn settings(&self) -> Value {
        let hands = self.hands();
        let mut settings =
            json!({ "near": hands.near, "headphones": hands.headphones, "paced": hands.paced });
        for (door, open) in DOORS.iter().zip(hands.open) {
            settings[*door] = open.into();
        }
        settings
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        match turn {
            Turn::Switch(on) => self.set(control, on),
            Turn::Press => self.board.restart(),
            Turn::Choice(_) | Turn::Text(_) => unreachable!("{control} is no choice"),
        }
        Ok(())
    }

    /// What each light shows at this moment.
    fn shows(&self) -> Value {
        let shown = LIGHTS.iter().enumerate().map(|(number, light)| {
            let pattern = match self.board.light(number as u8) {
                None | Some(LightPattern::Off) => "off",
                Some(LightPattern::On) => "on",
                Some(LightPattern::Slow) => "slow",
                Some(LightPattern::Fast) => "fast",
            };
            ((*light).to_owned(), pattern.into())
        });
        json!({ "lights": Map::from_iter(shown) })
    }
}
