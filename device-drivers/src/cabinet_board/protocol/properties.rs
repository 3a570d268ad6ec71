//! The board's protocol against splits, noise and random bytes.

use proptest::prelude::*;

use super::frame::{MAX_PAYLOAD, PREAMBLE};
use super::*;

fn arbitrary_frame() -> impl Strategy<Value = Frame> {
    let payload = prop::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD);
    (any::<u8>(), any::<u8>(), any::<u8>(), payload).prop_map(|(version, sequence, kind, payload)| Frame {
        version,
        sequence,
        kind,
        payload,
    })
}

fn arbitrary_stream() -> impl Strategy<Value = Vec<u8>> {
    let good = arbitrary_frame().prop_map(|frame| frame.encode());
    let broken = (arbitrary_frame(), any::<u8>()).prop_map(|(frame, at)| {
        let mut bytes = frame.encode();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= 0x40;
        bytes
    });
    let noise = prop::collection::vec(prop_oneof![Just(0x55u8), Just(0xAA), any::<u8>()], 0..12);
    let start = any::<u8>().prop_map(|length| [&PREAMBLE[..], &[length]].concat());
    prop::collection::vec(prop_oneof![4 => good, 1 => broken, 2 => noise, 1 => start], 0..8)
        .prop_map(|parts| parts.concat())
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Frame, FrameError>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        found.extend(std::iter::from_fn(|| decoder.next_frame()));
    }
    found
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
    fn a_frame_is_read_as_it_was_written(frame in arbitrary_frame()) {
        prop_assert_eq!(decode([frame.encode().as_slice()]), vec![Ok(frame)]);
    }

    #[test]
    fn one_wrong_bit_is_never_believed(frame in arbitrary_frame(), at in any::<u16>(), bit in 0u32..8) {
        let mut bytes = frame.encode();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(!decode([bytes.as_slice()]).contains(&Ok(frame)));
    }

    #[test]
    fn what_is_understood_is_written_the_same_again(frame in arbitrary_frame()) {
        if let Ok(request) = Request::from_frame(&frame) {
            prop_assert_eq!(request.frame(frame.sequence), frame);
        } else if let Some(answer) = Answer::from_frame(&frame) {
            let again = answer.frame(frame.sequence);
            prop_assert_eq!(Answer::from_frame(&again), Some(answer));
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000), kind in any::<u8>(), payload in prop::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD)) {
        fuzz_decode(&bytes);
        let frame = Frame { version: VERSION, sequence: 0, kind, payload };
        prop_assert_eq!(fuzz_decode(&frame.encode()), 1);
        let mut damaged = frame.encode();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        prop_assert!(decode([damaged.as_slice()]).contains(&Err(FrameError::Checksum)));
    }
}
