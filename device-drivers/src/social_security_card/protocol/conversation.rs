//! In which order a card is asked, and what is made of its answers.
//!
//! The application is selected by name, then both files are read record by record, first by their short identifiers;
//! a card that does not know those is asked to select each file. Records are known by their tags: from version 2 on
//! they are numbered otherwise. Nothing is ever verified or authenticated: a wrong PIN would be counted by the card.

use zeroize::Zeroizing;

use super::apdu::{self, CardFile, SELECT_APPLICATION, Verdict, verdict};
use super::record::{Record, RecordError};
use crate::social_security_card::SocialSecurityCardError as CardError;
use crate::social_security_card::card::SocialSecurityCard;

/// The longest answer of a card without extended length: 256 bytes and a status word.
pub const MAX_ANSWER: usize = 258;
/// The most records that a file is asked for; the fullest has seven.
const MAX_RECORDS: u8 = 8;
/// Exchanges for one command: a wrong length, then the pieces of an answer.
const MAX_TURNS: usize = 6;

/// Why an exchange failed below the card's own answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelError {
    /// The card is not in the reader any more.
    CardGone,
    /// The reader is not there any more.
    ReaderGone,
    /// The card is there, and its answer could not be had.
    Failed,
}

impl From<ChannelError> for CardError {
    fn from(error: ChannelError) -> CardError {
        match error {
            ChannelError::CardGone => CardError::Pulled,
            ChannelError::ReaderGone => CardError::Gone,
            ChannelError::Failed => CardError::Damaged,
        }
    }
}

/// A way to a card: one command out, one answer back.
pub trait CardChannel {
    /// Sends `command` and writes the answer with its status word to the front of `answer`; returns its length.
    fn transmit(&mut self, command: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError>;
}

impl From<RecordError> for CardError {
    fn from(error: RecordError) -> CardError {
        tracing::debug!(%error, "a record of the card cannot be used");
        CardError::Damaged
    }
}

/// What a card answered in the end, all pieces together.
struct Answer {
    data: Zeroizing<Vec<u8>>,
    verdict: Verdict,
}

/// Reads all free records of a card.
pub fn read_card(channel: &mut dyn CardChannel) -> Result<SocialSecurityCard, CardError> {
    match exchange(channel, &SELECT_APPLICATION)?.verdict {
        Verdict::Done => {}
        Verdict::NoFile | Verdict::OtherWay => return Err(CardError::NotASocialSecurityCard),
        Verdict::Locked => return Err(CardError::Locked),
        Verdict::NoRecord => return Err(CardError::Damaged),
        // 69 99: what cards with many applications say when they have not this one (Java Card).
        Verdict::Refused(0x6999) => return Err(CardError::NotASocialSecurityCard),
        // 62 83 among others: the application is there and was blocked.
        Verdict::Refused(status) => return Err(CardError::Refused(status)),
    }
    let mut card = SocialSecurityCard::default();
    let mut locked = false;
    for file in [CardFile::Issuer, CardFile::Holder] {
        locked |= read_file(channel, file, &mut card)?;
    }
    match (card.number.is_empty() || card.name.is_empty(), locked) {
        (false, _) => Ok(card),
        (true, true) => Err(CardError::Locked),
        (true, false) => Err(CardError::Damaged),
    }
}

/// Reads the records of one file; true when some of it is locked.
fn read_file(
    channel: &mut dyn CardChannel,
    file: CardFile,
    card: &mut SocialSecurityCard,
) -> Result<bool, CardError> {
    let mut addressed = Some(file);
    let mut locked = false;
    for record in 1..=MAX_RECORDS {
        let mut answer = exchange(channel, &apdu::read_record(addressed, record))?;
        let unknown = matches!(answer.verdict, Verdict::OtherWay | Verdict::NoFile);
        if unknown && record == 1 && addressed.is_some() {
            if !select(channel, file)? {
                return Ok(true);
            }
            addressed = None;
            answer = exchange(channel, &apdu::read_record(addressed, record))?;
        }
        match answer.verdict {
            Verdict::Done => Record::decode(&answer.data)?.put_into(card)?,
            Verdict::Locked => locked = true,
            Verdict::NoRecord => break,
            // A file that is not shown is taken for one that needs a key.
            Verdict::NoFile => return Ok(true),
            Verdict::OtherWay => return Err(CardError::Damaged),
            Verdict::Refused(status) => return Err(CardError::Refused(status)),
        }
    }
    Ok(locked)
}

/// Selects a file by its identifier; false when the card does not show it.
fn select(channel: &mut dyn CardChannel, file: CardFile) -> Result<bool, CardError> {
    for p1 in [0x02, 0x00] {
        match exchange(channel, &apdu::select_file(p1, file))?.verdict {
            Verdict::Done => return Ok(true),
            Verdict::OtherWay | Verdict::NoFile => {}
            Verdict::Locked => return Ok(false),
            Verdict::NoRecord => return Err(CardError::Damaged),
            Verdict::Refused(status) => return Err(CardError::Refused(status)),
        }
    }
    Ok(false)
}

/// Sends a command and collects its answer: `6C xx` asks for the same with another length, `61 xx` announces data that
/// GET RESPONSE fetches.
fn exchange(channel: &mut dyn CardChannel, command: &[u8]) -> Result<Answer, CardError> {
    // Room for every turn: no growing, so no copy of a name stays behind.
    let mut data = Zeroizing::new(Vec::with_capacity(MAX_TURNS * MAX_ANSWER));
    let mut buffer = Zeroizing::new([0; MAX_ANSWER]);
    let mut command = command.to_vec();
    for _ in 0..MAX_TURNS {
        let length = channel.transmit(&command, &mut buffer)?;
        let answer = buffer.get(..length).ok_or(CardError::Damaged)?;
        let (body, status) = apdu::split_answer(answer).ok_or(CardError::Damaged)?;
        match status {
            [0x6C, length] if command.len() == 5 => command[4] = length,
            [0x61, length] => {
                data.extend_from_slice(body);
                command = apdu::get_response(length).to_vec();
            }
            status => {
                data.extend_from_slice(body);
                return Ok(Answer { data, verdict: verdict(u16::from_be_bytes(status)) });
            }
        }
    }
    Err(CardError::Damaged)
}
