//! What the gateway counts, in the text format of Prometheus. Written by hand: a dozen counters and three histograms
//! need no library.
//!
//! Deliberately absent: anything about one record, and the codes of terminals.

use std::fmt::Write;
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

    /// Everything, as Prometheus reads it.
    pub(crate) fn text(&self, counts: &Counts, blobs: &BlobCounts, fleet: &FleetSums) -> String {
        let mut text = Text::default();
        let own = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        text.family("gateway_records_total", "counter", "Records received by this process.");
        text.line("gateway_records_total", "result=\"kept\"", own(&self.kept));
        text.line("gateway_records_total", "result=\"again\"", own(&self.again));
        text.line("gateway_records_total", "result=\"quarantined\"", own(&self.quarantined));
        text.family("gateway_refused_total", "counter", "Requests that were turned away.");
        text.line("gateway_refused_total", "why=\"overloaded\"", own(&self.overloaded));
        text.line("gateway_refused_total", "why=\"over_share\"", own(&self.over_share));
        text.line("gateway_refused_total", "why=\"request\"", own(&self.refused));
        text.line("gateway_refused_total", "why=\"fault\"", own(&self.faults));
        text.one("gateway_doubted_disks_total", "counter", "Hellos of copied disks.", own(&self.doubted));
        text.one("gateway_blob_received_bytes_total", "counter", "Bytes of pieces.", own(&self.blob_bytes));
        text.family("inbox_records", "gauge", "Records by what became of them.");
        for (state, count) in [
            ("waiting", counts.waiting),
            ("incomplete", counts.incomplete),
            ("opened", counts.opened),
            ("dead_letter", counts.dead_letters),
            ("quarantined", counts.quarantined),
        ] {
            text.line("inbox_records", &format!("state=\"{state}\""), count);
        }
        text.one("blobs_whole", "gauge", "Blobs held whole.", blobs.whole);
        text.one("blobs_whole_bytes", "gauge", "Their bytes.", blobs.whole_bytes);
        text.one("blobs_begun", "gauge", "Blobs under way.", blobs.begun);
        text.one("blobs_begun_bytes", "gauge", "Bytes of them that are kept.", blobs.begun_bytes);
        fleet_text(&mut text, fleet);
        text.family("gateway_request_seconds", "histogram", "Time from a request's header to its answer.");
        for (asked, histogram) in Asked::ALL.iter().zip(&self.took) {
            text.histogram("gateway_request_seconds", asked.word(), histogram);
        }
        text.0
    }
}

/// The conservation ledger over all terminals: issued = received + waiting.
fn fleet_text(text: &mut Text, fleet: &FleetSums) {
    let FleetSums { terminals, ledger, received, oldest_unacked_age_s_max, disagreeing } = fleet;
    text.one("fleet_terminals", "gauge", "Terminals heard of.", *terminals);
    text.family("fleet_records", "gauge", "The terminals' books, added up.");
    for (state, count) in [
        ("issued", ledger.issued),
        ("acknowledged", ledger.acknowledged),
        ("waiting", ledger.waiting),
        ("side_lane", ledger.side_lane),
        ("voided", ledger.voided),
        ("received", *received),
    ] {
        text.line("fleet_records", &format!("state=\"{state}\""), count);
    }
    text.one("fleet_waiting_bytes", "gauge", "Sealed bytes not sent yet.", ledger.waiting_bytes);
    text.one(
        "fleet_oldest_unacked_age_seconds_max",
        "gauge",
        "Age of the oldest record without a receipt.",
        *oldest_unacked_age_s_max,
    );
    text.one("fleet_disagreeing_terminals", "gauge", "Terminals whose books differ.", *disagreeing);
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: u64) {
        self.push(format_args!("{name}{{{labels}}} {value}\n"));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.push(format_args!("{name} {value}\n"));
    }

    fn histogram(&mut self, name: &str, asked: &str, histogram: &Histogram) {
        for (bound, within) in BOUNDS_MS.iter().zip(&histogram.within) {
            let (bound, within) = (*bound as f64 / 1000.0, within.load(Ordering::Relaxed));
            self.push(format_args!("{name}_bucket{{asked=\"{asked}\",le=\"{bound}\"}} {within}\n"));
        }
        let count = histogram.count.load(Ordering::Relaxed);
        let sum = histogram.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
        self.push(format_args!("{name}_bucket{{asked=\"{asked}\",le=\"+Inf\"}} {count}\n"));
        self.push(format_args!("{name}_sum{{asked=\"{asked}\"}} {sum}\n"));
        self.push(format_args!("{name}_count{{asked=\"{asked}\"}} {count}\n"));
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.0.write_fmt(arguments).expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_comment_or_a_sample() {
        let metrics = Metrics::default();
        metrics.record(false, false);
        metrics.answered(Asked::Record, StatusCode::OK, Duration::from_millis(3));
        metrics.answered(Asked::Hello, StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(60));
        let text = metrics.text(&Counts::default(), &BlobCounts::default(), &FleetSums::default());
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{line}");
            value.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
        }
        assert!(text.contains("gateway_records_total{result=\"kept\"} 1\n"));
        assert!(text.contains("gateway_request_seconds_bucket{asked=\"record\",le=\"0.002\"} 0\n"));
        assert!(text.contains("gateway_request_seconds_bucket{asked=\"record\",le=\"0.005\"} 1\n"));
        assert!(text.contains("gateway_request_seconds_bucket{asked=\"hello\",le=\"20\"} 0\n"));
        assert!(text.contains("gateway_request_seconds_count{asked=\"hello\"} 1\n"));
        assert!(text.contains("gateway_refused_total{why=\"overloaded\"} 1\n"));
    }
}
