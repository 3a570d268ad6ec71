//! What directions (指引凭条) say: what the answers came to, what to bring, and which window. Nobody has identified, and
//! nothing stands on them but what was touched and what the catalog says.

use serde::{Deserialize, Serialize};

use crate::{DocumentError, Language};

/// What stands on directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directions {
    /// Language of the labels; everything else arrives in it already.
    pub language: Language,
    /// Marks the print-out 演示: it is made by a demonstration and good for nothing else.
    pub demo: bool,
    /// Where the terminal stands.
    pub place: String,
    /// Code of the terminal.
    pub terminal: String,
    /// Title of the service item.
    pub item_title: String,
    /// What it comes to, in a few words.
    pub verdict: String,
    /// Why, and what to do.
    pub advice: String,
    /// What to bring.
    pub bring: Vec<String>,
    /// Where to go, if anywhere.
    pub window: Option<Window>,
    /// A number of that window, taken for a day.
    pub number: Option<QueueNumber>,
    /// What was asked, and what was answered.
    pub answers: Vec<(String, String)>,
    /// When it was printed, as it is to be read: `2026-11-22 14:05`.
    pub printed_at: String,
}

/// A number of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueNumber {
    /// As it is called: `A023`.
    pub number: String,
    /// How many wait before it, when that is known.
    pub waiting: Option<u32>,
    /// The day on which it is good, as it is to be read.
    pub day: String,
}

/// Where to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// When it is open.
    pub hours: String,
    /// A number to call.
    pub phone: String,
}

/// More of either fits on no slip that somebody would read.
const MAX_LIST: usize = 12;

impl Directions {
    /// Refuses what has no room, so that nobody can make the printer run on.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let fields = [
            ("place", self.place.as_str(), 120),
            ("terminal", &self.terminal, 24),
            ("item_title", &self.item_title, 160),
            ("verdict", &self.verdict, 120),
            ("advice", &self.advice, 600),
            ("printed_at", &self.printed_at, 48),
        ];
        let window = self.window.iter().flat_map(|window| {
            [&window.name, &window.address, &window.hours, &window.phone]
                .map(|text| ("window", text.as_str(), 240))
        });
        let lists = self.answers.iter().flat_map(|(asked, given)| [asked, given]).chain(&self.bring);
        let lists = lists.map(|text| ("bring and answers", text.as_str(), 240));
        let number = self.number.iter().flat_map(|number| {
            [("number", number.number.as_str(), 8), ("day of the number", &number.day, 48)]
        });
        for (field, text, limit) in fields.into_iter().chain(window).chain(number).chain(lists) {
            if text.chars().count() > limit {
                return Err(DocumentError::TooLong { field, limit });
            }
        }
        if self.bring.len() > MAX_LIST || self.answers.len() > MAX_LIST {
            return Err(DocumentError::TooLong { field: "bring and answers", limit: MAX_LIST });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_refused() {
        assert!(Directions::default().check().is_ok());
        let long = Directions { bring: vec!["长".repeat(241)], ..Directions::default() };
        assert!(matches!(long.check(), Err(DocumentError::TooLong { .. })));
        let many = Directions { answers: vec![(String::new(), String::new()); 13], ..Directions::default() };
        assert!(many.check().is_err());
    }
}
