//! What the relay counts, in the text format of Prometheus: what is owed, since when, and what became of attempts.
//!
//! Deliberately absent: anything about one case.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::StoreError;
use crate::store::relay::{RelayCount, RelayState, RelayStore};

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Delivered,
    NotNow,
    Refused,
    Dead,
}

impl Told {
    const ALL: [(Self, &str); 4] = [
        (Self::Delivered, "delivered"),
        (Self::NotNow, "not_now"),
        (Self::Refused, "refused"),
        (Self::Dead, "dead_letter"),
    ];
}

/// Counters of this process, and a way to ask for everybody's.
pub(crate) struct RelayFigures {
    store: Arc<dyn RelayStore>,
    attempts: BTreeMap<String, [AtomicU64; Told::ALL.len()]>,
}

impl RelayFigures {
    pub(crate) fn new(store: Arc<dyn RelayStore>, departments: Vec<String>) -> Self {
        let attempts = departments.into_iter().map(|code| (code, Default::default())).collect();
        Self { store, attempts }
    }

    pub(crate) fn tell(&self, department: &str, told: Told) {
        let at = Told::ALL.iter().position(|(other, _)| *other == told);
        if let (Some(counters), Some(at)) = (self.attempts.get(department), at) {
            counters[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Everything, as Prometheus reads it.
    pub(crate) async fn text(&self, now_ms: i64) -> Result<String, StoreError> {
        Ok(self.write(&self.store.relay_counts().await?, now_ms))
    }

    fn write(&self, counts: &[RelayCount], now_ms: i64) -> String {
        let mut text = String::new();
        let mut push = |line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("a String takes everything");
        };
        push(format_args!("# HELP relay_attempts_total Deliveries tried by this process.\n"));
        push(format_args!("# TYPE relay_attempts_total counter\n"));
        for (department, counters) in &self.attempts {
            for ((_, word), counter) in Told::ALL.iter().zip(counters) {
                let value = counter.load(Ordering::Relaxed);
                push(format_args!(
                    "relay_attempts_total{{department=\"{department}\",result=\"{word}\"}} {value}\n"
                ));
            }
        }
        push(format_args!("# HELP relay_cases Cases that departments are owed, by where they stand.\n"));
        push(format_args!("# TYPE relay_cases gauge\n"));
        for count in counts {
            let (department, state) = (count.department.as_deref().unwrap_or(""), count.state.code());
            let cases = count.cases;
            push(format_args!("relay_cases{{department=\"{department}\",state=\"{state}\"}} {cases}\n"));
        }
        push(format_args!(
            "# HELP relay_oldest_age_seconds Age of the oldest case that a department is owed.\n"
        ));
        push(format_args!("# TYPE relay_oldest_age_seconds gauge\n"));
        for count in counts.iter().filter(|count| count.state != RelayState::DeadLetter) {
            let department = count.department.as_deref().unwrap_or("");
            let age = now_ms.saturating_sub(count.oldest_ms).max(0) / 1000;
            push(format_args!("relay_oldest_age_seconds{{department=\"{department}\"}} {age}\n"));
        }
        text
    }
}
