//! Calls for keepers, as terminals make them: opened, asked about, cancelled. Who answers them is in `desk`.
//!
//! Deliberately absent: anything about a resident. What a terminal says of a call is cut down to the words that a machine
//! has; whatever else a terminal sends is left out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sync_protocol::limits::MAX_FIELD;
use sync_protocol::{AnswerBody, KeeperCall, KeeperCallState};

use crate::budgets::Bucket;
use crate::store::StoreError;
use crate::store::keeper::{CallId, CallRow, KeeperCalls, NewCall};
use crate::terminals::now_ms;

/// A call that nobody answered is over after so long.
pub(crate) const LASTS_MS: i64 = 10 * 60 * 1000;

/// Calls are forgotten after so long; what is to be known of them stands in the audit chain.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Calls a terminal may open at once; then one in half a minute.
const RINGS: f64 = 8.0;
const RINGS_PER_SECOND: f64 = 1.0 / 30.0;

/// Terminals whose calls are counted.
const COUNTED: usize = 16 * 1024;

/// Longest name of a place that is kept, in characters.
const PLACE_CHARS: usize = 60;

/// What terminals can do with calls.
pub(crate) struct Calls {
    store: Arc<dyn KeeperCalls>,
    rings: Mutex<HashMap<String, Bucket>>,
}

/// How a call stands at this moment.
pub(crate) fn state_of(row: &CallRow, now_ms: i64) -> KeeperCallState {
    if row.ended_at_ms.is_some() {
        KeeperCallState::Over
    } else if row.answered.is_some() {
        KeeperCallState::Coming
    } else if now_ms - row.call.opened_at_ms >= LASTS_MS {
        KeeperCallState::Over
    } else if row.heard_at_ms.is_some() {
        KeeperCallState::Heard
    } else {
        KeeperCallState::Ringing
    }
}

impl Calls {
    pub(crate) fn new(store: Arc<dyn KeeperCalls>) -> Self {
        Self { store, rings: Mutex::default() }
    }

    /// Opens a call, or says how the one with this name stands.
    pub(crate) async fn ring(&self, terminal: &str, call: KeeperCall) -> AnswerBody {
        let Some(call) = cleaned(terminal, call) else { return AnswerBody::NotFound };
        told(self.open(call).await)
    }

    async fn open(&self, call: NewCall) -> Result<Option<KeeperCallState>, StoreError> {
        let CallId { terminal, name } = &call.id;
        let now_ms = call.opened_at_ms;
        let row = match self.store.keeper_call(terminal, name).await? {
            Some(row) => Some(row),
            None if !self.may_ring(terminal) => None,
            None => {
                self.store.forget_calls(now_ms - KEPT_MS).await?;
                self.store.open_call(call).await?
            }
        };
        Ok(row.map(|row| state_of(&row, now_ms)))
    }

    /// How a call stands.
    pub(crate) async fn state(&self, terminal: &str, name: &str) -> AnswerBody {
        let found = self.store.keeper_call(terminal, name).await;
        told(found.map(|row| Some(row.map_or(KeeperCallState::Over, |row| state_of(&row, now_ms())))))
    }

    /// Nobody has to come any more. That is noted also of a call that has not come yet: requests may overtake each other.
    pub(crate) async fn cancel(&self, terminal: &str, name: &str) -> AnswerBody {
        if !is_name(name) {
            return AnswerBody::NotFound;
        }
        let cancelled = async {
            let known = self.store.keeper_call(terminal, name).await?.is_some();
            if !known && !self.may_ring(terminal) {
                return Ok(None);
            }
            self.store.end_call(terminal, name, now_ms()).await?;
            Ok(Some(KeeperCallState::Over))
        };
        told(cancelled.await)
    }

    fn may_ring(&self, terminal: &str) -> bool {
        let now = Instant::now();
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if rings.len() >= COUNTED && !rings.contains_key(terminal) {
            rings.clear();
        }
        let bucket =
            rings.entry(terminal.to_owned()).or_insert_with(|| Bucket::new(RINGS_PER_SECOND, RINGS, now));
        if bucket.wait(now).is_some() {
            tracing::warn!(%terminal, "a terminal calls its keeper again and again");
            return false;
        }
        bucket.take(1.0);
        true
    }
}

fn told(state: Result<Option<KeeperCallState>, StoreError>) -> AnswerBody {
    match state {
        Ok(Some(state)) => AnswerBody::KeeperCall { state },
        Ok(None) => AnswerBody::NotNow,
        Err(error) => {
            tracing::warn!(%error, "a call for a keeper could not be kept");
            AnswerBody::NotNow
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_FIELD && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A word of a program; anything else is left out.
fn word(text: String) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if text.len() <= 64 && text.bytes().all(fits) { text } else { String::new() }
}

fn cleaned(terminal: &str, call: KeeperCall) -> Option<NewCall> {
    let KeeperCall { call: name, place, page, item, language, theme } = call;
    if !is_name(&name) {
        return None;
    }
    Some(NewCall {
        id: CallId { terminal: terminal.to_owned(), name },
        place: place.chars().filter(|c| !c.is_control()).take(PLACE_CHARS).collect(),
        page: word(page),
        item: word(item),
        language: word(language),
        theme: word(theme),
        opened_at_ms: now_ms(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str) -> KeeperCall {
        KeeperCall {
            call: name.into(),
            place: format!("示例社区\u{7}{}", "长".repeat(PLACE_CHARS)),
            page: "question".into(),
            item: "12345-appeal".into(),
            language: "zh-Hans".into(),
            theme: "张三 13800000000".into(),
        }
    }

    #[test]
    fn only_words_of_machines_are_kept() {
        let kept = cleaned("DG0001", call("run-1")).unwrap();
        assert_eq!((kept.page.as_str(), kept.item.as_str()), ("question", "12345-appeal"));
        assert_eq!(kept.theme, "", "no word of a machine");
        assert!(kept.place.starts_with("示例社区长") && kept.place.chars().count() == PLACE_CHARS);
        for bad in ["", "a b", "名", &"x".repeat(MAX_FIELD + 1)] {
            assert!(cleaned("DG0001", call(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_call_is_over_in_its_time_unless_somebody_comes() {
        let mut row = CallRow {
            call: cleaned("DG0001", call("run-1")).unwrap(),
            heard_at_ms: None,
            answered: None,
            ended_at_ms: None,
        };
        let opened = row.call.opened_at_ms;
        assert_eq!(state_of(&row, opened + LASTS_MS - 1), KeeperCallState::Ringing);
        row.heard_at_ms = Some(opened);
        assert_eq!(state_of(&row, opened + LASTS_MS - 1), KeeperCallState::Heard);
        assert_eq!(state_of(&row, opened + LASTS_MS), KeeperCallState::Over);
        row.answered = Some(("li".into(), opened));
        assert_eq!(state_of(&row, opened + LASTS_MS), KeeperCallState::Coming);
        row.ended_at_ms = Some(opened);
        assert_eq!(state_of(&row, opened), KeeperCallState::Over);
    }
}
