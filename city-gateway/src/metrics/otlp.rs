//! Figures as OpenTelemetry's messages (OTLP 1, protobuf), as a collector takes them at `/v1/metrics`.
//!
//! Deliberately absent: OpenTelemetry's SDK. It would count everything a second time, on a thread of its own, to arrive
//! at the message that is put together here from what is counted anyway.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{Family, Kind, Sample, Times, Value};

/// Who speaks, and since when.
pub(crate) struct Speaker {
    /// Tells gateways on one database apart.
    pub(crate) instance: String,
    /// When this process began to count, nanoseconds since 1970.
    pub(crate) began_ns: u64,
}

impl Speaker {
    /// The message with these figures, as they were at this time.
    pub(crate) fn request(&self, families: &[Family], now_ns: u64) -> ExportMetricsServiceRequest {
        let metrics = families.iter().map(|family| self.metric(family, now_ns)).collect();
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..InstrumentationScope::default()
        };
        let attributes =
            vec![attribute("service.name", "city-gateway"), attribute("service.instance.id", &self.instance)];
        let resource = Resource { attributes, ..Resource::default() };
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
        let all = ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![all] }
    }

    fn metric(&self, family: &Family, now_ns: u64) -> Metric {
        let cumulative = AggregationTemporality::Cumulative as i32;
        let samples = family.samples.iter();
        let data = match family.kind {
            Kind::Counter => metric::Data::Sum(Sum {
                data_points: samples.filter_map(|sample| self.number(sample, now_ns)).collect(),
                aggregation_temporality: cumulative,
                is_monotonic: true,
            }),
            Kind::Gauge => metric::Data::Gauge(Gauge {
                data_points: samples.filter_map(|sample| self.number(sample, now_ns)).collect(),
            }),
            Kind::Histogram => metric::Data::Histogram(Histogram {
                data_points: samples.filter_map(|sample| self.histogram(sample, now_ns)).collect(),
                aggregation_temporality: cumulative,
            }),
        };
        Metric {
            name: family.name.into(),
            description: family.help.into(),
            unit: unit(family.name).into(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn number(&self, sample: &Sample, now_ns: u64) -> Option<NumberDataPoint> {
        let Value::Number(value) = sample.value else { return None };
        Some(NumberDataPoint {
            attributes: attributes(sample),
            start_time_unix_nano: self.began_ns,
            time_unix_nano: now_ns,
            value: Some(number_data_point::Value::AsInt(value)),
            ..NumberDataPoint::default()
        })
    }

    fn histogram(&self, sample: &Sample, now_ns: u64) -> Option<HistogramDataPoint> {
        let Value::Times(Times { within, count, seconds }) = &sample.value else { return None };
        // Here each bucket counts only what is not in the one before, and the last what is beyond all bounds.
        let upto: Vec<u64> = within.iter().map(|(_, upto)| *upto).chain([*count]).collect();
        let before = std::iter::once(0).chain(upto.iter().copied());
        let bucket_counts = upto.iter().zip(before).map(|(upto, before)| upto - before).collect();
        Some(HistogramDataPoint {
            attributes: attributes(sample),
            start_time_unix_nano: self.began_ns,
            time_unix_nano: now_ns,
            count: *count,
            sum: Some(*seconds),
            bucket_counts,
            explicit_bounds: within.iter().map(|(bound, _)| *bound).collect(),
            ..HistogramDataPoint::default()
        })
    }
}

/// The unit that a name ends with, in UCUM's words.
fn unit(name: &str) -> &'static str {
    let name = name.trim_end_matches("_total").trim_end_matches("_max");
    match name.rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _ => "1",
    }
}

fn attributes(sample: &Sample) -> Vec<KeyValue> {
    sample.labels.iter().map(|(label, word)| attribute(label, word)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.into())) };
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}
