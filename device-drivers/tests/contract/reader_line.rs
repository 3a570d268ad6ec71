//! The card reader on a serial line: the line's own time, and the search for its rate.

use std::time::{Duration, Instant};

use device_drivers::id_card_reader::protocol::BaudRate;
use device_drivers::id_card_reader::simulator::{ReaderStep, WireFault};
use device_drivers::id_card_reader::{IdCardReader, ReaderError, SerialIdCardReader};
use device_drivers::{Fault, Remedy};

use crate::desk::{image, paced_serial_desk, serial_desk};

#[test]
fn answers_take_the_time_of_the_line() {
    let mut desk = paced_serial_desk(115_200);
    desk.simulator.lay(image("测试样本"));
    let start = Instant::now();
    desk.reader.read().unwrap();
    let fast = start.elapsed();
    // 1295 bytes of answer alone take 112 ms.
    assert!(fast >= Duration::from_millis(112), "{fast:?}");

    let mut desk = paced_serial_desk(9600);
    desk.simulator.lay(image("测试样本"));
    let start = Instant::now();
    desk.reader.read().unwrap();
    let slow = start.elapsed();
    // 1.35 s at 9600 baud: no fixed wait may cut it off.
    assert!(slow >= Duration::from_millis(1350), "{slow:?}");
}

#[test]
fn the_rate_of_a_reader_is_found_wherever_the_search_begins() {
    let known = BaudRate::ALL.map(BaudRate::bits_per_second).map(|rate| (rate, rate));
    for (rate, begin) in known.into_iter().chain([(9600, 115_200), (115_200, 9600), (57_600, 38_400)]) {
        let desk = paced_serial_desk(rate);
        desk.simulator.set_paced(false);
        let mut reader = SerialIdCardReader::new(desk.port(), begin);
        assert_eq!(reader.detect_baud(), Ok(rate), "from {begin}");
        desk.simulator.lay(image("测试样本"));
        assert_eq!(reader.read().unwrap().text.name(), "测试样本", "at {rate}");
    }
}

#[test]
fn at_a_wrong_rate_nothing_is_believed() {
    let desk = paced_serial_desk(9600);
    desk.simulator.set_paced(false);
    desk.simulator.lay(image("测试样本"));
    for rate in [115_200, 19_200] {
        let mut reader = SerialIdCardReader::new(desk.port(), rate);
        assert_eq!(reader.find(), Err(ReaderError::NoAnswer { in_a_row: 1 }), "at {rate}");
    }
    assert_eq!(desk.simulator.reads(), 0);
}

#[test]
fn a_search_without_an_answer_ends_and_keeps_the_rate() {
    let desk = serial_desk();
    desk.simulator.lay(image("测试样本"));
    let mut reader = SerialIdCardReader::new(desk.port(), 115_200);
    desk.simulator.inject_at(ReaderStep::Find, WireFault::Stuck);
    for in_a_row in 1..=2 {
        assert_eq!(reader.find(), Err(ReaderError::NoAnswer { in_a_row }));
    }
    let start = Instant::now();
    let error = reader.detect_baud().unwrap_err();
    assert_eq!(error, ReaderError::NoAnswer { in_a_row: 3 });
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::ReaderSilent));
    // Ten probes of 300 ms, and room for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    desk.simulator.unplug();
    assert_eq!(reader.detect_baud(), Err(ReaderError::Gone));
    desk.simulator.plug().unwrap();
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}
