//! A simulated cabinet board behind a pseudo terminal: somebody comes near, doors open, lights blink.
//!
//! The rules of a real board hold: inputs are debounced, edges are counted while nobody listens, a light goes
//! to its safe pattern when the host falls silent, and a board that loses its power begins anew.

mod board;
mod inputs;
mod lights;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

pub use board::{BoardFault, SimulatedBoard};

use super::protocol::SelfTest;
use crate::cabinet::{DoorState, LightPattern, Presence};
use crate::wire::Wire;

/// What kind of board is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardProfile {
    /// Its own number.
    pub serial: u32,
    /// The version of the protocol that it speaks.
    pub version: u8,
    /// Whether a presence sensor is fitted.
    pub has_presence_sensor: bool,
    /// How many lights.
    pub lights: u8,
    /// How many doors.
    pub doors: u8,
    /// Whether the line's plug is also its supply, so that pulling it ends the board's life.
    pub fed_by_the_line: bool,
}

impl Default for BoardProfile {
    /// A sensor, three lights, two doors, and a supply of its own.
    fn default() -> BoardProfile {
        BoardProfile {
            serial: 7,
            version: super::protocol::VERSION,
            has_presence_sensor: true,
            lights: 3,
            doors: 2,
            fed_by_the_line: false,
        }
    }
}

/// Starts a simulated board; when this returns, `link` can be opened as its serial port.
pub fn serve(link: impl AsRef<Path>, baud: u32, profile: BoardProfile) -> io::Result<SimulatedBoardHandle> {
    let wire = Wire::start("cabinet-board-sim", link.as_ref(), baud, SimulatedBoard::new(profile))?;
    Ok(SimulatedBoardHandle { wire })
}

/// The hands at a running simulated board. Dropping it unplugs the board.
pub struct SimulatedBoardHandle {
    wire: Wire<SimulatedBoard>,
}

impl SimulatedBoardHandle {
    /// Somebody comes or goes; the board believes it when it lasts.
    pub fn set_presence(&self, presence: Presence) {
        self.wire.with(|board| board.set_presence(presence, Instant::now()));
    }

    /// Breaks or mends the presence sensor.
    pub fn set_sensor_failed(&self, failed: bool) {
        self.wire.with(|board| board.set_sensor_failed(failed));
    }

    /// Opens or closes a door; its contact bounces a little. Nothing happens to a door that is not there.
    pub fn set_door(&self, door: u8, state: DoorState) {
        self.wire.with(|board| board.set_door(door, state, Instant::now()));
    }

    /// What the board would report of a door now: its state and all edges since the board's start.
    pub fn door(&self, door: u8) -> Option<(DoorState, u16)> {
        self.wire.with(|board| board.door(door))
    }

    /// What a light shows now, the lease considered.
    pub fn light(&self, light: u8) -> Option<LightPattern> {
        self.wire.with(|board| board.light(light, Instant::now()))
    }

    /// What the next self-tests will find.
    pub fn set_self_test(&self, found: SelfTest) {
        self.wire.with(|board| board.set_self_test(found));
    }

    /// Lets the next answer go wrong; several faults wait in line.
    pub fn inject(&self, fault: BoardFault) {
        self.wire.with(|board| board.inject(fault));
    }

    /// Lets every answer go wrong, or ends that.
    pub fn set_fault(&self, fault: Option<BoardFault>) {
        self.wire.with(|board| board.set_fault(fault));
    }

    /// The board loses its power for a moment; the line stays plugged.
    pub fn restart(&self) {
        self.wire.with(SimulatedBoard::restart);
    }

    /// How many requests the board has understood.
    pub fn requests(&self) -> u64 {
        self.wire.with(|board| board.requests())
    }

    /// Whether bytes take the time they take on a serial wire; true at the start.
    pub fn set_paced(&self, paced: bool) {
        self.wire.set_paced(paced);
    }

    /// Pulls the plug; when this returns, the port is gone.
    pub fn unplug(&self) {
        self.wire.unplug();
    }

    /// Plugs in again; when this returns, the port can be opened.
    pub fn plug(&self) -> io::Result<()> {
        self.wire.plug()
    }

    /// Whether the board is plugged in.
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Waits until the board satisfies `condition`; false when `timeout` passed first.
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&SimulatedBoard) -> bool) -> bool {
        self.wire.wait_until(timeout, condition)
    }
}
