//! The life of the database, and terminals that two gateways hear at once.

use tokio::task::JoinSet;

use super::several::two;
use super::*;
use crate::continuity::Heard;
use crate::store::contract::arrival;
use crate::store::lives::Word;

fn word(number: u64) -> Word {
    Word {
        terminal: "DG0001".into(),
        incarnation: "life-1".into(),
        heard: Some(Heard {
            token: None,
            finalised_seq: 1,
            head_hash: None,
            tpm_counter: None,
            boot_id: "boot".into(),
            monotonic_ms: number,
        }),
        fresh_token: format!("fresh-{number}"),
        ledger: None,
        oldest_unacked_age_s: None,
        agent_version: "test".into(),
        catalog_version: None,
        disk_used_percent: None,
        at_ms: 10_000_000,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_two_gateways_hear_at_once_has_one_token() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    let mut hearing = JoinSet::new();
    for number in 0..32 {
        let store = Arc::clone(&stores[number % 2]);
        hearing.spawn(async move { store.hear(word(number as u64)).await.unwrap() });
    }
    let mut answers = hearing.join_all().await;
    assert!(answers.iter().all(|answer| answer.doubt.is_none() && !answer.begin_incarnation));
    answers.dedup_by_key(|answer| answer.token.clone());
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_on_from_an_earlier_moment_begins_a_new_life_by_itself() {
    let cluster = Cluster::private().unwrap();
    let words = cluster.database().unwrap();
    let store = open(&words, PoolLimits::default()).await.unwrap();
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    store.hear(word(1)).await.unwrap();
    let before = store.epoch().await.unwrap();
    // Started anew, it is the same.
    tokio::task::block_in_place(|| cluster.stop_at_once().and_then(|()| cluster.start(&[]))).unwrap();
    assert_eq!(open(&words, PoolLimits::default()).await.unwrap().epoch().await.unwrap(), before);

    tokio::task::block_in_place(|| {
        cluster.stop_at_once()?;
        cluster.promoted()
    })
    .unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        match store.accept(arrival("DG0001", 2, "b", "x")).await {
            Err(StoreError::Broken(_)) => break,
            Err(StoreError::Unreachable(_)) => assert!(std::time::Instant::now() < deadline),
            other => panic!("{other:?}"),
        }
    }
    let (one, other) = tokio::join!(open(&words, PoolLimits::default()), open(&words, PoolLimits::default()));
    let (one, other) = (one.unwrap(), other.unwrap());
    let after = one.epoch().await.unwrap();
    assert_ne!(after, before);
    assert_eq!(other.epoch().await.unwrap(), after);
    // Tokens are forgotten, records are not.
    assert!(one.hear(word(2)).await.unwrap().doubt.is_none());
    assert_eq!(one.received("DG0001", "life-1").await.unwrap().ranges, [(1, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_epoch_by_hand_is_noticed_with_the_next_hello() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    store.received("DG0001", "life-1").await.unwrap();
    let epoch = PostgresStore::begin_epoch(&address(&fresh.words)).await.unwrap();
    // On the connection that was open all the time.
    let answer = store.received("DG0001", "life-1").await;
    assert!(matches!(answer, Err(StoreError::Broken(_))), "{answer:?}");
    assert_eq!(fresh.store(PoolLimits::default()).await.unwrap().epoch().await.unwrap(), epoch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_ends_its_leases_when_it_comes_back() {
    const LEASE: Duration = Duration::from_secs(600);
    let fresh = Fresh::new();
    let named = async |name: &str| {
        let limits = PoolLimits { connections: 2, ..PoolLimits::default() };
        PostgresStore::open(&address(&fresh.words), limits, name.into()).await.unwrap()
    };
    let (one, other) = (named("one").await, named("other").await);
    for seq in 1..=4 {
        one.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    assert_eq!(one.claim(2, LEASE).await.unwrap().len(), 2);
    assert_eq!(other.claim(2, LEASE).await.unwrap().len(), 2);
    drop(one);
    assert!(other.claim(9, LEASE).await.unwrap().is_empty());
    let one = named("one").await;
    assert_eq!(one.claim(9, LEASE).await.unwrap().len(), 2);
    assert!(one.claim(9, LEASE).await.unwrap().is_empty());
}
