//! What every book of terminals must do. A store joins by implementing [`Bed`] and naming itself in
//! [`lives_contract_suite!`].

use std::sync::Arc;

use sync_protocol::Ledger;

use super::blobs::{Announced, BlobIndex, Unnamed};
use super::contract::arrival;
use super::lives::*;
use super::{Arrival, InboxStore, Kept, Kind, Place};
use crate::continuity::{Doubt, Heard};

/// A database of its own for one test, with everything a gateway asks of it.
pub trait Bed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = (Arc<dyn InboxStore>, Arc<dyn BlobIndex>, Arc<dyn TerminalBook>)>;
}

const TERMINAL: &str = "DG0001";
const NOW: i64 = 10_000_000;

fn word(token: Option<&str>, finalised_seq: u64, number: u64) -> Word {
    Word {
        terminal: TERMINAL.into(),
        incarnation: "life-1".into(),
        heard: Some(Heard {
            token: token.map(str::to_owned),
            finalised_seq,
            head_hash: None,
            tpm_counter: None,
            boot_id: "boot".into(),
            monotonic_ms: number,
        }),
        fresh_token: format!("fresh-{number}"),
        ledger: None,
        oldest_unacked_age_s: Some(number),
        agent_version: "test".into(),
        catalog_version: None,
        disk_used_percent: Some(7),
        at_ms: NOW,
    }
}

/// Tokens are kept from one hello to the next; a disk that says an old one is doubted until it begins a new life.
pub async fn tokens_are_kept(bed: impl Bed) {
    let (_, _, book) = bed.open().await;
    let first = book.hear(word(None, 0, 1)).await.unwrap();
    assert_eq!(first.token.as_deref(), Some("fresh-1"));
    // The answer was lost, and then it was not.
    assert_eq!(book.hear(word(None, 0, 2)).await.unwrap(), first);
    let second = book.hear(word(Some("fresh-1"), 0, 3)).await.unwrap();
    assert_eq!(second.token.as_deref(), Some("fresh-3"));
    let third = book.hear(word(Some("fresh-3"), 5, 4)).await.unwrap();
    assert_eq!(third.token.as_deref(), Some("fresh-4"));

    let copy = book.hear(word(Some("fresh-1"), 5, 5)).await.unwrap();
    assert_eq!((copy.doubt, copy.begin_incarnation, copy.token), (Some(Doubt::OldToken), true, None));
    let again = book.hear(word(Some("fresh-4"), 5, 6)).await.unwrap();
    assert_eq!((again.doubt, again.begin_incarnation), (None, true));
    let reborn = Word { incarnation: "life-2".into(), ..word(Some("fresh-4"), 0, 7) };
    let reborn = book.hear(reborn).await.unwrap();
    assert_eq!((reborn.doubt, reborn.begin_incarnation), (None, false));
    assert!(reborn.token.is_some());
    // A terminal of version 1 is asked nothing.
    let older = Word { heard: None, ..word(None, 0, 8) };
    assert_eq!(book.hear(older).await.unwrap(), Answered::default());
}

/// A queue that is shorter than what the city has held of it for long is doubted; one that is merely behind is not.
pub async fn a_shorter_queue_is_doubted(bed: impl Bed) {
    let (store, _, book) = bed.open().await;
    let mut record = arrival(TERMINAL, 3, "a", "x");
    record.received_at_ms = NOW - 1_000;
    store.accept(record).await.unwrap();
    assert_eq!(book.hear(word(None, 2, 1)).await.unwrap().doubt, None);
    let mut record = arrival(TERMINAL, 4, "b", "x");
    record.received_at_ms = NOW - 3_600_000;
    store.accept(record).await.unwrap();
    let doubt = book.hear(word(Some("fresh-1"), 3, 2)).await.unwrap().doubt;
    assert_eq!(doubt, Some(Doubt::PositionWentBack));
}

/// Books are compared with what is held over all lives, and believed to differ when they do so twice.
pub async fn books_are_compared(bed: impl Bed) {
    let (store, _, book) = bed.open().await;
    for seq in 1..=70 {
        store.accept(arrival(TERMINAL, seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    // The same place twice is one place.
    store.accept(arrival(TERMINAL, 70, "other", "y")).await.unwrap();
    let mut earlier = arrival(TERMINAL, 1, "earlier", "x");
    earlier.place.incarnation = "life-0".into();
    store.accept(earlier).await.unwrap();
    store.received(TERMINAL, "life-1").await.unwrap();
    store.accept(arrival("DG0002", 1, "elsewhere", "x")).await.unwrap();

    let says = |issued, acknowledged, waiting| {
        let ledger = Ledger { issued, acknowledged, waiting, ..Ledger::default() };
        Word { ledger: Some(ledger), ..word(None, 70, 1) }
    };
    for (issued, acknowledged, waiting, found) in [
        (71, 71, 0, None),
        // Receipts that were lost on the way.
        (75, 60, 15, None),
        (75, 72, 3, Some(Disagreement::Lost { records: 1 })),
        (70, 70, 0, Some(Disagreement::NeverIssued { records: 1 })),
        (75, 60, 14, Some(Disagreement::OwnSum)),
    ] {
        book.hear(says(71, 71, 0)).await.unwrap();
        assert_eq!(book.hear(says(issued, acknowledged, waiting)).await.unwrap().disagreement, None);
        assert_eq!(book.hear(says(issued, acknowledged, waiting)).await.unwrap().disagreement, found);
    }
    let words = book.last_words("", 9).await.unwrap();
    assert_eq!(words.len(), 1);
    assert_eq!((words[0].received, words[0].disagreements), (Some(71), 2));
    assert_eq!(words[0].ledger.unwrap().waiting, 14);
    let sums = book.fleet().await.unwrap();
    assert_eq!((sums.terminals, sums.ledger.issued, sums.received, sums.disagreeing), (1, 75, 71, 1));
}

/// Nothing is durable beyond a gap, a missing blob or what is held, and nothing ceases to be.
pub async fn durable_is_without_gaps(bed: impl Bed) {
    let (store, index, book) = bed.open().await;
    let durable = async || store.received(TERMINAL, "life-1").await.unwrap().durable_seq;
    let mark = |seq| vec![Place { terminal: TERMINAL.into(), incarnation: "life-1".into(), seq }];
    for seq in [1, 2, 3, 4, 6] {
        let mut record = arrival(TERMINAL, seq, &format!("c{seq}"), "x");
        if seq == 4 {
            record.blobs = vec![("a".into(), 10)];
        }
        store.accept(record).await.unwrap();
    }
    assert_eq!(durable().await, 0);
    assert_eq!(book.mark_durable(mark(2)).await.unwrap(), 1);
    assert_eq!(durable().await, 2);
    assert_eq!(book.mark_durable(mark(1)).await.unwrap(), 0);
    assert_eq!(durable().await, 2);
    book.mark_durable(mark(100)).await.unwrap();
    assert_eq!(durable().await, 3);
    let announced = Announced { terminal: TERMINAL.into(), sha256: "a".into(), length: 10, at_ms: 1 };
    index.begin(announced, Unnamed { bytes: 0, blobs: 0 }).await.unwrap();
    index.finish(TERMINAL, "a", 0, 50_000).await.unwrap();
    // The blob was not whole yet at this time.
    book.mark_durable_up_to(49_999).await.unwrap();
    assert_eq!(durable().await, 3);
    book.mark_durable_up_to(50_000).await.unwrap();
    assert_eq!(durable().await, 4);
    let mut late = arrival(TERMINAL, 5, "late", "x");
    late.received_at_ms = 60_000;
    store.accept(late).await.unwrap();
    book.mark_durable_up_to(59_999).await.unwrap();
    assert_eq!(durable().await, 4);
    book.mark_durable_up_to(60_000).await.unwrap();
    assert_eq!(durable().await, 6);
}

/// A record whose blobs its terminal lost is ended by a void, and durable goes on behind it.
pub async fn a_void_ends_the_wait_for_blobs(bed: impl Bed) {
    let (store, _, book) = bed.open().await;
    let durable = async || store.received(TERMINAL, "life-1").await.unwrap().durable_seq;
    let mut lost = arrival(TERMINAL, 1, "lost", "x");
    lost.blobs = vec![("a".into(), 10)];
    store.accept(lost).await.unwrap();
    store.accept(arrival(TERMINAL, 2, "next", "x")).await.unwrap();
    book.mark_durable_up_to(i64::MAX).await.unwrap();
    assert_eq!(durable().await, 0, "its blob is missing");
    let void = Arrival { kind: Kind::Void, ..arrival(TERMINAL, 1, "void", "") };
    store.accept(void).await.unwrap();
    book.mark_durable_up_to(i64::MAX).await.unwrap();
    assert_eq!(durable().await, 2);
}

/// A record is found by its id, as its receipt speaks of it.
pub async fn records_are_found_again(bed: impl Bed) {
    let (store, _, book) = bed.open().await;
    store.accept(arrival(TERMINAL, 1, "a", "x")).await.unwrap();
    store.accept(arrival(TERMINAL, 1, "a", "y")).await.unwrap();
    assert_eq!(book.record("DG0002", "a", None).await.unwrap(), None);
    assert_eq!(book.record(TERMINAL, "b", None).await.unwrap(), None);
    let first = book.record(TERMINAL, "a", None).await.unwrap().unwrap();
    assert_eq!((first.kept, first.received_at_ms), (Kept::Inbox, 1_001));
    assert_eq!(book.record(TERMINAL, "a", Some("hash of x")).await.unwrap(), Some(first));
    let second = book.record(TERMINAL, "a", Some("hash of y")).await.unwrap().unwrap();
    assert!(matches!(second.kept, Kept::Quarantine(_)));
    assert_eq!(second.manifest, "manifest of 1 a y");
    assert_eq!(book.record(TERMINAL, "a", Some("hash of z")).await.unwrap(), None);
}

/// The list begins with the worst, and nobody is on it who is well.
pub async fn who_needs_a_look_comes_first(bed: impl Bed) {
    let (_, _, book) = bed.open().await;
    let worry = Worry { silent_since_ms: NOW, unacked_age_s: 100, disk_used_percent: 85 };
    assert_eq!(book.worrying(worry, 9).await.unwrap(), []);
    let says = |terminal: &str, age: u64, ledger: Ledger, disk: u8, at_ms: i64| Word {
        terminal: terminal.into(),
        heard: None,
        ledger: Some(ledger),
        oldest_unacked_age_s: Some(age),
        disk_used_percent: Some(disk),
        at_ms,
        ..word(None, 0, 1)
    };
    let fine = Ledger::default();
    let apart = Ledger { issued: 1, waiting: 1, side_lane: 1, ..Ledger::default() };
    let wrong = Ledger { issued: 1, ..Ledger::default() };
    for word in [
        says("DG0001", 99, fine, 84, NOW),
        says("DG0002", 0, fine, 10, NOW - 1),
        says("DG0003", 100, fine, 10, NOW),
        says("DG0004", 500, fine, 10, NOW),
        says("DG0005", 0, apart, 10, NOW),
        says("DG0006", 0, fine, 85, NOW),
        says("DG0007", 0, wrong, 10, NOW),
        says("DG0007", 0, wrong, 10, NOW),
        says("DG0008", 0, wrong, 10, NOW),
    ] {
        book.hear(word).await.unwrap();
    }
    let names = async |limit| {
        let words = book.worrying(worry, limit).await.unwrap();
        words.into_iter().map(|word| word.terminal).collect::<Vec<_>>()
    };
    let all = ["DG0007", "DG0005", "DG0004", "DG0003", "DG0002", "DG0006"];
    assert_eq!(names(9).await, all);
    assert_eq!(names(2).await, all[..2]);
    // One issued that neither arrived nor waits, of each of the two.
    assert_eq!(book.fleet().await.unwrap().gap(), 2);
}

/// One test for each promise.
macro_rules! lives_contract_suite {
    ($bed:expr) => {
        $crate::store::lives_contract::lives_contract_suite!($bed;
            tokens_are_kept a_shorter_queue_is_doubted books_are_compared durable_is_without_gaps
            a_void_ends_the_wait_for_blobs records_are_found_again who_needs_a_look_comes_first);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::lives_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use lives_contract_suite;
