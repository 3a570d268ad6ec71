//! What devices say over a serial line or USB pipes, noise included.

use std::collections::VecDeque;
use std::time::Instant;

use device_drivers::bulk_pipes::{BulkPipes, PACKET_BYTES_MAX};
use device_drivers::id_card_reader::protocol::{
    FrameDecoder, FrameError, ReadAnswer, Request, SamId, decode_additional_address, decode_text,
    encode_text, frame,
};
use device_drivers::id_card_reader::{CardText, Foreigner2023Card, FourPipes, MainlandCard, PipeLayout};
use device_drivers::receipt_printer::protocol::text::encode_line;
use device_drivers::receipt_printer::protocol::{ProcessId, Reply, ReplyDecoder};
use device_drivers::receipt_printer::{Characters, TextLine, TextMode};
use device_drivers::transport::{LineError, Ready, Transport};

use crate::Target;
use crate::privacy::{assert_error_quiet, assert_quiet};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "device-card-frames",
            decodes: "bytes of the identity card reader's line, both ways: FrameDecoder and what good frames carry",
            inputs: 5000,
            seeds: frame_seeds,
            run: frames,
        },
        Target {
            name: "device-card-pipes",
            decodes: "packets of the identity card reader's USB pipes: FourPipes, and the frames of its stream",
            inputs: 2000,
            seeds: pipe_seeds,
            run: pipes,
        },
        Target {
            name: "device-card-text",
            decodes: "text block of an identity card, four layouts: decode_text",
            inputs: 5000,
            seeds: text_seeds,
            run: text,
        },
        Target {
            name: "device-printer-replies",
            decodes: "what the receipt printer answers: ReplyDecoder",
            inputs: 5000,
            seeds: reply_seeds,
            run: replies,
        },
        Target {
            name: "device-printer-text",
            decodes: "a line of a receipt, before it goes to the printer as text: encode_line",
            inputs: 5000,
            seeds: text_line_seeds,
            run: text_line,
        },
    ]
}

fn mainland() -> CardText {
    let mut card = MainlandCard::default();
    (card.name, card.number) = ("𬱖㛃".into(), "990001199001011008".into());
    (card.sex, card.ethnic, card.birth) = ("2".into(), "01".into(), "19900101".into());
    (card.address, card.issuer) = ("示例市示例街道1号".into(), "示例市公安局".into());
    (card.valid_from, card.valid_to) = ("20200101".into(), "长期".into());
    CardText::Mainland(card)
}

fn foreigner() -> CardText {
    let mut card = Foreigner2023Card::default();
    card.english_name = "A NAME THAT IS LONGER THAN ITS FIRST PLACE ON THE".chars().take(46).collect();
    (card.number, card.birth) = ("990001199001011008".into(), "19900101".into());
    CardText::Foreigner2023(card)
}

fn read_answer() -> Vec<u8> {
    let text = encode_text(&mainland()).expect("a card fits its block");
    let lengths = [256_u16.to_be_bytes(), 16_u16.to_be_bytes()].concat();
    frame::encode_frame(&[&[0, 0, 0x90][..], &lengths, &text, &[7; 16]].concat()).to_vec()
}

fn frame_seeds() -> Vec<Vec<u8>> {
    let sam = frame::encode_frame(&[&[0, 0, 0x90][..], &[9; 16]].concat()).to_vec();
    let address = frame::encode_frame(&[&[0, 0, 0x90][..], &[b' '; 70]].concat()).to_vec();
    let request = frame::encode_frame(&[0x20, 0x01]).to_vec();
    let noisy = [&[0xAA, 0xAA, 0x11][..], &sam, &[0xAA], &request].concat();
    vec![read_answer(), sam, address, request, noisy]
}

/// What came out, as far as it can be compared.
type Outcome = Result<Vec<u8>, FrameError>;

fn frames(bytes: &[u8]) {
    for make in [FrameDecoder::for_answers as fn() -> FrameDecoder, FrameDecoder::for_requests] {
        let whole = outcomes(make(), [bytes]);
        let third = bytes.len() / 3;
        assert_eq!(whole, outcomes(make(), [&bytes[..third], &bytes[third..]]), "a split changes nothing");
        if bytes.len() <= 2048 {
            assert_eq!(whole, outcomes(make(), bytes.chunks(1)), "bytes one by one change nothing");
        }
    }
}

fn outcomes<'a>(mut decoder: FrameDecoder, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Outcome> {
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(result) = decoder.next_frame() {
            if let Ok(frame) = &result {
                look_into(frame);
            }
            found.push(result.map(|frame| frame.bytes().to_vec()));
        }
    }
    assert_quiet(&format!("{decoder:?}"));
    found
}

fn look_into(frame: &device_drivers::id_card_reader::protocol::Frame) {
    let body = frame.body();
    assert_eq!(frame::encode_frame(body).as_slice(), frame.bytes(), "a frame is written as it was read");
    assert_quiet(&format!("{frame:?} {:?}", Request::from_frame(frame)));
    let _ = (SamId::from_answer(frame), decode_additional_address(frame));
    for with_fingerprint in [false, true] {
        match ReadAnswer::from_answer(frame, with_fingerprint) {
            Ok(answer) => {
                let parts = answer.text.len() + answer.photo.len() + answer.fingerprint.len();
                assert!(parts < frame.data().len());
                assert_quiet(&format!("{answer:?}"));
                text(answer.text);
            }
            Err(error) => assert_error_quiet(&error),
        }
    }
}

/// Packets as one input: for each a byte with its length and, in the highest bit, its pipe; then its bytes.
fn packets(bytes: &[u8]) -> [VecDeque<Vec<u8>>; 2] {
    let mut pipes = [VecDeque::new(), VecDeque::new()];
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let (packet, left) = after.split_at(after.len().min(usize::from(first & 0x7F)));
        pipes[usize::from(first >> 7)].push_back(packet.to_vec());
        rest = left;
    }
    pipes
}

fn pipe_seeds() -> Vec<Vec<u8>> {
    let split = |frame: &[u8], size: usize| {
        let (head, body) = frame.split_at(frame::HEAD);
        let mut seed = vec![head.len() as u8];
        seed.extend(head);
        for packet in body.chunks(size) {
            seed.push(0x80 | packet.len() as u8);
            seed.extend(packet);
        }
        seed
    };
    let status = frame::encode_frame(&[0, 0, 0x80]).to_vec();
    vec![
        split(&read_answer(), 64),
        split(&status, 64),
        [split(&status, 1), split(&read_answer(), 33)].concat(),
    ]
}

/// Pipes that hold what the device has said.
struct HeldPipes([VecDeque<Vec<u8>>; 2]);

impl BulkPipes for HeldPipes {
    fn ready(&mut self) -> Result<Ready, LineError> {
        Ok(Ready::StillOpen)
    }

    fn send(&mut self, _: u8, _: &[u8], _: Instant) -> Result<(), LineError> {
        Ok(())
    }

    fn receive(
        &mut self,
        pipe: u8,
        packet: &mut [u8; PACKET_BYTES_MAX],
        _: Instant,
    ) -> Result<Option<usize>, LineError> {
        let waiting = &mut self.0[usize::from(pipe == PipeLayout::MINISTRY.body_in)];
        let Some(bytes) = waiting.pop_front() else { return Ok(None) };
        packet[..bytes.len()].copy_from_slice(&bytes);
        Ok(Some(bytes.len()))
    }
}

fn pipes(bytes: &[u8]) {
    let streams = [1, 7, 512].map(|room| {
        let mut pipes = FourPipes::new(HeldPipes(packets(bytes)), PipeLayout::MINISTRY);
        let (mut stream, mut buffer) = (Vec::new(), vec![0; room]);
        loop {
            match pipes.read_some(&mut buffer, Instant::now()) {
                Ok(0) => return stream,
                Ok(count) => stream.extend(&buffer[..count]),
                Err(_) => panic!("these pipes are never lost"),
            }
        }
    });
    let given: usize = packets(bytes).iter().flatten().map(Vec::len).sum();
    assert!(streams[0].len() <= given, "no byte comes out of nothing");
    assert!(streams.iter().all(|stream| *stream == streams[0]), "the reader's buffer changes nothing");
    frames(&streams[0]);
}

fn text_seeds() -> Vec<Vec<u8>> {
    [mainland(), foreigner()].map(|card| encode_text(&card).expect("a card fits its block").to_vec()).to_vec()
}

fn text(bytes: &[u8]) {
    match decode_text(bytes) {
        Ok(card) => {
            assert_quiet(&format!("{card:?}"));
            let _ = (card.birth_iso(), card.valid_from_iso(), card.valid_to_iso(), card.sex(), card.ethnic());
            if let CardText::Foreigner2023(card) = &card {
                let _ = card.derived_old_number();
            }
            // Lone surrogates were replaced by as many units, so what was read always fits again.
            let again = encode_text(&card).expect("what came out of a block fits into one");
            assert!(decode_text(&again) == Ok(card), "a card is read as it was written");
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn reply_seeds() -> Vec<Vec<u8>> {
    let done = ProcessId::from_number(7).answer().to_vec();
    let status = vec![0x12, 0x16, 0x14, 0x00, 0x0F, 0x00, 0x00, 0x11, 0x13];
    vec![done.clone(), status.clone(), [status, done, vec![0x5F, b'x', 0]].concat(), vec![0x37; 200]]
}

fn replies(bytes: &[u8]) {
    let whole = replies_to([bytes]);
    assert!(whole.len() <= bytes.len(), "no reply comes out of nothing");
    assert_eq!(whole, replies_to(bytes.chunks(1)), "bytes one by one change nothing");
}

fn replies_to<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Reply> {
    let mut decoder = ReplyDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(reply) = decoder.next_reply() {
            if let Reply::Asb(asb) = &reply {
                let _ = asb.status();
            }
            found.push(reply);
        }
    }
    found
}

fn text_line_seeds() -> Vec<Vec<u8>> {
    ["示例市受理回执", "测试𬱖㛃䶮", "A \u{1B}@\u{10}\u{5}\u{2}", "1234567890"]
        .map(|line| line.as_bytes().to_vec())
        .to_vec()
}

fn text_line(bytes: &[u8]) {
    let line = TextLine::plain(String::from_utf8_lossy(bytes));
    for characters in [Characters::Gb2312, Characters::Gbk] {
        let mode = TextMode { columns: 48, cell_width: 12, cell_height: 24, characters };
        let Some(encoded) = encode_line(&line, mode) else { continue };
        assert!(encoded.len() <= 48, "what is too long goes as a picture");
        assert!(encoded.iter().all(|byte| *byte >= 0x20), "text holds no command");
        assert!(line.text.chars().count() <= encoded.len(), "no character gets lost");
    }
    assert_quiet(&format!("{line:?}"));
}
