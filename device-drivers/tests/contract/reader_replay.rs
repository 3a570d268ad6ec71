//! The card reader's contract on recordings ([`crate::tape`]).

use device_drivers::id_card_reader::protocol::frame::encode_frame;
use device_drivers::id_card_reader::protocol::{Request, encode_text};
use device_drivers::id_card_reader::simulator::{
    self, CardImage, ReaderStep, SimulatedReaderHandle, WireFault,
};
use device_drivers::id_card_reader::{
    CardText, Extra, Extras, Found, FourPipes, IdCardReader, PipeLayout, ReaderError, Refusal, SamReader,
};
use device_drivers::recording::{Replay, ReplayError};
use device_drivers::serial_line::SerialLine;
use device_drivers::transport::Transport;

use crate::desk::{image, person};
use crate::tape::{Keep, Scenario, Tape};

const BAUD: u32 = 115_200;

type Reader = SamReader<Box<dyn Transport>>;
type Hands = crate::tape::Hands<SimulatedReaderHandle>;

fn tape() -> Tape<Reader, SimulatedReaderHandle, ()> {
    let scenario = |name, play| Scenario { name, setting: (), play };
    Tape {
        device: "id-card-reader",
        scenarios: vec![
            scenario("read-and-left", read_and_left),
            scenario("extras", extras),
            scenario("refused-and-unknown", refused_and_unknown),
            scenario("moved", moved),
            scenario("damaged-and-stale", damaged_and_stale),
            scenario("unplugged", unplugged),
            scenario("silent", silent),
            scenario("module", module),
        ],
        driver: Box::new(|transport, ()| SamReader::over(transport)),
    }
}

fn lay(hands: &Hands, card: CardImage) {
    hands.at(|simulator| simulator.lay(card));
}

fn read_and_left(reader: &mut Reader, hands: &Hands) {
    assert_eq!(reader.find(), Ok(Found::Nothing));
    lay(hands, image("测试𠅤𬭎"));
    assert_eq!(reader.find(), Ok(Found::Card));
    assert_eq!(reader.read().unwrap().text.name(), "测试𠅤𬭎");
    assert_eq!(reader.find(), Ok(Found::Nothing));
}

fn extras(reader: &mut Reader, hands: &Hands) {
    let card = image("测试样本").with_fingerprint(&[7; 1024]).with_additional_address("示例路9号");
    lay(hands, card.unwrap());
    let read = reader.read_with(Extras { fingerprint: true, additional_address: true }).unwrap();
    assert_eq!(read.fingerprint.read().map(|file| file.as_bytes().len()), Some(1024));
    assert_eq!(read.additional_address.read().map(|address| address.as_str()), Some("示例路9号"));
    lay(hands, image("测试样本"));
    let read = reader.read_with(Extras { fingerprint: true, additional_address: true }).unwrap();
    assert_eq!((read.fingerprint, read.additional_address), (Extra::Absent, Extra::Absent));
}

fn refused_and_unknown(reader: &mut Reader, hands: &Hands) {
    lay(hands, image("测试样本").forged());
    assert_eq!(reader.read(), Err(ReaderError::Refused(Refusal::NotGenuine)));
    lay(hands, CardImage::unknown_chip());
    assert_eq!(reader.read(), Err(ReaderError::NotAnIdCard));
}

fn moved(reader: &mut Reader, hands: &Hands) {
    lay(hands, image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::PulledMidRead { after_bytes: 600 }));
    assert_eq!(reader.read(), Err(ReaderError::CardMoved));
    lay(hands, image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::Status(0x41)));
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn damaged_and_stale(reader: &mut Reader, hands: &Hands) {
    lay(hands, image("测试样本"));
    hands.at(|simulator| {
        simulator.inject_at(ReaderStep::Find, WireFault::WrongChecksum);
        simulator.inject_at(ReaderStep::Select, WireFault::StaleAnswer);
        simulator.inject_at(ReaderStep::Read, WireFault::GarbageBefore);
    });
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn unplugged(reader: &mut Reader, hands: &Hands) {
    lay(hands, image("测试样本"));
    hands.at(|simulator| simulator.inject(WireFault::Unplugged { after_bytes: 500 }));
    assert_eq!(reader.read(), Err(ReaderError::Gone));
    assert_eq!(reader.find(), Err(ReaderError::Gone));
    hands.at(|simulator| simulator.plug().unwrap());
    assert_eq!(reader.read().unwrap().text.name(), "测试样本");
}

fn silent(reader: &mut Reader, hands: &Hands) {
    lay(hands, image("测试样本"));
    hands.at(|simulator| simulator.inject_at(ReaderStep::Find, WireFault::Silence));
    assert_eq!(reader.find(), Err(ReaderError::NoAnswer { in_a_row: 1 }));
    assert_eq!(reader.find(), Ok(Found::Card));
}

fn module(reader: &mut Reader, _: &Hands) {
    assert_eq!(reader.sam_id().unwrap().to_string(), "05.01-20240101-0000123456-0987654321");
    assert_eq!(reader.reset(), Ok(()));
}

#[test]
fn what_was_recorded_on_a_serial_line_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |port, ()| {
        let simulator = simulator::serve(port, BAUD).unwrap();
        simulator.set_paced(false);
        (simulator, Box::new(SerialLine::new(port, BAUD)))
    });
}

#[test]
fn what_was_recorded_on_usb_pipes_is_played_back() {
    tape().is_recorded_and_played_back(Keep::Never, |_, ()| {
        let (pipes, simulator) = simulator::serve_usb();
        simulator.set_paced(false);
        (simulator, Box::new(FourPipes::new(pipes, PipeLayout::MINISTRY)))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
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
    let diverged = tape().noticed("module", |reader| {
        assert_eq!(reader.find(), Err(ReaderError::Gone), "it asked for the module's number then");
    });
    assert_eq!(diverged, ReplayError::Diverged(3));
    let unfinished = tape().noticed("module", |reader| assert!(reader.sam_id().is_ok()));
    assert!(matches!(unfinished, ReplayError::Unfinished(_)));
}
