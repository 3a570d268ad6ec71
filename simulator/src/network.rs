//! The network between the terminal and the city: a TCP switch on the loopback with the faults that village
//! halls have.
//!
//! It never sees inside the terminal's TLS connections; where a fault needs an answer, an [`Impostor`] gives it.

mod impostor;
mod records;
mod switch;

pub use impostor::ImpostorIdentities;
pub use switch::NetworkSwitch;

use serde::{Deserialize, Serialize};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    /// Works.
    #[default]
    On,
    /// Every connection is refused at once.
    Off,
    /// Works, with 400 ms delay and 16 kB/s each way.
    Slow,
    /// Every request gets an HTML page with status 200, from a certificate the terminal trusts.
    CaptivePortal,
    /// Every request gets status 500.
    #[serde(rename = "error-500")]
    Error500,
    /// The server's certificate comes from an unknown authority.
    WrongCertificate,
    /// Requests arrive at the city, answers do not come back.
    LoseReplies,
}

impl NetworkMode {
    /// All modes, in the order of the page's switch.
    pub const ALL: [Self; 7] = [
        Self::On,
        Self::Off,
        Self::Slow,
        Self::CaptivePortal,
        Self::Error500,
        Self::WrongCertificate,
        Self::LoseReplies,
    ];
}
