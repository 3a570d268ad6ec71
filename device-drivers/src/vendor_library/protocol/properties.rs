//! The host's protocol: any split of the stream, any bytes, and every message there and back.

use proptest::prelude::*;

use super::*;

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Frame, ProtocolError>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(result) = decoder.next_frame() {
            let ended = result.is_err();
            found.push(result);
            if ended {
                return found;
            }
        }
    }
    found
}

fn only_frame(bytes: &[u8]) -> Frame {
    let mut found = decode([bytes]);
    assert_eq!(found.len(), 1);
    found.remove(0).unwrap()
}

fn arbitrary_stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = (any::<u8>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..60))
        .prop_map(|(kind, ticket, body)| encode_frame(kind, ticket, &[&body]).to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..12);
    prop::collection::vec(prop_oneof![6 => frame, 1 => noise], 0..8).prop_map(|parts| parts.concat())
}

fn refusal() -> impl Strategy<Value = Refusal> {
    any::<i32>().prop_filter_map("0 is no refusal", Refusal::from_code)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(stream in arbitrary_stream(), cuts in prop::collection::vec(any::<u16>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let whole = decode([stream.as_slice()]);
        prop_assert_eq!(&whole, &decode(pieces));
        prop_assert_eq!(&whole, &decode(stream.chunks(1)));
    }

    #[test]
    fn a_frame_is_read_as_it_was_written(kind in any::<u8>(), ticket in any::<u32>(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        let frame = only_frame(&encode_frame(kind, ticket, &[&body]));
        prop_assert_eq!((frame.kind(), frame.ticket(), frame.body()), (kind, ticket, body.as_slice()));
        prop_assert_eq!(frame.into_body().to_vec(), body);
    }

    #[test]
    fn requests_survive_the_wire(version in any::<u16>(), limits in any::<(u64, u32, u64)>(), verb in any::<u32>(), longest in 0..=OUTPUT_BYTES_MAX as u32, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let limits = Limits { address_space_bytes: limits.0, descriptors: limits.1, file_bytes: limits.2 };
        for request in [
            Request::Start { version, limits, settings: &bytes },
            Request::Call { verb, output_bytes_max: longest, input: &bytes },
            Request::Stop,
        ] {
            let frame = only_frame(&request.encode(7));
            prop_assert_eq!(Request::from_frame(&frame), Ok(request));
            prop_assert!(Answer::from_frame(&frame).is_err(), "a request is no answer");
        }
    }

    #[test]
    fn answers_survive_the_wire(identity in "[ -~\\p{Han}]{1,30}", refusal in refusal(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for answer in [
            Answer::Started { identity: &identity },
            Answer::Done(&bytes),
            Answer::Refused(refusal),
            Answer::Unusable { fault: LoadFault::MissingFunction, detail: &identity },
            Answer::Misbehaved(Misbehaviour::WroteBeyondRoom),
        ] {
            let frame = only_frame(&answer.encode(7));
            prop_assert_eq!(Answer::from_frame(&frame), Ok(answer));
            prop_assert!(Request::from_frame(&frame).is_err(), "an answer is no request");
        }
    }

    #[test]
    fn whatever_is_understood_is_written_the_same_way(kind in prop_oneof![0u8..5, 0x80u8..0x88], body in prop::collection::vec(any::<u8>(), 0..40)) {
        let bytes = encode_frame(kind, 9, &[&body]);
        let frame = only_frame(&bytes);
        if let Ok(request) = Request::from_frame(&frame) {
            prop_assert_eq!(request.encode(9), bytes.clone());
        }
        if let Ok(answer) = Answer::from_frame(&frame) {
            prop_assert_eq!(answer.encode(9), bytes);
        }
    }
}

#[test]
fn an_impossible_length_ends_the_stream() {
    for length in [0u32, 4, 6 + BODY_BYTES_MAX as u32, u32::MAX] {
        let mut decoder = FrameDecoder::new();
        decoder.push(&length.to_be_bytes());
        assert_eq!(decoder.next_frame(), Some(Err(ProtocolError::Length)), "{length}");
        decoder.push(&Request::Stop.encode(1));
        assert_eq!(decoder.next_frame(), Some(Err(ProtocolError::Length)), "{length}");
    }
}

#[test]
fn the_largest_messages_fit_and_no_larger_ones() {
    let body = vec![0u8; BODY_BYTES_MAX];
    assert_eq!(only_frame(&encode_frame(0x82, 1, &[&body])).body().len(), BODY_BYTES_MAX);
    let input = &body[..INPUT_BYTES_MAX];
    let call = Request::Call { verb: 1, output_bytes_max: OUTPUT_BYTES_MAX as u32, input };
    assert_eq!(Request::from_frame(&only_frame(&call.encode(1))), Ok(call));
    let too_much = Request::Call { verb: 1, output_bytes_max: OUTPUT_BYTES_MAX as u32 + 1, input: &[] };
    assert_eq!(Request::from_frame(&only_frame(&too_much.encode(1))), Err(ProtocolError::NoMessage));
    let settings = &body[..=SETTINGS_BYTES_MAX];
    let start = Request::Start { version: VERSION, limits: Limits::default(), settings };
    assert_eq!(Request::from_frame(&only_frame(&start.encode(1))), Err(ProtocolError::NoMessage));
}

#[test]
fn text_that_would_spoil_a_log_line_is_no_message() {
    for body in [&b""[..], b"two\nlines", b"\x1b[2J", b"\xff\xfe", &[b'x'; IDENTITY_BYTES_MAX + 1]] {
        let frame = only_frame(&encode_frame(0x81, 1, &[body]));
        assert_eq!(Answer::from_frame(&frame), Err(ProtocolError::NoMessage));
    }
}

#[test]
fn what_may_be_a_residents_is_never_shown() {
    let secret = "990001199001011008";
    let request = Request::Call { verb: 1, output_bytes_max: 1, input: secret.as_bytes() };
    let start = Request::Start { version: VERSION, limits: Limits::default(), settings: secret.as_bytes() };
    let frame = only_frame(&request.encode(1));
    let mut decoder = FrameDecoder::new();
    decoder.push(&request.encode(1));
    let said = format!("{request:?} {start:?} {frame:?} {decoder:?} {:?}", Answer::Done(secret.as_bytes()));
    assert!(!said.contains(secret) && !said.contains("57, 57, 48"), "{said}");
}
