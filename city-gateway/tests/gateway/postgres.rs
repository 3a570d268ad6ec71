//! The gateway on PostgreSQL: several of them on one database, and a database that goes away and comes back.

use std::time::{Duration, Instant};

use city_gateway::test_cluster::Cluster;
use city_gateway::{Config, Gateway};

use crate::support::City;

fn on(city: &City, words: String) -> Config {
    let mut config = city.config();
    config.store.postgres = Some(words);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_database_are_one_city() {
    let mut city = City::prepare();
    let config = on(&city, Cluster::shared().database().unwrap());
    city.restart_with(config.clone()).await;
    let second = Gateway::start(&config).await.unwrap();
    let terminal = city.terminal("DG0001");
    for seq in 1..=6 {
        let (manifest, record) = terminal.case(seq);
        let (first, _) = terminal.deliver(&city, &manifest, &record).await;
        city.outside = Some(second.terminals());
        // Byte for byte the same receipt, whichever gateway is asked.
        assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, first);
        assert_eq!(terminal.hello(&city).await.received, [(1, seq)]);
        city.outside = None;
    }
    let records = city.all_decided().await;
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|record| record["status"] == "opened"), "{records:?}");
    assert!(!city.path("state").exists(), "the embedded store was opened too");

    // One of them stops; the terminals of the other notice nothing.
    second.stop().await.unwrap();
    let (manifest, record) = terminal.case(7);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(city.all_decided().await.len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_outlives_its_database() {
    let mut city = City::prepare();
    let cluster = Cluster::private().unwrap();
    let config = on(&city, cluster.database().unwrap());
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let (known, kept) = terminal.case(1);
    let (first, _) = terminal.deliver(&city, &known, &kept).await;

    tokio::task::block_in_place(|| cluster.kill()).unwrap();
    let (manifest, record) = terminal.case(2);
    let refused = terminal.put(&city, &manifest.case_id, &record).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));

    tokio::task::block_in_place(|| cluster.start(&[])).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while terminal.put(&city, &manifest.case_id, &record).await.status() != 200 {
        assert!(Instant::now() < deadline, "the gateway does not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The same process, the same life of the store, the same receipt as before.
    assert_eq!(terminal.deliver(&city, &known, &kept).await.0, first);
    assert_eq!(city.all_decided().await.len(), 2);
    let failed = tokio::time::timeout(Duration::ZERO, city.gateway().failed()).await;
    assert!(failed.is_err(), "the gateway wants to be started anew");
}
