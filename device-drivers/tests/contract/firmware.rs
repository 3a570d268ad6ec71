//! The driver against the firmware that a technician is given: `board.c`, compiled here and run behind a
//! pseudo terminal. It shares no line with the simulator, so what both understand is the protocol.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use device_drivers::cabinet::{
    CabinetDoor, CabinetError, CabinetPart, DoorReport, DoorState, Edges, IndicatorLight, LightPattern,
    Presence, PresenceSensor,
};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings};
use device_drivers::pty::Pty;

use crate::cabinet::{SOON, coming_and_going_is_felt, every_edge_is_counted, every_pattern_is_shown};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

struct Firmware {
    dir: tempfile::TempDir,
    pty: Pty,
    program: PathBuf,
    running: Child,
}

impl Firmware {
    fn start() -> Firmware {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("board");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/firmware.c");
        let strict = ["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O1", "-ftrapv", "-o"];
        let built = Command::new("cc").args(strict).arg(&program).arg(source).status().unwrap();
        assert!(built.success());
        let pty = Pty::open(dir.path().join("port")).unwrap();
        std::fs::write(dir.path().join("inputs"), "0 0").unwrap();
        let running = Firmware::run(&dir, &program, &pty, 1);
        Firmware { dir, pty, program, running }
    }

    fn run(dir: &tempfile::TempDir, program: &Path, pty: &Pty, boot: u16) -> Child {
        let line = || Stdio::from(pty.master().try_clone_to_owned().unwrap());
        let files = ["inputs", "shown"].map(|name| dir.path().join(name));
        let mut command = Command::new(program);
        command.args(files).arg(boot.to_string()).stdin(line()).stdout(line());
        command.spawn().unwrap()
    }

    fn board(&self) -> CabinetBoard {
        CabinetBoard::new(self.pty.link(), 115_200)
    }

    /// Puts levels to the inputs, in one step.
    fn set_inputs(&self, near: bool, doors: u8) {
        let fresh = self.dir.path().join("fresh");
        std::fs::write(&fresh, format!("{} {doors}", u8::from(near))).unwrap();
        std::fs::rename(fresh, self.dir.path().join("inputs")).unwrap();
    }

    /// What a light shows, as soon as it is `expected`, or after a while.
    fn light(&self, light: usize, expected: LightPattern) -> LightPattern {
        let start = Instant::now();
        loop {
            let shown = std::fs::read(self.dir.path().join("shown")).unwrap_or_default();
            let pattern = match shown.get(light) {
                Some(b'1') => LightPattern::On,
                Some(b'2') => LightPattern::Slow,
                Some(b'3') => LightPattern::Fast,
                _ => LightPattern::Off,
            };
            if pattern == expected || start.elapsed() > SOON {
                return pattern;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn restart(&mut self, boot: u16) {
        self.end();
        self.running = Firmware::run(&self.dir, &self.program, &self.pty, boot);
    }

    fn end(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

impl Drop for Firmware {
    fn drop(&mut self) {
        self.end();
    }
}

/// Looks until the door stands so; returns how many edges that were.
fn edges_until(door: &mut dyn CabinetDoor, state: DoorState) -> u32 {
    let start = Instant::now();
    let mut edges = 0;
    loop {
        let report = door.look().unwrap();
        match report.edges {
            Edges::Counted(more) => edges += more,
            Edges::Unknown => panic!("the board did not restart"),
        }
        if report.state == state {
            return edges;
        }
        assert!(start.elapsed() < SOON);
    }
}

#[test]
fn the_firmware_keeps_the_contract() {
    let firmware = Firmware::start();
    let board = firmware.board();
    let identity = board.identity().unwrap();
    assert_eq!((identity.serial, identity.boot, identity.name.as_str()), (1, 1, "arduino"));
    assert_eq!((identity.lights, identity.doors, identity.has_presence_sensor), (3, 2, true));
    assert!(board.self_test().unwrap().lights);
    coming_and_going_is_felt(&mut board.presence_sensor(), &|presence| {
        firmware.set_inputs(presence == Presence::Near, 0);
    });
    let mut watcher = board.door(1);
    watcher.look().unwrap();
    // Settled when another pair of eyes has seen it.
    let watcher = std::cell::RefCell::new(watcher);
    every_edge_is_counted(&mut board.door(1), &|state| {
        firmware.set_inputs(true, if state == DoorState::Open { 2 } else { 0 });
        assert_eq!(edges_until(&mut *watcher.borrow_mut(), state), 1);
    });
    let mut light = board.light(2, LightSettings::default());
    every_pattern_is_shown(&mut light, &|expected| firmware.light(2, expected));
    for missing in [3, 7] {
        let refused = board.light(missing, LightSettings::default()).show(LightPattern::On);
        assert_eq!(refused, Err(CabinetError::NoSuchPart(CabinetPart::Light(missing))));
    }
    assert_eq!(board.door(2).look(), Err(CabinetError::NoSuchPart(CabinetPart::Door(2))));
}

#[test]
fn the_firmware_lets_its_lights_become_safe() {
    let firmware = Firmware::start();
    let settings = LightSettings { safe: LightPattern::Fast, lease: Duration::from_millis(1000) };
    let board = firmware.board();
    board.light(0, settings).show(LightPattern::On).unwrap();
    let start = Instant::now();
    assert_eq!(firmware.light(0, LightPattern::Fast), LightPattern::Fast);
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    board.presence_sensor().presence().unwrap();
    assert_eq!(firmware.light(0, LightPattern::Fast), LightPattern::Fast, "only a new order lights it");
}

#[test]
fn a_firmware_that_restarts_is_noticed() {
    let mut firmware = Firmware::start();
    let board = firmware.board();
    let mut door = board.door(0);
    door.look().unwrap();
    board.light(1, LightSettings::default()).show(LightPattern::Slow).unwrap();
    firmware.set_inputs(false, 1);
    assert_eq!(edges_until(&mut door, DoorState::Open), 1);
    firmware.restart(2);
    assert_eq!(door.look(), Ok(DoorReport { state: DoorState::Open, edges: Edges::Unknown }));
    assert_eq!(firmware.light(1, LightPattern::Slow), LightPattern::Slow, "ordered again");
}

#[test]
fn the_firmware_finds_a_request_among_noise() {
    let firmware = Firmware::start();
    let board = firmware.board();
    let mut line = std::fs::File::options().write(true).open(firmware.pty.link()).unwrap();
    for noise in [
        &[0x00, 0xFF, 0x55, 0x55][..],
        &[0x55, 0xAA, 0x02],
        &[0x55, 0xAA, 0x24],
        // The longest frame is promised and never comes; then one with a wrong checksum; then one of another
        // version.
        &[0x55, 0xAA, 35, 1, 2],
        &[0x55, 0xAA, 3, 1, 1, 1, 0x91, 0xF1],
        &[0x55, 0xAA, 3, 9, 9, 1, 0, 0],
        &[0xAA; 200],
    ] {
        line.write_all(noise).unwrap();
        assert_eq!(board.presence_sensor().presence(), Ok(Presence::Far), "{noise:02X?}");
    }
}
