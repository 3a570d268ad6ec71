//! The contract on SQLite, and what is SQLite's own: one process, settings, group commit, limits.

use std::sync::Arc;

use super::*;
use crate::store::contract::{Bed, arrival};
use crate::store::{Kept, StoreError};

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
    fn open(&self) -> Arc<dyn InboxStore> {
        Arc::new(self.store(WriterLimits::default()).unwrap())
    }
}

crate::store::contract::contract_suite!(Folder::new());

impl crate::store::registry_contract::RegistryBed for Folder {
    fn open_registry(&self) -> Arc<dyn crate::store::registry::TerminalRegistry> {
        Arc::new(self.store(WriterLimits::default()).unwrap())
    }
}

mod registry {
    use super::Folder;

    crate::store::registry_contract::registry_contract_suite!(Folder::new());
}

#[test]
fn what_was_in_quarantine_before_there_were_terminals_is_still_there() {
    let folder = Folder::new();
    let state = folder.0.path().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let old = Connection::open(state.join(FILE)).unwrap();
    old.execute_batch(include_str!("../../../migrations/sqlite/0001_inbox.sql")).unwrap();
    old.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO quarantine VALUES (7, 'DG0001', 'life-1', 3, 'c', 'case', NULL, 'n', 'V', 'i', 1, 's', 'm', 5,
                                        'place_taken', 'manifest', x'01');",
    )
    .unwrap();
    drop(old);
    drop(folder.store(WriterLimits::default()).unwrap());
    let new = Connection::open(state.join(FILE)).unwrap();
    let row: (i64, String) =
        new.query_row("SELECT id, reason FROM quarantine", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(row, (7, "place_taken".into()));
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
