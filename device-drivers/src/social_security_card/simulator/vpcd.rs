//! The wire between a virtual card and `vpcd`, the virtual reader of vsmartcard: TCP, and in each direction messages of
//! a two-byte length (big-endian) and that many bytes.
//!
//! From the reader, one byte is an order: 00 power off, 01 power on, 02 reset, 04 tell the ATR. Anything longer is a
//! command for the card. Only the ATR and commands are answered.

/// What the reader sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderMessage {
    /// The card loses its power.
    PowerOff,
    /// The card gets power.
    PowerOn,
    /// The card is reset.
    Reset,
    /// The reader wants the answer to reset.
    TellAtr,
    /// A command for the card.
    Command(Vec<u8>),
    /// Nothing that a card has to do with.
    Other,
}

/// Cuts what arrives into messages.
#[derive(Debug, Default)]
pub struct ReaderMessages {
    bytes: Vec<u8>,
}

impl ReaderMessages {
    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub fn next_message(&mut self) -> Option<ReaderMessage> {
        let [high, low, rest @ ..] = self.bytes.as_slice() else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let message = match rest.get(..length)? {
            [0x00] => ReaderMessage::PowerOff,
            [0x01] => ReaderMessage::PowerOn,
            [0x02] => ReaderMessage::Reset,
            [0x04] => ReaderMessage::TellAtr,
            [] | [_] => ReaderMessage::Other,
            command => ReaderMessage::Command(command.to_vec()),
        };
        self.bytes.drain(..2 + length);
        Some(message)
    }
}

/// A message to the reader; one of more than 65,535 bytes is cut.
pub fn encode(answer: &[u8]) -> Vec<u8> {
    let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], &answer[..usize::from(length)]].concat()
}
