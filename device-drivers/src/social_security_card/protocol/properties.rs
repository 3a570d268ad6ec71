//! The conversation against cards that answer anything.

use proptest::prelude::*;

use super::conversation::MAX_ANSWER;
use super::tests::OnTheTable;
use super::*;
use crate::social_security_card::SocialSecurityCardError as CardError;
use crate::social_security_card::simulator::vpcd::{ReaderMessage, ReaderMessages, encode};
use crate::social_security_card::simulator::{CardManners, VirtualCard, made_up_person as person};

/// Answers what it is told to, then nothing any more.
struct Scripted {
    answers: Vec<Vec<u8>>,
    asked: usize,
}

impl CardChannel for Scripted {
    fn transmit(&mut self, _: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        let said = self.answers.get(self.asked).ok_or(ChannelError::CardGone)?;
        self.asked += 1;
        answer[..said.len()].copy_from_slice(said);
        Ok(said.len())
    }
}

/// A card whose answers are cut off, or changed, from one command on.
struct Failing {
    table: OnTheTable,
    at: usize,
    keep: usize,
}

impl CardChannel for Failing {
    fn transmit(&mut self, command: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        let length = self.table.transmit(command, answer)?;
        if self.table.commands.len() <= self.at {
            return Ok(length);
        }
        if self.table.commands.len() > self.at + 1 {
            Err(ChannelError::CardGone)
        } else {
            Ok(length.min(self.keep))
        }
    }
}

proptest! {
    #[test]
    fn any_card_is_done_with_soon(answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX_ANSWER), 0..200)) {
        let mut card = Scripted { answers, asked: 0 };
        let _ = read_card(&mut card);
        prop_assert!(card.asked <= 120);
    }

    #[test]
    fn a_card_that_goes_on_for_ever_is_left(status in prop::sample::select(vec![[0x61, 0x05], [0x6C, 0x05]])) {
        let answers = std::iter::once(vec![0x90, 0x00]).chain(std::iter::repeat_n(status.to_vec(), 100));
        let mut card = Scripted { answers: answers.collect(), asked: 0 };
        prop_assert_eq!(read_card(&mut card).err(), Some(CardError::Damaged));
        prop_assert!(card.asked < 10);
    }

    #[test]
    fn a_card_pulled_at_any_place_gives_nothing(at in 0_usize..40, keep in 0_usize..40, by_pieces in any::<bool>()) {
        let manners = CardManners { by_pieces, ..CardManners::default() };
        let card = VirtualCard::of(&person("2.00")).unwrap().with_manners(manners);
        let mut failing = Failing { table: OnTheTable::new(card), at, keep };
        let read = read_card(&mut failing);
        // Only a card that was read to its end may come back.
        prop_assert!(read.is_err() || failing.table.commands.len() <= at + 1);
    }

    #[test]
    fn a_record_survives(tag in any::<u8>(), value in prop::collection::vec(any::<u8>(), 0..=255)) {
        let record = Record::encode(tag, &value).unwrap();
        prop_assert_eq!(Record::decode(&record), Ok(Record { tag, value: &value }));
        prop_assert_eq!(Record::decode(&record[..record.len() - 1]), Err(RecordError::CutOff));
    }

    #[test]
    fn any_split_gives_the_same_messages(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8), cuts in prop::collection::vec(any::<u16>(), 0..12)) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode(message)).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let whole = cut_up([stream.as_slice()]);
        prop_assert_eq!(whole.len(), messages.len());
        prop_assert_eq!(&whole, &cut_up(cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]])));
        prop_assert_eq!(&whole, &cut_up(stream.chunks(1)));
    }
}

fn cut_up<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<ReaderMessage> {
    let mut messages = ReaderMessages::default();
    let mut found = Vec::new();
    for piece in pieces {
        messages.push(piece);
        found.extend(std::iter::from_fn(|| messages.next_message()));
    }
    found
}
