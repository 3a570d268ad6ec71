//! The operators' contract on SQLite, and what is SQLite's own: history that the file itself keeps from being
//! rewritten, and content that is gone from the file.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;

use crate::store::contract::arrival;
use crate::store::desk::aside_contract::{decision, kept_aside, line};
use crate::store::desk::contract::{DeskBed, entry};
use crate::store::desk::{
    AuditAct, CaseKey, CaseState, CaseStep, Cut, DeskStore, ErasureRule, Verdict, contract,
};
use crate::store::sqlite::{FILE, SqliteStore, WriterLimits};
use crate::store::{Conflict, Decision, InboxStore, Outcome};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn store(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(&self.state(), WriterLimits::default()).unwrap())
    }
}

impl DeskBed for Folder {
    async fn open(&self) -> (Arc<dyn InboxStore>, Arc<dyn DeskStore>) {
        let store = self.store();
        (Arc::clone(&store) as _, store)
    }
}

contract::desk_contract_suite!(Folder::new());

async fn returned(store: &SqliteStore, content: &str) {
    let mut record = arrival("DG0001", 1, "a", content);
    // The facts that stay do not hold the content in this test, as they never do in life.
    (record.sha256, record.manifest_hash, record.manifest) = ("s".into(), "h".into(), "m".into());
    let place = record.place.clone();
    store.accept(record).await.unwrap();
    let outcome = Outcome::Opened { person: None, summary: "fine".into() };
    store.decide(vec![Decision { place, outcome, decided_at_ms: 5 }]).await.unwrap();
    let step = CaseStep {
        key: CaseKey { terminal: "DG0001".into(), case_id: "a".into() },
        version: 0,
        from: CaseState::PreReview,
        to: CaseState::Returned,
        operator: "wang".into(),
        at_ms: 10,
        reason: "duplicate".into(),
        note: "已有同样的办件".into(),
    };
    store.step(step, entry(AuditAct::CaseStep, 10)).await.unwrap();
}

#[tokio::test]
async fn the_file_itself_keeps_history_and_audit_lines() {
    let folder = Folder::new();
    let store = folder.store();
    returned(&store, "x").await;
    store.set_aside(arrival("DG0001", 2, "b", "y"), Conflict::Revoked).await.unwrap();
    let row = kept_aside(&*store, true).await.remove(0);
    store.decide_aside(decision(&row, Verdict::KeptAside), line(Verdict::KeptAside)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let file = Connection::open(folder.state().join(FILE)).unwrap();
    for refused in [
        "DELETE FROM quarantine_decision",
        "UPDATE quarantine_decision SET verdict = 'released'",
        "DELETE FROM case_step",
        "UPDATE case_step SET note = 'other'",
        "UPDATE case_step SET operator = 'li', note = ''",
        "DELETE FROM city_audit",
        "UPDATE city_audit SET actor = 'li'",
    ] {
        assert!(file.execute(refused, []).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn erased_content_is_gone_from_the_files() {
    let folder = Folder::new();
    let store = folder.store();
    // Long enough to lie on pages of its own, where only overwriting removes it.
    let content = "a sealed word ".repeat(2_000);
    returned(&store, &content).await;
    store.close().await.unwrap();
    drop(store);
    let held = || {
        let files = std::fs::read_dir(folder.state()).unwrap();
        let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        bytes.windows(13).filter(|window| *window == b"a sealed word").count()
    };
    assert!(held() > 1_000);
    let cut = Cut { finished_ms: Some(11), ..Cut::default() };
    assert_eq!(SqliteStore::due_in(&folder.state(), cut).unwrap().finished, 1);
    let store = folder.store();
    // Beside a running gateway too.
    assert_eq!(SqliteStore::due_in(&folder.state(), cut).unwrap().finished, 1);
    assert_eq!(store.erase(ErasureRule::FinishedCase, 11, 9, 20).await.unwrap(), 1);
    store.close().await.unwrap();
    drop(store);
    assert_eq!(held(), 0);
    let file = Connection::open(folder.state().join(FILE)).unwrap();
    let (bytes, kept): (i64, String) = file
        .query_row("SELECT length(ciphertext), case_id FROM inbox", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((bytes, kept.as_str()), (0, "a"));
}
