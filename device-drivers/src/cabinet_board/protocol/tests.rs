//! The protocol's own text, frame by frame.

use super::frame::{MAX_PAYLOAD, crc16};
use super::*;
use crate::cabinet::LightPattern;
use crate::vectors::hex;

const TEXT: &str = include_str!("../../../../docs/CABINET_BOARD.md");

fn identity() -> Identity {
    Identity {
        serial: 4711,
        firmware: (1, 2),
        boot: 300,
        has_presence_sensor: true,
        lights: 3,
        doors: 2,
        name: "arduino nano".into(),
    }
}

fn status() -> Status {
    let doors = vec![DoorReading { open: false, edges: 4 }, DoorReading { open: true, edges: 289 }];
    Status { boot: 300, presence: PresenceReading::Near, doors }
}

fn order() -> LightOrder {
    LightOrder { light: 0, pattern: LightPattern::Slow, safe: LightPattern::Off, lease_tenths: 100 }
}

/// The frames of the examples, in the order of the text.
fn examples() -> Vec<Frame> {
    let lights = SelfTest { lights: true, ..SelfTest::default() };
    vec![
        Request::Hello.frame(1),
        Answer::Identity(identity()).frame(1),
        Request::Status.frame(2),
        Answer::Status(status()).frame(2),
        Request::SetLight(order()).frame(3),
        Answer::LightSet { light: 0, pattern: LightPattern::Slow }.frame(3),
        Request::SelfTest.frame(4),
        Answer::SelfTest(lights).frame(4),
        Answer::Refused(Refusal::NoSuchLight).frame(5),
    ]
}

fn only(bytes: &[u8]) -> Frame {
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes);
    let frame = decoder.next_frame().expect("a frame").expect("a good one");
    assert_eq!(decoder.next_frame(), None);
    frame
}

#[test]
fn the_crc_is_the_named_one() {
    assert_eq!(crc16(b"123456789"), 0x4B37);
    // A request of Modbus RTU, as its guide prints it: read ten registers from unit 1.
    assert_eq!(crc16(&hex("01 03 00 00 00 0A")).to_le_bytes(), [0xC5, 0xCD]);
}

#[test]
fn the_examples_of_the_text_are_what_is_sent_and_understood() {
    let frame_of =
        |line: &str| line.strip_prefix("| `55 AA ").and_then(|rest| Some(rest.split_once('`')?.0.to_owned()));
    let printed: Vec<Vec<u8>> =
        TEXT.lines().filter_map(frame_of).map(|rest| hex(&format!("55 AA {rest}"))).collect();
    let sent: Vec<Vec<u8>> = examples().iter().map(Frame::encode).collect();
    assert_eq!(printed, sent);
    for (bytes, frame) in printed.iter().zip(examples()) {
        assert_eq!(only(bytes), frame);
    }
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for request in [Request::Hello, Request::Status, Request::SelfTest, Request::SetLight(order())] {
        assert_eq!(Request::from_frame(&only(&request.frame(7).encode())), Ok(request));
    }
    let answers = [
        Answer::Identity(identity()),
        Answer::Status(status()),
        Answer::Status(Status { presence: PresenceReading::Absent, doors: Vec::new(), ..status() }),
        Answer::SelfTest(SelfTest::default()),
        Answer::SelfTest(SelfTest { memory: true, supply: true, ..SelfTest::default() }),
        Answer::Refused(Refusal::Version),
    ];
    for answer in answers {
        assert_eq!(Answer::from_frame(&only(&answer.frame(9).encode())), Some(answer));
    }
}

#[test]
fn requests_that_mean_nothing_are_refused_with_the_reason() {
    let frame =
        |kind, payload: &[u8]| Frame { version: VERSION, sequence: 0, kind, payload: payload.to_vec() };
    for (frame, refusal) in [
        (frame(0x05, &[]), Refusal::UnknownRequest),
        (frame(0x81, &[]), Refusal::UnknownRequest),
        (frame(0x01, &[0]), Refusal::Length),
        (frame(0x03, &[0, 1, 0, 1]), Refusal::Length),
        (frame(0x03, &[0, 4, 0, 1, 0]), Refusal::Value),
        (frame(0x03, &[0, 1, 4, 1, 0]), Refusal::Value),
        (frame(0x03, &[0, 1, 0, 0, 0]), Refusal::Value),
        (frame(0x03, &[0, 1, 0, 0x71, 0x17]), Refusal::Value),
        (Frame { version: 2, ..frame(0x01, &[]) }, Refusal::Version),
    ] {
        assert_eq!(Request::from_frame(&frame), Err(refusal), "{frame:?}");
    }
    let longest = frame(0x03, &[0, 1, 0, 0x70, 0x17]);
    assert!(
        matches!(Request::from_frame(&longest), Ok(Request::SetLight(order)) if order.lease_tenths == 6000)
    );
}

#[test]
fn answers_that_do_not_add_up_are_none() {
    let frame =
        |kind, payload: &[u8]| Frame { version: VERSION, sequence: 0, kind, payload: payload.to_vec() };
    let good = Answer::Identity(identity()).frame(0).payload;
    let with = |at: usize, byte: u8| {
        let mut payload = good.clone();
        payload[at] = byte;
        frame(0x81, &payload)
    };
    for frame in [
        frame(0x01, &[]),
        frame(0x81, &good[..10]),
        with(8, 2),
        with(9, 9),
        with(10, 9),
        with(11, 0x1F),
        with(11, 0xC3),
        frame(0x81, &[&good[..11], &[b'x'; 17]].concat()),
        frame(0x82, &[0, 0, 0]),
        frame(0x82, &[0, 0, 3, 0]),
        frame(0x82, &[0, 0, 0, 0, 1]),
        // Door 1 is open, and there is only door 0.
        frame(0x82, &[0, 0, 0, 2, 1, 0]),
        frame(0x82, &[0; 22]),
        frame(0x83, &[0, 4]),
        frame(0x83, &[0]),
        frame(0x84, &[]),
        frame(0xFF, &[0]),
        frame(0xFF, &[6]),
    ] {
        assert_eq!(Answer::from_frame(&frame), None, "{frame:?}");
    }
    assert!(Answer::from_frame(&frame(0x82, &[0; 20])).is_some(), "eight doors");
}

#[test]
fn an_answer_must_fit_its_request() {
    let shown = Answer::LightSet { light: 0, pattern: LightPattern::Slow };
    assert!(Request::SetLight(order()).is_answered_by(&shown));
    let other = LightOrder { pattern: LightPattern::On, ..order() };
    assert!(!Request::SetLight(other).is_answered_by(&shown));
    assert!(!Request::SetLight(LightOrder { light: 1, ..order() }).is_answered_by(&shown));
    assert!(!Request::Status.is_answered_by(&Answer::Identity(identity())));
    assert!(Request::Hello.is_answered_by(&Answer::Refused(Refusal::Version)));
}

#[test]
fn a_frame_is_found_behind_noise_and_behind_a_false_start() {
    let good = Request::Status.frame(3);
    let encoded = good.encode();
    for noise in ["", "00 FF", "55", "55 55", "AA 55", "AA"] {
        assert_eq!(only(&[hex(noise), encoded.clone()].concat()), good, "{noise}");
    }
    for (start, error) in [
        ("55 AA 02", FrameError::Length),
        ("55 AA 24", FrameError::Length),
        ("55 AA 03", FrameError::Checksum),
    ] {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[hex(start), encoded.clone()].concat());
        assert_eq!(decoder.next_frame(), Some(Err(error)));
        assert_eq!(decoder.next_frame(), Some(Ok(good.clone())), "{start} swallows nothing");
    }
}

#[test]
fn a_false_start_of_the_longest_frame_waits_for_its_end() {
    let mut decoder = FrameDecoder::new();
    decoder.push(&[0x55, 0xAA, 35]);
    let good = Request::Status.frame(3).encode();
    let longest = 35 + 2;
    for _ in 0..longest / good.len() {
        decoder.push(&good);
        assert_eq!(decoder.next_frame(), None);
    }
    decoder.push(&good);
    assert_eq!(decoder.next_frame(), Some(Err(FrameError::Checksum)));
    let found = std::iter::from_fn(|| decoder.next_frame()).filter(Result::is_ok).count();
    assert_eq!(found, longest / good.len() + 1, "all that came in between");
    decoder.push(&[0x55, 0xAA, 35]);
    decoder.resync();
    decoder.push(&good);
    assert!(decoder.next_frame().is_some_and(|frame| frame.is_ok()));
}

#[test]
fn the_longest_frame_fits_the_smallest_buffer() {
    let frame = Frame { version: VERSION, sequence: 0, kind: 0x7F, payload: vec![0x55; MAX_PAYLOAD] };
    let encoded = frame.encode();
    assert_eq!(encoded.len(), 40);
    assert_eq!(only(&encoded), frame);
}
