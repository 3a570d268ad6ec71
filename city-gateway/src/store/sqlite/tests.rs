//! The contract on SQLite, and what is SQLite's own: one process, settings, group commit, limits.

use std::sync::Arc;

use super::*;
use crate::store::blobs::BlobIndex;
use crate::store::contract::{Bed, arrival};
use crate::store::lives::TerminalBook;
use crate::store::{Kept, Kind, Outcome, StoreError};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self, limits: WriterLimits) -> Result<SqliteStore, OpenError> {
        SqliteStore::open(&self.0.path().join("state"), limits)
    }
}

impl Bed for Folder {
    async fn open(&self) -> Arc<dyn InboxStore> {
        Arc::new(self.store(WriterLimits::default()).unwrap())
    }
}

crate::store::contract::contract_suite!(Folder::new());

impl crate::store::registry_contract::RegistryBed for Folder {
    async fn open_registry(&self) -> Arc<dyn crate::store::registry::TerminalRegistry> {
        Arc::new(self.store(WriterLimits::default()).unwrap())
    }
}

mod registry {
    use super::Folder;

    crate::store::registry_contract::registry_contract_suite!(Folder::new());
}

impl crate::store::blobs_contract::Bed for Folder {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn BlobIndex>) {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::blobs_contract::blob_contract_suite!(Folder::new());

impl crate::store::lives_contract::Bed for Folder {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn BlobIndex>, Arc<dyn TerminalBook>) {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        (Arc::clone(&store) as _, Arc::clone(&store) as _, store)
    }
}

crate::store::lives_contract::lives_contract_suite!(Folder::new());

impl crate::store::relay_contract::RelayBed for Folder {
    async fn open(&self) -> crate::store::relay_contract::Sides {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        (Arc::clone(&store) as _, Arc::clone(&store) as _, store)
    }
}

crate::store::relay_contract::relay_contract_suite!(Folder::new());

impl crate::store::issued_contract::IssuedBed for Folder {
    async fn open(&self) -> crate::store::issued_contract::Sides {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::issued_contract::issued_contract_suite!(Folder::new());

crate::store::follow_up_contract::follow_up_contract_suite!(Folder::new());

impl crate::store::desk::aside_contract::AsideBed for Folder {
    async fn open(&self) -> crate::store::desk::aside_contract::Sides {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        crate::store::desk::aside_contract::Sides::of(store)
    }
}

crate::store::desk::aside_contract::aside_contract_suite!(Folder::new());

impl crate::store::keeper_contract::KeeperBed for Folder {
    async fn open(
        &self,
    ) -> (Arc<dyn crate::store::keeper::KeeperCalls>, Arc<dyn crate::store::desk::DeskStore>) {
        let store = Arc::new(self.store(WriterLimits::default()).unwrap());
        (Arc::clone(&store) as _, store)
    }
}

crate::store::keeper_contract::keeper_contract_suite!(Folder::new());

impl crate::store::numbers_contract::NumbersBed for Folder {
    async fn open(&self) -> Arc<dyn crate::store::numbers::QueueNumbers> {
        Arc::new(self.store(WriterLimits::default()).unwrap())
    }
}

crate::store::numbers_contract::numbers_contract_suite!(Folder::new());

/// A database as the first release made it, with something in every table.
fn older(folder: &Folder) -> std::path::PathBuf {
    let state = folder.0.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let connection = Connection::open(state.join(FILE)).unwrap();
    connection.execute_batch(include_str!("../../../migrations/sqlite/0001_inbox.sql")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO gateway VALUES (1, 'epoch of then');
             INSERT INTO inbox VALUES (1, 'DG0001', 'life-1', 1, 'a', 'case', NULL, 'N1', 'V1', 'appeal', 1, 'ha',
                 'ma', 5, 'manifest', x'01'),
                 (3, 'DG0001', 'life-1', 2, 'b', 'rating', 'a', 'N2', 'V2', 'appeal', 1, 'hb', 'mb', 6,
                 'manifest', x'02');
             INSERT INTO quarantine VALUES (2, 'DG0001', 'life-1', 1, 'a', 'case', NULL, 'N1', 'V1', 'appeal', 1,
                 'hc', 'mc', 7, 'other_content', 'manifest', x'03');
             INSERT INTO to_open VALUES (3);
             INSERT INTO outcome (id, state, summary, decided_at_ms) VALUES (1, 'opened', 'fine', 9);
             INSERT INTO progress VALUES ('DG0001', 'life-1', 2);",
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    state
}

#[tokio::test]
async fn a_database_of_the_first_release_keeps_everything_and_takes_voids() {
    let folder = Folder::new();
    let state = older(&folder);
    let store = folder.store(WriterLimits::default()).unwrap();
    assert_eq!(store.epoch, "epoch of then");
    let rows = store.page(Page::After(0), 9).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row.id, row.status.as_str(), row.sha256.as_str())).collect();
    assert_eq!(seen, [(1, "opened", "ha"), (2, "quarantined", "hc"), (3, "received", "hb")]);
    assert_eq!(store.received("DG0001", "life-1").await.unwrap().ranges, [(1, 2)]);
    assert_eq!(store.claim(9, Duration::ZERO).await.unwrap()[0].ciphertext, [2]);
    assert!(store.find("V1").await.unwrap().is_some());

    let mut void = arrival("DG0001", 3, "void", "");
    void.kind = Kind::Void;
    assert_eq!(store.accept(void).await.unwrap().kept, Kept::Inbox);
    assert_eq!(store.page(Page::After(3), 9).await.unwrap()[0].kind, Kind::Void);
    store.close().await.unwrap();
    drop(store);
    // What refers to the table that was written anew still does.
    let connection = Connection::open(state.join(FILE)).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    assert!(connection.execute("DELETE FROM inbox WHERE id = 1", []).is_err());
    let word: String = connection
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'outcome'", [], |row| row.get(0))
        .unwrap();
    assert!(word.contains("REFERENCES inbox"), "{word}");
}

#[test]
fn a_second_gateway_on_the_same_folder_is_refused() {
    let folder = Folder::new();
    let first = folder.store(WriterLimits::default()).unwrap();
    assert!(matches!(folder.store(WriterLimits::default()), Err(OpenError::InUse)));
    drop(first);
    folder.store(WriterLimits::default()).unwrap();
}

#[test]
fn a_database_of_a_newer_gateway_is_refused() {
    let folder = Folder::new();
    drop(folder.store(WriterLimits::default()).unwrap());
    let path = folder.0.path().join("state").join(FILE);
    Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(folder.store(WriterLimits::default()), Err(OpenError::TooNew { found: 99, .. })));
}

#[tokio::test]
async fn what_was_received_before_there_was_a_relay_is_owed_to_departments() {
    let folder = Folder::new();
    let path = folder.0.path().join("state").join(FILE);
    // As it was before: two records, and no relay.
    let store = folder.store(WriterLimits::default()).unwrap();
    for seq in 1..=2 {
        store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let relay = migrate::MIGRATIONS.iter().position(|sql| sql.contains("relay_outbox")).unwrap();
    let before = format!(
        "DROP TABLE relay_outbox; DROP TABLE relay_feed_head; DROP TABLE relayed; DROP TABLE quarantine_decision;
         DROP TABLE issued_document;
         DROP TABLE keeper_call; DROP TABLE queue_number; DROP TABLE queue_day;
         DROP TABLE follow_up;
         PRAGMA user_version = {relay}"
    );
    Connection::open(&path).unwrap().execute_batch(&before).unwrap();

    let store = folder.store(WriterLimits::default()).unwrap();
    // A new record is owed once; one that is kept aside is an operator's, not a department's, and a
    // rating is the city's.
    let aside = arrival("DG0001", 2, "c2", "other");
    let mut rating = arrival("DG0001", 4, "c4", "x");
    rating.kind = Kind::Rating;
    for record in [arrival("DG0001", 3, "c3", "x"), arrival("DG0001", 3, "c3", "x"), aside, rating] {
        let place = record.place.clone();
        store.accept(record).await.unwrap();
        let outcome = Outcome::Opened { person: None, summary: "fine".into() };
        store.decide(vec![Decision { place, outcome, decided_at_ms: 9 }]).await.unwrap();
    }
    let owed = "SELECT group_concat(terminal || seq || ' ' || enqueued, ', ' ORDER BY seq) FROM relay_outbox";
    let owed: String = Connection::open(&path).unwrap().query_row(owed, [], |row| row.get(0)).unwrap();
    assert_eq!(owed, "DG00011 1001, DG00012 1002, DG00013 1003");
}

#[test]
fn settings_that_did_not_take_are_noticed() {
    // A database in memory cannot have a write-ahead log.
    let connection = Connection::open_in_memory().unwrap();
    assert!(matches!(settings(&connection), Err(OpenError::Setting { setting: "journal_mode", .. })));
}

#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let _store = folder.store(WriterLimits::default()).unwrap();
    let state = folder.0.path().join("state");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&state), 0);
    assert_eq!(mode(&state.join(FILE)), 0);
    assert_eq!(mode(&state.join(format!("{FILE}-wal"))), 0);
}

/// Holds the database's write lock, so that the writer waits as long as the test wants.
fn hold(folder: &Folder) -> Connection {
    let other = Connection::open(folder.0.path().join("state").join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn too_many_waiting_are_turned_away_and_the_rest_are_kept() {
    let folder = Folder::new();
    let store = Arc::new(folder.store(WriterLimits { waiting: 4, batch: 2 }).unwrap());
    let other = hold(&folder);
    let mut waiting = tokio::task::JoinSet::new();
    for seq in 1..=40 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await });
    }
    // Four may wait and the writer may hold two; all others are answered while the lock is still held.
    for _ in 0..34 {
        assert_eq!(waiting.join_next().await.unwrap().unwrap(), Err(StoreError::Busy));
    }
    other.execute_batch("COMMIT").unwrap();
    let rest = waiting.join_all().await;
    let kept = rest.iter().filter(|answer| matches!(answer, Ok(kept) if kept.kept == Kept::Inbox)).count();
    let busy = rest.iter().filter(|answer| **answer == Err(StoreError::Busy)).count();
    assert!(kept >= 4 && kept + busy == rest.len(), "{rest:?}");
    // Exactly those that were answered so are there.
    let ranges = store.received("DG0001", "life-1").await.unwrap().ranges;
    assert_eq!(ranges.iter().map(|(first, last)| last - first + 1).sum::<u64>(), kept as u64);
}

#[tokio::test]
async fn waiting_records_share_a_commit() {
    let folder = Folder::new();
    let store = Arc::new(folder.store(WriterLimits { waiting: 64, batch: 64 }).unwrap());
    let other = hold(&folder);
    let mut waiting = tokio::task::JoinSet::new();
    for seq in 1..=32 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await });
    }
    // One thread runs the tasks in turn, so each has handed its record over before this one goes on.
    tokio::task::yield_now().await;
    other.execute_batch("COMMIT").unwrap();
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    // One for what the writer had in hand when it had to wait, one for all that came meanwhile.
    assert!(store.writer.commits() <= 2, "32 records took {} commits", store.writer.commits());
}

#[tokio::test]
async fn a_position_beyond_the_database_fails_alone() {
    let folder = Folder::new();
    let store = Arc::new(folder.store(WriterLimits::default()).unwrap());
    let other = hold(&folder);
    let mut waiting = tokio::task::JoinSet::new();
    for seq in [1, u64::MAX, 2] {
        let store = Arc::clone(&store);
        waiting.spawn(async move {
            let mut record = arrival("DG0001", 1, &format!("c{seq}"), "x");
            record.place.seq = seq;
            store.accept(record).await.is_ok()
        });
    }
    tokio::task::yield_now().await;
    other.execute_batch("COMMIT").unwrap();
    let mut answers = waiting.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [false, true, true]);
}
