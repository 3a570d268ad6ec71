//! The reader's protocol against splits, noise and random cards.

use proptest::prelude::*;

use super::frame::{MAX_LENGTH, PREAMBLE, encode_frame};
use super::tests::decode;
use super::*;
use crate::id_card_reader::card::{CardText, MainlandCard};

fn arbitrary_stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = prop::collection::vec(any::<u8>(), 3..60).prop_map(|body| encode_frame(&body).to_vec());
    let broken = prop::collection::vec(any::<u8>(), 3..20).prop_map(|body| {
        let mut frame = encode_frame(&body).to_vec();
        *frame.last_mut().unwrap() ^= 0x40;
        frame
    });
    let noise = prop::collection::vec(prop_oneof![Just(0xAAu8), Just(0x96), Just(0x69), any::<u8>()], 0..12);
    let huge = Just([&PREAMBLE[..], &((MAX_LENGTH + 1) as u16).to_be_bytes()].concat());
    prop::collection::vec(prop_oneof![4 => frame, 1 => broken, 2 => noise, 1 => huge], 0..8)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(stream in arbitrary_stream(), cuts in prop::collection::vec(any::<u16>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
        let whole = decode([stream.as_slice()]);
        prop_assert_eq!(&whole, &decode(pieces));
        prop_assert_eq!(&whole, &decode(bytewise));
    }

    #[test]
    fn a_good_frame_is_found_behind_quiet_noise(noise in prop::collection::vec(0u8..0xAA, 0..40), body in prop::collection::vec(any::<u8>(), 3..40)) {
        let frame = encode_frame(&body).to_vec();
        let (outcomes, _) = decode([noise.as_slice(), frame.as_slice()]);
        prop_assert_eq!(outcomes, vec![Ok(frame)]);
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..4000), block in prop::collection::vec(any::<u8>(), 256)) {
        fuzz_decode(&bytes);
        fuzz_decode(&[&PREAMBLE[..], &[0x05, 0x08], &bytes].concat());
        for mark in [b' ', b'I', b'J', b'Y'] {
            let mut block = block.clone();
            block[248..250].copy_from_slice(&[mark, 0]);
            let card = decode_text(&block).unwrap();
            let _ = (card.birth_iso(), card.valid_to_iso(), card.sex(), card.ethnic(), card.name().len());
            if let CardText::Foreigner2023(card) = &card {
                let _ = card.derived_old_number();
            }
        }
    }

    #[test]
    fn a_card_survives_the_block(name in "[\\p{Han}]{0,7}", address in "[\\p{Han}0-9]{0,17}", number in "[0-9]{17}[0-9X]") {
        let mut card = MainlandCard::default();
        (card.name, card.address, card.number) = (name, address, number);
        (card.sex, card.ethnic) = ("2".into(), "08".into());
        let card = CardText::Mainland(card);
        prop_assert_eq!(decode_text(&encode_text(&card).unwrap()).unwrap(), card);
    }
}
