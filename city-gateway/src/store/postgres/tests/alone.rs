//! What one gateway promises on PostgreSQL: settings, group commit, limits.

use tokio::task::JoinSet;

use super::*;
use crate::store::contract::arrival;

/// Holds a lock on the inbox, so that statements wait as long as the test wants.
async fn hold(fresh: &Fresh) -> deadpool_postgres::ClientWrapper {
    let other = fresh.beside().await;
    other.batch_execute("BEGIN; LOCK TABLE inbox IN SHARE MODE").await.unwrap();
    other
}

/// Waits until so many statements of the store wait for the lock.
async fn blocked(fresh: &Fresh, count: i64) {
    let other = fresh.beside().await;
    let sql = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE NOT l.granted AND d.datname = current_database()";
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while other.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < count {
        assert!(std::time::Instant::now() < deadline, "nothing waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn waiting_records_share_a_commit_and_what_is_owed_is_written_with_them() {
    let fresh = Fresh::new();
    let store = Arc::new(fresh.store(PoolLimits::default()).await.unwrap());
    let other = hold(&fresh).await;
    let mut waiting = JoinSet::new();
    for seq in 1..=60 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await });
    }
    blocked(&fresh, 1).await;
    other.batch_execute("COMMIT").await.unwrap();
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    // One for each lane, one for all that came while both were taken.
    assert!(store.gather.commits() <= 3, "60 records took {} commits", store.gather.commits());
    let work = "SELECT count(*), min(h.received_at_ms) FROM inbox JOIN handling h USING (terminal, incarnation, seq)";
    assert_eq!(fresh.psql(work), "60|1001");
}

#[tokio::test]
async fn too_many_waiting_are_turned_away_and_the_rest_are_kept() {
    let fresh = Fresh::new();
    let limits = PoolLimits { waiting: 4, batch: 2, ..PoolLimits::default() };
    let store = Arc::new(fresh.store(limits).await.unwrap());
    let other = hold(&fresh).await;
    let mut waiting = JoinSet::new();
    for seq in 1..=40 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await });
    }
    // Four may wait, two lanes may hold two each, and one may wait for a lane; all others are answered while
    // the lock is still held.
    for _ in 0..31 {
        assert_eq!(waiting.join_next().await.unwrap().unwrap(), Err(StoreError::Busy));
    }
    other.batch_execute("COMMIT").await.unwrap();
    let rest = waiting.join_all().await;
    let kept = rest.iter().filter(|answer| matches!(answer, Ok(kept) if kept.kept == Kept::Inbox)).count();
    let busy = rest.iter().filter(|answer| **answer == Err(StoreError::Busy)).count();
    assert!(kept >= 4 && kept + busy == rest.len(), "{rest:?}");
    // Exactly those that were answered so are there.
    let ranges = store.received("DG0001", "life-1").await.unwrap().ranges;
    assert_eq!(ranges.iter().map(|(first, last)| last - first + 1).sum::<u64>(), kept as u64);
}

#[tokio::test]
async fn without_a_free_connection_the_answer_is_busy() {
    let fresh = Fresh::new();
    let limits = PoolLimits { connections: 2, wait: Duration::from_millis(20), ..PoolLimits::default() };
    let store = fresh.store(limits).await.unwrap();
    let held = (store.database.connection().await.unwrap(), store.database.connection().await.unwrap());
    assert_eq!(store.accept(arrival("DG0001", 1, "a", "x")).await, Err(StoreError::Busy));
    assert_eq!(store.counts().await, Err(StoreError::Busy));
    drop(held);
    assert!(!store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap().again);
}

#[tokio::test]
async fn a_position_beyond_the_database_fails_alone() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    let (mut beyond, good) = (arrival("DG0001", 1, "a", "x"), arrival("DG0001", 2, "b", "x"));
    beyond.place.seq = u64::MAX;
    let (beyond, good) = tokio::join!(store.accept(beyond), store.accept(good));
    assert!(matches!(beyond, Err(StoreError::Database(_))), "{beyond:?}");
    assert_eq!(good.unwrap().kept, Kept::Inbox);
}

#[tokio::test]
async fn one_that_the_database_refuses_does_not_take_others_with_it() {
    let fresh = Fresh::new();
    let store = Arc::new(fresh.store(PoolLimits::default()).await.unwrap());
    // A rule that no honest record breaks stands for whatever a database may refuse.
    fresh.psql("ALTER TABLE inbox ADD CHECK (case_id <> 'refused')");
    let other = hold(&fresh).await;
    let mut waiting = JoinSet::new();
    for (seq, id) in (1..).zip(["a", "b", "c", "refused", "d"]) {
        let store = Arc::clone(&store);
        waiting.spawn(async move { (id, store.accept(arrival("DG0001", seq, id, "x")).await) });
    }
    blocked(&fresh, 1).await;
    other.batch_execute("COMMIT").await.unwrap();
    for (id, answer) in waiting.join_all().await {
        match answer {
            Ok(answer) => assert_eq!((answer.kept, id == "refused"), (Kept::Inbox, false)),
            Err(error) => {
                assert_eq!(id, "refused");
                // The server's sentence names the row's contents; ours must not.
                assert!(!error.to_string().contains("refused"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn settings_that_durability_depends_on_are_read_back() {
    for value in ["off", "local"] {
        let fresh = Fresh::new();
        fresh.psql(&format!("ALTER DATABASE {} SET synchronous_commit = {value}", fresh.name()));
        let refused = fresh.store(PoolLimits::default()).await;
        let Err(OpenError::Setting { setting: "synchronous_commit", found, .. }) = refused else {
            panic!("{:?}", refused.err());
        };
        assert_eq!(found, value);
    }
    let cluster = Cluster::prepare().unwrap();
    for wrong in ["fsync", "full_page_writes"] {
        cluster.start(&[format!("{wrong}=off")]).unwrap();
        let refused = open(&cluster.address("postgres"), PoolLimits::default()).await;
        let Err(OpenError::Setting { setting, found, .. }) = refused else { panic!("{:?}", refused.err()) };
        assert_eq!((setting, &*found), (wrong, "off"));
        cluster.stop_at_once().unwrap();
    }
}

#[tokio::test]
async fn a_setting_that_was_changed_since_is_noticed_by_the_next_connection() {
    let fresh = Fresh::new();
    let limits = PoolLimits { connections: 2, ..PoolLimits::default() };
    let store = fresh.store(limits).await.unwrap();
    let held = store.database.connection().await.unwrap();
    fresh.psql(&format!("ALTER DATABASE {} SET synchronous_commit = off", fresh.name()));
    let answer = store.accept(arrival("DG0001", 1, "a", "x")).await;
    assert!(matches!(answer, Err(StoreError::Broken(_))), "{answer:?}");
    drop(held);
}

#[tokio::test]
async fn a_database_in_another_life_is_noticed() {
    let fresh = Fresh::new();
    let store = fresh.store(PoolLimits::default()).await.unwrap();
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    fresh.psql("UPDATE gateway SET epoch = 'restored'");
    // As when the server was started anew with an older copy.
    fresh.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        match store.accept(arrival("DG0001", 2, "b", "x")).await {
            Err(StoreError::Broken(_)) => break,
            // The end of the old connections is still on its way.
            Err(StoreError::Unreachable(_)) => assert!(std::time::Instant::now() < deadline),
            other => panic!("{other:?}"),
        }
    }
    let anew = fresh.store(PoolLimits::default()).await.unwrap();
    assert_eq!(anew.epoch().await.unwrap(), "restored");
}

#[tokio::test]
async fn a_database_of_a_newer_gateway_is_refused() {
    let fresh = Fresh::new();
    drop(fresh.store(PoolLimits::default()).await.unwrap());
    fresh.psql("INSERT INTO migration (number) VALUES (99)");
    let refused = fresh.store(PoolLimits::default()).await;
    assert!(matches!(refused, Err(OpenError::TooNew { found: 99, .. })), "{:?}", refused.err());
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("host={} user=nobody dbname=x", folder.path().display());
    let Err(OpenError::Postgres(why)) = open(&missing, PoolLimits::default()).await else { panic!("opened") };
    assert!(why.contains("No such file"), "{why}");
    let fresh = Fresh::new();
    let words = fresh.words.replace(fresh.name(), "absent");
    let Err(OpenError::Postgres(why)) = open(&words, PoolLimits::default()).await else { panic!("opened") };
    assert!(why.contains("3D000") && why.contains("does not exist"), "{why}");
}
