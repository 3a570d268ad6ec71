//! The watchdog: somebody who restarts the machine, or the kiosk, when nobody says "alive" any more.
//!
//! **One owner only.** On a terminal systemd holds the machine's watchdog (`RuntimeWatchdogSec=`) and the
//! kiosk pings systemd ([`SystemdNotifier`], `WatchdogSec=` in its unit): a kiosk that hangs is restarted
//! alone, and a systemd that hangs restarts the machine. [`DeviceWatchdog`] is for machines without systemd.
//! docs/DEVICES.md shows both. Absent: pretimeouts, temperature, boot status; nothing here decides whether
//! the kiosk *is* alive.

mod device;
mod notifier;
mod timeout_call;

pub use device::DeviceWatchdog;
pub use notifier::SystemdNotifier;

use crate::remedy::{Fault, Remedy};

/// Somebody who has to be told "alive" at least twice within its timeout.
pub trait Watchdog: Send {
    /// Says "alive".
    fn ping(&mut self) -> Result<(), WatchdogError>;
    /// Ends the supervision in good order, because the kiosk is about to end. A watchdog that is merely
    /// dropped goes on waiting for the next ping.
    fn disarm(self: Box<Self>) -> Result<(), WatchdogError>;
}

/// Why a call to the watchdog failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchdogError {
    /// There is none, or it is gone.
    #[error("there is no watchdog")]
    Gone,
    /// Another program has it.
    #[error("another program owns the watchdog")]
    Taken,
    /// It cannot be told a timeout, or is none at all.
    #[error("the watchdog does not take the timeout")]
    NoTimeout,
    /// The system does not let the kiosk use it.
    #[error("the system does not give the watchdog to the kiosk")]
    Denied,
}

impl WatchdogError {
    /// What can be done about it. The kiosk works without, but nobody would notice that it hangs.
    pub fn remedy(&self) -> Remedy {
        match self {
            WatchdogError::Gone => Remedy::CallOperator(Fault::WatchdogGone),
            WatchdogError::Taken | WatchdogError::NoTimeout | WatchdogError::Denied => {
                Remedy::CallOperator(Fault::WatchdogFault)
            }
        }
    }

    fn from_io(error: &std::io::Error) -> WatchdogError {
        use std::io::ErrorKind;
        tracing::debug!(%error, "watchdog");
        match error.kind() {
            ErrorKind::ResourceBusy => WatchdogError::Taken,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::IsADirectory => {
                WatchdogError::Denied
            }
            _ => WatchdogError::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn what_the_kernel_says_is_told_apart() {
        for (errno, error, fault) in [
            (Errno::BUSY, WatchdogError::Taken, Fault::WatchdogFault),
            (Errno::ACCESS, WatchdogError::Denied, Fault::WatchdogFault),
            (Errno::NOENT, WatchdogError::Gone, Fault::WatchdogGone),
            (Errno::NODEV, WatchdogError::Gone, Fault::WatchdogGone),
        ] {
            assert_eq!(WatchdogError::from_io(&errno.into()), error);
            assert_eq!(error.remedy(), Remedy::CallOperator(fault));
        }
    }
}
