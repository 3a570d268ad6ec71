//! The server dies under the gateway, and comes back. Whatever was answered is there, and the store goes on
//! without being opened anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::store::contract::arrival;

/// Accepts until it works, as a terminal does; only the errors that tell it to come again are allowed.
async fn insist(store: &PostgresStore, seq: u64) -> Acceptance {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await {
            Ok(acceptance) => return acceptance,
            Err(StoreError::Unreachable(_) | StoreError::Busy) => {
                assert!(Instant::now() < deadline, "the store does not recover");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_server_dies_and_the_store_goes_on() {
    let cluster = Cluster::private().unwrap();
    let words = cluster.database().unwrap();
    let store = Arc::new(open(&words, PoolLimits::default()).await.unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let mut terminals = tokio::task::JoinSet::new();
    for first in 0..4_u64 {
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        terminals.spawn(async move {
            let mut answered = Vec::new();
            for seq in (1 + first * 100_000)..(1 + (first + 1) * 100_000) {
                answered.push((seq, insist(&store, seq).await.received_at_ms));
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            answered
        });
    }
    for (round, kill) in [Cluster::kill, Cluster::stop_at_once, Cluster::kill].into_iter().enumerate() {
        // Between and in the middle of commits: the terminals go on all the time.
        let before = store.gather.commits();
        let deadline = Instant::now() + Duration::from_secs(60);
        while store.gather.commits() < before + 20 {
            assert!(Instant::now() < deadline, "no commits in round {round}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::task::block_in_place(|| kill(&cluster)).unwrap();
        let down = store.accept(arrival("DG0002", 1, "down", "x")).await;
        assert!(matches!(down, Err(StoreError::Unreachable(_))), "{down:?}");
        tokio::task::block_in_place(|| cluster.start(&[])).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let answered = terminals.join_all().await.concat();
    assert!(answered.len() >= 50, "{}", answered.len());

    let beside = connect::Connector::new(&address(&words)).unwrap().open().await.unwrap();
    let rows =
        beside.query("SELECT seq, received_at_ms FROM inbox WHERE terminal = 'DG0001'", &[]).await.unwrap();
    let held: std::collections::HashMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (seq, received_at_ms) in &answered {
        assert_eq!(
            held.get(&(*seq as i64)),
            Some(received_at_ms),
            "record {seq} was answered and is not there"
        );
    }
    // Each row has its work beside it: an accept is whole or not at all.
    let whole = "SELECT count(*) FROM inbox FULL JOIN handling USING (terminal, incarnation, seq)
                 WHERE inbox.terminal IS NULL OR handling.terminal IS NULL";
    assert_eq!(beside.query_one(whole, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ends_is_replaced() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    for seq in 1..=5 {
        insist(&store, seq).await;
        fresh.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }
    insist(&store, 6).await;
    assert_eq!(fresh.psql("SELECT count(*) FROM inbox"), "6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_became_a_standby_is_not_written_to() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    fresh.psql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", fresh.name()));
    fresh.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let answer = store.accept(arrival("DG0001", 1, "a", "x")).await;
    assert!(matches!(answer, Err(StoreError::Unreachable(_))), "{answer:?}");
    assert_eq!(fresh.psql("SELECT count(*) FROM inbox"), "0");
    // The primary is there again.
    let primary = format!("ALTER DATABASE {} RESET default_transaction_read_only", fresh.name());
    Cluster::shared().psql("postgres", &primary).unwrap();
    assert!(!insist(&store, 1).await.again);
}
