//! What every store must do for the relay, whatever database is behind it. A store joins by implementing [`RelayBed`]
//! and naming itself in [`relay_contract_suite!`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::contract::arrival;
use super::desk::contract::entry;
use super::desk::{AuditAct, DeskStore, ErasureRule};
use super::relay::*;
use super::{DeadLetterReason, Decision, InboxStore, Outcome, Place};

/// One store, from the sides that meet here.
pub type Sides = (Arc<dyn InboxStore>, Arc<dyn DeskStore>, Arc<dyn RelayStore>);

/// A database of its own for one test. Opening it again opens the same one.
pub trait RelayBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = Sides>;
}

const LEASE: Duration = Duration::from_secs(600);

/// Cases of the item `appeal` are for `rsj`, all others for a department that nobody configured.
pub fn routes() -> Arc<Routes> {
    let rsj = Route { name: "人社局".into(), code: Some("rsj".into()) };
    let others = Route { name: "档案局".into(), code: None };
    Arc::new(Routes { items: HashMap::from([("appeal".to_owned(), rsj)]), others })
}

/// Accepts a case and opens it.
pub async fn opened(inbox: &dyn InboxStore, seq: u64, item: &str) -> Place {
    let mut record = arrival("DG0001", seq, &format!("c{seq}"), &format!("content {seq}"));
    record.item = item.into();
    let place = record.place.clone();
    inbox.accept(record).await.unwrap();
    let outcome = Outcome::Opened { person: None, summary: "fine".into() };
    inbox.decide(vec![Decision { place: place.clone(), outcome, decided_at_ms: 9 }]).await.unwrap();
    place
}

fn seqs(owed: &[Owed]) -> Vec<u64> {
    owed.iter().map(|one| one.case.place.seq).collect()
}

fn numbers(listed: &[Listed]) -> Vec<(i64, u64)> {
    listed.iter().map(|one| (one.number, one.case.place.seq)).collect()
}

fn settled(owed: &Owed, fate: Fate) -> Vec<Settlement> {
    vec![Settlement { place: owed.case.place.clone(), lease: owed.lease.clone(), fate }]
}

/// State and number of cases, of all departments.
async fn standing(store: &dyn RelayStore) -> Vec<(Option<String>, &'static str, u64)> {
    let counts = store.relay_counts().await.unwrap();
    let mut standing: Vec<_> =
        counts.into_iter().map(|count| (count.department, count.state.code(), count.cases)).collect();
    standing.sort();
    standing
}

fn rsj() -> Option<String> {
    Some("rsj".to_owned())
}

/// Only what was opened is owed and routed; what could not be opened goes its way once it can.
pub async fn only_opened_cases_are_routed(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    inbox.accept(arrival("DG0001", 2, "c2", "x")).await.unwrap();
    let dead = arrival("DG0001", 3, "c3", "x");
    let place = dead.place.clone();
    inbox.accept(dead).await.unwrap();
    let outcome = Outcome::DeadLetter { reason: DeadLetterReason::NotOpenable, detail: None };
    inbox.decide(vec![Decision { place: place.clone(), outcome, decided_at_ms: 9 }]).await.unwrap();
    let routed = Routed { routed: 1, unknown: 0 };
    assert_eq!(store.route(routes(), 10, 5).await.unwrap(), routed);
    assert_eq!(store.route(routes(), 10, 5).await.unwrap(), Routed::default());
    assert_eq!(standing(&*store).await, [(rsj(), "routed", 1)]);
    // The city got its key back.
    assert_eq!(inbox.retry_dead_letters(DeadLetterReason::NotOpenable).await.unwrap(), 1);
    let outcome = Outcome::Opened { person: None, summary: "fine".into() };
    inbox.decide(vec![Decision { place, outcome, decided_at_ms: 9 }]).await.unwrap();
    assert_eq!(store.route(routes(), 10, 5).await.unwrap(), routed);
    assert_eq!(seqs(&store.claim_owed("rsj", 9, LEASE).await.unwrap()), [1, 3]);
}

/// Routing takes the oldest first, as many as it is asked for.
pub async fn routing_is_in_order_and_bounded(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    for seq in [3, 1, 2] {
        opened(&*inbox, seq, "appeal").await;
    }
    assert_eq!(store.route(routes(), 2, 5).await.unwrap().routed, 2);
    assert_eq!(seqs(&store.claim_owed("rsj", 9, LEASE).await.unwrap()), [1, 2]);
    assert_eq!(store.route(routes(), 2, 5).await.unwrap().routed, 1);
}

/// What is said about a case is what came, and its content is what was sealed.
pub async fn a_case_is_handed_out_as_it_came(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    let mut record = arrival("DG0001", 1, "c1", "sealed");
    let photo = ("b".repeat(64), 7);
    record.blobs = vec![photo.clone()];
    let place = record.place.clone();
    inbox.accept(record.clone()).await.unwrap();
    let content = store.owed_content(&place).await.unwrap().unwrap();
    assert_eq!((content.record.ciphertext.as_slice(), content.blobs), (b"sealed".as_slice(), vec![photo]));
    let nowhere = Place { seq: 9, ..place };
    assert!(store.owed_content(&nowhere).await.unwrap().is_none());

    opened(&*inbox, 2, "appeal").await;
    store.route(routes(), 9, 5).await.unwrap();
    let owed = store.claim_owed("rsj", 9, LEASE).await.unwrap();
    let case = &owed[0].case;
    assert_eq!((case.case_id.as_str(), case.case_number.as_str()), ("c2", "DG0001-2"));
    assert_eq!((case.item.as_str(), case.item_version), ("appeal", 1));
    assert_eq!((case.sha256.as_str(), case.received_at_ms), ("hash of content 2", 1_002));
    assert_eq!((owed[0].attempts, owed[0].refusals), (1, 0));
}

/// A case is with one at a time, until its lease ends; and nobody's claim takes another department's.
pub async fn owed_cases_are_leased(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    for seq in 1..=3 {
        opened(&*inbox, seq, "appeal").await;
    }
    store.route(routes(), 9, 5).await.unwrap();
    assert!(store.claim_owed("other", 9, LEASE).await.unwrap().is_empty());
    let first = store.claim_owed("rsj", 2, LEASE).await.unwrap();
    assert_eq!(seqs(&first), [1, 2]);
    let lost = store.claim_owed("rsj", 9, Duration::ZERO).await.unwrap();
    assert_eq!(seqs(&lost), [3]);
    // That lease was over at once.
    let again = store.claim_owed("rsj", 9, LEASE).await.unwrap();
    assert_eq!((seqs(&again), again[0].attempts), (vec![3], 2));
    assert!(store.claim_owed("rsj", 9, LEASE).await.unwrap().is_empty());
    // Who held it before says that it is delivered: it is. Anything else is no longer theirs to say.
    let after = Fate::Again { after: Duration::ZERO, refused: true };
    assert_eq!(store.settle(settled(&lost[0], after)).await.unwrap(), 0);
    let dead = Fate::Dead { reason: UndeliveredReason::Refused, detail: None, at_ms: 5 };
    assert_eq!(store.settle(settled(&lost[0], dead)).await.unwrap(), 0);
    assert_eq!(store.settle(settled(&lost[0], Fate::Delivered(5))).await.unwrap(), 1);
    assert_eq!(store.settle(settled(&again[0], Fate::Delivered(6))).await.unwrap(), 0);
    assert_eq!(standing(&*store).await, [(rsj(), "routed", 2)]);
}

/// What is to be tried again is, after its time; what is delivered is not.
pub async fn cases_are_settled(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    for seq in 1..=4 {
        opened(&*inbox, seq, "appeal").await;
    }
    store.route(routes(), 9, 5).await.unwrap();
    let owed = store.claim_owed("rsj", 9, LEASE).await.unwrap();
    let again = |seconds, refused| Fate::Again { after: Duration::from_secs(seconds), refused };
    store.settle(settled(&owed[0], Fate::Delivered(5))).await.unwrap();
    store.settle(settled(&owed[1], again(0, true))).await.unwrap();
    store.settle(settled(&owed[2], again(600, false))).await.unwrap();
    let detail = Some("HTTP 410".to_owned());
    let dead = Fate::Dead { reason: UndeliveredReason::Refused, detail: detail.clone(), at_ms: 77 };
    store.settle(settled(&owed[3], dead)).await.unwrap();
    let next = store.claim_owed("rsj", 9, LEASE).await.unwrap();
    assert_eq!((seqs(&next), next[0].attempts, next[0].refusals), (vec![2], 2, 1));
    let letters = store.undelivered(9).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.case.case_id.as_str(), letter.department.clone()), ("c4", rsj()));
    assert_eq!((letter.reason, letter.dead_at_ms, letter.attempts), (UndeliveredReason::Refused, 77, 1));
    assert_eq!(letter.detail, detail);
    // The same record sent again is held, and not owed again.
    let mut copy = arrival("DG0001", 1, "c1", "content 1");
    copy.item = "appeal".into();
    assert!(inbox.accept(copy).await.unwrap().again);
    assert_eq!(standing(&*store).await, [(rsj(), "dead_letter", 1), (rsj(), "routed", 2)]);
}

/// A case whose department nobody configured is a dead letter with its name, and an operator's word puts it back.
pub async fn dead_letters_are_released(bed: impl RelayBed) {
    let (inbox, desk, store) = bed.open().await;
    for (seq, item) in [(1, "archive"), (2, "appeal"), (3, "archive"), (4, "archive")] {
        opened(&*inbox, seq, item).await;
    }
    assert_eq!(store.route(routes(), 9, 55).await.unwrap(), Routed { routed: 1, unknown: 3 });
    let letters = store.undelivered(2).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!((letters[0].reason, letters[0].dead_at_ms), (UndeliveredReason::UnknownDepartment, 55));
    assert_eq!((letters[0].detail.as_deref(), letters[0].department.clone()), (Some("档案局"), None));

    let line = || entry(AuditAct::RelayReleased, 60);
    let head = desk.audit_head().await.unwrap().seq;
    let one = Release::One(letters[0].case.place.clone());
    assert_eq!(store.release(one.clone(), line()).await.unwrap(), 1);
    // It is none any more; nothing happens, and nothing is noted.
    assert_eq!(store.release(one, line()).await.unwrap(), 0);
    let all = |reason| Release::All(reason);
    assert_eq!(store.release(all(UndeliveredReason::Refused), line()).await.unwrap(), 0);
    assert_eq!(store.release(all(UndeliveredReason::UnknownDepartment), line()).await.unwrap(), 2);
    assert_eq!(desk.audit_head().await.unwrap().seq, head + 2);

    let rsj_for_all = Route { name: "人社局".into(), code: rsj() };
    let routes = Arc::new(Routes { items: HashMap::new(), others: rsj_for_all });
    assert_eq!(store.route(routes, 9, 70).await.unwrap().routed, 3);
    assert_eq!(seqs(&store.claim_owed("rsj", 9, LEASE).await.unwrap()), [1, 2, 3, 4]);
}

/// What was routed to a department that is no longer configured is routed anew.
pub async fn departments_come_and_go(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    opened(&*inbox, 2, "archive").await;
    store.route(routes(), 9, 5).await.unwrap();
    store.list_owed("rsj", 9).await.unwrap();
    assert_eq!(store.keep_departments(vec!["rsj".into(), "other".into()]).await.unwrap(), 0);
    assert_eq!(store.keep_departments(vec!["other".into()]).await.unwrap(), 1);
    assert_eq!(standing(&*store).await, [(None, "dead_letter", 1), (None, "unrouted", 1)]);
    assert!(store.feed("rsj", 0, 9).await.unwrap().is_empty());
    assert_eq!(store.keep_departments(Vec::new()).await.unwrap(), 0);
}

/// A feed goes on after the last number, and holds what is not acknowledged.
pub async fn a_feed_is_read_and_acknowledged(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    for seq in 1..=3 {
        opened(&*inbox, seq, "appeal").await;
    }
    store.route(routes(), 9, 5).await.unwrap();
    assert!(store.feed("rsj", 0, 9).await.unwrap().is_empty());
    assert_eq!(store.list_owed("rsj", 2).await.unwrap(), 2);
    assert_eq!(store.list_owed("rsj", 9).await.unwrap(), 1);
    assert_eq!(store.list_owed("rsj", 9).await.unwrap(), 0);
    let page = store.feed("rsj", 0, 2).await.unwrap();
    assert_eq!((numbers(&page), page[0].bytes), (vec![(1, 1), (2, 2)], 9));
    assert_eq!(numbers(&store.feed("rsj", 2, 2).await.unwrap()), [(3, 3)]);
    assert!(store.feed("other", 0, 9).await.unwrap().is_empty());

    assert_eq!(store.acknowledge("other", 9, 5).await.unwrap(), 0);
    assert_eq!(store.acknowledge("rsj", 1, 5).await.unwrap(), 1);
    assert_eq!(store.acknowledge("rsj", 1, 5).await.unwrap(), 0);
    assert_eq!(numbers(&store.feed("rsj", 0, 9).await.unwrap()), [(2, 2), (3, 3)]);
    assert_eq!(store.withdraw("rsj", vec![2, 77], UndeliveredReason::Declined, 6).await.unwrap(), 1);
    assert_eq!(store.undelivered(9).await.unwrap()[0].reason, UndeliveredReason::Declined);
    assert_eq!(store.acknowledge("rsj", 3, 5).await.unwrap(), 1);
    assert_eq!(standing(&*store).await, [(rsj(), "dead_letter", 1)]);

    // What is released comes after everything, so that whoever goes on sees it.
    let all = Release::All(UndeliveredReason::Declined);
    assert_eq!(store.release(all, entry(AuditAct::RelayReleased, 7)).await.unwrap(), 1);
    store.route(routes(), 9, 5).await.unwrap();
    store.list_owed("rsj", 9).await.unwrap();
    assert_eq!(numbers(&store.feed("rsj", 3, 9).await.unwrap()), [(4, 2)]);
}

/// Content that was deleted by rule is not handed on.
pub async fn deleted_content_is_not_handed_on(bed: impl RelayBed) {
    let (inbox, desk, store) = bed.open().await;
    let record = arrival("DG0001", 1, "c1", "x");
    let place = record.place.clone();
    inbox.accept(record).await.unwrap();
    let outcome = Outcome::DeadLetter { reason: DeadLetterReason::WrongAnswers, detail: None };
    inbox.decide(vec![Decision { place: place.clone(), outcome, decided_at_ms: 9 }]).await.unwrap();
    assert!(store.owed_content(&place).await.unwrap().is_some());
    assert_eq!(desk.erase(ErasureRule::DeadLetter, 100, 9, 200).await.unwrap(), 1);
    assert!(store.owed_content(&place).await.unwrap().is_none());
}

/// Everything is there after the store was closed, and leases are not.
pub async fn closing_keeps_what_is_owed(bed: impl RelayBed) {
    let (inbox, _, store) = bed.open().await;
    for seq in 1..=2 {
        opened(&*inbox, seq, "appeal").await;
    }
    store.route(routes(), 9, 5).await.unwrap();
    store.claim_owed("rsj", 1, LEASE).await.unwrap();
    let before = standing(&*store).await;
    inbox.close().await.unwrap();
    drop((inbox, store));
    let (_inbox, _, store) = bed.open().await;
    assert_eq!(standing(&*store).await, before);
    assert_eq!(seqs(&store.claim_owed("rsj", 9, LEASE).await.unwrap()), [1, 2]);
}

/// One test for each promise.
macro_rules! relay_contract_suite {
    ($bed:expr) => {
        $crate::store::relay_contract::relay_contract_suite!($bed;
            only_opened_cases_are_routed routing_is_in_order_and_bounded a_case_is_handed_out_as_it_came
            owed_cases_are_leased cases_are_settled dead_letters_are_released departments_come_and_go
            a_feed_is_read_and_acknowledged deleted_content_is_not_handed_on closing_keeps_what_is_owed);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::relay_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use relay_contract_suite;
