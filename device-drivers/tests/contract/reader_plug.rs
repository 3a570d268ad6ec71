//! The card reader's contract when the cable is pulled, and when the kiosk restarts.

use std::path::Path;
use std::time::{Duration, Instant};

use device_drivers::id_card_reader::simulator::{ReaderStep, WireFault};
use device_drivers::id_card_reader::{Found, IdCardReader, ReaderError, SerialIdCardReader, simulator};
use device_drivers::{Fault, Remedy};

use crate::desk::{Desk, contract_on_every_cable, image, name_read, paced_serial_desk, serial_desk};

contract_on_every_cable! {
    an_unplugged_reader_is_gone_and_comes_back,
    a_reader_replugged_while_nothing_happens_is_not_even_noticed,
    a_reader_unplugged_after_any_byte_gives_nothing_and_comes_back,
}

fn an_unplugged_reader_is_gone_and_comes_back(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(desk.reader.find(), Ok(Found::Card));
    desk.simulator.unplug();
    assert!(!desk.simulator.is_plugged());
    for _ in 0..2 {
        let error = desk.reader.find().unwrap_err();
        assert_eq!(error, ReaderError::Gone);
        assert_eq!(error.remedy(), Remedy::CallOperator(Fault::ReaderGone));
    }
    desk.simulator.plug().unwrap();
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn a_reader_replugged_while_nothing_happens_is_not_even_noticed(desk: fn() -> Desk) {
    let mut desk = desk();
    assert_eq!(desk.reader.find(), Ok(Found::Nothing));
    desk.simulator.unplug();
    desk.simulator.plug().unwrap();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(name_read(&mut desk), "测试样本");
}

fn a_reader_unplugged_after_any_byte_gives_nothing_and_comes_back(desk: fn() -> Desk) {
    for (step, after_bytes) in [
        (ReaderStep::Find, 0),
        (ReaderStep::Find, 9),
        (ReaderStep::Select, 7),
        (ReaderStep::Read, 0),
        (ReaderStep::Read, 6),
        (ReaderStep::Read, 700),
        (ReaderStep::Read, 1294),
    ] {
        let mut desk = desk();
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(step, WireFault::Unplugged { after_bytes });
        let start = Instant::now();
        assert_eq!(desk.reader.read(), Err(ReaderError::Gone), "{step:?} {after_bytes}");
        // Noticed by the hang-up: the deadline of a read is 3 s.
        assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
        assert!(!desk.simulator.is_plugged());
        desk.simulator.plug().unwrap();
        let start = Instant::now();
        assert_eq!(name_read(&mut desk), "测试样本");
        assert!(start.elapsed() < Duration::from_secs(2), "usable again: {:?}", start.elapsed());
    }
}

#[test]
fn a_reader_unplugged_during_an_answer_is_gone_at_once_and_gives_nothing() {
    let mut desk = paced_serial_desk(9600);
    desk.simulator.lay(image("测试样本"));
    std::thread::scope(|scope| {
        let reader = &mut desk.reader;
        let reading = scope.spawn(move || reader.read());
        // The answer has begun; at 9600 baud it is on the wire for more than a second.
        assert!(desk.simulator.wait_until(Duration::from_secs(10), |reader| reader.reads() == 1));
        desk.simulator.unplug();
        let start = Instant::now();
        assert_eq!(reading.join().unwrap(), Err(ReaderError::Gone));
        assert!(start.elapsed() < Duration::from_secs(2), "noticed by the hang-up, not by a deadline");
    });
    desk.simulator.plug().unwrap();
    desk.simulator.set_paced(false);
    assert_eq!(name_read(&mut desk), "测试样本");
}

#[test]
fn a_reader_that_is_not_there_yet_can_be_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("reader");
    assert!(matches!(SerialIdCardReader::open(&port, 115_200), Err(ReaderError::Gone)));
    let mut reader = SerialIdCardReader::new(&port, 115_200);
    assert_eq!(reader.find(), Err(ReaderError::Gone));
    let _simulator = simulator::serve(&port, 115_200).unwrap();
    assert_eq!(reader.find(), Ok(Found::Nothing));
}

#[test]
fn a_restarted_kiosk_can_open_the_port_again() {
    let mut desk = serial_desk();
    assert_eq!(desk.reader.find(), Ok(Found::Nothing));
    // The old process may not have let go of the port yet.
    let mut second = SerialIdCardReader::open(desk.port(), 115_200).unwrap();
    desk.simulator.lay(image("测试样本"));
    assert_eq!(second.read().unwrap().text.name(), "测试样本");
    drop(desk.reader);
    desk.simulator.lay(image("测试样本"));
    assert_eq!(second.read().unwrap().text.name(), "测试样本");
}

#[test]
fn what_is_no_terminal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    std::fs::write(&file, b"").unwrap();
    for path in [file.as_path(), dir.path(), Path::new("/dev/null")] {
        assert!(matches!(SerialIdCardReader::open(path, 115_200), Err(ReaderError::Gone)), "{path:?}");
    }
}
