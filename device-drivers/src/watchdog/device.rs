//! The kernel's watchdog, `/dev/watchdog` (Linux, Documentation/watchdog/watchdog-api.rst).
//!
//! Opening arms it. Any write is a ping. A `V` written right before closing disarms it ("magic close"),
//! unless its driver was built never to (`nowayout`); closing without it leaves it running, and the machine
//! restarts.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::timeout_call::set_timeout;
use super::{Watchdog, WatchdogError};

/// A ping; any byte but the magic one.
const PING: &[u8] = b"p";
/// Disarms when the node is closed next.
const MAGIC_CLOSE: &[u8] = b"V";

/// The machine's watchdog, held by this process. Dropping it does **not** disarm it: a kiosk that ends
/// without saying so is what it is for.
#[derive(Debug)]
pub struct DeviceWatchdog {
    node: File,
    timeout: Option<Duration>,
}

impl DeviceWatchdog {
    /// Arms the watchdog behind this node with a timeout of whole seconds, at least one. The driver may take
    /// another: see [`DeviceWatchdog::timeout`]. When it takes none, the watchdog is disarmed again.
    pub fn arm(node: impl AsRef<Path>, timeout: Duration) -> Result<DeviceWatchdog, WatchdogError> {
        let mut watchdog = DeviceWatchdog::arm_as_it_is(node)?;
        let seconds = i32::try_from(timeout.as_secs()).unwrap_or(i32::MAX).max(1);
        match set_timeout(&watchdog.node, seconds) {
            Ok(taken) => {
                watchdog.timeout = u64::try_from(taken).ok().map(Duration::from_secs);
                Ok(watchdog)
            }
            Err(error) => {
                tracing::debug!(%error, "the watchdog does not take a timeout");
                Box::new(watchdog).disarm()?;
                Err(WatchdogError::NoTimeout)
            }
        }
    }

    /// Arms it with whatever timeout its driver has: for drivers that cannot be told one.
    pub fn arm_as_it_is(node: impl AsRef<Path>) -> Result<DeviceWatchdog, WatchdogError> {
        let node =
            OpenOptions::new().write(true).open(node).map_err(|error| WatchdogError::from_io(&error))?;
        Ok(DeviceWatchdog { node, timeout: None })
    }

    /// The timeout that the driver took; `None` when it was not told one.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WatchdogError> {
        self.node.write_all(bytes).map_err(|error| WatchdogError::from_io(&error))
    }
}

impl Watchdog for DeviceWatchdog {
    fn ping(&mut self) -> Result<(), WatchdogError> {
        self.write(PING)
    }

    fn disarm(mut self: Box<Self>) -> Result<(), WatchdogError> {
        self.write(MAGIC_CLOSE)
    }
}
