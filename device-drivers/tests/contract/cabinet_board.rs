//! The cabinet board's contract.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use device_drivers::cabinet::{
    CabinetDoor, CabinetError, CabinetPart, DoorReport, DoorState, Edges, IndicatorLight, LightPattern,
    Presence, PresenceSensor,
};
use device_drivers::cabinet_board::protocol::Refusal;
use device_drivers::cabinet_board::simulator::{self, BoardFault, BoardProfile, SimulatedBoardHandle};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings, SelfTest};
use device_drivers::{Fault, Remedy};

use crate::cabinet::{SOON, coming_and_going_is_felt, every_edge_is_counted, every_pattern_is_shown};

struct Desk {
    board: CabinetBoard,
    simulator: SimulatedBoardHandle,
    dir: tempfile::TempDir,
}

impl Desk {
    fn port(&self) -> PathBuf {
        self.dir.path().join("board")
    }

    /// Moves a door and waits until the board believes it.
    fn move_door(&self, door: u8, state: DoorState) {
        self.simulator.set_door(door, state);
        let settled =
            |board: &simulator::SimulatedBoard| board.door(door).is_some_and(|(now, _)| now == state);
        assert!(self.simulator.wait_until(SOON, settled));
    }

    /// Opens and closes the first door twice: four edges, and it stands as before.
    fn open_twice(&self) {
        for state in [DoorState::Open, DoorState::Closed, DoorState::Open, DoorState::Closed] {
            self.move_door(0, state);
        }
    }

    fn light(&self, number: u8) -> Box<dyn IndicatorLight> {
        Box::new(self.board.light(number, LightSettings::default()))
    }
}

fn desk_of(profile: BoardProfile) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("board");
    let simulator = simulator::serve(&port, 115_200, profile).unwrap();
    Desk { board: CabinetBoard::new(&port, 115_200), simulator, dir }
}

fn desk() -> Desk {
    desk_of(BoardProfile::default())
}

#[test]
fn the_board_says_who_it_is_and_what_it_has() {
    let desk = desk();
    let identity = desk.board.identity().unwrap();
    assert_eq!((identity.serial, identity.lights, identity.doors), (7, 3, 2));
    assert_eq!((identity.name.as_str(), identity.has_presence_sensor), ("simulated", true));
}

#[test]
fn somebody_near_is_felt() {
    let desk = desk();
    coming_and_going_is_felt(&mut desk.board.presence_sensor(), &|presence| {
        desk.simulator.set_presence(presence)
    });
}

#[test]
fn every_light_shows_every_pattern() {
    let desk = desk();
    for number in 0..3 {
        every_pattern_is_shown(&mut *desk.light(number), &|_| desk.simulator.light(number).unwrap());
    }
}

#[test]
fn every_door_counts_its_own_edges() {
    let desk = desk();
    let mut other = desk.board.door(1);
    other.look().unwrap();
    every_edge_is_counted(&mut desk.board.door(0), &|state| desk.move_door(0, state));
    assert_eq!(other.look(), Ok(DoorReport { state: DoorState::Closed, edges: Edges::Counted(0) }));
    every_edge_is_counted(&mut desk.board.door(1), &|state| desk.move_door(1, state));
}

#[test]
fn no_edge_is_lost_while_the_line_is_unplugged() {
    let desk = desk();
    let mut door = desk.board.door(0);
    door.look().unwrap();
    desk.simulator.unplug();
    assert_eq!(door.look(), Err(CabinetError::Gone));
    desk.open_twice();
    desk.simulator.plug().unwrap();
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Closed, edges: Edges::Counted(4) }));
}

#[test]
fn a_board_that_lost_its_power_says_that_it_does_not_know() {
    let desk = desk_of(BoardProfile { fed_by_the_line: true, ..BoardProfile::default() });
    let mut door = desk.board.door(0);
    door.look().unwrap();
    desk.simulator.unplug();
    desk.open_twice();
    desk.simulator.plug().unwrap();
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Closed, edges: Edges::Unknown }));
    desk.move_door(0, DoorState::Open);
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Open, edges: Edges::Counted(1) }));
}

#[test]
fn a_restart_is_noticed_also_when_as_many_edges_follow_as_came_before() {
    let desk = desk();
    let mut door = desk.board.door(0);
    desk.open_twice();
    door.look().unwrap();
    desk.simulator.restart();
    desk.open_twice();
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Closed, edges: Edges::Unknown }));
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Closed, edges: Edges::Counted(0) }));
}

#[test]
fn lights_are_ordered_again_after_a_restart_and_after_the_plug() {
    let desk = desk();
    desk.light(0).show(LightPattern::On).unwrap();
    desk.light(2).show(LightPattern::Slow).unwrap();
    let shown = || (desk.simulator.light(0).unwrap(), desk.simulator.light(2).unwrap());
    desk.simulator.restart();
    assert_eq!(shown(), (LightPattern::Off, LightPattern::Off));
    desk.board.presence_sensor().presence().unwrap();
    assert_eq!(shown(), (LightPattern::On, LightPattern::Slow));
    desk.simulator.unplug();
    desk.simulator.restart();
    // Nobody is there to obey; the order stands all the same.
    assert_eq!(desk.light(0).show(LightPattern::Fast), Err(CabinetError::Gone));
    desk.simulator.plug().unwrap();
    desk.board.presence_sensor().presence().unwrap();
    assert_eq!(shown(), (LightPattern::Fast, LightPattern::Slow));
}

#[test]
fn a_light_becomes_safe_when_the_host_falls_silent_and_not_before() {
    let desk = desk();
    let settings = LightSettings { safe: LightPattern::Fast, lease: Duration::from_millis(1500) };
    let mut light = desk.board.light(1, settings);
    light.show(LightPattern::On).unwrap();
    let mut sensor = desk.board.presence_sensor();
    let start = Instant::now();
    let mut heard = start;
    while start.elapsed() < Duration::from_millis(2500) {
        sensor.presence().unwrap();
        // A machine that stood still for as long has let the lease run out, rightly.
        if heard.elapsed() < Duration::from_millis(1000) {
            assert_eq!(desk.simulator.light(1), Some(LightPattern::On), "any request keeps it");
        }
        heard = Instant::now();
    }
    light.show(LightPattern::On).unwrap();
    let heard = Instant::now();
    let safe = |board: &simulator::SimulatedBoard| board.light(1, Instant::now()) == Some(LightPattern::Fast);
    assert!(desk.simulator.wait_until(SOON, safe));
    assert!(heard.elapsed() >= Duration::from_millis(1400), "{:?}", heard.elapsed());
    light.show(LightPattern::On).unwrap();
    assert_eq!(desk.simulator.light(1), Some(LightPattern::On));
}

#[test]
fn impossible_leases_are_brought_into_range() {
    let desk = desk();
    for lease in [Duration::ZERO, Duration::MAX] {
        let mut light = desk.board.light(0, LightSettings { lease, ..LightSettings::default() });
        assert_eq!(light.show(LightPattern::On), Ok(()));
    }
}

#[test]
fn parts_that_are_not_there_are_named() {
    let profile = BoardProfile { has_presence_sensor: false, lights: 1, doors: 0, ..BoardProfile::default() };
    let desk = desk_of(profile);
    let missing = CabinetError::NoSuchPart;
    assert_eq!(desk.board.presence_sensor().presence(), Err(missing(CabinetPart::PresenceSensor)));
    assert_eq!(desk.board.door(0).look(), Err(missing(CabinetPart::Door(0))));
    for number in [1, 8, 255] {
        assert_eq!(desk.light(number).show(LightPattern::On), Err(missing(CabinetPart::Light(number))));
    }
    // The order of a light that is not there must not stand in the way of the others.
    desk.simulator.restart();
    assert_eq!(desk.light(0).show(LightPattern::On), Ok(()));
    assert_eq!(missing(CabinetPart::Door(0)).remedy(), Remedy::CallOperator(Fault::CabinetFault));
}

#[test]
fn a_sensor_that_fails_and_a_self_test_that_finds_something_are_told() {
    let desk = desk();
    assert!(desk.board.self_test().unwrap().is_good());
    let found = SelfTest { lights: true, ..SelfTest::default() };
    desk.simulator.set_self_test(found);
    assert_eq!(desk.board.self_test(), Ok(found));
    desk.simulator.set_sensor_failed(true);
    let error = desk.board.presence_sensor().presence().unwrap_err();
    assert_eq!(error, CabinetError::SensorFailed);
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::CabinetFault));
}

#[test]
fn a_disturbed_answer_is_asked_for_again_before_anyone_hears_of_it() {
    let desk = desk();
    let mut door = desk.board.door(0);
    door.look().unwrap();
    let faults = [
        BoardFault::WrongChecksum,
        BoardFault::NoiseBefore,
        BoardFault::FalseStartBefore,
        BoardFault::NoiseInside,
        BoardFault::Truncated { after_bytes: 5 },
        BoardFault::Silence,
        BoardFault::Late { millis: 600 },
        BoardFault::StaleBefore,
        BoardFault::Nonsense,
    ];
    for fault in faults {
        desk.move_door(0, DoorState::Open);
        desk.simulator.inject(fault);
        assert_eq!(
            door.look(),
            Ok(DoorReport { state: DoorState::Open, edges: Edges::Counted(1) }),
            "{fault:?}"
        );
        desk.move_door(0, DoorState::Closed);
        assert_eq!(
            door.look(),
            Ok(DoorReport { state: DoorState::Closed, edges: Edges::Counted(1) }),
            "{fault:?}"
        );
    }
}

#[test]
fn a_line_that_stays_disturbed_is_an_error_and_a_quiet_one_heals_it() {
    let desk = desk();
    let mut sensor = desk.board.presence_sensor();
    sensor.presence().unwrap();
    for (fault, error, remedy) in [
        (BoardFault::WrongChecksum, CabinetError::Garbled, Remedy::Retry),
        (BoardFault::Nonsense, CabinetError::Garbled, Remedy::Retry),
        (BoardFault::Silence, CabinetError::NoAnswer, Remedy::CallOperator(Fault::CabinetSilent)),
        (
            BoardFault::Refusal(Refusal::UnknownRequest),
            CabinetError::Refused(1),
            Remedy::CallOperator(Fault::CabinetFault),
        ),
    ] {
        desk.simulator.set_fault(Some(fault));
        assert_eq!(sensor.presence(), Err(error), "{fault:?}");
        assert_eq!(error.remedy(), remedy);
        desk.simulator.set_fault(None);
        assert_eq!(sensor.presence(), Ok(Presence::Far), "after {fault:?}");
    }
}

#[test]
fn a_board_of_another_version_is_told_and_not_guessed_at() {
    let desk = desk_of(BoardProfile { version: 2, ..BoardProfile::default() });
    let error = desk.board.presence_sensor().presence().unwrap_err();
    assert_eq!(error, CabinetError::OtherVersion(2));
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::CabinetFault));
    assert_eq!(desk.simulator.requests(), 0);
}

#[test]
fn a_board_that_is_unplugged_during_a_request_is_gone_at_once() {
    let desk = desk();
    let mut sensor = desk.board.presence_sensor();
    sensor.presence().unwrap();
    desk.simulator.set_fault(Some(BoardFault::Silence));
    let asked = desk.simulator.requests();
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || sensor.presence());
        assert!(desk.simulator.wait_until(SOON, |board| board.requests() > asked));
        desk.simulator.unplug();
        assert_eq!(asking.join().unwrap(), Err(CabinetError::Gone));
    });
    desk.simulator.set_fault(None);
    desk.simulator.plug().unwrap();
    assert_eq!(desk.board.presence_sensor().presence(), Ok(Presence::Far));
}

#[test]
fn a_board_that_is_not_there_yet_can_be_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("board");
    let board = CabinetBoard::new(&port, 115_200);
    assert_eq!(board.identity(), Err(CabinetError::Gone));
    let _simulator = simulator::serve(&port, 115_200, BoardProfile::default()).unwrap();
    assert!(board.identity().is_ok());
}

#[test]
fn an_arduino_that_restarts_when_its_port_is_opened_is_waited_for() {
    let desk = desk();
    // Its boot loader swallows what comes; the kiosk is patient with the first answer only.
    for _ in 0..4 {
        desk.simulator.inject(BoardFault::Silence);
    }
    assert!(desk.board.identity().is_ok());
}

#[test]
fn the_parts_can_be_used_from_several_threads_and_a_restarted_kiosk_gets_the_port() {
    let desk = desk();
    std::thread::scope(|scope| {
        for door in 0..2 {
            let mut door = desk.board.door(door);
            let mut light = desk.light(0);
            scope.spawn(move || {
                for _ in 0..20 {
                    assert!(door.look().is_ok());
                    light.show(LightPattern::On).unwrap();
                }
            });
        }
    });
    let second = CabinetBoard::new(desk.port(), 115_200);
    assert!(second.identity().is_ok());
}
