//! The UPS: tells the session when the mains fail, and when the battery is nearly empty. Switching the machine off is
//! NUT's own work (`upsmon`); the kiosk ends its intake in time.

use super::declared::UpsDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::inbox::Inbox;
use anyhow::Context;
use device_drivers::ups::{NutUps, PowerState, Ups, UpsError};
use kiosk_core::session::{Device, Power};
use std::convert::Infallible;
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "ups";
/// Time between two looks. A UPS announces a low battery a minute or more before its end.
const WATCH: Duration = Duration::from_secs(1);

/// Starts the thread that watches the UPS.
pub fn spawn(device: &UpsDevice, inbox: Inbox, health: HealthBook) -> anyhow::Result<Hand<Infallible>> {
    let name = device.name.parse().with_context(|| format!("devices.ups.name: {:?}", device.name))?;
    let watch = UpsWatch { ups: NutUps::new(device.server, name), inbox, power: Power::Mains };
    Ok(station::spawn(NAME, watch, health)?)
}

struct UpsWatch<U> {
    ups: U,
    inbox: Inbox,
    power: Power,
}

impl<U: Ups + 'static> Station for UpsWatch<U> {
    type Order = Infallible;

    fn open(&mut self) -> Result<(), Trouble> {
        self.turn()
    }

    fn close(&mut self) {}

    /// What nobody knows changes nothing: a UPS that falls silent on battery is still on battery.
    fn turn(&mut self) -> Result<(), Trouble> {
        let report = self.ups.look().map_err(trouble_of)?;
        let power = match report.power {
            PowerState::OnLine => Power::Mains,
            PowerState::OnBattery => Power::Battery,
            PowerState::LowBattery => Power::BatteryLow,
            PowerState::Unknown => return Ok(()),
        };
        if std::mem::replace(&mut self.power, power) != power {
            tracing::warn!(?power, charge = report.charge_percent, "the power");
            self.inbox.device(Device::PowerChanged(power));
        }
        Ok(())
    }

    fn obey(&mut self, order: Infallible) -> Result<(), Trouble> {
        match order {}
    }

    fn pause(&self) -> Duration {
        WATCH
    }

    fn report(&mut self, _here: bool) {}
}

fn trouble_of(error: UpsError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::UpsSilent.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{Message, inbox};
    use device_drivers::ups::UpsReport;
    use kiosk_core::session::Event;
    use std::collections::VecDeque;

    struct Told(VecDeque<Result<PowerState, UpsError>>);

    impl Ups for Told {
        fn look(&mut self) -> Result<UpsReport, UpsError> {
            self.0.pop_front().unwrap().map(|power| UpsReport {
                power,
                charge_percent: None,
                runtime: None,
                replace_battery: false,
            })
        }
    }

    #[test]
    fn each_change_is_told_once_and_silence_changes_nothing() {
        use PowerState::{LowBattery, OnBattery, OnLine, Unknown};
        let looks = [
            Ok(OnLine),
            Ok(OnBattery),
            Ok(OnBattery),
            Err(UpsError::Gone),
            Ok(Unknown),
            Ok(OnBattery),
            Ok(LowBattery),
            Ok(OnLine),
        ];
        let (inbox, messages) = inbox();
        let mut watch = UpsWatch { ups: Told(looks.into()), inbox, power: Power::Mains };
        let failed = (0..8).filter(|_| watch.turn().is_err()).count();
        let told: Vec<_> = std::iter::from_fn(|| messages.try_recv().ok())
            .map(|message| match message {
                Message::Event(Event::Device(Device::PowerChanged(power))) => power,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!((failed, &told[..]), (1, &[Power::Battery, Power::BatteryLow, Power::Mains][..]));
    }
}
