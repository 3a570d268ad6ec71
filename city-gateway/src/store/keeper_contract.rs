//! What every store must do with calls for keepers, whatever database is behind it. A store joins by implementing
//! [`KeeperBed`] and naming itself in [`keeper_contract_suite!`].

use std::sync::Arc;

use super::desk::contract::entry;
use super::desk::{AuditAct, DeskStore};
use super::keeper::*;

/// A database of its own for one test, seen from both sides. Opening it again opens the same one.
pub trait KeeperBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = (Arc<dyn KeeperCalls>, Arc<dyn DeskStore>)>;
}

fn id(terminal: &str, name: &str) -> CallId {
    CallId { terminal: terminal.into(), name: name.into() }
}

fn call(terminal: &str, name: &str, opened_at_ms: i64) -> NewCall {
    NewCall {
        id: id(terminal, name),
        place: "示例社区".into(),
        page: "question".into(),
        item: "appeal".into(),
        language: "zh-Hans".into(),
        theme: "senior".into(),
        opened_at_ms,
    }
}

fn answer(terminal: &str, name: &str, by: &str, at_ms: i64, after_ms: i64) -> CallAnswer {
    CallAnswer { id: id(terminal, name), by: by.into(), at_ms, after_ms }
}

async fn names(store: &dyn KeeperCalls, of: Sites, after_ms: i64) -> Vec<String> {
    store.calls(of, after_ms).await.unwrap().into_iter().map(|row| row.call.id.name).collect()
}

/// The same call twice is one; a newer one of the terminal ends it; others' stay.
pub async fn of_one_terminal_one_call_is_open(bed: impl KeeperBed) {
    let (store, _) = bed.open().await;
    let first = store.open_call(call("DG0001", "a", 10)).await.unwrap().unwrap();
    assert_eq!(first.call, call("DG0001", "a", 10));
    assert_eq!((first.heard_at_ms, first.answered.clone(), first.ended_at_ms), (None, None, None));
    assert_eq!(store.open_call(call("DG0001", "a", 20)).await.unwrap(), Some(first.clone()), "the same");
    store.open_call(call("DG0002", "a", 15)).await.unwrap();
    assert_eq!(names(&*store, Sites::All, 0).await, ["a", "a"]);
    store.open_call(call("DG0001", "b", 30)).await.unwrap();
    assert_eq!(store.keeper_call("DG0001", "a").await.unwrap().unwrap().ended_at_ms, Some(30));
    assert_eq!(names(&*store, Sites::All, 0).await, ["a", "b"]);
    // What was ended does not open again, and takes nothing of the other with it.
    let again = store.open_call(call("DG0001", "a", 40)).await.unwrap().unwrap();
    assert_eq!((again.call.opened_at_ms, again.ended_at_ms), (10, Some(30)));
    drop(store);
    let (store, _) = bed.open().await;
    assert_eq!(names(&*store, Sites::All, 0).await, ["a", "b"], "kept over a restart");
    assert_eq!(store.keeper_call("DG0003", "a").await.unwrap(), None);
}

/// An end that overtakes its beginning is an end all the same.
pub async fn an_end_may_come_first(bed: impl KeeperBed) {
    let (store, _) = bed.open().await;
    store.open_call(call("DG0001", "b", 5)).await.unwrap();
    store.end_call("DG0001", "a", 10).await.unwrap();
    let late = store.open_call(call("DG0001", "a", 11)).await.unwrap().unwrap();
    assert_eq!(late.ended_at_ms, Some(10));
    assert_eq!(names(&*store, Sites::All, 0).await, ["b"]);
    store.end_call("DG0001", "b", 12).await.unwrap();
    store.end_call("DG0001", "b", 13).await.unwrap();
    assert_eq!(store.keeper_call("DG0001", "b").await.unwrap().unwrap().ended_at_ms, Some(12), "the first");
    assert!(names(&*store, Sites::All, 0).await.is_empty());
}

/// Whoever keeps some terminals sees theirs, and none that is too old.
pub async fn lists_are_of_sites_and_of_their_time(bed: impl KeeperBed) {
    let (store, _) = bed.open().await;
    for (terminal, name, at) in [("DG0003", "c", 30), ("DG0001", "a", 10), ("DG0002", "b", 20)] {
        store.open_call(call(terminal, name, at)).await.unwrap();
    }
    let only = |codes: &[&str]| Sites::Only(codes.iter().map(|code| (*code).to_owned()).collect());
    assert_eq!(names(&*store, Sites::All, 0).await, ["a", "b", "c"], "oldest first");
    assert_eq!(names(&*store, only(&["DG0003", "DG0001", "DG0009"]), 0).await, ["a", "c"]);
    assert_eq!(names(&*store, only(&["DG0003", "DG0001"]), 10).await, ["c"]);
    assert!(names(&*store, only(&[]), 0).await.is_empty());
    assert!(names(&*store, only(&["DG0001' OR 1=1 --", "\"]"]), 0).await.is_empty());
    store.calls_heard(vec![id("DG0001", "a"), id("DG0009", "x")], 40).await.unwrap();
    store.calls_heard(vec![id("DG0001", "a")], 50).await.unwrap();
    assert_eq!(store.keeper_call("DG0001", "a").await.unwrap().unwrap().heard_at_ms, Some(40), "the first");
    assert_eq!(store.forget_calls(20).await.unwrap(), 1);
    assert_eq!(names(&*store, Sites::All, 0).await, ["b", "c"]);
}

/// Of those who say "I am coming" the first one does, with one audit line; to what is over nobody comes.
pub async fn one_keeper_comes(bed: impl KeeperBed) {
    let (store, desk) = bed.open().await;
    store.open_call(call("DG0001", "a", 10)).await.unwrap();
    let line = || entry(AuditAct::CallAnswered, 20);
    let (one, two) = tokio::join!(
        store.answer_call(answer("DG0001", "a", "li", 20, 0), line()),
        store.answer_call(answer("DG0001", "a", "wang", 20, 0), line()),
    );
    let said = [one.unwrap(), two.unwrap()];
    assert_eq!(said.iter().filter(|said| **said == Answered::Done).count(), 1, "{said:?}");
    let row = store.keeper_call("DG0001", "a").await.unwrap().unwrap();
    let (by, at_ms) = row.answered.clone().unwrap();
    assert!(said.contains(&Answered::Before(by)) && at_ms == 20 && row.heard_at_ms == Some(20));
    assert_eq!(desk.audit_head().await.unwrap().seq, 1);
    // It stays on the list until it is ended.
    assert_eq!(store.calls(Sites::All, 0).await.unwrap(), [row]);
    store.end_call("DG0001", "a", 30).await.unwrap();
    let late = store.answer_call(answer("DG0001", "a", "li", 31, 0), line()).await.unwrap();
    assert_eq!(late, Answered::Over);
    store.open_call(call("DG0002", "b", 10)).await.unwrap();
    for (terminal, name, after_ms) in [("DG0002", "b", 10), ("DG0002", "x", 0), ("DG0009", "b", 0)] {
        let said = store.answer_call(answer(terminal, name, "li", 40, after_ms), line()).await.unwrap();
        assert_eq!(said, Answered::Over, "{terminal} {name}");
    }
    assert_eq!(desk.audit_head().await.unwrap().seq, 1, "no line without its change");
}

/// Many ask at the same moment, and still one call of a terminal is open.
pub async fn calls_that_race_leave_one_open(bed: impl KeeperBed) {
    let (store, _) = bed.open().await;
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = Arc::clone(&store);
        racing.spawn(async move { store.open_call(call("DG0001", &format!("c{}", n / 2), 10 + n)).await });
    }
    while let Some(done) = racing.join_next().await {
        // Whoever collided with another is told so, and asks again.
        drop(done.unwrap());
    }
    assert!(names(&*store, Sites::All, 0).await.len() <= 1);
    assert!(store.open_call(call("DG0001", "last", 99)).await.unwrap().is_some());
    assert_eq!(names(&*store, Sites::All, 0).await, ["last"]);
}

/// One test for each promise.
macro_rules! keeper_contract_suite {
    ($bed:expr) => {
        $crate::store::keeper_contract::keeper_contract_suite!($bed;
            of_one_terminal_one_call_is_open an_end_may_come_first lists_are_of_sites_and_of_their_time
            one_keeper_comes calls_that_race_leave_one_open);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::keeper_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use keeper_contract_suite;
