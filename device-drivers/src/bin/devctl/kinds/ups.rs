//! The uninterruptible power supply, through the server of NUT.

use std::net::SocketAddr;

use clap::Subcommand;
use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::ups::driver::NUT_PORT;
use device_drivers::ups::protocol::UpsName;
use device_drivers::ups::{NutUps, PowerState, Ups, UpsError};

use crate::answer::{Failure, Outcome, fact, yes};
use crate::tape::Tape;

/// The kind's name in recordings.
const KIND: &str = "ups";

#[derive(clap::Args)]
pub struct UpsKind {
    #[command(flatten)]
    way: Way,
    /// Name of the UPS in ups.conf
    #[arg(long)]
    name: UpsName,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
struct Way {
    /// Address of NUT's server
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([127, 0, 0, 1], NUT_PORT)))]
    server: SocketAddr,
}

#[derive(Subcommand)]
enum Verb {
    /// Where the power comes from, and how long the battery lasts
    Look,
    /// All that the UPS says of itself
    Variables,
}

impl From<UpsError> for Failure {
    fn from(error: UpsError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl UpsKind {
    pub fn run(self) -> Outcome {
        let line = DescriptorLine::tcp(self.way.server);
        let (transport, reel) = self.tape.thread(KIND, Some(Box::new(line)))?;
        let outcome = self.verb.ask(&mut NutUps::over(transport, self.name));
        reel.finish(outcome)
    }
}

impl Verb {
    fn ask(&self, ups: &mut NutUps) -> Outcome {
        match self {
            Verb::Look => {
                let report = ups.look()?;
                let not_told = || "not told".to_owned();
                let power = match report.power {
                    PowerState::OnLine => "on-line",
                    PowerState::OnBattery => "on-battery",
                    PowerState::LowBattery => "low-battery",
                    PowerState::Unknown => "unknown",
                };
                fact("power", power);
                fact("charge", report.charge_percent.map_or_else(not_told, |percent| format!("{percent} %")));
                fact("runtime", report.runtime.map_or_else(not_told, |time| format!("{} s", time.as_secs())));
                fact("replace-battery", yes(report.replace_battery));
            }
            Verb::Variables => ups.variables()?.iter().for_each(|(name, value)| fact(name, value)),
        }
        Ok(())
    }
}
