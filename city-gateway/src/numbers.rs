//! 取号 as terminals ask for it: a number of a window today. Which queues there are, the catalog says.
//!
//! Deliberately absent: who gets the number.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use service_catalog::Catalog;
use sync_protocol::limits::MAX_FIELD;
use sync_protocol::{AnswerBody, QueueTicket};
use time::macros::{format_description, offset};
use time::{Date, Duration, OffsetDateTime};

use crate::budgets::Bucket;
use crate::store::StoreError;
use crate::store::numbers::{QueueNumber, QueueNumbers, TakeNumber};
use crate::terminals::now_ms;

/// Three digits: the last number of a day.
const MOST: u32 = 999;

/// Numbers are forgotten after so many days.
const KEPT: Duration = Duration::days(30);

/// Numbers a terminal may take at once; then one in half a minute. A hall has one kiosk for many people.
const TAKES: f64 = 12.0;
const TAKES_PER_SECOND: f64 = 1.0 / 30.0;

/// Terminals whose numbers are counted.
const COUNTED: usize = 16 * 1024;

/// Gives numbers to terminals.
pub(crate) struct Numbers {
    store: Arc<dyn QueueNumbers>,
    queues: BTreeSet<String>,
    takes: Mutex<HashMap<String, Bucket>>,
    /// The day whose predecessors were cleared away last.
    cleared: Mutex<String>,
}

/// Names of all queues of a catalog.
pub(crate) fn queues_of(catalog: &Catalog) -> BTreeSet<String> {
    let outcomes = catalog.items.iter().flat_map(|item| &item.outcomes);
    outcomes.filter_map(|outcome| outcome.place.as_ref()?.queue.clone()).collect()
}

/// What the window of a queue is called.
pub(crate) fn window_of<'a>(catalog: &'a Catalog, queue: &str) -> Option<&'a str> {
    let outcomes = catalog.items.iter().flat_map(|item| &item.outcomes);
    let mut places = outcomes.filter_map(|outcome| outcome.place.as_ref());
    places.find(|place| place.queue.as_deref() == Some(queue)).map(|place| place.window.zh_hans.as_str())
}

/// The day in China at this moment.
pub(crate) fn day_of(now_ms: i64) -> String {
    written(moment(now_ms).date())
}

fn moment(now_ms: i64) -> OffsetDateTime {
    (OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(now_ms)).to_offset(offset!(+8))
}

fn written(day: Date) -> String {
    day.format(&format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// As people read it: the letter with which the queue's name begins, and three digits.
pub(crate) fn shown(queue: &str, number: u32) -> String {
    let letter = queue.chars().next().unwrap_or('A').to_ascii_uppercase();
    format!("{letter}{number:03}")
}

impl Numbers {
    pub(crate) fn new(store: Arc<dyn QueueNumbers>, catalog: &Catalog) -> Self {
        Self { store, queues: queues_of(catalog), takes: Mutex::default(), cleared: Mutex::default() }
    }

    /// A number of this queue today, or the one that the request was given already.
    pub(crate) async fn take(&self, terminal: &str, request: String, queue: String) -> AnswerBody {
        let named = !request.is_empty() && request.len() <= MAX_FIELD;
        if !named || !self.queues.contains(&queue) {
            return AnswerBody::NotFound;
        }
        if !self.may_take(terminal) {
            return AnswerBody::NotNow;
        }
        match self.given(terminal, request, queue).await {
            Ok(Some(number)) => AnswerBody::QueueTicket(told(number)),
            Ok(None) => AnswerBody::NotNow,
            Err(error) => {
                tracing::warn!(%error, "a number could not be given");
                AnswerBody::NotNow
            }
        }
    }

    async fn given(
        &self,
        terminal: &str,
        request: String,
        queue: String,
    ) -> Result<Option<QueueNumber>, StoreError> {
        let at_ms = now_ms();
        let day = day_of(at_ms);
        if self.is_new(&day) {
            self.store.forget_numbers(&written((moment(at_ms) - KEPT).date())).await?;
        }
        let terminal = terminal.to_owned();
        self.store.take_number(TakeNumber { terminal, request, queue, day, most: MOST, at_ms }).await
    }

    fn is_new(&self, day: &str) -> bool {
        let mut cleared = self.cleared.lock().unwrap_or_else(PoisonError::into_inner);
        let new = *cleared != day;
        if new {
            day.clone_into(&mut cleared);
        }
        new
    }

    fn may_take(&self, terminal: &str) -> bool {
        let now = Instant::now();
        let mut takes = self.takes.lock().unwrap_or_else(PoisonError::into_inner);
        if takes.len() >= COUNTED && !takes.contains_key(terminal) {
            takes.clear();
        }
        let bucket =
            takes.entry(terminal.to_owned()).or_insert_with(|| Bucket::new(TAKES_PER_SECOND, TAKES, now));
        if bucket.wait(now).is_some() {
            tracing::warn!(%terminal, "a terminal takes number after number");
            return false;
        }
        bucket.take(1.0);
        true
    }
}

fn told(number: QueueNumber) -> QueueTicket {
    QueueTicket {
        number: shown(&number.queue, number.number),
        day: number.day,
        waiting: number.called.map(|called| number.number.saturating_sub(called + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_the_letter_of_their_queue() {
        assert_eq!((shown("a-general", 23).as_str(), shown("b-x", 1_000).as_str()), ("A023", "B1000"));
        // 2026-11-22 23:59:59 and midnight in China.
        assert_eq!(
            (day_of(1_795_363_199_999).as_str(), day_of(1_795_363_200_000).as_str()),
            ("2026-11-22", "2026-11-23")
        );
        let number =
            QueueNumber { queue: "a-x".into(), day: "2026-11-22".into(), number: 5, called: Some(3) };
        assert_eq!(told(number.clone()).waiting, Some(1));
        assert_eq!(told(QueueNumber { called: Some(5), ..number.clone() }).waiting, Some(0), "being served");
        assert_eq!(told(QueueNumber { called: None, ..number }).waiting, None);
    }
}
