//! Figures on their way out: to a collector that decodes what it is sent, and to the operators' page.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use city_gateway::Telemetry;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use prost::Message;
use sync_protocol::{HelloRequest, Ledger};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::operators::{Browser, Operator};
use crate::support::{City, hello_request};

const PATIENCE: Duration = Duration::from_secs(60);

/// A collector: takes what is sent by the rules of OTLP over HTTP, and nothing else. The first message it refuses.
async fn collector() -> (String, mpsc::Receiver<ExportMetricsServiceRequest>) {
    let (told, hear) = mpsc::channel(64);
    let refused = std::sync::atomic::AtomicBool::new(false);
    let refused = std::sync::Arc::new(refused);
    let take = move |headers: HeaderMap, body: Bytes| {
        let (told, refused) = (told.clone(), std::sync::Arc::clone(&refused));
        async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            if !refused.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            told.send(ExportMetricsServiceRequest::decode(body).unwrap()).await.unwrap();
            StatusCode::OK
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/otlp", listener.local_addr().unwrap());
    let router = Router::new().route("/otlp/v1/metrics", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, hear)
}

fn number(metrics: &[Metric], name: &str, label: Option<&str>) -> i64 {
    let metric = metrics.iter().find(|metric| metric.name == name);
    let points = match metric.and_then(|metric| metric.data.as_ref()) {
        Some(metric::Data::Gauge(gauge)) => &gauge.data_points,
        Some(metric::Data::Sum(sum)) => &sum.data_points,
        other => panic!("{name}: {other:?}"),
    };
    let word = |point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint| {
        let value = point.attributes.first()?.value.clone()?.value?;
        if let any_value::Value::StringValue(word) = value { Some(word) } else { None }
    };
    let point = points.iter().find(|point| word(point).as_deref() == label);
    match point.and_then(|point| point.value) {
        Some(number_data_point::Value::AsInt(value)) => value,
        other => panic!("{name} {label:?}: {other:?}"),
    }
}

fn says(code: &str, oldest_unacked_age_s: u64, ledger: Ledger) -> HelloRequest {
    HelloRequest {
        ledger: Some(ledger),
        oldest_unacked_age_s: Some(oldest_unacked_age_s),
        disk_used_percent: Some(12),
        ..hello_request(code)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_told_the_fleets_books_and_a_refusal_stops_nothing() {
    let (address, mut hear) = collector().await;
    let mut city = City::prepare();
    let mut config = city.config();
    config.telemetry = Telemetry { otlp: Some(address), every_seconds: 1 };
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let ledger = Ledger { issued: 3, acknowledged: 1, waiting: 2, side_lane: 1, ..Ledger::default() };
    terminal.say(&city, &says("DG0001", 77, ledger)).await;
    loop {
        let request = timeout(PATIENCE, hear.recv()).await.expect("a message").unwrap();
        let all = &request.resource_metrics[0];
        let name = &all.resource.as_ref().unwrap().attributes[0];
        assert_eq!(name.key, "service.name");
        let metrics = &all.scope_metrics[0].metrics;
        assert!(!format!("{metrics:?}").contains("DG0001"), "no terminal is named");
        if number(metrics, "fleet_terminals", None) == 0 {
            // Sent before the hello.
            continue;
        }
        let fleet = |state| number(metrics, "fleet_records", Some(state));
        assert_eq!([fleet("issued"), fleet("received"), fleet("waiting"), fleet("side_lane")], [3, 1, 2, 1]);
        assert_eq!(number(metrics, "fleet_ledger_gap_records", None), 0);
        assert_eq!(number(metrics, "fleet_oldest_unacked_age_seconds_max", None), 77);
        assert_eq!(number(metrics, "gateway_records_total", Some("kept")), 1);
        break;
    }
    // The last word comes with the end.
    while hear.try_recv().is_ok() {}
    city.stop().await;
    assert!(timeout(PATIENCE, hear.recv()).await.expect("a last message").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_see_the_ledger_and_who_needs_a_look() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    let mut li = Operator::add(&city, "li", "auditor", None);
    city.restart().await;
    let browser = Browser::signed_in(&city, &mut chen).await;
    let page = browser.get("/desk/terminals").await;
    assert!(page.status == 200 && page.html.contains("还没有终端报到"), "{}", page.html);

    let fine = Ledger { issued: 1, acknowledged: 0, waiting: 1, ..Ledger::default() };
    city.terminal("DG0001").say(&city, &says("DG0001", 5, fine)).await;
    let page = browser.get("/desk/terminals").await;
    assert!(page.html.contains("账目相符") && page.html.contains("没有需要查看的终端"), "{}", page.html);

    let apart = Ledger { issued: 1, waiting: 1, side_lane: 1, ..Ledger::default() };
    city.terminal("DG0002").say(&city, &says("DG0002", 7200, apart)).await;
    let wrong =
        Ledger { issued: 4, acknowledged: 2, waiting: 2, waiting_bytes: 3 << 20, ..Ledger::default() };
    let terminal = city.terminal("DG0003");
    for _ in 0..2 {
        terminal.say(&city, &says("DG0003", 90_000, wrong)).await;
    }
    let html = browser.get("/desk/terminals").await.html;
    for words in [
        "DG0002",
        "另行处理 1 件",
        "2 小时未送达",
        "DG0003",
        "25 小时未送达",
        "1 台终端账目不符",
        "3.0 MiB",
        "4 ≠ 0 + 2",
        "1 = 0 + 1",
    ] {
        assert!(html.contains(words), "{words} is not in {html}");
    }
    assert!(!html.contains("DG0001"), "nobody is on the list who is well");
    assert!(html.find("DG0003") < html.find("DG0002"), "the worst comes first");

    let browser = Browser::signed_in(&city, &mut li).await;
    assert_eq!(browser.get("/desk/terminals").await.status, 403);
}
