//! The cabinet board: a small board on a serial line that carries a presence sensor, lights and door
//! contacts.
//!
//! The protocol is ours and open, docs/CABINET_BOARD.md; a technician can make a board with an Arduino.
//! [`protocol`] is pure bytes, [`driver`] speaks it, [`simulator`] is a board behind a pseudo terminal. The
//! host asks, the board answers and never speaks first. What must survive a pulled cable is counted in the
//! board; what must not survive a dead host, a light, has a lease. Absent: what the traits of
//! [`crate::cabinet`] leave out, and firmware updates.

pub mod driver;
pub mod protocol;
pub mod simulator;

pub use driver::{BoardDoor, BoardLight, BoardPresenceSensor, CabinetBoard, LightSettings};
pub use protocol::{Identity, SelfTest};
