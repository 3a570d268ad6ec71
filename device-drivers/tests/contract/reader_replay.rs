//! The card reader's contract on recordings: scenarios that are recorded through the true driver and played back
//! to it, just now and from the files in `tests/recordings`.
//!
//! A scenario asserts all that it promises, so a replay that gets through has kept the contract. To make the files
//! anew, run these tests with `KEEP_RECORDINGS=1`.

use std::path::{Path, PathBuf};

use device_drivers::id_card_reader::protocol::frame::encode_frame;
use device_drivers::id_card_reader::protocol::{Request, encode_text};
use device_drivers::id_card_reader::simulator::{
    self, CardImage, ReaderStep, SimulatedReaderHandle, WireFault,
};
use device_drivers::id_card_reader::{
    CardText, Extra, Extras, Found, FourPipes, IdCardReader, PipeLayout, ReaderError, Refusal, SamReader,
};
use device_drivers::recording::{Recorder, Replay, ReplayError};
use device_drivers::serial_line::SerialLine;
use device_drivers::transport::Transport;

use crate::desk::{image, person};

const DEVICE: &str = "id-card-reader";
const BAUD: u32 = 115_200;

/// Hands at the simulated reader; in a replay there is nothing to touch.
struct Hands<'a>(Option<&'a SimulatedReaderHandle>);

impl Hands<'_> {
    fn at(&self, touch: impl FnOnce(&SimulatedReaderHandle)) {
        if let Some(simulator) = self.0 {
            touch(simulator);
        }
    }

    fn lay(&self, card: CardImage) {
        self.at(|simulator| simulator.lay(card));
    }
}

type Scenario = fn(&mut dyn IdCardReader, &Hands<'_>);

const SCENARIOS: [(&str, Scenario); 8] = [
    ("read-and-left", read_and_left),
    ("extras", extras),
    ("refused-and-unknown", refused_and_unknown),
    ("moved", moved),
    ("damaged-and-stale", damaged_and_stale),
    ("unplugged", unplugged),
    ("silent", silent),
    ("module", module),
];

fn read_and_left(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    assert_eq!(reader.find(), Ok(Found::Nothing));
    hands.lay(image("测试𠅤𬭎"));
    assert_eq!(reader.find(), Ok(Found::Card));
    assert_eq!(reader.read().unwrap().text.name(), "测试𠅤𬭎");
    assert_eq!(reader.find(), Ok(Found::Nothing));
}

fn extras(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    let card = image("测试样本").with_fingerprint(&[7; 1024]).with_additional_address("示例路9号");
    hands.lay(card.unwrap());
    let read = reader.read_with(Extras { fingerprint: true, additional_address: true }).unwrap();
    assert_eq!(read.fingerprint.read().map(|file| file.as_bytes().len()), Some(1024));
    assert_eq!(read.additional_address.read().map(|address| address.as_str()), Some("示例路9号"));
    hands.lay(image("测试样本"));
    let read = reader.read_with(Extras { fingerprint: true, additional_address: true }).unwrap();
    assert_eq!((read.fingerprint, read.additional_address), (Extra::Absent, Extra::Absent));
}

fn refused_and_unknown(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    hands.lay(image("测试样本").forged());
    assert_eq!(reader.read(), Err(ReaderError::Refused(Refusal::NotGenuine)));
    hands.lay(CardImage::unknown_chip());
    assert_eq!(reader.read(), Err(ReaderError::NotAnIdCard));
}

fn moved(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    hands.lay(image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::PulledMidRead { after_bytes: 600 }));
    assert_eq!(reader.read(), Err(ReaderError::CardMoved));
    hands.lay(image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::Status(0x41)));
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn damaged_and_stale(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    hands.lay(image("测试样本"));
    hands.at(|simulator| {
        simulator.inject_at(ReaderStep::Find, WireFault::WrongChecksum);
        simulator.inject_at(ReaderStep::Select, WireFault::StaleAnswer);
        simulator.inject_at(ReaderStep::Read, WireFault::GarbageBefore);
    });
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn unplugged(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    hands.lay(image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::Unplugged { after_bytes: 500 }));
    assert_eq!(reader.read(), Err(ReaderError::Gone));
    assert_eq!(reader.find(), Err(ReaderError::Gone));
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn silent(reader: &mut dyn IdCardReader, hands: &Hands<'_>) {
    hands.lay(image("测试样本"));
    hands.at(|simulator| simulator.inject_at(ReaderStep::Find, WireFault::Silence));
    assert_eq!(reader.find(), Err(ReaderError::NoAnswer { in_a_row: 1 }));
    assert_eq!(reader.find(), Ok(Found::Card));
}

fn module(reader: &mut dyn IdCardReader, _: &Hands<'_>) {
    assert_eq!(reader.sam_id().unwrap().to_string(), "05.01-20240101-0000123456-0987654321");
    assert_eq!(reader.reset(), Ok(()));
}

/// Records the scenario and plays it back.
fn record_and_replay(
    name: &str,
    scenario: Scenario,
    transport: impl Transport,
    simulator: SimulatedReaderHandle,
    recording: &Path,
) {
    simulator.set_paced(false);
    let recorder = Recorder::to_file(transport, DEVICE, recording).unwrap();
    scenario(&mut SamReader::over(recorder), &Hands(Some(&simulator)));
    drop(simulator);
    replay(name, scenario, recording);
}

fn replay(name: &str, scenario: Scenario, recording: &Path) {
    let replay = Replay::open(recording).unwrap_or_else(|error| panic!("{}: {error}", recording.display()));
    assert_eq!(replay.device(), DEVICE, "{name}");
    scenario(&mut SamReader::over(replay.clone()), &Hands(None));
    assert_eq!(replay.finish(), Ok(()), "{name}");
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(DEVICE)
}

#[test]
fn what_was_recorded_on_a_serial_line_is_played_back() {
    let dir = tempfile::tempdir().unwrap();
    for (name, scenario) in SCENARIOS {
        let (port, file) = (dir.path().join("reader"), dir.path().join(name));
        let simulator = simulator::serve(&port, BAUD).unwrap();
        record_and_replay(name, scenario, SerialLine::new(&port, BAUD), simulator, &file);
        if std::env::var_os("KEEP_RECORDINGS").is_some() {
            std::fs::copy(&file, kept().join(name).with_extension("jsonl")).unwrap();
        }
    }
}

#[test]
fn what_was_recorded_on_usb_pipes_is_played_back() {
    let dir = tempfile::tempdir().unwrap();
    for (name, scenario) in SCENARIOS {
        let (pipes, simulator) = simulator::serve_usb();
        let pipes = FourPipes::new(pipes, PipeLayout::MINISTRY);
        record_and_replay(name, scenario, pipes, simulator, &dir.path().join(name));
    }
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    for (name, scenario) in SCENARIOS {
        replay(name, scenario, &kept().join(name).with_extension("jsonl"));
    }
    assert_eq!(std::fs::read_dir(kept()).unwrap().count(), SCENARIOS.len(), "none that nobody plays");
}

#[test]
fn what_came_before_the_plug_was_pulled_is_forgotten() {
    // Half a card's answer, then the plug; the answer to the next find stands alone.
    let text = r#"{"recording":1,"device":"id-card-reader"}
{"at_ms":0,"event":"opened"}
{"at_ms":0,"event":"out","bytes":"aaaaaa96690003200122"}
{"at_ms":1,"event":"in","bytes":"aaaaaa96690508000090010004004b6dd58b"}
{"at_ms":2,"event":"gone"}
{"at_ms":900,"event":"opened"}
{"at_ms":900,"event":"out","bytes":"aaaaaa96690003200122"}
{"at_ms":925,"event":"in","bytes":"aaaaaa9669000800009f0000000097"}
{"at_ms":927,"event":"quiet"}
"#;
    let recording = Replay::parse(text).unwrap();
    let mut reader = SamReader::over(recording.clone());
    assert_eq!(reader.find(), Err(ReaderError::Gone));
    assert_eq!(reader.find(), Ok(Found::Card));
    assert_eq!(recording.finish(), Ok(()));
}

/// A recording in which the requests are answered like this, and nothing else happens.
fn conversation(turns: &[(Request, &[u8])]) -> Replay {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text = r#"{"recording":1,"device":"id-card-reader"}"#.to_owned();
    for (request, answer) in turns {
        text.push_str("\n{\"at_ms\":0,\"event\":\"still-open\"}");
        for (event, bytes) in [("out", request.encode().to_vec()), ("in", encode_frame(answer).to_vec())] {
            text.push_str(&format!("\n{{\"at_ms\":0,\"event\":\"{event}\",\"bytes\":\"{}\"}}", hex(&bytes)));
        }
    }
    Replay::parse(&text).unwrap()
}

#[test]
fn without_a_fingerprint_an_answer_may_have_two_lengths_or_three() {
    let block = encode_text(&CardText::Mainland(person("测试样本"))).unwrap();
    for lengths in [&[1, 0, 0, 2][..], &[1, 0, 0, 2, 0, 0]] {
        let answer = [&[0, 0, 0x90][..], lengths, &block, &[0x57, 0x4C]].concat();
        let recording = conversation(&[
            (Request::Find, &[0, 0, 0x9F, 0, 0, 0, 0]),
            // No serial number of the chip either: it is known from one source.
            (Request::Select, &[0, 0, 0x90]),
            (Request::ReadTextPhotoFingerprint, &answer),
        ]);
        let mut reader = SamReader::over(recording.clone());
        let read = reader.read_with(Extras { fingerprint: true, ..Extras::default() }).unwrap();
        assert_eq!((read.text.name(), read.photo.as_bytes()), ("测试样本", &[0x57, 0x4C][..]));
        assert_eq!(read.fingerprint, Extra::Absent);
        assert_eq!(recording.finish(), Ok(()));
    }
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let recording = Replay::open(&kept().join("module.jsonl")).unwrap();
    let mut reader = SamReader::over(recording.clone());
    assert_eq!(reader.find(), Err(ReaderError::Gone), "it asked for the module's number then");
    assert_eq!(recording.finish(), Err(ReplayError::Diverged(3)));
    let recording = Replay::open(&kept().join("module.jsonl")).unwrap();
    SamReader::over(recording.clone()).sam_id().unwrap();
    assert!(matches!(recording.finish(), Err(ReplayError::Unfinished(_))));
}
