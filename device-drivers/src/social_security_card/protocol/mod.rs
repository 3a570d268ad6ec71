//! A social-security card as pure bytes: commands, status words, records, and the order in which a card is read. No I/O:
//! whoever reads brings a [`CardChannel`].

pub mod apdu;
pub mod conversation;
pub mod record;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use apdu::{CardFile, SELECT_APPLICATION};
pub use conversation::{CardChannel, ChannelError, read_card};
pub use record::{Record, RecordError};
