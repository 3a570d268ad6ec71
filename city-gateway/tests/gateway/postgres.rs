//! The gateway on PostgreSQL: several of them on one database, and a database that goes away and comes back.

use std::time::{Duration, Instant};

use city_gateway::desk::{AccountCommand, DeskCommand};
use city_gateway::test_cluster::Cluster;
use city_gateway::{Config, Gateway, Operation, StoreKind};

use crate::support::City;

/// The configuration of one of a city's gateways: its own state, everybody's database and blobs.
pub fn on(city: &City, words: &str, name: &str) -> Config {
    let mut config = city.config();
    config.store.kind = StoreKind::Postgres;
    config.store.address = Some(words.to_owned());
    config.paths.state = city.path(name);
    config.blobs.folder = Some(city.path("blobs"));
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_database_are_one_city() {
    let mut city = City::prepare();
    let words = Cluster::shared().database().unwrap();
    city.restart_with(on(&city, &words, "one")).await;
    let second = Gateway::start(&on(&city, &words, "other")).await.unwrap();
    let terminal = city.terminal("DG0001");
    let photo = vec![7; 600_000];
    for seq in 1..=6 {
        let (manifest, record) =
            if seq == 3 { terminal.case_with_blobs(seq, &[&photo]) } else { terminal.case(seq) };
        let (first, _) = terminal.deliver(&city, &manifest, &record).await;
        city.outside = Some(second.terminals());
        // Byte for byte the same receipt, whichever gateway is asked.
        assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, first);
        assert_eq!(terminal.hello(&city).await.received, [(1, seq)]);
        city.outside = None;
    }
    // A photo that began at one goes on at the other.
    let sha256 = sync_protocol::sha256_hex(&photo);
    terminal.announce(&city, &sha256, photo.len() as u64).await;
    assert_eq!(terminal.piece(&city, &sha256, 0, &photo[..300_000]).await.status(), 204);
    city.outside = Some(second.terminals());
    assert_eq!(terminal.blob_state(&city, &sha256).await, Some((300_000, 600_000)));
    assert_eq!(terminal.piece(&city, &sha256, 300_000, &photo[300_000..]).await.status(), 204);
    city.outside = None;
    assert!(terminal.receipt(&city, &crate::support::case_id(3)).await.unwrap().1.complete);
    let records = city.all_decided().await;
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|record| record["status"] == "opened"), "{records:?}");
    assert!(!city.path("one/inbox.db").exists(), "the embedded store was opened too");

    // One of them stops; the terminals of the other notice nothing.
    second.stop().await.unwrap();
    let (manifest, record) = terminal.case(7);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(city.all_decided().await.len(), 7);
    assert!(Gateway::start(&on(&city, &words, "one")).await.is_err(), "two gateways under one name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_outlives_its_database() {
    let mut city = City::prepare();
    let cluster = Cluster::private().unwrap();
    city.restart_with(on(&city, &cluster.database().unwrap(), "one")).await;
    let terminal = city.terminal("DG0001");
    let (known, kept) = terminal.case(1);
    let (first, _) = terminal.deliver(&city, &known, &kept).await;

    tokio::task::block_in_place(|| cluster.kill()).unwrap();
    let (manifest, record) = terminal.case(2);
    let refused = terminal.put(&city, &manifest.case_id, &record).await;
    assert_eq!(refused.status().as_u16(), 503);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((5..=8).contains(&wait), "{wait}");

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_work_beside_gateways() {
    let mut city = City::prepare();
    let config = on(&city, &Cluster::shared().database().unwrap(), "one");
    city.restart_with(config.clone()).await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=3 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let before = terminal.hello(&city).await;
    assert_eq!(before.durable_seq, 0);
    // What came within the last minute may not be in the archive of the database's log yet.
    let now = || Operation::MarkDurable { up_to: "now".into() };
    now().run(&config).await.unwrap();
    assert_eq!(terminal.hello(&city).await.durable_seq, 0);
    Cluster::shared()
        .psql(
            database_name(&config),
            "UPDATE inbox SET received_at_ms = received_at_ms - 120000 WHERE seq < 3",
        )
        .unwrap();
    now().run(&config).await.unwrap();
    assert_eq!(terminal.hello(&city).await.durable_seq, 2);

    for refused in
        [Operation::Backup { to: city.path("copy") }, Operation::Restore { from: city.path("copy") }]
    {
        let why = refused.run(&config).await.unwrap_err().to_string();
        assert!(why.contains("PostgreSQL"), "{why}");
    }
    let role = "support".into();
    let (name, sites) = ("help".into(), String::new());
    let add = AccountCommand::Add { name, role, department: None, sites };
    DeskCommand::Account(add).run(&config).await.unwrap();
    DeskCommand::Retention { dry_run: true }.run(&config).await.unwrap();

    // The gateway that runs notices that it is in another life, and wants to be started anew.
    Operation::NewEpoch.run(&config).await.unwrap();
    let hello = crate::support::hello_request("DG0001");
    let answer = terminal.client.post(city.url("/v1/hello")).json(&hello).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    tokio::time::timeout(Duration::from_secs(10), city.gateway().failed()).await.unwrap();
    city.restart_with(config).await;
    let after = terminal.hello(&city).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.received.as_slice(), after.durable_seq), ([(1, 3)].as_slice(), 2));
}

fn database_name(config: &Config) -> &str {
    config.store.address.as_deref().unwrap().rsplit('=').next().unwrap()
}
