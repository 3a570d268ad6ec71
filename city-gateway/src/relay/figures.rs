//! What the relay counts: what is owed, since when, and what became of attempts.
//!
//! Deliberately absent: anything about one case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::metrics::{Family, Kind, Sample, Value, number};
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

    /// Everything, as it is now.
    pub(crate) async fn gather(&self, now_ms: i64) -> Result<[Family; 3], StoreError> {
        Ok(self.families(&self.store.relay_counts().await?, now_ms))
    }

    fn families(&self, counts: &[RelayCount], now_ms: i64) -> [Family; 3] {
        let mut attempts = Vec::new();
        for (department, counters) in &self.attempts {
            for ((_, word), counter) in Told::ALL.iter().zip(counters) {
                let labels = vec![("department", department.clone()), ("result", (*word).to_owned())];
                attempts.push(Sample { labels, value: number(counter.load(Ordering::Relaxed)) });
            }
        }
        let department = |count: &RelayCount| ("department", count.department.clone().unwrap_or_default());
        let cases = counts.iter().map(|count| Sample {
            labels: vec![department(count), ("state", count.state.code().to_owned())],
            value: number(count.cases),
        });
        let owed = counts.iter().filter(|count| count.state != RelayState::DeadLetter);
        let ages = owed.map(|count| Sample {
            labels: vec![department(count)],
            value: Value::Number(now_ms.saturating_sub(count.oldest_ms).max(0) / 1000),
        });
        [
            Family {
                name: "relay_attempts_total",
                kind: Kind::Counter,
                help: "Deliveries tried by this process.",
                samples: attempts,
            },
            Family {
                name: "relay_cases",
                kind: Kind::Gauge,
                help: "Cases that departments are owed, by where they stand.",
                samples: cases.collect(),
            },
            Family {
                name: "relay_oldest_age_seconds",
                kind: Kind::Gauge,
                help: "Age of the oldest case that a department is owed.",
                samples: ages.collect(),
            },
        ]
    }
}
