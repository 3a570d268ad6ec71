//! A resident's answers to an item's questions.

use crate::address::Address;
use crate::photo::Photo;
use crate::private::Private;
use crate::service::QuestionId;
use std::collections::BTreeMap;

/// One answer. Choices hold the option's stable value, dates `YYYY-MM-DD`, numbers and sums of money (in fen) digits.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Text, phone, date, number, money or a single choice.
    One(Private<String>),
    /// Several choices, in the order of the options.
    Many(Vec<Private<String>>),
    /// Photos, in the order in which they were taken. Sealed, the answer names hash and size of each; the files go beside it.
    Photos(Vec<Photo>),
    /// An address in the city.
    Address(Address),
}

impl Answer {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        match self {
            Answer::One(text) => text.expose().trim().is_empty(),
            Answer::Many(chosen) => chosen.is_empty(),
            Answer::Photos(photos) => photos.is_empty(),
            Answer::Address(address) => address.rest.expose().trim().is_empty(),
        }
    }

    /// The photos in it.
    pub fn photos(&self) -> &[Photo] {
        match self {
            Answer::One(_) | Answer::Many(_) | Answer::Address(_) => &[],
            Answer::Photos(photos) => photos,
        }
    }
}

/// Answers by question.
pub type Answers = BTreeMap<QuestionId, Answer>;
