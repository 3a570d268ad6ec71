//! The uninterruptible power supply, through the Network UPS Tools (NUT): on battery the kiosk ends its
//! intake in time, and shuts down cleanly before the battery is empty.
//!
//! [`protocol`] is pure text lines (RFC 9271), [`driver`] asks NUT's server `upsd` over TCP, [`simulator`] is
//! such a server that can be told to misbehave. Absent: orders to the UPS, signing in, TLS (the server is on
//! the same machine; RFC 9271, 7 says why anything else needs more), and the decision what to do about a
//! state.

pub mod driver;
pub mod protocol;
pub mod simulator;

use std::time::Duration;

pub use driver::NutUps;

use crate::remedy::{Fault, Remedy};

/// Something that keeps the machine alive when the mains fail.
pub trait Ups: Send {
    /// How things stand. Blocks, with a deadline of its own.
    fn look(&mut self) -> Result<UpsReport, UpsError>;
}

/// Where the power comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PowerState {
    /// From the mains.
    OnLine,
    /// From the battery, which still lasts: finish what is begun, begin nothing.
    OnBattery,
    /// From a battery that is nearly empty, or the UPS is about to cut the power: shut down now.
    LowBattery,
    /// The UPS says neither: it is starting, switched off, or away.
    Unknown,
}

/// What a look at the UPS shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpsReport {
    /// Where the power comes from.
    pub power: PowerState,
    /// How full the battery is, 0 to 100 per cent, if the UPS says so.
    pub charge_percent: Option<u8>,
    /// How long the battery would last, if the UPS says so.
    pub runtime: Option<Duration>,
    /// The battery should be replaced.
    pub replace_battery: bool,
}

/// Why a call to the UPS failed. The power may be in any state: whoever asks should keep what it knew for a
/// while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpsError {
    /// Its server cannot be reached. The next call tries again.
    #[error("the UPS's server cannot be reached")]
    Gone,
    /// Its server does not answer.
    #[error("the UPS's server did not answer")]
    NoAnswer,
    /// The server runs, and the UPS does not answer it (`DATA-STALE`, `DRIVER-NOT-CONNECTED`).
    #[error("the UPS does not answer its server")]
    Away,
    /// The server knows no UPS of this name.
    #[error("the server knows no such UPS")]
    UnknownUps,
    /// The server does not talk to the kiosk.
    #[error("the server does not let the kiosk ask")]
    Denied,
    /// The server says what makes no sense here.
    #[error("the UPS's server answers what was not asked")]
    Garbled,
}

impl UpsError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            UpsError::Gone => Remedy::CallOperator(Fault::UpsGone),
            UpsError::NoAnswer | UpsError::Away => Remedy::CallOperator(Fault::UpsSilent),
            UpsError::UnknownUps | UpsError::Denied => Remedy::CallOperator(Fault::UpsFault),
            UpsError::Garbled => Remedy::Retry,
        }
    }
}
