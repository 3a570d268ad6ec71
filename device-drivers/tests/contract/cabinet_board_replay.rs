//! The cabinet board's contract on recordings ([`crate::tape`]).

use device_drivers::cabinet::{
    CabinetDoor, CabinetError, CabinetPart, DoorReport, DoorState, Edges, IndicatorLight, LightPattern,
    Presence, PresenceSensor,
};
use device_drivers::cabinet_board::protocol::Refusal;
use device_drivers::cabinet_board::simulator::{self, BoardFault, BoardProfile, SimulatedBoardHandle};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings};
use device_drivers::recording::ReplayError;
use device_drivers::serial_line::SerialLine;

use crate::cabinet::SOON;
use crate::tape::{Keep, Scenario, Tape};

const BAUD: u32 = 115_200;

type Hands = crate::tape::Hands<SimulatedBoardHandle>;

fn tape() -> Tape<CabinetBoard, SimulatedBoardHandle, BoardProfile> {
    let usual = BoardProfile::default();
    let newer = BoardProfile { version: 2, ..usual };
    let scenario = |name, setting, play| Scenario { name, setting, play };
    Tape {
        device: "cabinet-board",
        scenarios: vec![
            scenario("looked-at", usual, looked_at),
            scenario("lights", usual, lights),
            scenario("refused", usual, refused),
            scenario("other-version", newer, other_version),
            scenario("unplugged", usual, unplugged),
            scenario("damaged-and-stale", usual, damaged_and_stale),
            scenario("late-and-silent", usual, late_and_silent),
        ],
        driver: Box::new(|transport, _| CabinetBoard::over(transport)),
    }
}

fn report(state: DoorState, edges: Edges) -> Result<DoorReport, CabinetError> {
    Ok(DoorReport { state, edges })
}

fn looked_at(board: &mut CabinetBoard, hands: &Hands) {
    let identity = board.identity().unwrap();
    assert_eq!((identity.serial, identity.lights, identity.doors), (7, 3, 2));
    let (mut sensor, mut door) = (board.presence_sensor(), board.door(0));
    assert_eq!(sensor.presence(), Ok(Presence::Far));
    assert_eq!(door.look(), report(DoorState::Closed, Edges::Unknown));
    hands.at(|simulator| {
        simulator.set_presence(Presence::Near);
        simulator.set_door(0, DoorState::Open);
        let believed = |board: &simulator::SimulatedBoard| {
            board.is_near() && board.door(0).is_some_and(|(now, _)| now == DoorState::Open)
        };
        assert!(simulator.wait_until(SOON, believed));
    });
    assert_eq!(sensor.presence(), Ok(Presence::Near));
    assert_eq!(door.look(), report(DoorState::Open, Edges::Counted(1)));
    assert!(board.self_test().unwrap().is_good());
    hands.at(|simulator| simulator.restart());
    assert_eq!(door.look(), report(DoorState::Open, Edges::Unknown), "it has begun anew");
    assert_eq!(door.look(), report(DoorState::Open, Edges::Counted(0)));
}

fn lights(board: &mut CabinetBoard, hands: &Hands) {
    let shows = |first, third| {
        hands.at(|simulator| {
            assert_eq!((simulator.light(0), simulator.light(2)), (Some(first), Some(third)));
        });
    };
    assert_eq!(board.light(0, LightSettings::default()).show(LightPattern::On), Ok(()));
    assert_eq!(board.light(2, LightSettings::default()).show(LightPattern::Slow), Ok(()));
    shows(LightPattern::On, LightPattern::Slow);
    hands.at(|simulator| simulator.restart());
    shows(LightPattern::Off, LightPattern::Off);
    assert_eq!(board.presence_sensor().presence(), Ok(Presence::Far));
    shows(LightPattern::On, LightPattern::Slow);
}

fn refused(board: &mut CabinetBoard, hands: &Hands) {
    let missing = Err(CabinetError::NoSuchPart(CabinetPart::Light(5)));
    assert_eq!(board.light(5, LightSettings::default()).show(LightPattern::On), missing);
    hands.at(|simulator| simulator.set_sensor_failed(true));
    assert_eq!(board.presence_sensor().presence(), Err(CabinetError::SensorFailed));
    hands.at(|simulator| simulator.inject(BoardFault::Refusal(Refusal::UnknownRequest)));
    assert_eq!(board.presence_sensor().presence(), Err(CabinetError::Refused(1)));
    hands.at(|simulator| simulator.set_sensor_failed(false));
    assert_eq!(board.presence_sensor().presence(), Ok(Presence::Far));
}

fn other_version(board: &mut CabinetBoard, _: &Hands) {
    assert_eq!(board.presence_sensor().presence(), Err(CabinetError::OtherVersion(2)));
    assert_eq!(board.identity(), Err(CabinetError::OtherVersion(2)));
}

fn unplugged(board: &mut CabinetBoard, hands: &Hands) {
    let mut light = board.light(1, LightSettings::default());
    assert_eq!(light.show(LightPattern::On), Ok(()));
    hands.at(|simulator| simulator.unplug());
    assert_eq!(board.presence_sensor().presence(), Err(CabinetError::Gone));
    assert_eq!(light.show(LightPattern::Fast), Err(CabinetError::Gone), "the order stands all the same");
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(board.presence_sensor().presence(), Ok(Presence::Far));
    hands.at(|simulator| assert_eq!(simulator.light(1), Some(LightPattern::Fast)));
}

fn damaged_and_stale(board: &mut CabinetBoard, hands: &Hands) {
    let mut door = board.door(1);
    assert_eq!(door.look(), report(DoorState::Closed, Edges::Unknown));
    for fault in [
        BoardFault::WrongChecksum,
        BoardFault::NoiseBefore,
        BoardFault::FalseStartBefore,
        BoardFault::NoiseInside,
        BoardFault::Truncated { after_bytes: 5 },
        BoardFault::StaleBefore,
        BoardFault::Nonsense,
    ] {
        hands.at(|simulator| simulator.inject(fault));
        assert_eq!(door.look(), report(DoorState::Closed, Edges::Counted(0)), "{fault:?}");
    }
    hands.at(|simulator| simulator.set_fault(Some(BoardFault::WrongChecksum)));
    assert_eq!(door.look(), Err(CabinetError::Garbled), "for ever");
    hands.at(|simulator| simulator.set_fault(None));
    assert_eq!(door.look(), report(DoorState::Closed, Edges::Counted(0)));
}

fn late_and_silent(board: &mut CabinetBoard, hands: &Hands) {
    // Four silences at its start: an Arduino's boot loader.
    hands.at(|simulator| (0..4).for_each(|_| simulator.inject(BoardFault::Silence)));
    assert!(board.identity().is_ok());
    let mut sensor = board.presence_sensor();
    hands.at(|simulator| simulator.inject(BoardFault::Late { millis: 600 }));
    assert_eq!(sensor.presence(), Ok(Presence::Far));
    hands.at(|simulator| simulator.set_fault(Some(BoardFault::Silence)));
    assert_eq!(sensor.presence(), Err(CabinetError::NoAnswer));
    hands.at(|simulator| simulator.set_fault(None));
    assert_eq!(sensor.presence(), Ok(Presence::Far));
}

#[test]
fn what_was_recorded_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |port, profile| {
        let simulator = simulator::serve(port, BAUD, profile).unwrap();
        simulator.set_paced(false);
        (simulator, Box::new(SerialLine::new(port, BAUD)))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let diverged = tape().noticed("looked-at", |board| {
        assert!(board.identity().is_ok());
        assert_eq!(board.self_test(), Err(CabinetError::Gone), "it asked for its state then");
    });
    assert!(matches!(diverged, ReplayError::Diverged(_)));
    let unfinished = tape().noticed("looked-at", |board| assert!(board.identity().is_ok()));
    assert!(matches!(unfinished, ReplayError::Unfinished(_)));
}
