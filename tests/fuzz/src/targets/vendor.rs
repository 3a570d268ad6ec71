//! What a vendor library's process and the kiosk say to each other: the library may write into its own line.

use device_drivers::vendor_library::protocol::{
    Answer, Frame, FrameDecoder, Limits, LoadFault, Misbehaviour, ProtocolError, Refusal, Request, VERSION,
};

use crate::Target;
use crate::privacy::{assert_error_quiet, assert_quiet};

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "device-vendor-frames",
        decodes: "the line between the kiosk and a vendor library's process, both ways: FrameDecoder, Request, Answer",
        inputs: 5000,
        seeds,
        run,
    }]
}

fn seeds() -> Vec<Vec<u8>> {
    let number = b"990001199001011008";
    let start = Request::Start { version: VERSION, limits: Limits::default(), settings: number };
    let call = Request::Call { verb: 0x101, output_bytes_max: 38_560, input: number };
    let requests = [start, call, Request::Stop].map(|request| request.encode(1).to_vec());
    let unusable = Answer::Unusable { fault: LoadFault::MissingFunction, detail: "kiosk_vendor_call" };
    let answers = [
        Answer::Started { identity: "解码器 1.0" },
        Answer::Done(number),
        Answer::Refused(Refusal::BadInput),
        unusable,
        Answer::Misbehaved(Misbehaviour::LengthBeyondRoom),
    ]
    .map(|answer| answer.encode(1).to_vec());
    let (requests_together, answers_together) = (requests.concat(), answers.concat());
    requests.into_iter().chain(answers).chain([requests_together, answers_together]).collect()
}

fn run(bytes: &[u8]) {
    let whole = frames([bytes]);
    let third = bytes.len() / 3;
    assert_eq!(whole, frames([&bytes[..third], &bytes[third..]]), "a split changes nothing");
    if bytes.len() <= 2048 {
        assert_eq!(whole, frames(bytes.chunks(1)), "bytes one by one change nothing");
    }
    for frame in whole {
        match frame {
            Ok(frame) => look_into(&frame),
            Err(error) => assert_error_quiet(&error),
        }
    }
}

/// All frames up to the end of the stream.
fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Frame, ProtocolError>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame() {
            let broken = frame.is_err();
            found.push(frame);
            if broken {
                return found;
            }
        }
    }
    assert_quiet(&format!("{decoder:?}"));
    found
}

fn look_into(frame: &Frame) {
    let (request, answer) = (Request::from_frame(frame), Answer::from_frame(frame));
    assert!(request.is_err() || answer.is_err(), "no message goes both ways");
    assert_quiet(&format!("{frame:?} {request:?}"));
    let written = match (request, answer) {
        (Ok(request), _) => request.encode(frame.ticket()),
        (_, Ok(answer)) => {
            // What a library calls itself and what the loader says are shown as they are: no resident was near yet.
            if !matches!(answer, Answer::Started { .. } | Answer::Unusable { .. }) {
                assert_quiet(&format!("{answer:?}"));
            }
            answer.encode(frame.ticket())
        }
        (Err(error), Err(_)) => return assert_error_quiet(&error),
    };
    let mut decoder = FrameDecoder::new();
    decoder.push(&written);
    assert!(decoder.next_frame() == Some(Ok(frame.clone())), "what is understood is written the same way");
}
