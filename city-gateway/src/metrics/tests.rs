//! Both forms of the figures, read back strictly.

use std::collections::HashSet;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use sync_protocol::Ledger;

use super::otlp::Speaker;
use super::*;

fn busy() -> Vec<Family> {
    let metrics = Metrics::default();
    metrics.record(false, false);
    metrics.answered(Asked::Record, StatusCode::OK, Duration::from_millis(3));
    metrics.answered(Asked::Hello, StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(60));
    let ledger = Ledger { issued: 10, acknowledged: 6, waiting: 3, side_lane: 1, ..Ledger::default() };
    let fleet =
        FleetSums { terminals: 2, ledger, received: 8, oldest_unacked_age_s_max: 61, ..FleetSums::default() };
    metrics.families(&Counts::default(), &BlobCounts::default(), &fleet)
}

/// A sample line, taken apart as the format demands.
fn sample(line: &str) -> (&str, Vec<(&str, &str)>, f64) {
    let (left, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match left.split_once('{') {
        None => (left, Vec::new()),
        Some((name, rest)) => {
            let rest = rest.strip_suffix('}').unwrap();
            let pairs = rest.split(',').map(|pair| {
                let (label, quoted) = pair.split_once('=').unwrap();
                (label, quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap())
            });
            (name, pairs.collect())
        }
    };
    (name, labels, value.parse().unwrap_or_else(|_| panic!("{line}")))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn prometheus_finds_every_family_once_and_every_sample_in_its_family() {
    let text = prometheus::text(&busy());
    assert!(text.ends_with('\n'));
    let (mut families, mut seen) = (HashSet::new(), HashSet::new());
    let (mut family, mut kind) = ("", "");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(is_name(name) && !words.contains('\\') && families.insert(name), "{line}");
            let declared = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            (family, kind) = declared.split_once(' ').unwrap();
            assert_eq!(family, name);
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            continue;
        }
        let (name, labels, value) = sample(line);
        let ending = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} in {family}"));
        let good = if kind == "histogram" {
            ["_bucket", "_sum", "_count"].contains(&ending)
        } else {
            ending.is_empty()
        };
        assert!(good && labels.iter().all(|(label, _)| is_name(label)), "{line}");
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        assert!(seen.insert(line.rsplit_once(' ').unwrap().0), "{line} twice");
    }
    for line in [
        "gateway_records_total{result=\"kept\"} 1",
        "gateway_refused_total{why=\"overloaded\"} 1",
        "fleet_records{state=\"waiting\"} 3",
        "fleet_records{state=\"side_lane\"} 1",
        "fleet_oldest_unacked_age_seconds_max 61",
        // 10 issued, 8 received, 3 waiting: one arrived while its terminal still thought it waits.
        "fleet_ledger_gap_records -1",
        "gateway_request_seconds_bucket{asked=\"record\",le=\"0.002\"} 0",
        "gateway_request_seconds_bucket{asked=\"record\",le=\"0.005\"} 1",
        "gateway_request_seconds_bucket{asked=\"hello\",le=\"20\"} 0",
        "gateway_request_seconds_bucket{asked=\"hello\",le=\"+Inf\"} 1",
        "gateway_request_seconds_count{asked=\"hello\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
}

#[test]
fn opentelemetry_is_told_the_same_under_the_same_names() {
    let families = busy();
    let speaker = Speaker { instance: "one".into(), began_ns: 5 };
    let request = speaker.request(&families, 9);
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    assert_eq!(metrics.len(), families.len());
    let mut numbers = 0;
    for (metric, family) in metrics.iter().zip(&families) {
        assert_eq!((metric.name.as_str(), metric.description.as_str()), (family.name, family.help));
        let points = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => {
                assert!(sum.is_monotonic && family.kind == Kind::Counter);
                &sum.data_points
            }
            Data::Gauge(gauge) => &gauge.data_points,
            Data::Histogram(histogram) => {
                for point in &histogram.data_points {
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                }
                continue;
            }
            other => panic!("{other:?}"),
        };
        for (point, sample) in points.iter().zip(&family.samples) {
            let Value::Number(value) = sample.value else { panic!("a number") };
            assert_eq!(point.value, Some(number_data_point::Value::AsInt(value)));
            assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 9));
            numbers += 1;
        }
    }
    assert!(numbers > 20, "{numbers}");
    let unit = |name: &str| metrics.iter().find(|metric| metric.name == name).unwrap().unit.as_str();
    assert_eq!(unit("fleet_oldest_unacked_age_seconds_max"), "s");
    assert_eq!(unit("gateway_blob_received_bytes_total"), "By");
    assert_eq!(unit("fleet_terminals"), "1");
}

#[test]
fn a_histogram_that_is_read_while_it_grows_does_not_contradict_itself() {
    let histogram = Histogram::default();
    // As if a request had been counted in its bound, and not yet in the whole.
    histogram.within[3].store(7, Ordering::Relaxed);
    histogram.count.store(6, Ordering::Relaxed);
    let times = histogram.times();
    assert_eq!(times.count, 7);
    assert!(times.within.windows(2).all(|pair| pair[0].1 <= pair[1].1));
}
