//! Several gateway processes on one database (fault 30). Each has a store of its own; they share nothing
//! else.

use tokio::task::JoinSet;

use super::*;
use crate::store::Conflict;
use crate::store::contract::arrival;
use crate::store::desk::aside_contract::{decision, kept_aside, line};
use crate::store::desk::{Obstacle, Settled, Verdict};

const LEASE: Duration = Duration::from_secs(600);

pub(super) async fn two(fresh: &Fresh) -> [Arc<PostgresStore>; 2] {
    let limits = PoolLimits { connections: 4, ..patient() };
    let (one, other) = tokio::join!(fresh.store(limits), fresh.store(limits));
    [Arc::new(one.unwrap()), Arc::new(other.unwrap())]
}

fn seqs(claimed: &[Claimed]) -> Vec<u64> {
    claimed.iter().map(|record| record.place.seq).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_start_together_make_the_tables_once() {
    let fresh = Fresh::new();
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let words = fresh.words.clone();
        let limits = PoolLimits { connections: 2, ..PoolLimits::default() };
        starting.spawn(async move { open(&words, limits).await.unwrap().epoch().await.unwrap() });
    }
    let mut epochs = starting.join_all().await;
    epochs.dedup();
    assert_eq!(epochs.len(), 1);
    assert_eq!(fresh.psql("SELECT count(*), (SELECT count(*) FROM gateway) FROM migration"), "12|1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_races_on_two_gateways_is_kept_once() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    for seq in 1..=100 {
        let mut racing = JoinSet::new();
        for (copy, store) in (0..).zip(stores.iter().cycle().take(4)) {
            let store = Arc::clone(store);
            let mut record = arrival("DG0001", seq, &format!("c{seq}"), "x");
            record.received_at_ms = 10 * copy;
            racing.spawn(async move { store.accept(record).await.unwrap() });
        }
        let answers = racing.join_all().await;
        let new: Vec<_> = answers.iter().filter(|answer| !answer.again).collect();
        assert_eq!(new.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.kept == Kept::Inbox));
        // The same time, so the same receipt, whichever gateway answers.
        assert!(answers.iter().all(|answer| answer.received_at_ms == new[0].received_at_ms), "{answers:?}");
    }
    let rows = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM handling),
                       (SELECT count(*) FROM quarantine)";
    assert_eq!(fresh.psql(rows), "100|100|0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradictions_that_race_on_two_gateways_are_all_kept() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    let mut racing = JoinSet::new();
    for seq in 1..=100_u64 {
        // The same id with two contents, and another id for the same place, sent in different order to each.
        let mut records = vec![
            arrival("DG0001", seq, &format!("a{seq}"), "x"),
            arrival("DG0001", seq, &format!("a{seq}"), "y"),
            arrival("DG0001", seq, &format!("b{seq}"), "z"),
            arrival("DG0001", seq + 1000, &format!("a{seq}"), "x"),
        ];
        records.rotate_left((seq % 4) as usize);
        for (at, record) in records.into_iter().enumerate() {
            let store = Arc::clone(&stores[at % 2]);
            racing.spawn(async move { store.accept(record).await.unwrap() });
        }
    }
    let answers = racing.join_all().await;
    assert!(answers.iter().all(|answer| !answer.again));
    let aside = answers.iter().filter(|answer| matches!(answer.kept, Kept::Quarantine(_))).count();
    let taken = Kept::Quarantine(Conflict::PlaceTaken);
    assert!(answers.iter().any(|answer| answer.kept == taken));
    let rows = fresh.psql("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM quarantine)");
    assert_eq!(rows, format!("{}|{aside}", 400 - aside));
    // Every one of them can be read.
    assert_eq!(stores[0].page(Page::After(0), 1000).await.unwrap().len(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_in_each_others_way_all_come_through() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    let mut racing = JoinSet::new();
    for seq in 1..=300_u64 {
        for (at, store) in stores.iter().enumerate() {
            // One process sees them upwards, the other downwards, so their batches overlap crosswise.
            let seq = if at == 0 { seq } else { 301 - seq };
            let store = Arc::clone(store);
            racing.spawn(async move {
                store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap()
            });
        }
    }
    let answers = racing.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.again).count(), 300);
    assert_eq!(stores[1].received("DG0001", "life-1").await.unwrap().ranges, [(1, 300)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_holds_for_all_gateways_and_ends_by_its_time() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    for seq in 1..=6 {
        one.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    let (first, second) = tokio::join!(one.claim(2, LEASE), other.claim(2, LEASE));
    let (first, second) = (first.unwrap(), second.unwrap());
    let mut both = [seqs(&first), seqs(&second)].concat();
    both.sort_unstable();
    both.dedup();
    assert_eq!((first.len(), second.len(), both.len()), (2, 2, 4));
    let rest = other.claim(9, Duration::ZERO).await.unwrap();
    assert_eq!(rest.len(), 2);
    // That lease was over at once, for the other gateway too.
    assert_eq!(one.claim(9, LEASE).await.unwrap().len(), 2);
    assert!(other.claim(9, LEASE).await.unwrap().is_empty());
    // A gateway that is killed closes nothing; one that stops gives back what it held, and only that.
    other.close().await.unwrap();
    assert_eq!(seqs(&one.claim(9, LEASE).await.unwrap()), seqs(&second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_is_opened_twice_by_racing_openers() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    for seq in 1..=200 {
        stores[0].accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    let mut openers = JoinSet::new();
    for at in 0..4 {
        let store = Arc::clone(&stores[at % 2]);
        openers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = store.claim(7, LEASE).await.unwrap();
                if claimed.is_empty() {
                    // What a reader is just numbering is free again a moment later.
                    if store.counts().await.unwrap().waiting == 0 {
                        return mine;
                    }
                    continue;
                }
                let outcome = crate::store::Outcome::Opened { person: None, summary: "fine".into() };
                let decide = |record: &Claimed| Decision {
                    place: record.place.clone(),
                    outcome: outcome.clone(),
                    decided_at_ms: 5,
                };
                store.decide(claimed.iter().map(decide).collect()).await.unwrap();
                mine.extend(seqs(&claimed));
                // Readers number rows while openers write them.
                store.page(Page::Before(i64::MAX), 5).await.unwrap();
            }
        });
    }
    let mut opened = openers.join_all().await.concat();
    opened.sort_unstable();
    assert_eq!(opened, (1..=200).collect::<Vec<_>>());
    assert_eq!(stores[1].counts().await.unwrap().opened, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_misses_nothing_that_commits_late() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    // A slow gateway: its record is inserted first and committed last.
    let slow = fresh.beside().await;
    slow.batch_execute(
        "BEGIN;
         INSERT INTO inbox VALUES ('DG0001', 'life-1', 1, 'a', 'case', NULL, 'n', 'v', 'i', 1, 's', 'm', 1, '', '');
         INSERT INTO handling (terminal, incarnation, seq, received_at_ms) VALUES ('DG0001', 'life-1', 1, 1)",
    )
    .await
    .unwrap();
    one.accept(arrival("DG0001", 2, "b", "x")).await.unwrap();
    let seen = other.page(Page::After(0), 10).await.unwrap();
    assert_eq!(seen.iter().map(|row| row.place.seq).collect::<Vec<_>>(), [2]);
    slow.batch_execute("COMMIT").await.unwrap();
    let next = other.page(Page::After(seen[0].id), 10).await.unwrap();
    assert_eq!(next.iter().map(|row| row.place.seq).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_goes_on_sees_each_record_once_under_load() {
    const RECORDS: u64 = 400;
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    let mut writing = JoinSet::new();
    for seq in 1..=RECORDS {
        let store = Arc::clone(&stores[(seq % 2) as usize]);
        writing.spawn(
            async move { store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap() },
        );
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while seen.len() < RECORDS as usize {
        for row in stores[0].page(Page::After(after), 50).await.unwrap() {
            assert!(row.id > after);
            after = row.id;
            seen.push(row.place.seq);
        }
        assert!(std::time::Instant::now() < deadline, "the reader missed something: {} seen", seen.len());
    }
    writing.join_all().await;
    seen.sort_unstable();
    assert_eq!(seen, (1..=RECORDS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_leaves_out_nothing_that_is_just_being_opened() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    for seq in 1..=3 {
        one.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    // An opener in the middle of its statement.
    let opener = fresh.beside().await;
    opener.batch_execute("BEGIN; UPDATE handling SET lease = 'somebody'").await.unwrap();
    let reading = tokio::spawn(async move { other.page(Page::After(0), 10).await.unwrap() });
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while fresh.psql(waits) == "0" {
        assert!(!reading.is_finished(), "the page did not wait for the opener");
        assert!(std::time::Instant::now() < deadline, "the page does not come to the lock");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    opener.batch_execute("COMMIT").await.unwrap();
    assert_eq!(reading.await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_was_lost_is_given_back_by_the_next() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits { connections: 2, ..PoolLimits::default() }).await.unwrap();
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    // The claim waits at the inbox when its connection ends; what a claim that was made would have left behind is
    // put there by hand, under the name it used.
    let other = fresh.beside().await;
    other.batch_execute("BEGIN; LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let claim = store.claim(1, LEASE);
    let cut = async {
        let sql = "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while fresh.psql(sql) != "t" {
            assert!(std::time::Instant::now() < deadline, "the claim does not come to the lock");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (lost, ()) = tokio::join!(claim, cut);
    assert!(matches!(lost, Err(StoreError::Unreachable(_))), "{lost:?}");
    let name = store.leases.lost_names().concat();
    other.batch_execute("COMMIT").await.unwrap();
    fresh.psql(&format!("UPDATE handling SET lease = '{name}', leased_until = now() + interval '1 hour'"));
    assert_eq!(seqs(&store.claim(9, LEASE).await.unwrap()), [1]);
    assert!(store.claim(9, LEASE).await.unwrap().is_empty());
}

/// Operators on both gateways release what its terminal, taken back, is just sending again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_released_once_however_many_want_it() {
    let fresh = Fresh::new();
    let stores = two(&fresh).await;
    for seq in 1..=60 {
        let record = arrival("DG0001", seq, &format!("c{seq}"), "x");
        stores[0].set_aside(record, Conflict::Revoked).await.unwrap();
    }
    let (mut racing, mut sending) = (JoinSet::new(), JoinSet::new());
    for row in kept_aside(&*stores[0], true).await {
        for store in stores.iter().cycle().take(4) {
            let (store, row) = (Arc::clone(store), row.clone());
            let asked = decision(&row, Verdict::Released);
            racing.spawn(async move { store.decide_aside(asked, line(Verdict::Released)).await.unwrap() });
        }
        if row.row.place.seq % 3 == 0 {
            let store = Arc::clone(&stores[1]);
            let record = arrival("DG0001", row.row.place.seq, &row.row.case_id, "x");
            sending.spawn(async move { store.accept(record).await.unwrap() });
        }
    }
    let settled = racing.join_all().await;
    assert!(sending.join_all().await.iter().all(|kept| kept.kept == Kept::Inbox));
    let done = settled.iter().filter(|settled| **settled == Settled::Done).count();
    let expected = [Settled::Done, Settled::Stale, Settled::Blocked(Obstacle::Held)];
    assert!(settled.iter().all(|settled| expected.contains(settled)), "{settled:?}");
    // Those that nobody sent again were released by somebody.
    assert!((40..=60).contains(&done), "{done}");
    let rows = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM handling),
                       (SELECT count(*) FROM quarantine), (SELECT count(*) FROM quarantine_decision),
                       (SELECT count(*) FROM city_audit)";
    assert_eq!(fresh.psql(rows), format!("60|60|60|{done}|{done}"));
    assert_eq!(stores[1].undecided().await.unwrap(), 0);
}
