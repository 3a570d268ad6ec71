//! Several gateways hand on what one database owes: each case is with one of them, and a feed skips nothing that
//! commits late (fault 29).

use tokio::task::JoinSet;

use super::several::two;
use super::*;
use crate::store::contract::arrival;
use crate::store::relay::{Fate, Owed, RelayStore, Routed, Settlement};
use crate::store::relay_contract::{opened, routes};

const LEASE: Duration = Duration::from_secs(600);

fn seqs(owed: &[Owed]) -> Vec<u64> {
    owed.iter().map(|one| one.case.place.seq).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_gateways_never_hold_the_same_case() {
    const CASES: u64 = 120;
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    for seq in 1..=CASES {
        opened(&*stores[0], seq, "appeal").await;
    }
    let mut relays = JoinSet::new();
    for at in 0..4 {
        let store = Arc::clone(&stores[at % 2]);
        relays.spawn(async move {
            let mut mine = Vec::new();
            loop {
                // Routing races with claiming, as in the field.
                store.route(routes(), 9, 5).await.unwrap();
                let owed = store.claim_owed("rsj", 7, LEASE).await.unwrap();
                if owed.is_empty() && store.relay_counts().await.unwrap().is_empty() {
                    return mine;
                }
                mine.extend(seqs(&owed));
                let settled = |one: Owed| Settlement {
                    place: one.case.place,
                    lease: one.lease,
                    fate: Fate::Delivered(5),
                };
                store.settle(owed.into_iter().map(settled).collect()).await.unwrap();
            }
        });
    }
    let mut delivered = relays.join_all().await.concat();
    delivered.sort_unstable();
    assert_eq!(delivered, (1..=CASES).collect::<Vec<_>>());
    let books = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM relayed),
                        (SELECT count(*) FROM relay_outbox)";
    assert_eq!(fresh.psql(books), format!("{CASES}|{CASES}|0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_gateway_has_in_hand_is_skipped_not_waited_for() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    for seq in 1..=3 {
        opened(&*one, seq, "appeal").await;
    }
    one.route(routes(), 9, 5).await.unwrap();
    // A gateway in the middle of its claim.
    let slow = fresh.beside().await;
    slow.batch_execute("BEGIN; SELECT * FROM relay_outbox WHERE seq = 1 FOR UPDATE").await.unwrap();
    assert_eq!(seqs(&other.claim_owed("rsj", 2, LEASE).await.unwrap()), [2, 3]);
    slow.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(seqs(&other.claim_owed("rsj", 2, LEASE).await.unwrap()), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_a_killed_gateway_end_when_it_comes_back() {
    let fresh = Fresh::new();
    let limits = PoolLimits { connections: 2, ..patient() };
    let address = address(&fresh.words);
    let killed = PostgresStore::open(&address, limits, "one".into()).await.unwrap();
    for seq in 1..=2 {
        opened(&killed, seq, "appeal").await;
    }
    killed.route(routes(), 9, 5).await.unwrap();
    killed.claim_owed("rsj", 1, LEASE).await.unwrap();
    // Killed: nothing is closed.
    let other = PostgresStore::open(&address, limits, "other".into()).await.unwrap();
    assert_eq!(seqs(&other.claim_owed("rsj", 9, LEASE).await.unwrap()), [2]);
    let back = PostgresStore::open(&address, limits, "one".into()).await.unwrap();
    assert_eq!(seqs(&back.claim_owed("rsj", 9, LEASE).await.unwrap()), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_misses_nothing_that_commits_late() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    for seq in 1..=2 {
        opened(&*one, seq, "appeal").await;
    }
    // A slow gateway: it routed the older case first, and commits last.
    let slow = fresh.beside().await;
    slow.batch_execute("BEGIN; UPDATE relay_outbox SET state = 'routed', department = 'rsj' WHERE seq = 1")
        .await
        .unwrap();
    assert_eq!(other.route(routes(), 9, 5).await.unwrap().routed, 1);
    other.list_owed("rsj", 9).await.unwrap();
    let page = other.feed("rsj", 0, 9).await.unwrap();
    assert_eq!(page.iter().map(|one| one.case.place.seq).collect::<Vec<_>>(), [2]);
    other.acknowledge("rsj", page[0].number, 5).await.unwrap();
    slow.batch_execute("COMMIT").await.unwrap();
    other.list_owed("rsj", 9).await.unwrap();
    let next = other.feed("rsj", page[0].number, 9).await.unwrap();
    assert_eq!(next.iter().map(|one| one.case.place.seq).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_that_goes_on_sees_each_case_once_under_load() {
    const CASES: u64 = 200;
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    let mut writing = JoinSet::new();
    for seq in 1..=CASES {
        let store = Arc::clone(&stores[(seq % 2) as usize]);
        writing.spawn(async move {
            opened(&*store, seq, "appeal").await;
            store.route(routes(), 3, 5).await.unwrap();
            store.list_owed("rsj", 3).await.unwrap();
        });
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while seen.len() < CASES as usize {
        // Whoever wrote may have been passed over by a routing that was under way.
        stores[1].route(routes(), 50, 5).await.unwrap();
        stores[1].list_owed("rsj", 50).await.unwrap();
        let page = stores[0].feed("rsj", after, 20).await.unwrap();
        for listed in &page {
            assert!(listed.number > after);
            after = listed.number;
            seen.push(listed.case.place.seq);
        }
        stores[0].acknowledge("rsj", after, 5).await.unwrap();
        assert!(std::time::Instant::now() < deadline, "the feed left something out: {} seen", seen.len());
    }
    writing.join_all().await;
    seen.sort_unstable();
    assert_eq!(seen, (1..=CASES).collect::<Vec<_>>());
    assert_eq!(
        fresh.psql("SELECT (SELECT count(*) FROM relay_outbox), (SELECT count(*) FROM relayed)"),
        "0|200"
    );
}

#[tokio::test]
async fn what_a_gateway_of_an_older_version_opens_is_owed_once() {
    let fresh = Fresh::new();
    let store = fresh.store(patient()).await.unwrap();
    for seq in 1..=3 {
        store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    // It knows nothing of `to_owe`, and wrote what was owed when it accepted.
    fresh.psql(
        "UPDATE handling SET state = 'opened', case_state = 'pre_review', case_version = 0 WHERE seq <= 2;
         INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
         SELECT terminal, incarnation, seq, received_at_ms FROM inbox WHERE seq = 2",
    );
    let routed = store.route(routes(), 9, 5).await.unwrap();
    assert_eq!(routed.routed + routed.unknown, 2);
    assert_eq!(store.route(routes(), 9, 5).await.unwrap(), Routed::default());
    assert_eq!(fresh.psql("SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM relay_outbox"), "1 2");
}
