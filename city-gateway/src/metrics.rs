//! What the gateway counts. One list of figures at one moment ([`Family`]), which `prometheus` writes as text and
//! `otlp` as OpenTelemetry's messages: what is seen in one place is seen in the other, under the same name.
//!
//! Deliberately absent: anything about one record, and the codes of terminals.

pub(crate) mod otlp;
pub(crate) mod prometheus;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;

use crate::store::Counts;
use crate::store::blobs::BlobCounts;
use crate::store::lives::FleetSums;

/// Upper bounds of the histograms, in milliseconds.
const BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000, 20_000];

/// What kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Hello,
    Record,
    Blob,
    Query,
    Other,
}

impl Asked {
    const ALL: [Self; 5] = [Self::Hello, Self::Record, Self::Blob, Self::Query, Self::Other];

    /// By its address.
    pub(crate) fn of(path: &str) -> Self {
        match path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()) {
            Some("hello") => Self::Hello,
            Some("records") => Self::Record,
            Some("blobs") => Self::Blob,
            Some("query") => Self::Query,
            _ => Self::Other,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Record => "record",
            Self::Blob => "blob",
            Self::Query => "query",
            Self::Other => "other",
        }
    }
}

/// What became of something that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    Issued,
    NothingHeld,
    Away,
    Refused,
    NotNow,
}

impl Fetch {
    const ALL: [Self; 5] = [Self::Issued, Self::NothingHeld, Self::Away, Self::Refused, Self::NotNow];

    fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::NothingHeld => "nothing_held",
            Self::Away => "department_away",
            Self::Refused => "refused",
            Self::NotNow => "not_now",
        }
    }
}

#[derive(Default)]
struct Histogram {
    within: [AtomicU64; BOUNDS_MS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (bound, within) in BOUNDS_MS.iter().zip(&self.within) {
            if us <= bound * 1000 {
                within.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// As it is now. Requests go on meanwhile, so the parts are made to fit each other: no bound holds more than the
    /// next one, nor more than there were.
    fn times(&self) -> Times {
        let mut within = Vec::with_capacity(BOUNDS_MS.len());
        let mut least = 0;
        for (bound, counted) in BOUNDS_MS.iter().zip(&self.within) {
            least = read(counted).max(least);
            within.push((*bound as f64 / 1000.0, least));
        }
        Times { within, count: read(&self.count).max(least), seconds: read(&self.sum_us) as f64 / 1e6 }
    }
}

/// The counters of one gateway process.
#[derive(Default)]
pub(crate) struct Metrics {
    kept: AtomicU64,
    again: AtomicU64,
    quarantined: AtomicU64,
    doubted: AtomicU64,
    blob_bytes: AtomicU64,
    overloaded: AtomicU64,
    over_share: AtomicU64,
    refused: AtomicU64,
    faults: AtomicU64,
    fetched: [AtomicU64; Fetch::ALL.len()],
    took: [Histogram; Asked::ALL.len()],
}

impl Metrics {
    pub(crate) fn record(&self, again: bool, quarantined: bool) {
        let counter = match (again, quarantined) {
            (true, _) => &self.again,
            (false, true) => &self.quarantined,
            (false, false) => &self.kept,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn doubt(&self) {
        self.doubted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn blob_bytes(&self, bytes: u64) {
        self.blob_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn fetched(&self, result: Fetch) {
        self.fetched[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, asked: Asked, status: StatusCode, took: Duration) {
        if let Some(at) = Asked::ALL.iter().position(|other| *other == asked) {
            self.took[at].observe(took);
        }
        let counter = match status {
            StatusCode::SERVICE_UNAVAILABLE => &self.overloaded,
            StatusCode::TOO_MANY_REQUESTS => &self.over_share,
            status if status.is_server_error() => &self.faults,
            status if status.is_client_error() => &self.refused,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything, at this moment.
    pub(crate) fn families(&self, counts: &Counts, blobs: &BlobCounts, fleet: &FleetSums) -> Vec<Family> {
        let mut families = vec![
            Family::labelled(
                "gateway_records_total",
                Kind::Counter,
                "Records received by this process.",
                "result",
                [("kept", &self.kept), ("again", &self.again), ("quarantined", &self.quarantined)]
                    .map(|(result, counter)| (result, read(counter))),
            ),
            Family::labelled(
                "gateway_refused_total",
                Kind::Counter,
                "Requests that were turned away.",
                "why",
                [
                    ("overloaded", &self.overloaded),
                    ("over_share", &self.over_share),
                    ("request", &self.refused),
                    ("fault", &self.faults),
                ]
                .map(|(why, counter)| (why, read(counter))),
            ),
            Family::labelled(
                "gateway_fetches_total",
                Kind::Counter,
                "What residents fetched from departments' registers.",
                "result",
                Fetch::ALL.map(|result| (result.word(), read(&self.fetched[result as usize]))),
            ),
            Family::one(
                "gateway_doubted_disks_total",
                Kind::Counter,
                "Hellos of copied disks.",
                read(&self.doubted),
            ),
            Family::one(
                "gateway_blob_received_bytes_total",
                Kind::Counter,
                "Bytes of pieces.",
                read(&self.blob_bytes),
            ),
            Family::labelled(
                "inbox_records",
                Kind::Gauge,
                "Records by what became of them.",
                "state",
                [
                    ("waiting", counts.waiting),
                    ("incomplete", counts.incomplete),
                    ("opened", counts.opened),
                    ("dead_letter", counts.dead_letters),
                    ("quarantined", counts.quarantined),
                ],
            ),
            Family::one(
                "quarantine_undecided_records",
                Kind::Gauge,
                "Records kept aside that wait for a person.",
                counts.undecided,
            ),
            Family::one("blobs_whole", Kind::Gauge, "Blobs held whole.", blobs.whole),
            Family::one("blobs_whole_bytes", Kind::Gauge, "Their bytes.", blobs.whole_bytes),
            Family::one("blobs_begun", Kind::Gauge, "Blobs under way.", blobs.begun),
            Family::one("blobs_begun_bytes", Kind::Gauge, "Bytes of them that are kept.", blobs.begun_bytes),
        ];
        families.extend(of_the_fleet(fleet));
        families.push(self.times());
        families
    }

    fn times(&self) -> Family {
        let samples = Asked::ALL.iter().zip(&self.took).map(|(asked, histogram)| Sample {
            labels: vec![("asked", asked.word().to_owned())],
            value: Value::Times(histogram.times()),
        });
        Family {
            name: "gateway_request_seconds",
            kind: Kind::Histogram,
            help: "Time from a request's header to its answer.",
            samples: samples.collect(),
        }
    }
}

/// The conservation ledger over all terminals: issued = received + waiting, but for what is under way, which makes the
/// gap greater or less than nothing for a moment. A gap that stays is a loss, or a record nobody issued.
fn of_the_fleet(fleet: &FleetSums) -> [Family; 6] {
    let FleetSums { terminals, ledger, received, oldest_unacked_age_s_max, disagreeing } = fleet;
    [
        Family::one("fleet_terminals", Kind::Gauge, "Terminals heard of.", *terminals),
        Family::labelled(
            "fleet_records",
            Kind::Gauge,
            "The terminals' books, added up.",
            "state",
            [
                ("issued", ledger.issued),
                ("acknowledged", ledger.acknowledged),
                ("waiting", ledger.waiting),
                ("side_lane", ledger.side_lane),
                ("voided", ledger.voided),
                ("received", *received),
            ],
        ),
        Family {
            name: "fleet_ledger_gap_records",
            kind: Kind::Gauge,
            help: "Records issued and neither received nor waiting.",
            samples: vec![Sample { labels: Vec::new(), value: Value::Number(fleet.gap()) }],
        },
        Family::one("fleet_waiting_bytes", Kind::Gauge, "Sealed bytes not sent yet.", ledger.waiting_bytes),
        Family::one(
            "fleet_oldest_unacked_age_seconds_max",
            Kind::Gauge,
            "Age of the oldest record without a receipt.",
            *oldest_unacked_age_s_max,
        ),
        Family::one(
            "fleet_disagreeing_terminals",
            Kind::Gauge,
            "Terminals whose books differ.",
            *disagreeing,
        ),
    ]
}

/// Figures that belong together.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) samples: Vec<Sample>,
}

/// How a figure moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only up, from nothing when this process began.
    Counter,
    /// Up and down.
    Gauge,
    /// How long things took.
    Histogram,
}

/// One figure of a family; the labels tell it from the others.
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: Value,
}

/// What was counted.
pub(crate) enum Value {
    Number(i64),
    Times(Times),
}

/// A histogram at one moment.
pub(crate) struct Times {
    /// How many took at most so many seconds, from the shortest time to the longest.
    pub(crate) within: Vec<(f64, u64)>,
    /// How many there were.
    pub(crate) count: u64,
    /// How long they took together.
    pub(crate) seconds: f64,
}

impl Family {
    fn one(name: &'static str, kind: Kind, help: &'static str, value: u64) -> Self {
        Self { name, kind, help, samples: vec![Sample { labels: Vec::new(), value: number(value) }] }
    }

    fn labelled<const N: usize>(
        name: &'static str,
        kind: Kind,
        help: &'static str,
        label: &'static str,
        values: [(&'static str, u64); N],
    ) -> Self {
        let sample = |(word, value): (&'static str, u64)| Sample {
            labels: vec![(label, word.to_owned())],
            value: number(value),
        };
        Self { name, kind, help, samples: values.into_iter().map(sample).collect() }
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// A count as it is sent.
pub(crate) fn number(value: u64) -> Value {
    Value::Number(i64::try_from(value).unwrap_or(i64::MAX))
}
