//! What every store must do with decisions about records that are kept aside. A store joins by implementing
//! [`AsideBed`] and naming itself in [`aside_contract_suite!`].

use std::sync::Arc;
use std::time::Duration;

use super::contract::entry;
use super::*;
use crate::progress::ProgressSource;
use crate::store::blobs::{Announced, Begun, BlobIndex, Held, Unnamed};
use crate::store::contract::arrival;
use crate::store::lives::TerminalBook;
use crate::store::relay::RelayStore;
use crate::store::relay_contract::routes;
use crate::store::{Acceptance, Arrival, Conflict, Decision, InboxStore, Kept, Kind, Outcome, Page};

/// One store, from all the sides that a release touches.
pub struct Sides {
    inbox: Arc<dyn InboxStore>,
    desk: Arc<dyn DeskStore>,
    blobs: Arc<dyn BlobIndex>,
    relay: Arc<dyn RelayStore>,
    book: Arc<dyn TerminalBook>,
    progress: Arc<dyn ProgressSource>,
}

impl Sides {
    /// All sides of this one.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: InboxStore + DeskStore + BlobIndex + RelayStore + TerminalBook + ProgressSource + 'static,
    {
        Self {
            inbox: Arc::clone(&store) as _,
            desk: Arc::clone(&store) as _,
            blobs: Arc::clone(&store) as _,
            relay: Arc::clone(&store) as _,
            book: Arc::clone(&store) as _,
            progress: store,
        }
    }

    /// Keeps a record of a revoked terminal aside.
    async fn aside(&self, record: &Arrival) -> Acceptance {
        self.inbox.set_aside(record.clone(), Conflict::Revoked).await.unwrap()
    }

    async fn rows(&self) -> Vec<AsideRow> {
        kept_aside(&*self.desk, false).await
    }

    /// Decides about the newest record that is kept aside.
    async fn decide(&self, verdict: Verdict) -> Settled {
        let row = self.rows().await.remove(0);
        self.desk.decide_aside(decision(&row, verdict), line(verdict)).await.unwrap()
    }

    async fn open(&self, record: &Arrival) {
        let outcome = Outcome::Opened { person: None, summary: "fine".into() };
        let decision = Decision { place: record.place.clone(), outcome, decided_at_ms: 70 };
        self.inbox.decide(vec![decision]).await.unwrap();
    }
}

/// A database of its own for one test. Opening it again opens the same one.
pub trait AsideBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = Sides>;
}

/// Everything that is kept aside, newest first.
pub async fn kept_aside(desk: &dyn DeskStore, undecided: bool) -> Vec<AsideRow> {
    desk.kept_aside(AsideFilter { before: i64::MAX, undecided }, 1_000).await.unwrap()
}

/// A decision on what this row shows.
pub fn decision(row: &AsideRow, verdict: Verdict) -> AsideDecision {
    let InboxRow { id, place, case_id, sha256, .. } = &row.row;
    let key = CaseKey { terminal: place.terminal.clone(), case_id: case_id.clone() };
    AsideDecision {
        name: AsideName { id: *id, key, sha256: sha256.clone() },
        version: row.version,
        decided: Decided {
            verdict,
            operator: "wang".into(),
            at_ms: 60,
            reason: "resident_confirmed".into(),
            reference: "XF-7".into(),
        },
    }
}

/// The audit line of a decision.
pub fn line(verdict: Verdict) -> AuditEntry {
    entry(if verdict == Verdict::Released { AuditAct::AsideReleased } else { AuditAct::AsideReviewed }, 60)
}

async fn acts(desk: &dyn DeskStore) -> Vec<AuditAct> {
    desk.audit_after(0, 99).await.unwrap().into_iter().map(|line| line.entry.act).collect()
}

/// A released record goes the way of every other: opener, desk, department, the resident's question; and nothing that
/// was told its terminal changes, but that it is accepted now.
pub async fn a_released_record_goes_its_way(bed: impl AsideBed) {
    let store = bed.open().await;
    let record = arrival("DG0001", 1, "a", "x");
    let first = store.aside(&record).await;
    let ranges = store.inbox.received("DG0001", "life-1").await.unwrap();
    assert_eq!(store.desk.progress("DG0001-1", "Va").await.unwrap(), None);
    assert_eq!(store.desk.undecided().await.unwrap(), 1);
    assert_eq!(store.inbox.counts().await.unwrap().undecided, 1);

    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    assert_eq!(store.desk.undecided().await.unwrap(), 0);
    let counts = store.inbox.counts().await.unwrap();
    assert_eq!((counts.undecided, counts.quarantined, counts.waiting), (0, 1, 1));
    assert_eq!(store.inbox.received("DG0001", "life-1").await.unwrap(), ranges);
    assert_eq!(store.desk.progress("DG0001-1", "Va").await.unwrap().unwrap().received_at_ms, 1_001);
    // One case answers to the number, not the copy that stays aside as well.
    assert_eq!(store.progress.numbered("DG0001-1").await.unwrap().len(), 1);
    let held = store.book.record("DG0001", "a", None).await.unwrap().unwrap();
    assert_eq!((held.kept, held.received_at_ms), (Kept::Inbox, first.received_at_ms));

    // Sent again, believed or not: the same time, and no second copy.
    let again = Acceptance { kept: Kept::Inbox, again: true, ..first };
    assert_eq!(store.aside(&record).await, again);
    assert_eq!(store.inbox.accept(record.clone()).await.unwrap(), again);
    assert_eq!(store.inbox.page(Page::After(0), 9).await.unwrap().len(), 2);

    let claimed = store.inbox.claim(9, Duration::from_secs(600)).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].ciphertext.as_slice()), (1, b"x".as_slice()));
    assert_eq!(store.relay.route(routes(), 9, 5).await.unwrap().routed, 0);
    store.open(&record).await;
    let key = CaseKey { terminal: "DG0001".into(), case_id: "a".into() };
    assert!(store.desk.case(&key).await.unwrap().is_some());
    assert_eq!(store.relay.route(routes(), 9, 5).await.unwrap().routed, 1);
    assert_eq!(store.relay.claim_owed("rsj", 9, Duration::ZERO).await.unwrap().len(), 1);

    let row = store.rows().await.remove(0);
    assert_eq!(store.desk.released(&key).await.unwrap().as_ref(), Some(&row));
    let made = decision(&row, Verdict::Released).decided;
    assert_eq!((row.obstacle, row.version, row.last), (Some(Obstacle::Held), 1, Some(made)));
    assert_eq!(acts(&*store.desk).await, [AuditAct::AsideReleased]);
}

/// Of many who decide at once one is heard, and a release is the last word.
pub async fn one_decision_wins(bed: impl AsideBed) {
    let store = bed.open().await;
    store.aside(&arrival("DG0001", 1, "a", "x")).await;
    let row = store.rows().await.remove(0);
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (desk, row) = (Arc::clone(&store.desk), row.clone());
        let verdict = if number % 2 == 0 { Verdict::Released } else { Verdict::KeptAside };
        racing.spawn(async move { desk.decide_aside(decision(&row, verdict), line(verdict)).await.unwrap() });
    }
    let settled = racing.join_all().await;
    assert_eq!(settled.iter().filter(|settled| **settled == Settled::Done).count(), 1, "{settled:?}");
    assert_eq!(settled.iter().filter(|settled| **settled == Settled::Stale).count(), 15, "{settled:?}");
    assert_eq!(acts(&*store.desk).await.len(), 1);
    if store.rows().await[0].last.as_ref().unwrap().verdict == Verdict::KeptAside {
        assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    }
    for verdict in [Verdict::Released, Verdict::KeptAside] {
        assert_eq!(store.decide(verdict).await, Settled::Stale);
    }
    assert_eq!(store.inbox.claim(9, Duration::from_secs(600)).await.unwrap().len(), 1);
}

/// What somebody has looked at waits for nobody, and can still be released.
pub async fn reviewed_records_wait_no_more(bed: impl AsideBed) {
    let store = bed.open().await;
    store.aside(&arrival("DG0001", 1, "a", "x")).await;
    store.aside(&arrival("DG0001", 2, "b", "y")).await;
    assert_eq!(store.decide(Verdict::KeptAside).await, Settled::Done);
    let waiting = kept_aside(&*store.desk, true).await;
    assert_eq!((waiting.len(), waiting[0].row.case_id.as_str()), (1, "a"));
    assert_eq!((store.rows().await.len(), store.desk.undecided().await.unwrap()), (2, 1));
    assert!(store.inbox.claim(9, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(store.decide(Verdict::KeptAside).await, Settled::Done);
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    assert_eq!(store.rows().await[0].version, 3);
    assert_eq!(store.inbox.claim(9, Duration::ZERO).await.unwrap()[0].case_id, "b");
    // A page before the last of the first one.
    let older = AsideFilter { before: store.rows().await[0].row.id, undecided: false };
    assert_eq!(store.desk.kept_aside(older, 9).await.unwrap()[0].row.case_id, "a");
}

/// What the inbox holds stays; a release says what is in its way and changes nothing.
pub async fn nothing_is_overwritten_by_a_release(bed: impl AsideBed) {
    let store = bed.open().await;
    store.inbox.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    let mut twin = arrival("DG0001", 1, "a", "x");
    twin.manifest_hash = "another".into();
    for (record, obstacle) in [
        (arrival("DG0001", 1, "b", "y"), Obstacle::PlaceTaken),
        (arrival("DG0001", 1, "a", "other"), Obstacle::PlaceTaken),
        (arrival("DG0001", 7, "a", "x"), Obstacle::IdTaken),
        (twin, Obstacle::Held),
    ] {
        store.inbox.accept(record).await.unwrap();
        assert_eq!(store.rows().await[0].obstacle, Some(obstacle));
        assert_eq!(store.decide(Verdict::Released).await, Settled::Blocked(obstacle));
    }
    assert_eq!((store.desk.undecided().await.unwrap(), acts(&*store.desk).await.len()), (4, 0));
    assert_eq!(store.decide(Verdict::KeptAside).await, Settled::Done);
    assert_eq!(store.desk.undecided().await.unwrap(), 3);
    assert_eq!(store.inbox.page(Page::After(0), 9).await.unwrap().len(), 5);
    // Two that contend for one free place: the first that is released has it.
    store.aside(&arrival("DG0001", 9, "c", "x")).await;
    let later = Arrival { received_at_ms: 2_000, ..arrival("DG0001", 9, "d", "y") };
    store.aside(&later).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    let row = store.rows().await.remove(1);
    assert_eq!((row.row.case_id.as_str(), row.obstacle), ("c", Some(Obstacle::PlaceTaken)));
    // A number that means another record now, as after a restore, decides nothing.
    let mut elsewhere = decision(&row, Verdict::KeptAside);
    for change in [
        |name: &mut AsideName| name.sha256.push('x'),
        |name: &mut AsideName| name.key.case_id.push('x'),
        |name: &mut AsideName| name.id += 1_000,
    ] {
        change(&mut elsewhere.name);
        let settled = store.desk.decide_aside(elsewhere.clone(), line(Verdict::KeptAside)).await.unwrap();
        assert_eq!(settled, Settled::Missing);
        elsewhere = decision(&row, Verdict::KeptAside);
    }
}

/// What a terminal that was taken back sends into the inbox itself waits for nobody.
pub async fn what_came_by_itself_needs_no_release(bed: impl AsideBed) {
    let store = bed.open().await;
    let record = arrival("DG0001", 1, "a", "x");
    store.aside(&record).await;
    store.inbox.accept(record).await.unwrap();
    assert_eq!(store.desk.undecided().await.unwrap(), 0);
    assert!(kept_aside(&*store.desk, true).await.is_empty());
    assert_eq!(store.decide(Verdict::Released).await, Settled::Blocked(Obstacle::Held));
    let key = CaseKey { terminal: "DG0001".into(), case_id: "a".into() };
    assert_eq!(store.desk.released(&key).await.unwrap(), None);
    assert_eq!(store.inbox.claim(9, Duration::ZERO).await.unwrap().len(), 1);
}

/// A released record waits for its blobs like any other, and holds them when its copy aside is emptied by rule.
pub async fn released_records_hold_their_blobs(bed: impl AsideBed) {
    let store = bed.open().await;
    let mut record = arrival("DG0001", 1, "a", "x");
    record.blobs = vec![("photo".into(), 10)];
    store.aside(&record).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    assert!(store.inbox.claim(9, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(store.inbox.counts().await.unwrap().incomplete, 1);
    assert_eq!(store.desk.erase(ErasureRule::Quarantine, i64::MAX, 9, 80).await.unwrap(), 1);
    let announced = Announced { terminal: "DG0001".into(), sha256: "photo".into(), length: 10, at_ms: 90 };
    // There is no room for blobs that no record names, so this one is named.
    let begun = store.blobs.begin(announced, Unnamed { bytes: 0, blobs: 0 }).await.unwrap();
    assert_eq!(begun, Begun::Held(Held::Part { held: 0, length: 10 }));
    store.blobs.finish("DG0001", "photo", 0, 90).await.unwrap();
    let claimed = store.inbox.claim(9, Duration::from_secs(600)).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].ciphertext.as_slice()), (1, b"x".as_slice()));
    assert_eq!(store.relay.owed_content(&record.place).await.unwrap().unwrap().blobs, record.blobs);

    // One whose blobs were there before goes to the opener at once.
    let mut second = arrival("DG0001", 2, "b", "y");
    second.blobs = vec![("photo".into(), 10)];
    store.aside(&second).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    assert_eq!(store.inbox.claim(9, Duration::from_secs(600)).await.unwrap()[0].case_id, "b");
    store.book.mark_durable(vec![second.place]).await.unwrap();
    assert_eq!(store.inbox.received("DG0001", "life-1").await.unwrap().durable_seq, 2);
}

/// Content that was deleted by rule is not released; and when a released case is finished and deleted, so is the copy
/// of it that stayed aside.
pub async fn deletion_by_rule_holds_for_both_copies(bed: impl AsideBed) {
    let store = bed.open().await;
    store.aside(&arrival("DG0001", 1, "a", "x")).await;
    assert_eq!(store.desk.erase(ErasureRule::Quarantine, i64::MAX, 9, 50).await.unwrap(), 1);
    assert_eq!(store.desk.undecided().await.unwrap(), 0);
    for verdict in [Verdict::Released, Verdict::KeptAside] {
        assert_eq!(store.decide(verdict).await, Settled::Blocked(Obstacle::Erased));
    }
    let record = arrival("DG0001", 2, "b", "y");
    store.aside(&record).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    store.open(&record).await;
    let key = CaseKey { terminal: "DG0001".into(), case_id: "b".into() };
    let step = CaseStep {
        key: key.clone(),
        version: 0,
        from: CaseState::PreReview,
        to: CaseState::Returned,
        operator: "wang".into(),
        at_ms: 100,
        reason: "duplicate".into(),
        note: String::new(),
    };
    assert_eq!(store.desk.step(step, entry(AuditAct::CaseStep, 100)).await.unwrap(), Stepped::Done(1));
    assert_eq!(store.desk.erase(ErasureRule::FinishedCase, i64::MAX, 9, 200).await.unwrap(), 1);
    assert!(store.desk.sealed(&key).await.unwrap().is_none());
    assert_eq!(store.desk.erase(ErasureRule::Quarantine, i64::MAX, 9, 200).await.unwrap(), 0);
    assert_eq!(store.aside(&record).await.kept, Kept::Inbox);
}

/// Only cases are owed to departments.
pub async fn ratings_are_released_and_owed_to_nobody(bed: impl AsideBed) {
    let store = bed.open().await;
    let mut rating = arrival("DG0001", 1, "r", "x");
    rating.kind = Kind::Rating;
    store.aside(&rating).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    assert_eq!(store.inbox.claim(9, Duration::from_secs(600)).await.unwrap().len(), 1);
    let outcome = Outcome::Opened { person: None, summary: "fine".into() };
    store.inbox.decide(vec![Decision { place: rating.place, outcome, decided_at_ms: 90 }]).await.unwrap();
    assert!(store.relay.relay_counts().await.unwrap().iter().all(|count| count.cases == 0));
}

/// Everything is still there after the store was closed.
pub async fn closing_keeps_decisions(bed: impl AsideBed) {
    let store = bed.open().await;
    store.aside(&arrival("DG0001", 1, "a", "x")).await;
    store.aside(&arrival("DG0001", 2, "b", "y")).await;
    assert_eq!(store.decide(Verdict::Released).await, Settled::Done);
    let rows = store.rows().await;
    store.inbox.close().await.unwrap();
    drop(store);
    let store = bed.open().await;
    assert_eq!(store.rows().await, rows);
    assert_eq!(store.inbox.claim(9, Duration::from_secs(600)).await.unwrap().len(), 1);
}

/// One test for each promise.
macro_rules! aside_contract_suite {
    ($bed:expr) => {
        $crate::store::desk::aside_contract::aside_contract_suite!($bed;
            a_released_record_goes_its_way one_decision_wins reviewed_records_wait_no_more
            nothing_is_overwritten_by_a_release what_came_by_itself_needs_no_release
            released_records_hold_their_blobs deletion_by_rule_holds_for_both_copies
            ratings_are_released_and_owed_to_nobody closing_keeps_decisions);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::desk::aside_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use aside_contract_suite;
