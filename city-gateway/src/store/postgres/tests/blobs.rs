//! Records and blobs that meet on two gateways at the same moment. No lock holds them together, so each case here is
//! raced many times.

use super::several::two;
use super::*;
use crate::store::blobs::{Announced, Held, Unnamed};
use crate::store::contract::arrival;
use crate::store::{Arrival, Status};

const ROOM: Unnamed = Unnamed { bytes: 1_000_000, blobs: 1_000 };

fn naming(seq: u64, sha256: &str) -> Arrival {
    let mut record = arrival("DG0001", seq, &format!("c{seq}"), "x");
    record.blobs = vec![(sha256.to_owned(), 10)];
    record
}

async fn begin(store: &PostgresStore, sha256: &str) {
    let announced = Announced { terminal: "DG0001".into(), sha256: sha256.into(), length: 10, at_ms: 1 };
    store.begin(announced, ROOM).await.unwrap();
}

async fn status(store: &PostgresStore, seq: u64) -> Status {
    let rows = store.page(Page::Before(i64::MAX), 9).await.unwrap();
    rows.into_iter().find(|row| row.place.seq == seq).unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_and_its_blob_that_come_at_once_find_each_other() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    for seq in 1..=100 {
        let sha256 = format!("blob {seq}");
        begin(&other, &sha256).await;
        let (kept, moved) =
            tokio::join!(one.accept(naming(seq, &sha256)), other.finish("DG0001", &sha256, 0, 5));
        kept.unwrap();
        moved.unwrap();
        // At once, without any sweep.
        assert_eq!(status(&one, seq).await, Status::Received, "{seq}");
    }
    assert_eq!(one.claim(200, Duration::ZERO).await.unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_is_named_while_it_is_swept_is_held_or_asked_for_again() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    let (mut held, mut gone) = (0, 0);
    for seq in 1..=100 {
        let sha256 = format!("blob {seq}");
        begin(&one, &sha256).await;
        one.finish("DG0001", &sha256, 0, 5).await.unwrap();
        let (kept, abandoned) = tokio::join!(one.accept(naming(seq, &sha256)), other.abandon(6));
        kept.unwrap();
        let leaving = abandoned.unwrap().leaving.contains(&sha256);
        let state = one.held("DG0001", &sha256).await.unwrap();
        if leaving {
            // Its bytes are about to go: nobody may take it for whole, and its record waits.
            assert_eq!(state, Held::Leaving);
            assert_eq!(status(&one, seq).await, Status::Incomplete);
            other.left(vec![sha256]).await.unwrap();
            gone += 1;
        } else {
            assert_eq!(state, Held::Whole { length: 10 });
            other.abandon(0).await.unwrap();
            assert_eq!(status(&one, seq).await, Status::Received);
            held += 1;
        }
    }
    assert_eq!(held + gone, 100);
    // Whoever was killed between the two steps of a sweep leaves nothing behind that counts or goes by mistake.
    fresh.psql("UPDATE whole_blob SET leaving = 1");
    other.abandon(0).await.unwrap();
    assert_eq!(fresh.psql("SELECT count(*) FROM whole_blob WHERE leaving <> 0"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_gateway_alone_removes_the_bytes_of_a_blob() {
    let fresh = Fresh::new();
    let [one, other] = two(&fresh).await;
    begin(&one, "a").await;
    one.finish("DG0001", "a", 0, 5).await.unwrap();
    assert_eq!(one.abandon(6).await.unwrap().leaving, ["a"]);
    // The slower one would remove what was sent anew.
    assert!(other.abandon(6).await.unwrap().leaving.is_empty());
    other.left(vec!["a".into()]).await.unwrap();
    assert_eq!(one.held("DG0001", "a").await.unwrap(), Held::Leaving);
    // One that does not come back is replaced.
    fresh.psql("UPDATE whole_blob SET swept_since = swept_since - interval '2 hours'");
    assert_eq!(other.abandon(6).await.unwrap().leaving, ["a"]);
    other.left(vec!["a".into()]).await.unwrap();
    assert_eq!(one.held("DG0001", "a").await.unwrap(), Held::Nothing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_gateway_left_waiting_is_found_by_the_sweep() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    begin(&store, "a").await;
    store.accept(naming(1, "a")).await.unwrap();
    // As when the blob became whole and the gateway was killed before it looked for records.
    fresh.psql("INSERT INTO whole_blob (sha256, bytes, terminal, whole_at_ms) VALUES ('a', 10, 'DG0001', 5)");
    assert_eq!(status(&store, 1).await, Status::Incomplete);
    store.abandon(0).await.unwrap();
    assert_eq!(status(&store, 1).await, Status::Received);
}
