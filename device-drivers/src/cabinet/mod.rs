//! What the cabinet around the screen feels and shows: somebody who stands near, lights, doors.
//!
//! Three narrow traits, and two ways to them: a small board on a serial line ([`crate::cabinet_board`]), or
//! what Linux itself offers, LEDs ([`LedLight`]) and GPIO lines ([`GpioPresenceSensor`], [`GpioDoor`]).
//! Absent: colours and brightness (four patterns are enough to be told apart), locks and tamper sensors (a
//! door that opens is noticed, nothing here opens one), and any conclusion about who stands there.

mod gpio;
mod led;

use std::time::Duration;

pub use gpio::{ActiveLevel, GpioDoor, GpioInput, GpioPresenceSensor};
pub use led::LedLight;

use crate::remedy::{Fault, Remedy};

/// A reading of the presence sensor changes only when it held for this long: people sway, and walk past.
pub const PRESENCE_DEBOUNCE: Duration = Duration::from_millis(200);
/// A door's contact bounces when it closes; what is shorter is no edge.
pub const DOOR_DEBOUNCE: Duration = Duration::from_millis(50);

/// One cycle of [`LightPattern::Slow`], half of it lit.
pub const SLOW_CYCLE: Duration = Duration::from_millis(2000);
/// One cycle of [`LightPattern::Fast`], half of it lit: 2.5 flashes a second. More than three can bring on a
/// seizure (WCAG 2.1, 2.3.1).
pub const FAST_CYCLE: Duration = Duration::from_millis(400);

/// Tells whether somebody stands in front of the kiosk. For waking the screen, never for identity.
pub trait PresenceSensor: Send {
    /// What the sensor feels now, debounced by at least [`PRESENCE_DEBOUNCE`]. Blocks, with a deadline of its
    /// own.
    fn presence(&mut self) -> Result<Presence, CabinetError>;
}

/// A lamp that tells people something.
pub trait IndicatorLight: Send {
    /// Lets the light show this from now on. Blocks, with a deadline of its own.
    fn show(&mut self, pattern: LightPattern) -> Result<(), CabinetError>;
}

/// A door of the cabinet, with a contact.
pub trait CabinetDoor: Send {
    /// How the door stands, and what it did since the last look. Blocks, with a deadline of its own.
    fn look(&mut self) -> Result<DoorReport, CabinetError>;
}

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Somebody is near.
    Near,
    /// Nobody is.
    Far,
}

/// What a light shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LightPattern {
    /// Dark.
    Off,
    /// Lit.
    On,
    /// Blinks slowly, see [`SLOW_CYCLE`].
    Slow,
    /// Blinks fast, see [`FAST_CYCLE`].
    Fast,
}

/// How a door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoorState {
    /// Closed.
    Closed,
    /// Open.
    Open,
}

/// How often a door opened or closed since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edges {
    /// Exactly so often, also while the line was unplugged: the device counted on.
    Counted(u32),
    /// Nobody counted in between: this is the first look, or the device lost its power. It may have been
    /// opened.
    Unknown,
}

/// What a look at a door shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorReport {
    /// How it stands.
    pub state: DoorState,
    /// What it did since the last look.
    pub edges: Edges,
}

/// A part of the cabinet; lights and doors count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CabinetPart {
    /// The presence sensor.
    PresenceSensor,
    /// A light.
    Light(u8),
    /// A door.
    Door(u8),
}

/// Why a call to a part of the cabinet failed. The next call tries everything anew, the opening too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CabinetError {
    /// The port, LED or GPIO chip is not there, or was unplugged.
    #[error("the cabinet's device is not connected")]
    Gone,
    /// The system does not let the kiosk use it: no right to, or another program has it.
    #[error("the system does not give the cabinet's device to the kiosk")]
    Denied,
    /// The board does not answer.
    #[error("the cabinet board did not answer")]
    NoAnswer,
    /// What the board answers is damaged, however often it is asked.
    #[error("the cabinet board's answers are damaged")]
    Garbled,
    /// The board speaks another version of the protocol.
    #[error("the cabinet board speaks version {0} of the protocol")]
    OtherVersion(u8),
    /// The configuration names a part that is not there.
    #[error("the cabinet has no {0:?}")]
    NoSuchPart(CabinetPart),
    /// The board refuses a request that it should know.
    #[error("the cabinet board refuses a request (code {0})")]
    Refused(u8),
    /// The sensor itself does not work.
    #[error("the presence sensor does not work")]
    SensorFailed,
    /// The LED cannot blink by itself: the kernel lacks the trigger `timer`.
    #[error("the light cannot blink")]
    CannotBlink,
}

impl CabinetError {
    /// What can be done about it. The kiosk goes on without its cabinet; only a damaged answer is worth
    /// another try.
    pub fn remedy(&self) -> Remedy {
        match self {
            CabinetError::Garbled => Remedy::Retry,
            CabinetError::Gone => Remedy::CallOperator(Fault::CabinetGone),
            CabinetError::NoAnswer => Remedy::CallOperator(Fault::CabinetSilent),
            CabinetError::Denied
            | CabinetError::OtherVersion(_)
            | CabinetError::NoSuchPart(_)
            | CabinetError::Refused(_)
            | CabinetError::SensorFailed
            | CabinetError::CannotBlink => Remedy::CallOperator(Fault::CabinetFault),
        }
    }
}
