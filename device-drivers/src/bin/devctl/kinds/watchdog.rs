//! The watchdog: whether it can be held, and pinged.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use device_drivers::watchdog::{DeviceWatchdog, SystemdNotifier, Watchdog, WatchdogError};

use crate::answer::{Failure, Outcome, fact};

#[derive(clap::Args)]
pub struct WatchdogKind {
    #[command(flatten)]
    way: Way,
    /// Seconds that the machine's watchdog is told to wait; its driver's own where nothing is said
    #[arg(long, value_name = "SECONDS", conflicts_with = "systemd", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Way {
    /// The machine's watchdog, as /dev/watchdog: IT RESTARTS THE MACHINE when this program is killed in the middle
    #[arg(long, value_name = "PATH")]
    device: Option<PathBuf>,
    /// systemd, as it is set up for this process (run by systemd-run -p Type=notify -p WatchdogSec=10)
    #[arg(long)]
    systemd: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Take the watchdog, ping it, and let it go in good order
    Ping {
        /// How often
        #[arg(long, default_value_t = 3)]
        count: u32,
        /// Seconds between two pings
        #[arg(long, default_value_t = 1)]
        every: u64,
    },
}

impl From<WatchdogError> for Failure {
    fn from(error: WatchdogError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl WatchdogKind {
    pub fn run(self) -> Outcome {
        let (mut watchdog, timeout) = self.take()?;
        let told = timeout.map_or("not told".to_owned(), |timeout| format!("{} s", timeout.as_secs_f32()));
        fact("timeout", told);
        let Verb::Ping { count, every } = self.verb;
        for number in 1..=count {
            watchdog.ping()?;
            fact("ping", number);
            if number < count {
                std::thread::sleep(Duration::from_secs(every));
            }
        }
        watchdog.disarm()?;
        fact("disarmed", "yes");
        Ok(())
    }

    fn take(&self) -> Result<(Box<dyn Watchdog>, Option<Duration>), Failure> {
        match (&self.way.device, self.timeout) {
            (Some(node), Some(seconds)) => {
                let watchdog = DeviceWatchdog::arm(node, Duration::from_secs(seconds))?;
                let timeout = watchdog.timeout();
                Ok((Box::new(watchdog), timeout))
            }
            (Some(node), None) => Ok((Box::new(DeviceWatchdog::arm_as_it_is(node)?), None)),
            (None, _) => {
                let notifier = SystemdNotifier::from_environment()?.ok_or(WatchdogError::Gone)?;
                let timeout = notifier.timeout();
                Ok((Box::new(notifier), timeout))
            }
        }
    }
}
