//! What a where-to-go item (去处) ends with: whether the resident can have it done, what to bring, and which window.

use crate::condition::Condition;
use crate::condition::{ConditionError, Facts};
use crate::item::ServiceItem;
use crate::text::Text;
use serde::Deserialize;

/// One outcome. The first whose condition holds is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// When it is the one; always, if absent.
    pub when: Option<Condition>,
    /// What it comes to.
    pub verdict: Verdict,
    /// The same in a few words.
    pub title: Text,
    /// Why, and what to do.
    pub advice: Text,
    /// What to bring; nothing when there is no point in going.
    pub bring: Vec<Text>,
    /// Where to go, if anywhere.
    pub place: Option<Place>,
}

/// What an outcome comes to. The screen gives each a sign and a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It can be done.
    Can,
    /// It cannot, or not now.
    Cannot,
    /// Only people can tell: ask first.
    Ask,
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is called.
    pub window: Text,
    /// Where it is, or how to find it.
    pub address: Text,
    /// When it is open.
    pub hours: Text,
    /// A number to call, as people write it.
    pub phone: String,
    /// The queue of which numbers are given here; its name begins with the letter that stands before a number.
    pub queue: Option<String>,
}

impl ServiceItem {
    /// Which outcome the answers lead to; `None` when no condition holds, which the rules leave no way to.
    pub fn outcome(&self, facts: &Facts) -> Result<Option<usize>, ConditionError> {
        for (at, outcome) in self.outcomes.iter().enumerate() {
            let holds = match &outcome.when {
                None => true,
                Some(condition) => self.holds_given(condition, &facts.known())?,
            };
            if holds {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}
