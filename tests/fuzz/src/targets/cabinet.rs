//! What the cabinet board says over its serial line, and the UPS's server over its connection.

use device_drivers::cabinet::LightPattern;
use device_drivers::cabinet_board::protocol::{
    Answer, DoorReading, Frame, FrameDecoder, FrameError, Identity, LightOrder, PresenceReading, Refusal,
    Request, SelfTest, Status,
};
use device_drivers::ups::protocol::{
    Answer as UpsAnswer, LineDecoder, LineError, MAX_LINE, UpsName, charge_percent, power_state, runtime,
};

use super::as_text;
use crate::Target;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "device-cabinet-board",
            decodes: "bytes of the cabinet board's line, both ways: FrameDecoder, Request and Answer",
            inputs: 5000,
            seeds: board_seeds,
            run: board,
        },
        Target {
            name: "device-ups-lines",
            decodes: "lines of the UPS's server: LineDecoder, Answer, and the values of its variables",
            inputs: 5000,
            seeds: ups_seeds,
            run: ups,
        },
    ]
}

fn board_seeds() -> Vec<Vec<u8>> {
    let order =
        LightOrder { light: 2, pattern: LightPattern::Slow, safe: LightPattern::Off, lease_tenths: 100 };
    let identity = Identity {
        serial: 4711,
        firmware: (1, 2),
        boot: 300,
        has_presence_sensor: true,
        lights: 3,
        doors: 2,
        name: "arduino nano".into(),
    };
    let doors = vec![DoorReading { open: true, edges: 289 }; 8];
    let requests = [Request::Hello, Request::Status, Request::SetLight(order), Request::SelfTest];
    let answers = [
        Answer::Identity(identity),
        Answer::Status(Status { boot: 300, presence: PresenceReading::Near, doors }),
        Answer::LightSet { light: 2, pattern: LightPattern::Slow },
        Answer::SelfTest(SelfTest { lights: true, ..SelfTest::default() }),
        Answer::Refused(Refusal::NoSuchLight),
    ];
    let mut seeds: Vec<_> = requests.iter().map(|request| request.frame(1).encode()).collect();
    seeds.extend(answers.iter().map(|answer| answer.frame(1).encode()));
    seeds.push([&[0x55, 0xAA, 35][..], &seeds.concat()].concat());
    seeds
}

fn board(bytes: &[u8]) {
    let whole = frames([bytes]);
    let third = bytes.len() / 3;
    assert_eq!(whole, frames([&bytes[..third], &bytes[third..]]), "a split changes nothing");
    if bytes.len() <= 2048 {
        assert_eq!(whole, frames(bytes.chunks(1)), "bytes one by one change nothing");
    }
    for frame in whole.into_iter().flatten() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&frame.encode());
        assert_eq!(decoder.next_frame(), Some(Ok(frame.clone())), "a frame is written as it was read");
        if let Ok(request) = Request::from_frame(&frame) {
            assert_eq!(request.frame(frame.sequence), frame, "so is a request");
        }
        if let Some(answer) = Answer::from_frame(&frame) {
            assert_eq!(Answer::from_frame(&answer.frame(frame.sequence)), Some(answer), "so is an answer");
        }
    }
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Frame, FrameError>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        found.extend(std::iter::from_fn(|| decoder.next_frame()));
    }
    found
}

fn ups_seeds() -> Vec<Vec<u8>> {
    let list =
        "BEGIN LIST VAR kiosk\nVAR kiosk ups.model \"A \\\"quoted\\\" \\\\ model\"\nEND LIST VAR kiosk\n";
    let seeds = [
        "VAR kiosk ups.status \"OB DISCHRG LB\"\r\n",
        "VAR kiosk battery.charge \"85.5\"\nVAR kiosk battery.runtime \"1800\"\n",
        "ERR DATA-STALE\nERR DRIVER-NOT-CONNECTED\nERR ACCESS-DENIED\n",
        list,
    ];
    let mut seeds: Vec<_> = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    seeds.push([&[b'x'; MAX_LINE + 1][..], b"\nERR UNKNOWN-UPS\n"].concat());
    seeds
}

fn ups(bytes: &[u8]) {
    let whole = lines([bytes]);
    let third = bytes.len() / 3;
    assert_eq!(whole, lines([&bytes[..third], &bytes[third..]]), "a split changes nothing");
    if bytes.len() <= 2048 {
        assert_eq!(whole, lines(bytes.chunks(1)), "bytes one by one change nothing");
    }
    for line in whole.into_iter().flatten() {
        // A byte that is no UTF-8 becomes three.
        assert!(line.len() <= 3 * MAX_LINE && !line.contains('\n'));
        if let Some(UpsAnswer::Variable { value, .. }) = UpsAnswer::parse(&line) {
            judge(&value);
        }
    }
    judge(&as_text(bytes));
}

fn judge(value: &str) {
    let _ = power_state(value);
    assert!(charge_percent(value).is_none_or(|percent| percent <= 100));
    assert!(runtime(value).is_none_or(|left| left.as_secs() <= 7 * 24 * 3600));
    if let Ok(name) = value.parse::<UpsName>() {
        assert!(!name.as_str().contains([' ', '"', '\\', '\n']), "a name needs no quotation marks");
    }
}

fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<String, LineError>> {
    let mut decoder = LineDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        found.extend(std::iter::from_fn(|| decoder.next_line()));
    }
    found
}
