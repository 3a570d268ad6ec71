//! The failpoints do what the crash test relies on. Needs the cargo feature `failpoints`.

#[path = "gateway/support.rs"]
#[allow(dead_code)]
mod support;

use std::time::{Duration, Instant};

use support::City;

// Failpoints belong to the whole process, so the scenarios run one after the other.
#[tokio::test]
async fn failpoints_fail_as_named() {
    let scenario = fail::FailScenario::setup();
    let city = City::start().await;
    let terminal = city.terminal("DG0001");

    fail::cfg("gateway::drop-reply", "1*return").unwrap();
    let (manifest, record) = terminal.case(1);
    let request = terminal.client.put(city.url(&format!("/v1/records/{}", manifest.case_id)));
    assert!(request.body(record.to_json()).send().await.is_err(), "a reply came");
    // Committed all the same; asked again, the receipt comes and the record is there once.
    assert_eq!(city.records().await.len(), 1);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(city.records().await.len(), 1);

    fail::cfg("gateway::receipt-before-commit", "1*return(300)").unwrap();
    let (manifest, record) = terminal.case(2);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(city.records().await.len(), 1, "the receipt did not come first");
    let deadline = Instant::now() + Duration::from_secs(20);
    while city.records().await.len() < 2 {
        assert!(Instant::now() < deadline, "the record never arrived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scenario.teardown();
}
