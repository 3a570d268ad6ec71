//! The cabinet: who stands before it, its doors, its lights. One thread for all, because they may share one board.

use super::declared::{CabinetDevices, Contact, GpioLine, Lamp};
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::inbox::Inbox;
use crate::present::lights::Lights;
use anyhow::Context;
use device_drivers::cabinet::{
    ActiveLevel, CabinetDoor, CabinetError, DoorState, Edges, GpioDoor, GpioInput, GpioPresenceSensor,
    IndicatorLight, LedLight, Presence, PresenceSensor,
};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings};
use kiosk_core::session::Device;
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "cabinet";
/// Time between two looks. It also renews the lease of the board's lights.
const WATCH: Duration = Duration::from_millis(250);

/// Starts the cabinet's thread; an order is what the lights shall show from now on.
pub fn spawn(declared: &CabinetDevices, inbox: Inbox, health: HealthBook) -> anyhow::Result<Hand<Lights>> {
    let board = declared.board.as_ref().map(|board| CabinetBoard::new(&board.port, board.baud));
    let workshop = Workshop { board };
    let lamp = |lamp: &Option<Lamp>| lamp.as_ref().map(|lamp| workshop.light(lamp)).transpose();
    let cabinet = Cabinet {
        presence: declared.presence.as_ref().map(|contact| workshop.sensor(contact)).transpose()?,
        doors: declared.doors.iter().map(|contact| workshop.door(contact)).collect::<anyhow::Result<_>>()?,
        headphones: declared.headphones.as_ref().map(|contact| workshop.door(contact)).transpose()?,
        lights: [lamp(&declared.card_light)?, lamp(&declared.receipt_light)?, lamp(&declared.help_light)?],
        shown: None,
        wanted: Lights::default(),
        near: None,
        inbox,
    };
    Ok(station::spawn(NAME, cabinet, health)?)
}

struct Door {
    door: Box<dyn CabinetDoor>,
    open: Option<bool>,
}

struct Cabinet {
    presence: Option<Box<dyn PresenceSensor>>,
    doors: Vec<Door>,
    headphones: Option<Door>,
    /// Beside the reader, beside the receipt, for help.
    lights: [Option<Box<dyn IndicatorLight>>; 3],
    shown: Option<Lights>,
    wanted: Lights,
    near: Option<bool>,
    inbox: Inbox,
}

impl Station for Cabinet {
    type Order = Lights;

    fn open(&mut self) -> Result<(), Trouble> {
        self.turn()
    }

    fn close(&mut self) {
        // Nobody knows what the lights show when they are back.
        self.shown = None;
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        self.look_for_somebody().map_err(trouble_of)?;
        self.look_at_doors().map_err(trouble_of)?;
        self.look_for_headphones().map_err(trouble_of)?;
        self.light_up().map_err(trouble_of)
    }

    fn obey(&mut self, lights: Lights) -> Result<(), Trouble> {
        self.wanted = lights;
        self.light_up().map_err(trouble_of)
    }

    fn pause(&self) -> Duration {
        WATCH
    }

    /// Without its sensor the kiosk works as one that never had any.
    fn report(&mut self, here: bool) {
        if !here && self.near.take() == Some(false) {
            self.inbox.device(Device::SomebodyNear(true));
        }
        // Nobody knows whether they are still plugged in: what is private must not be read into the hall.
        let headphones = self.headphones.as_mut().filter(|_| !here);
        if headphones.and_then(|headphones| headphones.open.take()) == Some(true) {
            self.inbox.device(Device::HeadphonesPlugged(false));
        }
    }
}

impl Cabinet {
    fn look_for_somebody(&mut self) -> Result<(), CabinetError> {
        let Some(sensor) = &mut self.presence else { return Ok(()) };
        let near = match sensor.presence() {
            Ok(presence) => presence == Presence::Near,
            // A sensor that is broken sees somebody: it must not send anybody away, nor put the lights out.
            Err(CabinetError::SensorFailed) => true,
            Err(error) => return Err(error),
        };
        if self.near.replace(near) != Some(near) {
            self.inbox.device(Device::SomebodyNear(near));
        }
        Ok(())
    }

    /// A door that was opened and closed between two looks was opened all the same.
    fn look_at_doors(&mut self) -> Result<(), CabinetError> {
        for door in &mut self.doors {
            let report = door.door.look()?;
            let open = report.state == DoorState::Open;
            let before = door.open.replace(open);
            let moved = matches!(report.edges, Edges::Counted(edges) if edges > 0);
            let opened_between = moved && before == Some(false) && !open;
            if opened_between || (open && before != Some(true)) {
                self.inbox.device(Device::CabinetOpened(true));
            }
            if opened_between || (!open && before == Some(true)) {
                self.inbox.device(Device::CabinetOpened(false));
            }
        }
        Ok(())
    }

    /// Pulled out and put in again between two looks, they were out.
    fn look_for_headphones(&mut self) -> Result<(), CabinetError> {
        let Some(headphones) = &mut self.headphones else { return Ok(()) };
        let report = headphones.door.look()?;
        let plugged = report.state == DoorState::Open;
        let before = headphones.open.replace(plugged);
        let moved = matches!(report.edges, Edges::Counted(edges) if edges > 0);
        if before == Some(true) && plugged && moved {
            self.inbox.device(Device::HeadphonesPlugged(false));
        }
        if before != Some(plugged) || (plugged && moved) {
            self.inbox.device(Device::HeadphonesPlugged(plugged));
        }
        Ok(())
    }

    fn light_up(&mut self) -> Result<(), CabinetError> {
        if self.shown == Some(self.wanted) {
            return Ok(());
        }
        let Lights { card, receipt, help } = self.wanted;
        for (light, pattern) in self.lights.iter_mut().zip([card, receipt, help]) {
            if let Some(light) = light {
                light.show(pattern)?;
            }
        }
        self.shown = Some(self.wanted);
        Ok(())
    }
}

/// Makes the parts where they were declared to be.
struct Workshop {
    board: Option<CabinetBoard>,
}

impl Workshop {
    fn board(&self) -> anyhow::Result<&CabinetBoard> {
        self.board.as_ref().context("devices.cabinet: a part is on a board, and there is no board")
    }

    fn sensor(&self, contact: &Contact) -> anyhow::Result<Box<dyn PresenceSensor>> {
        Ok(match contact {
            Contact::Board { .. } => Box::new(self.board()?.presence_sensor()),
            Contact::Gpio(line) => Box::new(GpioPresenceSensor::new(gpio(line))),
        })
    }

    fn door(&self, contact: &Contact) -> anyhow::Result<Door> {
        let door: Box<dyn CabinetDoor> = match contact {
            Contact::Board { number } => Box::new(self.board()?.door(*number)),
            Contact::Gpio(line) => Box::new(GpioDoor::new(gpio(line))),
        };
        Ok(Door { door, open: None })
    }

    fn light(&self, lamp: &Lamp) -> anyhow::Result<Box<dyn IndicatorLight>> {
        Ok(match lamp {
            Lamp::Board { number } => Box::new(self.board()?.light(*number, LightSettings::default())),
            Lamp::Led { name } => Box::new(LedLight::named(name)),
        })
    }
}

fn gpio(line: &GpioLine) -> GpioInput {
    let active = if line.active_low { ActiveLevel::Low } else { ActiveLevel::High };
    GpioInput { chip: line.chip.clone(), offset: line.offset, active }
}

fn trouble_of(error: CabinetError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::CabinetSilent.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{Message, inbox};
    use device_drivers::cabinet::LightPattern;
    use device_drivers::cabinet_board::simulator::{self, BoardProfile, SimulatedBoardHandle};
    use kiosk_core::session::Event;
    use std::path::Path;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(10);

    fn set_up(folder: &Path) -> (SimulatedBoardHandle, Hand<Lights>, async_channel::Receiver<Message>) {
        let port = folder.join("board");
        let board = simulator::serve(&port, 115_200, BoardProfile::default()).unwrap();
        let declared: CabinetDevices = toml::from_str(&format!(
            r#"
            board = {{ port = {port:?} }}
            presence = {{ on = "board" }}
            doors = [{{ on = "board", number = 0 }}, {{ on = "board", number = 1 }}]
            card_light = {{ on = "board", number = 0 }}
            help_light = {{ on = "board", number = 2 }}
            "#
        ))
        .unwrap();
        let (inbox, messages) = inbox();
        let hand = spawn(&declared, inbox, HealthBook::forgetful()).unwrap();
        (board, hand, messages)
    }

    fn next(messages: &async_channel::Receiver<Message>) -> Device {
        let until = Instant::now() + LONG;
        loop {
            match messages.try_recv() {
                Ok(Message::Event(Event::Device(report))) => return report,
                Ok(other) => panic!("{other:?}"),
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => panic!("nothing was told: {error}"),
            }
        }
    }

    #[test]
    fn people_doors_and_lights_of_one_board() {
        let folder = tempfile::tempdir().unwrap();
        let (board, hand, messages) = set_up(folder.path());
        assert_eq!(next(&messages), Device::SomebodyNear(false));
        board.set_presence(Presence::Near);
        assert_eq!(next(&messages), Device::SomebodyNear(true));
        board.set_door(1, DoorState::Open);
        assert_eq!(next(&messages), Device::CabinetOpened(true));
        board.set_door(1, DoorState::Closed);
        assert_eq!(next(&messages), Device::CabinetOpened(false));

        let lights = Lights { card: LightPattern::Slow, receipt: LightPattern::On, help: LightPattern::Fast };
        hand.order(lights).ok().unwrap();
        let shows = |light, pattern| {
            board.wait_until(LONG, |board| board.light(light, Instant::now()) == Some(pattern))
        };
        assert!(shows(0, LightPattern::Slow) && shows(2, LightPattern::Fast));

        // The plug is pulled, a door opens and closes meanwhile, and somebody goes.
        board.unplug();
        for state in [DoorState::Open, DoorState::Closed] {
            board.set_door(0, state);
            assert!(board.wait_until(LONG, |board| board.door(0).is_some_and(|door| door.0 == state)));
        }
        board.set_presence(Presence::Far);
        board.plug().unwrap();
        let mut told = vec![next(&messages), next(&messages), next(&messages)];
        told.sort_by_key(|report| format!("{report:?}"));
        assert_eq!(
            told,
            [Device::CabinetOpened(false), Device::CabinetOpened(true), Device::SomebodyNear(false)]
        );
        assert!(shows(0, LightPattern::Slow) && shows(2, LightPattern::Fast), "the lights are lit again");
    }

    #[test]
    fn headphones_come_and_go_and_a_board_that_is_lost_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("board");
        let board = simulator::serve(&port, 115_200, BoardProfile::default()).unwrap();
        let declared =
            format!("board = {{ port = {port:?} }}\nheadphones = {{ on = \"board\", number = 1 }}");
        let (inbox, messages) = inbox();
        let _hand = spawn(&toml::from_str(&declared).unwrap(), inbox, HealthBook::forgetful()).unwrap();
        assert_eq!(next(&messages), Device::HeadphonesPlugged(false));
        board.set_door(1, DoorState::Open);
        assert_eq!(next(&messages), Device::HeadphonesPlugged(true));
        board.unplug();
        assert_eq!(next(&messages), Device::HeadphonesPlugged(false));
    }

    #[test]
    fn a_sensor_that_fails_sends_nobody_away() {
        let folder = tempfile::tempdir().unwrap();
        let (board, _hand, messages) = set_up(folder.path());
        assert_eq!(next(&messages), Device::SomebodyNear(false));
        board.set_sensor_failed(true);
        assert_eq!(next(&messages), Device::SomebodyNear(true));
    }
}
